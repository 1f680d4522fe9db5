//! RFM: how recently, how often and for how much money somebody bought, each as a score of 1 to 5 by the merchant's limits.

use super::name::{Stat, Window};
use super::state::State;
use super::value::{net, windowed};
use domain::day::Day;
use serde::{Deserialize, Serialize};

/// The key under which rules are found that mention a score: touched when limits change.
pub const RFM: &str = "@rfm";

/// The limits between scores, four each, ascending. Who is equal to a limit gets the better score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How far back orders and money count.
    #[serde(with = "window")]
    pub window: Window,
    /// Days since the last order up to which the scores 5, 4, 3 and 2 are given.
    pub recency: [i64; 4],
    /// Orders in the window from which the scores 2, 3, 4 and 5 are given.
    pub frequency: [i64; 4],
    /// Net money in the window, in fen, from which the scores 2, 3, 4 and 5 are given.
    pub monetary: [i64; 4],
}

impl Limits {
    /// The limits while the merchant has none of its own.
    pub const DEFAULT: Self = Self {
        window: Window::Days(365),
        recency: [30, 60, 90, 180],
        frequency: [2, 4, 6, 10],
        monetary: [30_000, 100_000, 200_000, 500_000],
    };
}

/// What the scores of one customer are given for. Each is none where the score is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Days since the last order; none without one.
    pub recency: Option<i64>,
    /// Orders in the window; none without one.
    pub frequency: Option<i64>,
    /// Net money in the window, in fen; none unless there is some.
    pub monetary: Option<i64>,
}

impl Figures {
    /// The figures on `today`.
    pub fn of(state: &State, window: Window, today: Day) -> Self {
        let above_zero = |number: i64| Some(number).filter(|number| *number > 0);
        Self {
            recency: last_order(state).map(|last| i64::from(today.saturating_sub(last))),
            frequency: above_zero(windowed(state.series("orders"), Stat::Count, window, today)),
            monetary: above_zero(net(state, window, today)),
        }
    }

    /// The scores of recency, frequency and money: 1 to 5, or 0.
    pub fn scores(self, limits: &Limits) -> [i64; 3] {
        let reached = |own: &[i64; 4], by: &dyn Fn(i64) -> bool| {
            i64::try_from(own.iter().filter(|limit| by(**limit)).count()).unwrap_or(0).saturating_add(1)
        };
        [
            self.recency.map_or(0, |days| reached(&limits.recency, &|limit| days <= limit)),
            self.frequency.map_or(0, |count| reached(&limits.frequency, &|limit| count >= limit)),
            self.monetary.map_or(0, |money| reached(&limits.monetary, &|limit| money >= limit)),
        ]
    }
}

fn last_order(state: &State) -> Option<Day> {
    state.series("orders")?.last_day()
}

/// The next day after `today` on which the score of recency falls.
pub fn next_recency(state: &State, limits: &Limits, today: Day) -> Option<Day> {
    let last = last_order(state)?;
    let falls = |limit: i64| Day::try_from(limit).ok().map(|limit| last.saturating_add(limit).saturating_add(1));
    limits.recency.into_iter().filter_map(falls).find(|day| *day > today)
}

/// Which of `count` figures in ascending order are the four limits between fifths, counted from 0. Of frequency and money a limit is the least of the
/// upper part, of recency (`upper` is false) the most of the lower part.
pub fn fifths(count: i64, upper: bool) -> Option<[i64; 4]> {
    let place = |fifth: i64| {
        let product = fifth.saturating_mul(count);
        if upper { product / 5 } else { (product.saturating_add(4) / 5).saturating_sub(1) }
    };
    (count > 0).then(|| [1, 2, 3, 4].map(place))
}

mod window {
    //! A window as its text.

    use super::Window;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(window: &Window, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(window)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Window, D::Error> {
        let text = String::deserialize(deserializer)?;
        Window::parse(&text).ok_or_else(|| serde::de::Error::custom("not a window"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_by_limits() {
        let scores = |recency, frequency, monetary| Figures { recency, frequency, monetary }.scores(&Limits::DEFAULT);
        for (figures, wanted) in [
            ((None, None, None), [0, 0, 0]),
            ((Some(0), Some(1), Some(1)), [5, 1, 1]),
            ((Some(30), Some(2), Some(30_000)), [5, 2, 2]),
            ((Some(31), Some(3), Some(99_999)), [4, 2, 2]),
            ((Some(180), Some(9), Some(499_999)), [2, 4, 4]),
            ((Some(181), Some(10), Some(500_000)), [1, 5, 5]),
        ] {
            assert_eq!(scores(figures.0, figures.1, figures.2), wanted, "{figures:?}");
        }
    }

    #[test]
    fn the_limits_are_the_merchants_own_fifths_and_ties_get_the_better_score() {
        assert_eq!(fifths(0, true), None);
        assert_eq!(fifths(5, true), Some([1, 2, 3, 4]));
        assert_eq!(fifths(5, false), Some([0, 1, 2, 3]));
        assert_eq!(fifths(1, true), Some([0, 0, 0, 0]));
        assert_eq!(fifths(1, false), Some([0, 0, 0, 0]));
        assert_eq!(fifths(7, true), Some([1, 2, 4, 5]));
        assert_eq!(fifths(7, false), Some([1, 2, 4, 5]));
    }

    proptest! {
        /// Fifths are fair: without ties no score is given to more than one buyer over a fifth of them.
        #[test]
        fn no_fifth_is_larger_than_another_by_more_than_one(count in 5..200_i64) {
            for upper in [false, true] {
                let places = fifths(count, upper).unwrap();
                let figures: Vec<i64> = (0..count).collect();
                let scores = figures.iter().map(|own| {
                    places.iter().filter(|limit| if upper { own >= limit } else { own <= limit }).count()
                });
                let mut by_score = [0_i64; 5];
                for score in scores { by_score[score] += 1; }
                let (least, most) = (by_score.iter().min().unwrap(), by_score.iter().max().unwrap());
                prop_assert!(most - least <= 1, "{by_score:?} of {count}");
            }
        }
    }
}
