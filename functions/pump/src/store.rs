//! The SQL of the pump: who lags, what is due, what the log holds, what is old enough to be forgotten.

use domain::DeadLetterId;
use kit::db::Row;
use kit::events::Logged;
use kit::idempotency::{self, KEPT_MS};
use kit::{DbError, Tx, params};

use crate::retention::BATCH;

/// What there is to do.
pub struct Work {
    /// Consumers that may go on: behind the head, and behind the one that they follow.
    pub lagging: Vec<String>,
    /// Whether a timer is due.
    pub timers_due: bool,
}

/// Looks for work.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn work(tx: &Tx<'_>) -> Result<Work, DbError> {
    let lagging = tx
        .query(
            "select own.name
               from consumer own
               left join consumer other on other.name = own.follows
              where own.seq < coalesce(other.seq, (select max(seq) from event), 0)
              order by own.name",
            &[],
        )?
        .iter()
        .map(|row| row.get("name"))
        .collect::<Result<_, _>>()?;
    let timers_due = exists(tx, "select exists (select 1 from timer where due <= ?1)")?;
    Ok(Work { lagging, timers_due })
}

/// Whether the courier has something to do: calls that are due, or whose sender has not come back.
///
/// # Errors
/// [`DbError`] of the query.
pub fn calls_due(tx: &Tx<'_>) -> Result<bool, DbError> {
    exists(
        tx,
        "select exists (select 1 from outbox where state = 'pending' and due <= ?1)
             or exists (select 1 from outbox where state = 'sending' and lease_until <= ?1)",
    )
}

/// Answers to our calls that nobody is going to read again: finished by ?1, no consumer has an event from then or before still to
/// apply, and no dead letter waits to be replayed with it.
macro_rules! read_answers {
    () => {
        "select id
           from outbox
          where response is not null and finished_at <= ?1
            and not exists (select 1 from event
                             where seq > (select min(seq) from consumer) and time <= ?1)
            and id not in (select json_extract(event.data, '$.outbox_id')
                             from dead_letter
                            cross join event on event.seq = dead_letter.seq
                            where dead_letter.replayed_at is null and event.type = 'outbox.succeeded')"
    };
}

/// Whether there is anything to forget; `until` as for [`forget`].
///
/// # Errors
/// [`DbError`] of the query.
pub fn housekeeping_due(tx: &Tx<'_>, until: i64) -> Result<bool, DbError> {
    let found: Option<bool> = tx.scalar(
        concat!(
            "select exists (select 1 from idempotency where created_at <= ?2)
                 or exists (select 1 from inbox where received_at <= ?1)
                 or exists (",
            read_answers!(),
            ")"
        ),
        &params![until, tx.cx().now.millis().saturating_sub(KEPT_MS)],
    )?;
    Ok(found.unwrap_or(false))
}

/// Forgets at most [`BATCH`] digests of messages and as many answers to our calls, from `until` (Unix milliseconds) or before, and
/// answers kept for repeated requests.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forget(tx: &Tx<'_>, until: i64) -> Result<(), DbError> {
    idempotency::forget_old(tx)?;
    tx.execute(
        "delete from inbox
          where (source, digest) in (select source, digest from inbox
                                      where received_at <= ?1
                                      order by received_at
                                      limit ?2)",
        &params![until, BATCH],
    )?;
    tx.execute(
        concat!("update outbox set response = null where id in (", read_answers!(), " order by finished_at limit ?2)"),
        &params![until, BATCH],
    )?;
    Ok(())
}

fn exists(tx: &Tx<'_>, sql: &str) -> Result<bool, DbError> {
    Ok(tx.scalar(sql, &params![tx.cx().now.millis()])?.unwrap_or(false))
}

/// Events after a place in the log, oldest first; of one type, when asked.
///
/// # Errors
/// [`DbError`] of the query.
pub fn events(tx: &Tx<'_>, after: i64, kind: Option<&str>, limit: u32) -> Result<Vec<Logged>, DbError> {
    let rows = match kind {
        // By the index event_by_type.
        Some(kind) => tx.query(
            "select seq, id, type, subject, source, time, data, trace
               from event
              where type = ?2 and seq > ?1
              order by seq
              limit ?3",
            &params![after, kind, limit],
        )?,
        None => tx.query(
            "select seq, id, type, subject, source, time, data, trace
               from event
              where seq > ?1
              order by seq
              limit ?2",
            &params![after, limit],
        )?,
    };
    rows.iter().map(Logged::from_row).collect()
}

/// Dead letters not replayed yet, after this id, oldest first, with the type of their event.
///
/// # Errors
/// [`DbError`] of the query.
pub fn dead_letters(tx: &Tx<'_>, after: Option<DeadLetterId>, limit: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select dead_letter.id, dead_letter.consumer, dead_letter.seq, event.type, event.subject, dead_letter.error,
                dead_letter.attempts, dead_letter.failed_at
           from dead_letter
           join event on event.seq = dead_letter.seq
          where dead_letter.replayed_at is null and (?1 is null or dead_letter.id > ?1)
          order by dead_letter.id
          limit ?2",
        &params![after.map(|id| id.to_string()), limit],
    )
}

/// The consumer of a dead letter that has not been replayed yet.
///
/// # Errors
/// [`DbError`] of the query.
pub fn dead_letter_consumer(tx: &Tx<'_>, id: DeadLetterId) -> Result<Option<String>, DbError> {
    tx.scalar("select consumer from dead_letter where id = ?1 and replayed_at is null", &params![id.to_string()])
}
