//! The envelope of Kuaishou's pushes, written from the protocol's description and not shared with the code under test.

use aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};

/// Base64 of AES-128-CBC with a vector of zeros over `plain`; nothing when `key` is not Base64 of 16 bytes.
pub fn seal(key: &str, plain: &str) -> Option<String> {
    let key = STANDARD.decode(key).ok()?;
    let cipher = Encryptor::<Aes128>::new_from_slices(&key, &[0; 16]).ok()?;
    let mut buffer = plain.as_bytes().to_vec();
    let length = buffer.len();
    buffer.resize(length + 16, 0);
    cipher.encrypt_padded::<Pkcs7>(&mut buffer, length).ok().map(|sealed| STANDARD.encode(sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Self-made: the platform publishes none.
    #[test]
    fn the_vector_is_sealed() {
        let plain = r#"{"eventId":"243_4027_2375715766426","bizId":2607602240240301,"appKey":"ks123","event":"kwaishop_order_paySuccess","info":"{\"oid\":2607602240240301,\"status\":30}","test":false}"#;
        let sealed = "jSjvamTcMhtEdOGU0qgszXnUO7uoLD6lAGwBANV2sFjCwTBxHFZ7RRBxGTpO8fp7rWWJwVa/GrymMKpooWgHg1I5XhbBSeVn5hfP/GejYAYOUuGMTBsjzadSdvEygao77t5g+JWTLoZyjpGJu2SolIa9d0ktSt2lGDDYHyuVfo3WPWQLkZdD9nA2c4Ij7LPGvA/29txmE/jv+Uid1h4iyWbpu4E4ZnyhOzxCHV2CqkcQkuPDwkNVpI66HPTmH+hI";
        assert_eq!(seal("AAECAwQFBgcICQoLDA0ODw==", plain).as_deref(), Some(sealed));
        assert_eq!(seal("AAECAwQFBgcICQoLDA0O", plain), None);
    }
}
