//! An open transaction, as the code in `store.rs` sees it.

use super::backend::Connection;
use super::{DbError, FromValue, Row, Value};
use crate::Cx;
use std::cell::Cell;

/// An open transaction. Statements are synchronous and cost microseconds; only the first statement of a text runs.
pub struct Tx<'a> {
    connection: &'a Connection,
    cx: &'a Cx,
    nudge: Cell<bool>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(connection: &'a Connection, cx: &'a Cx) -> Self {
        Self { connection, cx, nudge: Cell::new(false) }
    }

    /// The call that this transaction belongs to: its time and its trace.
    #[must_use]
    pub fn cx(&self) -> &Cx {
        self.cx
    }

    /// The rows of a query (or of a change with RETURNING).
    ///
    /// # Errors
    /// [`DbError`] as SQLite reports it.
    pub fn query(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.connection.query(sql, params)
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// [`DbError`] as SQLite reports it.
    pub fn query_one(&self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// The one value that a query gives, if it gives a row.
    ///
    /// # Errors
    /// [`DbError`] as SQLite reports it; [`DbError::Shape`] when the value is of another type.
    pub fn scalar<T: FromValue>(&self, sql: &str, params: &[Value]) -> Result<Option<T>, DbError> {
        self.query_one(sql, params)?
            .map(|row| {
                row.values
                    .first()
                    .and_then(T::from_value)
                    .ok_or_else(|| DbError::Shape("the first column holds another type".to_owned()))
            })
            .transpose()
    }

    /// Runs a statement whose count of rows nobody needs; asking for it is another call of the host.
    ///
    /// # Errors
    /// [`DbError`] as SQLite reports it.
    pub fn run(&self, sql: &str, params: &[Value]) -> Result<(), DbError> {
        self.connection.query(sql, params).map(drop)
    }

    /// Runs a statement and tells how many rows it changed.
    ///
    /// # Errors
    /// [`DbError`] as SQLite reports it.
    pub fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        self.connection.query(sql, params)?;
        Ok(self.connection.changes())
    }

    /// Runs `part` in a SAVEPOINT: all of it or, when it returns an error, nothing of it.
    ///
    /// # Errors
    /// What `part` returns; [`DbError::Unavailable`] when SQLite has given the whole transaction up.
    pub fn savepoint<T, E: From<DbError>>(&self, part: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        self.connection.run("savepoint part")?;
        let outcome = part(self);
        if outcome.is_err() {
            self.connection.run("rollback to part").map_err(given_up)?;
        }
        self.connection.run("release part").map_err(given_up)?;
        outcome
    }

    /// Runs `part` in this transaction on behalf of another call: what it appends carries that call's trace.
    pub(crate) fn on_behalf_of<R>(&self, cx: &Cx, part: impl FnOnce(&Tx<'_>) -> R) -> R {
        let inner = Tx::new(self.connection, cx);
        let outcome = part(&inner);
        if inner.wants_nudge() {
            self.nudge_after_commit();
        }
        outcome
    }

    /// Notes that the log or the outbox grew, so that the pump is nudged after COMMIT.
    pub(crate) fn nudge_after_commit(&self) {
        self.nudge.set(true);
    }

    pub(super) fn wants_nudge(&self) -> bool {
        self.nudge.get()
    }
}

/// Some errors (disk full, I/O) make SQLite roll the whole transaction back; its savepoints are gone then.
fn given_up(error: DbError) -> DbError {
    match error {
        DbError::Statement(message) => DbError::Unavailable(message),
        other => other,
    }
}
