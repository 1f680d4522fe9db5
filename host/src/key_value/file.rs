//! A file of key-value stores.
//!
//! In WAL mode with `synchronous=NORMAL` a reader never waits for a writer and a write does not wait for the
//! disk: a power cut may take the last writes, a crash of the host does not. That is what these stores
//! promise: they hold what can be had again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension};

/// Bytes of keys that one listing may have.
const LISTING_LIMIT: usize = 16 << 20;

/// One SQLite file with any number of stores in it, opened when first used.
pub(super) struct StoreFile {
    path: PathBuf,
    /// For what is read on the threads that serve requests: never waits.
    reader: Mutex<Option<Connection>>,
    /// For what is written, on threads for blocking work: may wait for another process.
    writer: Mutex<Option<Connection>>,
}

impl StoreFile {
    /// The file at `path`, whose folder exists.
    pub fn new(path: PathBuf) -> Self {
        Self { path, reader: Mutex::default(), writer: Mutex::default() }
    }

    /// The value of `key`.
    pub fn get(&self, store: &str, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "select value from spin_key_value where store = ?1 and key = ?2";
        self.with(&self.reader, |connection| {
            connection.prepare_cached(sql)?.query_row([store, key], |row| row.get(0)).optional()
        })
    }

    /// Whether `key` has a value.
    pub fn exists(&self, store: &str, key: &str) -> rusqlite::Result<bool> {
        let sql = "select 1 from spin_key_value where store = ?1 and key = ?2";
        self.with(&self.reader, |connection| connection.prepare_cached(sql)?.exists([store, key]))
    }

    /// All keys of a store, or `None` where they are more than the host will hold.
    pub fn keys(&self, store: &str) -> rusqlite::Result<Option<Vec<String>>> {
        let sql = "select key from spin_key_value where store = ?1";
        self.with(&self.reader, |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let (mut keys, mut bytes) = (Vec::new(), 0);
            for key in statement.query_map([store], |row| row.get::<_, String>(0))? {
                let key = key?;
                bytes += size_of::<String>() + key.len();
                if bytes > LISTING_LIMIT {
                    return Ok(None);
                }
                keys.push(key);
            }
            Ok(Some(keys))
        })
    }

    /// Gives `key` the value, whatever it had.
    pub async fn set(self: Arc<Self>, store: Arc<str>, key: String, value: Vec<u8>) -> Result<(), String> {
        let sql = "insert into spin_key_value (store, key, value) values (?1, ?2, ?3) \
                   on conflict (store, key) do update set value = excluded.value";
        self.write(move |connection| connection.prepare_cached(sql)?.execute((&*store, key, value))).await
    }

    /// Takes `key` out, if it is there.
    pub async fn delete(self: Arc<Self>, store: Arc<str>, key: String) -> Result<(), String> {
        let sql = "delete from spin_key_value where store = ?1 and key = ?2";
        self.write(move |connection| connection.prepare_cached(sql)?.execute((&*store, key))).await
    }

    async fn write(
        self: Arc<Self>,
        run: impl FnOnce(&Connection) -> rusqlite::Result<usize> + Send + 'static,
    ) -> Result<(), String> {
        let written = tokio::task::spawn_blocking(move || self.with(&self.writer, run)).await;
        match written {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(gone) => Err(format!("the write was lost: {gone}")),
        }
    }

    /// Runs something on one of the connections, which is opened if need be.
    fn with<T>(
        &self,
        connection: &Mutex<Option<Connection>>,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        // A panic inside SQLite's calls leaves the connection usable: each call is one statement.
        let mut slot = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        run(slot.insert(connection))
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.path)?;
        connection.execute_batch(
            "pragma journal_mode = wal;
             pragma synchronous = normal;
             create table if not exists spin_key_value (
                 store text not null,
                 key   text not null,
                 value blob not null,
                 primary key (store, key)
             );",
        )?;
        Ok(connection)
    }
}

#[cfg(test)]
mod tests;
