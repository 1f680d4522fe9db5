//! What Kuaishou tells of orders and cases: full records, which lists have too, and messages.

use serde_json::{Value, json};

use crate::marketplace::dialect::number;
use crate::marketplace::push::Message;
use crate::marketplace::shop::{Case, CaseStatus, Kind, Order, Shop, Status};

/// The number in an order's `status`.
const fn status(status: Status) -> u32 {
    match status {
        Status::Created => 10,
        Status::Paid => 30,
        Status::Shipped => 40,
        Status::Signed => 50,
        Status::Completed => 70,
        Status::Closed => 80,
    }
}

/// The number in a case's `status`.
const fn case_status(case: &Case) -> u32 {
    match case.status {
        CaseStatus::Applied => 10,
        CaseStatus::Rejected => 12,
        CaseStatus::Agreed if matches!(case.kind, Kind::Return) => 30,
        CaseStatus::Returning => 40,
        // The system is to pay it out.
        CaseStatus::Agreed => 50,
        CaseStatus::Refunded => 60,
        CaseStatus::Cancelled => 70,
    }
}

/// The number in `handlingWay`. It does not tell whether the goods were shipped.
const fn handling_way(kind: Kind) -> u32 {
    match kind {
        Kind::Return => 1,
        Kind::RefundOnly | Kind::Unshipped => 10,
    }
}

/// An order's full record. Of its lines there is one.
pub fn order(shop: &Shop, order: &Order) -> Value {
    let basket = &order.basket;
    let at = |status| order.time(status).unwrap_or(0) * 1000;
    let line = order.lines.first();
    let room = basket.room.as_ref();
    let parcel = order.tracking_number.as_ref().map(|number| {
        json!({"id": 1, "expressNo": number, "expressCode": 4, "logisticsId": 1, "createTime": at(Status::Shipped)})
    });
    let cases = shop.cases().filter(|case| case.order_id == order.id);
    let refunds = cases.map(|case| json!({"refundId": number(&case.id), "refundStatus": case_status(case)}));
    json!({
        "orderBaseInfo": {
            "oid": number(&order.id),
            "sellerOpenId": "open-id-of-the-merchant",
            "sellerNick": "测试茶饮旗舰店",
            "buyerOpenId": basket.buyer,
            "buyerNick": "测*",
            "status": status(order.status),
            "createTime": at(Status::Created),
            "payTime": at(Status::Paid),
            "sendTime": at(Status::Shipped),
            "recvTime": at(Status::Signed),
            "updateTime": order.updated * 1000,
            "totalFee": order.goods_amount() - order.discount(),
            "discountFee": order.discount(),
            "expressFee": basket.freight,
            "payType": 2,
            "cpsType": if room.is_some() { 2 } else { 1 },
            "carrierType": if room.is_some() { 2 } else { 0 },
            "carrierId": room.map_or(0, |room| room.id),
            "coType": 0,
            "activityType": 1,
            "channel": "",
            "remark": "",
            "remindShipmentSign": 0,
            "preSale": 0,
        },
        "orderItemInfo": line.map(|line| json!({
            "itemId": number(&line.shelf.product_id),
            "itemTitle": line.goods.title,
            "skuId": number(&line.shelf.sku_id),
            "skuNick": line.goods.code,
            "skuDesc": "默认",
            "relItemId": 0,
            "relSkuId": 0,
            "num": line.goods.quantity,
            "price": line.goods.unit_price,
            "originalPrice": line.goods.unit_price,
            "discountFee": 0,
            "itemType": 1,
        })),
        "orderLogisticsInfo": Vec::from_iter(parcel),
        "orderDeliveryInfo": {
            "deliveryNum": if order.tracking_number.is_some() { 1 } else { 0 },
            "deliveryStatus": if order.tracking_number.is_some() { 40 } else { 0 },
        },
        "orderAddress": {
            "provinceCode": 1, "province": basket.region.0, "cityCode": 2, "city": basket.region.1,
            "districtCode": 3, "district": "西湖区",
            "encryptedConsignee": "ciphertext==", "encryptedMobile": "ciphertext==", "encryptedAddress": "ciphertext==",
            "desensitiseConsignee": "测*", "desensitiseMobile": "1********00",
        },
        "orderCpsInfo": room.map(|room| json!({"distributorId": room.author_id, "distributorName": room.author_name})),
        "orderRefundList": refunds.collect::<Vec<_>>(),
        "orderNote": {"orderNoteInfo": []},
        "subOrderInfo": [],
    })
}

/// A case's full record.
pub fn case(shop: &Shop, case: &Case, order: &Order) -> Value {
    let line = order.lines.first();
    let ended = case.time(CaseStatus::Refunded).or(case.time(CaseStatus::Cancelled)).unwrap_or(0);
    json!({
        "refundId": number(&case.id),
        "oid": number(&order.id),
        "sellerId": number(shop.id()),
        "buyerOpenId": order.basket.buyer,
        "status": case_status(case),
        "negotiateStatus": match case.status {
            CaseStatus::Applied => 1,
            CaseStatus::Rejected => 3,
            _ => 2,
        },
        "handlingWay": handling_way(case.kind),
        "refundType": 0,
        "refundFee": case.amount,
        "refundReason": 6,
        "refundReasonDesc": "不想要了",
        "refundDesc": "",
        "rejectReason": case.refusal.as_deref().unwrap_or(""),
        "itemId": line.map(|line| number(&line.shelf.product_id)),
        "skuId": line.map(|line| number(&line.shelf.sku_id)),
        "skuNick": line.map(|line| line.goods.code.as_str()),
        "productNum": 0,
        "expressNo": case.tracking_number.as_deref().unwrap_or(""),
        "expressCode": if case.tracking_number.is_some() { 6 } else { 0 },
        "createTime": case.applied() * 1000,
        "submitTime": case.applied() * 1000,
        "updateTime": case.updated * 1000,
        "endTime": ended * 1000,
        "expireTime": (case.updated + 172_800) * 1000,
        "returnFreightInfo": null,
    })
}

/// The message about an order's newest status.
pub fn order_message(shop: &Shop, order: &Order) -> Message {
    let event = match order.status {
        Status::Created => "kwaishop_order_addOrder",
        Status::Paid => "kwaishop_order_paySuccess",
        Status::Shipped => "kwaishop_order_delivering",
        Status::Signed => "kwaishop_order_deliverySuccess",
        Status::Completed => "kwaishop_order_orderSuccess",
        Status::Closed => "kwaishop_order_orderFail",
    };
    let (oid, seller) = (number(&order.id), number(shop.id()));
    let at = order.updated * 1000;
    let info = match order.status {
        Status::Created => json!({
            "oid": oid, "sellerId": seller, "createTime": at, "openId": "open-id-of-the-merchant",
            "buyerOpenId": order.basket.buyer, "customizedInfo": "",
        }),
        other => json!({
            "oid": oid, "sellerId": seller, "openId": "open-id-of-the-merchant", "status": status(other), "updateTime": at,
        }),
    };
    message(shop, event, &order.id, status(order.status), at, &info)
}

/// The message about a case's newest status.
pub fn case_message(shop: &Shop, case: &Case) -> Message {
    let added = case.status == CaseStatus::Applied;
    let event = if added { "kwaishop_aftersales_addRefund" } else { "kwaishop_aftersales_updateRefund" };
    let (at, status) = (case.updated * 1000, case_status(case));
    let mut info = json!({
        "orderId": number(&case.order_id), "refundId": number(&case.id), "sellerId": number(shop.id()),
        "openId": "open-id-of-the-merchant", "handlingWay": handling_way(case.kind), "specialRefundType": 0,
        "status": status, "createTime": case.applied() * 1000,
    });
    if !added {
        info["updateTime"] = at.into();
    }
    message(shop, event, &case.id, status, at, &info)
}

/// What is in the envelope, but for the app, which the platform adds for each receiver. `info` is JSON in a text.
fn message(shop: &Shop, event: &str, subject: &str, status: u32, at: i64, info: &Value) -> Message {
    let id = format!("243_{status}_{subject}");
    let content = json!({
        "eventId": id, "msgId": format!("{id}_{at}"), "bizId": number(subject), "userId": number(shop.id()),
        "openId": "open-id-of-the-merchant", "event": event, "info": info.to_string(), "status": 0,
        "createTime": at, "updateTime": at, "test": false,
    });
    Message { kind: event.to_owned(), id, content }
}
