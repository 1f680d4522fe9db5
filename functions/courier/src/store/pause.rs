//! Operations that the other side limits: left alone for a while, all others go on.

use super::Claimed;
use kit::{DbError, Tx, params};

/// The first pause, in milliseconds: as long as the shortest window of the platforms' limits.
const FIRST_MS: i64 = 60_000;
/// The longest.
const LONGEST_MS: i64 = 3_600_000;

/// Pauses the operation of a call. A pause that has helped nothing is followed by one twice as long, up to an hour. Tells when it ends,
/// Unix milliseconds.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn pause(tx: &Tx<'_>, call: &Claimed) -> Result<i64, DbError> {
    let row = tx.query_one(
        // Right-hand sides see the row as it was. One that runs already was begun by a call beside this one.
        "insert into api_pause (destination, operation, until, length) values (?1, ?2, ?3 + ?4, ?4)
         on conflict (destination, operation) do update
             set length = case when until > ?3 then length
                               when ?3 - until <= length then min(length * 2, ?5)
                               else ?4 end,
                 until = case when until > ?3 then until
                              when ?3 - until <= length then ?3 + min(length * 2, ?5)
                              else ?3 + ?4 end
         returning until",
        &params![call.destination.name(), call.operation.as_str(), tx.cx().now.millis(), FIRST_MS, LONGEST_MS],
    )?;
    row.ok_or_else(|| DbError::Shape("an upsert returned no row".to_owned()))?.get("until")
}
