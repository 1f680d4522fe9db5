//! Pinduoduo's numbers for states. What is not in a table is unknown: kept and flagged, not guessed.

use domain::{OrderStatus, RefundKind, RefundStatus};

/// `order_status` of a confirmed order (pdd.order.information.get).
pub(super) fn order_state(code: &str) -> Option<OrderStatus> {
    Some(match code {
        "1" => OrderStatus::Paid,
        "2" => OrderStatus::Shipped,
        "3" => OrderStatus::Signed,
        _ => return None,
    })
}

/// `after_sales_status` (pdd.refund.information.get). 0 (no case) and 33 (to be called back, new) are left out.
pub(super) fn aftersale_state(code: &str) -> Option<RefundStatus> {
    Some(match code {
        // Waiting for the shop: refund, return, exchange or resend, repair, resend. 8: with the platform, which has not
        // decided yet.
        "2" | "3" | "14" | "21" | "32" | "8" => RefundStatus::Applied,
        // The shop or the platform agreed, the money is on its way.
        "4" | "5" => RefundStatus::Agreed,
        "6" => RefundStatus::Rejected,
        // Agreed; the buyer is to send the goods, to refuse the parcel, or to confirm what was sent instead.
        "7" | "31" | "15" | "18" | "22" | "27" => RefundStatus::Agreed,
        // An exchange or a repair is done: no money has moved.
        "16" | "25" => RefundStatus::Agreed,
        "10" => RefundStatus::Refunded,
        // Refused by the platform, withdrawn, overdue (two kinds); an exchange failed; a repair was closed.
        "9" | "11" | "12" | "13" | "17" | "24" => RefundStatus::Cancelled,
        _ => return None,
    })
}

/// `after_sales_type` of a case's record; the lists count otherwise. `unshipped` is its `shipping_status` 0.
pub(super) const fn aftersale_kind(code: i64, unshipped: bool) -> RefundKind {
    match code {
        1 if unshipped => RefundKind::Unshipped,
        1 => RefundKind::RefundOnly,
        2 => RefundKind::Return,
        3 => RefundKind::Exchange,
        _ => RefundKind::Other,
    }
}
