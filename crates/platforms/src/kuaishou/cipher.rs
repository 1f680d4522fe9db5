//! The envelope of a push: Base64 of AES-CBC with a vector of zeros and PKCS#7 padding. It hides, it does not authenticate.

use aes::{Aes128, Aes192, Aes256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};

/// What is in the envelope, if `key` (Base64 of 16, 24 or 32 bytes) opens it. Why it does not is nobody's business: an answer
/// that told would let a stranger decipher what it likes.
pub fn open(key: &str, envelope: &[u8]) -> Option<Vec<u8>> {
    let key = STANDARD.decode(key).ok()?;
    let bytes = STANDARD.decode(envelope.trim_ascii()).ok()?;
    match key.len() {
        16 => decrypt::<Decryptor<Aes128>>(&key, bytes),
        24 => decrypt::<Decryptor<Aes192>>(&key, bytes),
        32 => decrypt::<Decryptor<Aes256>>(&key, bytes),
        _ => None,
    }
}

fn decrypt<C: KeyIvInit + BlockModeDecrypt>(key: &[u8], mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let cipher = C::new_from_slices(key, &[0; 16]).ok()?;
    cipher.decrypt_padded::<Pkcs7>(&mut bytes).ok().map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::open;

    /// Made for these tests: the platform publishes none (protocols: Kuaishou push).
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";
    const ENVELOPE: &str = "jSjvamTcMhtEdOGU0qgszXnUO7uoLD6lAGwBANV2sFjCwTBxHFZ7RRBxGTpO8fp7rWWJwVa/GrymMKpooWgHg1I5XhbBSeVn5hfP/GejYAYOUuGMTBsjzadSdvEygao77t5g+JWTLoZyjpGJu2SolIa9d0ktSt2lGDDYHyuVfo3WPWQLkZdD9nA2c4Ij7LPGvA/29txmE/jv+Uid1h4iyWbpu4E4ZnyhOzxCHV2CqkcQkuPDwkNVpI66HPTmH+hI";
    const PLAIN: &str = r#"{"eventId":"243_4027_2375715766426","bizId":2607602240240301,"appKey":"ks123","event":"kwaishop_order_paySuccess","info":"{\"oid\":2607602240240301,\"status\":30}","test":false}"#;

    #[test]
    fn the_vector_opens_and_nothing_else_does() {
        assert_eq!(open(KEY, ENVELOPE.as_bytes()).as_deref(), Some(PLAIN.as_bytes()));
        assert_eq!(open(KEY, format!("{ENVELOPE}\r\n").as_bytes()).as_deref(), Some(PLAIN.as_bytes()));
        for envelope in ["", "=", "not base64", &ENVELOPE[4..], &ENVELOPE[..ENVELOPE.len() - 4]] {
            assert_eq!(open(KEY, envelope.as_bytes()), None, "{envelope}");
        }
        for key in ["", "AAECAwQFBgcICQoLDA0O", "AAECAwQFBgcICQoLDA0ODwA=", "?"] {
            assert_eq!(open(key, ENVELOPE.as_bytes()), None, "{key}");
        }
        let other = open("AAECAwQFBgcICQoLDA0OEA==", ENVELOPE.as_bytes());
        assert_ne!(other.as_deref(), Some(PLAIN.as_bytes()));
    }
}
