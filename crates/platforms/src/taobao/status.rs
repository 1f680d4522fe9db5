//! Taobao's words for states, and what they mean here. What is in no table is unknown: kept and flagged, not guessed.

use domain::{OrderStatus, RefundStatus};

/// What a trade's `status` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TradeState {
    /// A step was reached.
    Reached(OrderStatus),
    /// It waits for the seller: paid, unless the trade is cash on delivery.
    Preparing,
}

/// A trade's `status` (taobao.trade.fullinfo.get).
pub(super) fn trade_state(status: &str) -> Option<TradeState> {
    Some(match status {
        // The last two: an international card is being charged; a contract without a price is being confirmed.
        "TRADE_NO_CREATE_PAY" | "WAIT_BUYER_PAY" | "PAY_PENDING" | "WAIT_PRE_AUTH_CONFIRM" => {
            TradeState::Reached(OrderStatus::Created)
        }
        "WAIT_SELLER_SEND_GOODS" => TradeState::Preparing,
        // Paid, but not to be shipped yet: a group is not full.
        "PAID_FORBID_CONSIGN" => TradeState::Reached(OrderStatus::Paid),
        "SELLER_CONSIGNED_PART" => TradeState::Reached(OrderStatus::PartlyShipped),
        "WAIT_BUYER_CONFIRM_GOODS" => TradeState::Reached(OrderStatus::Shipped),
        "TRADE_BUYER_SIGNED" => TradeState::Reached(OrderStatus::Signed),
        "TRADE_FINISHED" => TradeState::Reached(OrderStatus::Completed),
        // All refunded after payment; given up before it.
        "TRADE_CLOSED" | "TRADE_CLOSED_BY_TAOBAO" => TradeState::Reached(OrderStatus::Closed),
        _ => return None,
    })
}

/// A refund's `status` (taobao.refund.get).
pub(super) fn refund_state(status: &str) -> Option<RefundStatus> {
    Some(match status {
        "WAIT_SELLER_AGREE" => RefundStatus::Applied,
        "WAIT_BUYER_RETURN_GOODS" => RefundStatus::Agreed,
        "WAIT_SELLER_CONFIRM_GOODS" => RefundStatus::Returning,
        "SELLER_REFUSE_BUYER" => RefundStatus::Rejected,
        "CLOSED" => RefundStatus::Cancelled,
        "SUCCESS" => RefundStatus::Refunded,
        _ => return None,
    })
}
