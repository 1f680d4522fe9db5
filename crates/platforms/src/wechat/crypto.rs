//! Cipher and signature of the WeChat family's callbacks.
//!
//! The plain text is 16 random bytes, the message's length (u32, big endian), the message, the `receiveid`, and padding to a
//! multiple of 32 (not of AES's 16), enciphered with AES-256-CBC, the IV being the key's first half.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{Engine, alphabet};
use sha1::{Digest, Sha1};

/// The `EncodingAESKey` of a console, decoded.
#[derive(Clone)]
pub struct Key {
    key: [u8; 32],
    iv: [u8; 16],
}

/// 43 characters hold two bits more than 32 bytes need, and most real keys have them set: strict decoders refuse those.
const KEYS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The padding is to a multiple of this.
const BLOCK: usize = 32;
/// The random bytes at the front.
const SALT: usize = 16;

impl Key {
    /// Reads the 43 letters and digits of a console; blanks that were copied with them do not count.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|char| !char.is_whitespace()).collect();
        if text.len() != 43 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let key: [u8; 32] = KEYS.decode(text).ok()?.try_into().ok()?;
        Some(Self { key, iv: *key.first_chunk()? })
    }

    /// Deciphers a message for one of `receive_ids`. Why it cannot be is not told: that would help a forger.
    pub fn open(&self, encrypted: &str, receive_ids: &[&str]) -> Option<String> {
        let mut bytes = STANDARD.decode(encrypted).ok()?;
        let cipher = cbc::Decryptor::<Aes256>::new((&self.key).into(), (&self.iv).into());
        let plain = cipher.decrypt_padded::<NoPadding>(&mut bytes).ok()?;
        let pad = *plain.last()?;
        let (content, padding) = plain.split_at_checked(plain.len().checked_sub(usize::from(pad))?)?;
        if !(1..=BLOCK).contains(&padding.len()) || padding.iter().any(|&byte| byte != pad) {
            return None;
        }
        let (_, content) = content.split_at_checked(SALT)?;
        let (length, content) = content.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (message, receive_id) = content.split_at_checked(length)?;
        let ours = receive_ids.iter().any(|ours| ours.as_bytes() == receive_id);
        if ours { String::from_utf8(message.to_vec()).ok() } else { None }
    }

    /// What the platform (or its simulator) would send, and what a passive reply holds. `random` must be fresh. None for a
    /// message beyond 4 GiB.
    pub fn seal(&self, random: [u8; SALT], message: &str, receive_id: &str) -> Option<String> {
        let length = u32::try_from(message.len()).ok()?;
        let mut plain = [&random, length.to_be_bytes().as_slice(), message.as_bytes(), receive_id.as_bytes()].concat();
        let pad = u8::try_from(BLOCK - plain.len() % BLOCK).ok()?;
        plain.resize(plain.len() + usize::from(pad), pad);
        let length = plain.len();
        let cipher = cbc::Encryptor::<Aes256>::new((&self.key).into(), (&self.iv).into());
        cipher.encrypt_padded::<NoPadding>(&mut plain, length).ok().map(|encrypted| STANDARD.encode(encrypted))
    }
}

/// Lower-case hex of SHA-1 over the parts, sorted by bytes and joined without a separator: token, timestamp, nonce and (for
/// `msg_signature`) the ciphertext.
pub fn signature(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    let digest = parts.into_iter().fold(Sha1::new(), |digest, part| digest.chain_update(part));
    hex::encode(digest.finalize())
}

#[cfg(test)]
pub(super) mod tests {
    use aes::Aes256;
    use aes::cipher::block_padding::NoPadding;
    use aes::cipher::{BlockModeEncrypt, KeyIvInit};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::Deserialize;

    use super::{Key, signature};

    /// A published example; protocols 1.7 says where from.
    #[derive(Clone, Debug, Deserialize)]
    pub struct Vector {
        pub name: String,
        pub token: String,
        pub aes_key: String,
        pub timestamp: String,
        pub nonce: String,
        pub encrypt: String,
        pub signature: String,
        pub random: String,
        pub pad: u8,
        pub message: String,
        pub receive_id: String,
    }

    pub fn vectors() -> Vec<Vector> {
        let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../tests/data/wechat.json")).unwrap();
        assert_eq!(vectors.len(), 11);
        vectors
    }

    #[test]
    fn every_vector_signs_opens_and_seals() {
        for vector in vectors() {
            if !vector.token.is_empty() {
                let parts = [&vector.encrypt, &vector.nonce, &vector.timestamp, &vector.token].map(String::as_str);
                assert_eq!(signature(&parts), vector.signature, "{}", vector.name);
            }
            let key = Key::parse(&vector.aes_key).unwrap();
            let opened = key.open(&vector.encrypt, &[&vector.receive_id]);
            assert_eq!(opened.as_ref(), Some(&vector.message), "{}", vector.name);
            let random: [u8; 16] = hex::decode(&vector.random).unwrap().try_into().unwrap();
            let sealed = key.seal(random, &vector.message, &vector.receive_id);
            assert_eq!(sealed.as_ref(), Some(&vector.encrypt), "{}", vector.name);
            let length = 20 + vector.message.len() + vector.receive_id.len() + usize::from(vector.pad);
            assert_eq!(length % 32, 0, "{}", vector.name);
        }
    }

    #[test]
    fn keys_with_trailing_bits_are_keys_and_others_are_not() {
        const STRICT: &str = "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws";
        let spaced = STRICT.replace("XGB", "X G\nB");
        for text in [STRICT, &spaced, "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"] {
            assert!(Key::parse(text).is_some(), "{text}");
        }
        let (short, long) = (&STRICT[..42], format!("{STRICT}a"));
        let (padded, odd) = (STRICT.replace("Iws", "Iw="), STRICT.replace("Iws", "Iw$"));
        for text in ["", short, &long, &padded, &odd] {
            assert!(Key::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn signatures_sort_by_bytes() {
        assert_eq!(signature(&["345", "123"]), "9f537aeb751ec72605f57f94a2f6dc3e3958e1dd");
        assert_eq!(signature(&["test", "1410685589", "test"]), "f21891de399b4e33a1a93c9a7b8a8fffb5a443ff");
    }

    /// Enciphers plain bytes as they are.
    fn raw(plain: &[u8]) -> String {
        let key = key();
        let mut bytes = plain.to_vec();
        let cipher = cbc::Encryptor::<Aes256>::new((&key.key).into(), (&key.iv).into());
        STANDARD.encode(cipher.encrypt_padded::<NoPadding>(&mut bytes, plain.len()).unwrap())
    }

    fn key() -> Key {
        Key::parse("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").unwrap()
    }

    #[test]
    fn padding_and_length_must_fit() {
        let plain = |length: u32, content: &[u8], pad: u8, times: usize| {
            let mut plain = vec![0; 16];
            plain.extend(length.to_be_bytes());
            plain.extend(content);
            plain.extend(vec![pad; times]);
            plain
        };
        let open = |plain: &[u8]| key().open(&raw(plain), &["id"]);
        // 20 + 3 + 2 + 7.
        assert_eq!(open(&plain(3, b"abcid", 7, 7)).as_deref(), Some("abc"));
        for (what, plain) in [
            ("pad 0", plain(3, b"abcid", 0, 7)),
            ("pad 33", plain(3, b"abcid", 33, 39)),
            ("pad beyond the text", plain(3, b"abcid", 64, 7)),
            ("uneven pad", [plain(3, b"abcid", 9, 6), vec![7]].concat()),
            ("length beyond the text", plain(6, b"abcid", 7, 7)),
            ("length beyond memory", plain(u32::MAX, b"abcid", 7, 7)),
            ("another receiver", plain(2, b"abcid", 7, 7)),
            ("no UTF-8", plain(3, b"\xff\xff\xffid", 7, 7)),
            ("nothing but pad", vec![32; 32]),
            ("too short", vec![1; 16]),
            ("empty", Vec::new()),
        ] {
            assert_eq!(open(&plain), None, "{what}");
        }
        for text in [
            "",
            "!",
            "AAAA",
            "====",
            "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvna",
        ] {
            assert_eq!(key().open(text, &["id"]), None, "{text}");
        }
    }

    #[test]
    fn padding_is_never_missing() {
        for (length, pad) in [(0, 10), (9, 1), (10, 32), (11, 31)] {
            let sealed = key().seal([0; 16], &"a".repeat(length), "id").unwrap();
            let bytes = STANDARD.decode(&sealed).unwrap().len();
            assert_eq!(bytes, 22 + length + pad);
            assert_eq!(key().open(&sealed, &["id"]), Some("a".repeat(length)));
        }
    }
}
