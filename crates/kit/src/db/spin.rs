//! The backend inside a component: `spin:sqlite`.
//!
//! BEGIN and COMMIT are called asynchronously, since they wait (for the write lock, for the disk) and other requests
//! of the instance shall go on meanwhile. Statements between them are called synchronously: they take microseconds,
//! hand all their rows over at once (the asynchronous form's stream buffers four rows and hangs the connection when
//! the rest stays unread), and leave no point at which another task could slip into the transaction.

use super::{DbError, Row, migrations};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The interface as generated: spin-sdk wraps only its asynchronous half.
#[allow(unsafe_code, missing_docs, clippy::as_conversions, clippy::unwrap_used, clippy::panic)]
mod bindings {
    wit_bindgen::generate!({
        inline: "package siyu:kit; world sql { import spin:sqlite/sqlite@3.1.0; }",
        path: "../../wit/deps/spin-sqlite@3.1.0",
        generate_all,
        additional_derives: [PartialEq],
    });
}

use bindings::spin::sqlite::sqlite as spin;

/// The interface's own values: parameters and rows pass as they are.
pub use spin::Value;

/// Runs a future beside the requests of this instance, also after the response.
pub(super) fn spawn(task: impl Future<Output = ()> + 'static) {
    crate::host::spawn(task);
}

/// The database labelled `default`, with one connection for writing and one for reading.
pub(crate) struct Backend {
    writer: Mutex<Option<Arc<Connection>>>,
    reader: Mutex<Option<Arc<Connection>>>,
}

impl Backend {
    pub(crate) fn new() -> Self {
        Self { writer: Mutex::new(None), reader: Mutex::new(None) }
    }

    pub(super) async fn writer(&self) -> Result<Writer, DbError> {
        Ok(Writer(self.connection(&self.writer).await?))
    }

    pub(super) async fn reader(&self) -> Result<Arc<Connection>, DbError> {
        self.connection(&self.reader).await
    }

    async fn connection(&self, place: &Mutex<Option<Arc<Connection>>>) -> Result<Arc<Connection>, DbError> {
        let kept = place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(connection) = kept.filter(|connection| !connection.broken.load(Ordering::Relaxed)) {
            return Ok(connection);
        }
        let connection = Arc::new(Connection::open().await?);
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&connection));
        Ok(connection)
    }
}

/// A connection of the host's.
pub(super) struct Connection {
    handle: spin::Connection,
    /// Inside a transaction. Stays set when the leader was cut off in the middle.
    open: AtomicBool,
    broken: AtomicBool,
}

impl Connection {
    async fn open() -> Result<Self, DbError> {
        let handle = spin::Connection::open_async("default".to_owned()).await.map_err(error)?;
        let connection = Self { handle, open: AtomicBool::new(false), broken: AtomicBool::new(false) };
        for setting in migrations::SETTINGS {
            connection.query(setting, &[])?;
        }
        if migrations::pending(&connection)? {
            connection.begin().await?;
            migrations::apply(&connection)?;
            connection.call("commit").await?;
        }
        Ok(connection)
    }

    pub(super) fn run(&self, sql: &str) -> Result<(), DbError> {
        self.handle.execute(sql, &[]).map(drop).map_err(error)
    }

    pub(super) fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        let answer = self.handle.execute(sql, params).map_err(error)?;
        let columns: Arc<[String]> = answer.columns.into();
        let row = |row: spin::RowResult| Row { columns: Arc::clone(&columns), values: row.values };
        Ok(answer.rows.into_iter().map(row).collect())
    }

    pub(super) fn changes(&self) -> u64 {
        self.handle.changes()
    }

    /// Takes the write lock.
    async fn begin(&self) -> Result<(), DbError> {
        if self.open.swap(true, Ordering::Relaxed) {
            // Whoever led before was cut off. Its transaction must not become part of ours.
            drop(self.call("rollback").await);
        }
        self.call("begin immediate").await.inspect_err(|_| self.open.store(false, Ordering::Relaxed))
    }

    /// Calls a statement that may wait, and has no rows.
    async fn call(&self, sql: &str) -> Result<(), DbError> {
        let (_, rows, result) = self.handle.execute_async(sql.to_owned(), Vec::new()).await.map_err(error)?;
        drop(rows);
        result.await.map_err(error)
    }
}

/// The connection that writes, in the hands of the leader.
pub(super) struct Writer(Arc<Connection>);

impl std::ops::Deref for Writer {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl Writer {
    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        self.0.begin().await
    }

    pub(super) async fn commit(&mut self) -> Result<(), DbError> {
        self.0.call("commit").await?;
        self.0.open.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Rolls back; a connection that cannot is not used again (the host rolls back when it is dropped).
    pub(super) async fn abandon(&mut self) {
        match self.0.call("rollback").await {
            Ok(()) => self.0.open.store(false, Ordering::Relaxed),
            Err(_) => self.0.broken.store(true, Ordering::Relaxed),
        }
    }
}

fn error(error: spin::Error) -> DbError {
    match error {
        spin::Error::NoSuchDatabase => DbError::Unavailable("the host has no database labelled default".to_owned()),
        spin::Error::AccessDenied => {
            DbError::Unavailable("the manifest grants no sqlite_databases = [\"default\"]".to_owned())
        }
        spin::Error::InvalidConnection => DbError::Unavailable("the connection is gone".to_owned()),
        spin::Error::DatabaseFull => DbError::Unavailable("the database is full".to_owned()),
        spin::Error::Io(message) => DbError::from_message(message),
    }
}
