//! Conditions asked of one customer: whether they hold, why, and on which day that may change by itself.

use super::condition::{Condition, Days, Leaf, Op};
use crate::feature::rfm::Limits;
use crate::feature::{Feature, State, Value};
use domain::day::{self, Day};
use domain::{Stage, TagId, UnixMs};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// All that conditions can ask of a customer at one moment.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The figures now.
    pub state: &'a State,
    /// The figures before the event at hand.
    pub before: &'a State,
    /// The stage.
    pub stage: Option<Stage>,
    /// The profile.
    pub attributes: &'a BTreeMap<String, Value>,
    /// The tags.
    pub tags: &'a BTreeSet<TagId>,
    /// The limits between RFM scores.
    pub limits: &'a Limits,
    /// The merchant's day.
    pub today: Day,
    /// When the event at hand was told.
    pub at: UnixMs,
}

/// One question of a condition, with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seen {
    /// What was asked: `orders.count.30d`, `stage`, `tag <id>`.
    pub what: String,
    /// The value that was found; absent where nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What was wanted: `>= 2`.
    pub wanted: String,
    /// Whether the question holds.
    pub holds: bool,
}

impl Condition {
    /// Whether it holds.
    pub fn holds(&self, view: &View<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(view)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(view)),
            Self::Not(part) => !part.holds(view),
            Self::Leaf(leaf) => leaf.holds(view),
        }
    }

    /// The first day after today on which it may hold, or no longer, with no event. Never later than that day; perhaps earlier.
    pub fn next_change(&self, view: &View<'_>) -> Option<Day> {
        self.leaves().into_iter().filter_map(|leaf| leaf.next_change(view)).min()
    }

    /// Every question with its answer.
    pub fn explain(&self, view: &View<'_>) -> Vec<Seen> {
        self.leaves().into_iter().map(|leaf| leaf.explain(view)).collect()
    }

    /// Whether the event at hand has changed a feature that it mentions.
    pub fn is_touched(&self, view: &View<'_>) -> bool {
        self.features().into_iter().any(|feature| changed(feature, view))
    }
}

fn changed(feature: &Feature, view: &View<'_>) -> bool {
    feature.value(view.before, view.today, view.limits) != feature.value(view.state, view.today, view.limits)
}

/// How many changes of a feature are looked at before it is left to that day to look again.
const MOST_STEPS: usize = 40;
/// How far ahead the calendar is looked through, in days.
const CALENDAR_AHEAD: Day = 400;

impl Leaf {
    fn holds(&self, view: &View<'_>) -> bool {
        match self {
            Self::Feature(feature, op, wanted) => {
                op.holds(feature.value(view.state, view.today, view.limits).as_ref(), wanted)
            }
            Self::Attribute(field, op, wanted) => op.holds(view.attributes.get(field), wanted),
            Self::Tag(tag) => view.tags.contains(tag),
            Self::Stage(stages) => view.stage.is_some_and(|stage| stages.contains(&stage)),
            Self::Days(days) => days.contain(view.today),
            Self::Months(months) => months.contains(&day::month(view.today)),
            Self::Hours(from, to) => {
                let hour = day::hour(view.at);
                if from < to { (*from..*to).contains(&hour) } else { hour >= *from || hour < *to }
            }
            Self::Changed(feature) => changed(feature, view),
        }
    }

    fn next_change(&self, view: &View<'_>) -> Option<Day> {
        match self {
            Self::Feature(feature, op, wanted) => feature_flips(feature, *op, wanted, view),
            Self::Days(_) | Self::Months(_) => {
                let holds = self.holds(view);
                let days = view.today.saturating_add(1)..view.today.saturating_add(CALENDAR_AHEAD);
                days.into_iter().find(|day| self.holds(&View { today: *day, ..*view }) != holds)
            }
            _ => None,
        }
    }

    fn explain(&self, view: &View<'_>) -> Seen {
        let compared = |op: Op, wanted: &[Value]| {
            let values: Vec<String> = wanted.iter().map(Value::to_string).collect();
            format!("{} {}", op.as_str(), values.join(", "))
        };
        let number = |number: u8| Some(Value::Number(i64::from(number)));
        let (what, value, wanted) = match self {
            Self::Feature(feature, op, wanted) => {
                (feature.to_string(), feature.value(view.state, view.today, view.limits), compared(*op, wanted))
            }
            Self::Attribute(field, op, wanted) => {
                (format!("attribute {field}"), view.attributes.get(field).cloned(), compared(*op, wanted))
            }
            Self::Tag(tag) => (format!("tag {tag}"), Some(Value::Flag(view.tags.contains(tag))), "= true".to_owned()),
            Self::Stage(stages) => {
                let wanted: Vec<&str> = stages.iter().map(|stage| stage.as_str()).collect();
                let stage = view.stage.map(|stage| Value::Text(stage.as_str().to_owned()));
                ("stage".to_owned(), stage, format!("in {}", wanted.join(", ")))
            }
            Self::Days(days) => ("day".to_owned(), date(view.today), format!("is a {}", days.as_str())),
            Self::Months(months) => {
                let wanted: Vec<String> = months.iter().map(u8::to_string).collect();
                ("month".to_owned(), number(day::month(view.today)), format!("in {}", wanted.join(", ")))
            }
            Self::Hours(from, to) => ("hour".to_owned(), number(day::hour(view.at)), format!("from {from} to {to}")),
            Self::Changed(feature) => {
                let before = feature
                    .value(view.before, view.today, view.limits)
                    .map_or("none".to_owned(), |value| value.to_string());
                (
                    feature.to_string(),
                    feature.value(view.state, view.today, view.limits),
                    format!("changed from {before}"),
                )
            }
        };
        Seen { what, value, wanted, holds: self.holds(view) }
    }
}

impl Days {
    fn contain(self, day: Day) -> bool {
        match self {
            Self::Workday => day::is_worked(day),
            Self::Holiday => !day::is_worked(day),
            Self::Weekend => day::weekday(day) >= 6 && !day::is_worked(day),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Workday => "workday",
            Self::Holiday => "holiday",
            Self::Weekend => "weekend",
        }
    }
}

fn date(day: Day) -> Option<Value> {
    day::date_of(day).map(|date| Value::Text(date.to_string()))
}

/// The first day after today on which the comparison may come out otherwise.
fn feature_flips(feature: &Feature, op: Op, wanted: &[Value], view: &View<'_>) -> Option<Day> {
    let holds = |day: Day| op.holds(feature.value(view.state, day, view.limits).as_ref(), wanted);
    // An age grows by a day a day: it crosses a number on that day, and on the next.
    if let Some(base) = feature.age_base(view.state, view.today) {
        let now = holds(view.today);
        let crossings =
            wanted.iter().filter_map(|value| if let Value::Number(age) = value { Some(*age) } else { None });
        return crossings
            .flat_map(|age| [base.saturating_add(age), base.saturating_add(age).saturating_add(1)])
            .filter_map(|day| Day::try_from(day).ok())
            .filter(|day| *day > view.today && holds(*day) != now)
            .min();
    }
    // Most features of most customers change by events only, so that is looked at before anything else.
    let mut day = feature.next_change(view.state, view.today, view.limits)?;
    let now = holds(view.today);
    for _ in 1..MOST_STEPS {
        if holds(day) != now {
            break;
        }
        day = feature.next_change(view.state, day, view.limits)?;
    }
    Some(day)
}
