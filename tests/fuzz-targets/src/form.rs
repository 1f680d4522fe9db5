//! Values that have one form only.

use domain::{Event, Fen, Hours, UnixMs, allocate, day, phone_e164};
use platforms::{doudian, gmt8_text};
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
    let other = spelt(&value);
    let spelt: Value = serde_json::from_str(&other).unwrap_or_else(|error| unreachable!("{other}: {error}"));
    assert_eq!(doudian::api::canonical(&spelt), form, "however it is spelt");
}

/// The same value with its names in the opposite order, blanks between, and every character escaped.
fn spelt(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().rev().map(|(name, value)| format!("{} : {}", escaped(name), spelt(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(" , "))
        }
        Value::Array(values) => format!("[ {} ]", values.iter().map(spelt).collect::<Vec<_>>().join("\n,")),
        Value::String(text) => escaped(text),
        other => other.to_string(),
    }
}

fn escaped(text: &str) -> String {
    let units: Vec<String> = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{}\"", units.concat())
}

/// The type in the first line, the data in the rest: an event that is read is written as the same event.
pub fn event(bytes: &[u8]) {
    let (kind, data) = read::text(bytes).split_once('\n').unwrap_or_default();
    let Ok(event) = Event::parse(kind, data) else { return };
    let json = event.json().unwrap_or_else(|error| unreachable!("{event:?}: {error}"));
    assert_eq!(Event::parse(kind, &json).as_ref(), Ok(&event), "{json}");
}

/// What reads as yuan is the sum that its digits are, is shown as it, and is split into parts that make it up.
pub fn money(bytes: &[u8]) {
    let text = read::text(bytes);
    let Ok(sum) = Fen::from_yuan_text(text) else { return };
    let (yuan, decimals) = text.split_once('.').unwrap_or((text, ""));
    assert_eq!(format!("{yuan}{decimals:0<2}").parse(), Ok(i128::from(sum.get())), "{text}");
    assert_eq!(Fen::from_yuan_text(&sum.to_string()), Ok(sum), "{text}");
    let weights: Vec<u64> = bytes.iter().copied().map(u64::from).collect();
    let parts = allocate(sum, &weights).unwrap_or_else(|error| unreachable!("{sum} over {weights:?}: {error}"));
    assert_eq!(parts.iter().map(|part| i128::from(part.get())).sum::<i128>(), i128::from(sum.get()), "{parts:?}");
}

/// An instant is written as text that reads as it, in UTC and in GMT+8, and lies in its day; a period is written as it is read.
pub fn time(bytes: &[u8]) {
    let text = read::text(bytes);
    if let Ok(hours) = text.parse::<Hours>() {
        assert_eq!(hours.to_string(), text);
    }
    let Ok(at) = text.parse::<UnixMs>() else { return };
    assert_eq!(at.to_string().parse(), Ok(at), "{text}");
    if at >= UnixMs::EPOCH {
        let local = format!("{}+08:00", gmt8_text(at).replace(' ', "T"));
        assert_eq!(local.parse::<UnixMs>().map(UnixMs::seconds), Ok(at.seconds()), "{local}");
    }
    let today = day::of(at);
    if let (Ok(start), Ok(end)) = (day::start(today), day::start(today + 1)) {
        assert!((start..end).contains(&at), "{text}: {start} to {end}");
    }
    assert_eq!(day::date_of(today).map(day::of_date), Some(today), "{text}");
}

/// A phone has one form, and that form is its own.
pub fn phone(bytes: &[u8]) {
    if let Some(phone) = phone_e164(read::text(bytes)) {
        assert_eq!(phone_e164(&phone).as_deref(), Some(phone.as_str()));
        assert!(phone.starts_with('+') && phone[1..].bytes().all(|byte| byte.is_ascii_digit()), "{phone}");
    }
}
