//! The merchant's days, hours and weekdays. A day is a number: days since 1970-01-01 in the merchant's calendar (Asia/Shanghai).

use std::sync::OnceLock;

use jiff::Span;
use jiff::civil::{Date, date};

use crate::{Calendar, CalendarConfig, TimeError, UnixMs};

/// Days since 1970-01-01 in the merchant's calendar.
pub type Day = i32;

const EPOCH: Date = date(1970, 1, 1);
/// Minutes east of UTC: the calendar's own default.
const OFFSET_MS: i64 = 480 * 60_000;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

fn local(instant: UnixMs) -> i64 {
    instant.millis().saturating_add(OFFSET_MS)
}

/// The day at `instant`.
pub fn of(instant: UnixMs) -> Day {
    Day::try_from(local(instant).div_euclid(DAY_MS)).unwrap_or(Day::MAX)
}

/// The hour at `instant`, 0 to 23.
pub fn hour(instant: UnixMs) -> u8 {
    u8::try_from(local(instant).rem_euclid(DAY_MS) / HOUR_MS).unwrap_or(0)
}

/// The weekday of a day, 1 (Monday) to 7 (Sunday).
pub fn weekday(day: Day) -> u8 {
    // 1970-01-01 was a Thursday.
    u8::try_from((i64::from(day) + 3).rem_euclid(7) + 1).unwrap_or(1)
}

/// The instant at which a day begins.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn start(day: Day) -> Result<UnixMs, TimeError> {
    UnixMs::from_millis(i64::from(day).saturating_mul(DAY_MS).saturating_sub(OFFSET_MS))
}

/// The date of a day; none beyond the calendar's ends.
pub fn date_of(day: Day) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(i64::from(day)).ok()?).ok()
}

/// The day of a date.
pub fn of_date(date: Date) -> Day {
    EPOCH.until(date).map_or(0, |span| span.get_days())
}

/// The month of a day, 1 to 12.
pub fn month(day: Day) -> u8 {
    date_of(day).map_or(0, |date| u8::try_from(date.month()).unwrap_or(0))
}

/// Whether a day is worked: public holidays and make-up days (调休) count.
pub fn is_worked(day: Day) -> bool {
    static OFFICE: OnceLock<Option<Calendar>> = OnceLock::new();
    let office = OFFICE.get_or_init(|| Calendar::new(CalendarConfig::default()).ok());
    date_of(day).zip(office.as_ref()).is_some_and(|(date, office)| office.is_working_day(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_the_merchants_midnight() {
        let late: UnixMs = "2026-02-14T23:59:59.999+08:00".parse().unwrap();
        let next: UnixMs = "2026-02-15T00:00:00+08:00".parse().unwrap();
        assert_eq!(date_of(of(late)), Some(date(2026, 2, 14)));
        assert_eq!(of_date(date(2026, 2, 14)), of(late));
        assert_eq!(date_of(of_date(date(1969, 12, 31))), Some(date(1969, 12, 31)));
        assert_eq!(of(next), of(late) + 1);
        assert_eq!(start(of(next)), Ok(next));
        assert_eq!((hour(late), hour(next)), (23, 0));
        assert_eq!((weekday(of(late)), weekday(of(next)), month(of(next))), (6, 7, 2));
        // A make-up Saturday, then Spring Festival.
        assert!(is_worked(of(late)) && !is_worked(of(next)));
    }
}
