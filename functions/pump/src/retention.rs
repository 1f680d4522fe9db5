//! What is forgotten with time, in small batches, by the tick: answers kept for repeated requests, digests of messages taken in, and
//! what platforms have answered to our calls. The log, orders and the audit stay.

use domain::UnixMs;
use kit::{ConfigError, Variables};

/// The variable: for how many days digests and answers are kept.
pub const KEEP_DAYS: &str = "keep_days";

/// A month. Platforms repeat a message for hours, the most patient ones for days.
const DEFAULT_DAYS: u32 = 30;
/// A digest that is forgotten while its platform still repeats the message has been kept for nothing.
const FEWEST_DAYS: u32 = 7;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How many rows of a table one tick forgets at the most: the write lock is held for milliseconds.
pub const BATCH: u32 = 1000;

/// For how long is kept what is not kept for ever.
#[derive(Clone, Copy)]
pub struct Retention {
    days: u32,
}

impl Retention {
    /// What the variable says.
    ///
    /// # Errors
    /// [`ConfigError`] when it is not a number of days, or too few of them.
    pub fn new(variables: &Variables) -> Result<Self, ConfigError> {
        let expected = format!("a whole number of days, {FEWEST_DAYS} or more");
        let days = variables.parsed(KEEP_DAYS, DEFAULT_DAYS, &expected)?;
        if days < FEWEST_DAYS { Err(ConfigError::wrong(KEEP_DAYS, &expected)) } else { Ok(Self { days }) }
    }

    /// What is from this instant (Unix milliseconds) or before may be forgotten.
    pub fn until(self, now: UnixMs) -> i64 {
        now.millis().saturating_sub(i64::from(self.days) * DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_a_week_or_more_and_a_month_unless_given() {
        let now = UnixMs::from_seconds(1_771_032_600).unwrap();
        let kept = |value| {
            let retention = Retention::new(&Variables::from_pairs([(KEEP_DAYS, value)]));
            retention.map(|retention| (now.millis() - retention.until(now)) / DAY_MS)
        };
        assert_eq!((kept(""), kept("7"), kept("400")), (Ok(30), Ok(7), Ok(400)));
        for wrong in ["6", "0", "-1", "30d", "1e3"] {
            assert_eq!(kept(wrong).unwrap_err().variable, KEEP_DAYS, "{wrong}");
        }
        assert!(kept("4294967295").is_ok());
    }
}
