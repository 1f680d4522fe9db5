//! The event log: the only way in which one capability tells another something.

use crate::db::{DbError, Row, Tx};
use crate::{host, params};
use domain::{Event, EventError, EventId, UnixMs};
use sha2::{Digest, Sha256};

/// An event as it stands in the log.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Its place in the log.
    pub seq: i64,
    /// Its id, unique for all time.
    pub id: EventId,
    /// Its type, such as `order.paid`.
    pub type_name: String,
    /// What it is about: an id of ours.
    pub subject: String,
    /// Who appended it: `/functions/<name>`.
    pub source: String,
    /// When it happened.
    pub time: UnixMs,
    /// Its data, JSON as stored.
    pub data: String,
    /// The `traceparent` of the call that it came from.
    pub trace: Option<String>,
}

impl Logged {
    /// Reads a row that has all columns of the table `event`.
    ///
    /// # Errors
    /// [`DbError::Shape`] when it has not.
    pub fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            seq: row.get("seq")?,
            id: row.parse("id")?,
            type_name: row.get("type")?,
            subject: row.get("subject")?,
            source: row.get("source")?,
            time: row.instant("time")?,
            data: row.get("data")?,
            trace: row.get("trace")?,
        })
    }

    /// The event in its type.
    ///
    /// # Errors
    /// When this release does not know the type or the version of its data.
    pub fn event(&self) -> Result<Event, EventError> {
        Event::parse(&self.type_name, &self.data)
    }

    /// Ten bytes for an id that is made while this event is applied: the same for the same event and purpose, so that what a
    /// consumer leaves behind depends on the log alone.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> [u8; 10] {
        let mut hasher = Sha256::new();
        hasher.update(self.id.uuid().as_bytes());
        hasher.update(purpose.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let mut bytes = [0; 10];
        bytes.copy_from_slice(digest.split_at(10).0);
        bytes
    }
}

/// Appends an event: it becomes visible with the COMMIT of `tx`, after which the pump is nudged.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn append(tx: &Tx<'_>, source: &str, subject: &str, event: &Event) -> Result<EventId, DbError> {
    let id = EventId::new(tx.cx().now, host::unique());
    tx.run(
        "insert into event (id, type, subject, source, time, data, trace)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &params![
            id.to_string(),
            event.type_name(),
            subject,
            source,
            tx.cx().now.millis(),
            data(event)?,
            tx.cx().trace.as_ref().map(ToString::to_string),
        ],
    )?;
    tx.nudge_after_commit();
    Ok(id)
}

/// Schedules an event: the tick moves it into the log when `due` has come. A key is due once: scheduling it again
/// replaces what was scheduled.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn schedule(
    tx: &Tx<'_>,
    due: UnixMs,
    key: &str,
    source: &str,
    subject: &str,
    event: &Event,
) -> Result<(), DbError> {
    write_timer(tx, due, key, source, subject, event, "")
}

/// Schedules an event for `due` at the latest: what is scheduled earlier under the same key stays.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn schedule_by(
    tx: &Tx<'_>,
    due: UnixMs,
    key: &str,
    source: &str,
    subject: &str,
    event: &Event,
) -> Result<(), DbError> {
    write_timer(tx, due, key, source, subject, event, "where excluded.due < timer.due")
}

fn write_timer(
    tx: &Tx<'_>,
    due: UnixMs,
    key: &str,
    source: &str,
    subject: &str,
    event: &Event,
    unless: &str,
) -> Result<(), DbError> {
    let sql = format!(
        "insert into timer (key, due, type, subject, source, data, trace)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict (key) do update
             set due = excluded.due, type = excluded.type, subject = excluded.subject,
                 source = excluded.source, data = excluded.data, trace = excluded.trace {unless}"
    );
    tx.run(
        &sql,
        &params![
            key,
            due.millis(),
            event.type_name(),
            subject,
            source,
            data(event)?,
            tx.cx().trace.as_ref().map(ToString::to_string),
        ],
    )
}

/// Takes a scheduled event back. Tells whether there was one; after it came due there is none.
///
/// # Errors
/// [`DbError`] of the delete.
pub fn cancel(tx: &Tx<'_>, key: &str) -> Result<bool, DbError> {
    Ok(tx.execute("delete from timer where key = ?1", &params![key])? > 0)
}

/// Moves at most `most` due timers into the log, in the order in which they were due. Each carries its due time, so
/// that a late tick changes nothing but latency. Tells how many it moved.
///
/// # Errors
/// [`DbError`] of its statements.
pub fn fire_due(tx: &Tx<'_>, most: u32) -> Result<usize, DbError> {
    let due = tx.query(
        "select key, due, type, subject, source, data, trace
           from timer
          where due <= ?1
          order by due, key
          limit ?2",
        &params![tx.cx().now.millis(), most],
    )?;
    for row in &due {
        tx.run(
            "insert into event (id, type, subject, source, time, data, trace)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &params![
                EventId::new(tx.cx().now, host::unique()).to_string(),
                row.get::<String>("type")?,
                row.get::<String>("subject")?,
                row.get::<String>("source")?,
                row.get::<i64>("due")?,
                row.get::<String>("data")?,
                row.get::<Option<String>>("trace")?,
            ],
        )?;
        cancel(tx, &row.get::<String>("key")?)?;
    }
    if !due.is_empty() {
        tx.nudge_after_commit();
    }
    Ok(due.len())
}

fn data(event: &Event) -> Result<String, DbError> {
    event.json().map_err(|error| DbError::Shape(error.to_string()))
}
