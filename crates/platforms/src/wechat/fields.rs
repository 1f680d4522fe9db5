//! The fields of a message, whichever form they come in: text and number mean the same, and empty is absent.

use domain::UnixMs;
use serde_json::Value;

/// A message of [`super::envelope::read`].
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub &'a Value);

impl Fields<'_> {
    /// A field's text.
    pub fn word(self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The first of several fields that is there.
    pub fn first(self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.word(name))
    }

    /// A whole number.
    pub fn number(self, name: &str) -> Option<i64> {
        self.word(name)?.trim().parse().ok()
    }

    /// A time in Unix seconds.
    pub fn time(self, name: &str) -> Option<UnixMs> {
        UnixMs::from_seconds(self.number(name)?).ok()
    }
}
