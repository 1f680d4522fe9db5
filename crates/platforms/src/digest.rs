//! Digests as hex text: what some platforms put on a delivery in place of a MAC, and what tells contents apart.

use md5::{Digest, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Lower-case hex of the MD5 over the parts in turn. Platforms dictate it; secrets around the text are all that guards it.
pub fn md5_hex(parts: &[&[u8]]) -> String {
    let digest = parts.iter().fold(Md5::new(), |digest, part| digest.chain_update(part));
    hex::encode(digest.finalize())
}

/// Lower-case hex of the SHA-256 of a text.
pub fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Whether a claimed digest is the expected one (lower-case hex), in constant time; the claimed one may be in either case.
pub fn same_hex(claimed: &str, expected: &str) -> bool {
    claimed.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::{md5_hex, same_hex, sha256_hex};

    #[test]
    fn digests_are_the_well_known_ones() {
        // RFC 1321, section A.5, in one part and in three.
        for parts in [&[&b"abc"[..]][..], &[&b"a"[..], b"", b"bc"][..]] {
            assert_eq!(md5_hex(parts), "900150983cd24fb0d6963f7d28e17f72");
        }
        // FIPS 180-4, the one-block example.
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn case_does_not_matter_and_length_does() {
        assert!(same_hex("00AB", "00ab") && same_hex("00ab", "00ab"));
        for claimed in ["", "00a", "00abc", "00ac", "００ab"] {
            assert!(!same_hex(claimed, "00ab"), "{claimed}");
        }
    }
}
