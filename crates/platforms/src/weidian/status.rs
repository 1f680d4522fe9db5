//! Weidian's numbers and words for states, and what they mean here. What is not in a table is unknown: kept and flagged, not
//! guessed.

use domain::{OrderStatus, RefundStatus};

/// What an order's status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderState {
    /// A step was reached.
    Reached(OrderStatus),
    /// To be shipped: paid, unless the order is cash on delivery.
    Preparing,
}

/// `status_ori`, and for records without it the word `status` (vdian.order.get 1.0).
pub(super) fn order_state(code: &str) -> Option<OrderState> {
    Some(match code {
        // 21: paid in part.
        "10" | "21" | "unpay" => OrderState::Reached(OrderStatus::Created),
        "20" | "pay" | "unship_refunding" => OrderState::Preparing,
        "31" => OrderState::Reached(OrderStatus::PartlyShipped),
        "30" | "ship" | "shiped_refunding" => OrderState::Reached(OrderStatus::Shipped),
        "40" | "accept" | "accept_refunding" => OrderState::Reached(OrderStatus::Signed),
        "50" | "finish" => OrderState::Reached(OrderStatus::Completed),
        "60" | "close" => OrderState::Reached(OrderStatus::Closed),
        _ => return None,
    })
}

/// `refund_info.refund_status` of a line. Only that of success is public; the others are kept as unknown.
pub(super) fn case_state(code: &str) -> Option<RefundStatus> {
    (code == "10").then_some(RefundStatus::Refunded)
}
