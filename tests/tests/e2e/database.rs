//! A look into the application's database, for what no answer shows: that something left no trace, or is there once.

use rusqlite::{Connection, OpenFlags};
use siyu_tests::system::System;

/// The single integer that `sql` yields.
pub fn number(system: &System, sql: &str) -> i64 {
    let path = system.state().join("sqlite_db.db");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    database.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Rows of a table.
pub fn rows(system: &System, table: &str) -> i64 {
    number(system, &format!("select count(*) from \"{table}\""))
}

/// Whether every consumer has come to the end of the log and no call waits to be sent.
pub fn is_settled(system: &System) -> bool {
    let behind = "select count(*) from consumer where seq < (select coalesce(max(seq), 0) from event)";
    let waiting = "select count(*) from outbox where state in ('pending', 'sending')";
    number(system, behind) == 0 && number(system, waiting) == 0
}
