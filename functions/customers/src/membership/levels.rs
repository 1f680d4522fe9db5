//! Levels of membership: a pure function of what a customer has spent, and of the instant.

use super::rules::calendar;
use domain::{Fen, TimeError, UnixMs};
use jiff::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

const DAY_MS: i64 = 86_400_000;

/// The levels of membership. Spend is what was paid for goods, without freight and without what was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelRules {
    /// Over how many days spend counts, the day of payment included, 1 to 3660. Days are of the merchant's calendar.
    #[schema(minimum = 1, maximum = 3660)]
    pub window_days: u32,
    /// How many days a level is kept after spend has ceased to suffice for it, 0 to 3660. So an upgrade is not followed by a downgrade
    /// for so long, unless goods that it came from go back.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3660)]
    pub keep_days: u32,
    /// The levels, the lowest first, at most 20.
    pub levels: Vec<LevelRule>,
}

/// A level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelRule {
    /// Its name.
    pub name: String,
    /// The spend that it takes, in fen; more than that of the level below. 0: every customer has it who has bought or has a card.
    pub threshold: Fen,
}

/// What a paid order adds to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spend {
    /// When it was paid.
    pub at: UnixMs,
    /// What was paid for goods less what was given back.
    pub amount: Fen,
}

/// A customer's level at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its place in the list of levels.
    pub level: Option<usize>,
    /// When it will be another if nothing is bought or given back.
    pub next: Option<UnixMs>,
}

/// By instant, in Unix milliseconds: which levels begin to be held (+1) and which no longer are (-1).
type Stretches = BTreeMap<i64, Vec<(Option<usize>, i64)>>;

impl LevelRules {
    /// What is wrong with the rules, if something is.
    pub fn fault(&self) -> Option<String> {
        if !(1..=3660).contains(&self.window_days) || self.keep_days > 3660 {
            return Some("give 1 to 3660 window_days and at most 3660 keep_days".to_owned());
        }
        if self.levels.is_empty() || self.levels.len() > 20 {
            return Some("give 1 to 20 levels".to_owned());
        }
        if let Some(level) = self.levels.iter().find(|level| level.name.is_empty() || level.name.chars().count() > 40) {
            return Some(format!("{:?} is no name: give 1 to 40 characters", level.name));
        }
        if self.levels.first().is_some_and(|level| level.threshold.is_negative())
            || self.levels.windows(2).any(|pair| matches!(pair, [low, high] if high.threshold <= low.threshold))
        {
            return Some("thresholds must rise from level to level, from 0 or more".to_owned());
        }
        let mut names: Vec<&str> = self.levels.iter().map(|level| level.name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| matches!(pair, [a, b] if a == b));
        twice.and_then(|pair| pair.first()).map(|name| format!("{name:?} is the name of two levels"))
    }

    /// The name of a level.
    pub fn name(&self, level: Option<usize>) -> Option<&str> {
        level.and_then(|place| self.levels.get(place)).map(|level| level.name.as_str())
    }

    /// Spend from this instant on suffices to know the level at `at`.
    pub fn reach(&self, at: UnixMs) -> i64 {
        at.millis().saturating_sub((i64::from(self.window_days) + i64::from(self.keep_days) + 1) * DAY_MS)
    }

    /// The level for this much spend in the window.
    fn qualified(&self, spend: i128) -> Option<usize> {
        self.levels.iter().rposition(|level| i128::from(level.threshold.get()) <= spend)
    }

    /// The level at `at`: the highest for which spend in the window has sufficed at some instant of the last `keep_days`.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] at the very ends of the calendar.
    pub fn standing(&self, spends: &[Spend], at: UnixMs) -> Result<Standing, TimeError> {
        // How many stretches of time hold each level, from the beginning of time on.
        let mut held: BTreeMap<Option<usize>, i64> = BTreeMap::new();
        let mut standing = Standing::default();
        for (instant, changes) in self.stretches(spends)? {
            for (level, change) in changes {
                *held.entry(level).or_default() += change;
            }
            held.retain(|_, count| *count > 0);
            let level = held.last_key_value().and_then(|(level, _)| *level);
            if instant <= at.millis() {
                standing.level = level;
            } else if level != standing.level {
                standing.next = UnixMs::from_millis(instant).ok();
                break;
            }
        }
        Ok(standing)
    }

    /// A level is held from when spend begins to suffice for it until `keep_days` after it has ceased to.
    fn stretches(&self, spends: &[Spend]) -> Result<Stretches, TimeError> {
        let calendar = calendar()?;
        let mut changes: BTreeMap<i64, i128> = BTreeMap::new();
        for spend in spends {
            let window = Span::new().try_days(i64::from(self.window_days)).map_err(|_| TimeError::OutOfRange)?;
            let last = calendar.day(spend.at)?.checked_add(window).map_err(|_| TimeError::OutOfRange)?;
            *changes.entry(spend.at.millis()).or_default() += i128::from(spend.amount.get());
            *changes.entry(calendar.start_of_day(last)?.millis()).or_default() -= i128::from(spend.amount.get());
        }
        let keep = i64::from(self.keep_days) * DAY_MS;
        let mut level = self.qualified(0);
        let mut stretches: Stretches = BTreeMap::from([(i64::MIN, vec![(level, 1)])]);
        let mut spend = 0;
        for (instant, change) in changes {
            spend += change;
            let now = self.qualified(spend);
            if now != level {
                stretches.entry(instant.saturating_add(keep)).or_default().push((level, -1));
                stretches.entry(instant).or_default().push((now, 1));
                level = now;
            }
        }
        Ok(stretches)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Silver from 100 fen, gold from 300, platinum from 1000.
    pub fn levels(window_days: u32, keep_days: u32) -> LevelRules {
        let level =
            |(name, threshold): &(&str, i64)| LevelRule { name: (*name).to_owned(), threshold: Fen::new(*threshold) };
        LevelRules {
            window_days,
            keep_days,
            levels: [("silver", 100), ("gold", 300), ("platinum", 1000)].iter().map(level).collect(),
        }
    }

    /// Midnight of the merchant's calendar, so many days after 2026-02-14, and so many hours.
    fn at(day: i64, hour: i64) -> UnixMs {
        let start: UnixMs = "2026-02-14T00:00:00+08:00".parse().unwrap();
        start.try_add_millis(day * DAY_MS + hour * 3_600_000).unwrap()
    }

    fn spend(day: i64, hour: i64, amount: i64) -> Spend {
        Spend { at: at(day, hour), amount: Fen::new(amount) }
    }

    /// The definition, word by word: spend at every hour of the last `keep_days`.
    fn plain(rules: &LevelRules, spends: &[Spend], now: UnixMs) -> Option<usize> {
        let calendar = calendar().unwrap();
        let qualifies = |instant: UnixMs| {
            let first = calendar.day(instant).unwrap().checked_sub(Span::new().days(rules.window_days - 1)).unwrap();
            let from = calendar.start_of_day(first).unwrap();
            let sum: i64 = spends.iter().filter(|s| s.at >= from && s.at <= instant).map(|s| s.amount.get()).sum();
            rules.levels.iter().rposition(|level| level.threshold.get() <= sum)
        };
        let hours = i64::from(rules.keep_days) * 24;
        // An instant of the last `keep_days`: the one so many days ago exactly is past.
        let past = (1..=hours).map(|hours| now.try_add_millis(-hours * 3_600_000 + 1).unwrap());
        past.chain([now]).map(qualifies).max().flatten()
    }

    #[test]
    fn a_level_is_reached_by_spend_and_lost_when_it_leaves_the_window() {
        let rules = levels(30, 0);
        let spends = [spend(0, 12, 200), spend(10, 12, 150)];
        let standing = |instant| rules.standing(&spends, instant).unwrap();
        assert_eq!(standing(at(0, 11)), Standing { level: None, next: Some(at(0, 12)) });
        assert_eq!(standing(at(0, 12)), Standing { level: Some(0), next: Some(at(10, 12)) });
        assert_eq!(standing(at(10, 12)), Standing { level: Some(1), next: Some(at(30, 0)) });
        assert_eq!(standing(at(30, 0)), Standing { level: Some(0), next: Some(at(40, 0)) });
        assert_eq!(standing(at(40, 0)), Standing { level: None, next: None });
    }

    #[test]
    fn a_level_is_kept_for_a_while_but_not_when_goods_go_back() {
        let rules = levels(30, 7);
        let spends = [spend(0, 0, 300)];
        assert_eq!(rules.standing(&spends, at(36, 23)).unwrap().level, Some(1));
        assert_eq!(rules.standing(&spends, at(37, 0)).unwrap(), Standing::default());
        let refunded = [spend(0, 0, 120)];
        assert_eq!(rules.standing(&refunded, at(1, 0)).unwrap(), Standing { level: Some(0), next: Some(at(37, 0)) });
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        assert_eq!(levels(365, 30).fault(), None);
        for change in [
            |rules: &mut LevelRules| rules.window_days = 0,
            |rules: &mut LevelRules| rules.keep_days = 4000,
            |rules: &mut LevelRules| rules.levels.clear(),
            |rules: &mut LevelRules| rules.levels.reverse(),
            |rules: &mut LevelRules| rules.levels[0].name = "gold".to_owned(),
            |rules: &mut LevelRules| rules.levels[0].name = String::new(),
            |rules: &mut LevelRules| rules.levels[0].threshold = Fen::new(-1),
        ] {
            let mut wrong = levels(365, 30);
            change(&mut wrong);
            assert!(wrong.fault().is_some());
        }
    }

    proptest! {
        #[test]
        fn the_level_is_what_its_definition_says_at_each_instant(
            spends in prop::collection::vec((0..40_i64, 0..24_i64, 0..700_i64), 0..6),
            window in 1..20_u32, keep in 0..6_u32, now in (0..60_i64, 0..24_i64),
        ) {
            let rules = levels(window, keep);
            let spends: Vec<Spend> = spends.iter().map(|(day, hour, amount)| spend(*day, *hour, *amount)).collect();
            let now = at(now.0, now.1);
            let standing = rules.standing(&spends, now).unwrap();
            prop_assert_eq!(standing.level, plain(&rules, &spends, now));
            // What leaves the reach makes no difference, nor does the order.
            let mut near: Vec<Spend> = spends.iter().copied().filter(|s| s.at.millis() >= rules.reach(now)).collect();
            near.reverse();
            prop_assert_eq!(&rules.standing(&near, now).unwrap(), &standing);
            if let Some(next) = standing.next {
                prop_assert!(next > now);
                prop_assert_ne!(plain(&rules, &spends, next), standing.level);
                let before = next.try_add_millis(-1).unwrap();
                prop_assert_eq!(rules.standing(&spends, before).unwrap().level, standing.level);
            }
        }
    }
}
