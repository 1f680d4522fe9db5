//! When a call that failed is sent again.

/// How often a call is sent at the most.
pub const TRIES: i64 = 12;
/// The first pause, in milliseconds.
const FIRST_MS: u64 = 500;
/// The longest pause: an hour.
const LONGEST_MS: u64 = 3_600_000;

/// The pause before the next try, in milliseconds, before jitter: doubled each time, at most an hour.
pub fn pause_ms(attempts: i64) -> u64 {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 32)).unwrap_or(32);
    FIRST_MS.saturating_mul(1_u64 << doublings).min(LONGEST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stop_growing() {
        assert_eq!([1, 2, 3, 4].map(pause_ms), [500, 1000, 2000, 4000]);
        assert_eq!(pause_ms(0), 500);
        assert_eq!(pause_ms(i64::MAX), LONGEST_MS);
    }
}
