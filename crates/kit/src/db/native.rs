//! The backend outside Wasm, for tests and comparisons: rusqlite, each batch led on a thread that may block.

use super::{DbError, Row, migrations, plan};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A value that SQLite stores.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A floating-point number. Siyu's own tables have none; `sum()` over foreign data may.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Where a native database lies.
#[derive(Clone, Debug)]
pub enum Location {
    /// In memory; gone with the last handle.
    Memory,
    /// In this file.
    File(PathBuf),
}

impl Location {
    fn uri(&self) -> String {
        match self {
            // SQLite's memdb VFS: one database for all connections of the process that name it.
            Self::Memory => format!("file:/{}?vfs=memdb", uuid::Uuid::now_v7()),
            Self::File(path) => format!("file:{}", path.display()),
        }
    }
}

/// Runs a leader on a thread that may block.
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::task::spawn_blocking(|| futures_executor::block_on(task));
}

/// One connection for writing, and as many for reading as read at once.
pub(crate) struct Backend {
    uri: String,
    writers: Pool,
    readers: Pool,
}

type Pool = Arc<Mutex<Vec<Connection>>>;

impl Backend {
    pub(crate) fn new(location: &Location) -> Result<Self, DbError> {
        let backend = Self { uri: location.uri(), writers: Pool::default(), readers: Pool::default() };
        // A database in memory lives as long as its connections: keep one of each from the beginning.
        drop(Held::take(&backend.writers, &backend.uri)?);
        drop(Held::take(&backend.readers, &backend.uri)?);
        Ok(backend)
    }

    pub(super) async fn writer(&self) -> Result<Writer, DbError> {
        Held::take(&self.writers, &self.uri)
    }

    pub(super) async fn reader(&self) -> Result<Held, DbError> {
        Held::take(&self.readers, &self.uri)
    }
}

/// A connection taken from its pool; goes back when dropped.
pub(super) struct Held {
    connection: Option<Connection>,
    pool: Pool,
}

/// The connection that writes, in the hands of the leader.
pub(super) type Writer = Held;

impl Held {
    fn take(pool: &Pool, uri: &str) -> Result<Self, DbError> {
        let kept = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => Connection::open(uri)?,
        };
        Ok(Self { connection: Some(connection), pool: Arc::clone(pool) })
    }

    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        self.run("begin immediate")
    }

    pub(super) async fn commit(&mut self) -> Result<(), DbError> {
        self.run("commit")
    }

    /// Rolls back by closing the connection.
    pub(super) async fn abandon(&mut self) {
        if self.run("rollback").is_err() {
            self.connection = None;
        }
    }
}

impl std::ops::Deref for Held {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        // Only `abandon` empties it, after which nobody asks.
        #[allow(clippy::expect_used)]
        self.connection.as_ref().expect("the connection was abandoned")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            if !connection.0.is_autocommit() {
                drop(connection.run("rollback"));
            }
            self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// A connection of rusqlite's, with statements cached.
pub(super) struct Connection(rusqlite::Connection);

impl Connection {
    fn open(uri: &str) -> Result<Self, DbError> {
        let connection = Self(rusqlite::Connection::open(uri).map_err(error)?);
        connection.0.busy_timeout(Duration::from_secs(5)).map_err(error)?;
        connection.0.set_prepared_statement_cache_capacity(256);
        // As in the host: cached statements stay prepared whatever is bound.
        connection.0.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(error)?;
        for setting in migrations::SETTINGS {
            connection.query(setting, &[])?;
        }
        if migrations::pending(&connection)? {
            connection.run("begin immediate")?;
            migrations::apply(&connection)?;
            connection.run("commit")?;
        }
        Ok(connection)
    }

    pub(super) fn run(&self, sql: &str) -> Result<(), DbError> {
        self.0.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop).map_err(error)
    }

    pub(super) fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        plan::check(&self.0, sql, params);
        let mut statement = self.0.prepare_cached(sql).map_err(error)?;
        let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query(rusqlite::params_from_iter(params)).map_err(error)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(error)? {
            let values = (0..columns.len())
                .map(|at| row.get_ref(at).map(from_sqlite))
                .collect::<Result<_, _>>()
                .map_err(error)?;
            rows.push(Row { columns: Arc::clone(&columns), values });
        }
        Ok(rows)
    }

    pub(super) fn changes(&self) -> u64 {
        self.0.changes()
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

fn error(error: rusqlite::Error) -> DbError {
    DbError::from_message(error.to_string())
}
