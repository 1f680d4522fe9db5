//! Reception: who receives those who come by a code.
//!
//! A plan says who is on duty by weekday and hour, and on dated days that replace the week. Who is on duty and below the daily cap receives.
//! When nobody is left, the backup does.

mod assign;
mod check;
mod duty;
#[cfg(test)]
mod tests;

pub use assign::{Asked, By, Chosen, Counts, Receivers, above_caps, choose, receivers};
pub use duty::next_change;

use crate::hours::{Clock, Span, Weekday};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who receives those who come by a code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reception {
    /// The week: who is on duty when. Slots that overlap join their members.
    pub staff: Vec<Slot>,
    /// Dated periods, which replace the week on their days. They do not overlap.
    pub special: Vec<Special>,
    /// How contacts are shared out among those who receive. By a contact way WeCom shares them out evenly.
    pub policy: Policy,
    /// Who receives when nobody else remains: no slot holds the time, or all who are on duty have reached their caps.
    pub backup: Vec<Member>,
    /// Whether somebody who has added a member of staff and comes again reaches the same one.
    pub exclusive: bool,
}

/// How contacts are shared out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// In turn: everybody the same number. Weights do not matter.
    #[default]
    RoundRobin,
    /// In proportion to the weights: of assigned codes.
    Weighted,
}

/// Hours of the week, and who is on duty in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The weekdays on which the slot begins; every day where it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// Its beginning, in the merchant's calendar.
    pub from: Clock,
    /// Its end, which is not part of it; on the next day where it is not later than `from`.
    pub until: Clock,
    /// Who is on duty.
    pub members: Vec<Member>,
}

/// Dated days with slots of their own, instead of the week's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Special {
    /// The first day, in the merchant's calendar.
    #[schema(value_type = String, format = Date, example = "2026-02-15")]
    pub from: Date,
    /// The last day.
    #[schema(value_type = String, format = Date, example = "2026-02-23")]
    pub until: Date,
    /// Who is on duty on each of these days; nobody where it is left out.
    #[serde(default)]
    pub slots: Vec<DaySlot>,
}

/// Hours of a day, and who is on duty in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DaySlot {
    /// Its beginning, in the merchant's calendar.
    pub from: Clock,
    /// Its end, which is not part of it; on the next day where it is not later than `from`.
    pub until: Clock,
    /// Who is on duty.
    pub members: Vec<Member>,
}

/// A member of staff in a plan. Where slots that overlap name somebody twice, the larger weight and the lower cap hold; of names, the first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// WeCom's userid.
    pub staff: String,
    /// What customers are told in welcomes, at most 30 characters; the userid where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 30)]
    pub name: Option<String>,
    /// The share among the others, 1 to 1000; 1 where it is left out.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1000)]
    pub weight: u32,
    /// The most contacts in a day of the merchant's calendar; no limit where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub daily_cap: Option<u32>,
}

const fn one() -> u32 {
    1
}

impl Slot {
    const fn span(&self) -> Span {
        Span { from: self.from, until: self.until }
    }
}

impl DaySlot {
    const fn span(&self) -> Span {
        Span { from: self.from, until: self.until }
    }
}

impl Special {
    fn holds(&self, day: Date) -> bool {
        (self.from..=self.until).contains(&day)
    }
}

impl Reception {
    /// Everybody whom the plan names, some more than once.
    pub fn named(&self) -> impl Iterator<Item = &Member> {
        let week = self.staff.iter().flat_map(|slot| &slot.members);
        let special = self.special.iter().flat_map(|period| &period.slots).flat_map(|slot| &slot.members);
        week.chain(special).chain(&self.backup)
    }

    /// What customers are told that a member of staff is called: the first name that the plan has, else the userid.
    pub fn name_of<'a>(&'a self, staff: &'a str) -> &'a str {
        self.named().filter(|member| member.staff == staff).find_map(|member| member.name.as_deref()).unwrap_or(staff)
    }

    /// Whether some are to have more contacts than others.
    pub fn is_weighted(&self) -> bool {
        let mut weights = self.named().map(|member| member.weight);
        let first = weights.next();
        self.policy == Policy::Weighted && weights.any(|weight| Some(weight) != first)
    }

    /// Puts these on duty always, instead of whom the plan names: a store's own staff in a copy of a chain's plan.
    pub fn always<'a>(&mut self, staff: impl Iterator<Item = &'a str>) {
        let members =
            staff.map(|staff| Member { staff: staff.to_owned(), name: None, weight: 1, daily_cap: None }).collect();
        self.staff = vec![Slot { days: Vec::new(), from: Clock::MIDNIGHT, until: Clock::END, members }];
        self.special = Vec::new();
        self.backup = Vec::new();
    }
}
