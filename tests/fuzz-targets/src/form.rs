//! Values that have one form only.

use domain::{Event, Fen, phone_e164};
use platforms::doudian;
use serde_json::Value;

use crate::read;

/// The form that Doudian signs says what the value says, is the same for each spelling of it, and is its own form.
pub fn canonical_json(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    if read::has_float(&value) {
        return;
    }
    let form = doudian::api::canonical(&value);
    let again: Value = serde_json::from_str(&form).unwrap_or_else(|error| unreachable!("{form}: {error}"));
    assert_eq!(again, value, "{form}");
    assert_eq!(doudian::api::canonical(&again), form);
    let spelt = serde_json::to_string_pretty(&backwards(&value)).unwrap_or_default();
    let spelt: Value = serde_json::from_str(&spelt).unwrap_or_else(|error| unreachable!("{spelt}: {error}"));
    assert_eq!(doudian::api::canonical(&spelt), form, "however it is spelt");
}

/// The same with all names in the opposite order.
fn backwards(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().rev().map(|(name, value)| (name.clone(), backwards(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(backwards).collect()),
        other => other.clone(),
    }
}

/// The type in the first line, the data in the rest: an event that is read is written as the same event.
pub fn event(bytes: &[u8]) {
    let (kind, data) = read::text(bytes).split_once('\n').unwrap_or_default();
    let Ok(event) = Event::parse(kind, data) else { return };
    let json = event.json().unwrap_or_else(|error| unreachable!("{event:?}: {error}"));
    assert_eq!(Event::parse(kind, &json).as_ref(), Ok(&event), "{json}");
}

/// What reads as yuan is shown as the same sum.
pub fn money(bytes: &[u8]) {
    if let Ok(sum) = Fen::from_yuan_text(read::text(bytes)) {
        assert_eq!(Fen::from_yuan_text(&yuan(sum)), Ok(sum), "{sum:?}");
    }
}

/// A sum in yuan, worked out apart from the product's own.
fn yuan(sum: Fen) -> String {
    let fen = i128::from(sum.get());
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

/// A phone has one form, and that form is its own.
pub fn phone(bytes: &[u8]) {
    if let Some(phone) = phone_e164(read::text(bytes)) {
        assert_eq!(phone_e164(&phone).as_deref(), Some(phone.as_str()));
        assert!(phone.starts_with('+') && phone[1..].bytes().all(|byte| byte.is_ascii_digit()), "{phone}");
    }
}
