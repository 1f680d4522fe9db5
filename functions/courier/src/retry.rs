//! When a call that failed is sent again.

/// How often a call is sent at the most: for more than a day, in which somebody may mend what is wrong.
pub const TRIES: i64 = 40;
/// The first pause, in milliseconds.
const FIRST_MS: u64 = 500;
/// The longest pause: an hour.
const LONGEST_MS: u64 = 3_600_000;

/// The pause before the next try, in milliseconds, before jitter: doubled each time, at most an hour.
pub fn pause_ms(attempts: i64) -> u64 {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 32)).unwrap_or(32);
    FIRST_MS.saturating_mul(1_u64 << doublings).min(LONGEST_MS)
}

/// The pause before the next try of a welcome, in milliseconds: its code lives twenty seconds.
pub fn welcome_pause_ms(attempts: i64) -> u64 {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 3)).unwrap_or(3);
    WELCOME_MS << doublings
}

/// The first pause before a welcome is tried again, in milliseconds.
const WELCOME_MS: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stop_growing() {
        assert_eq!([1, 2, 3, 4].map(pause_ms), [500, 1000, 2000, 4000]);
        assert_eq!(pause_ms(0), 500);
        assert_eq!(pause_ms(i64::MAX), LONGEST_MS);
        let waited: u64 = (1..TRIES).map(pause_ms).sum();
        assert!(waited > 24 * LONGEST_MS, "an operator has a day to mend a setting: {waited}");
    }

    #[test]
    fn a_welcome_is_tried_quickly_and_often_enough_to_fill_its_time() {
        assert_eq!([1, 2, 3, 4, 5, 11].map(welcome_pause_ms), [300, 600, 1200, 2400, 2400, 2400]);
        let pauses: u64 = (1..TRIES).map(welcome_pause_ms).sum();
        assert!(pauses > 20_000, "the tries must not end before the code does: {pauses}");
    }
}
