//! China's public holidays and make-up working days (调休), as the State Council's General Office announced them.
//!
//! 2025: 国办发明电〔2024〕12号 of 12 November 2024. 2026: 国办发明电〔2025〕7号 of 4 November 2025. Each year's is announced
//! around November; add it here, or name its days in the configuration until then.

use jiff::civil::{Date, date};

/// The last day that the tables cover.
pub(super) const KNOWN_UNTIL: Date = date(2026, 12, 31);

pub(super) fn is_holiday(day: Date) -> bool {
    HOLIDAYS.iter().any(|(first, last)| (*first..=*last).contains(&day))
}

pub(super) fn is_make_up_day(day: Date) -> bool {
    MAKE_UP_DAYS.contains(&day)
}

/// First and last day of each holiday.
const HOLIDAYS: [(Date, Date); 13] = [
    (date(2025, 1, 1), date(2025, 1, 1)),   // New Year
    (date(2025, 1, 28), date(2025, 2, 4)),  // Spring Festival
    (date(2025, 4, 4), date(2025, 4, 6)),   // Qingming
    (date(2025, 5, 1), date(2025, 5, 5)),   // Labour Day
    (date(2025, 5, 31), date(2025, 6, 2)),  // Dragon Boat
    (date(2025, 10, 1), date(2025, 10, 8)), // National Day and Mid-Autumn
    (date(2026, 1, 1), date(2026, 1, 3)),   // New Year
    (date(2026, 2, 15), date(2026, 2, 23)), // Spring Festival
    (date(2026, 4, 4), date(2026, 4, 6)),   // Qingming
    (date(2026, 5, 1), date(2026, 5, 5)),   // Labour Day
    (date(2026, 6, 19), date(2026, 6, 21)), // Dragon Boat
    (date(2026, 9, 25), date(2026, 9, 27)), // Mid-Autumn
    (date(2026, 10, 1), date(2026, 10, 7)), // National Day
];

/// Saturdays and Sundays that are worked.
const MAKE_UP_DAYS: [Date; 11] = [
    date(2025, 1, 26),
    date(2025, 2, 8),
    date(2025, 4, 27),
    date(2025, 9, 28),
    date(2025, 10, 11),
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
];

#[cfg(test)]
mod tests {
    use jiff::civil::Weekday;

    use super::{HOLIDAYS, MAKE_UP_DAYS, is_holiday};

    /// Make-up days are weekend days, and none of them lies in a holiday: catches most slips of the pen.
    #[test]
    fn make_up_days_are_weekend_days_outside_holidays() {
        for day in MAKE_UP_DAYS {
            assert!(matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday), "{day}");
            assert!(!is_holiday(day), "{day}");
        }
    }

    /// Days off in all, per the annual totals: 28 in 2025 and 33 in 2026 (each holiday's length as announced, added up).
    #[test]
    fn holidays_have_their_announced_lengths() {
        let lengths: Vec<i32> =
            HOLIDAYS.iter().map(|(first, last)| first.until(*last).unwrap().get_days() + 1).collect();
        assert_eq!(lengths, [1, 8, 3, 5, 3, 8, 3, 9, 3, 5, 3, 3, 7]);
    }
}
