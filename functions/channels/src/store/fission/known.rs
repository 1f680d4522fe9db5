//! Since when somebody is known, and until when, as the log has told.

use crate::store::who;
use domain::{Identity, UnixMs};
use kit::{DbError, Tx, params};

/// Whether this is the first that is heard of somebody: nobody here was met at `at` or before.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_new(tx: &Tx<'_>, who: &Identity, at: UnixMs) -> Result<bool, DbError> {
    let [kind, scope, value] = who::columns(who);
    let sql = "select 1 as found from acquaintance
                where (kind, scope, value) = (?1, ?2, ?3) and first_at <= ?4 limit 1";
    Ok(tx.query_one(sql, &params![kind, scope, value, at.millis()])?.is_none())
}

/// Whether somebody began to follow an account at `at` for the first time: the callback that tells of the scan tells of that before.
///
/// # Errors
/// [`DbError`] of the query.
pub fn began(tx: &Tx<'_>, who: &Identity, at: UnixMs) -> Result<bool, DbError> {
    let [kind, scope, value] = who::columns(who);
    let sql = "select 1 as found from acquaintance
                where (kind, scope, value, staff) = (?1, ?2, ?3, '') and first_at = ?4";
    Ok(tx.query_one(sql, &params![kind, scope, value, at.millis()])?.is_some())
}

/// Somebody was met at `at`, in Unix milliseconds: a member of staff, or an account where `staff` is empty.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn met(tx: &Tx<'_>, who: &Identity, staff: &str, at: i64) -> Result<(), DbError> {
    let [kind, scope, value] = who::columns(who);
    tx.run(
        "insert into acquaintance (kind, scope, value, staff, first_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (kind, scope, value, staff) do update set first_at = min(first_at, excluded.first_at)",
        &params![kind, scope, value, staff, at],
    )
}

/// Somebody left at `at`.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn left(tx: &Tx<'_>, who: &Identity, staff: &str, at: UnixMs) -> Result<(), DbError> {
    let [kind, scope, value] = who::columns(who);
    tx.run(
        "insert into acquaintance (kind, scope, value, staff, first_at, left_at) values (?1, ?2, ?3, ?4, ?5, ?5)
         on conflict (kind, scope, value, staff) do update
             set left_at = max(coalesce(left_at, excluded.left_at), excluded.left_at)",
        &params![kind, scope, value, staff, at.millis()],
    )
}

/// Whether somebody has left since `at`, though the news of that came first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn has_left(tx: &Tx<'_>, who: &Identity, staff: &str, at: UnixMs) -> Result<bool, DbError> {
    let [kind, scope, value] = who::columns(who);
    let sql = "select 1 as found from acquaintance
                where (kind, scope, value, staff) = (?1, ?2, ?3, ?4) and left_at >= ?5";
    Ok(tx.query_one(sql, &params![kind, scope, value, staff, at.millis()])?.is_some())
}
