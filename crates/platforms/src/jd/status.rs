//! JD's words and numbers for states, and what they mean here. What is in no table is unknown: kept and flagged.

use domain::{OrderStatus, RefundKind, RefundStatus};

/// What an order's `orderState` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderState {
    /// A step was reached.
    Reached(OrderStatus),
    /// It waits for the merchant: paid, unless the order is cash on delivery.
    Preparing,
    /// It is held up, at whatever step.
    Held,
}

/// `orderState` (jingdong.pop.order.get), in its English and its pinyin words.
pub(super) fn order_state(state: &str) -> Option<OrderState> {
    Some(match state {
        "NOT_PAY" => OrderState::Reached(OrderStatus::Created),
        // To leave the warehouse; to be shipped on within China (sellers from abroad); to be given its voucher code.
        "WAIT_SELLER_STOCK_OUT" | "DengDaiChuKu" | "WAIT_SELLER_DELIVERY" | "DengDaiFaHuo" | "WAIT_SEND_CODE" => {
            OrderState::Preparing
        }
        // On the way to JD's own distribution centre, and at it.
        "SEND_TO_DISTRIBUTION_CENER" | "DISTRIBUTION_CENTER_RECEIVED" => OrderState::Reached(OrderStatus::Shipped),
        "WAIT_GOODS_RECEIVE_CONFIRM" | "DengDaiQueRenShouHuo" => OrderState::Reached(OrderStatus::Shipped),
        "FINISHED_L" | "WanCheng" => OrderState::Reached(OrderStatus::Completed),
        "TRADE_CANCELED" => OrderState::Reached(OrderStatus::Closed),
        // Paused, locked (a cancellation is asked for), or on its way back undelivered.
        "PAUSE" | "POP_ORDER_PAUSE" | "ZanTing" | "LOCKED" | "DELIVERY_RETURN" | "PeiSongTuiHuo" => OrderState::Held,
        _ => return None,
    })
}

/// What a case's state says: a step, or a known state that is none. Absent for what is unknown.
type CaseState = Option<Option<RefundStatus>>;

/// A service bill's `serviceStatus` (jingdong.asc.query.view; commondoc 512). Whether money has moved is never said by this.
pub(super) fn service_state(code: &str) -> CaseState {
    Some(match code {
        "10001" => Some(RefundStatus::Applied),
        // Approved, and waiting for the goods; all is done.
        "10005" | "10010" => Some(RefundStatus::Agreed),
        // Received, to be dealt with.
        "10007" => Some(RefundStatus::Returning),
        // Closed at the review.
        "10004" => Some(RefundStatus::Rejected),
        "10011" => Some(RefundStatus::Cancelled),
        // A question to the buyer, the answer, the buyer's confirmation; reopened cases of several kinds.
        "10002" | "10012" | "10009" | "7060" | "7023" | "7090" | "13000" => None,
        _ => return None,
    })
}

/// A service bill's `customerExpect`: what the buyer wants.
pub(super) const fn service_kind(code: i64) -> RefundKind {
    match code {
        10 => RefundKind::Return,
        11 => RefundKind::RefundOnly,
        20 => RefundKind::Exchange,
        _ => RefundKind::Other,
    }
}

/// A cancellation's `status` (jingdong.pop.afs.soa.refundapply.queryById). Whether money has moved is never said by this.
pub(super) fn cancellation_state(code: &str) -> CaseState {
    Some(match code {
        "0" => Some(RefundStatus::Applied),
        // Agreed by the merchant, by JD's accounts, by hand; agreed and to be intercepted; intercepted; closed by force.
        "1" | "3" | "5" | "6" | "7" | "9" => Some(RefundStatus::Agreed),
        "2" => Some(RefundStatus::Rejected),
        // Refused by JD's accounts, not intercepted, the parcel is being looked for: the merchant has to decide anew.
        "4" | "8" | "10" => None,
        _ => return None,
    })
}
