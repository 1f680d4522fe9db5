//! The limits between RFM scores: what is wanted, what is in force, and the figures that they are worked out from.

use super::json;
use crate::feature::name::Window;
use crate::feature::rfm::{Figures, Limits, fifths};
use domain::UnixMs;
use domain::day::Day;
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// What the merchant wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// These limits.
    Thresholds(Limits),
    /// The limits between fifths of the merchant's own buyers, of what they did in this window.
    Quantiles(String),
}

/// Writes a version. Tells its number.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn write(tx: &Tx<'_>, document: &Document, by: &str) -> Result<i64, DbError> {
    tx.scalar(
        "insert into rfm_version (version, document, by, created_at)
         select 1 + coalesce(max(version), 0), ?1, ?2, ?3 from rfm_version
         returning version",
        &params![json(document)?, by, tx.cx().now.millis()],
    )?
    .ok_or_else(|| DbError::Shape("an insert returned no row".to_owned()))
}

/// What a version says.
///
/// # Errors
/// [`DbError`] of the query.
pub fn document(tx: &Tx<'_>, version: i64) -> Result<Option<Document>, DbError> {
    tx.query_one("select document from rfm_version where version = ?1", &params![version])?
        .map(|row| row.json("document"))
        .transpose()
}

/// The newest version: columns `version`, `document`, `by`, `created_at`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn newest(tx: &Tx<'_>) -> Result<Option<Row>, DbError> {
    tx.query_one("select version, document, by, created_at from rfm_version order by version desc limit 1", &[])
}

/// Limits from a place in the log on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The place in the log.
    pub seq: i64,
    /// The version that they are of.
    pub version: i64,
    /// The limits.
    pub limits: Limits,
    /// How many buyers they were worked out from; none where they were written down.
    pub buyers: Option<i64>,
    /// Since when.
    pub since: UnixMs,
}

impl InForce {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            seq: row.get("seq")?,
            version: row.get("version")?,
            limits: row.json("limits")?,
            buyers: row.get("buyers")?,
            since: row.instant("since")?,
        })
    }
}

const IN_FORCE: &str = "select seq, version, limits, buyers, since from rfm_limits order by seq desc";

/// The limits in force. None while the merchant has none of its own.
///
/// # Errors
/// [`DbError`] of the query.
pub fn in_force(tx: &Tx<'_>) -> Result<Option<InForce>, DbError> {
    tx.query_one(&format!("{IN_FORCE} limit 1"), &[])?.as_ref().map(InForce::read).transpose()
}

/// All limits that ever were in force, the newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn history(tx: &Tx<'_>) -> Result<Vec<InForce>, DbError> {
    tx.query(IN_FORCE, &[])?.iter().map(InForce::read).collect()
}

/// Puts limits in force.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn put_in_force(tx: &Tx<'_>, new: &InForce) -> Result<(), DbError> {
    tx.run(
        "insert into rfm_limits (seq, version, limits, buyers, since) values (?1, ?2, ?3, ?4, ?5)
         on conflict (seq) do update
             set version = excluded.version, limits = excluded.limits, buyers = excluded.buyers, since = excluded.since",
        &params![new.seq, new.version, json(&new.limits)?, new.buyers, new.since.millis()],
    )
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Figures are gathered as they stood at one place in the log.
    Gather,
    /// Customers are asked about again.
    Ask,
    /// Nothing.
    Done,
}

impl Phase {
    const ALL: [(&'static str, Self); 3] = [("gather", Self::Gather), ("ask", Self::Ask), ("done", Self::Done)];

    /// Its name in rows.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, phase)| *phase == self).map_or("", |(name, _)| name)
    }
}

/// How far the work on a version has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The version.
    pub version: i64,
    /// The round, which counts each time that figures are gathered.
    pub round: i64,
    /// What is being done.
    pub phase: Phase,
    /// The day on which the figures are.
    pub day: Day,
    /// The window in which they are, as its text.
    pub span: String,
    /// The last customer that was looked at.
    pub cursor: String,
    /// How many were.
    pub done: i64,
    /// How many there were when it began.
    pub total: i64,
    /// When all was done.
    pub finished_at: Option<UnixMs>,
}

/// How far the work has come. None before the first document.
///
/// # Errors
/// [`DbError`] of the query.
pub fn work(tx: &Tx<'_>) -> Result<Option<Work>, DbError> {
    let sql = "select version, round, phase, day, span, cursor, done, total, finished_at from tagging_rfm where id = 1";
    let read = |row: Row| {
        let phase: String = row.get("phase")?;
        let known = Phase::ALL.iter().find(|(name, _)| *name == phase);
        Ok(Work {
            version: row.get("version")?,
            round: row.get("round")?,
            phase: known.ok_or_else(|| DbError::Shape(format!("{phase:?} is no phase")))?.1,
            day: day(row.get("day")?)?,
            span: row.get("span")?,
            cursor: row.get("cursor")?,
            done: row.get("done")?,
            total: row.get("total")?,
            finished_at: row.optional_instant("finished_at")?,
        })
    };
    tx.query_one(sql, &[])?.map(read).transpose()
}

fn day(number: i64) -> Result<Day, DbError> {
    Day::try_from(number).map_err(|error| DbError::Shape(error.to_string()))
}

/// Notes how far the work has come.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save(tx: &Tx<'_>, work: &Work) -> Result<(), DbError> {
    tx.run(
        "insert into tagging_rfm (id, version, round, phase, day, span, cursor, done, total, finished_at)
         values (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (id) do update
             set version = excluded.version, round = excluded.round, phase = excluded.phase, day = excluded.day, span = excluded.span,
                 cursor = excluded.cursor, done = excluded.done, total = excluded.total, finished_at = excluded.finished_at",
        &params![
            work.version,
            work.round,
            work.phase.as_str(),
            work.day,
            work.span.as_str(),
            work.cursor.as_str(),
            work.done,
            work.total,
            work.finished_at.map(UnixMs::millis),
        ],
    )
}

/// Figures that are being gathered as they stood at one place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathering {
    /// The round.
    pub round: i64,
    /// The day on which the figures are.
    pub day: Day,
    /// The window in which they are.
    pub window: Window,
    /// The last customer whose figures are gathered. Those of customers after it are kept before they change.
    pub cursor: String,
}

impl Gathering {
    /// Of a row that has a column `gathering`.
    ///
    /// # Errors
    /// [`DbError`] when it is not as this code writes it.
    pub fn read(row: &Row) -> Result<Option<Self>, DbError> {
        if row.get::<Option<String>>("gathering")?.is_none() {
            return Ok(None);
        }
        let (round, day, span, cursor): (i64, Day, String, String) = row.json("gathering")?;
        Self::new(round, day, &span, cursor).map(Some)
    }

    /// Of a round's parts.
    ///
    /// # Errors
    /// [`DbError::Shape`] when the window is none.
    pub fn new(round: i64, day: Day, span: &str, cursor: String) -> Result<Self, DbError> {
        let window = Window::parse(span).ok_or_else(|| DbError::Shape(format!("{span:?} is no window")))?;
        Ok(Self { round, day, window, cursor })
    }
}

/// Keeps a customer's figures of a round, unless they are kept already.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn keep(tx: &Tx<'_>, round: i64, customer: &str, figures: Figures) -> Result<(), DbError> {
    tx.run(
        "insert into rfm_figure (customer, round, recency, frequency, monetary) values (?1, ?2, ?3, ?4, ?5)
         on conflict (customer, round) do nothing",
        &params![customer, round, figures.recency, figures.frequency, figures.monetary],
    )
}

/// Forgets the figures of the customers after one, up to another; up to the end without it.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget(tx: &Tx<'_>, after: &str, last: Option<&str>) -> Result<(), DbError> {
    tx.run("delete from rfm_figure where customer > ?1 and (?2 is null or customer <= ?2)", &params![after, last])
}

/// The limits between fifths of the figures that a round has gathered, and how many buyers there are. Where nobody has a figure, the limits stay
/// that are given.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn quantiles(tx: &Tx<'_>, round: i64, window: Window, else_: &Limits) -> Result<(Limits, i64), DbError> {
    let of = |column: &str, upper: bool, known: [i64; 4]| -> Result<([i64; 4], i64), DbError> {
        // Indexes rfm_figure_by_recency, …
        let sql = format!("select count(*) from rfm_figure where round = ?1 and {column} is not null");
        let count = tx.scalar(&sql, &params![round])?.unwrap_or(0);
        let Some(places) = fifths(count, upper) else { return Ok((known, count)) };
        let sql = format!(
            "select {column} from rfm_figure where round = ?1 and {column} is not null order by {column} limit 1 offset ?2"
        );
        let mut limits = known;
        for (limit, place) in limits.iter_mut().zip(places) {
            *limit = tx.scalar(&sql, &params![round, place])?.unwrap_or(*limit);
        }
        Ok((limits, count))
    };
    let (recency, buyers) = of("recency", false, else_.recency)?;
    let (frequency, _) = of("frequency", true, else_.frequency)?;
    let (monetary, _) = of("monetary", true, else_.monetary)?;
    Ok((Limits { window, recency, frequency, monetary }, buyers))
}
