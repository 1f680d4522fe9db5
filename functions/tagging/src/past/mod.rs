//! A rule tried on what has happened: the log's events are lived through again in memory, with the code that books them and the code that asks rules,
//! and nothing is written.
//!
//! Figures as of an event are exact as long as the log goes back to its beginning. Two things are as they are now: what the catalogue says of a SKU, and
//! nothing that the rule itself would have set in motion is told to other rules.

mod asking;
mod circle;
mod people;
mod world;

pub use asking::{How, Match};
pub use circle::Circle;
pub use world::World;

use crate::consume::CONSUMER;
use crate::rule::Condition;
use crate::store::{log, rfm};
use domain::{Event, UnixMs};
use kit::{DbError, Tx};

/// How many events are read at once.
const PAGE: u32 = 2000;

/// What became of a rule in a span of time.
#[derive(Debug)]
pub struct Lived {
    /// When it came to hold, for whom, in the order of the log.
    pub matches: Vec<Match>,
    /// How many events were read.
    pub read: usize,
}

/// Lives through the log up to `until`, and asks a condition from `from` on. Of customers, those of the circle; of matches, those of customers who are
/// looked at.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn live(
    tx: &Tx<'_>,
    condition: &Condition,
    circle: &Circle,
    (from, until): (UnixMs, UnixMs),
) -> Result<Lived, DbError> {
    let types = serde_json::json!(CONSUMER.types).to_string();
    let identities = circle.identities_json();
    let mut world = World::new(condition, circle, rfm::history(tx)?);
    let (mut seq, mut read) = (0, 0);
    'log: loop {
        let page = log::after(tx, seq, &types, &identities, PAGE)?;
        for logged in &page {
            if logged.time >= until {
                break 'log;
            }
            if logged.time >= from && !world.is_asking() {
                world.begin_to_ask(from, logged.seq);
            }
            // What this release cannot read, tagging has not booked either.
            if let Ok(event) = logged.event() {
                world.arrive(logged);
                apply(tx, &mut world, &event)?;
            }
        }
        read += page.len();
        match page.last() {
            Some(last) if u32::try_from(page.len()).is_ok_and(|count| count >= PAGE) => seq = last.seq,
            last => {
                seq = last.map_or(seq, |last| last.seq);
                break;
            }
        }
    }
    if !world.is_asking() {
        world.begin_to_ask(from, seq);
    }
    Ok(Lived { matches: world.into_matches(), read })
}

fn apply(tx: &Tx<'_>, world: &mut World<'_>, event: &Event) -> Result<(), DbError> {
    match event {
        Event::ActivityRecorded(told) => world.activity(told),
        Event::OrderPaid(told) | Event::OrderDetailed(told) => world.order(tx, told)?,
        Event::RefundRefunded(told) => world.refunded(told),
        Event::ReturnReceived(told) => world.returned(told),
        Event::CustomerIdentified(told) => world.identified(told),
        Event::CustomerMerged(told) => world.merged(told),
        Event::CustomerSplit(told) => world.split(told),
        Event::CustomerStageChanged(told) => world.stage(told),
        Event::CustomerAttributeChanged(told) => world.attribute(told),
        Event::CustomerErased(told) => world.erased(told),
        Event::TagAdded(told) => world.tag(told, true),
        Event::TagRemoved(told) => world.tag(told, false),
        Event::TaggingDay(_) => world.day(),
        Event::TaggingRfm(_) => world.limits_changed(),
        _ => {}
    }
    Ok(())
}
