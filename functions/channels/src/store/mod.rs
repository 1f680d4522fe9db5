//! All SQL of the function. It writes its own tables; of other functions' it reads customers' keywords, tags, stages and follow-ups.

pub mod attributed;
pub mod channel;
pub mod code;
pub mod contact;
pub mod cost;
pub mod customer_tag;
pub mod fission;
pub mod group;
pub mod known;
pub mod mark;
pub mod message;
pub mod person;
pub mod poster;
pub mod radar;
pub mod report;
pub mod touch;
pub mod transfer;
pub mod turn;
pub mod way;
pub mod wecom_tag;
pub mod welcome;
pub mod who;

use kit::DbError;
use serde::Serialize;

/// A document as it is kept.
///
/// # Errors
/// [`DbError::Shape`] never happens for documents of this crate.
pub fn json(value: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Shape(error.to_string()))
}
