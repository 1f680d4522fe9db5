//! What Taobao tells of trades and refunds: full records, list items, messages.

use serde_json::{Value, json};

use crate::marketplace::dialect::{gmt8, number, yuan};
use crate::marketplace::push::Message;
use crate::marketplace::shop::{Case, CaseStatus, Kind, Line, Order, Page, Shop, Status};

/// The word in `status`. What the carrier knows is told of trades paid at the door only.
const fn status(status: Status) -> &'static str {
    match status {
        Status::Created => "WAIT_BUYER_PAY",
        Status::Paid => "WAIT_SELLER_SEND_GOODS",
        Status::Shipped | Status::Signed => "WAIT_BUYER_CONFIRM_GOODS",
        Status::Completed => "TRADE_FINISHED",
        Status::Closed => "TRADE_CLOSED_BY_TAOBAO",
    }
}

/// The word in a refund's `status`.
const fn refund_status(status: CaseStatus) -> &'static str {
    match status {
        CaseStatus::Applied => "WAIT_SELLER_AGREE",
        CaseStatus::Agreed => "WAIT_BUYER_RETURN_GOODS",
        CaseStatus::Returning => "WAIT_SELLER_CONFIRM_GOODS",
        CaseStatus::Rejected => "SELLER_REFUSE_BUYER",
        CaseStatus::Cancelled => "CLOSED",
        CaseStatus::Refunded => "SUCCESS",
    }
}

/// The platform leaves out what is not set.
fn only_set(mut record: Value) -> Value {
    if let Some(fields) = record.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    record
}

/// A page of a list; the list is left out where nothing is on it.
pub fn listed<T>(list: &str, item: &str, page: &Page<T>, record: impl Fn(&T) -> Value) -> Value {
    let items: Vec<Value> = page.items.iter().map(record).collect();
    if items.is_empty() {
        return json!({"total_results": page.total});
    }
    json!({"total_results": page.total, list: {item: items}})
}

/// A trade's full record.
pub fn trade(shop: &Shop, order: &Order) -> Value {
    let basket = &order.basket;
    let at = |status| order.time(status).map(gmt8);
    only_set(json!({
        "tid": number(&order.id),
        "tid_str": order.id,
        "type": "fixed",
        "status": status(order.status),
        "seller_nick": format!("测试店{}", shop.id()),
        "buyer_nick": "测**1",
        "buyer_open_uid": basket.buyer,
        "created": at(Status::Created),
        "pay_time": at(Status::Paid),
        "consign_time": at(Status::Shipped),
        "end_time": at(Status::Completed).or_else(|| at(Status::Closed)),
        "modified": gmt8(order.updated),
        "total_fee": yuan(order.goods_amount()),
        "discount_fee": yuan(order.discount()),
        "adjust_fee": "0.00",
        "post_fee": yuan(basket.freight),
        "payment": yuan(order.payable()),
        "received_payment": if order.status == Status::Completed { yuan(order.payable()) } else { yuan(0) },
        "platform_subsidy_fee": yuan(basket.discount_platform),
        "num": order.lines.iter().map(|line| line.goods.quantity).sum::<u32>(),
        "receiver_name": "测**",
        "receiver_mobile": "*******0000",
        "receiver_state": basket.region.0,
        "receiver_city": basket.region.1,
        "receiver_address": "测试路**号",
        "orders": {"order": order.lines.iter().map(|line| line_of(order, line)).collect::<Vec<_>>()},
    }))
}

/// A line. The discounts on the whole trade stand in `part_mjz_discount`.
fn line_of(order: &Order, line: &Line) -> Value {
    only_set(json!({
        "oid": number(&line.id),
        "oid_str": line.id,
        "status": status(order.status),
        "refund_status": "NO_REFUND",
        "num_iid": number(&line.shelf.product_id),
        "outer_iid": format!("P-{}", line.goods.code),
        "sku_id": line.shelf.sku_id,
        "outer_sku_id": line.goods.code,
        "title": line.goods.title,
        "num": line.goods.quantity,
        "price": yuan(line.goods.unit_price),
        "total_fee": yuan(line.goods.gross()),
        "discount_fee": "0.00",
        "adjust_fee": "0.00",
        "part_mjz_discount": yuan(line.discount_merchant + line.discount_platform),
        "divide_order_fee": yuan(line.net()),
        "payment": yuan(line.net()),
        "invoice_no": order.tracking_number,
        "logistics_company": order.tracking_number.as_ref().map(|_| "顺丰速运"),
        "consign_time": order.time(Status::Shipped).map(gmt8),
    }))
}

/// A trade as an item of `taobao.trades.sold.increment.get`.
pub fn listed_trade(order: &Order) -> Value {
    json!({"tid": number(&order.id), "tid_str": order.id, "status": status(order.status), "modified": gmt8(order.updated)})
}

/// A refund's full record.
pub fn refund(case: &Case, order: &Order) -> Value {
    let line = order.lines.iter().find(|line| line.id == case.line_id);
    let received = order.time(Status::Signed).or(order.time(Status::Completed)).is_some();
    only_set(json!({
        "refund_id": case.id,
        "tid": number(&order.id),
        "oid": number(&case.line_id),
        "status": refund_status(case.status),
        "refund_phase": phase(order),
        "refund_version": version(case),
        "order_status": status(order.status),
        "good_status": match case.kind {
            Kind::Unshipped => "BUYER_NOT_RECEIVED",
            _ if case.tracking_number.is_some() => "BUYER_RETURNED_GOODS",
            _ if received || case.kind == Kind::Return => "BUYER_RECEIVED",
            _ => "BUYER_NOT_RECEIVED",
        },
        "has_good_return": case.kind == Kind::Return,
        "total_fee": line.map(|line| yuan(line.goods.gross())),
        "payment": line.map(|line| yuan(line.net() - case.amount)),
        "refund_fee": yuan(case.amount),
        "num": line.map(|line| line.goods.quantity),
        "num_iid": line.map(|line| number(&line.shelf.product_id)),
        "outer_id": line.map(|line| line.goods.code.as_str()),
        "title": line.map(|line| line.goods.title.as_str()),
        "buyer_nick": "测**1",
        "reason": "不想要了",
        "sid": case.tracking_number,
        "created": gmt8(case.applied()),
        "modified": gmt8(case.updated),
    }))
}

/// A refund as an item of `taobao.refunds.receive.get`.
pub fn listed_refund(case: &Case, order: &Order) -> Value {
    json!({
        "refund_id": case.id, "tid": number(&order.id), "oid": number(&case.line_id), "status": refund_status(case.status),
        "modified": gmt8(case.updated),
    })
}

fn phase(order: &Order) -> &'static str {
    if order.status == Status::Completed { "aftersale" } else { "onsale" }
}

/// `refund_version`: the last change in milliseconds.
fn version(case: &Case) -> i64 {
    case.updated * 1000
}

/// The message about a trade's newest status.
pub fn trade_message(shop: &Shop, order: &Order) -> Option<Message> {
    let topic = match order.status {
        Status::Created => "taobao_trade_TradeCreate",
        Status::Paid => "taobao_trade_TradeBuyerPay",
        Status::Shipped => "taobao_trade_TradeSellerShip",
        Status::Completed => "taobao_trade_TradeSuccess",
        Status::Closed => "taobao_trade_TradeClose",
        // Told of trades paid at the door only.
        Status::Signed => return None,
    };
    let content = json!({
        "tid": number(&order.id), "oid": number(&order.id), "status": status(order.status), "type": "guarantee_trade",
        "payment": yuan(order.payable()), "post_fee": yuan(order.basket.freight), "buyer_open_uid": order.basket.buyer,
        "seller_nick": "测试茶饮店",
    });
    let step = order.times.len();
    Some(message(shop, topic, &order.id, step, order.updated, &content))
}

/// The message about a refund's newest status.
pub fn refund_message(shop: &Shop, case: &Case) -> Message {
    let topic = match case.status {
        CaseStatus::Applied => "taobao_refund_RefundCreated",
        CaseStatus::Agreed => "taobao_refund_RefundSellerAgreeAgreement",
        CaseStatus::Returning => "taobao_refund_RefundBuyerReturnGoods",
        CaseStatus::Rejected => "taobao_refund_RefundSellerRefuseAgreement",
        CaseStatus::Cancelled => "taobao_refund_RefundClosed",
        CaseStatus::Refunded => "taobao_refund_RefundSuccess",
    };
    let content = json!({
        "refund_id": number(&case.id), "tid": number(&case.order_id), "oid": number(&case.line_id),
        "refund_fee": yuan(case.amount), "refund_phase": "onsale", "modified": gmt8(case.updated),
        "bill_type": if case.kind == Kind::Return { "return_bill" } else { "refund_bill" }, "seller_nick": "测试茶饮店",
    });
    message(shop, topic, &case.id, case.times.len(), case.updated, &content)
}

/// A message as the queue gives it. The id is a number of its own for each step of each subject: the subject's, and the steps so
/// far (the shop's numbers lie further apart than that).
fn message(shop: &Shop, topic: &str, subject: &str, step: usize, at: i64, content: &Value) -> Message {
    let base: u64 = subject.parse().unwrap_or_default();
    let id = base.saturating_add(u64::try_from(step).unwrap_or_default());
    let whole = json!({
        "id": id, "topic": topic, "content": content.to_string(), "user_id": number(shop.id()), "user_nick": "测试茶饮店",
        "pub_app_key": "12497914", "pub_time": gmt8(at),
    });
    Message { kind: topic.to_owned(), id: id.to_string(), content: whole }
}
