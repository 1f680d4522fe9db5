//! Phone numbers in the one form in which they are hashed, so that the same phone always gives the same identity.

/// `text` in E.164 form: `+` and 8 to 15 digits. A number without country code is a mainland Chinese mobile number
/// (11 digits, first 1, second 3 to 9); blanks, dashes and parentheses between digits are dropped.
///
/// Gives nothing for anything else, a masked number (`138****0001`) above all: masked values must never match.
///
/// ```
/// assert_eq!(domain::phone_e164("138 0000-0001").as_deref(), Some("+8613800000001"));
/// assert_eq!(domain::phone_e164("138****0001"), None);
/// ```
pub fn phone_e164(text: &str) -> Option<String> {
    let text = text.trim();
    let (international, rest) = match text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits: String = rest.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let national = if international { digits.strip_prefix("86") } else { Some(digits.as_str()) };
    match national {
        Some(mobile) => is_chinese_mobile(mobile).then(|| format!("+86{mobile}")),
        None => ((8..=15).contains(&digits.len()) && !digits.starts_with('0')).then(|| format!("+{digits}")),
    }
}

fn is_chinese_mobile(digits: &str) -> bool {
    digits.len() == 11 && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

#[cfg(test)]
mod tests {
    use super::phone_e164;

    #[test]
    fn spellings_of_one_number_agree() {
        for text in [
            "13800000001",
            " 138 0000 0001 ",
            "138-0000-0001",
            "+8613800000001",
            "008613800000001",
            "+86 (138) 00000001",
        ] {
            assert_eq!(phone_e164(text).as_deref(), Some("+8613800000001"), "{text}");
        }
        assert_eq!(phone_e164("+85212345678").as_deref(), Some("+85212345678"));
    }

    #[test]
    fn what_is_no_number_gives_nothing() {
        for text in [
            "",
            "138****0001",
            "1380000000",
            "138000000011",
            "12800000001",
            "010-12345678",
            "+86 10 12345678",
            "+1",
            "１３８００００００００１",
            "#PFsd#",
        ] {
            assert_eq!(phone_e164(text), None, "{text}");
        }
    }
}
