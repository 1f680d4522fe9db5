//! `spin:sqlite@3.1.0` over SQLite files.
//!
//! What a guest sees is Spin's behaviour, with the differences that docs/host.md lists; they all serve one end:
//! many requests share one instance and one thread, so nothing here may hang, and nothing may keep the thread for
//! long. [`database`] has the files and their write locks, [`connection`] decides where a statement runs and
//! what it has to hold, [`statement`] runs it, [`host`] is the guest's side.

mod connection;
mod database;
mod host;
mod statement;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker, ResourceTable};

pub use connection::Connection;
use database::{Database, Writers};
use statement::Budget;

use crate::bindings::spin::sqlite::sqlite;
use crate::runtime_config::{DEFAULT_LABEL, RuntimeConfig};

/// How much SQLite may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a writer waits for the database, in this process's queue and again for other processes' locks.
    pub busy_timeout: Duration,
    /// How long a statement may run on the thread that serves requests.
    pub inline_timeout: Duration,
    /// How long a statement may run elsewhere.
    pub statement_timeout: Duration,
    /// Bytes of rows that the host holds for one instance, read or waiting to be read.
    pub buffered_bytes: usize,
    /// Connections that one instance may have open.
    pub connections: usize,
}

impl From<&crate::limits::Limits> for Limits {
    /// A statement has as long as a guest that computes, or as a request; the rest is fixed: Spin's 5 s and 256
    /// connections, and 16 MiB of rows.
    fn from(limits: &crate::limits::Limits) -> Self {
        Self {
            busy_timeout: Duration::from_secs(5),
            inline_timeout: limits.busy_timeout,
            statement_timeout: limits.request_timeout,
            buffered_bytes: 16 << 20,
            connections: 256,
        }
    }
}

/// Why the databases cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum SqliteError {
    /// The folder of a database file cannot be made.
    #[error("cannot make the folder of the database {path}: {source}")]
    Folder {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No database has this label.
    #[error("there is no database {0:?}")]
    NoSuchDatabase(String),
    /// SQLite refused.
    #[error("database {label:?}: {source}")]
    Sqlite {
        /// The database's label.
        label: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// The application's databases, shared by all instances.
pub struct SqliteHost {
    databases: Arc<BTreeMap<String, Arc<Database>>>,
    limits: Limits,
}

impl SqliteHost {
    /// The configured databases. Makes their folders; a file is made when its first statement runs.
    ///
    /// # Errors
    /// [`SqliteError::Folder`].
    pub fn new(config: &RuntimeConfig, limits: Limits) -> Result<Self, SqliteError> {
        let mut databases: BTreeMap<String, Arc<Database>> = BTreeMap::new();
        for (label, database) in &config.databases {
            let opened = Database::new(database, &limits)
                .map_err(|source| SqliteError::Folder { path: database.path.clone(), source })?;
            // Two labels of one file share its queue of writers.
            let same_file = databases.values().find(|other| other.file() == opened.file());
            let opened = opened.sharing_queue_with(same_file.map(Arc::as_ref));
            databases.insert(label.clone(), Arc::new(opened));
        }
        Ok(Self { databases: Arc::new(databases), limits })
    }

    /// Runs all statements of `sql` on the database `label`, before the application starts (`--sqlite`).
    ///
    /// # Errors
    /// [`SqliteError`]: there is no such database, or SQLite refuses a statement.
    pub fn execute_batch(&self, label: &str, sql: &str) -> Result<(), SqliteError> {
        let database = self.databases.get(label).ok_or_else(|| SqliteError::NoSuchDatabase(label.to_owned()))?;
        let run = || database.open()?.execute_batch(sql);
        run().map_err(|source| SqliteError::Sqlite { label: label.to_owned(), source })
    }

    /// Runs one value of the flag `--sqlite`: statements for the default database, or `@FILE` with an optional
    /// `:LABEL` behind it.
    ///
    /// # Errors
    /// A sentence naming the flag's value, and what went wrong with it.
    pub fn execute_flag(&self, value: &str) -> Result<(), anyhow::Error> {
        let Some(file) = value.strip_prefix('@') else {
            return Ok(self.execute_batch(DEFAULT_LABEL, value)?);
        };
        let (file, label) = file.rsplit_once(':').unwrap_or((file, DEFAULT_LABEL));
        let sql = std::fs::read_to_string(file)
            .map_err(|error| anyhow::anyhow!("--sqlite {value}: cannot read {file}: {error}"))?;
        self.execute_batch(label, &sql).map_err(|error| anyhow::anyhow!("--sqlite {value}: {error}"))
    }

    /// What one instance of a component needs: access to the databases of the labels `allowed`.
    #[must_use]
    pub fn instance(&self, allowed: Arc<BTreeSet<String>>) -> SqliteState {
        let mut table = ResourceTable::new();
        table.set_max_capacity(self.limits.connections);
        SqliteState {
            databases: Arc::clone(&self.databases),
            allowed,
            table,
            writers: BTreeMap::new(),
            budget: Budget::new(self.limits.buffered_bytes),
        }
    }
}

/// One instance's connections. Dropping it rolls back what they have not committed.
pub struct SqliteState {
    databases: Arc<BTreeMap<String, Arc<Database>>>,
    allowed: Arc<BTreeSet<String>>,
    table: ResourceTable,
    /// By the database's file, which may have several labels.
    writers: BTreeMap<PathBuf, Writers>,
    budget: Budget,
}

/// Gives guests of `linker` the interface `spin:sqlite/sqlite@3.1.0`; `state` finds the instance's part in the store's data.
///
/// # Errors
/// The linker's, where it already has the interface.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    state: fn(&mut T) -> &mut SqliteState,
) -> wasmtime::Result<()> {
    sqlite::add_to_linker::<T, HasSelf<SqliteState>>(linker, state)
}
