//! Attribution: which channels an order is owed to.
//!
//! A touch is a sign that a customer came by a channel. What an order is worth is shared out among the channels whose touches lie in a window
//! before its payment, to the fen. The outcome does not depend on the order in which touches are known.

use domain::{Fen, MoneyError, UnixMs, allocate};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

const DAY_MS: i64 = 86_400_000;
/// Weights of the time decay have so many bits: the newest touch weighs 2^40.
const BITS: u32 = 40;
/// One, as a fixed-point number of 63 bits.
const ONE: u128 = 1 << 63;

/// How an order is shared out among the touches before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "model", rename_all = "snake_case", deny_unknown_fields)]
pub enum Model {
    /// All to the earliest.
    FirstTouch,
    /// All to the latest.
    LastTouch,
    /// To each touch alike; a channel with two touches gets two shares.
    Linear,
    /// A touch weighs half as much as one that is a half-life later.
    TimeDecay {
        /// The half-life in days of 24 hours, 1 to 365.
        #[schema(minimum = 1, maximum = 365)]
        half_life_days: u16,
    },
}

impl Model {
    /// What is wrong with it, if something is.
    pub fn fault(self) -> Option<&'static str> {
        let is_wrong = matches!(self, Self::TimeDecay { half_life_days } if !(1..=365).contains(&half_life_days));
        is_wrong.then_some("half_life_days: write 1 to 365")
    }
}

/// A customer came by a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// When.
    pub at: UnixMs,
    /// The channel.
    pub key: String,
}

/// What each channel has of an order: those with a share, sorted, their sum being `value` to the fen. Nothing where no touch lies in the
/// window: the order is owed to no channel.
///
/// The window holds the touches of the `window_days` × 24 hours before the payment, both ends included. Of touches at the same instant the one whose
/// channel sorts first is the earlier for [`Model::FirstTouch`], and the later for [`Model::LastTouch`]. The same touch told twice counts once.
/// `value` is what is left of the order after refunds.
///
/// A larger value gives every channel at least as much, but for one fen at most: odd fen go by [`allocate`], and a different total may leave them
/// with others.
///
/// # Errors
/// [`MoneyError`] never happens here for a value that is an order's; it keeps the arithmetic honest.
pub fn attribute(
    model: Model,
    window_days: u32,
    paid_at: UnixMs,
    value: Fen,
    touches: &[Touch],
) -> Result<Vec<(String, Fen)>, MoneyError> {
    let earliest = paid_at.millis().saturating_sub(i64::from(window_days).saturating_mul(DAY_MS));
    let is_inside = |touch: &&Touch| (earliest..=paid_at.millis()).contains(&touch.at.millis());
    let touches: BTreeSet<&Touch> = touches.iter().filter(is_inside).collect();
    let (Some(first), Some(last_at)) = (touches.first(), touches.last().map(|touch| touch.at)) else {
        return Ok(Vec::new());
    };
    let mut weights = BTreeMap::<&str, u64>::new();
    for touch in &touches {
        let weight = match model {
            Model::FirstTouch => u64::from(touch == first),
            Model::LastTouch => u64::from(touch.at == last_at && !has_its_like_before(&touches, touch)),
            Model::Linear => 1,
            Model::TimeDecay { half_life_days } => {
                decayed(last_at.millis().saturating_sub(touch.at.millis()), i64::from(half_life_days.max(1)) * DAY_MS)
            }
        };
        let sum = weights.entry(&touch.key).or_default();
        *sum = sum.saturating_add(weight);
    }
    weights.retain(|_, weight| *weight > 0);
    let parts = allocate(value, &weights.values().copied().collect::<Vec<_>>())?;
    Ok(weights.into_keys().map(str::to_owned).zip(parts).collect())
}

/// Whether another touch of the same instant sorts before this one.
fn has_its_like_before(touches: &BTreeSet<&Touch>, touch: &Touch) -> bool {
    touches.range::<&Touch, _>(..touch).next_back().is_some_and(|before| before.at == touch.at)
}

/// 2^40 × 2^(-age / half-life), rounded down, without floats: so the same on every machine.
///
/// Whole half-lives shift the number to the right. What remains of the age is written as a binary fraction of 32 digits; for each digit that is
/// one the number is multiplied by 2^(-1/2), 2^(-1/4), and so on, each the integer square root of the one before, with 63 bits.
fn decayed(age: i64, half_life: i64) -> u64 {
    let (age, half_life) = (u128::try_from(age).unwrap_or(0), u128::try_from(half_life).unwrap_or(1).max(1));
    let Ok(halvings) = u32::try_from(age / half_life) else { return 0 };
    let mut rest = age % half_life;
    let (mut number, mut factor) = (ONE, ONE >> 1);
    for _ in 0..32 {
        factor = (factor << 63).isqrt();
        rest *= 2;
        if rest >= half_life {
            rest -= half_life;
            number = (number * factor) >> 63;
        }
    }
    let weight = (number >> (63 - BITS)).checked_shr(halvings).unwrap_or(0);
    u64::try_from(weight).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = DAY_MS;
    const PAID: i64 = 1_771_032_600_000;

    fn at(millis: i64) -> UnixMs {
        UnixMs::from_millis(millis).unwrap()
    }

    fn touches(of: &[(i64, &str)]) -> Vec<Touch> {
        of.iter().map(|(days, key)| Touch { at: at(PAID - days * DAY), key: (*key).to_owned() }).collect()
    }

    fn shares(model: Model, value: i64, touches: &[Touch]) -> Vec<(String, i64)> {
        let shares = attribute(model, 30, at(PAID), Fen::new(value), touches).unwrap();
        shares.into_iter().map(|(key, part)| (key, part.get())).collect()
    }

    fn named(of: &[(&str, i64)]) -> Vec<(String, i64)> {
        of.iter().map(|(key, part)| ((*key).to_owned(), *part)).collect()
    }

    const HALF_WEEK: Model = Model::TimeDecay { half_life_days: 7 };

    #[test]
    fn each_model_shares_out_in_its_way() {
        let path = touches(&[(14, "a"), (7, "b"), (7, "b"), (0, "c"), (3, "b")]);
        assert_eq!(shares(Model::FirstTouch, 100, &path), named(&[("a", 100)]));
        assert_eq!(shares(Model::LastTouch, 100, &path), named(&[("c", 100)]));
        assert_eq!(
            shares(Model::Linear, 101, &path),
            named(&[("a", 25), ("b", 51), ("c", 25)]),
            "told twice, counted once"
        );
        let path = touches(&[(14, "a"), (7, "b"), (0, "c")]);
        assert_eq!(shares(HALF_WEEK, 700, &path), named(&[("a", 100), ("b", 200), ("c", 400)]));
    }

    #[test]
    fn the_window_ends_with_the_payment() {
        let mut path = touches(&[(30, "edge"), (31, "early"), (-1, "late")]);
        path.push(Touch { at: at(PAID - 30 * DAY - 1), key: "just early".to_owned() });
        path.push(Touch { at: at(PAID + 1), key: "just late".to_owned() });
        assert_eq!(shares(Model::Linear, 5, &path), named(&[("edge", 5)]));
        assert_eq!(shares(Model::Linear, 5, &path[1..]), named(&[]), "owed to no channel");
        assert_eq!(shares(Model::Linear, 5, &[]), named(&[]));
    }

    #[test]
    fn of_touches_at_one_instant_the_first_by_name_counts() {
        let path = touches(&[(2, "b"), (2, "a"), (1, "d"), (1, "c")]);
        assert_eq!(shares(Model::FirstTouch, 9, &path), named(&[("a", 9)]));
        assert_eq!(shares(Model::LastTouch, 9, &path), named(&[("c", 9)]));
    }

    #[test]
    fn decay_is_exact_at_half_lives_and_close_between() {
        let one = 1_u64 << BITS;
        assert_eq!(decayed(0, DAY), one);
        assert_eq!(decayed(DAY, DAY), one / 2);
        assert_eq!(decayed(40 * DAY, DAY), 1);
        assert_eq!(decayed(41 * DAY, DAY), 0);
        assert_eq!(decayed(i64::MAX, 1), 0);
        for part in 1..100_i64 {
            let weight: f64 = f64::from(u32::try_from(decayed(part * DAY / 100, DAY) >> 10).unwrap());
            let exact = f64::from(1_u32 << 30) * (-f64::from(i32::try_from(part).unwrap()) / 100.0).exp2();
            assert!((weight - exact).abs() < 3.0, "{part}: {weight} {exact}");
        }
    }

    #[test]
    fn settings_are_checked() {
        assert_eq!(HALF_WEEK.fault(), None);
        assert!(Model::TimeDecay { half_life_days: 0 }.fault().is_some());
        let json = r#"{"model":"time_decay","half_life_days":7}"#;
        assert_eq!(serde_json::from_str::<Model>(json).unwrap(), HALF_WEEK);
        assert!(serde_json::from_str::<Model>(r#"{"model":"position"}"#).is_err());
    }

    fn model() -> impl Strategy<Value = Model> {
        prop_oneof![
            Just(Model::FirstTouch),
            Just(Model::LastTouch),
            Just(Model::Linear),
            (1..=365_u16).prop_map(|half_life_days| Model::TimeDecay { half_life_days }),
        ]
    }

    fn path() -> impl Strategy<Value = Vec<Touch>> {
        let touch = (0..40 * 24_i64, 0..6_u8);
        let touch = touch.prop_map(|(hours, key)| Touch { at: at(PAID - hours * 3_600_000), key: format!("k{key}") });
        prop::collection::vec(touch, 0..30)
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_value_to_the_fen(model in model(), path in path(), value in any::<i64>(), window in 0..60_u32) {
            let shares = attribute(model, window, at(PAID), Fen::new(value), &path).unwrap();
            let sum: i128 = shares.iter().map(|(_, part)| i128::from(part.get())).sum();
            let touched = path.iter().any(|touch| touch.at.millis() >= PAID - i64::from(window) * DAY);
            prop_assert_eq!(shares.is_empty(), !touched);
            prop_assert_eq!(sum, if touched { i128::from(value) } else { 0 });
        }

        #[test]
        fn the_order_of_the_touches_does_not_matter(
            model in model(),
            (path, shuffled) in path().prop_flat_map(|path| (Just(path.clone()), Just(path).prop_shuffle())),
            value in 0..1_000_000_i64,
        ) {
            prop_assert_eq!(shares(model, value, &path), shares(model, value, &shuffled));
        }

        /// Each share is less than a fen from its exact size, so a larger value takes a fen at most from anybody.
        #[test]
        fn a_larger_value_gives_no_channel_less_but_for_an_odd_fen(
            model in model(), path in path(), value in 0..100_000_i64, more in 0..100_000_i64,
        ) {
            let (less, more) = (shares(model, value, &path), shares(model, value + more, &path));
            prop_assert_eq!(less.len(), more.len());
            for ((key, less), (same, more)) in less.into_iter().zip(more) {
                prop_assert_eq!(key, same);
                prop_assert!(more >= less - 1);
            }
        }

        #[test]
        fn a_later_touch_never_weighs_less(half_life in 1..=365_i64, age in 0..400 * DAY, older in 0..400 * DAY) {
            prop_assert!(decayed(age, half_life * DAY) >= decayed(age + older, half_life * DAY));
        }
    }
}
