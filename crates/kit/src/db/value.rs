//! Values, rows and statement parameters, the same over both backends.

use super::{DbError, Value};
use domain::UnixMs;
use std::sync::Arc;

/// One row of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
}

impl Row {
    /// Takes the column of this name.
    ///
    /// # Errors
    /// [`DbError::Shape`] when the column is missing or holds another type.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, DbError> {
        let value = self
            .columns
            .iter()
            .position(|name| name == column)
            .and_then(|at| self.values.get(at))
            .ok_or_else(|| DbError::Shape(format!("no column {column}")))?;
        T::from_value(value).ok_or_else(|| DbError::Shape(format!("column {column} holds another type")))
    }

    /// Takes a JSON column.
    ///
    /// # Errors
    /// [`DbError::Shape`] when the column is missing or does not hold such JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, DbError> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|error| DbError::Shape(format!("column {column}: {error}")))
    }

    /// Takes a column of Unix milliseconds.
    ///
    /// # Errors
    /// [`DbError::Shape`] when the column is missing or not such a number.
    pub fn instant(&self, column: &str) -> Result<UnixMs, DbError> {
        UnixMs::from_millis(self.get(column)?).map_err(|error| DbError::Shape(format!("column {column}: {error}")))
    }

    /// Takes a column of Unix milliseconds that may be null.
    ///
    /// # Errors
    /// [`DbError::Shape`] when the column is missing or not such a number.
    pub fn optional_instant(&self, column: &str) -> Result<Option<UnixMs>, DbError> {
        match self.get::<Option<i64>>(column)? {
            None => Ok(None),
            Some(_) => self.instant(column).map(Some),
        }
    }

    /// Takes a text column and parses it.
    ///
    /// # Errors
    /// [`DbError::Shape`] when the column is missing or does not parse.
    pub fn parse<T: std::str::FromStr>(&self, column: &str) -> Result<T, DbError> {
        let text: String = self.get(column)?;
        text.parse().map_err(|_| DbError::Shape(format!("column {column} does not parse")))
    }
}

/// Types that can be read from a column.
pub trait FromValue: Sized {
    /// The value, or nothing when it is of another type.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Integer(i64::from(yes))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Parameters of a statement: `params![id, name, None::<i64>]`, in the order of `?1`, `?2`, ….
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::db::Value::from($value)),*] };
}
