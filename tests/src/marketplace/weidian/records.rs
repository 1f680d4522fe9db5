//! What Weidian tells of orders, and of cases within them.

use serde_json::{Value, json};

use crate::marketplace::dialect::{gmt8, yuan};
use crate::marketplace::push::Message;
use crate::marketplace::shop::{Case, CaseStatus, Kind, Line, Order, Shop, Status};

/// The number in `status_ori`.
const fn status(status: Status) -> &'static str {
    match status {
        Status::Created => "10",
        Status::Paid => "20",
        Status::Shipped => "30",
        Status::Signed => "40",
        Status::Completed => "50",
        Status::Closed => "60",
    }
}

/// The word in `status`.
const fn word(status: Status, disputed: bool) -> &'static str {
    match (status, disputed) {
        (Status::Created, _) => "unpay",
        (Status::Paid, false) => "pay",
        (Status::Paid, true) => "unship_refunding",
        (Status::Shipped, false) => "ship",
        (Status::Shipped, true) => "shiped_refunding",
        (Status::Signed, false) => "accept",
        (Status::Signed, true) => "accept_refunding",
        (Status::Completed, _) => "finish",
        (Status::Closed, _) => "close",
    }
}

/// The number in `refund_status` of a line. Only the last is public.
const fn case_status(status: CaseStatus) -> &'static str {
    match status {
        CaseStatus::Applied => "1",
        CaseStatus::Agreed => "2",
        CaseStatus::Returning => "3",
        CaseStatus::Rejected => "4",
        CaseStatus::Cancelled => "5",
        CaseStatus::Refunded => "10",
    }
}

/// A time as text; empty while it has not come.
fn at(order: &Order, status: Status) -> String {
    order.time(status).map(gmt8).unwrap_or_default()
}

/// An order's full record. A line shows only the newest of its cases.
pub fn order(shop: &Shop, order: &Order) -> Value {
    let basket = &order.basket;
    let cases: Vec<&Case> = shop.cases().filter(|case| case.order_id == order.id).collect();
    let refund_time = cases.iter().filter_map(|case| case.time(CaseStatus::Refunded)).max();
    let items = order.lines.iter().map(|line| {
        let newest = cases.iter().filter(|case| case.line_id == line.id).max_by_key(|case| (case.applied(), &case.id));
        item(line, newest.copied())
    });
    let mut record = listed(order);
    if let Some(fields) = record.as_object_mut() {
        let more = json!({
            "seller_id": shop.id(),
            "seller_name": "测试茶饮",
            "status": word(order.status, cases.iter().any(|case| is_open(case))),
            "refund_status_ori": refund_status(&cases),
            "order_type": "3",
            "quantity": order.lines.len().to_string(),
            "total_fee": "",
            "fx_fee_value": "",
            "discount_list": [{
                "discount_type": "1", "discount_info": "满减", "discount_price": yuan(order.discount()),
            }],
            "express": if order.tracking_number.is_some() { "顺丰速运" } else { "" },
            "express_type": if order.tracking_number.is_some() { "1" } else { "0" },
            "express_no": order.tracking_number.as_deref().unwrap_or(""),
            "express_note": "",
            "user_phone": "",
            "note": "",
            "buyer_info": {
                "buyer_id": basket.buyer,
                "name": "测试",
                "phone": "",
                "province": basket.region.0,
                "city": basket.region.1,
                "region": "测试区",
                "address": "测试地址",
                "self_address": "测试地址",
                "idCardNo": "",
            },
            "refund_info": {"refund_time": refund_time.map(gmt8), "buyer_refund_fee": null},
            "items": items.collect::<Vec<_>>(),
        });
        if let Value::Object(more) = more {
            fields.extend(more);
        }
    }
    record
}

/// An order as a row of `vdian.order.list.get`.
pub fn listed(order: &Order) -> Value {
    json!({
        "order_id": order.id,
        "status": word(order.status, false),
        "status_ori": status(order.status),
        "price": yuan(order.payable() - order.basket.freight),
        "express_fee": yuan(order.basket.freight),
        "total": yuan(order.payable()),
        "add_time": at(order, Status::Created),
        "pay_time": at(order, Status::Paid),
        "send_time": at(order, Status::Shipped),
        "finish_time": at(order, Status::Completed),
    })
}

fn item(line: &Line, case: Option<&Case>) -> Value {
    let refund = case.map_or_else(
        || json!({"refund_no": "", "refund_status": "", "refund_fee": "", "refund_express_fee": "", "refund_kind": "0"}),
        |case| {
            json!({
                "refund_no": case.id,
                "refund_status": case_status(case.status),
                "refund_fee": yuan(case.amount),
                "refund_item_fee": yuan(case.amount),
                "refund_express_fee": "0.00",
                "refund_kind": if case.kind == Kind::Return { "2" } else { "1" },
            })
        },
    );
    json!({
        "sub_order_id": line.id,
        "item_id": line.shelf.product_id,
        "sku_id": line.shelf.sku_id,
        "sku_merchant_code": line.goods.code,
        "merchant_code": "",
        "sku_title": "",
        "item_name": line.goods.title,
        "price": yuan(line.goods.unit_price),
        "quantity": line.goods.quantity.to_string(),
        "total_price": yuan(line.goods.gross()),
        "img": "",
        "refund_info": refund,
    })
}

const fn is_open(case: &Case) -> bool {
    matches!(case.status, CaseStatus::Applied | CaseStatus::Agreed | CaseStatus::Returning)
}

/// None, going on, money went back, ended without money.
fn refund_status(cases: &[&Case]) -> &'static str {
    if cases.is_empty() {
        "0"
    } else if cases.iter().any(|case| is_open(case)) {
        "1"
    } else if cases.iter().any(|case| case.status == CaseStatus::Refunded) {
        "2"
    } else {
        "3"
    }
}

/// The message about an order's newest status: its whole record, buyer included.
pub fn order_message(shop: &Shop, changed: &Order) -> Option<Message> {
    let kind = match changed.status {
        Status::Created => "non_payment",
        Status::Paid => "already_payment",
        Status::Shipped => "delivered",
        // So spelt.
        Status::Signed => "confirm_eceipt",
        Status::Completed => "finished",
        Status::Closed => "close",
    };
    Some(message(kind, order(shop, changed)))
}

/// The message about a case's newest status: the order's record. Goods on their way back are not told of.
pub fn case_message(shop: &Shop, case: &Case) -> Option<Message> {
    let kind = match case.status {
        CaseStatus::Applied => "buyers_apply_refund",
        CaseStatus::Refunded => "refund_success",
        CaseStatus::Rejected => "sellers_refused_refund",
        CaseStatus::Agreed | CaseStatus::Returning | CaseStatus::Cancelled => return None,
    };
    Some(message(kind, order(shop, shop.order(&case.order_id)?)))
}

/// Messages have no ids.
fn message(kind: &str, record: Value) -> Message {
    Message { kind: format!("weidian.order.{kind}"), id: String::new(), content: record }
}
