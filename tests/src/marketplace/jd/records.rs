//! What JD tells of orders, service bills, refunds and cancellations.

use serde_json::{Value, json};

use crate::marketplace::dialect::{gmt8, number, yuan};
use crate::marketplace::shop::{Case, CaseStatus, Kind, Line, Order, Shop, Status};

/// How the platform writes a time that has not come.
const NOT_YET: &str = "0001-01-01 00:00:00";

/// The word in `orderState`. What the carrier knows is not told.
const fn state(status: Status) -> &'static str {
    match status {
        Status::Created => "NOT_PAY",
        Status::Paid => "WAIT_SELLER_STOCK_OUT",
        Status::Shipped | Status::Signed => "WAIT_GOODS_RECEIVE_CONFIRM",
        Status::Completed => "FINISHED_L",
        Status::Closed => "TRADE_CANCELED",
    }
}

/// The number in `serviceStatus`.
const fn service_status(status: CaseStatus) -> u32 {
    match status {
        CaseStatus::Applied => 10_001,
        CaseStatus::Agreed => 10_005,
        CaseStatus::Returning => 10_007,
        CaseStatus::Rejected => 10_004,
        CaseStatus::Cancelled => 10_011,
        CaseStatus::Refunded => 10_010,
    }
}

/// The number in a cancellation's `status`. The platform has none for one that the buyer took back: it counts as not approved.
const fn cancellation_status(status: CaseStatus) -> u32 {
    match status {
        CaseStatus::Applied => 0,
        CaseStatus::Agreed | CaseStatus::Returning => 1,
        CaseStatus::Rejected | CaseStatus::Cancelled => 2,
        // Approved by the platform's accounts.
        CaseStatus::Refunded => 3,
    }
}

/// The number in `customerExpect`: to send back, or the money only.
const fn expects(kind: Kind) -> u32 {
    match kind {
        Kind::Return => 10,
        Kind::RefundOnly | Kind::Unshipped => 11,
    }
}

/// An order's full record.
pub fn order(shop: &Shop, order: &Order) -> Value {
    let basket = &order.basket;
    let at = |status| order.time(status).map_or_else(|| NOT_YET.to_owned(), gmt8);
    json!({
        "orderId": order.id,
        "venderId": shop.id(),
        "orderType": "22",
        "payType": "4-在线支付",
        "orderState": state(order.status),
        "orderTotalPrice": yuan(order.goods_amount()),
        "orderSellerPrice": yuan(order.goods_amount() - order.discount()),
        "orderPayment": yuan(order.payable()),
        "freightPrice": yuan(basket.freight),
        "sellerDiscount": yuan(basket.discount_merchant),
        "balanceUsed": "0.00",
        "serviceFee": "0.00",
        "taxFee": "0.00",
        "orderStartTime": at(Status::Created),
        "paymentConfirmTime": at(Status::Paid),
        "outBoundDate": at(Status::Shipped),
        "orderEndTime": at(Status::Completed),
        "modified": gmt8(order.updated),
        "consigneeInfo": {
            "fullname": "测**", "mobile": "1********00", "province": basket.region.0, "city": basket.region.1,
            "fullAddress": "测试路**号",
        },
        "itemInfoList": order.lines.iter().map(item).collect::<Vec<_>>(),
        "couponDetailList": coupons(order),
        "logisticsId": order.tracking_number.as_ref().map(|_| "467"),
        "waybill": order.tracking_number,
        "open_id_buyer": basket.buyer,
        "pin": "",
    })
}

fn item(line: &Line) -> Value {
    json!({
        "skuId": line.shelf.sku_id,
        "outerSkuId": line.goods.code,
        "wareId": line.shelf.product_id,
        "skuName": line.goods.title,
        "jdPrice": yuan(line.goods.unit_price),
        "itemTotal": line.goods.quantity.to_string(),
        "giftPoint": "0",
    })
}

/// All discounts by kind: the shop's, which `sellerDiscount` counts too, and the platform's coupons.
fn coupons(order: &Order) -> Vec<Value> {
    let kinds = [("100-店铺优惠", order.basket.discount_merchant), ("41-京东券优惠", order.basket.discount_platform)];
    let given = kinds.into_iter().filter(|(_, fen)| *fen > 0);
    given
        .map(|(kind, fen)| json!({"orderId": order.id, "skuId": "", "couponType": kind, "couponPrice": yuan(fen)}))
        .collect()
}

/// An order as an item of `jingdong.pop.order.search`.
pub fn listed(shop: &Shop, order: &Order) -> Value {
    json!({"orderId": order.id, "venderId": shop.id(), "orderState": state(order.status), "modified": gmt8(order.updated)})
}

/// A service bill's full record.
pub fn service(case: &Case, order: &Order) -> Value {
    let line = order.lines.iter().find(|line| line.id == case.line_id);
    let wares = line.map(|line| {
        json!({
            "skuId": number(&line.shelf.sku_id), "wareName": line.goods.title, "wareNum": line.goods.quantity,
            "payPrice": yuan(line.net()), "actualPayPrice": yuan(case.amount),
        })
    });
    json!({
        "serviceId": number(&case.id),
        "orderId": number(&order.id),
        "orderType": 22,
        "serviceStatus": service_status(case.status),
        "customerExpect": expects(case.kind),
        "applyTime": case.applied() * 1000,
        "approveTime": case.time(CaseStatus::Agreed).map(|at| at * 1000),
        "updateDate": case.updated * 1000,
        "questionDesc": "不想要了",
        "customerInfo": {"name": "测**", "tel": "1********00"},
        "serviceBillDetailList": Vec::from_iter(wares),
        "sysVersion": 1,
    })
}

/// A service bill as an item of `jingdong.asc.query.list`.
pub fn listed_service(case: &Case, order: &Order) -> Value {
    json!({
        "serviceId": number(&case.id), "orderId": number(&order.id), "serviceStatus": service_status(case.status),
        "customerExpect": expects(case.kind), "updateDate": gmt8(case.updated),
    })
}

/// A refund of `jingdong.asc.serviceAndRefund.view`: there is one once a service bill is paid.
pub fn refund(case: &Case, order: &Order) -> Option<Value> {
    let at = case.time(CaseStatus::Refunded).filter(|_| case.kind != Kind::Unshipped)?;
    Some(json!({
        "afsRefundId": format!("9{}", case.id),
        "status": 13,
        "completeTime": gmt8(at),
        "sameOrderServiceBill": {"serviceId": number(&case.id), "orderId": number(&order.id)},
    }))
}

/// A cancellation's record. Its sum is in fen.
pub fn cancellation(case: &Case, order: &Order) -> Value {
    let checked = case.status != CaseStatus::Applied;
    json!({
        "id": number(&case.id),
        "orderId": order.id,
        "status": cancellation_status(case.status),
        "applyRefundSum": case.amount,
        "applyTime": gmt8(case.applied()),
        "checkTime": checked.then(|| gmt8(case.updated)),
        "checkUserName": checked.then_some("test-clerk"),
        "checkRemark": case.refusal,
        "modified": gmt8(case.updated),
        "buyerName": "测**",
        "reason": "不想要了",
    })
}
