//! What each event carries. No personal data in clear: platform ids and keyed hashes only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Version;
use crate::{
    Fen, Identity, Order, OrderId, OutboxId, PickupId, PickupStatus, Platform, Refund, RefundClaim, RefundId, Stock,
    UnixMs,
};

/// A step in an order's life, with the order as known when the event was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderEvent {
    /// Version of this payload.
    pub v: Version<1>,
    /// The order in our books.
    pub order_id: OrderId,
    /// When the step happened on the platform, UTC; for `order.detailed`, when the record was current.
    pub at: UnixMs,
    /// The order as known by then. While `order.complete` is false only pushes have told of it, and `order.detailed` follows.
    pub order: Order,
}

/// A timer: the full record of an order was asked for and should have arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderDetailOverdue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The order in our books.
    pub order_id: OrderId,
    /// How many times the record has been asked for so far.
    pub attempt: u32,
}

/// A step in the life of a refund, with the refund as known when the event was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundEvent {
    /// Version of this payload.
    pub v: Version<1>,
    /// The refund in our books.
    pub refund_id: RefundId,
    /// The order in our books that it belongs to.
    pub order_id: OrderId,
    /// When the step happened on the platform, UTC.
    pub at: UnixMs,
    /// The refund as known by then.
    pub refund: Refund,
}

/// How far a courier has come who fetches the goods of a refund from the buyer, and what that costs the merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PickupChanged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The pickup in our books.
    pub pickup_id: PickupId,
    /// The refund whose goods are fetched.
    pub refund_id: RefundId,
    /// The order of the refund.
    pub order_id: OrderId,
    /// How far it has come.
    pub status: PickupStatus,
    /// The parcel's number, once there is one.
    pub tracking_number: Option<String>,
    /// What the merchant pays the carrier, in fen, once that is known. The newest figure holds.
    pub fee: Option<Fen>,
    /// When that became known, UTC.
    pub at: UnixMs,
}

/// The stock of one SKU after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockChanged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The merchant's SKU code.
    pub sku: String,
    /// Pieces before.
    pub before: Stock,
    /// Pieces after. Shops are told the difference in what is available.
    pub after: Stock,
    /// Why.
    pub cause: StockCause,
    /// The order that caused it; absent for counts.
    pub order_id: Option<OrderId>,
    /// The warehouse's document that caused it.
    pub document_id: Option<String>,
    /// When, UTC.
    pub at: UnixMs,
}

/// The goods of an after-sale case have come back to the merchant. What is paid for goods (commission, points) is settled
/// by this, the refund's money by `refund.refunded`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnReceived {
    /// Version of this payload.
    pub v: Version<1>,
    /// The refund in our books.
    pub refund_id: RefundId,
    /// The order in our books that it belongs to.
    pub order_id: OrderId,
    /// What was asked for, as known when the goods came; absent while no record has told.
    pub claim: Option<RefundClaim>,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: platforms that offer a SKU are to be told its stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockPushDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The merchant's SKU code.
    pub sku: String,
}

/// An order is the earliest paid one of its buyer, as far as is known. When an earlier one becomes known later, it is told in its
/// place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyerFirstOrder {
    /// Version of this payload.
    pub v: Version<1>,
    /// The order in our books.
    pub order_id: OrderId,
    /// The buyer: the first of the order's identities.
    pub identity: Identity,
    /// When it was paid, UTC.
    pub at: UnixMs,
}

/// After how long buyers buy a SKU again has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkuCycle {
    /// Version of this payload.
    pub v: Version<1>,
    /// The merchant's SKU code.
    pub sku: String,
    /// The median of the whole days between two purchases by one buyer.
    pub days: i64,
    /// How many intervals that is the median of.
    pub intervals: i64,
    /// When it changed, UTC.
    pub at: UnixMs,
}

/// A step on a parcel's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParcelEvent {
    /// Version of this payload.
    pub v: Version<1>,
    /// The carrier's number.
    pub tracking_number: String,
    /// The orders in our books whose goods are in it.
    pub order_ids: Vec<OrderId>,
    /// When the step happened, UTC.
    pub at: UnixMs,
}

/// Why stock changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockCause {
    /// Promised to an order.
    Reserved,
    /// Left with an order.
    Committed,
    /// An order fell through.
    Released,
    /// A person or the merchant's system set the count.
    Counted,
    /// A warehouse took goods in or gave them out.
    Moved,
    /// Goods came back from a buyer.
    Returned,
}

/// An order holds nothing of a SKU, because its platform has sold more than there is, or because what there was is lost. It gets its
/// pieces, in the order of sale, when there are enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockShort {
    /// Version of this payload.
    pub v: Version<1>,
    /// The merchant's SKU code.
    pub sku: String,
    /// The order that lacks pieces.
    pub order_id: OrderId,
    /// The pieces it should hold.
    pub quantity: i64,
    /// What is free, which does not suffice.
    pub available: i64,
    /// When, UTC.
    pub at: UnixMs,
}

/// A shop on a marketplace, connected or disconnected by the merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopEvent {
    /// Version of this payload.
    pub v: Version<1>,
    /// The platform.
    pub platform: Platform,
    /// The shop's id on the platform.
    pub shop_id: String,
    /// The shop's name, for people.
    pub name: String,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: a connected shop is to be asked what changed since it was asked last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PullDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The platform.
    pub platform: Platform,
    /// The shop's id on the platform.
    pub shop_id: String,
    /// What is asked for.
    pub kind: PullKind,
}

/// What a shop is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PullKind {
    /// Orders that changed.
    Orders,
    /// After-sale cases that changed.
    AfterSales,
    /// Messages of the platform's own queue.
    Messages,
}

impl PullKind {
    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::AfterSales => "after_sales",
            Self::Messages => "messages",
        }
    }
}

/// A call of the outbox was answered with success. What the answer says stands in the outbox row, not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboxSucceeded {
    /// Version of this payload.
    pub v: Version<1>,
    /// The outbox row.
    pub outbox_id: OutboxId,
    /// The system called, as in the courier's configuration: `douyin`.
    pub destination: String,
    /// What was asked of it: `order`.
    pub operation: String,
    /// What it was about: the id that the row was written with.
    pub subject: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// How many times it was sent.
    pub attempts: u32,
    /// When the answer came, UTC.
    pub at: UnixMs,
}

/// A call of the outbox was given up: refused for good, or out of attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutboxFailed {
    /// Version of this payload.
    pub v: Version<1>,
    /// The outbox row.
    pub outbox_id: OutboxId,
    /// The system called, as in the courier's configuration: `douyin`.
    pub destination: String,
    /// What was asked of it: `order`.
    pub operation: String,
    /// What it was about: the id that the row was written with.
    pub subject: String,
    /// HTTP status of the last answer; absent when there was none (time-out, refused connection).
    pub status: Option<u16>,
    /// How many times it was sent.
    pub attempts: u32,
    /// Why it was given up, for an operator; no personal data.
    pub error: String,
    /// When it was given up, UTC.
    pub at: UnixMs,
}

/// The virtual clock was moved (only where the variable `clock` is `virtual`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockMoved {
    /// Version of this payload.
    pub v: Version<1>,
    /// The instant it showed before, UTC.
    pub from: UnixMs,
    /// The instant it shows now, UTC.
    pub to: UnixMs,
}
