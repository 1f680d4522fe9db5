//! Periods of the week in the merchant's calendar: from a time of day until another, over midnight where the second is not later.

use domain::{Calendar, CalendarConfig, TimeError, UnixMs};
use jiff::civil::{self, Date};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use utoipa::ToSchema;

/// Minutes of a day.
pub const DAY: u16 = 24 * 60;
const MINUTE_MS: i64 = 60_000;

/// A time of day in minutes since midnight. Text form: `09:30`; `24:00` is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", example = "09:30")]
pub struct Clock(u16);

impl Clock {
    /// The beginning of the day.
    pub const MIDNIGHT: Self = Self(0);
    /// The end of the day.
    pub const END: Self = Self(DAY);

    /// Minutes since midnight, at most 1440.
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl FromStr for Clock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let two_digits = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse::<u16>().ok() } else { None }
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Some((two_digits(hour)?, two_digits(minute)?)))
            .filter(|(hour, minute)| *minute < 60 && hour * 60 + minute <= DAY)
            .map(|(hour, minute)| Self(hour * 60 + minute))
            .ok_or_else(|| format!("{text:?} is not a time of day: write it as 09:30, up to 24:00"))
    }
}

impl TryFrom<String> for Clock {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Clock> for String {
    fn from(clock: Clock) -> Self {
        clock.to_string()
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// 周一
    Monday,
    /// 周二
    Tuesday,
    /// 周三
    Wednesday,
    /// 周四
    Thursday,
    /// 周五
    Friday,
    /// 周六
    Saturday,
    /// 周日
    Sunday,
}

impl Weekday {
    /// The weekday of a date.
    pub fn of(day: Date) -> Self {
        match day.weekday() {
            civil::Weekday::Monday => Self::Monday,
            civil::Weekday::Tuesday => Self::Tuesday,
            civil::Weekday::Wednesday => Self::Wednesday,
            civil::Weekday::Thursday => Self::Thursday,
            civil::Weekday::Friday => Self::Friday,
            civil::Weekday::Saturday => Self::Saturday,
            civil::Weekday::Sunday => Self::Sunday,
        }
    }
}

/// From a time of day until another, the latter not included. It belongs to the day on which it begins: `22:00` until `02:00` ends on the
/// day after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: Clock,
    /// Its end.
    pub until: Clock,
}

impl Span {
    /// The minute of its end since the midnight at which its day begins, up to 2880.
    pub const fn end(self) -> u16 {
        let until = self.until.minutes();
        if until > self.from.minutes() { until } else { until + DAY }
    }

    /// Whether it holds a minute that is counted from the midnight at which its day begins.
    pub const fn holds(self, minute: u16) -> bool {
        self.from.minutes() <= minute && minute < self.end()
    }

    /// What is wrong with it, if something is.
    pub fn fault(self) -> Option<&'static str> {
        if self.from == self.until {
            return Some("from and until are the same: for a whole day write 00:00 and 24:00");
        }
        (self.from.minutes() == DAY).then_some("from is 24:00: write 00:00 of the next day")
    }
}

/// Some days of the week from a time of day until another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The weekdays on which it begins; every day where it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// Its beginning, in the merchant's calendar.
    pub from: Clock,
    /// Its end, which is not part of it; on the next day where it is not later than `from`.
    pub until: Clock,
}

impl Period {
    /// Its hours.
    pub const fn span(&self) -> Span {
        Span { from: self.from, until: self.until }
    }

    /// Whether it holds a minute of a day of the merchant's calendar.
    pub fn holds(&self, day: Date, minute: u16) -> bool {
        let begins = |day: Date| self.days.is_empty() || self.days.contains(&Weekday::of(day));
        let today = begins(day) && self.span().holds(minute);
        today || (day.yesterday().is_ok_and(begins) && self.span().holds(minute.saturating_add(DAY)))
    }
}

fn calendar() -> Result<&'static Calendar, TimeError> {
    static CALENDAR: OnceLock<Option<Calendar>> = OnceLock::new();
    let calendar = CALENDAR.get_or_init(|| Calendar::new(CalendarConfig::default()).ok());
    calendar.as_ref().ok_or(TimeError::OutOfRange)
}

/// The merchant's day and the minute since its midnight.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn local(instant: UnixMs) -> Result<(Date, u16), TimeError> {
    let day = calendar()?.day(instant)?;
    let since = instant.millis().saturating_sub(calendar()?.start_of_day(day)?.millis());
    Ok((day, u16::try_from(since / MINUTE_MS).unwrap_or(0)))
}

/// The instant of a minute since the midnight at which a day of the merchant's begins.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn instant(day: Date, minute: u16) -> Result<UnixMs, TimeError> {
    calendar()?.start_of_day(day)?.try_add_millis(i64::from(minute) * MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn times_of_day_are_read_exactly() {
        for (text, minutes) in [("00:00", 0), ("09:30", 570), ("23:59", 1439), ("24:00", 1440)] {
            let clock: Clock = text.parse().unwrap();
            assert_eq!((clock.minutes(), clock.to_string().as_str()), (minutes, text));
        }
        for wrong in ["", "9:30", "09:60", "24:01", "25:00", "09-30", "+9:30", "09:3", "０9:30"] {
            assert!(wrong.parse::<Clock>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_period_over_midnight_belongs_to_the_day_on_which_it_begins() {
        let (from, until) = ("22:00".parse().unwrap(), "02:00".parse().unwrap());
        let friday = Period { days: vec![Weekday::Friday], from, until };
        // 2026-02-13 is a Friday.
        for (day, minute, holds) in [
            (13, 0, false),
            (13, 22 * 60 - 1, false),
            (13, 22 * 60, true),
            (13, 1439, true),
            (14, 0, true),
            (14, 119, true),
            (14, 120, false),
            (14, 22 * 60, false),
            (15, 60, false),
        ] {
            assert_eq!(friday.holds(date(2026, 2, day), minute), holds, "{day} {minute}");
        }
    }

    #[test]
    fn days_and_minutes_are_the_merchant_s() {
        let late: UnixMs = "2026-02-13T16:00:59Z".parse().unwrap();
        assert_eq!(local(late), Ok((date(2026, 2, 14), 0)));
        assert_eq!(instant(date(2026, 2, 14), 570), Ok("2026-02-14T09:30:00+08:00".parse().unwrap()));
    }
}
