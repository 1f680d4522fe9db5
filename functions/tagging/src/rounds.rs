//! What is done in rounds of bounded size: customers whose day has come, and customers whom a new rule has not looked at.

use crate::engine::{Run, SOURCE, Touched, settle};
use crate::people;
use crate::rule::Kind;
use crate::store::{customer, engine, tag};
use domain::{BackfillDue, Event, TagId, UnixMs, Version};
use kit::{DbError, Tx, events};
use std::fmt::Display;
use std::str::FromStr;

/// How many customers one event looks at.
pub const MOST: u32 = 200;

/// Whether there may be more after a batch.
pub fn is_full(batch: &[String]) -> bool {
    u32::try_from(batch.len()).is_ok_and(|count| count >= MOST)
}

/// A day began: windows and lifetimes have moved on for those who were waiting for it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn day(tx: &Tx<'_>, run: &Run) -> Result<(), DbError> {
    let due = customer::due(tx, run.today, MOST)?;
    for id in &due {
        settle(tx, run, id, None, &Touched::All)?;
    }
    if is_full(&due) { run.schedule_more_of_today(tx) } else { run.schedule_tomorrow(tx) }
}

/// A rule or a segment is to be put to work, or out of it: what is wanted is at work from this place in the log on. Then all
/// customers are looked at, a batch an event; for one rule after the other, so that what customers do meanwhile waits for one batch only.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn backfill(tx: &Tx<'_>, run: Run, event: &BackfillDue) -> Result<(), DbError> {
    if let Some(tag) = event.tag_id {
        return clear(tx, &run, event, tag);
    }
    let (kind, id) = match (event.rule_id, event.segment_id) {
        (Some(rule), _) => (Kind::Rule, rule.to_string()),
        (None, Some(segment)) => (Kind::Segment, segment.to_string()),
        (None, None) => return Ok(()),
    };
    let wanted = engine::wanted(tx, kind, &id)?;
    let known = engine::at_work(tx, &id)?;
    let changes = match (&wanted, &known) {
        (Some((version, _)), Some(known)) => !known.defined || known.version != *version,
        (Some(_), None) => true,
        (None, Some(known)) => known.defined,
        (None, None) => return Ok(()),
    };
    let mut run = run.quietly();
    if changes {
        let version = wanted.as_ref().map(|(version, _)| *version).or(known.as_ref().map(|known| known.version));
        let definition = wanted.as_ref().map(|(_, definition)| definition.as_str());
        let version = version.unwrap_or(1);
        engine::put_to_work(tx, kind, &id, version, definition, customer::count(tx)?)?;
        run = run.with_new_rule(tx, &id, version, definition)?;
    }
    let Some(known) = engine::at_work(tx, &id)?.filter(|known| known.finished_at.is_none()) else { return Ok(()) };
    if engine::unfinished(tx)?.is_none_or(|(_, first)| first != id) {
        return Ok(());
    }
    let batch = customer::after(tx, &known.cursor, MOST)?;
    for customer in &batch {
        settle(tx, &run, customer, None, &Touched::Rule(&id))?;
    }
    let cursor = batch.last().unwrap_or(&known.cursor);
    let finished = (!is_full(&batch)).then_some(run.at.millis());
    engine::progress(tx, &id, cursor, batch.len(), finished)?;
    let Some((kind, next)) = engine::unfinished(tx)? else { return Ok(()) };
    let due = match kind {
        Kind::Rule => BackfillDue { v: Version, rule_id: Some(parsed(&next)?), segment_id: None, tag_id: None },
        Kind::Segment => BackfillDue { v: Version, rule_id: None, segment_id: Some(parsed(&next)?), tag_id: None },
    };
    schedule(tx, run.at, &next, due)
}

fn parsed<T: FromStr<Err: Display>>(id: &str) -> Result<T, DbError> {
    id.parse().map_err(|error: T::Err| DbError::Shape(error.to_string()))
}

/// A tag was retired: nobody gets it from this place in the log on, and who has it loses it, a batch an event.
fn clear(tx: &Tx<'_>, run: &Run, event: &BackfillDue, tag: TagId) -> Result<(), DbError> {
    tag::close(tx, tag)?;
    let batch = tag::carriers(tx, tag, MOST)?;
    for customer in &batch {
        people::lose(tx, run, customer, tag)?;
    }
    if is_full(&batch) { schedule(tx, run.at, &tag.to_string(), event.clone()) } else { Ok(()) }
}

/// Has the log tell, at `due`, that there is something to look at customers for: `id`'s rule, segment or retired tag.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn schedule(tx: &Tx<'_>, due: UnixMs, id: &str, event: BackfillDue) -> Result<(), DbError> {
    events::schedule(tx, due, &key(id), SOURCE, id, &Event::TaggingBackfill(event))
}

/// The key of the timer that looks at customers for a rule or a segment.
fn key(id: &str) -> String {
    format!("tagging.backfill.{id}")
}
