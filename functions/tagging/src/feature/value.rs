//! What a feature is, on a day, and when it will next be something else.

use super::measure::{self, Unit};
use super::name::{BIRTHDAY, Dimension, Feature, REGION, Scalar, Spread, Stat, Window};
use super::rfm::{Figures, Limits, next_recency};
use super::series::{KEPT_DAYS, Series};
use super::state::State;
use domain::day::Day;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A feature's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Value {
    /// A number, in the feature's unit.
    Number(i64),
    /// A text.
    Text(String),
    /// Yes or no: attributes only.
    Flag(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

impl Feature {
    /// Its value on `today`; none where nothing was ever told (a count is 0 then). `limits` are those between RFM scores.
    pub fn value(&self, state: &State, today: Day, limits: &Limits) -> Option<Value> {
        match self {
            Self::Window(measure, stat, window, dimension) => {
                Some(Value::Number(windowed(find(state, measure.name, dimension.as_ref()), *stat, *window, today)))
            }
            Self::Since(measure, last, dimension) => {
                let series = find(state, measure.name, dimension.as_ref())?;
                let day = if *last { series.last_day() } else { series.first_day() };
                day.map(|day| Value::Number(i64::from(today.saturating_sub(day))))
            }
            Self::Spread(measure, spread, window, dimension) => {
                let prefix = prefix(measure.name, dimension);
                let counts = state.beginning(&prefix).map(|series| series.window(window.days(), today).0);
                Some(Value::Number(match spread {
                    Spread::Top => counts.max().unwrap_or(0),
                    Spread::Distinct => i64::try_from(counts.filter(|count| *count > 0).count()).unwrap_or(i64::MAX),
                }))
            }
            Self::Ratio(ratio, window) => {
                let part = |(name, amount): (&str, bool)| {
                    let stat = if amount { Stat::Amount } else { Stat::Count };
                    windowed(state.series(name), stat, *window, today)
                };
                let factor = if ratio.unit == Unit::Percent { 100 } else { 1 };
                let lower = part(ratio.lower);
                (lower > 0).then(|| Value::Number(part(ratio.upper).saturating_mul(factor) / lower))
            }
            Self::Net(window) => Some(Value::Number(net(state, *window, today))),
            Self::Scalar(scalar) => scalar_value(*scalar, state, today, limits),
            Self::Level(program) => text(state.newest(&format!("level|program={program}"))),
            Self::Progress(course) => state.highest(&format!("progress|course={course}")).map(Value::Number),
        }
    }

    /// The next day after `today` on which its value may differ with no event.
    pub fn next_change(&self, state: &State, today: Day, limits: &Limits) -> Option<Day> {
        let window = |name: &str, dimension: Option<&Dimension>, window: Window| {
            find(state, name, dimension)?.next_change(window.days()?, today)
        };
        match self {
            Self::Window(measure, _, own, dimension) => window(measure.name, dimension.as_ref(), *own),
            Self::Since(..) => self.value(state, today, limits).map(|_| today.saturating_add(1)),
            Self::Spread(measure, _, own, dimension) => {
                let days = own.days()?;
                let prefix = prefix(measure.name, dimension);
                state.beginning(&prefix).filter_map(|series| series.next_change(days, today)).min()
            }
            Self::Ratio(ratio, own) => earliest([window(ratio.upper.0, None, *own), window(ratio.lower.0, None, *own)]),
            Self::Net(own) => earliest([window("orders", None, *own), window("refunds", None, *own)]),
            Self::Scalar(scalar) => match scalar {
                Scalar::StreakNow => {
                    let last = state.series("active")?.counted_days().next_back()?;
                    Some(last.saturating_add(2)).filter(|day| *day > today)
                }
                Scalar::StreakLongest => window("active", None, Window::Days(KEPT_DAYS)),
                Scalar::RfmRecency => next_recency(state, limits, today),
                Scalar::RfmFrequency => window("orders", None, limits.window),
                Scalar::RfmMonetary => Self::Net(limits.window).next_change(state, today, limits),
                Scalar::RfmTotal => {
                    let money = Self::Net(limits.window).next_change(state, today, limits);
                    earliest([next_recency(state, limits, today), money])
                }
                _ => None,
            },
            Self::Level(_) | Self::Progress(_) => None,
        }
    }

    /// For an age: the day from which it counts. The value of such a feature is `today − base`.
    pub fn age_base(&self, state: &State, today: Day) -> Option<i64> {
        let Self::Since(..) = self else { return None };
        match self.value(state, today, &Limits::DEFAULT)? {
            Value::Number(age) => Some(i64::from(today).saturating_sub(age)),
            _ => None,
        }
    }
}

fn earliest<const N: usize>(days: [Option<Day>; N]) -> Option<Day> {
    days.into_iter().flatten().min()
}

fn find<'a>(state: &'a State, name: &str, dimension: Option<&Dimension>) -> Option<&'a Series> {
    match dimension {
        None => state.series(name),
        Some(own) => state.series(&measure::key(name, Some((own.name, &own.value)))),
    }
}

fn prefix(measure: &str, dimension: &str) -> String {
    measure::key(measure, Some((dimension, "")))
}

pub(super) fn windowed(series: Option<&Series>, stat: Stat, window: Window, today: Day) -> i64 {
    let Some(series) = series else { return 0 };
    match stat {
        Stat::Count => series.window(window.days(), today).0,
        Stat::Amount => series.window(window.days(), today).1,
        Stat::Days => {
            let days = window.days().unwrap_or(KEPT_DAYS);
            i64::try_from(series.within(days, today).filter(|cell| cell.1 > 0).count()).unwrap_or(i64::MAX)
        }
    }
}

pub(super) fn net(state: &State, window: Window, today: Day) -> i64 {
    let amount = |name| windowed(state.series(name), Stat::Amount, window, today);
    amount("orders").saturating_sub(amount("refunds"))
}

fn text(text: Option<&str>) -> Option<Value> {
    text.filter(|text| !text.is_empty()).map(|text| Value::Text(text.to_owned()))
}

fn scalar_value(scalar: Scalar, state: &State, today: Day, limits: &Limits) -> Option<Value> {
    let number = |number: i64| Some(Value::Number(number));
    let scores = || Figures::of(state, limits.window, today).scores(limits);
    let pair = |key: &str, second: bool| {
        let (one, other) = state.newest(key)?.split_once('\t')?;
        Some(if second { other } else { one })
    };
    match scalar {
        Scalar::OrderInterval => {
            let orders = state.series("orders").filter(|orders| orders.count > 1)?;
            let (first, last) = orders.first_day().zip(orders.last_day())?;
            number(i64::from(last.saturating_sub(first)) / orders.count.saturating_sub(1).max(1))
        }
        Scalar::StreakNow => number(streak_now(state, today)),
        Scalar::StreakLongest => number(streak_longest(state, today)),
        Scalar::BestHour => number(i64::from(state.best_hour()?)),
        Scalar::BestWeekday => number(i64::from(state.best_weekday()?)),
        Scalar::RfmRecency => number(scores()[0]),
        Scalar::RfmFrequency => number(scores()[1]),
        Scalar::RfmMonetary => number(scores()[2]),
        Scalar::RfmTotal => number(scores().into_iter().sum()),
        Scalar::Province => text(pair(REGION, false)),
        Scalar::City => text(pair(REGION, true)),
        Scalar::FirstChannel => text(state.earliest("channel")),
        Scalar::LastChannel => text(state.newest("channel")),
        Scalar::FirstSource => text(state.earliest("source")),
        Scalar::LastSource => text(state.newest("source")),
        Scalar::BirthdayMonth => number(pair(BIRTHDAY, false)?.parse().ok()?),
        Scalar::BirthdayDay => number(pair(BIRTHDAY, true)?.parse().ok()?),
        Scalar::FollowsNow => {
            let count = |name| windowed(state.series(name), Stat::Count, Window::Ever, today);
            number(count("follows").saturating_sub(count("unfollows")).max(0))
        }
    }
}

fn streak_now(state: &State, today: Day) -> i64 {
    let Some(active) = state.series("active") else { return 0 };
    let (mut length, mut expected) = (0, None);
    for day in active.counted_days().rev() {
        let continues = match expected {
            None => day >= today.saturating_sub(1),
            Some(expected) => day == expected,
        };
        if !continues {
            break;
        }
        length += 1;
        expected = Some(day.saturating_sub(1));
    }
    length
}

fn streak_longest(state: &State, today: Day) -> i64 {
    let Some(active) = state.series("active") else { return 0 };
    let (mut longest, mut length, mut before) = (0, 0, None);
    for cell in active.within(KEPT_DAYS, today).filter(|cell| cell.1 > 0) {
        length = if before == Some(cell.0.saturating_sub(1)) { length + 1 } else { 1 };
        before = Some(cell.0);
        longest = longest.max(length);
    }
    longest
}
