//! Youzan's words for states, and what they mean here. What is not in a table is unknown: kept and flagged, not guessed.

use domain::{OrderStatus, RefundKind, RefundStatus};

/// What an order's `status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderState {
    /// A step was reached.
    Reached(OrderStatus),
    /// Waits to be confirmed or shipped: paid, unless the order is cash on delivery.
    Preparing,
}

/// `order_info.status` (youzan.trade.get 4.0).
pub(super) fn order_state(word: &str) -> Option<OrderState> {
    Some(match word {
        // Also while a deposit is due, or paid and the balance due.
        "WAIT_BUYER_PAY" => OrderState::Reached(OrderStatus::Created),
        "TRADE_PAID" => OrderState::Reached(OrderStatus::Paid),
        // A group is not full yet, or the shop has to take the order.
        "WAIT_CONFIRM" | "WAIT_SELLER_SEND_GOODS" => OrderState::Preparing,
        "WAIT_BUYER_CONFIRM_GOODS" => OrderState::Reached(OrderStatus::Shipped),
        "TRADE_SUCCESS" => OrderState::Reached(OrderStatus::Completed),
        "TRADE_CLOSED" => OrderState::Reached(OrderStatus::Closed),
        _ => return None,
    })
}

/// The step that a kind of push stands for (messages `trade_*`).
pub(super) fn order_step(kind: &str) -> Option<OrderStatus> {
    Some(match kind {
        "trade_TradeCreate" => OrderStatus::Created,
        "trade_TradePaid" => OrderStatus::Paid,
        "trade_TradePartlySellerShip" => OrderStatus::PartlyShipped,
        "trade_TradeSellerShip" => OrderStatus::Shipped,
        "trade_TradeSuccess" => OrderStatus::Completed,
        "trade_TradeClose" => OrderStatus::Closed,
        _ => return None,
    })
}

/// `status` of a case (youzan.trade.refund.get).
pub(super) fn case_state(word: &str) -> Option<RefundStatus> {
    Some(match word {
        "WAIT_SELLER_AGREE" => RefundStatus::Applied,
        "WAIT_BUYER_RETURN_GOODS" => RefundStatus::Agreed,
        "WAIT_SELLER_CONFIRM_GOODS" => RefundStatus::Returning,
        // The second: refused because nothing came back.
        "SELLER_REFUSE_BUYER" | "SELLER_REFUSE_BUYER_RETURN_GOODS" => RefundStatus::Rejected,
        "CLOSED" => RefundStatus::Cancelled,
        "SUCCESS" => RefundStatus::Refunded,
        _ => return None,
    })
}

/// `demand` of a case, else whether goods come back. Whether the goods had been shipped is not said.
pub(super) const fn case_kind(demand: Option<i64>, goods_come_back: Option<bool>) -> RefundKind {
    match (demand, goods_come_back) {
        (Some(1), _) | (None, Some(false)) => RefundKind::RefundOnly,
        (Some(2), _) | (None, Some(true)) => RefundKind::Return,
        (Some(3), _) => RefundKind::Exchange,
        _ => RefundKind::Other,
    }
}
