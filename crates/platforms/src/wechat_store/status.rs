//! The store's words for states, and what they mean here. What is not in a table is unknown: kept and flagged, not guessed.

use domain::{OrderStatus, RefundStatus};

/// `status` of an order (channels/ec/order/get, OrderStatus).
pub(super) fn order_status(code: &str) -> Option<OrderStatus> {
    Some(match code {
        // To be paid. A gift that waits to be accepted and a group buy that waits for others may be paid: `pay_time` says so.
        "10" | "12" | "13" => OrderStatus::Created,
        "20" => OrderStatus::Paid,
        "21" => OrderStatus::PartlyShipped,
        "30" => OrderStatus::Shipped,
        "100" => OrderStatus::Completed,
        // All was refunded; not paid in time or cancelled.
        "200" | "250" => OrderStatus::Closed,
        _ => return None,
    })
}

/// `status` of an after-sale case (channels/ec/aftersale/getaftersaleorder, AfterSaleStatus; `USER_CANCELD` is spelt so).
pub(super) fn after_sale_status(code: &str) -> Option<RefundStatus> {
    Some(match code {
        // With the merchant, or with the buyer who is to answer the merchant's proposal.
        "MERCHANT_PROCESSING"
        | "USER_WAIT_CONFIRM"
        | "USER_WAIT_CONFIRM_UPDATE"
        | "USER_WAIT_HANDLE_MERCHANT_AFTER_SALE" => RefundStatus::Applied,
        // The buyer is to return it; the parcel is being stopped; money is due, on its way or did not get through.
        "USER_WAIT_RETURN"
        | "WAIT_PACKAGE_INTERCEPT"
        | "MERCHANT_OVERDUE_REFUND"
        | "PLATFORM_REFUNDING"
        | "PLATFORM_REFUND_FAIL" => RefundStatus::Agreed,
        // The replacement is on its way or has arrived: no money moves.
        "USER_WAIT_RECEIPT" | "MERCHANT_EXCHANGE_SUCCESS" => RefundStatus::Agreed,
        "MERCHANT_WAIT_RECEIPT" => RefundStatus::Returning,
        "MERCHANT_REJECT_REFUND" | "MERCHANT_REJECT_RETURN" | "MERCHANT_REJECT_EXCHANGE" | "MERCHANT_REJECT_RESHIP" => {
            RefundStatus::Rejected
        }
        "USER_CANCELD" | "RETURN_CLOSED" | "MERCHANT_FAIL" | "MERCHANT_REFUND_RETRY_FAIL" => RefundStatus::Cancelled,
        "MERCHANT_REFUND_SUCCESS" | "MERCHANT_RETURN_SUCCESS" => RefundStatus::Refunded,
        _ => return None,
    })
}
