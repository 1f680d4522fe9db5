//! Doudian's numbers for states, and what they mean here. What is not in a table is unknown: kept and flagged, not guessed.

use domain::{OrderStatus, RefundKind, RefundStatus};

/// What an order's `order_status` or `main_status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderState {
    /// A step was reached.
    Reached(OrderStatus),
    /// 2, being prepared: paid, unless the order is cash on delivery, where it only means confirmed.
    Preparing,
}

/// Doudian `order_status` and `main_status` (order.orderDetail; guide 153/99).
pub(super) fn order_state(code: &str) -> Option<OrderState> {
    Some(match code {
        "1" => OrderState::Reached(OrderStatus::Created),
        // A deposit was paid, the balance is due: paid is said of the whole only.
        "103" => OrderState::Reached(OrderStatus::Created),
        "105" => OrderState::Reached(OrderStatus::Paid),
        "2" => OrderState::Preparing,
        "101" => OrderState::Reached(OrderStatus::PartlyShipped),
        "3" => OrderState::Reached(OrderStatus::Shipped),
        "4" => OrderState::Reached(OrderStatus::Closed),
        "5" => OrderState::Reached(OrderStatus::Completed),
        // All refunded before shipping, after shipping, after receipt: the order is over, and no sale was left.
        "21" | "22" | "39" => OrderState::Reached(OrderStatus::Closed),
        _ => return None,
    })
}

/// Doudian `aftersale_status` (afterSale.Detail; guide 153/99). Whether the money has moved is said by `refund_status` or
/// by message 206, never by this.
pub(super) fn aftersale_state(code: &str) -> Option<RefundStatus> {
    Some(match code {
        "6" => RefundStatus::Applied,
        // Waiting for the buyer to return it, or for the shop to send a replacement.
        "7" | "8" => RefundStatus::Agreed,
        "11" => RefundStatus::Returning,
        // Agreed to the refund; a replacement is on its way or has arrived; an unshipped order was cancelled; all is done.
        "12" | "13" | "14" | "51" | "53" => RefundStatus::Agreed,
        // Refused at first; refused after the goods came back.
        "27" | "29" => RefundStatus::Rejected,
        "28" => RefundStatus::Cancelled,
        _ => return None,
    })
}

/// Doudian `aftersale_type`.
pub(super) const fn aftersale_kind(code: i64) -> RefundKind {
    match code {
        0 => RefundKind::Return,
        1 => RefundKind::RefundOnly,
        // Before shipping; the platform's and the buyer's own cancellation come before shipping too.
        2 | 4 | 5 => RefundKind::Unshipped,
        3 => RefundKind::Exchange,
        _ => RefundKind::Other,
    }
}
