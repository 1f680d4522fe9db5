//! How often each call may be made. Whoever makes one too many is shut out for as long as the limit's window.

use std::collections::BTreeMap;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Limits that hold for every API by itself, and what was used of them.
#[derive(Debug)]
pub struct Limits {
    per_minute: u32,
    per_hour: u32,
    /// Other limits per minute, by API.
    special: BTreeMap<String, u32>,
    used: BTreeMap<(String, i64), Used>,
}

#[derive(Debug, Default)]
struct Used {
    /// When the window began, Unix ms.
    since: i64,
    count: u32,
    /// Shut out until then, Unix ms.
    blocked: i64,
}

impl Limits {
    /// So many calls of every API.
    pub fn new(per_minute: u32, per_hour: u32) -> Self {
        Self { per_minute, per_hour, special: BTreeMap::new(), used: BTreeMap::new() }
    }

    /// So many calls of this API per minute from now on.
    pub fn set(&mut self, api: &str, per_minute: u32) {
        self.special.insert(api.to_owned(), per_minute);
        self.used.remove(&(api.to_owned(), MINUTE));
    }

    /// Whether one more call at `now` (Unix ms) is allowed; it counts.
    pub(crate) fn take(&mut self, api: &str, now: i64) -> bool {
        let per_minute = self.special.get(api).copied().unwrap_or(self.per_minute);
        let mut allowed = true;
        for (length, most) in [(MINUTE, per_minute), (HOUR, self.per_hour)] {
            let used = self.used.entry((api.to_owned(), length)).or_default();
            if now >= used.since + length || now < used.since {
                *used = Used { since: now, count: 0, blocked: used.blocked };
            }
            used.count += 1;
            if used.count > most && now >= used.blocked {
                used.blocked = now + length;
            }
            allowed &= now >= used.blocked;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_too_many_shuts_out_for_a_window_and_other_apis_not() {
        let mut limits = Limits::new(2, 100);
        assert!(limits.take("a", 0) && limits.take("a", 50_000));
        assert!(!limits.take("a", 55_000) && !limits.take("a", 60_001), "a minute from the call that was too many");
        assert!(limits.take("b", 55_000));
        assert!(limits.take("a", 115_001));
        limits.set("b", 1);
        assert!(limits.take("b", 120_000) && !limits.take("b", 120_000));
        let mut limits = Limits::new(100, 3);
        assert!((0..3).all(|n| limits.take("a", n * MINUTE)));
        assert!(!limits.take("a", 4 * MINUTE) && !limits.take("a", 63 * MINUTE));
        assert!(limits.take("a", 64 * MINUTE + 1));
    }
}
