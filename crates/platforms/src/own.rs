//! The merchant's own shops, tills (POS) and mini-programs: `POST /hooks/orders`, signed by Standard Webhooks
//! ([`crate::standard_webhooks`]).
//!
//! This is our own API, so unknown fields are refused: a misspelt field would otherwise be lost without a word. A message
//! states how an order or a refund stands as of its `timestamp`; send it again after each change. Order and repetition
//! of messages do not matter.

mod map;

use domain::{
    Amounts, Fen, Guide, Identity, Line, LiveRoom, MoneyError, OrderStatus, RefundClaim, RefundStatus, Region, Secret,
    Shipment, UnixMs,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::kuaidi100::pickup::Wish;

pub use self::map::{Mapped, map};

/// The purpose under which buyers' phones are sealed.
pub const PHONE: &str = "order.phone";

/// A message: what it is about, as of when, and how that stands.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Message {
    /// How an order stands.
    #[serde(rename = "order.updated")]
    Order {
        /// When it stood so. A message with an older timestamp never replaces what a newer one said.
        timestamp: UnixMs,
        /// The order.
        data: Box<OrderData>,
    },
    /// How a refund stands.
    #[serde(rename = "refund.updated")]
    Refund {
        /// When it stood so.
        timestamp: UnixMs,
        /// The refund.
        data: Box<RefundData>,
    },
}

/// An order of an own shop. Money is integer fen, times are RFC 3339 with their zone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderData {
    /// The shop or till, as the merchant numbers them.
    pub shop_id: String,
    /// The order's number, unique in the shop.
    pub order_id: String,
    /// How far it has come.
    pub status: OrderStatus,
    /// When it was placed.
    pub created_at: UnixMs,
    /// When it was paid.
    pub paid_at: Option<UnixMs>,
    /// When all of it was handed over or sent.
    pub shipped_at: Option<UnixMs>,
    /// When it was received.
    pub signed_at: Option<UnixMs>,
    /// When it was finished.
    pub completed_at: Option<UnixMs>,
    /// When it was cancelled or closed.
    pub closed_at: Option<UnixMs>,
    /// What was ordered, at least one line. The same SKU may stand on two lines.
    pub lines: Vec<Line>,
    /// The bill.
    pub amounts: Amounts,
    /// What has been paid, in fen.
    pub paid: Fen,
    /// Who bought, by ids: member card, unionid, the till's customer number. No clear personal data here.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// The buyer's phone number, if known. It is hashed for recognition and stored encrypted; it reaches no event and no log.
    #[schema(value_type = Option<String>)]
    pub phone: Option<Secret<String>>,
    /// Where the goods go; absent for sales over the counter.
    pub region: Option<Region>,
    /// The live room it was sold in.
    pub live_room: Option<LiveRoom>,
    /// The guide it is credited to.
    pub guide: Option<Guide>,
    /// The buyer's level among the members (`gold`).
    pub member_level: Option<String>,
    /// The parcels.
    #[serde(default)]
    pub shipments: Vec<Shipment>,
}

/// A refund of an own shop's order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundData {
    /// The shop or till of the order.
    pub shop_id: String,
    /// The order's number.
    pub order_id: String,
    /// The refund's number, unique in the shop.
    pub refund_id: String,
    /// Where it stands.
    pub status: RefundStatus,
    /// When it was asked for.
    pub applied_at: UnixMs,
    /// What is asked for.
    pub claim: RefundClaim,
    /// A courier to fetch the goods (快递上门取件), once the case is agreed. The carrier is told once: later messages may leave it out.
    pub pickup: Option<Wish>,
}

/// Reads a message.
///
/// # Errors
/// [`OwnError`] says which field to change. Answer it 422.
pub fn decode(body: &[u8]) -> Result<Message, OwnError> {
    serde_json::from_slice(body).map_err(|source| OwnError::Malformed(source.to_string()))
}

/// Why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnError {
    /// Not of the documented form.
    #[error("the message is not of the documented form: {0}")]
    Malformed(String),
    /// A value is of the right form and makes no sense.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field, as a path: `data.lines[0].quantity`.
        field: String,
        /// What to change.
        reason: &'static str,
    },
    /// Amounts do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

pub(crate) fn not_blank(field: &str, value: &str) -> Result<(), OwnError> {
    if value.trim().is_empty() { Err(invalid(field, "must not be blank")) } else { Ok(()) }
}

pub(crate) fn invalid(field: impl Into<String>, reason: &'static str) -> OwnError {
    OwnError::Invalid { field: field.into(), reason }
}
