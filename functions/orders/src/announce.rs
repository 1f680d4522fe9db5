//! Which events are due: each step once, with the full record where it can be had.
//!
//! A push tells that something happened and hardly what. So while the full record is on its way the steps wait; when it
//! stays away they are announced without it (`complete: false`), and `order.detailed` follows when it comes after all.

use domain::{
    Event, Order, OrderEvent, OrderId, OrderStatus, Refund, RefundEvent, RefundId, RefundStatus, UnixMs, Version,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the log already holds of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// The steps of which there is an event.
    pub steps: BTreeSet<OrderStatus>,
    /// Whether the full record was known to the newest of them.
    pub detailed: bool,
}

/// The events that are due for an order now, in the order of its steps; updates `announced`. `patient` is false when the
/// full record has been waited for long enough.
pub fn order_events(
    id: OrderId,
    order: &Order,
    steps: &BTreeMap<OrderStatus, UnixMs>,
    announced: &mut Announced,
    patient: bool,
) -> Vec<Event> {
    if !order.complete && patient {
        return Vec::new();
    }
    let event = |at| OrderEvent { v: Version, order_id: id, at, order: order.clone() };
    let mut events = Vec::new();
    if order.complete && !announced.detailed {
        if !announced.steps.is_empty() {
            events.push(Event::OrderDetailed(event(order.times.updated_at.unwrap_or(UnixMs::EPOCH))));
        }
        announced.detailed = true;
    }
    for (step, at) in steps {
        let kind = match step {
            OrderStatus::Created => Event::OrderCreated,
            OrderStatus::Paid => Event::OrderPaid,
            OrderStatus::Shipped => Event::OrderShipped,
            OrderStatus::Signed => Event::OrderSigned,
            OrderStatus::Completed => Event::OrderCompleted,
            OrderStatus::Closed => Event::OrderClosed,
            // Parcels of a part: told by the order itself, no step of the whole.
            OrderStatus::PartlyShipped => continue,
        };
        if announced.steps.insert(*step) {
            events.push(kind(event(*at)));
        }
    }
    events
}

/// The events that are due for a refund now; updates `announced`. While the claim is unknown and `patient`, none.
pub fn refund_events(
    id: RefundId,
    order_id: OrderId,
    refund: &Refund,
    announced: &mut BTreeSet<RefundStatus>,
    patient: bool,
) -> Vec<Event> {
    if refund.claim.is_none() && patient {
        return Vec::new();
    }
    let mut events = Vec::new();
    for (step, at) in &refund.times {
        let kind = match step {
            RefundStatus::Applied => Event::RefundApplied,
            RefundStatus::Agreed => Event::RefundAgreed,
            RefundStatus::Refunded => Event::RefundRefunded,
            RefundStatus::Rejected => Event::RefundRejected,
            RefundStatus::Cancelled => Event::RefundCancelled,
            // Goods on their way back: told by the refund itself.
            RefundStatus::Returning => continue,
        };
        if announced.insert(*step) {
            events.push(kind(RefundEvent { v: Version, refund_id: id, order_id, at: *at, refund: refund.clone() }));
        }
    }
    events
}
