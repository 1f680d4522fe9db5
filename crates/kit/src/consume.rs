//! Consumers: each applies the log's events once, in order, in one transaction with its cursor's move.
//!
//! The pump calls `POST /consume`, which only functions of the application reach. An event that cannot be applied is
//! tried again on its own; the third failure puts it into `dead_letter` and the log moves on. Events that crash the
//! instance are caught by the careful mode, which counts the try before it begins.

use crate::db::{DbError, Tx};
use crate::events::Logged;
use crate::extract::Json;
use crate::{App, Cx, Problem, Trace, host, params};
use axum::extract::FromRef;
use axum::routing::{Router, post};
use domain::{DeadLetterId, EventError};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How many events one transaction applies at the most.
const BATCH: u32 = 200;
/// How many events one transaction passes by at the most, its own and others.
const REACH: i64 = 5_000;
/// How long one transaction applies events: others wait for the database meanwhile, and the host for an answer.
const SPAN: Duration = Duration::from_millis(50);
/// How many tries an event has before it is a dead letter.
pub const TRIES: i64 = 3;

/// What a function does with events.
#[derive(Clone, Copy)]
pub struct Consumer {
    /// Its row of the table `consumer`: the function's name.
    pub name: &'static str,
    /// The types that it takes; others pass by.
    pub types: &'static [&'static str],
    /// Applies one event. What it leaves behind depends on the log up to this event, and on nothing else.
    pub apply: fn(&App, &Tx<'_>, &Logged) -> Result<(), ConsumeError>,
}

/// Why an event was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The database failed; nothing is wrong with the event.
    #[error(transparent)]
    Db(#[from] DbError),
    /// This release cannot read the event.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The event cannot be applied.
    #[error("{0}")]
    Refused(String),
}

impl ConsumeError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Db(error) if error.is_transient())
    }
}

/// The body of `POST /consume`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// One event only, its try counted before it begins: for an event that has crashed the instance.
    #[serde(default)]
    pub careful: bool,
    /// Apply this dead letter again instead of moving on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<DeadLetterId>,
}

/// What a call of `/consume` did.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Consumed {
    /// Where the cursor stands now.
    pub seq: i64,
    /// How many events were applied.
    pub applied: u32,
    /// Whether there is more to do right away.
    pub more: bool,
}

/// The routes of a consumer.
pub fn routes<S>(consumer: Consumer) -> Router<S>
where
    App: FromRef<S>,
    S: Clone + Send + Sync + 'static,
{
    let handler = move |axum::extract::State(app): axum::extract::State<App>, cx: Cx, Json(request): Json<Request>| async move {
        consume(&app, &cx, consumer, request).await.map(axum::Json)
    };
    Router::new().route("/consume", post(handler))
}

/// Applies the next events.
///
/// # Errors
/// 503 when the database is busy; the events stay where they are.
pub async fn consume(app: &App, cx: &Cx, consumer: Consumer, request: Request) -> Result<Consumed, Problem> {
    if let Some(id) = request.replay {
        return replay(app, cx, consumer, id).await;
    }
    // Most calls find nothing to do: look before taking the write lock.
    let cursor = app.db().read(cx, |tx| Cursor::read(tx, consumer.name)).await?;
    if cursor.reach <= cursor.seq {
        return Ok(Consumed { seq: cursor.seq, applied: 0, more: false });
    }
    if request.careful {
        app.db().write(cx, move |tx| count_try(tx, consumer)).await?;
    }
    let app_inside = app.clone();
    Ok(app.db().write(cx, move |tx| batch(&app_inside, tx, consumer, request.careful)).await?)
}

/// Where a consumer stands.
struct Cursor {
    seq: i64,
    attempts: i64,
    error: Option<String>,
    /// How far it may go: the head, or the cursor of the one that it follows.
    reach: i64,
}

impl Cursor {
    fn read(tx: &Tx<'_>, name: &str) -> Result<Self, DbError> {
        let row = tx.query_one(
            "select own.seq, own.attempts, own.error,
                    coalesce(other.seq, (select max(seq) from event), 0) as reach
               from consumer own
               left join consumer other on other.name = own.follows
              where own.name = ?1",
            &params![name],
        )?;
        let row = row.ok_or_else(|| DbError::Shape(format!("no consumer {name}: a migration adds its row")))?;
        Ok(Self {
            seq: row.get("seq")?,
            attempts: row.get("attempts")?,
            error: row.get("error")?,
            reach: row.get("reach")?,
        })
    }
}

fn batch(app: &App, tx: &Tx<'_>, consumer: Consumer, careful: bool) -> Result<Consumed, DbError> {
    let cursor = Cursor::read(tx, consumer.name)?;
    // After a failure one at a time, so that a failing event is tried on its own.
    let most = if cursor.attempts > 0 || careful { 1 } else { BATCH };
    let began = Instant::now();
    let reach = cursor.reach.min(cursor.seq.saturating_add(REACH));
    let events = next(tx, consumer, cursor.seq, reach, most)?;
    let last = events.len() < usize::try_from(most).unwrap_or(usize::MAX);
    let mut seq = cursor.seq;
    let mut applied = 0;
    for event in &events {
        // Careful mode has counted this try already.
        let earlier = if applied > 0 {
            0
        } else if careful {
            cursor.attempts - 1
        } else {
            cursor.attempts
        };
        if earlier >= TRIES {
            bury(tx, consumer, event.seq, cursor.error.as_deref().unwrap_or("the instance crashed"), earlier)?;
            return moved(tx, consumer, event.seq, applied);
        }
        match tx.savepoint(|tx| apply(app, tx, consumer, event)) {
            Ok(()) => {
                seq = event.seq;
                applied += 1;
                if began.elapsed() > SPAN {
                    return moved(tx, consumer, seq, applied);
                }
            }
            Err(ConsumeError::Db(error)) if error.is_transient() => return Err(error),
            Err(error) if earlier + 1 >= TRIES => {
                bury(tx, consumer, event.seq, &error.to_string(), earlier + 1)?;
                return moved(tx, consumer, event.seq, applied);
            }
            Err(error) => {
                tx.execute(
                    "update consumer set seq = ?2, attempts = ?3, error = ?4 where name = ?1",
                    &params![consumer.name, seq, earlier + 1, error.to_string()],
                )?;
                return Ok(Consumed { seq, applied, more: true });
            }
        }
    }
    // Nothing of ours is left below `reach`: pass by the rest.
    let seq = if last { reach } else { seq };
    let mut consumed = moved(tx, consumer, seq, applied)?;
    consumed.more = seq < cursor.reach;
    Ok(consumed)
}

/// Applies an event on behalf of the call that it came from, so that what follows carries the same trace.
fn apply(app: &App, tx: &Tx<'_>, consumer: Consumer, event: &Logged) -> Result<(), ConsumeError> {
    let cx = Cx { now: tx.cx().now, trace: event.trace.as_deref().and_then(Trace::parse) };
    tx.on_behalf_of(&cx, |tx| (consumer.apply)(app, tx, event))
}

/// The next events of a stretch of the log. The `+` keeps SQLite from the index on types: it would gather and sort all that lie ahead to
/// find the first ones, so that who is far behind would fall back further.
fn next(tx: &Tx<'_>, consumer: Consumer, seq: i64, reach: i64, most: u32) -> Result<Vec<Logged>, DbError> {
    tx.query(
        "select seq, id, type, subject, source, time, data, trace
           from event
          where seq > ?1 and seq <= ?2 and +type in (select value from json_each(?3))
          order by seq
          limit ?4",
        &params![seq, reach, serde_json::json!(consumer.types).to_string(), most],
    )?
    .iter()
    .map(Logged::from_row)
    .collect()
}

fn moved(tx: &Tx<'_>, consumer: Consumer, seq: i64, applied: u32) -> Result<Consumed, DbError> {
    tx.execute(
        "update consumer set seq = ?2, attempts = 0, error = null where name = ?1",
        &params![consumer.name, seq],
    )?;
    Ok(Consumed { seq, applied, more: true })
}

fn count_try(tx: &Tx<'_>, consumer: Consumer) -> Result<(), DbError> {
    tx.execute("update consumer set attempts = attempts + 1 where name = ?1", &params![consumer.name])?;
    Ok(())
}

fn bury(tx: &Tx<'_>, consumer: Consumer, seq: i64, error: &str, attempts: i64) -> Result<(), DbError> {
    tracing::error!(consumer = consumer.name, seq, error, "dead letter");
    tx.execute(
        "insert into dead_letter (id, consumer, seq, error, attempts, failed_at)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (consumer, seq) do update
             set error = excluded.error, attempts = excluded.attempts,
                 failed_at = excluded.failed_at, replayed_at = null",
        &params![
            DeadLetterId::new(tx.cx().now, host::unique()).to_string(),
            consumer.name,
            seq,
            error,
            attempts,
            tx.cx().now.millis(),
        ],
    )?;
    Ok(())
}

/// Applies a dead letter again, in one transaction with its mark. A failure leaves it as it was.
async fn replay(app: &App, cx: &Cx, consumer: Consumer, id: DeadLetterId) -> Result<Consumed, Problem> {
    let app_inside = app.clone();
    app.db()
        .write(cx, move |tx| {
            let row = tx.query_one(
                "select event.seq, event.id, event.type, event.subject, event.source, event.time, event.data, event.trace
                   from dead_letter
                   join event on event.seq = dead_letter.seq
                  where dead_letter.id = ?1 and dead_letter.consumer = ?2 and dead_letter.replayed_at is null",
                &params![id.to_string(), consumer.name],
            )?;
            let Some(row) = row else {
                return Err(Problem::not_found("there is no such dead letter, or it has been replayed"));
            };
            let event = Logged::from_row(&row)?;
            apply(&app_inside, tx, consumer, &event).map_err(|error| {
                if error.is_transient() {
                    Problem::unavailable("the database is busy: repeat the call")
                } else {
                    Problem::unprocessable("replay-failed", format!("it fails still: {error}"))
                }
            })?;
            tx.execute(
                "update dead_letter set replayed_at = ?2 where id = ?1",
                &params![id.to_string(), tx.cx().now.millis()],
            )?;
            let seq = Cursor::read(tx, consumer.name)?.seq;
            Ok(Consumed { seq, applied: 1, more: false })
        })
        .await
}
