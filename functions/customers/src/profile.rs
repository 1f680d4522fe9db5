//! The profile: fields that the merchant has defined, typed and checked.

use domain::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The longest free text, in bytes.
const LONGEST: usize = 2000;

/// A field of the profile (字段): pregnancy week, formula brand, car model, loan preference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What people call it.
    pub label: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub form: Form,
    /// The words of a choice; empty for other types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A whole number.
    Number,
    /// One of a few words.
    Choice,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// Yes or no.
    Flag,
    /// Free text. It is personal: stored sealed, and told in no event, so no rule can ask for it.
    Text,
}

impl Form {
    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Choice => "choice",
            Self::Date => "date",
            Self::Flag => "flag",
            Self::Text => "text",
        }
    }
}

/// A value that was given for a field, checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// One that events may tell.
    Value(AttributeValue),
    /// Free text.
    Text(String),
}

impl Field {
    /// Checks the definition.
    ///
    /// # Errors
    /// What to change.
    pub fn check(&self) -> Result<(), String> {
        if self.label.trim().is_empty() {
            return Err("label: must not be blank".to_owned());
        }
        if self.form != Form::Number && (self.minimum.is_some() || self.maximum.is_some()) {
            return Err("minimum, maximum: belong to type number".to_owned());
        }
        if self.minimum.zip(self.maximum).is_some_and(|(minimum, maximum)| minimum > maximum) {
            return Err("minimum: is greater than maximum".to_owned());
        }
        if (self.form == Form::Choice) == self.choices.is_empty() {
            return Err("choices: name at least one for type choice, and none for others".to_owned());
        }
        if self.choices.iter().any(|choice| choice.trim().is_empty()) {
            return Err("choices: must not be blank".to_owned());
        }
        Ok(())
    }

    /// Reads a value for this field.
    ///
    /// # Errors
    /// What to change.
    pub fn read(&self, value: &Value) -> Result<Given, String> {
        let given = match (self.form, value) {
            (Form::Number, Value::Number(number)) => {
                let number = number.as_i64().ok_or("send a whole number")?;
                let (minimum, maximum) = (self.minimum.unwrap_or(i64::MIN), self.maximum.unwrap_or(i64::MAX));
                if !(minimum..=maximum).contains(&number) {
                    return Err(format!("is {number}, outside {minimum} to {maximum}"));
                }
                AttributeValue::Number(number)
            }
            (Form::Choice, Value::String(word)) if self.choices.contains(word) => AttributeValue::Text(word.clone()),
            (Form::Choice, _) => return Err(format!("is none of {}", self.choices.join(", "))),
            (Form::Date, Value::String(date)) => {
                let date: jiff::civil::Date = date.parse().map_err(|_| "send a date such as 2026-02-14")?;
                AttributeValue::Text(date.to_string())
            }
            (Form::Flag, Value::Bool(flag)) => AttributeValue::Flag(*flag),
            (Form::Text, Value::String(text)) if text.len() <= LONGEST => return Ok(Given::Text(text.clone())),
            (Form::Text, Value::String(_)) => return Err(format!("is longer than {LONGEST} bytes")),
            (form, _) => return Err(format!("is no {}", form.as_str())),
        };
        Ok(Given::Value(given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(json: Value) -> Field {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn values_are_held_to_their_field() {
        let week = field(json!({ "label": "孕周", "type": "number", "minimum": 0, "maximum": 42 }));
        let brand = field(json!({ "label": "奶粉品牌", "type": "choice", "choices": ["A", "B"] }));
        let date = field(json!({ "label": "试驾日", "type": "date" }));
        let flag = field(json!({ "label": "贷款", "type": "flag" }));
        let text = field(json!({ "label": "备注", "type": "text" }));
        for field in [&week, &brand, &date, &flag, &text] {
            assert_eq!(field.check(), Ok(()));
        }
        assert_eq!(week.read(&json!(20)), Ok(Given::Value(AttributeValue::Number(20))));
        assert_eq!(brand.read(&json!("A")), Ok(Given::Value(AttributeValue::Text("A".to_owned()))));
        assert_eq!(date.read(&json!("2026-02-28")), Ok(Given::Value(AttributeValue::Text("2026-02-28".to_owned()))));
        assert_eq!(flag.read(&json!(true)), Ok(Given::Value(AttributeValue::Flag(true))));
        assert_eq!(text.read(&json!("x")), Ok(Given::Text("x".to_owned())));
        for (field, value, said) in [
            (&week, json!(43), "outside 0 to 42"),
            (&week, json!(1.5), "whole number"),
            (&week, json!("20"), "is no number"),
            (&brand, json!("C"), "none of A, B"),
            (&date, json!("2026-02-30"), "send a date"),
            (&flag, json!("yes"), "is no flag"),
            (&text, json!("x".repeat(2001)), "longer than"),
        ] {
            let error = field.read(&value).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn definitions_that_make_no_sense_are_refused() {
        for (json, said) in [
            (json!({ "label": " ", "type": "flag" }), "label"),
            (json!({ "label": "x", "type": "number", "minimum": 2, "maximum": 1 }), "minimum"),
            (json!({ "label": "x", "type": "choice", "choices": [] }), "choices"),
            (json!({ "label": "x", "type": "flag", "choices": ["A"] }), "choices"),
            (json!({ "label": "x", "type": "date", "minimum": 1 }), "minimum"),
        ] {
            assert!(field(json).check().unwrap_err().contains(said));
        }
    }
}
