//! Channels, as the merchant names them.

use kit::db::Row;
use kit::{DbError, Tx, params};

/// Makes a channel, or gives it another label.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn set(tx: &Tx<'_>, name: &str, label: &str) -> Result<(), DbError> {
    tx.run(
        "insert into channel (name, label, created_at) values (?1, ?2, ?3)
         on conflict (name) do update set label = excluded.label",
        &params![name, label, tx.cx().now.millis()],
    )
}

/// Whether there is such a channel.
///
/// # Errors
/// [`DbError`] of the query.
pub fn exists(tx: &Tx<'_>, name: &str) -> Result<bool, DbError> {
    Ok(tx.query_one("select 1 as found from channel where name = ?1", &params![name])?.is_some())
}

/// A channel by its name.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_name(tx: &Tx<'_>, name: &str) -> Result<Option<Row>, DbError> {
    tx.query_one("select name, label, created_at from channel where name = ?1", &params![name])
}

/// Channels after a name, by name.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, after: Option<&str>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select name, label, created_at from channel where name > ?1 order by name limit ?2",
        &params![after.unwrap_or_default(), most],
    )
}
