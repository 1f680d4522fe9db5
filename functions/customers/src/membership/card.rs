//! Numbers of member cards, and what the QR of one says.

use kit::{Vault, VaultError};
use subtle::ConstantTimeEq;

/// What all numbers begin with; no bank's card does.
const PREFIX: &str = "98";
/// How many digits are drawn at random.
const DRAWN: u64 = 10_000_000_000_000;

/// A number of 16 digits: a prefix, 13 digits at random, and a check digit by Luhn (ISO/IEC 7812-1), so that a slip at the till is
/// noticed. With a million members, one guess in ten million finds one.
pub fn number(random: [u8; 8]) -> String {
    let digits = format!("{PREFIX}{:013}", u64::from_be_bytes(random) % DRAWN);
    let check = (10 - luhn(&digits, true) % 10) % 10;
    format!("{digits}{check}")
}

/// Whether a text is a number that [`number`] may have made.
pub fn is_number(text: &str) -> bool {
    text.len() == 16
        && text.starts_with(PREFIX)
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && luhn(text, false).is_multiple_of(10)
}

/// The sum of the digits, every second one doubled, from the right; `double_last` where the check digit is still missing.
fn luhn(digits: &str, double_last: bool) -> u32 {
    let digits = digits.chars().rev().filter_map(|digit| digit.to_digit(10));
    digits
        .enumerate()
        .map(|(place, digit)| {
            let doubled = (place % 2 == 0) == double_last;
            if !doubled {
                digit
            } else if digit > 4 {
                digit * 2 - 9
            } else {
                digit * 2
            }
        })
        .sum()
}

/// What the QR of a card says: the number, and a mark that only this application can make, so that a QR cannot be made from a number that
/// was overheard.
///
/// # Errors
/// None in practice: see [`Vault::hash`].
pub fn qr_text(vault: &Vault, card: &str) -> Result<String, VaultError> {
    let mark = vault.hash("member.qr", card)?;
    Ok(format!("SIYU1{card}{}", mark.get(..16).unwrap_or_default()))
}

/// The card that a QR speaks of, if this application made it.
///
/// # Errors
/// As [`qr_text`].
pub fn from_qr(vault: &Vault, text: &str) -> Result<Option<String>, VaultError> {
    let Some(card) = text.strip_prefix("SIYU1").and_then(|rest| rest.get(..16)) else { return Ok(None) };
    let own = qr_text(vault, card)?;
    Ok(bool::from(own.as_bytes().ct_eq(text.as_bytes())).then(|| card.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_digit_is_luhn_s() {
        // The example of ISO/IEC 7812-1, annex B.
        assert_eq!(luhn("7992739871", true) % 10, 7);
        assert_eq!(luhn("79927398713", false) % 10, 0);
        for wrong in ["", "98", "1234567812345670", "98000000000000a0", "980000000000000000"] {
            assert!(!is_number(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_one_and_no_single_slip_makes_another(random: [u8; 8], place in 2..16_usize, by in 1..10_u8) {
            let made = number(random);
            prop_assert!(is_number(&made), "{}", made);
            let mut slip = made.clone().into_bytes();
            slip[place] = b'0' + (slip[place] - b'0' + by) % 10;
            prop_assert!(!is_number(std::str::from_utf8(&slip).unwrap()));
        }
    }
}
