//! Business hours: periods of a day, by weekday.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use serde::Deserialize;

use super::CalendarError;

/// A period of one day, in minutes since midnight; the end is not part of it. Text form: `09:00-12:00`, up to `24:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Hours {
    start: u16,
    end: u16,
}

impl Hours {
    /// First minute, since midnight.
    pub const fn start(self) -> u16 {
        self.start
    }

    /// Minute after the last, since midnight; at most 1440.
    pub const fn end(self) -> u16 {
        self.end
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, end } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60)
    }
}

impl FromStr for Hours {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let minutes = |clock: &str| {
            let (hour, minute) = clock.split_once(':')?;
            let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            if !two_digits(hour) || !two_digits(minute) {
                return None;
            }
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (minute < 60).then_some(hour * 60 + minute)
        };
        text.split_once('-')
            .and_then(|(start, end)| Some(Self { start: minutes(start)?, end: minutes(end)? }))
            .filter(|hours| hours.start < hours.end && hours.end <= 24 * 60)
            .ok_or_else(|| CalendarError::NotAPeriod(text.to_owned()))
    }
}

impl TryFrom<String> for Hours {
    type Error = CalendarError;

    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

/// Business hours by weekday; a weekday that is left out is not worked. Periods stand in order and do not overlap.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WeeklyForm")]
pub struct WeeklyHours([Vec<Hours>; 7]);

impl WeeklyHours {
    /// The same periods on the weekdays from `first` to `last`.
    ///
    /// # Errors
    /// [`CalendarError::Overlap`] when the periods overlap or are out of order.
    pub fn every(first: Weekday, last: Weekday, periods: &[Hours]) -> Result<Self, CalendarError> {
        let worked = first.to_monday_zero_offset()..=last.to_monday_zero_offset();
        let week = (0..7).map(|day| if worked.contains(&day) { periods.to_vec() } else { Vec::new() });
        let mut hours = <[Vec<Hours>; 7]>::default();
        hours.iter_mut().zip(week).for_each(|(slot, day)| *slot = day);
        Self::checked(hours)
    }

    /// The periods of a weekday.
    pub fn on(&self, weekday: Weekday) -> &[Hours] {
        self.by_weekday(weekday)
    }

    /// The periods of a weekend day that is worked to make up for a holiday: its own if it has any, else those of the first
    /// weekday that has.
    pub fn on_make_up_day(&self, weekday: Weekday) -> &[Hours] {
        let own = self.by_weekday(weekday);
        if own.is_empty() { self.0.iter().find(|periods| !periods.is_empty()).map_or(own, Vec::as_slice) } else { own }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    fn by_weekday(&self, weekday: Weekday) -> &[Hours] {
        let [mon, tue, wed, thu, fri, sat, sun] = &self.0;
        match weekday {
            Weekday::Monday => mon,
            Weekday::Tuesday => tue,
            Weekday::Wednesday => wed,
            Weekday::Thursday => thu,
            Weekday::Friday => fri,
            Weekday::Saturday => sat,
            Weekday::Sunday => sun,
        }
    }

    fn checked(week: [Vec<Hours>; 7]) -> Result<Self, CalendarError> {
        for pair in week.iter().flat_map(|day| day.windows(2)) {
            if let [earlier, later] = pair
                && earlier.end > later.start
            {
                return Err(CalendarError::Overlap(*earlier, *later));
            }
        }
        Ok(Self(week))
    }
}

impl Default for WeeklyHours {
    /// Monday to Friday, 09:00-12:00 and 13:30-18:00.
    fn default() -> Self {
        let office = || vec![Hours { start: 9 * 60, end: 12 * 60 }, Hours { start: 13 * 60 + 30, end: 18 * 60 }];
        Self([office(), office(), office(), office(), office(), Vec::new(), Vec::new()])
    }
}

/// The JSON form, not yet checked.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WeeklyForm {
    monday: Vec<Hours>,
    tuesday: Vec<Hours>,
    wednesday: Vec<Hours>,
    thursday: Vec<Hours>,
    friday: Vec<Hours>,
    saturday: Vec<Hours>,
    sunday: Vec<Hours>,
}

impl TryFrom<WeeklyForm> for WeeklyHours {
    type Error = CalendarError;

    fn try_from(form: WeeklyForm) -> Result<Self, CalendarError> {
        let WeeklyForm { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = form;
        Self::checked([monday, tuesday, wednesday, thursday, friday, saturday, sunday])
    }
}
