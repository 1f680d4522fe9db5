//! What the API tells of orders and cases, and the messages about them. Orders are in fen, cases in yuan as JSON numbers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::marketplace::dialect;
use crate::marketplace::push::Message;
use crate::marketplace::shop::{Case, CaseStatus, Kind, Line, Order, Status};

/// `orderStatus`. There is none for what the carrier knows.
const fn status(status: Status) -> u32 {
    match status {
        Status::Created => 1,
        Status::Paid => 4,
        Status::Shipped | Status::Signed => 6,
        Status::Completed => 7,
        Status::Closed => 9,
    }
}

/// `status` of a case, and its `refundStatus`.
const fn case_status(case: &Case) -> (u32, u32) {
    match (case.status, case.kind) {
        (CaseStatus::Applied, _) => (1, 201),
        (CaseStatus::Agreed, Kind::Return) => (2, 301),
        (CaseStatus::Agreed, _) => (4, 1),
        (CaseStatus::Returning, _) => (3, 301),
        (CaseStatus::Rejected, _) if case.tracking_number.is_some() => (9001, 302),
        (CaseStatus::Rejected, _) => (9, 302),
        (CaseStatus::Cancelled, _) => (5, 401),
        (CaseStatus::Refunded, _) => (4, 2),
    }
}

/// `returnType`.
const fn kind(kind: Kind) -> u32 {
    match kind {
        Kind::Return => 1,
        Kind::RefundOnly => 4,
        Kind::Unshipped => 5,
    }
}

/// Yuan as a JSON number: 0.1, not 0.10.
fn yuan(fen: i64) -> Value {
    dialect::yuan(fen).parse::<f64>().map_or(Value::Null, Value::from)
}

/// Milliseconds; 0 for what has not happened.
fn millis(order: &Order, status: Status) -> i64 {
    order.time(status).unwrap_or(0) * 1000
}

/// A row of `order.getOrderList`.
pub fn listed(order: &Order) -> Value {
    json!({
        "orderId": order.id,
        "orderType": 1,
        "orderStatus": status(order.status),
        "orderAfterSalesStatus": 1,
        "cancelStatus": 0,
        "createdTime": millis(order, Status::Created),
        "paidTime": millis(order, Status::Paid),
        "deliveryTime": millis(order, Status::Shipped),
        "finishTime": millis(order, Status::Completed),
        "cancelTime": millis(order, Status::Closed),
        "updateTime": order.updated * 1000,
        "xhsOpenId": order.basket.buyer,
        "receiverProvinceName": order.basket.region.0,
        "receiverCityName": order.basket.region.1,
    })
}

/// The record of `order.getOrderDetail`.
pub fn order(order: &Order) -> Value {
    let basket = &order.basket;
    let mut record = listed(order);
    let more = json!({
        "totalPayAmount": order.payable(),
        "totalShippingFree": basket.freight,
        "totalDepositAmount": 0,
        "totalMerchantDiscount": basket.discount_merchant,
        "totalRedDiscount": basket.discount_platform,
        "merchantActualReceiveAmount": order.payable() + basket.discount_platform,
        "totalChangePriceAmount": 0,
        "paymentType": 2,
        "receiverCountryName": "中国",
        "receiverDistrictName": "测试区",
        "openAddressId": "0123456789abcdef0123456789abcdef",
        "customerRemark": "",
        "sellerRemark": "",
        "unpack": false,
        "expressTrackingNo": order.tracking_number.as_deref().unwrap_or(""),
        "expressCompanyCode": if order.tracking_number.is_some() { "shunfeng" } else { "" },
        "simpleDeliveryOrderList": [],
        "logistics": "red_auto",
        "orderTagList": [],
        "skuList": skus(order),
    });
    if let (Some(record), Value::Object(more)) = (record.as_object_mut(), more) {
        record.extend(more);
    }
    record
}

/// Lines of one SKU are one row, with the sums of their prices.
fn skus(order: &Order) -> Vec<Value> {
    let mut places = BTreeMap::new();
    let mut rows: Vec<Vec<&Line>> = Vec::new();
    for line in &order.lines {
        let place = *places.entry(&line.shelf.sku_id).or_insert(rows.len());
        if place == rows.len() {
            rows.push(Vec::new());
        }
        rows[place].push(line);
    }
    let room = order.basket.room.as_ref();
    let row = |lines: &Vec<&Line>| {
        let first = lines[0];
        let sum = |amount: fn(&Line) -> i64| lines.iter().map(|line| amount(line)).sum::<i64>();
        json!({
            "skuId": first.shelf.sku_id,
            "skuName": first.goods.title,
            "itemId": first.shelf.product_id,
            "itemName": first.goods.title,
            "erpcode": first.goods.code,
            "skuSpec": "",
            "skuImage": "",
            "skuQuantity": lines.iter().map(|line| line.goods.quantity).sum::<u32>(),
            "totalPaidAmount": sum(Line::net),
            "totalMerchantDiscount": sum(|line| line.discount_merchant),
            "totalRedDiscount": sum(|line| line.discount_platform),
            "totalTaxAmount": 0,
            "totalNetWeight": 0,
            "skuTag": 0,
            "isChannel": false,
            "kolId": room.map_or(String::new(), |room| format!("{:024x}", room.author_id)),
            "kolName": room.map_or("", |room| room.author_name),
            "skuDetailList": [],
        })
    };
    rows.iter().map(row).collect()
}

/// A row of `afterSale.listAfterSaleInfos`.
pub fn listed_case(case: &Case, order: &Order) -> Value {
    let (status, refund_status) = case_status(case);
    json!({
        "returnsId": case.id,
        "returnType": kind(case.kind),
        "reasonId": 12,
        "reasonNameZh": "不想要了",
        "status": status,
        "refundStatus": refund_status,
        "orderId": order.id,
        "applyTime": case.applied() * 1000,
        "updatedAt": case.updated * 1000,
        "expireTime": -1,
        "returnExpressNo": case.tracking_number.as_deref().unwrap_or(""),
        "expectedRefundAmountYuan": yuan(case.amount),
    })
}

/// The record of `afterSale.getAfterSaleInfo`.
pub fn case(case: &Case, order: &Order) -> Value {
    let refunded = case.time(CaseStatus::Refunded);
    let sku = order.lines.iter().find(|line| line.id == case.line_id).map(|line| {
        json!({
            "skuId": line.shelf.sku_id,
            "skuName": line.goods.title,
            "skuERPCode": line.goods.code,
            "price": yuan(line.goods.unit_price),
            "boughtCount": line.goods.quantity,
            "appliedCount": line.goods.quantity,
            "appliedTotalAmountYuan": yuan(case.amount),
        })
    });
    let mut info = listed_case(case, order);
    info["skus"] = Value::from_iter(sku);
    info["exchangeSKUs"] = json!([]);
    info["appliedShipFeeAmountYuan"] = yuan(0);
    info["appliedSkusAmountYuan"] = yuan(case.amount);
    info["refundAmountYuan"] = yuan(refunded.map_or(0, |_| case.amount));
    info["refundTime"] = (refunded.unwrap_or(0) * 1000).into();
    info["closeReasonZh"] = case.refusal.as_deref().unwrap_or("").into();
    info["cargoStatus"] = 0.into();
    json!({"afterSaleInfo": info, "logisticsInfo": {}})
}

/// The messages about an order's newest status. What is paid is looked at first, then to be shipped: the platform tells both.
pub fn order_messages(order: &Order) -> Vec<Message> {
    let statuses = match order.status {
        Status::Paid => vec![2, 4],
        // What the carrier knows is not pushed.
        Status::Signed => vec![],
        other => vec![status(other)],
    };
    let updated = order.updated * 1000;
    let message = |status: u32| {
        let data = json!({
            "orderId": order.id, "packageId": order.id, "orderStatus": status, "packageStatus": status,
            "updateTime": updated,
        });
        message("msg_fulfillment_status_change", &format!("{}:{status}:{updated}", order.id), data)
    };
    statuses.into_iter().map(message).collect()
}

/// The message about a case's newest status.
pub fn case_message(case: &Case) -> Message {
    let tag = match case.status {
        CaseStatus::Applied => "msg_after_sale_create",
        CaseStatus::Agreed => "msg_after_sale_audit_pass",
        CaseStatus::Rejected if case.tracking_number.is_some() => "msg_after_sale_reject_receive",
        CaseStatus::Returning | CaseStatus::Rejected | CaseStatus::Cancelled => "msg_after_sale_update",
        CaseStatus::Refunded => "msg_after_sale_refund_finished",
    };
    let data = json!({
        "returnsId": case.id, "orderId": case.order_id, "packageId": case.order_id, "returnType": kind(case.kind),
        "requestFrom": 1, "refundFee": yuan(case.amount), "updateTime": case.updated * 1000,
    });
    message(tag, &format!("{}:{tag}:{}", case.id, case.updated), data)
}

/// Messages have no id of the platform's; this one is the simulator's own.
fn message(tag: &str, id: &str, content: Value) -> Message {
    Message { kind: tag.to_owned(), id: id.to_owned(), content }
}
