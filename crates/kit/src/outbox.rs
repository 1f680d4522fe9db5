//! Calls to other systems: rows written in the transaction of their cause, sent by the courier afterwards.

use crate::db::{DbError, Tx};
use crate::{host, params};
use domain::OutboxId;
use serde_json::Value;

/// The purpose under which the courier seals answers ([`crate::Vault::seal`]).
pub const RESPONSE_PURPOSE: &str = "outbox.response";

/// A call to make.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The system to call, a name that the courier knows: `douyin`.
    pub destination: &'a str,
    /// What to ask of it: `order.orderDetail`.
    pub operation: &'a str,
    /// What it is about, an id of ours. While a call about the same waits, another adds nothing.
    pub subject: &'a str,
    /// The arguments, without personal data in clear.
    pub request: Value,
}

/// Queues a call. Tells its id, or the id of the equal call that waits already: that one will see the newest state.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn enqueue(tx: &Tx<'_>, call: &Call<'_>) -> Result<OutboxId, DbError> {
    let id = OutboxId::new(tx.cx().now, host::random());
    let now = tx.cx().now.millis();
    let added = tx.execute(
        "insert into outbox (id, destination, operation, subject, idempotency_key, request, due, created_at, trace)
         values (?1, ?2, ?3, ?4, ?1, ?5, ?6, ?6, ?7)
         on conflict (destination, operation, subject) where state = 'pending' do nothing",
        &params![
            id.to_string(),
            call.destination,
            call.operation,
            call.subject,
            call.request.to_string(),
            now,
            tx.cx().trace.as_ref().map(ToString::to_string),
        ],
    )?;
    if added > 0 {
        tx.nudge_after_commit();
        return Ok(id);
    }
    let waiting = tx.query_one(
        "select id from outbox
          where destination = ?1 and operation = ?2 and subject = ?3 and state = 'pending'",
        &params![call.destination, call.operation, call.subject],
    )?;
    waiting.map_or_else(|| Err(DbError::Shape("the waiting call is gone".to_owned())), |row| row.parse("id"))
}

/// What a finished call was answered with: bytes as the courier kept them (sealed with the data key).
///
/// # Errors
/// [`DbError`] of the query.
pub fn response(tx: &Tx<'_>, id: OutboxId) -> Result<Option<Vec<u8>>, DbError> {
    Ok(tx.scalar::<Option<Vec<u8>>>("select response from outbox where id = ?1", &params![id.to_string()])?.flatten())
}
