//! The circuit breaker: after failures in a row a destination is left alone for a while, then tried with one call.

/// How many failures in a row open the circuit.
pub const FAILURES: i64 = 5;
/// How long it stays open, in milliseconds.
pub const OPEN_MS: i64 = 30_000;
/// The same where calls live only some seconds: to wait longer would be to lose them all.
pub const SHORT_OPEN_MS: i64 = 2_000;

/// How many calls the breaker lets through at `now` (Unix milliseconds), of the `most` that the budget allows.
pub fn allowed(failures: i64, open_until: i64, now: i64, most: i64) -> i64 {
    if now < open_until {
        0
    } else if failures >= FAILURES {
        most.min(1)
    } else {
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_circuit_lets_nothing_through_and_then_one() {
        assert_eq!(allowed(4, 0, 1000, 7), 7);
        assert_eq!(allowed(5, 1001, 1000, 7), 0);
        assert_eq!(allowed(5, 1000, 1000, 7), 1);
        assert_eq!(allowed(5, 1000, 1000, 0), 0);
        assert_eq!(allowed(0, 0, 1000, 7), 7);
    }
}
