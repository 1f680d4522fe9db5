//! Which lots points are taken from: those that expire first.

use domain::UnixMs;

/// Points that came in together and expire together, as far as some remain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lot {
    /// The entry of the ledger that they came in with.
    pub entry: i64,
    /// What is neither spent nor reversed nor expired.
    pub remains: i64,
    /// What was taken off because its time was over.
    pub expired: i64,
    /// From when on the rest is worth nothing.
    pub expires_at: UnixMs,
}

impl Lot {
    /// What of it can be spent now. The clock decides, not the timer that writes off what has expired.
    pub fn worth(&self, now: UnixMs) -> i64 {
        if self.expires_at > now { self.remains } else { 0 }
    }
}

/// Points taken from a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The lot's entry.
    pub lot: i64,
    /// How many, at least 1.
    pub points: i64,
}

/// Takes up to `points` from lots that are worth something now, those that expire first first, and of those the oldest. Less than was
/// asked for where there is not more.
pub fn take(lots: &[Lot], points: i64, now: UnixMs) -> Vec<Taken> {
    let mut worth: Vec<&Lot> = lots.iter().filter(|lot| lot.worth(now) > 0).collect();
    worth.sort_by_key(|lot| (lot.expires_at, lot.entry));
    let mut asked = points;
    let mut taken = Vec::new();
    for lot in worth {
        let part = lot.remains.min(asked);
        if part <= 0 {
            break;
        }
        taken.push(Taken { lot: lot.entry, points: part });
        asked -= part;
    }
    taken
}

/// What a reversal takes from an order's own lots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnReversal {
    /// What remained in them.
    pub taken: Vec<Taken>,
    /// What had expired: gone already, so that nobody loses it twice.
    pub expired: Vec<Taken>,
    /// What was spent: other lots pay it, or it is owed.
    pub rest: i64,
}

/// Takes back `points` of what an order had earned from its own lots: what remains, the newest first, then what has expired.
pub fn reverse(lots: &[Lot], points: i64) -> OwnReversal {
    let mut found = OwnReversal { rest: points, ..OwnReversal::default() };
    for lot in lots.iter().rev() {
        let part = lot.remains.min(found.rest);
        if part > 0 {
            found.taken.push(Taken { lot: lot.entry, points: part });
            found.rest -= part;
        }
    }
    for lot in lots.iter().rev() {
        let part = lot.expired.min(found.rest);
        if part > 0 {
            found.expired.push(Taken { lot: lot.entry, points: part });
            found.rest -= part;
        }
    }
    found
}

/// The sum of what was taken.
pub fn sum(taken: &[Taken]) -> i64 {
    taken.iter().map(|taken| taken.points).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(entry: i64, remains: i64, expires_at: i64) -> Lot {
        Lot { entry, remains, expired: 0, expires_at: at(expires_at) }
    }

    fn at(millis: i64) -> UnixMs {
        UnixMs::from_millis(millis).unwrap()
    }

    #[test]
    fn what_expires_first_is_spent_first() {
        let lots = [lot(1, 50, 300), lot(2, 30, 200), lot(3, 20, 200), lot(4, 99, 100)];
        let parts = |points, now| -> Vec<(i64, i64)> {
            take(&lots, points, at(now)).iter().map(|taken| (taken.lot, taken.points)).collect()
        };
        assert_eq!(parts(40, 150), [(2, 30), (3, 10)]);
        assert_eq!(parts(40, 99), [(4, 40)]);
        assert_eq!(parts(40, 100), [(2, 30), (3, 10)], "at the instant of its expiry a lot is worth nothing");
        assert_eq!(parts(500, 199), [(2, 30), (3, 20), (1, 50)], "there is not more");
        assert_eq!(parts(1, 300), []);
        assert_eq!(parts(0, 0), []);
    }

    #[test]
    fn a_reversal_takes_what_remains_then_what_expired_and_the_rest_was_spent() {
        let lots = [Lot { expired: 30, ..lot(1, 10, 1) }, lot(2, 5, 2)];
        let found = reverse(&lots, 60);
        assert_eq!(found.taken, [Taken { lot: 2, points: 5 }, Taken { lot: 1, points: 10 }]);
        assert_eq!(found.expired, [Taken { lot: 1, points: 30 }]);
        assert_eq!(found.rest, 15);
        assert_eq!(reverse(&lots, 4).rest, 0);
    }
}
