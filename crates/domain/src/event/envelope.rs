//! The envelope: CloudEvents 1.0 in its JSON form.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Event, EventError};
use crate::{EventId, UnixMs};

/// The version of the CloudEvents specification that the envelope follows.
pub const SPEC_VERSION: &str = "1.0";

/// An event as it stands in the log and as other systems receive it: CloudEvents 1.0, JSON format, structured mode.
///
/// `source` and `id` together identify an event: who sees the pair twice has seen one event twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CloudEvent {
    /// The event's id, unique in the log.
    pub id: EventId,
    /// Who wrote it: a URI reference such as `/functions/orders`. Never empty.
    pub source: String,
    /// Always `1.0`.
    #[schema(example = "1.0")]
    pub specversion: String,
    /// The event's type, such as `order.paid`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What it is about: the id of the order, the refund, the SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it was written to the log, UTC.
    pub time: UnixMs,
    /// Always `application/json`.
    #[schema(example = "application/json")]
    pub datacontenttype: String,
    /// The payload; its `v` is its version.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl CloudEvent {
    /// Puts `event` into an envelope.
    ///
    /// # Errors
    /// [`EventError::Malformed`] as for [`Event::data`].
    pub fn new(
        id: EventId,
        source: impl Into<String>,
        subject: Option<String>,
        time: UnixMs,
        event: &Event,
    ) -> Result<Self, EventError> {
        Ok(Self {
            id,
            source: source.into(),
            specversion: SPEC_VERSION.to_owned(),
            type_name: event.type_name().to_owned(),
            subject,
            time,
            datacontenttype: "application/json".to_owned(),
            data: event.data()?,
        })
    }

    /// The event inside.
    ///
    /// # Errors
    /// [`EventError`] as for [`Event::parse`].
    pub fn event(&self) -> Result<Event, EventError> {
        Event::parse(&self.type_name, &self.data.to_string())
    }
}
