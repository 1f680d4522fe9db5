//! The merchant's calendar: which days are worked, at which hours, and when a day begins.
//!
//! The zone is a fixed offset, +08:00 unless configured: China has kept one time without summer time since 1992, and so no
//! time-zone database is needed in a Wasm component.

mod china;
mod hours;

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;

pub use self::hours::{Hours, WeeklyHours};
use crate::{TimeError, UnixMs};

/// A calendar as configured. Everything has a default, so `{}` is the calendar of an office in China.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarConfig {
    /// Minutes east of UTC; 480 (China) by default.
    pub utc_offset_minutes: i32,
    /// Business hours by weekday; Monday to Friday 09:00-12:00 and 13:30-18:00 by default.
    pub hours: WeeklyHours,
    /// Whether the State Council's holidays and make-up working days apply; true by default.
    pub public_holidays: bool,
    /// Further days off. They win over everything else.
    pub days_off: BTreeSet<Date>,
    /// Further working days, at a weekday's hours. They win over public holidays and weekends.
    pub working_days: BTreeSet<Date>,
}

impl Default for CalendarConfig {
    fn default() -> Self {
        Self {
            utc_offset_minutes: 480,
            hours: WeeklyHours::default(),
            public_holidays: true,
            days_off: BTreeSet::new(),
            working_days: BTreeSet::new(),
        }
    }
}

/// A calendar that has been checked: it has business hours, so working time always goes on.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    config: CalendarConfig,
}

impl Calendar {
    /// The calendar that `config` describes.
    ///
    /// # Errors
    /// [`CalendarError::NoHours`] when no weekday has business hours: a deadline in working time would never come.
    /// [`CalendarError::Offset`] for an offset beyond a day.
    pub fn new(config: CalendarConfig) -> Result<Self, CalendarError> {
        if config.hours.is_empty() {
            return Err(CalendarError::NoHours);
        }
        let minutes = config.utc_offset_minutes;
        let offset = minutes.checked_mul(60).and_then(|seconds| Offset::from_seconds(seconds).ok());
        let offset = offset.ok_or(CalendarError::Offset(minutes))?;
        Ok(Self { zone: TimeZone::fixed(offset), config })
    }

    /// The last day for which the State Council's arrangement is known to this release. Later days follow the weekdays
    /// alone, unless the configuration names them.
    pub const fn public_holidays_known_until() -> Date {
        china::KNOWN_UNTIL
    }

    /// The merchant's date at `instant`.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] at the very ends of the calendar.
    pub fn day(&self, instant: UnixMs) -> Result<Date, TimeError> {
        Ok(instant.timestamp()?.to_zoned(self.zone.clone()).date())
    }

    /// The merchant's month at `instant` as a key that sorts: `2026-02`.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] at the very ends of the calendar.
    pub fn month_key(&self, instant: UnixMs) -> Result<String, TimeError> {
        Ok(self.day(instant)?.strftime("%Y-%m").to_string())
    }

    /// The merchant's day at `instant` as a key that sorts: `2026-02-14`.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] at the very ends of the calendar.
    pub fn day_key(&self, instant: UnixMs) -> Result<String, TimeError> {
        Ok(self.day(instant)?.strftime("%Y-%m-%d").to_string())
    }

    /// The instant at which `day` begins for the merchant.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] at the very ends of the calendar.
    pub fn start_of_day(&self, day: Date) -> Result<UnixMs, TimeError> {
        let zoned = day.to_zoned(self.zone.clone()).map_err(|_| TimeError::OutOfRange)?;
        UnixMs::from_millis(zoned.timestamp().as_millisecond())
    }

    /// Whether `day` is worked.
    pub fn is_working_day(&self, day: Date) -> bool {
        !self.hours_on(day).is_empty()
    }

    /// The instant at which `working` milliseconds of business hours have passed since `from`. Time that ends exactly with a
    /// period ends there, and not when the next period begins.
    ///
    /// # Errors
    /// [`CalendarError::Negative`]; [`CalendarError::Time`] when the calendar ends first.
    pub fn add_working_time(&self, from: UnixMs, working: i64) -> Result<UnixMs, CalendarError> {
        if working < 0 {
            return Err(CalendarError::Negative(working));
        }
        if working == 0 {
            return Ok(from);
        }
        let mut left = working;
        let mut day = self.day(from)?;
        loop {
            for (start, end) in self.periods(day)? {
                let start = start.max(from);
                let length = end.millis() - start.millis();
                if length >= left {
                    return Ok(start.try_add_millis(left)?);
                }
                left -= length.max(0);
            }
            day = day.tomorrow().map_err(|_| TimeError::OutOfRange)?;
        }
    }

    /// Milliseconds of business hours between two instants; 0 when `to` is not after `from`.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] at the very ends of the calendar.
    pub fn working_time_between(&self, from: UnixMs, to: UnixMs) -> Result<i64, TimeError> {
        let (mut day, last) = (self.day(from)?, self.day(to)?);
        let mut sum = 0;
        while day <= last {
            for (start, end) in self.periods(day)? {
                sum += (end.min(to).millis() - start.max(from).millis()).max(0);
            }
            day = day.tomorrow().map_err(|_| TimeError::OutOfRange)?;
        }
        Ok(sum)
    }

    fn hours_on(&self, day: Date) -> &[Hours] {
        let CalendarConfig { hours, days_off, working_days, public_holidays, .. } = &self.config;
        if days_off.contains(&day) {
            return &[];
        }
        let make_up = working_days.contains(&day) || (*public_holidays && china::is_make_up_day(day));
        if make_up {
            return hours.on_make_up_day(day.weekday());
        }
        if *public_holidays && china::is_holiday(day) {
            return &[];
        }
        hours.on(day.weekday())
    }

    fn periods(&self, day: Date) -> Result<Vec<(UnixMs, UnixMs)>, TimeError> {
        let midnight = self.start_of_day(day)?;
        let at = |minute: u16| midnight.try_add_millis(i64::from(minute) * 60_000);
        self.hours_on(day).iter().map(|hours| Ok((at(hours.start())?, at(hours.end())?))).collect()
    }
}

/// Why a calendar or a computation with it cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Never open.
    #[error("the calendar has no business hours on any weekday: name at least one period")]
    NoHours,
    /// Not an offset.
    #[error("{0} minutes is not an offset from UTC: write minutes east, 480 for China")]
    Offset(i32),
    /// Not a period.
    #[error("{0:?} is not a period: write it as 09:00-12:00, within one day, 24:00 being its end")]
    NotAPeriod(String),
    /// Periods overlap.
    #[error("the periods {0} and {1} overlap or are out of order")]
    Overlap(Hours, Hours),
    /// Backwards.
    #[error("{0} milliseconds of working time cannot be added: it must not be below zero")]
    Negative(i64),
    /// Beyond the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};
    use proptest::prelude::*;

    use super::{Calendar, CalendarConfig, CalendarError, Hours, WeeklyHours};
    use crate::UnixMs;

    const HOUR: i64 = 3_600_000;

    fn office() -> Calendar {
        Calendar::new(CalendarConfig::default()).unwrap()
    }

    fn at(text: &str) -> UnixMs {
        text.parse().unwrap()
    }

    #[test]
    fn days_follow_the_merchants_zone_and_not_utc() {
        let before = at("2026-02-14T23:59:59.999+08:00");
        let after = at("2026-02-15T00:00:00+08:00");
        assert_eq!(office().day_key(before).unwrap(), "2026-02-14");
        assert_eq!(office().day_key(after).unwrap(), "2026-02-15");
        assert_eq!(office().month_key(at("2026-01-31T16:00:00Z")).unwrap(), "2026-02");
        assert_eq!(office().start_of_day(date(2026, 2, 15)).unwrap(), after);
    }

    #[test]
    fn holidays_make_up_days_and_weekends() {
        for (day, worked) in [
            (date(2026, 2, 13), true),  // Friday
            (date(2026, 2, 14), true),  // Saturday, made up
            (date(2026, 2, 15), false), // Spring Festival
            (date(2026, 2, 23), false), // its last day, a Monday
            (date(2026, 2, 24), true),  // Tuesday
            (date(2026, 3, 1), false),  // Sunday
            (date(2027, 10, 1), true),  // not announced yet: a Friday
        ] {
            assert_eq!(office().is_working_day(day), worked, "{day}");
        }
    }

    #[test]
    fn configuration_wins_over_the_tables() {
        let config: CalendarConfig = serde_json::from_str(
            r#"{"days_off":["2026-02-13"],"working_days":["2026-02-16","2027-01-02"],"hours":{"monday":["10:00-22:00"],"friday":["10:00-22:00"]}}"#,
        )
        .unwrap();
        let calendar = Calendar::new(config).unwrap();
        assert!(!calendar.is_working_day(date(2026, 2, 13)));
        assert!(calendar.is_working_day(date(2026, 2, 16)));
        assert!(calendar.is_working_day(date(2027, 1, 2)));
        let unofficial = CalendarConfig { public_holidays: false, ..CalendarConfig::default() };
        let calendar = Calendar::new(unofficial).unwrap();
        assert!(calendar.is_working_day(date(2026, 10, 1)));
        assert!(!calendar.is_working_day(date(2026, 2, 14)));
    }

    #[test]
    fn working_time_passes_lunch_night_weekend_and_holiday() {
        for (from, hours, deadline) in [
            ("2026-03-02T09:00:00+08:00", 3, "2026-03-02T12:00:00+08:00"), // ends with the period
            ("2026-03-02T11:00:00+08:00", 2, "2026-03-02T14:30:00+08:00"), // over lunch
            ("2026-03-02T12:30:00+08:00", 1, "2026-03-02T14:30:00+08:00"), // asked at lunch
            ("2026-03-02T20:00:00+08:00", 1, "2026-03-03T10:00:00+08:00"), // asked at night
            ("2026-03-06T17:00:00+08:00", 2, "2026-03-09T10:00:00+08:00"), // over the weekend
            ("2026-02-14T17:00:00+08:00", 2, "2026-02-24T10:00:00+08:00"), // make-up Saturday, then Spring Festival
        ] {
            assert_eq!(office().add_working_time(at(from), hours * HOUR).unwrap(), at(deadline), "{from} + {hours} h");
        }
    }

    #[test]
    fn no_time_is_now_and_negative_time_is_refused() {
        let night = at("2026-03-02T03:00:00+08:00");
        assert_eq!(office().add_working_time(night, 0).unwrap(), night);
        assert_eq!(office().add_working_time(night, -1), Err(CalendarError::Negative(-1)));
        assert_eq!(office().working_time_between(night, at("2026-03-01T03:00:00+08:00")).unwrap(), 0);
    }

    #[test]
    fn an_empty_calendar_is_refused() {
        let hours: WeeklyHours = serde_json::from_str("{}").unwrap();
        let empty = CalendarConfig { hours, ..CalendarConfig::default() };
        assert_eq!(Calendar::new(empty).unwrap_err(), CalendarError::NoHours);
    }

    #[test]
    fn mistaken_hours_are_refused_with_the_reason() {
        for text in ["9:00-12:00", "12:00-09:00", "09:00-09:00", "09:00", "22:00-25:00", "09:60-10:00", "22:00-02:00"] {
            assert_eq!(text.parse::<Hours>(), Err(CalendarError::NotAPeriod(text.to_owned())));
        }
        assert_eq!("00:00-24:00".parse::<Hours>().unwrap().to_string(), "00:00-24:00");
        let overlapping = r#"{"hours":{"monday":["09:00-12:00","11:00-13:00"]}}"#;
        let error = serde_json::from_str::<CalendarConfig>(overlapping).unwrap_err().to_string();
        assert!(error.contains("09:00-12:00 and 11:00-13:00 overlap"), "{error}");
        assert!(serde_json::from_str::<CalendarConfig>(r#"{"hours":{"mon":[]}}"#).is_err());
        assert_eq!(
            Calendar::new(CalendarConfig { utc_offset_minutes: 60_000, ..CalendarConfig::default() }).unwrap_err(),
            CalendarError::Offset(60_000)
        );
    }

    #[test]
    fn a_shop_that_never_closes_counts_every_hour() {
        let hours = WeeklyHours::every(Weekday::Monday, Weekday::Sunday, &["00:00-24:00".parse().unwrap()]).unwrap();
        let calendar =
            Calendar::new(CalendarConfig { hours, public_holidays: false, ..CalendarConfig::default() }).unwrap();
        let from = at("2026-02-15T01:02:03.004+08:00");
        assert_eq!(calendar.add_working_time(from, 48 * HOUR).unwrap(), from.try_add_millis(48 * HOUR).unwrap());
    }

    proptest! {
        /// Adding working time and measuring it are inverse, and a deadline never lies before its start.
        #[test]
        fn measuring_undoes_adding(from in 1_735_660_800_000_i64..1_798_761_600_000, working in 0_i64..200 * HOUR) {
            let from = UnixMs::from_millis(from).unwrap();
            let deadline = office().add_working_time(from, working).unwrap();
            prop_assert!(deadline >= from);
            prop_assert_eq!(office().working_time_between(from, deadline).unwrap(), working);
        }
    }
}
