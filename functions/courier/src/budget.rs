//! How many calls a destination may have now: a token bucket.

use platforms::marketplace::Limit;

/// A token bucket. Tokens are counted in thousandths of a call, so that a rate per second refills by whole numbers each
/// millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Thousandths of a call.
    pub tokens: i64,
    /// When they were counted, Unix milliseconds.
    pub refilled_at: i64,
}

impl Bucket {
    /// A full bucket.
    pub fn full(limit: Limit, now: i64) -> Self {
        Self { tokens: limit.burst.saturating_mul(1000), refilled_at: now }
    }

    /// The bucket as it stands at `now`. A clock that goes backward adds nothing.
    pub fn refilled(self, limit: Limit, now: i64) -> Self {
        let elapsed = now.saturating_sub(self.refilled_at).max(0);
        let tokens = self.tokens.saturating_add(elapsed.saturating_mul(limit.per_second));
        Self { tokens: tokens.min(limit.burst.saturating_mul(1000)), refilled_at: now.max(self.refilled_at) }
    }

    /// How many calls it holds.
    pub fn calls(self) -> i64 {
        self.tokens.div_euclid(1000)
    }

    /// The bucket after `calls` calls.
    pub fn spent(self, calls: i64) -> Self {
        Self { tokens: self.tokens.saturating_sub(calls.saturating_mul(1000)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: Limit = Limit { per_second: 10, burst: 20 };

    proptest! {
        #[test]
        fn in_any_stretch_of_time_no_more_calls_go_out_than_the_limit(steps in proptest::collection::vec((0_i64..5000, 0_i64..50), 1..100)) {
            let (mut bucket, mut now, mut sent) = (Bucket::full(LIMIT, 0), 0, 0);
            for (pause, wanted) in steps {
                now += pause;
                bucket = bucket.refilled(LIMIT, now);
                let calls = wanted.min(bucket.calls());
                bucket = bucket.spent(calls);
                sent += calls;
                prop_assert!(bucket.tokens >= 0);
                prop_assert!(sent * 1000 <= LIMIT.burst * 1000 + now * LIMIT.per_second);
            }
        }
    }

    #[test]
    fn a_bucket_refills_to_its_burst_and_no_further() {
        let empty = Bucket { tokens: 0, refilled_at: 0 };
        assert_eq!(empty.refilled(LIMIT, 99).calls(), 0);
        assert_eq!(empty.refilled(LIMIT, 100).calls(), 1);
        assert_eq!(empty.refilled(LIMIT, 1_000_000).calls(), 20);
        assert_eq!(empty.refilled(LIMIT, -5).calls(), 0);
    }
}
