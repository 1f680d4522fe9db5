//! Orders, refunds and their history as the API shows them.

use crate::store::{KnownOrder, KnownRefund, Listed};
use domain::{
    Amounts, EventId, Fen, Guide, Identity, Line, LiveRoom, Order, OrderFlag, OrderId, OrderStatus, OrderTimes,
    Platform, Refund, RefundClaim, RefundId, RefundStatus, Region, Shipment, UnixMs,
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// An order. Amounts are integer fen.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderView {
    /// Its id in our books.
    pub id: OrderId,
    /// Where it was placed.
    pub platform: Platform,
    /// The shop or till.
    pub shop_id: String,
    /// Its number on the platform, always text.
    pub platform_order_id: String,
    /// The store of the merchant that it belongs to, as a path.
    pub store: Option<String>,
    /// How far it has come.
    pub status: OrderStatus,
    /// The platform's own word for that.
    pub raw_status: Option<String>,
    /// What a person should look at.
    pub flags: Vec<OrderFlag>,
    /// Whether the full record has arrived.
    pub complete: bool,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// The bill, in fen.
    pub amounts: Option<Amounts>,
    /// What has been paid, in fen.
    pub paid: Option<Fen>,
    /// Who bought.
    pub identities: Vec<Identity>,
    /// Where the goods go.
    pub region: Option<Region>,
    /// The live room it was sold in.
    pub live_room: Option<LiveRoom>,
    /// The guide it is credited to.
    pub guide: Option<Guide>,
    /// The buyer's level among the shop's members, in the platform's or the merchant's own word; absent where it is not told.
    pub member_level: Option<String>,
    /// The parcels.
    pub shipments: Vec<Shipment>,
    /// When each step happened.
    pub times: OrderTimes,
    /// When it was placed; while that is unknown, when it was first heard of.
    pub placed_at: UnixMs,
}

impl OrderView {
    pub fn new(listed: &Listed) -> Self {
        let KnownOrder { id, key, facts, placed_at, .. } = &listed.known;
        let order: Order = facts.order(key.clone());
        Self {
            id: *id,
            platform: order.key.platform,
            shop_id: order.key.shop_id,
            platform_order_id: order.key.platform_order_id,
            store: listed.store.clone(),
            status: order.status,
            raw_status: order.raw_status,
            flags: order.flags,
            complete: order.complete,
            lines: order.lines,
            amounts: order.amounts,
            paid: order.paid,
            identities: order.identities,
            region: order.region,
            live_room: order.live_room,
            guide: order.guide,
            member_level: order.member_level,
            shipments: order.shipments,
            times: order.times,
            placed_at: *placed_at,
        }
    }
}

/// An after-sale case of an order. Amounts are integer fen.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundView {
    /// Its id in our books.
    pub id: RefundId,
    /// The order it belongs to.
    pub order_id: OrderId,
    /// Its number on the platform; ours where it was entered here.
    pub after_sale_id: String,
    /// Where it stands.
    pub status: RefundStatus,
    /// The platform's own word for that.
    pub raw_status: Option<String>,
    /// What is asked for.
    pub claim: Option<RefundClaim>,
    /// When each step happened.
    pub times: BTreeMap<RefundStatus, UnixMs>,
}

impl RefundView {
    pub fn new(known: &KnownRefund, order: &KnownOrder) -> Self {
        let refund: Refund = known.facts.refund(order.key.clone(), known.after_sale_id.clone());
        Self {
            id: known.id,
            order_id: known.order_id,
            after_sale_id: refund.after_sale_id,
            status: refund.status,
            raw_status: refund.raw_status,
            claim: refund.claim,
            times: refund.times,
        }
    }
}

/// An order with all that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderWithHistory {
    /// The order.
    #[serde(flatten)]
    pub order: OrderView,
    /// Its after-sale cases, oldest first.
    pub refunds: Vec<RefundView>,
    /// What was announced of it, oldest first.
    pub history: Vec<HistoryEntry>,
}

/// One event of an order's history.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// Its place in the log.
    pub seq: i64,
    /// The event's id.
    pub id: EventId,
    /// Its type, such as `order.paid`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it entered the log.
    pub time: UnixMs,
}
