//! SQL over the host's SQLite: [`Db::read`] and [`Db::write`].
//!
//! Writes that wait at the same time in one instance share a transaction and so one fsync (group commit). Each runs in a
//! SAVEPOINT of its own and fails alone. The leader of a batch takes the database's write lock first and the queue
//! then, so that what arrives while it waits joins in. Statements inside a transaction are synchronous: nothing can
//! come between two of them, and rows are always drained.

#[cfg_attr(target_family = "wasm", path = "spin.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "native.rs")]
mod backend;
mod error;
mod group;
pub mod migrations;
#[cfg(not(target_family = "wasm"))]
mod plan;
mod tx;
mod value;

#[cfg(test)]
mod tests;

pub use error::DbError;
pub use tx::Tx;
pub use value::{FromValue, Row};

pub(crate) use backend::Backend;
#[cfg(not(target_family = "wasm"))]
pub use backend::Location;
pub use backend::Value;

use crate::{Cx, host};
use futures_util::future::{Either, select};
use group::{Group, Write};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// The application's database. Cheap to clone; one per instance.
#[derive(Clone)]
pub struct Db {
    backend: Arc<Backend>,
    group: Arc<Group>,
}

impl Db {
    pub(crate) fn new(backend: Backend, most_per_commit: usize) -> Self {
        let backend = Arc::new(backend);
        Self { group: Arc::new(Group::new(Arc::clone(&backend), most_per_commit)), backend }
    }

    /// Reads. The statements of `reading` see one snapshot of the database.
    ///
    /// # Errors
    /// What `reading` returns; [`DbError`] when the database cannot be reached.
    pub async fn read<T, E>(&self, cx: &Cx, reading: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<DbError>,
    {
        let reader = self.backend.reader().await?;
        reader.run("begin")?;
        let outcome = reading(&Tx::new(&reader, cx));
        reader.run("rollback")?;
        outcome
    }

    /// Writes: all of `writing` or, when it returns an error, nothing. Returns after COMMIT.
    ///
    /// The caller may go away while it waits: the write is then done or not done, never half.
    ///
    /// # Errors
    /// What `writing` returns; [`DbError::Busy`] when another process keeps the write lock, [`DbError::Unavailable`]
    /// when the transaction could not be committed: nothing was written then, and the call may be repeated.
    pub async fn write<T, E>(
        &self,
        cx: &Cx,
        writing: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (write, answer) = Write::new(cx.clone(), writing);
        Arc::clone(&self.group).enqueue(Box::new(write));
        answer.await.unwrap_or_else(|_| Err(E::from(DbError::Unavailable("the write was given up".to_owned()))))
    }

    /// Writes as [`Db::write`] does, for a sender who waits no longer than `limit` and repeats: `writing` has to remember what it has taken, since a write that comes
    /// too late is done all the same.
    ///
    /// # Errors
    /// As for [`Db::write`]; [`DbError::Late`] when it is not done by then.
    pub async fn write_within<T, E>(
        &self,
        limit: Duration,
        cx: &Cx,
        writing: impl FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        match select(pin!(self.write(cx, writing)), pin!(host::sleep(limit))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Err(E::from(DbError::Late)),
        }
    }

    /// Calls `told` after each commit in which events were appended or calls queued.
    pub(crate) fn on_commit(&self, told: impl Fn() + Send + Sync + 'static) {
        self.group.on_commit(Box::new(told));
    }
}
