//! The cipher and signature of callbacks and of replies to them, written from the protocol's description and not shared with the code under test.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use anyhow::{Context, Result, ensure};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};
use sha1::{Digest, Sha1};

/// The 43 characters of a key hold two bits too many.
const KEYS: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Padding is to a multiple of 32, though blocks have 16 bytes.
const PADDED: usize = 32;

/// Enciphers a message with the console's `EncodingAESKey`: AES-256 in CBC mode, the IV being the key's first half.
///
/// # Errors
/// When the key is none, or the message has 4 GiB.
pub fn seal(key: &str, random: [u8; 16], message: &str, receive_id: &str) -> Result<String> {
    let key = decoded(key)?;
    let mut plain = random.to_vec();
    plain.extend(u32::try_from(message.len())?.to_be_bytes());
    plain.extend(message.as_bytes());
    plain.extend(receive_id.as_bytes());
    let pad = PADDED - plain.len() % PADDED;
    plain.resize(plain.len() + pad, u8::try_from(pad)?);

    let cipher = Aes256::new_from_slice(&key).ok().context("the key's length")?;
    let mut before: [u8; 16] = key[..16].try_into()?;
    let mut sealed = Vec::with_capacity(plain.len());
    for block in plain.chunks_exact(16) {
        let mixed: [u8; 16] = std::array::from_fn(|place| block[place] ^ before[place]);
        let mut block = Array::from(mixed);
        cipher.encrypt_block(&mut block);
        before = block.into();
        sealed.extend(before);
    }
    Ok(STANDARD.encode(sealed))
}

/// Deciphers a message, and tells whom it is for: message and `receiveid`.
///
/// # Errors
/// When the key is none, or this is not what [`seal`] makes with it.
pub fn open(key: &str, sealed: &str) -> Result<(String, String)> {
    let key = decoded(key)?;
    let sealed = STANDARD.decode(sealed)?;
    ensure!(!sealed.is_empty() && sealed.len().is_multiple_of(PADDED), "{} bytes", sealed.len());
    let cipher = Aes256::new_from_slice(&key).ok().context("the key's length")?;
    let mut before: [u8; 16] = key[..16].try_into()?;
    let mut plain = Vec::with_capacity(sealed.len());
    for block in sealed.chunks_exact(16) {
        let sealed: [u8; 16] = block.try_into()?;
        let mut block = Array::from(sealed);
        cipher.decrypt_block(&mut block);
        let mixed: [u8; 16] = block.into();
        plain.extend((0..16).map(|place| mixed[place] ^ before[place]));
        before = sealed;
    }
    let pad = plain.last().map_or(0, |&pad| usize::from(pad));
    ensure!((1..=PADDED).contains(&pad), "padding of {pad}");
    plain.truncate(plain.len() - pad);
    let (length, rest) = plain.get(16..).and_then(|rest| rest.split_first_chunk()).context("too short")?;
    let length = usize::try_from(u32::from_be_bytes(*length))?;
    let (message, receive_id) = rest.split_at_checked(length).context("the length is beyond the text")?;
    Ok((String::from_utf8(message.to_vec())?, String::from_utf8(receive_id.to_vec())?))
}

fn decoded(key: &str) -> Result<Vec<u8>> {
    let key = GeneralPurpose::new(&alphabet::STANDARD, KEYS).decode(key)?;
    ensure!(key.len() == 32, "a key of {} bytes", key.len());
    Ok(key)
}

/// Lower-case hex of SHA-1 over the parts in the order of their bytes, nothing between them.
pub fn signature(mut parts: Vec<&str>) -> String {
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors E, J and H of public suites (protocols 1.7).
    #[test]
    fn vectors() {
        let random = hex::decode("35514d735963776a5239357432766d43").unwrap().try_into().unwrap();
        let key = "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws";
        let sealed = seal(key, random, "94966531020182955848408", "ww6a112864f8022910").unwrap();
        assert_eq!(sealed, "6KmUQuPVu7UhjyVqRdbo5SfcRqaHvbUlKSHFvBV2ZuR6TIlKsygcfeSd1GDplg1C5KSKr6UPHCaC/nIX3ZNt9w==");
        assert_eq!(
            signature(vec!["kjr2TKI8umCBfVF3wAHk8JiPwma5VBme", "1583940690", "VHh7ymSeb0jc4lSb", &sealed]),
            "1ba3cb09c0d2c2b3ed6900d37f91a6efae6cb011"
        );
        let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
        assert_eq!(
            seal(key, *b"aaaabbbbccccdddd", "我是中文abcd123", "wxb11529c136998cb6").unwrap(),
            "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
        );
        let (message, receive_id) = open(key, &seal(key, [7; 16], "我是中文", "wx1").unwrap()).unwrap();
        assert_eq!((message.as_str(), receive_id.as_str()), ("我是中文", "wx1"));
        assert!(open(key, &sealed).is_err(), "another's key");
        for nonsense in ["", "!", "AAAA"] {
            assert!(open(key, nonsense).is_err());
        }
        assert!(seal("too short", *b"aaaabbbbccccdddd", "", "").is_err());
        assert_eq!(signature(vec!["345", "123"]), "9f537aeb751ec72605f57f94a2f6dc3e3958e1dd");
    }
}
