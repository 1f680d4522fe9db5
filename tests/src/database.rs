//! A look into the application's database, for what no answer shows: that something left no trace, or is there once.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

use crate::system::DATABASE;

/// The database in a state folder, to be read.
///
/// # Errors
/// When there is none.
pub fn open(state: &Path) -> Result<Connection> {
    let database = Connection::open_with_flags(state.join(DATABASE), OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("no database in {}", state.display()))?;
    database.busy_timeout(Duration::from_secs(5))?;
    Ok(database)
}

/// The single integer that `sql` yields in the database of a state folder.
///
/// # Errors
/// When it yields none.
pub fn number_in(state: &Path, sql: &str) -> Result<i64> {
    open(state)?.query_row(sql, [], |row| row.get(0)).with_context(|| sql.to_owned())
}

/// Whether every consumer has come to the end of the log and no call waits to be sent, in the database of a state folder.
///
/// # Errors
/// When it cannot be read.
pub fn is_settled_in(state: &Path) -> Result<bool> {
    let behind = "select count(*) from consumer where seq < (select coalesce(max(seq), 0) from event)";
    let waiting = "select count(*) from outbox where state in ('pending', 'sending')";
    Ok(number_in(state, behind)? == 0 && number_in(state, waiting)? == 0)
}
