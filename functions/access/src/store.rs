//! The SQL of tokens and audit. Tokens are made by [`kit::auth::create`].

use domain::TokenId;
use kit::db::Row;
use kit::{DbError, Tx, params};

/// Tokens after this id, oldest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn tokens(tx: &Tx<'_>, after: Option<TokenId>, limit: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select id, name, scopes, store, staff, created_at, expires_at, revoked_at
           from api_token
          where ?1 is null or id > ?1
          order by id
          limit ?2",
        &params![after.map(|id| id.to_string()), limit],
    )
}

/// Revokes a token; a second time changes nothing. False when there is none.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn revoke(tx: &Tx<'_>, id: TokenId) -> Result<bool, DbError> {
    let found = tx.execute(
        "update api_token set revoked_at = coalesce(revoked_at, ?2) where id = ?1",
        &params![id.to_string(), tx.cx().now.millis()],
    )?;
    Ok(found > 0)
}

/// Audit entries before this place, newest first, by the index audit_by_time.
///
/// # Errors
/// [`DbError`] of the query.
pub fn audit(tx: &Tx<'_>, before: Option<(i64, String)>, limit: u32) -> Result<Vec<Row>, DbError> {
    let (time, id) = before.map_or((None, None), |(time, id)| (Some(time), Some(id)));
    tx.query(
        "select id, time, actor, action, target, outcome, reason, count
           from audit
          where ?1 is null or (time, id) < (?1, ?2)
          order by time desc, id desc
          limit ?3",
        &params![time, id, limit],
    )
}

/// The functions that consume, whose descriptions belong to the whole.
///
/// # Errors
/// [`DbError`] of the query.
pub fn functions(tx: &Tx<'_>) -> Result<Vec<String>, DbError> {
    tx.query("select name from consumer order by name", &[])?.iter().map(|row| row.get("name")).collect()
}
