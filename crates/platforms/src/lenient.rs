//! Reading what platforms write loosely: a number or the same number as text, zero for "not yet".
//!
//! Ids exceed 2^53, so they become text without ever passing through a float; a float where an integer belongs is refused.

use std::borrow::Cow;
use std::fmt;

use domain::{Fen, UnixMs};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::Value;

use crate::gmt8::parse_gmt8;

/// An id: a number or text, kept as text exactly as written.
pub fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Id::deserialize(deserializer).map(|id| id.0)
}

/// An id that may be absent; null, `""`, `0` and `"0"` count as absent.
pub fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let id = Option::<Id>::deserialize(deserializer)?;
    Ok(id.map(|id| id.0).filter(|id| !matches!(id.as_str(), "" | "0")))
}

/// A list of ids; absent (with `default`) and null count as empty.
pub fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let ids = Option::<Vec<Id>>::deserialize(deserializer)?;
    Ok(ids.into_iter().flatten().map(|id| id.0).collect())
}

/// A list; absent (with `default`) and null count as empty.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A whole number, or the same as text.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Integer::deserialize(deserializer).map(|number| number.0)
}

/// A whole number that may be absent or null.
pub fn optional_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Option::<Integer>::deserialize(deserializer)?.map(|number| number.0))
}

/// A time in Unix seconds; absent, null and zero mean "not yet".
pub fn optional_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMs>, D::Error> {
    match optional_integer(deserializer)? {
        None | Some(0) => Ok(None),
        Some(seconds) => UnixMs::from_seconds(seconds).map(Some).map_err(D::Error::custom),
    }
}

/// A time in Unix milliseconds; absent, null and zero mean "not yet".
pub fn optional_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMs>, D::Error> {
    match optional_integer(deserializer)? {
        None | Some(0) => Ok(None),
        Some(millis) => UnixMs::from_millis(millis).map(Some).map_err(D::Error::custom),
    }
}

/// A time as text in GMT+8; absent, null, `""` and text that is no time (`0000-00-00 00:00:00`) mean "not yet".
pub fn optional_gmt8<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMs>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(parse_gmt8))
}

/// Money in yuan, as text or as a number: exactly to the fen. A third decimal is refused, and so is a number with decimals that is too
/// large to be exact.
pub fn yuan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fen, D::Error> {
    Yuan::deserialize(deserializer).map(|yuan| yuan.0)
}

/// Money in yuan that may be absent, null or `""`.
pub fn optional_yuan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Fen>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(value) => Yuan::deserialize(&value).map(|yuan| Some(yuan.0)).map_err(D::Error::custom),
    }
}

/// Yes or no, as JSON or as text; absent and anything else say nothing.
pub fn optional_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(flag(&Value::deserialize(deserializer)?))
}

/// Yes or no, as JSON or as text.
pub fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// JSON that a platform may have put into a text: the value itself.
pub fn json_text(value: &Value) -> serde_json::Result<Cow<'_, Value>> {
    match value {
        Value::String(text) => serde_json::from_str(text).map(Cow::Owned),
        value => Ok(Cow::Borrowed(value)),
    }
}

struct Yuan(Fen);

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A number is read as the shortest decimal that means it: 0.1 is ten fen, whatever its bits are. Beyond fifteen digits several
        // amounts share their bits.
        const EXACT: f64 = 1e13;
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) if number.is_f64() && number.as_f64().is_none_or(|yuan| yuan.abs() >= EXACT) => {
                return Err(D::Error::custom("a number with decimals is exact below 10^13 yuan only"));
            }
            Value::Number(number) => number.to_string(),
            other => return Err(D::Error::custom(format!("{other} is no amount in yuan"))),
        };
        Fen::from_yuan_text(&text).map(Self).map_err(D::Error::custom)
    }
}

struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor).map(Self)
    }
}

struct Integer(i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntegerVisitor).map(Self)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id, as text or as a whole number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or the same as text")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(|_| E::custom(format!("{number} does not fit 64 bits with sign")))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
        text.parse().map_err(|_| E::custom(format!("{text:?} is not a whole number")))
    }
}

#[cfg(test)]
mod tests {
    use domain::{Fen, UnixMs};
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Row {
        #[serde(deserialize_with = "super::id")]
        id: String,
        #[serde(default, deserialize_with = "super::optional_id")]
        room: Option<String>,
        #[serde(deserialize_with = "super::integer")]
        fen: i64,
        #[serde(default, deserialize_with = "super::optional_seconds")]
        at: Option<UnixMs>,
    }

    #[test]
    fn numbers_and_text_read_alike_and_exactly() {
        for json in [
            r#"{"id":4837328765348566675,"room":9007199254740993,"fen":1990,"at":1770000000}"#,
            r#"{"id":"4837328765348566675","room":"9007199254740993","fen":"1990","at":"1770000000"}"#,
        ] {
            let row: Row = serde_json::from_str(json).unwrap();
            assert_eq!(row.id, "4837328765348566675");
            assert_eq!(row.room.as_deref(), Some("9007199254740993"));
            assert_eq!(row.fen, 1990);
            assert_eq!(row.at.map(UnixMs::seconds), Some(1_770_000_000));
        }
    }

    #[test]
    fn zero_null_and_absence_mean_not_yet() {
        for json in [
            r#"{"id":"1","room":0,"fen":0,"at":0}"#,
            r#"{"id":"1","room":null,"fen":0,"at":null}"#,
            r#"{"id":"1","room":"","fen":0,"at":"0"}"#,
            r#"{"id":"1","fen":0}"#,
        ] {
            let row: Row = serde_json::from_str(json).unwrap();
            assert_eq!((row.room, row.at), (None, None), "{json}");
        }
    }

    #[test]
    fn floats_and_nonsense_are_refused() {
        for json in [
            r#"{"id":1.5,"fen":1}"#,
            r#"{"id":"1","fen":19.9}"#,
            r#"{"id":"1","fen":"19.90"}"#,
            r#"{"id":"1","fen":18446744073709551615}"#,
            r#"{"id":[],"fen":1}"#,
            r#"{"id":"1","fen":1,"at":9223372036854775807}"#,
        ] {
            assert!(serde_json::from_str::<Row>(json).is_err(), "{json}");
        }
    }

    #[derive(Debug, Deserialize)]
    struct Bill {
        #[serde(deserialize_with = "super::yuan")]
        paid: Fen,
        #[serde(default, deserialize_with = "super::optional_yuan")]
        freight: Option<Fen>,
        #[serde(default, deserialize_with = "super::optional_gmt8")]
        at: Option<UnixMs>,
        #[serde(default, deserialize_with = "super::optional_millis")]
        changed: Option<UnixMs>,
    }

    #[test]
    fn yuan_is_exact_as_text_and_as_number() {
        for (paid, fen) in [("\"19.90\"", 1990), ("0.1", 10), ("0.29", 29), ("1234567.89", 123_456_789), ("7", 700)] {
            let bill: Bill = serde_json::from_str(&format!(r#"{{"paid":{paid},"freight":""}}"#)).unwrap();
            assert_eq!((bill.paid, bill.freight), (Fen::new(fen), None), "{paid}");
        }
        for paid in ["9999999999999.99", "-9999999999999.99", "\"92233720368547758.07\"", "92233720368547758"] {
            let bill: Bill = serde_json::from_str(&format!(r#"{{"paid":{paid}}}"#)).unwrap();
            let shown = bill.paid.to_string();
            assert!(shown.starts_with(paid.trim_matches('"')), "{paid} is {shown}");
        }
        for paid in ["\"1.999\"", "0.001", "\"\"", "null", "true", "900719925474099.23", "1e13", "1e400"] {
            assert!(serde_json::from_str::<Bill>(&format!(r#"{{"paid":{paid}}}"#)).is_err(), "{paid}");
        }
    }

    #[test]
    fn times_as_text_are_gmt8_and_zeros_are_not_yet() {
        let bill: Bill =
            serde_json::from_str(r#"{"paid":"1","at":"2026-01-01 00:00:00","changed":1767196800001}"#).unwrap();
        assert_eq!(bill.at.unwrap().to_string(), "2025-12-31T16:00:00.000Z");
        assert_eq!(bill.changed.unwrap().to_string(), "2025-12-31T16:00:00.001Z");
        let bill: Bill = serde_json::from_str(r#"{"paid":"1","at":"0000-00-00 00:00:00","changed":0}"#).unwrap();
        assert_eq!((bill.at, bill.changed), (None, None));
    }
}
