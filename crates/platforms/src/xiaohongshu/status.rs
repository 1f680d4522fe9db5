//! Xiaohongshu's numbers for states, and what they mean here. What is not in a table is unknown: kept and flagged, not guessed.

use domain::{OrderStatus, RefundKind, RefundStatus};

/// What a state says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State<T> {
    /// A step was reached.
    Reached(T),
    /// Known, and no step: the exchange of an order is under way, the platform looks into a case.
    Open,
}

/// `orderStatus` (order.getOrderDetail).
pub(super) fn order_state(code: &str) -> Option<State<OrderStatus>> {
    Some(State::Reached(match code {
        "1" => OrderStatus::Created,
        // Paid and looked at, at the customs, to be shipped.
        "2" | "3" | "4" => OrderStatus::Paid,
        "5" => OrderStatus::PartlyShipped,
        "6" => OrderStatus::Shipped,
        "7" => OrderStatus::Completed,
        "8" | "9" => OrderStatus::Closed,
        "10" => return Some(State::Open),
        _ => return None,
    }))
}

/// `status` of a case (afterSale.getAfterSaleInfo). Whether money has moved is said by `refundStatus`, never by this.
pub(super) fn after_sale_state(code: &str) -> Option<State<RefundStatus>> {
    Some(State::Reached(match code {
        "1" => RefundStatus::Applied,
        // The buyer is to send it back; all is done; the replacement is to be sent or on its way.
        "2" | "4" | "12" | "13" => RefundStatus::Agreed,
        "3" => RefundStatus::Returning,
        "5" | "6" => RefundStatus::Cancelled,
        // Refused at first; refused after the goods came back.
        "9" | "9001" => RefundStatus::Rejected,
        "14" => return Some(State::Open),
        _ => return None,
    }))
}

/// `refundStatus`: the money is with the buyer (others: 1 on its way, 3 failed, 108, 101, 201, 301 before that, 302, 401, 402 not
/// at all).
pub(super) const REFUNDED: &str = "2";

/// `returnType`.
pub(super) const fn after_sale_kind(code: i64) -> RefundKind {
    match code {
        1 => RefundKind::Return,
        2 => RefundKind::Exchange,
        // 3 is how older cases say it.
        3 | 4 => RefundKind::RefundOnly,
        5 => RefundKind::Unshipped,
        // 6 is price protection.
        _ => RefundKind::Other,
    }
}
