//! Money: integer fen (1/100 yuan), and rates in percent. Floats touch neither.

use std::fmt;
use std::iter;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount in fen, 1/100 of a yuan (CNY). May be negative (a difference, a reversal).
///
/// Arithmetic is checked only: there are no operators that could wrap or trap. JSON form: an integer.
///
/// ```
/// use domain::Fen;
/// let price = Fen::from_yuan_text("12.3")?;
/// assert_eq!(price, Fen::new(1230));
/// assert_eq!(price.try_mul(3)?.to_string(), "36.90");
/// # Ok::<(), domain::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Fen(i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of `fen` hundredths of a yuan.
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The number of fen.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads yuan as platforms write them: an optional minus, digits, and at most two decimals (`12`, `12.3`, `-0.05`).
    ///
    /// # Errors
    /// [`MoneyError::NotYuan`] for anything else (blanks, `+`, exponents, grouping, a third decimal, even a zero one);
    /// [`MoneyError::Overflow`] beyond `i64` fen.
    pub fn from_yuan_text(text: &str) -> Result<Self, MoneyError> {
        let not_yuan = || MoneyError::NotYuan(text.to_owned());
        let (negative, magnitude) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (yuan, decimals) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(yuan) || !digits(decimals) || decimals.len() > 2 {
            return Err(not_yuan());
        }
        // The sign goes into the digits, so that the smallest i64 can be read too.
        let sign = if negative { "-" } else { "" };
        format!("{sign}{yuan}{decimals:0<2}").parse().map(Self).map_err(|_| MoneyError::Overflow)
    }

    /// `self + other`.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond `i64` fen.
    pub fn try_add(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyError::Overflow)
    }

    /// `self - other`.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond `i64` fen.
    pub fn try_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyError::Overflow)
    }

    /// `self × count`: a unit price times a quantity.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond `i64` fen.
    pub fn try_mul(self, count: i64) -> Result<Self, MoneyError> {
        self.0.checked_mul(count).map(Self).ok_or(MoneyError::Overflow)
    }

    /// `-self`.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the one amount whose negation does not fit.
    pub fn try_neg(self) -> Result<Self, MoneyError> {
        self.0.checked_neg().map(Self).ok_or(MoneyError::Overflow)
    }

    /// The sum of all amounts; nothing sums to zero.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when a partial sum leaves `i64` fen.
    pub fn try_sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::try_add)
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Fen {
    /// Yuan with two decimals: `12.30`, `-0.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", magnitude / 100, magnitude % 100)
    }
}

/// A rate in percent, 0 to 100, with at most [`Percent::MAX_SCALE`] decimals. JSON form: decimal text (`"12.5"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Decimal", into = "Decimal")]
#[schema(value_type = String, example = "12.5")]
pub struct Percent(Decimal);

impl Percent {
    /// Decimals that a rate may have. Six is a ten-thousandth of a basis point; more is a mistake in the input.
    pub const MAX_SCALE: u32 = 6;

    /// A rate of `percent` percent.
    ///
    /// # Errors
    /// [`MoneyError::NotPercent`] outside 0 to 100 or with more than [`Percent::MAX_SCALE`] decimals.
    pub fn new(percent: Decimal) -> Result<Self, MoneyError> {
        let percent = percent.normalize();
        let in_range = percent >= Decimal::ZERO && percent <= Decimal::ONE_HUNDRED;
        if in_range && percent.scale() <= Self::MAX_SCALE {
            Ok(Self(percent))
        } else {
            Err(MoneyError::NotPercent(percent))
        }
    }

    /// The number of percent.
    pub const fn get(self) -> Decimal {
        self.0
    }

    /// This share of `amount`: exact, then cut towards zero to whole fen. To split a whole without loss use [`allocate`].
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] never happens for a rate that [`Percent::new`] let through; it keeps the conversion honest.
    pub fn of(self, amount: Fen) -> Result<Fen, MoneyError> {
        let whole = 100 * 10_i128.pow(self.0.scale());
        let part = i128::from(amount.get()) * self.0.mantissa() / whole;
        i64::try_from(part).map(Fen).map_err(|_| MoneyError::Overflow)
    }
}

impl TryFrom<Decimal> for Percent {
    type Error = MoneyError;

    fn try_from(percent: Decimal) -> Result<Self, MoneyError> {
        Self::new(percent)
    }
}

impl From<Percent> for Decimal {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl fmt::Display for Percent {
    /// `12.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// Splits `total` in proportion to `weights`; the parts always sum to `total`.
///
/// Each part is the exact rational share, floored (for a negative total: the mirror image of the positive one). The fen
/// left over go one each to the parts that lost most by flooring, among equals to the larger weight, and among equal weights
/// in the given order. Hence:
///
/// - a larger weight never gets less than a smaller one, and a zero weight gets nothing;
/// - reordering the weights reorders the parts alike, except that equal weights swap the odd fen among themselves.
///
/// Every split of money in the system goes through here: discounts over lines, commission over people, red packets.
///
/// # Errors
/// [`MoneyError::NoWeight`] when there is no weight above zero to carry the total.
///
/// ```
/// use domain::{Fen, allocate};
/// let parts = allocate(Fen::new(100), &[1, 1, 1])?;
/// assert_eq!(parts, [Fen::new(34), Fen::new(33), Fen::new(33)]);
/// # Ok::<(), domain::MoneyError>(())
/// ```
pub fn allocate(total: Fen, weights: &[u64]) -> Result<Vec<Fen>, MoneyError> {
    let weight_sum: i128 = weights.iter().copied().map(i128::from).sum();
    if weight_sum == 0 {
        return Err(MoneyError::NoWeight);
    }
    let sign = i128::from(total.get().signum());
    let magnitude = i128::from(total.get()).abs();
    // |i64| × u64 stays below 2^127.
    let shares = weights.iter().map(|&weight| magnitude * i128::from(weight));
    let (mut parts, lost): (Vec<i128>, Vec<i128>) =
        shares.map(|share| (share / weight_sum, share % weight_sum)).unzip();

    let left_over = magnitude - parts.iter().sum::<i128>();
    let mut by_loss: Vec<((i128, &u64), &mut i128)> = iter::zip(iter::zip(lost, weights), parts.iter_mut()).collect();
    by_loss.sort_by_key(|(loss_and_weight, _)| std::cmp::Reverse(*loss_and_weight));
    for ((_, part), _) in iter::zip(by_loss, 0..left_over) {
        *part += 1;
    }
    parts.into_iter().map(|part| i64::try_from(sign * part).map(Fen).map_err(|_| MoneyError::Overflow)).collect()
}

/// Why an amount or a rate could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not an amount in yuan.
    #[error("{0:?} is not an amount in yuan: write digits and at most two decimals, such as 12.30")]
    NotYuan(String),
    /// The number is not a rate.
    #[error("{0} is not a rate in percent: it must be 0 to 100 with at most 6 decimals")]
    NotPercent(Decimal),
    /// The result does not fit.
    #[error("the amount is beyond what 64 bits of fen can hold")]
    Overflow,
    /// Nothing to split over.
    #[error("an amount cannot be split without a weight above zero")]
    NoWeight,
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::{Fen, MoneyError, Percent, allocate};

    #[test]
    fn yuan_text_is_read_exactly() {
        for (text, fen) in [
            ("0", 0),
            ("12", 1200),
            ("12.3", 1230),
            ("12.30", 1230),
            ("0.05", 5),
            ("-0.05", -5),
            ("007.10", 710),
            ("92233720368547758.07", i64::MAX),
            ("-92233720368547758.08", i64::MIN),
        ] {
            assert_eq!(Fen::from_yuan_text(text), Ok(Fen::new(fen)), "{text}");
        }
    }

    #[test]
    fn different_weights_that_lost_the_same_do_not_depend_on_their_order() {
        // 2 fen over 1 and 3: both lose half a fen.
        assert_eq!(allocate(Fen::new(2), &[1, 3]), Ok(vec![Fen::new(0), Fen::new(2)]));
        assert_eq!(allocate(Fen::new(2), &[3, 1]), Ok(vec![Fen::new(2), Fen::new(0)]));
    }

    #[test]
    fn what_is_not_yuan_is_refused() {
        for text in [
            "", " ", "1 ", " 1", "+1", ".5", "5.", "1.005", "1.000", "1e3", "1,000", "１２", "--1", "-", "1.-5", "0x1",
            "NaN",
        ] {
            assert_eq!(Fen::from_yuan_text(text), Err(MoneyError::NotYuan(text.to_owned())));
        }
        assert_eq!(Fen::from_yuan_text("92233720368547758.08"), Err(MoneyError::Overflow));
    }

    #[test]
    fn display_keeps_the_sign_of_less_than_a_yuan() {
        for (fen, text) in
            [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-1230, "-12.30"), (i64::MIN, "-92233720368547758.08")]
        {
            assert_eq!(Fen::new(fen).to_string(), text);
        }
    }

    #[test]
    fn arithmetic_refuses_to_overflow() {
        let (max, min, one) = (Fen::new(i64::MAX), Fen::new(i64::MIN), Fen::new(1));
        assert_eq!(max.try_add(one), Err(MoneyError::Overflow));
        assert_eq!(min.try_sub(one), Err(MoneyError::Overflow));
        assert_eq!(max.try_mul(2), Err(MoneyError::Overflow));
        assert_eq!(min.try_neg(), Err(MoneyError::Overflow));
        assert_eq!(Fen::try_sum([max, one, min]), Err(MoneyError::Overflow));
        assert_eq!(Fen::try_sum([]), Ok(Fen::ZERO));
    }

    #[test]
    fn json_is_a_whole_number() {
        assert_eq!(serde_json::to_string(&Fen::new(1230)).unwrap(), "1230");
        assert_eq!(serde_json::from_str::<Fen>("-5").unwrap(), Fen::new(-5));
        for json in ["12.345", "12.0", "\"12\"", "1e2", "9223372036854775808"] {
            assert!(serde_json::from_str::<Fen>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn percent_is_exact_and_cut_towards_zero() {
        let percent = |text: &str| Percent::new(text.parse().unwrap());
        assert_eq!(percent("12.5").unwrap().of(Fen::new(999)), Ok(Fen::new(124)));
        assert_eq!(percent("12.5").unwrap().of(Fen::new(-999)), Ok(Fen::new(-124)));
        assert_eq!(percent("100").unwrap().of(Fen::new(i64::MIN)), Ok(Fen::new(i64::MIN)));
        assert_eq!(percent("0.000001").unwrap().of(Fen::new(i64::MAX)), Ok(Fen::new(92_233_720_368)));
        assert_eq!(percent("12.50"), percent("12.5"));
        for text in ["-0.1", "100.1", "0.0000001"] {
            assert_eq!(percent(text), Err(MoneyError::NotPercent(text.parse::<Decimal>().unwrap())));
        }
        assert_eq!(serde_json::to_string(&percent("12.5").unwrap()).unwrap(), r#""12.5""#);
        assert!(serde_json::from_str::<Percent>(r#""101""#).is_err());
    }

    #[test]
    fn parts_are_floored_and_the_rest_goes_by_loss_then_order() {
        let split = |total, weights: &[u64]| -> Vec<i64> {
            allocate(Fen::new(total), weights).unwrap().into_iter().map(Fen::get).collect()
        };
        assert_eq!(split(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(split(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(split(10, &[1, 0, 2]), [3, 0, 7]);
        assert_eq!(split(1, &[1, 99]), [0, 1]);
        assert_eq!(split(0, &[5, 5]), [0, 0]);
        assert_eq!(split(i64::MIN, &[u64::MAX]), [i64::MIN]);
        assert_eq!(allocate(Fen::new(1), &[]), Err(MoneyError::NoWeight));
        assert_eq!(allocate(Fen::ZERO, &[0, 0]), Err(MoneyError::NoWeight));
    }

    fn weights() -> impl Strategy<Value = Vec<u64>> {
        let one = prop_oneof![3 => 0_u64..10, 2 => 0_u64..100_000, 1 => any::<u64>()];
        vec(one, 1..20)
            .prop_filter("something must carry the total", |weights| weights.iter().any(|&weight| weight > 0))
    }

    proptest! {
        #[test]
        fn text_and_back(fen in any::<i64>()) {
            prop_assert_eq!(Fen::from_yuan_text(&Fen::new(fen).to_string()), Ok(Fen::new(fen)));
        }

        #[test]
        fn parts_sum_to_the_whole(total in any::<i64>(), weights in weights()) {
            let parts = allocate(Fen::new(total), &weights).unwrap();
            prop_assert_eq!(parts.iter().map(|part| i128::from(part.get())).sum::<i128>(), i128::from(total));
        }

        /// No part is a whole fen away from its exact share, and none has the wrong sign.
        #[test]
        fn parts_are_within_a_fen_of_their_share(total in any::<i32>(), weights in vec(0_u64..1_000_000, 1..20)) {
            let sum: i128 = weights.iter().copied().map(i128::from).sum();
            prop_assume!(sum > 0);
            for (part, &weight) in allocate(Fen::new(i64::from(total)), &weights).unwrap().iter().zip(&weights) {
                let difference = i128::from(part.get()) * sum - i128::from(total) * i128::from(weight);
                prop_assert!(difference.abs() < sum);
            }
        }

        #[test]
        fn a_larger_weight_never_gets_less(total in any::<i64>(), weights in weights()) {
            let parts = allocate(Fen::new(total), &weights).unwrap();
            for (one, &one_weight) in parts.iter().zip(&weights) {
                for (other, &other_weight) in parts.iter().zip(&weights) {
                    if one_weight < other_weight {
                        prop_assert!(one.get().unsigned_abs() <= other.get().unsigned_abs());
                    }
                }
            }
        }

        /// Reordered weights give the same amounts to the same weights; only equal weights may swap an odd fen.
        #[test]
        fn order_does_not_matter(
            total in any::<i64>(),
            (weights, shuffled) in weights().prop_flat_map(|weights| (Just(weights.clone()), Just(weights).prop_shuffle())),
        ) {
            let pairs = |weights: &[u64]| {
                let mut pairs: Vec<(u64, Fen)> =
                    weights.iter().copied().zip(allocate(Fen::new(total), weights).unwrap()).collect();
                pairs.sort_unstable();
                pairs
            };
            prop_assert_eq!(pairs(&weights), pairs(&shuffled));
        }
    }
}
