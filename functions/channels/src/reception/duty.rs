//! Who is on duty when, by the plan alone.

use super::{Member, Reception};
use crate::hours::{DAY, Span, Weekday, instant, local};
use domain::{TimeError, UnixMs};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// How many days ahead a plan is looked through. What comes later is seen when its time is nearer.
const DAYS_AHEAD: usize = 400;
/// The most members of staff at once: what a contact way takes.
pub const MOST_AT_ONCE: usize = 100;

/// Members by their name, each once.
type Members<'a> = BTreeMap<&'a str, Member>;

/// Who is on duty at an instant, sorted.
///
/// A slot belongs to the day on which it begins. So the late hours of the day before a dated period reach into its first day, and those of
/// its last day into the day after.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn on_duty(plan: &Reception, at: UnixMs) -> Result<Vec<Member>, TimeError> {
    let (day, minute) = local(at)?;
    Ok(on_duty_at(plan, day, minute).into_values().collect())
}

/// Who comes on duty next after an instant at which nobody is; everybody whom the plan names where it has come to its end.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn next_on_duty(plan: &Reception, after: UnixMs) -> Result<Vec<Member>, TimeError> {
    let (today, now) = local(after)?;
    for day in today.series(jiff::Span::new().days(1)).take(DAYS_AHEAD) {
        let begins = slots(plan, day).into_iter().map(|(span, _)| span.from.minutes());
        if let Some(minute) = begins.filter(|minute| day > today || *minute > now).min() {
            return Ok(on_duty_at(plan, day, minute).into_values().collect());
        }
    }
    let mut all = Members::new();
    join(&mut all, plan.named());
    Ok(all.into_values().take(MOST_AT_ONCE).collect())
}

/// The next instant after `after` at which others may receive: somebody comes on duty or goes, or, where there are daily caps, a day
/// begins. Nothing when that is more than 400 days ahead.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn next_change(plan: &Reception, after: UnixMs) -> Result<Option<UnixMs>, TimeError> {
    let (today, now) = local(after)?;
    let capped = plan.named().any(|member| member.daily_cap.is_some());
    for day in today.series(jiff::Span::new().days(1)).take(DAYS_AHEAD) {
        for minute in edges(plan, day) {
            let is_ahead = day > today || minute > now;
            if is_ahead && ((capped && minute == 0) || before(plan, day, minute) != on_duty_at(plan, day, minute)) {
                return instant(day, minute).map(Some);
            }
        }
    }
    Ok(None)
}

/// The minutes of a day at which slots begin or end, and its midnight; sorted.
pub fn edges(plan: &Reception, day: Date) -> BTreeSet<u16> {
    let today = slots(plan, day).into_iter().flat_map(|(span, _)| [span.from.minutes(), span.end()]);
    let yesterday = day.yesterday().map(|day| slots(plan, day)).unwrap_or_default();
    let over_midnight = yesterday.into_iter().filter_map(|(span, _)| span.end().checked_sub(DAY));
    today.chain(over_midnight).chain([0]).filter(|minute| *minute < DAY).collect()
}

/// Who is on duty in a minute of a day.
pub fn on_duty_at(plan: &Reception, day: Date, minute: u16) -> Members<'_> {
    let mut members = Members::new();
    for (span, slot) in slots(plan, day) {
        if span.holds(minute) {
            join(&mut members, slot);
        }
    }
    for (span, slot) in day.yesterday().map(|day| slots(plan, day)).unwrap_or_default() {
        if span.holds(minute.saturating_add(DAY)) {
            join(&mut members, slot);
        }
    }
    members
}

fn before(plan: &Reception, day: Date, minute: u16) -> Members<'_> {
    match (minute.checked_sub(1), day.yesterday()) {
        (Some(earlier), _) => on_duty_at(plan, day, earlier),
        (None, Ok(yesterday)) => on_duty_at(plan, yesterday, DAY - 1),
        (None, Err(_)) => Members::new(),
    }
}

/// The slots that begin on a day.
fn slots(plan: &Reception, day: Date) -> Vec<(Span, &[Member])> {
    if let Some(special) = plan.special.iter().find(|special| special.holds(day)) {
        return special.slots.iter().map(|slot| (slot.span(), slot.members.as_slice())).collect();
    }
    let weekday = Weekday::of(day);
    let begins = plan.staff.iter().filter(|slot| slot.days.is_empty() || slot.days.contains(&weekday));
    begins.map(|slot| (slot.span(), slot.members.as_slice())).collect()
}

fn join<'a>(members: &mut Members<'a>, more: impl IntoIterator<Item = &'a Member>) {
    for member in more {
        let known = members.entry(&member.staff).or_insert_with(|| member.clone());
        known.weight = known.weight.max(member.weight);
        known.name = known.name.take().or_else(|| member.name.clone());
        known.daily_cap = match (known.daily_cap, member.daily_cap) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}
