//! Whether a plan can be followed: what to change, and what the merchant should know.

use super::duty::{MOST_AT_ONCE, edges, on_duty_at};
use super::{Member, Reception, Special};
use crate::hours::Span;
use crate::mistake::{Mistake, ensure, mistake};
use jiff::civil::{Date, date};
use std::collections::BTreeSet;

/// How many slots a week, how many dated periods, how many slots each may have.
const MOST: usize = 100;
/// How long a dated period may be, in days.
const LONGEST_SPECIAL: i32 = 366;
/// The largest weight.
const MOST_WEIGHT: u32 = 1000;
/// WeCom's userids are no longer, in bytes.
const LONGEST_STAFF: usize = 64;
/// How long a name is at the most, in characters.
const LONGEST_NAME: usize = 30;
/// A Monday; the week without dated periods is looked at from here on.
const MONDAY: Date = date(2024, 1, 1);

impl Reception {
    /// Whether the plan can be followed. Returns what the merchant should know of it, in words; nothing where all is well.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self) -> Result<Vec<String>, Mistake> {
        ensure(self.named().next().is_some(), "staff", "nobody is named: name staff in a slot, or a backup")?;
        ensure(self.staff.len() <= MOST, "staff", "there are more than 100 slots: join some")?;
        ensure(
            self.special.len() <= MOST,
            "special",
            "there are more than 100 dated periods: remove those that are over",
        )?;
        for (number, slot) in self.staff.iter().enumerate() {
            let path = format!("staff[{number}]");
            check_slot(&path, slot.span(), &slot.members)?;
            let days: BTreeSet<_> = slot.days.iter().collect();
            ensure(days.len() == slot.days.len(), &format!("{path}.days"), "a weekday is named twice")?;
        }
        for (number, special) in self.special.iter().enumerate() {
            check_special(&format!("special[{number}]"), special)?;
            if let Some(other) = self.special.iter().take(number).position(|earlier| overlap(earlier, special)) {
                return mistake(
                    format!("special[{number}]"),
                    format!("it shares days with special[{other}]: let each day be in one"),
                );
            }
        }
        check_members("backup", &self.backup)?;
        ensure(self.backup.len() <= MOST_AT_ONCE, "backup", TOO_MANY)?;
        self.check_at_once()?;
        Ok(self.warnings())
    }

    /// No more than a contact way takes, at any time.
    fn check_at_once(&self) -> Result<(), Mistake> {
        let week = self.week();
        let too_many = |plan: &Self, day: Date| {
            edges(plan, day).into_iter().any(|minute| on_duty_at(plan, day, minute).len() > MOST_AT_ONCE)
        };
        for day in days_of_week() {
            ensure(!too_many(&week, day), "staff", TOO_MANY)?;
        }
        for (number, special) in self.special.iter().enumerate() {
            // The late hours of the day before reach into the first day, those of the last day into the one after.
            let (second, after) = (special.from.tomorrow(), special.until.tomorrow());
            for day in [Ok(special.from), second, after].into_iter().flatten() {
                ensure(!too_many(self, day), &format!("special[{number}]"), TOO_MANY)?;
            }
        }
        Ok(())
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.backup.is_empty() {
            let week = self.week();
            let gap = days_of_week()
                .flat_map(|day| edges(&week, day).into_iter().map(move |minute| (day, minute)))
                .find(|(day, minute)| on_duty_at(&week, *day, *minute).is_empty());
            if let Some((day, minute)) = gap {
                let (day, hour, minute) = (crate::hours::Weekday::of(day), minute / 60, minute % 60);
                warnings.push(format!(
                    "nobody is on duty from {hour:02}:{minute:02} of {day:?} on, and there is no backup: those who come on duty next receive"
                ));
            }
            if self.special.iter().any(|special| special.slots.is_empty()) {
                warnings.push(
                    "nobody is on duty in a dated period, and there is no backup: those who come on duty next receive"
                        .to_owned(),
                );
            }
        }
        let is_capped = |member: &Member| member.daily_cap.is_some();
        if self.named().any(is_capped) && self.backup.iter().all(is_capped) {
            warnings.push(
                "when all caps are reached nobody is left: the code keeps its last staff then; name a backup without a cap".to_owned(),
            );
        }
        warnings
    }

    /// The plan without its dated periods.
    fn week(&self) -> Self {
        Self { staff: self.staff.clone(), ..Self::default() }
    }
}

const TOO_MANY: &str = "more than 100 members of staff would receive at once: a contact way takes no more";

fn days_of_week() -> impl Iterator<Item = Date> {
    MONDAY.series(jiff::Span::new().days(1)).take(7)
}

fn overlap(one: &Special, other: &Special) -> bool {
    one.from <= other.until && other.from <= one.until
}

fn check_special(path: &str, special: &Special) -> Result<(), Mistake> {
    ensure(special.from <= special.until, path, "until is before from")?;
    let days = special.until.since(special.from).map_or(i32::MAX, |span| span.get_days());
    ensure(days < LONGEST_SPECIAL, path, "it is longer than 366 days: make it a plan of the week")?;
    ensure(special.slots.len() <= MOST, path, "there are more than 100 slots: join some")?;
    for (number, slot) in special.slots.iter().enumerate() {
        check_slot(&format!("{path}.slots[{number}]"), slot.span(), &slot.members)?;
    }
    Ok(())
}

fn check_slot(path: &str, span: Span, members: &[Member]) -> Result<(), Mistake> {
    if let Some(fault) = span.fault() {
        return mistake(path, fault);
    }
    ensure(!members.is_empty(), &format!("{path}.members"), "nobody is named: name staff, or remove the slot")?;
    check_members(&format!("{path}.members"), members)
}

fn check_members(path: &str, members: &[Member]) -> Result<(), Mistake> {
    let mut seen = BTreeSet::new();
    for (number, member) in members.iter().enumerate() {
        let path = format!("{path}[{number}]");
        let is_id = !member.staff.trim().is_empty() && member.staff.len() <= LONGEST_STAFF;
        ensure(is_id, &format!("{path}.staff"), "write WeCom's userid, at most 64 bytes")?;
        let is_name = |name: &String| !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME;
        ensure(member.name.as_ref().is_none_or(is_name), &format!("{path}.name"), "write 1 to 30 characters")?;
        ensure((1..=MOST_WEIGHT).contains(&member.weight), &format!("{path}.weight"), "write 1 to 1000")?;
        let has_room = member.daily_cap != Some(0);
        ensure(has_room, &format!("{path}.daily_cap"), "0 lets nobody through: leave the member out")?;
        ensure(seen.insert(&member.staff), &format!("{path}.staff"), "the member is named twice here")?;
    }
    Ok(())
}
