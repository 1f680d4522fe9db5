//! Exact ratios, as text: a float would not sum, compare or print alike everywhere.

/// A ratio with four decimals, the last one rounded half away from zero; nothing unless `by` is positive.
pub fn decimal(number: i128, by: i128) -> Option<String> {
    if by <= 0 {
        return None;
    }
    let parts = rounded(number.abs() * 10_000, by);
    let sign = if number < 0 && parts > 0 { "-" } else { "" };
    Some(format!("{sign}{}.{:04}", parts / 10_000, parts % 10_000))
}

/// A ratio of two numbers that are not negative, half a unit rounded up.
pub fn rounded(number: i128, by: i128) -> i128 {
    (number * 2 + by) / (by * 2)
}

/// The part of a whole, 0 to 1 with four decimals; of nothing, none.
pub fn share(part: u32, whole: u32) -> String {
    decimal(i128::from(part), i128::from(whole)).unwrap_or_else(|| "0.0000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{decimal, share};

    #[test]
    fn the_last_decimal_is_rounded_half_away_from_zero() {
        let of = |number, by| decimal(number, by).unwrap_or_default();
        assert_eq!((of(1, 3), of(2, 3), of(-2, 3)), ("0.3333".into(), "0.6667".into(), "-0.6667".into()));
        assert_eq!((of(1, 20_000), of(-1, 20_000)), ("0.0001".into(), "-0.0001".into()));
        assert_eq!((of(-1, 20_001), of(0, 5), of(5, 0)), ("0.0000".into(), "0.0000".into(), String::new()));
        assert_eq!((share(1, 2), share(0, 0), share(7, 7)), ("0.5000".into(), "0.0000".into(), "1.0000".into()));
    }
}
