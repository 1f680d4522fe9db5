//! JD's times: text in GMT+8, or milliseconds as a number; year 1 and the epoch mean "not yet".

use domain::UnixMs;
use serde::de::{Deserialize, Deserializer};
use serde_json::Value;

use crate::gmt8::parse_gmt8;

/// A time that may be absent.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMs>, D::Error> {
    let time = match Value::deserialize(deserializer)? {
        Value::Number(millis) => millis.as_i64().and_then(|millis| UnixMs::from_millis(millis).ok()),
        Value::String(text) => match text.parse() {
            Ok(millis) => UnixMs::from_millis(millis).ok(),
            Err(_) => parse_gmt8(&text),
        },
        _ => None,
    };
    Ok(time.filter(|&time| time > UnixMs::EPOCH))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn read(value: Value) -> Option<String> {
        super::optional(value).unwrap().map(|time| time.to_string())
    }

    #[test]
    fn text_and_numbers_read_alike() {
        for value in [json!("2020-01-10 21:51:08"), json!(1_578_664_268_000_i64), json!("1578664268000")] {
            assert_eq!(read(value).as_deref(), Some("2020-01-10T13:51:08.000Z"));
        }
        assert_eq!(read(json!("2026-02-28 23:59:59")).as_deref(), Some("2026-02-28T15:59:59.000Z"));
    }

    #[test]
    fn not_yet_has_many_names() {
        for value in
            [json!(null), json!(""), json!(0), json!("0001-01-01 00:00:00"), json!("1970-01-01 00:00:00"), json!(-1)]
        {
            assert_eq!(read(value.clone()), None, "{value}");
        }
    }
}
