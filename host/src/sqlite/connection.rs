//! A guest's connection: what a statement has to hold before it runs, on which thread it runs, and what
//! happens to a transaction that nobody finishes.
//!
//! The rules:
//! - A connection is opened at its first statement, and runs one statement at a time.
//! - What writes holds the database's write permit: taken in the queue by the first statement that is not
//!   read-only (`BEGIN IMMEDIATE` is one), kept until SQLite is in autocommit mode again. So writers of this process never
//!   meet in SQLite's busy handler; it remains for other processes.
//! - `execute-async` leaves the thread for whatever may wait for the disk or take long: everything outside of a
//!   write transaction, and its end. Statements inside one take microseconds, less than the way to another thread.
//! - `execute` stays on the thread: the guest says that it is short. Nothing else in its instance goes on until it returns, so
//!   it does not wait for a permit that another connection of the instance has or waits for: that one would never give it back.
//! - A connection that goes away stops its statement, rolls back and gives the permit back.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::database::{Database, WritePermit, Writers};
use super::statement::{self, Budget, Rows, Watch};
use crate::bindings::spin::sqlite::sqlite::{Error, Value};

/// The guest's handle of a connection.
pub struct Connection(Arc<Link>);

/// What the handle and the statements that run share.
pub(super) struct Link {
    database: Arc<Database>,
    session: Arc<Mutex<Session>>,
    watch: Arc<Watch>,
    writers: Writers,
    budget: Budget,
}

/// The connection itself and, while it is writing, its permit.
#[derive(Default)]
struct Session {
    sqlite: Option<rusqlite::Connection>,
    permit: Option<WritePermit>,
}

/// Which thread may run a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The calling one, whatever it takes.
    Here,
    /// The calling one for what is known to be short, else one for blocking work.
    Anywhere,
}

impl Connection {
    /// A connection to `database`, opened when first used; it is one of the instance's `writers` when it writes, and its
    /// rows count against the instance's `budget`.
    pub(super) fn new(database: Arc<Database>, writers: Writers, budget: Budget) -> Self {
        Self(Arc::new(Link { database, session: Arc::default(), watch: Arc::default(), writers, budget }))
    }

    /// The part that a statement keeps while it runs.
    pub(super) fn link(&self) -> Arc<Link> {
        Arc::clone(&self.0)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.watch.abandon();
    }
}

impl Link {
    /// Runs the first statement of `sql`.
    pub async fn execute(&self, sql: String, parameters: Vec<Value>, place: Place) -> Result<Rows, Error> {
        let mut session = match place {
            Place::Anywhere => self.session().await?,
            // A statement of the same instance that the connection is waiting with may be unable to go on.
            Place::Here => tokio::time::timeout(self.database.busy_timeout, self.session())
                .await
                .unwrap_or_else(|_| Err(Error::Io("the connection is busy with another statement".to_owned())))?,
        };
        let in_write_transaction = session.permit.is_some();
        if !in_write_transaction && session.writes(&sql)? {
            let permit = match place {
                Place::Here if !self.writers.is_empty() => None,
                Place::Here | Place::Anywhere => self.database.write_permit(&self.writers).await,
            };
            session.permit = Some(permit.ok_or_else(|| Error::Io("database is locked".to_owned()))?);
        }
        if place == Place::Here || (in_write_transaction && !ends_transaction(&sql)) {
            self.watch.allow(self.database.inline_timeout);
            return session.run(&sql, &parameters, &self.budget);
        }
        self.watch.allow(self.database.statement_timeout);
        let budget = self.budget.clone();
        tokio::task::spawn_blocking(move || session.run(&sql, &parameters, &budget))
            .await
            .unwrap_or_else(|gone| Err(Error::Io(format!("the statement was lost: {gone}"))))
    }

    /// Rows changed by the last statement that changed any.
    pub async fn changes(&self) -> Result<u64, Error> {
        Ok(self.session().await?.sqlite()?.changes())
    }

    /// The rowid of the last row inserted, or 0.
    pub async fn last_insert_rowid(&self) -> Result<i64, Error> {
        Ok(self.session().await?.sqlite()?.last_insert_rowid())
    }

    /// The session, open, once the statement before has finished.
    async fn session(&self) -> Result<OwnedMutexGuard<Session>, Error> {
        let mut session = Arc::clone(&self.session).lock_owned().await;
        if session.sqlite.is_none() {
            let opened = self.database.open().and_then(|mut connection| {
                self.watch.over(&mut connection)?;
                Ok(connection)
            });
            session.sqlite = Some(opened.map_err(statement::error)?);
        }
        Ok(session)
    }
}

impl Session {
    fn sqlite(&self) -> Result<&rusqlite::Connection, Error> {
        self.sqlite.as_ref().ok_or(Error::InvalidConnection)
    }

    /// Whether `sql` is a statement that writes, or takes SQLite's write lock. Settings do not count: guests make them by
    /// `execute` on each new connection, also while another of their own holds the permit, and a wait for it there would keep
    /// that one from ever giving it back.
    fn writes(&self, sql: &str) -> Result<bool, Error> {
        if is_first_word(sql, &["pragma"]) {
            return Ok(false);
        }
        let statement = self.sqlite()?.prepare_cached(sql).map_err(statement::error)?;
        Ok(!statement.readonly())
    }

    fn run(&mut self, sql: &str, parameters: &[Value], budget: &Budget) -> Result<Rows, Error> {
        let result = statement::run(self.sqlite()?, sql, parameters, budget);
        if self.sqlite()?.is_autocommit() {
            self.permit = None;
        }
        result
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(sqlite) = self.sqlite.take() else { return };
        if !sqlite.is_autocommit() {
            // Should it fail, closing does the same.
            let _ = sqlite.execute_batch("ROLLBACK");
        }
        self.permit = None;
        // The last connection to close writes the WAL back, which is no work for a thread that serves requests.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop(sqlite));
        }
    }
}

/// Whether a statement may end a transaction, judged by its first word: it may then wait for the disk.
fn ends_transaction(sql: &str) -> bool {
    is_first_word(sql, &["commit", "end", "rollback", "release"])
}

/// Whether `sql` begins with one of `words`.
fn is_first_word(sql: &str, words: &[&str]) -> bool {
    let first = sql.trim_start().split(|char: char| !char.is_ascii_alphabetic()).next();
    first.is_some_and(|first| words.iter().any(|word| first.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests;
