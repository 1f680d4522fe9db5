//! Calls to other systems: rows written in the transaction of their cause, sent by the courier afterwards.

use crate::db::{DbError, Row, Tx};
use crate::{host, params};
use domain::{OutboxId, UnixMs};
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

/// Queues a call. Where one about the same waits already, that one takes over the newer request. Tells the id of the one that
/// waits now.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn enqueue(tx: &Tx<'_>, call: &Call<'_>) -> Result<OutboxId, DbError> {
    enqueue_at(tx, call, tx.cx().now)
}

/// The same, not to be made before `due`. A call that waits already keeps its own time.
///
/// # Errors
/// As for [`enqueue`].
pub fn enqueue_at(tx: &Tx<'_>, call: &Call<'_>, due: UnixMs) -> Result<OutboxId, DbError> {
    let id = OutboxId::new(tx.cx().now, host::unique());
    let waiting = tx.query_one(
        "insert into outbox (id, destination, operation, subject, idempotency_key, request, due, created_at, trace)
         values (?1, ?2, ?3, ?4, ?1, ?5, ?6, ?7, ?8)
         on conflict (destination, operation, subject) where state = 'pending' do update set request = excluded.request
         returning id",
        &params![
            id.to_string(),
            call.destination,
            call.operation,
            call.subject,
            call.request.to_string(),
            due.millis(),
            tx.cx().now.millis(),
            tx.cx().trace.as_ref().map(ToString::to_string),
        ],
    )?;
    tx.nudge_after_commit();
    waiting.ok_or_else(|| DbError::Shape("an upsert returned no row".to_owned()))?.parse("id")
}

/// A finished call: what was asked, and what it was answered with.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The arguments, JSON.
    pub request: String,
    /// The answer as the courier kept it (sealed with the data key); none where the call failed or the answer was trimmed.
    pub response: Option<Vec<u8>>,
    /// When it was queued: it cannot have been answered by what was known before.
    pub queued_at: UnixMs,
}

/// A call by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn finished(tx: &Tx<'_>, id: OutboxId) -> Result<Option<Finished>, DbError> {
    let row =
        tx.query_one("select request, response, created_at from outbox where id = ?1", &params![id.to_string()])?;
    let read = |row: Row| {
        let queued_at = row.instant("created_at")?;
        Ok(Finished { request: row.get("request")?, response: row.get("response")?, queued_at })
    };
    row.map(read).transpose()
}
