//! A database file and the queue of those who want to write to it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Limits;
use crate::runtime_config::DatabaseConfig;

/// SQL texts that a connection keeps prepared. A function has some dozens.
const CACHED_STATEMENTS: usize = 256;

/// The right to write to a database file. First come, first served: SQLite's own waiting sleeps and retries, which
/// keeps a thread and lets the lucky overtake.
pub(super) struct WritePermit {
    _right: OwnedMutexGuard<()>,
    _presence: Presence,
}

/// How many of one instance's connections have the permit of one database, or wait for it.
#[derive(Clone, Default)]
pub(super) struct Writers(Arc<AtomicUsize>);

/// One of [`Writers`].
struct Presence(Writers);

impl Writers {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn enter(&self) -> Presence {
        self.0.fetch_add(1, Ordering::Relaxed);
        Presence(self.clone())
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One database file.
pub(super) struct Database {
    /// Absolute and without symbolic links, so that two labels of one file are seen to be that.
    path: PathBuf,
    allow_attach_file: bool,
    writers: Arc<Mutex<()>>,
    pub busy_timeout: Duration,
    pub inline_timeout: Duration,
    pub statement_timeout: Duration,
}

impl Database {
    /// The database of `config`; makes its folder.
    pub fn new(config: &DatabaseConfig, limits: &Limits) -> io::Result<Self> {
        let path = std::path::absolute(&config.path)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self {
            path: resolved(path)?,
            allow_attach_file: config.allow_attach_file,
            writers: Arc::default(),
            busy_timeout: limits.busy_timeout,
            inline_timeout: limits.inline_timeout,
            statement_timeout: limits.statement_timeout,
        })
    }

    /// The file, the same for all labels that lead to it.
    pub fn file(&self) -> &Path {
        &self.path
    }

    /// This database, its writers queueing with those of `other`.
    pub fn sharing_queue_with(self, other: Option<&Self>) -> Self {
        match other {
            Some(other) => Self { writers: Arc::clone(&other.writers), ..self },
            None => self,
        }
    }

    /// A new connection.
    pub fn open(&self) -> rusqlite::Result<rusqlite::Connection> {
        let mut connection = rusqlite::Connection::open(&self.path)?;
        connection.busy_timeout(self.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        // Else SQLite may look at what is bound, and prepare a cached statement anew whenever that changes.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        if !self.allow_attach_file {
            connection.authorizer(Some(only_temporary_files))?;
        }
        Ok(connection)
    }

    /// Waits for the right to write, as one of an instance's `writers`; `None` after the busy time-out.
    pub async fn write_permit(&self, writers: &Writers) -> Option<WritePermit> {
        let presence = writers.enter();
        let queue = Arc::clone(&self.writers);
        let right = match Arc::clone(&queue).try_lock_owned() {
            Ok(right) => right,
            Err(_) => tokio::time::timeout(self.busy_timeout, queue.lock_owned()).await.ok()?,
        };
        Some(WritePermit { _right: right, _presence: presence })
    }
}

/// `path`, whose folder is there, with its symbolic links followed. The file itself need not be there, except where a link leads
/// to it: then it is made.
fn resolved(path: PathBuf) -> io::Result<PathBuf> {
    if path.is_symlink() {
        File::options().create(true).append(true).open(&path)?;
    }
    if path.exists() {
        return path.canonicalize();
    }
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Ok(path),
    }
}

/// Lets a guest attach temporary and in-memory databases, but no files: those may be another component's.
fn only_temporary_files(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => Authorization::Deny,
        _ => Authorization::Allow,
    }
}
