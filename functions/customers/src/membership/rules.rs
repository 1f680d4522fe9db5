//! How orders earn points: the merchant's rules, and what an order earns by them.

use super::order::{KeptOrder, NetLine};
use domain::{Calendar, CalendarConfig, Fen, TimeError, UnixMs};
use jiff::Span;
use jiff::civil::date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The most points that one order earns, and that one adjustment moves.
pub const MOST_POINTS: i64 = 1_000_000_000_000;
/// The highest multiplier, in percent.
const MOST_PERCENT: u16 = 1000;

/// How orders earn points. Multipliers are in percent (200 doubles) and multiply each other; what is not named has 100.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointRules {
    /// How many points for how much money.
    pub rate: Rate,
    /// At which step of the order they are credited.
    pub when: EarnWhen,
    /// Orders earn nothing whose goods cost less, in fen, after discounts and refunds and without freight.
    #[serde(default)]
    pub minimum: Fen,
    /// How long they can be spent.
    pub lifetime: Lifetime,
    /// How many days before they expire `points.expiring` tells so; never where it is absent.
    #[serde(default)]
    pub remind_days: Option<u16>,
    /// Multipliers by platform: `douyin`.
    #[serde(default)]
    pub platforms: BTreeMap<String, u16>,
    /// Multipliers by shop: `douyin/4463798`.
    #[serde(default)]
    pub shops: BTreeMap<String, u16>,
    /// Multipliers by the merchant's SKU code.
    #[serde(default)]
    pub skus: BTreeMap<String, u16>,
    /// Multipliers by the buyer's level of membership before the order.
    #[serde(default)]
    pub levels: BTreeMap<String, u16>,
    /// SKUs that earn nothing.
    #[serde(default)]
    pub excluded_skus: BTreeSet<String>,
}

/// So many points for so much money: an exact fraction. One point a yuan is `{"points": 1, "fen": 100}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Points, 1 to 1,000,000.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub points: u32,
    /// For so many fen, 1 to 100,000,000.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub fen: u32,
}

/// At which step an order's points are credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EarnWhen {
    /// When it is paid.
    Paid,
    /// When the goods are received.
    Signed,
    /// When it is finished on its platform.
    Completed,
}

/// How long points can be spent. Days are of the merchant's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Lifetime {
    /// To the end of the day that is so many days after the one of their crediting, 1 to 36500.
    Days {
        /// How many days.
        #[schema(minimum = 1, maximum = 36_500)]
        days: u32,
    },
    /// To the end of the next calendar year.
    EndOfNextYear,
}

impl PointRules {
    /// What is wrong with the rules, if something is.
    pub fn fault(&self) -> Option<String> {
        let multipliers = [&self.platforms, &self.shops, &self.skus, &self.levels];
        if !(1..=1_000_000).contains(&self.rate.points) || !(1..=100_000_000).contains(&self.rate.fen) {
            return Some("rate: give 1 to 1000000 points for 1 to 100000000 fen".to_owned());
        }
        if self.minimum.is_negative() {
            return Some("minimum is below zero".to_owned());
        }
        if matches!(self.lifetime, Lifetime::Days { days } if !(1..=36_500).contains(&days)) {
            return Some("lifetime: give 1 to 36500 days".to_owned());
        }
        if let Some(unknown) = self.platforms.keys().find(|name| name.parse::<domain::Platform>().is_err()) {
            return Some(format!("platforms: there is no platform {unknown:?}"));
        }
        multipliers
            .iter()
            .flat_map(|map| map.iter())
            .find(|(_, percent)| **percent > MOST_PERCENT)
            .map(|(name, percent)| format!("the multiplier of {name:?} is {percent}: give 0 to {MOST_PERCENT} percent"))
    }

    /// Whether an order has come to the step at which it earns.
    pub fn is_due(&self, order: &KeptOrder) -> bool {
        match self.when {
            EarnWhen::Paid => order.paid,
            EarnWhen::Signed => order.paid && (order.signed || order.completed),
            EarnWhen::Completed => order.paid && order.completed,
        }
    }

    /// The points of an order whose lines have cost this, for a buyer of this level. An exact sum, rounded down once.
    pub fn earned(&self, order: &KeptOrder, net: &[NetLine<'_>], level: Option<&str>) -> i64 {
        let spend: i128 = net.iter().map(|line| i128::from(line.net.get())).sum();
        if !self.is_due(order) || spend < i128::from(self.minimum.get()) {
            return 0;
        }
        let of = |map: &BTreeMap<String, u16>, name: &str| i128::from(map.get(name).copied().unwrap_or(100));
        let shop = format!("{}/{}", order.platform, order.shop_id);
        let whole = of(&self.platforms, order.platform.as_str())
            * of(&self.shops, &shop)
            * level.map_or(100, |level| of(&self.levels, level));
        // At most 2^63 fen × 10^9 of multipliers × 10^3 × 10^6 points: below 2^127.
        let weighted: i128 = net
            .iter()
            .filter(|line| !self.excluded_skus.contains(line.sku))
            .map(|line| i128::from(line.net.get()) * of(&self.skus, line.sku))
            .sum();
        let points = weighted * whole * i128::from(self.rate.points) / (i128::from(self.rate.fen) * 100_000_000);
        i64::try_from(points).unwrap_or(MOST_POINTS).clamp(0, MOST_POINTS)
    }

    /// The instant at which a reminder is due of points that expire then.
    pub fn remind_at(&self, expires_at: UnixMs) -> Option<UnixMs> {
        let days = self.remind_days?;
        expires_at.try_add_millis(-i64::from(days) * 86_400_000).ok()
    }
}

impl Lifetime {
    /// The first instant at which points that are credited now can no longer be spent.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] at the very ends of the calendar.
    pub fn ends(self, credited: UnixMs) -> Result<UnixMs, TimeError> {
        let calendar = calendar()?;
        let day = calendar.day(credited)?;
        let end = match self {
            Self::Days { days } => {
                Span::new().try_days(i64::from(days) + 1).and_then(|span| day.checked_add(span)).ok()
            }
            Self::EndOfNextYear => day.year().checked_add(2).filter(|year| *year <= 9999).map(|year| date(year, 1, 1)),
        };
        calendar.start_of_day(end.ok_or(TimeError::OutOfRange)?)
    }
}

/// The first instant after a day `YYYY-MM-DD` of the merchant's calendar.
///
/// # Errors
/// [`TimeError::OutOfRange`] for what is no day, and at the very ends of the calendar.
pub fn end_of(day: &str) -> Result<UnixMs, TimeError> {
    let day: jiff::civil::Date = day.parse().map_err(|_| TimeError::OutOfRange)?;
    calendar()?.start_of_day(day.tomorrow().map_err(|_| TimeError::OutOfRange)?)
}

/// The merchant's calendar.
pub fn calendar() -> Result<Calendar, TimeError> {
    Calendar::new(CalendarConfig::default()).map_err(|_| TimeError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::order::tests::{order, rules};
    use proptest::prelude::*;

    fn at(text: &str) -> UnixMs {
        text.parse().unwrap()
    }

    #[test]
    fn lifetimes_end_with_days_of_the_merchant_s_calendar() {
        for (lifetime, credited, end) in [
            (Lifetime::Days { days: 1 }, "2026-02-14T23:59:59.999+08:00", "2026-02-16T00:00:00+08:00"),
            (Lifetime::Days { days: 365 }, "2026-02-14T00:00:00+08:00", "2027-02-15T00:00:00+08:00"),
            (Lifetime::EndOfNextYear, "2026-12-31T23:59:59.999+08:00", "2028-01-01T00:00:00+08:00"),
            (Lifetime::EndOfNextYear, "2027-01-01T00:00:00+08:00", "2029-01-01T00:00:00+08:00"),
        ] {
            assert_eq!(lifetime.ends(at(credited)), Ok(at(end)), "{lifetime:?}");
        }
        assert!(Lifetime::EndOfNextYear.ends(at("9998-06-01T00:00:00Z")).is_err());
    }

    #[test]
    fn multipliers_multiply_and_the_sum_is_rounded_down_once() {
        let order = order(&[("A", 150), ("B", 150)]);
        let net = order.net(&[]);
        let mut rules = rules();
        assert_eq!(rules.earned(&order, &net, None), 3, "1.5 + 1.5 points are 3, not 1 + 1");
        rules.skus.insert("A".to_owned(), 200);
        assert_eq!(rules.earned(&order, &net, None), 4, "3 + 1.5");
        rules.platforms.insert("douyin".to_owned(), 200);
        rules.shops.insert("douyin/7".to_owned(), 150);
        rules.levels.insert("gold".to_owned(), 300);
        assert_eq!(rules.earned(&order, &net, Some("silver")), 13, "4.5 × 2 × 1.5");
        assert_eq!(rules.earned(&order, &net, Some("gold")), 40, "13.5 × 3");
        rules.excluded_skus.insert("A".to_owned());
        assert_eq!(rules.earned(&order, &net, None), 4, "1.5 × 2 × 1.5");
        rules.minimum = Fen::new(301);
        assert_eq!(rules.earned(&order, &net, None), 0);
    }

    #[test]
    fn nothing_is_earned_before_its_step() {
        let mut order = order(&[("A", 1000)]);
        let (mut rules, net) = (rules(), order.clone());
        for (when, step) in [(EarnWhen::Paid, 0), (EarnWhen::Signed, 1), (EarnWhen::Completed, 2)] {
            rules.when = when;
            for reached in 0..3 {
                (order.signed, order.completed) = (reached >= 1, reached >= 2);
                assert_eq!(rules.earned(&order, &net.net(&[]), None) > 0, reached >= step, "{when:?} {reached}");
            }
        }
        order.paid = false;
        assert_eq!(rules.earned(&order, &net.net(&[]), None), 0);
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        assert_eq!(rules().fault(), None);
        for change in [
            |rules: &mut PointRules| rules.rate.fen = 0,
            |rules: &mut PointRules| rules.rate.points = 0,
            |rules: &mut PointRules| rules.minimum = Fen::new(-1),
            |rules: &mut PointRules| rules.lifetime = Lifetime::Days { days: 0 },
            |rules: &mut PointRules| rules.platforms = [("amazon".to_owned(), 100)].into(),
            |rules: &mut PointRules| rules.skus = [("A".to_owned(), 1001)].into(),
        ] {
            let mut wrong = rules();
            change(&mut wrong);
            assert!(wrong.fault().is_some());
        }
    }

    proptest! {
        #[test]
        fn the_largest_order_does_not_overflow(fen in 0..=i64::MAX, points in 1u32..=1_000_000, percent in 0u16..=1000) {
            let order = order(&[("A", fen)]);
            let mut rules = rules();
            rules.rate = Rate { points, fen: 1 };
            rules.skus.insert("A".to_owned(), percent);
            rules.platforms.insert("douyin".to_owned(), 1000);
            rules.shops.insert("douyin/7".to_owned(), 1000);
            rules.levels.insert("gold".to_owned(), 1000);
            let earned = rules.earned(&order, &order.net(&[]), Some("gold"));
            prop_assert!((0..=MOST_POINTS).contains(&earned));
        }
    }
}
