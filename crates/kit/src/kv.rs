//! Key-value: what may be lost. Each value carries its own expiry, since the host's interface has none.

use crate::host;
use domain::UnixMs;

#[cfg(target_family = "wasm")]
use spin_sdk::key_value::Store;

/// The application's key-value store.
#[derive(Clone, Debug, Default)]
pub struct Kv {
    #[cfg(not(target_family = "wasm"))]
    map: std::sync::Arc<std::sync::Mutex<std::collections::HashMap<String, Vec<u8>>>>,
}

/// The key-value store cannot be reached.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the key-value store is unavailable: {0}")]
pub struct KvError(pub(crate) String);

/// Bytes in front of a value: when it expires, Unix milliseconds, big-endian.
const EXPIRY: usize = 8;

impl Kv {
    /// The value, unless there is none or it has expired at `now`.
    ///
    /// # Errors
    /// [`KvError`] when the store cannot be reached.
    pub async fn get(&self, key: &str, now: UnixMs) -> Result<Option<Vec<u8>>, KvError> {
        let Some(mut kept) = self.load(key).await? else { return Ok(None) };
        let Some(expiry) = kept.first_chunk::<EXPIRY>().map(|bytes| i64::from_be_bytes(*bytes)) else {
            return Ok(None);
        };
        Ok((now.millis() < expiry).then(|| kept.split_off(EXPIRY)))
    }

    /// Keeps a value until `expires`.
    ///
    /// # Errors
    /// [`KvError`] when the store cannot be reached.
    pub async fn set(&self, key: &str, value: &[u8], expires: UnixMs) -> Result<(), KvError> {
        let mut kept = expires.millis().to_be_bytes().to_vec();
        kept.extend_from_slice(value);
        self.store(key, kept).await
    }

    /// Forgets a value.
    ///
    /// # Errors
    /// [`KvError`] when the store cannot be reached.
    pub async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.remove(key).await
    }
}

#[cfg(target_family = "wasm")]
impl Kv {
    async fn load(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        open().await?.get(key).await.map_err(unavailable)
    }

    async fn store(&self, key: &str, value: Vec<u8>) -> Result<(), KvError> {
        open().await?.set(key, value).await.map_err(unavailable)
    }

    async fn remove(&self, key: &str) -> Result<(), KvError> {
        open().await?.delete(key).await.map_err(unavailable)
    }
}

#[cfg(target_family = "wasm")]
async fn open() -> Result<Store, KvError> {
    Store::open_default().await.map_err(unavailable)
}

#[cfg(target_family = "wasm")]
fn unavailable(error: spin_sdk::key_value::Error) -> KvError {
    KvError(error.to_string())
}

#[cfg(not(target_family = "wasm"))]
impl Kv {
    async fn load(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        Ok(self.lock().get(key).cloned())
    }

    async fn store(&self, key: &str, value: Vec<u8>) -> Result<(), KvError> {
        self.lock().insert(key.to_owned(), value);
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), KvError> {
        self.lock().remove(key);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<String, Vec<u8>>> {
        self.map.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// An expiry that never comes.
pub(crate) fn never() -> UnixMs {
    UnixMs::from_seconds(253_402_300_799).unwrap_or_else(|_| host::system_now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_value_lasts_until_its_expiry_and_no_longer() {
        let kv = Kv::default();
        let at = |millis| UnixMs::from_millis(millis).unwrap();
        kv.set("a", b"1", at(1000)).await.unwrap();
        assert_eq!(kv.get("a", at(999)).await.unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(kv.get("a", at(1000)).await.unwrap(), None);
        kv.delete("a").await.unwrap();
        assert_eq!(kv.get("a", at(0)).await.unwrap(), None);
    }
}
