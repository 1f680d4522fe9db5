//! RFM limits put in force at a place in the log, and worked out from the merchant's own buyers at the beginning of each month.
//!
//! Figures for quantiles are those of one place in the log, though they are gathered a batch an event: who changes before its batch has come is
//! kept as it was ([`keep`]).

use crate::engine::{Run, SOURCE, Touched, settle};
use crate::feature::State;
use crate::feature::rfm::{Figures, Limits, RFM};
use crate::rounds::{MOST, is_full};
use crate::store::rfm::{self, Document, InForce, Phase, Work};
use crate::store::{customer, json, subject};
use domain::day::{self, Day};
use domain::{Event, RfmDue, TimeError, UnixMs, Version};
use kit::{DbError, Tx, events};
use std::collections::BTreeSet;

/// Whether a customer's figures are still to be gathered.
pub fn is_awaited(run: &Run, customer: &str) -> bool {
    run.gathering.as_ref().is_some_and(|gathering| customer > gathering.cursor.as_str())
}

/// Keeps the figures of a customer who is about to change; none of one who is not a customer of its own.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn keep(tx: &Tx<'_>, run: &Run, customer: &str, state: Option<&State>) -> Result<(), DbError> {
    let Some(gathering) = &run.gathering else { return Ok(()) };
    let figures = state.map(|state| Figures::of(state, gathering.window, gathering.day)).unwrap_or_default();
    rfm::keep(tx, gathering.round, customer, figures)
}

/// A document is to be put in force, a month began, or there is more to do.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn due(tx: &Tx<'_>, run: Run, seq: i64, event: &RfmDue) -> Result<(), DbError> {
    let known = rfm::work(tx)?;
    let at_work = known.as_ref().map_or(0, |work| work.version);
    if event.version < at_work {
        return Ok(());
    }
    let Some(document) = rfm::document(tx, event.version)? else { return Ok(()) };
    let mut run = run.quietly();
    let new = event.version > at_work;
    let work = match (document, known) {
        (Document::Thresholds(limits), known) if new => {
            let work = begin(tx, &run, event.version, known.as_ref(), Phase::Ask, limits.window.to_string())?;
            run = put_in_force(tx, run, seq, event.version, limits, None)?;
            work
        }
        (Document::Quantiles(span), known) if new || event.month.is_some() => {
            schedule_month(tx, &run, event.version)?;
            begin(tx, &run, event.version, known.as_ref(), Phase::Gather, span)?
        }
        (_, Some(known)) => known,
        (_, None) => return Ok(()),
    };
    go_on(tx, run, seq, work)
}

fn begin(
    tx: &Tx<'_>,
    run: &Run,
    version: i64,
    known: Option<&Work>,
    phase: Phase,
    span: String,
) -> Result<Work, DbError> {
    let round = known.map_or(0, |work| work.round).saturating_add(1);
    let total = customer::count(tx)?;
    Ok(Work { version, round, phase, day: run.today, span, cursor: String::new(), done: 0, total, finished_at: None })
}

fn put_in_force(
    tx: &Tx<'_>,
    run: Run,
    seq: i64,
    version: i64,
    limits: Limits,
    buyers: Option<i64>,
) -> Result<Run, DbError> {
    let text = json(&limits)?;
    rfm::put_in_force(tx, &InForce { seq, version, limits, buyers, since: run.at })?;
    run.with_new_limits(tx, version, &text)
}

/// One batch; and when all figures are gathered, the first batch of what follows.
fn go_on(tx: &Tx<'_>, mut run: Run, seq: i64, mut work: Work) -> Result<(), DbError> {
    if work.phase == Phase::Gather && gather(tx, &mut work)? {
        let gathering = rfm::Gathering::new(work.round, work.day, &work.span, String::new())?;
        let (limits, buyers) = rfm::quantiles(tx, work.round, gathering.window, run.rules.limits())?;
        run = put_in_force(tx, run, seq, work.version, limits, Some(buyers))?;
        work = Work { phase: Phase::Ask, cursor: String::new(), done: 0, total: customer::count(tx)?, ..work };
    }
    if work.phase == Phase::Ask && ask(tx, &run, &mut work)? {
        work = Work { phase: Phase::Done, finished_at: Some(run.at), ..work };
    }
    rfm::save(tx, &work)?;
    if work.phase == Phase::Done { Ok(()) } else { schedule(tx, run.at, work.version) }
}

/// Gathers the figures of a batch. Tells whether all are gathered.
fn gather(tx: &Tx<'_>, work: &mut Work) -> Result<bool, DbError> {
    let gathering = rfm::Gathering::new(work.round, work.day, &work.span, String::new())?;
    let batch = customer::after(tx, &work.cursor, MOST)?;
    for id in &batch {
        let figures = Figures::of(&subject::of_customer(tx, id)?, gathering.window, gathering.day);
        if figures != Figures::default() {
            rfm::keep(tx, work.round, id, figures)?;
        }
    }
    step(work, &batch);
    Ok(!is_full(&batch))
}

/// Asks the rules that mention a score about a batch, and forgets what was gathered. Tells whether all were asked about.
fn ask(tx: &Tx<'_>, run: &Run, work: &mut Work) -> Result<bool, DbError> {
    let touched = Touched::Keys(BTreeSet::from([RFM.to_owned()]));
    let batch = customer::after(tx, &work.cursor, MOST)?;
    for id in &batch {
        settle(tx, run, id, None, &touched)?;
    }
    let finished = !is_full(&batch);
    rfm::forget(tx, &work.cursor, batch.last().filter(|_| !finished).map(String::as_str))?;
    step(work, &batch);
    Ok(finished)
}

fn step(work: &mut Work, batch: &[String]) {
    work.done = work.done.saturating_add(i64::try_from(batch.len()).unwrap_or(i64::MAX));
    if let Some(last) = batch.last() {
        work.cursor.clone_from(last);
    }
}

/// Has the log tell, at `at`, that a version is to be put in force or that there is more to do.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn schedule(tx: &Tx<'_>, at: UnixMs, version: i64) -> Result<(), DbError> {
    let due = Event::TaggingRfm(RfmDue { v: Version, version, month: None });
    events::schedule(tx, at, &format!("tagging.rfm.{version}"), SOURCE, "tagging", &due)
}

/// The first day of the month after that of `today`.
pub fn next_month(today: Day) -> Option<Day> {
    (1..=31).map(|days| today.saturating_add(days)).find(|day| day::date_of(*day).is_some_and(|date| date.day() == 1))
}

fn schedule_month(tx: &Tx<'_>, run: &Run, version: i64) -> Result<(), DbError> {
    let Some(first) = next_month(run.today) else { return Ok(()) };
    let at = day::start(first).map_err(|error: TimeError| DbError::Shape(error.to_string()))?;
    let month = day::date_of(first).map(|date| date.strftime("%Y-%m").to_string());
    let due = Event::TaggingRfm(RfmDue { v: Version, version, month });
    events::schedule(tx, at, "tagging.rfm.month", SOURCE, "tagging", &due)
}
