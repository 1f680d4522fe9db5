//! A rule tried on what has happened.

use super::preview::{PreviewBody, PreviewView};
use crate::past::{Circle, How, Match, live};
use crate::rule::Condition;
use crate::store::{customer, log};
use domain::UnixMs;
use kit::{Problem, Tx};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// How many customers one call looks at.
const MOST: u32 = 2000;
/// How many matches are shown unless asked otherwise, and at the most.
const SAMPLE: (usize, usize) = (20, 200);
/// How long a span is unless asked otherwise: 30 days.
const SPAN_MS: i64 = 30 * 86_400_000;

/// What became of a rule in a span of time, for the customers that were looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct PastView {
    /// When the span begins, at that instant.
    from: UnixMs,
    /// When it ends, before that instant.
    until: UnixMs,
    /// Whether the log goes back to its beginning: figures as of each event are exact. Otherwise they lack what happened before `oldest`.
    complete: bool,
    /// The oldest event that the log still has.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<UnixMs>,
    /// How many events of the log were read.
    events: usize,
    /// For how many customers the rule held or came to hold in the span.
    customers: usize,
    /// For how many customers it held already when the span began: activating it then would have tagged them, without raising events.
    held: usize,
    /// How often it came to hold in the span.
    came: usize,
    /// How often it held no longer.
    ended: usize,
    /// The first of these matches, in the order of the log.
    matches: Vec<Match>,
}

/// The span that is asked for.
///
/// # Errors
/// 400 when it ends before it begins.
pub fn span(asked: &PreviewBody, now: UnixMs) -> Result<(UnixMs, UnixMs), Problem> {
    // What happens at this very instant is past, too.
    let next = |at: UnixMs| UnixMs::from_millis(at.millis().saturating_add(1)).unwrap_or(at);
    let until = asked.until.unwrap_or_else(|| next(now));
    let earlier = || UnixMs::from_millis(until.millis().saturating_sub(SPAN_MS)).unwrap_or(UnixMs::EPOCH);
    let from = asked.from.unwrap_or_else(earlier);
    if from >= until {
        return Err(Problem::bad_request("from is not before until: a span begins before it ends"));
    }
    Ok((from, until))
}

/// Tries a condition on a batch of customers.
///
/// # Errors
/// 400 for a limit that is none; [`kit::DbError`] of the queries.
pub fn tried(
    tx: &Tx<'_>,
    condition: &Condition,
    asked: &PreviewBody,
    (from, until): (UnixMs, UnixMs),
) -> Result<PreviewView, Problem> {
    let limit = asked.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is {limit}: look at 1 to {MOST} customers")));
    }
    let sample = asked.sample.unwrap_or(SAMPLE.0);
    if !(1..=SAMPLE.1).contains(&sample) {
        return Err(Problem::bad_request(format!("sample is {sample}: show 1 to {} matches", SAMPLE.1)));
    }
    let after = asked.cursor.map(|cursor| cursor.to_string()).unwrap_or_default();
    let batch = customer::after(tx, &after, limit)?;
    let circle = Circle::around(tx, &batch)?;
    let mut lived = live(tx, condition, &circle, (from, until))?;
    let oldest = log::oldest(tx)?;
    let who = |which: &dyn Fn(&Match) -> bool| {
        let own = lived.matches.iter().filter(|found| which(found)).map(|found| found.customer_id.as_str());
        own.collect::<BTreeSet<_>>().len()
    };
    let (holds, customers) = (who(&|found| found.ended.is_none()), who(&|_| true));
    let held = who(&|found| found.how == How::Held);
    let came = lived.matches.iter().filter(|found| found.how != How::Held).count();
    let ended = lived.matches.iter().filter(|found| found.ended.is_some()).count();
    lived.matches.truncate(sample);
    let full = u32::try_from(batch.len()).is_ok_and(|count| count >= limit);
    Ok(PreviewView {
        looked_at: batch.len(),
        total: customer::count(tx)?,
        holds,
        sample: Vec::new(),
        past: Some(PastView {
            from,
            until,
            complete: oldest.is_none_or(|(seq, _)| seq == 1),
            oldest: oldest.and_then(|(_, time)| UnixMs::from_millis(time).ok()),
            events: lived.read,
            customers,
            held,
            came,
            ended,
            matches: lived.matches,
        }),
        next_cursor: if full { batch.last().cloned() } else { None },
    })
}
