//! The SQL of figures, customers, tags, rules and segments.

pub mod customer;
pub mod engine;
pub mod group;
pub mod log;
pub mod order;
pub mod product;
pub mod rfm;
pub mod rule;
pub mod segment;
pub mod subject;
pub mod tag;

use kit::DbError;
use serde::Serialize;

/// A value as a JSON column.
///
/// # Errors
/// [`DbError::Shape`] when it has no JSON form.
pub fn json(value: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Shape(error.to_string()))
}
