//! What Youzan tells of orders and cases: full records, list items, push messages.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::kdt_id;
use crate::marketplace::dialect::{gmt8, number, yuan};
use crate::marketplace::push::Message;
use crate::marketplace::shop::{Case, CaseStatus, Kind, Line, Order, Shop, Status};

/// The word in `status`. The platform has none for what the carrier knows.
const fn status(status: Status) -> &'static str {
    match status {
        Status::Created => "WAIT_BUYER_PAY",
        Status::Paid => "WAIT_SELLER_SEND_GOODS",
        Status::Shipped | Status::Signed => "WAIT_BUYER_CONFIRM_GOODS",
        Status::Completed => "TRADE_SUCCESS",
        Status::Closed => "TRADE_CLOSED",
    }
}

/// The word in `status` of a case.
const fn case_status(case: &Case) -> &'static str {
    match case.status {
        CaseStatus::Applied => "WAIT_SELLER_AGREE",
        CaseStatus::Agreed if matches!(case.kind, Kind::Return) => "WAIT_BUYER_RETURN_GOODS",
        CaseStatus::Returning => "WAIT_SELLER_CONFIRM_GOODS",
        CaseStatus::Agreed | CaseStatus::Refunded => "SUCCESS",
        CaseStatus::Rejected if case.tracking_number.is_some() => "SELLER_REFUSE_BUYER_RETURN_GOODS",
        CaseStatus::Rejected => "SELLER_REFUSE_BUYER",
        CaseStatus::Cancelled => "CLOSED",
    }
}

/// Unix seconds as milliseconds.
pub fn millis(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}

/// A case's version: the instant of its last change, in milliseconds.
fn version(case: &Case) -> i64 {
    millis(case.updated)
}

/// The update time that a version stands for; of one that no case can have, one that no case has.
pub fn updated_of(version: i64) -> i64 {
    if version % 1000 == 0 { version / 1000 } else { i64::MIN }
}

/// A time as text; empty while it has not come.
fn at(time: Option<i64>) -> String {
    time.map(gmt8).unwrap_or_default()
}

/// An order's full record.
pub fn order(order: &Order) -> Value {
    let basket = &order.basket;
    let shares = shares(order);
    let lines = order.lines.iter().zip(shares).map(|(line, share)| item(line, share));
    json!({
        "full_order_info": {
            "order_info": {
                "tid": order.id,
                "status": status(order.status),
                "status_str": "",
                "type": 0,
                "pay_type": if order.paid() > 0 { 10 } else { 0 },
                "express_type": 0,
                "refund_state": 0,
                "close_type": if order.status == Status::Closed { 3 } else { 0 },
                "created": at(order.time(Status::Created)),
                "update_time": gmt8(order.updated),
                "pay_time": at(order.time(Status::Paid)),
                "consign_time": at(order.time(Status::Shipped)),
                "success_time": at(order.time(Status::Completed)),
                "confirm_time": at(order.time(Status::Completed)),
                "expired_time": "",
                "order_extra": {"is_from_cart": "true", "is_member": "true"},
                "order_tags": {"is_payed": order.paid() > 0},
            },
            "pay_info": {
                "total_fee": yuan(order.goods_amount()),
                "post_fee": yuan(basket.freight),
                "payment": yuan(order.payable()),
                "transaction": [],
                "outer_transactions": [],
                "phase_payments": [],
            },
            "buyer_info": {
                "yz_open_id": basket.buyer,
                "buyer_id": 0,
                "buyer_phone": "$ciphertext$1$",
                "fans_nickname": "",
                "fans_type": 0,
            },
            "address_info": {
                "delivery_province": basket.region.0,
                "delivery_city": basket.region.1,
                "delivery_district": "",
                "delivery_address": "$ciphertext$1$",
                "delivery_postal_code": "",
                "receiver_name": "$ciphertext$1$",
                "receiver_tel": "$ciphertext$1$",
                "self_fetch_info": "",
            },
            "source_info": {"is_offline_order": false, "source": {"platform": "wx", "wx_entrance": "direct_buy"}},
            "remark_info": {"buyer_message": "", "star": 0, "trade_memo": ""},
            "orders": lines.collect::<Vec<_>>(),
        },
        "order_promotion": {
            "order_discount_fee": yuan(order.discount()),
            "item_discount_fee": "0.00",
            "adjust_fee": "0.00",
            "item": [],
            "order": [],
        },
        "delivery_order": deliveries(order),
        "refund_order": [],
    })
}

/// Each line's part of the whole bill, freight included, which is spread over the lines by what is paid for them; the last
/// line takes the rest.
fn shares(order: &Order) -> Vec<i64> {
    let goods: i64 = order.lines.iter().map(Line::net).sum();
    let freight = order.basket.freight;
    let mut shares: Vec<i64> =
        order.lines.iter().map(|line| line.net() + freight * line.net() / goods.max(1)).collect();
    let told: i64 = shares.iter().sum();
    if let Some(last) = shares.last_mut() {
        *last += order.payable() - told;
    }
    shares
}

fn item(line: &Line, share: i64) -> Value {
    json!({
        "oid": line.id,
        "item_id": number(&line.shelf.product_id),
        "sku_id": number(&line.shelf.sku_id),
        "outer_item_id": "",
        "outer_sku_id": line.goods.code,
        "title": line.goods.title,
        "num": line.goods.quantity,
        "price": yuan(line.goods.unit_price),
        "discount_price": yuan(line.goods.unit_price),
        "total_fee": yuan(line.net()),
        "payment": yuan(share),
        "points_price": "0",
        "item_type": 0,
        "is_present": false,
        "sku_properties_name": "",
        "buyer_messages": "",
    })
}

fn deliveries(order: &Order) -> Value {
    let Some(number) = &order.tracking_number else { return json!([]) };
    let oids = order.lines.iter().map(|line| json!({"oid": line.id})).collect::<Vec<_>>();
    json!([{
        "pk_id": 1,
        "express_state": 1,
        "express_type": 0,
        "oids": oids,
        "dists": [{
            "dist_id": "1",
            "create_time": at(order.time(Status::Shipped)),
            "express_info": {"express_id": 7, "express_no": number},
        }],
    }])
}

/// A case's full record.
pub fn case(shop: &Shop, case: &Case) -> Value {
    let refunded = case.time(CaseStatus::Refunded);
    let mut record = listed(shop, case);
    if let Some(fields) = record.as_object_mut() {
        fields.insert("oid".to_owned(), number(&case.line_id));
        fields.insert("demand".to_owned(), json!(if case.kind == Kind::Return { 2 } else { 1 }));
        fields.insert("refund_type".to_owned(), json!("BUYER_APPLY_REFUND"));
        fields.insert("version".to_owned(), json!(version(case)));
        fields.insert("desc".to_owned(), json!("不想要了"));
        fields.insert("cs_status".to_owned(), json!(1));
        if case_status(case) == "SUCCESS" {
            // 0 is under way, 2 has arrived.
            let fund = json!([{"status": if refunded.is_some() { 2 } else { 0 }, "refund_fee": case.amount}]);
            fields.insert("refund_fund_list".to_owned(), fund);
        }
        if let Some(refunded) = refunded {
            fields.insert("refund_success_time".to_owned(), json!(gmt8(refunded)));
            fields.insert("refund_account_time".to_owned(), json!(gmt8(refunded)));
        }
    }
    record
}

/// A case as an item of `youzan.trade.refund.search`.
pub fn listed(shop: &Shop, case: &Case) -> Value {
    json!({
        "refund_id": case.id,
        "tid": case.order_id,
        "kdt_id": kdt_id(shop),
        "status": case_status(case),
        "return_goods": case.kind == Kind::Return,
        "reason": 1,
        "refund_fee": yuan(case.amount),
        "created": gmt8(case.applied()),
        "modified": gmt8(case.updated),
    })
}

/// The messages about an order's newest status: with the full record while it is new, with little later.
pub fn order_messages(shop: &Shop, record: &Order) -> Vec<Message> {
    let little = json!({"tid": record.id, "update_time": gmt8(record.updated)});
    let (kinds, msg): (&[&str], _) = match record.status {
        Status::Created => (&["trade_TradeCreate"], order(record)),
        // Paid, and then to be shipped.
        Status::Paid => (&["trade_TradePaid", "trade_TradeBuyerPay"], order(record)),
        Status::Shipped => (&["trade_TradeSellerShip"], little),
        Status::Completed => (&["trade_TradeSuccess"], little),
        Status::Closed => (
            &["trade_TradeClose"],
            json!({
                "tid": record.id, "close_type": 3, "close_reason": "买家取消", "update_time": gmt8(record.updated),
            }),
        ),
        // What the carrier knows is not pushed.
        Status::Signed => return Vec::new(),
    };
    let msg: String = form_urlencoded::byte_serialize(msg.to_string().as_bytes()).collect();
    let envelope = |kind: &&str| {
        let content = json!({
            "kdt_id": kdt_id(shop),
            "kdt_name": "测试茶饮",
            "id": record.id,
            "status": status(record.status),
            "version": record.updated,
            "msg": msg,
        });
        Message { kind: (*kind).to_owned(), id: message_id(kind, &record.id, record.updated), content }
    };
    kinds.iter().map(envelope).collect()
}

/// The messages about a case's newest status, of the newer family. The platform's lists have none for a refusal, nor for goods
/// on their way back.
pub fn case_messages(shop: &Shop, case: &Case) -> Vec<Message> {
    let kind = match case.status {
        CaseStatus::Applied => "youzan_trade_RefundCreated",
        CaseStatus::Agreed => "youzan_trade_RefundSellerAgree",
        CaseStatus::Refunded => "youzan_trade_RefundSuccess",
        CaseStatus::Cancelled => "youzan_trade_RefundClosed",
        CaseStatus::Returning | CaseStatus::Rejected => return Vec::new(),
    };
    let content = json!({
        "kdt_id": kdt_id(shop),
        "kdt_name": "测试茶饮",
        "id": case.order_id,
        "status": case_status(case),
        "version": version(case),
        "msg": {
            "tid": case.order_id,
            "refund_id": case.id,
            "version": version(case),
            "refunded_fee": yuan(case.amount),
            "refund_type": if case.kind == Kind::Return { "REFUND_AND_RETURN" } else { "REFUND_ONLY" },
            "update_time": gmt8(case.updated),
        },
    });
    vec![Message { kind: kind.to_owned(), id: message_id(kind, &case.id, case.updated), content }]
}

/// Looks like the platform's, and is the same whenever the same is told.
fn message_id(kind: &str, subject: &str, at: i64) -> String {
    let digits = hex::encode(Md5::digest(format!("{kind} {subject} {at}")));
    let mut parts = Vec::new();
    let mut rest = digits.as_str();
    for length in [8, 4, 4, 4] {
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts.join("-")
}
