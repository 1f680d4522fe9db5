//! What Pinduoduo tells of orders and cases: full records and list items.

use serde_json::{Value, json};

use crate::marketplace::dialect::{gmt8, number, yuan};
use crate::marketplace::shop::{Case, CaseStatus, Kind, Line, Order, Shop, Status};

/// The numbers in `order_status` and `confirm_status`.
const fn status(order: &Order) -> (u32, u32) {
    match order.status {
        Status::Created => (1, 0),
        Status::Paid => (1, 1),
        Status::Shipped => (2, 1),
        Status::Signed | Status::Completed => (3, 1),
        Status::Closed => (1, 2),
    }
}

/// The number in `after_sales_status`. For goods on their way back there is none: the merchant's turn again.
const fn case_status(case: &Case) -> u32 {
    match (case.status, case.kind) {
        (CaseStatus::Applied | CaseStatus::Returning, Kind::Return) => 3,
        (CaseStatus::Applied | CaseStatus::Returning, _) => 2,
        (CaseStatus::Agreed, Kind::Return) => 7,
        (CaseStatus::Agreed, _) => 4,
        (CaseStatus::Rejected, _) => 6,
        (CaseStatus::Refunded, _) => 10,
        (CaseStatus::Cancelled, _) => 11,
    }
}

/// The number in `after_sales_type` of a full record; lists count otherwise.
const fn kind(kind: Kind) -> u32 {
    match kind {
        Kind::RefundOnly | Kind::Unshipped => 1,
        Kind::Return => 2,
    }
}

/// The number in an order's `refund_status`.
fn refund_status(shop: &Shop, order: &Order) -> u32 {
    let statuses: Vec<_> = shop.cases().filter(|case| case.order_id == order.id).map(|case| case.status).collect();
    if statuses.contains(&CaseStatus::Refunded) {
        4
    } else if statuses.iter().any(|status| *status != CaseStatus::Cancelled) {
        2
    } else {
        1
    }
}

/// Yuan as a JSON number, as the platform writes it in orders.
fn money(fen: i64) -> Value {
    yuan(fen).parse::<f64>().map_or(Value::Null, Value::from)
}

/// An order's full record.
pub fn order(shop: &Shop, order: &Order) -> Value {
    let basket = &order.basket;
    let at = |status| order.time(status).map(gmt8);
    let (order_status, confirm_status) = status(order);
    let mut record = json!({
        "order_sn": order.id,
        "order_status": order_status,
        "confirm_status": confirm_status,
        "group_status": confirm_status,
        "refund_status": refund_status(shop, order),
        "after_sales_status": 0,
        "trade_type": 0,
        "step_order_info": null,
        "is_lucky_flag": 1,
        "is_pre_sale": 0,
        "free_sf": 0,
        "risk_control_status": 0,
        "created_time": at(Status::Created),
        "pay_time": at(Status::Paid).unwrap_or_default(),
        "confirm_time": at(Status::Paid).unwrap_or_default(),
        "shipping_time": at(Status::Shipped),
        "receive_time": at(Status::Completed),
        "updated_at": gmt8(order.updated),
        "last_ship_time": order.time(Status::Paid).map(|paid| gmt8(paid + 172_800)),
        "item_list": order.lines.iter().map(item).collect::<Vec<_>>(),
    });
    let more = json!({
        "goods_amount": money(order.goods_amount()),
        "discount_amount": money(order.discount()),
        "seller_discount": money(basket.discount_merchant),
        "platform_discount": money(basket.discount_platform),
        "capital_free_discount": 0,
        "order_change_amount": 0,
        "postage": money(basket.freight),
        "pay_amount": money(order.payable()),
        "pay_type": "WEIXIN",
        "pay_no": "",
        "country": "中国",
        "province": basket.region.0,
        "city": basket.region.1,
        "town": "西湖区",
        "receiver_name": "~AgAAciphertext~",
        "receiver_name_mask": "测*",
        "receiver_phone": "$ciphertext$",
        "receiver_phone_mask": "1********00",
        "receiver_address": "~AgAAciphertext~",
        "tracking_number": order.tracking_number.as_deref().unwrap_or(""),
        "logistics_id": if order.tracking_number.is_some() { 44 } else { 0 },
        "extra_delivery_list": [],
        "gift_delivery_list": [],
        "gift_list": [],
        "service_fee_detail": [],
    });
    if let (Some(record), Value::Object(more)) = (record.as_object_mut(), more) {
        record.extend(more);
    }
    record
}

fn item(line: &Line) -> Value {
    json!({
        "goods_id": number(&line.shelf.product_id),
        "sku_id": number(&line.shelf.sku_id),
        "outer_id": line.goods.code,
        "outer_goods_id": "",
        "goods_name": line.goods.title,
        "goods_spec": "默认",
        "goods_img": "",
        "goods_count": line.goods.quantity,
        "goods_price": money(line.goods.unit_price),
    })
}

/// A case's full record: money in fen, times in milliseconds, but the last change as text.
pub fn case(case: &Case, order: &Order) -> Value {
    let line = order.lines.iter().find(|line| line.id == case.line_id);
    let whole = line.filter(|_| case.kind == Kind::Return).map(|line| line.goods.quantity);
    let waits = matches!(case.status, CaseStatus::Applied | CaseStatus::Returning);
    json!({
        "id": number(&case.id),
        "order_sn": order.id,
        "after_sales_status": case_status(case),
        "after_sales_type": kind(case.kind),
        "after_sales_reason": "不想要了",
        "remark": "",
        "shipping_status": if case.kind == Kind::Unshipped { 0 } else { 1 },
        "user_shipping_status": "0",
        "refund_amount": case.amount,
        "order_amount": order.payable(),
        "discount_amount": order.discount(),
        "goods_number": line.map(|line| line.goods.quantity),
        "goods_price": line.map(|line| line.goods.unit_price),
        "sku_id": line.map(|line| line.shelf.sku_id.as_str()),
        "part_after_sales_type": if whole.is_some() { 1 } else { 0 },
        "part_after_sales_value": whole.unwrap_or(0),
        "express_no": case.tracking_number.as_deref().unwrap_or(""),
        "shipping_name": if case.tracking_number.is_some() { "圆通快递" } else { "" },
        "confirm_time": order.time(Status::Paid).map(|at| at * 1000),
        "recreated_at": case.applied() * 1000,
        "updated_time": gmt8(case.updated),
        "expire_time": waits.then_some((case.updated + 172_800) * 1000),
        "speed_refund_flag": 0,
        "dispute_refund_status": 0,
        "join_or_not": "0",
        "refund_operator_role": 0,
        "exist_images": false,
        "images": [],
        "exchange_shipping_detail": null,
    })
}

/// A case as an item of `pdd.refund.list.increment.get`: money in yuan, as text.
pub fn listed(case: &Case, order: &Order) -> Value {
    let line = order.lines.iter().find(|line| line.id == case.line_id);
    json!({
        "id": number(&case.id),
        "order_sn": order.id,
        "after_sales_status": case_status(case),
        "after_sales_type": kind(case.kind) + 1,
        "after_sale_reason": "不想要了",
        "refund_amount": yuan(case.amount),
        "order_amount": yuan(order.payable()),
        "discount_amount": yuan(order.discount()),
        "goods_id": line.map(|line| number(&line.shelf.product_id)),
        "sku_id": line.map(|line| line.shelf.sku_id.as_str()),
        "outer_id": line.map(|line| line.goods.code.as_str()),
        "outer_goods_id": "",
        "goods_name": line.map(|line| line.goods.title.as_str()),
        "goods_number": line.map(|line| line.goods.quantity.to_string()),
        "goods_price": line.map(|line| yuan(line.goods.unit_price)),
        "tracking_number": case.tracking_number.as_deref().unwrap_or(""),
        "confirm_time": order.time(Status::Paid).map(gmt8),
        "created_time": gmt8(case.applied()),
        "updated_time": gmt8(case.updated),
        "speed_refund_flag": 0,
        "speed_refund_status": "0",
    })
}
