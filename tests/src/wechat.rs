//! What the simulated WeCom and the simulated Official Account have in common: people who are known by another id to each, tokens,
//! limits of calls, callbacks that are enciphered, signed and repeated, and the server that joins them.
//!
//! Written from the platforms' documents; nothing here is shared with the code under test, signatures included.

pub mod callback;
pub mod limits;
pub mod people;
pub mod seal;
pub mod service;
pub mod tokens;

use serde_json::Value;

/// Why a call gave nothing: `errcode` and `errmsg` of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub i64, pub &'static str);

/// The texts of a list; none for a field that is absent.
pub(crate) fn texts(value: &Value, refused: Refused) -> Result<Vec<String>, Refused> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => list.iter().map(|item| item.as_str().map(str::to_owned).ok_or(refused)).collect(),
        _ => Err(refused),
    }
}

/// The field's text; empty when it is absent or none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The part of `all` that a cursor points to, `limit` items at most, and the cursor of the next part (empty after the last).
/// Callers can do nothing with a cursor but give it back.
pub(crate) fn page<T>(
    all: Vec<T>,
    cursor: &Value,
    limit: usize,
    refused: Refused,
) -> Result<(Vec<T>, String), Refused> {
    let from = match text(cursor) {
        "" => 0,
        given => given.strip_prefix("CUR_").and_then(|place| place.parse::<usize>().ok()).ok_or(refused)?,
    };
    let end = from.saturating_add(limit);
    let next = if end < all.len() { format!("CUR_{end}") } else { String::new() };
    Ok((all.into_iter().skip(from).take(limit).collect(), next))
}
