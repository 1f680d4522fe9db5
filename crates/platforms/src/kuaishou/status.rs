//! Kuaishou's numbers for states. What is not in a table is unknown: kept and flagged, not guessed.

use domain::{OrderStatus, RefundKind, RefundStatus};

/// `status` of an order (open.order.detail). `partly` is its `deliveryStatus` 10: one piece on its way makes it 40.
pub(super) fn order_state(code: &str, partly: bool) -> Option<OrderStatus> {
    Some(match code {
        "10" => OrderStatus::Created,
        "30" => OrderStatus::Paid,
        "40" if partly => OrderStatus::PartlyShipped,
        "40" => OrderStatus::Shipped,
        "50" => OrderStatus::Signed,
        "70" => OrderStatus::Completed,
        "80" => OrderStatus::Closed,
        _ => return None,
    })
}

/// `status` of an after-sale case (open.seller.order.refund.detail).
pub(super) fn aftersale_state(code: &str, kind: RefundKind) -> Option<RefundStatus> {
    Some(match code {
        // Waiting for the shop; with the platform, which has not decided yet.
        "10" | "20" => RefundStatus::Applied,
        "12" => RefundStatus::Rejected,
        // The platform or the shop agreed to a return; the shop has sent the replacement; the money is on its way.
        "22" | "30" | "45" | "50" => RefundStatus::Agreed,
        "40" => RefundStatus::Returning,
        // Success, which moves money only where it was about money.
        "60" => match kind {
            RefundKind::Return | RefundKind::RefundOnly | RefundKind::Unshipped => RefundStatus::Refunded,
            RefundKind::Exchange | RefundKind::Other => RefundStatus::Agreed,
        },
        "70" => RefundStatus::Cancelled,
        _ => return None,
    })
}

/// `handlingWay`; 4 resends and 5 repairs. Whether a case came before shipping is not told.
pub(super) const fn aftersale_kind(code: i64) -> RefundKind {
    match code {
        1 => RefundKind::Return,
        10 => RefundKind::RefundOnly,
        3 => RefundKind::Exchange,
        _ => RefundKind::Other,
    }
}
