//! Calls of the outbox: claiming and finishing them.

use super::give_back_failed;
use crate::breaker;
use crate::budget::Bucket;
use crate::destination::Destination;
use domain::OutboxId;
use kit::{DbError, Trace, Tx, params};

/// A call that this courier has claimed.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its id.
    pub id: OutboxId,
    /// Where it goes.
    pub destination: Destination,
    /// What is asked.
    pub operation: String,
    /// What it is about.
    pub subject: String,
    /// The same on every try.
    pub idempotency_key: String,
    /// The arguments, JSON.
    pub request: String,
    /// The number of this try, from 1.
    pub attempt: i64,
    /// Whether the last try's courier went away in the middle of it.
    pub is_interrupted: bool,
    /// The trace of its cause.
    pub trace: Option<Trace>,
}

/// What stands at a call whose courier went away.
const INTERRUPTED: &str = "the courier went away in the middle of it";

/// Hands that only urgent calls are given.
const RESERVED: i64 = 16;

/// Claims calls that are due, within each destination's budget and breaker, at most `most`, and not those whose operation pauses. Claimed calls are ours until
/// `lease_until` (Unix milliseconds).
///
/// # Errors
/// [`DbError`] of the statements.
pub fn claim(tx: &Tx<'_>, most: i64, lease_until: i64) -> Result<Vec<Claimed>, DbError> {
    let now = tx.cx().now.millis();
    requeue_lapsed(tx)?;
    give_back_failed(tx)?;
    let mut claimed = Vec::new();
    for destination in Destination::all() {
        let kept = if destination.is_urgent() { 0 } else { RESERVED };
        let left = most.saturating_sub(kept).saturating_sub(i64::try_from(claimed.len()).unwrap_or(i64::MAX));
        let state = state(tx, destination)?;
        let calls = breaker::allowed(state.failures, state.open_until, now, state.bucket.calls().min(left));
        if calls <= 0 {
            continue;
        }
        let rows = tx.query(
            "update outbox
                set state = 'sending', attempts = attempts + 1, lease_until = ?4
              where id in (select id from outbox waiting
                            where state = 'pending' and due <= ?2 and destination = ?1
                              -- One call about a thing at a time: the older must not arrive after the newer.
                              and not exists (select 1 from outbox ahead
                                               where ahead.state = 'sending' and ahead.destination = ?1
                                                 and ahead.operation = waiting.operation
                                                 and ahead.subject = waiting.subject)
                              and not exists (select 1 from api_pause
                                               where api_pause.destination = ?1
                                                 and api_pause.operation = waiting.operation and until > ?2)
                            order by due, id
                            limit ?3)
             returning id, operation, subject, idempotency_key, request, attempts, error, trace",
            &params![destination.name(), now, calls, lease_until],
        )?;
        for row in &rows {
            claimed.push(Claimed {
                id: row.parse("id")?,
                destination,
                operation: row.get("operation")?,
                subject: row.get("subject")?,
                idempotency_key: row.get("idempotency_key")?,
                request: row.get("request")?,
                attempt: row.get("attempts")?,
                is_interrupted: row.get::<Option<String>>("error")?.as_deref() == Some(INTERRUPTED),
                trace: row.get::<Option<String>>("trace")?.as_deref().and_then(Trace::parse),
            });
        }
        spend(tx, destination, state.bucket.spent(i64::try_from(rows.len()).unwrap_or(i64::MAX)))?;
    }
    Ok(claimed)
}

/// Takes calls back whose courier has not come back. Where an equal call waits already, the lapsed one gives way to it.
fn requeue_lapsed(tx: &Tx<'_>) -> Result<(), DbError> {
    let now = tx.cx().now.millis();
    tx.execute(
        "update outbox
            set state = 'failed', lease_until = null, finished_at = ?1, error = 'replaced by an equal call'
          where state = 'sending' and lease_until <= ?1
            and exists (select 1 from outbox other
                         where other.state = 'pending' and other.destination = outbox.destination
                           and other.operation = outbox.operation and other.subject = outbox.subject)",
        &params![now],
    )?;
    tx.execute(
        "update or ignore outbox set state = 'pending', lease_until = null, due = ?1, error = ?2
          where state = 'sending' and lease_until <= ?1",
        &params![now, INTERRUPTED],
    )?;
    Ok(())
}

struct State {
    bucket: Bucket,
    failures: i64,
    open_until: i64,
}

fn state(tx: &Tx<'_>, destination: Destination) -> Result<State, DbError> {
    let now = tx.cx().now.millis();
    let row = tx.query_one(
        "select tokens, refilled_at, failures, open_until from destination where name = ?1",
        &params![destination.name()],
    )?;
    let limit = destination.limit();
    Ok(match row {
        None => State { bucket: Bucket::full(limit, now), failures: 0, open_until: 0 },
        Some(row) => State {
            bucket: Bucket { tokens: row.get("tokens")?, refilled_at: row.get("refilled_at")? }.refilled(limit, now),
            failures: row.get("failures")?,
            open_until: row.get("open_until")?,
        },
    })
}

fn spend(tx: &Tx<'_>, destination: Destination, bucket: Bucket) -> Result<(), DbError> {
    tx.execute(
        "insert into destination (name, tokens, refilled_at) values (?1, ?2, ?3)
         on conflict (name) do update set tokens = excluded.tokens, refilled_at = excluded.refilled_at",
        &params![destination.name(), bucket.tokens, bucket.refilled_at],
    )?;
    Ok(())
}

/// Finishes a call well. False when the lease was lost: another courier answers for it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn succeed(tx: &Tx<'_>, call: &Claimed, status: u16, sealed: Vec<u8>) -> Result<bool, DbError> {
    let ours = tx.execute(
        "update outbox
            set state = 'succeeded', lease_until = null, finished_at = ?3, status = ?4, response = ?5, error = null
          where id = ?1 and state = 'sending' and attempts = ?2",
        &params![call.id.to_string(), call.attempt, tx.cx().now.millis(), status, sealed],
    )?;
    tx.execute(
        "update destination set failures = 0, open_until = 0 where name = ?1 and failures > 0",
        &params![call.destination.name()],
    )?;
    Ok(ours > 0)
}

/// Finishes a call for good without success. False when the lease was lost.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn fail(tx: &Tx<'_>, call: &Claimed, status: Option<u16>, error: &str) -> Result<bool, DbError> {
    let ours = tx.execute(
        "update outbox
            set state = 'failed', lease_until = null, finished_at = ?3, status = ?4, error = ?5
          where id = ?1 and state = 'sending' and attempts = ?2",
        &params![call.id.to_string(), call.attempt, tx.cx().now.millis(), status, error],
    )?;
    Ok(ours > 0)
}

/// Puts a call back until `due`. A try that is not `counted` was none: the other side did not look at it. Where an equal call waits already, this one gives way to it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn put_back(
    tx: &Tx<'_>,
    call: &Claimed,
    due: i64,
    counted: bool,
    status: Option<u16>,
    error: &str,
) -> Result<(), DbError> {
    let waits = tx.query_one(
        "select 1 as found from outbox
          where state = 'pending' and destination = ?1 and operation = ?2 and subject = ?3",
        &params![call.destination.name(), call.operation.as_str(), call.subject.as_str()],
    )?;
    if waits.is_some() {
        fail(tx, call, status, "replaced by an equal call")?;
        return Ok(());
    }
    tx.execute(
        "update outbox
            set state = 'pending', lease_until = null, due = ?3, status = ?4, error = ?5, attempts = attempts - ?6
          where id = ?1 and state = 'sending' and attempts = ?2",
        &params![call.id.to_string(), call.attempt, due, status, error, i64::from(!counted)],
    )?;
    Ok(())
}

/// Counts a failure of the destination itself; enough of them in a row open its circuit.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn trip(tx: &Tx<'_>, destination: Destination) -> Result<(), DbError> {
    let open_ms = if destination.is_urgent() { breaker::SHORT_OPEN_MS } else { breaker::OPEN_MS };
    tx.execute(
        "update destination
            set failures = failures + 1,
                open_until = case when failures + 1 >= ?2 then ?3 else open_until end
          where name = ?1",
        &params![destination.name(), breaker::FAILURES, tx.cx().now.millis().saturating_add(open_ms)],
    )?;
    Ok(())
}
