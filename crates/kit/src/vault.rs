//! Personal data at rest: sealed with AES-256-GCM, looked up by keyed hash. Both keys come from the variable `data_key`.
//!
//! Where it lists several keys, the first seals and each opens what it has sealed once; hashes go on to be made with the last, the oldest,
//! for what is found by them was written with it.

use crate::{ConfigError, Variables, host};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use domain::Secret;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The variable that holds the key: 32 bytes in Base64, and after a blank each those that it has replaced.
pub const DATA_KEY: &str = "data_key";

const NONCE: usize = 12;

/// Seals and opens personal data.
#[derive(Clone)]
pub struct Vault {
    /// In use first.
    ciphers: Vec<Aes256Gcm>,
    lookup: Secret<[u8; 32]>,
}

/// What was sealed cannot be opened: another key, another purpose, or changed bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data cannot be opened: was the variable data_key changed?")]
pub struct VaultError;

impl Vault {
    /// The vault of this application.
    ///
    /// # Errors
    /// [`ConfigError`] when `data_key` is missing or not 32 bytes in Base64.
    pub fn new(variables: &Variables) -> Result<Self, ConfigError> {
        let keys = variables.keys(DATA_KEY)?;
        let wrong = || ConfigError::wrong(DATA_KEY, "32 bytes in Base64");
        let cipher = |key: &Secret<[u8; 32]>| {
            let derived = derive(key.expose(), b"siyu seal v1").ok()?;
            Aes256Gcm::new_from_slice(&derived).ok()
        };
        let oldest = keys.last().ok_or_else(wrong)?;
        Ok(Self {
            ciphers: keys.iter().map(cipher).collect::<Option<_>>().ok_or_else(wrong)?,
            lookup: Secret::new(derive(oldest.expose(), b"siyu lookup v1").map_err(|_| wrong())?),
        })
    }

    /// Seals `clear` for a purpose such as `order.phone`: it opens for the same purpose only.
    ///
    /// # Errors
    /// When `clear` is longer than AES-GCM takes (64 GiB).
    pub fn seal(&self, purpose: &str, clear: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = host::random::<NONCE>();
        let cipher = self.ciphers.first().ok_or(VaultError)?;
        let payload = Payload { msg: clear, aad: purpose.as_bytes() };
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| VaultError)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for this purpose.
    ///
    /// # Errors
    /// [`VaultError`] when it was not.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(VaultError)?;
        let nonce = Nonce::from(*nonce);
        let open = |cipher: &Aes256Gcm| cipher.decrypt(&nonce, Payload { msg: sealed, aad: purpose.as_bytes() }).ok();
        self.ciphers.iter().find_map(open).ok_or(VaultError)
    }

    /// The keyed hash by which a value is found again without being readable: HMAC-SHA-256, hex. Equal values of one
    /// kind (`phone`) have equal hashes; the caller normalises.
    ///
    /// # Errors
    /// None in practice: HMAC takes keys of any length.
    pub fn hash(&self, kind: &str, value: &str) -> Result<String, VaultError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.lookup.expose()).map_err(|_| VaultError)?;
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        Ok(hex::encode(mac.finalize().into_bytes()))
    }
}

/// One key per use, so that a hash tells nothing of the cipher.
fn derive(key: &[u8; 32], label: &[u8]) -> Result<[u8; 32], hmac::digest::InvalidLength> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(label);
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(key: &str) -> Vault {
        Vault::new(&Variables::from_pairs([(DATA_KEY, key)])).unwrap()
    }

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn what_is_sealed_opens_only_with_its_key_and_purpose() {
        let sealed = vault(KEY).seal("order.phone", b"13800000001").unwrap();
        assert_eq!(vault(KEY).open("order.phone", &sealed).unwrap(), b"13800000001");
        assert_eq!(vault(KEY).open("order.name", &sealed), Err(VaultError));
        assert_eq!(vault(OTHER).open("order.phone", &sealed), Err(VaultError));
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(vault(KEY).open("order.phone", &changed), Err(VaultError));
        assert_eq!(vault(KEY).open("order.phone", b"short"), Err(VaultError));
        assert_ne!(sealed, vault(KEY).seal("order.phone", b"13800000001").unwrap(), "nonces must not repeat");
    }

    #[test]
    fn hashes_are_stable_per_key_and_kind() {
        let hash = vault(KEY).hash("phone", "13800000001").unwrap();
        assert_eq!(hash, vault(KEY).hash("phone", "13800000001").unwrap());
        assert_ne!(hash, vault(KEY).hash("member", "13800000001").unwrap());
        assert_ne!(hash, vault(OTHER).hash("phone", "13800000001").unwrap());
    }

    #[test]
    fn a_key_that_was_replaced_opens_what_it_sealed_and_finds_what_it_hashed() {
        let both = vault(&format!("{OTHER} {KEY}"));
        let before = vault(KEY).seal("order.phone", b"13800000001").unwrap();
        assert_eq!(both.open("order.phone", &before).unwrap(), b"13800000001");
        assert_eq!(both.hash("phone", "13800000001"), vault(KEY).hash("phone", "13800000001"));
        let after = both.seal("order.phone", b"13800000002").unwrap();
        assert_eq!(both.open("order.phone", &after).unwrap(), b"13800000002");
        assert_eq!(vault(KEY).open("order.phone", &after), Err(VaultError), "the new key seals");
        assert_eq!(vault(OTHER).open("order.phone", &after).unwrap(), b"13800000002");
    }

    #[test]
    fn a_missing_or_short_key_names_the_variable() {
        let one_of_two = format!("{KEY} AAEC");
        for pairs in [vec![], vec![(DATA_KEY, "AAEC")], vec![(DATA_KEY, " ")], vec![(DATA_KEY, &one_of_two)]] {
            let error = Vault::new(&Variables::from_pairs(pairs)).err().unwrap();
            assert_eq!(error.variable, DATA_KEY);
        }
    }
}
