//! What Doudian tells of orders and cases: full records, list items, push messages.

use serde_json::{Value, json};

use crate::marketplace::dialect::number;
use crate::marketplace::push::Message;
use crate::marketplace::shop::{Case, CaseStatus, Kind, Line, Order, Shop, Status, WISH};

/// The number in `order_status`. The platform has none for what the carrier knows.
const fn status(status: Status) -> u32 {
    match status {
        Status::Created => 1,
        Status::Paid => 2,
        Status::Shipped | Status::Signed => 3,
        Status::Closed => 4,
        Status::Completed => 5,
    }
}

/// The number in `aftersale_status`.
const fn case_status(case: &Case) -> u32 {
    match case.status {
        CaseStatus::Applied => 6,
        CaseStatus::Agreed if matches!(case.kind, Kind::Return) => 7,
        CaseStatus::Returning => 11,
        CaseStatus::Agreed | CaseStatus::Refunded => 12,
        CaseStatus::Rejected if case.tracking_number.is_some() => 29,
        CaseStatus::Rejected => 27,
        CaseStatus::Cancelled => 28,
    }
}

/// The number in `aftersale_type`.
const fn kind(kind: Kind) -> u32 {
    match kind {
        Kind::Return => 0,
        Kind::RefundOnly => 1,
        Kind::Unshipped => 2,
    }
}

/// An order's full record.
pub fn order(shop: &Shop, order: &Order) -> Value {
    let basket = &order.basket;
    let at = |status| order.time(status).unwrap_or(0);
    let parcel = order.tracking_number.as_ref().map(|tracking_no| {
        json!({
            "tracking_no": tracking_no, "company": "shunfeng", "company_name": "顺丰速运",
            "ship_time": at(Status::Shipped),
        })
    });
    json!({
        "order_id": order.id,
        "shop_id": number(shop.id()),
        "order_status": status(order.status),
        "main_status": status(order.status),
        "order_type": 0,
        "create_time": at(Status::Created),
        "pay_time": at(Status::Paid),
        "ship_time": at(Status::Shipped),
        "finish_time": at(Status::Completed),
        "update_time": order.updated,
        "order_amount": order.payable(),
        "pay_type": 2,
        "pay_amount": order.payable(),
        "post_amount": basket.freight,
        "promotion_amount": order.discount(),
        "promotion_shop_amount": basket.discount_merchant,
        "promotion_platform_amount": basket.discount_platform,
        "promotion_talent_amount": 0,
        "tax_amount": 0,
        "doudian_open_id": basket.buyer,
        "encrypt_post_receiver": "##ciphertext==",
        "encrypt_post_tel": "$$ciphertext==",
        "mask_post_tel": "1********00",
        "mask_post_receiver": "测*",
        "buyer_words": WISH,
        "post_addr": {
            "province": {"name": basket.region.0, "id": "1"},
            "city": {"name": basket.region.1, "id": "2"},
            "encrypt_detail": "##ciphertext==",
        },
        "logistics_info": Vec::from_iter(parcel),
        "sku_order_list": order.lines.iter().map(|line| sku_order(order, line)).collect::<Vec<_>>(),
    })
}

fn sku_order(order: &Order, line: &Line) -> Value {
    let room = order.basket.room.as_ref();
    json!({
        "order_id": line.id,
        "parent_order_id": order.id,
        "product_id": number(&line.shelf.product_id),
        "product_name": line.goods.title,
        "sku_id": number(&line.shelf.sku_id),
        "out_sku_id": 0,
        "code": line.goods.code,
        "item_num": line.goods.quantity,
        "goods_price": line.goods.unit_price,
        "origin_amount": line.goods.unit_price,
        "sum_amount": line.goods.gross(),
        "order_amount": line.net(),
        "pay_amount": line.net(),
        "promotion_amount": line.discount_merchant + line.discount_platform,
        "order_status": status(order.status),
        "logistics_receipt_time": order.time(Status::Signed).unwrap_or(0),
        "room_id": room.map_or(0, |room| room.id),
        "author_id": room.map_or(0, |room| room.author_id),
        "author_name": room.map_or("", |room| room.author_name),
    })
}

/// A case's full record.
pub fn case(case: &Case, order: &Order) -> Value {
    let refunded = case.time(CaseStatus::Refunded);
    json!({
        "order_info": {
            "shop_order_id": number(&order.id),
            "sku_order_infos": [{"sku_order_id": number(&case.line_id)}],
        },
        "process_info": {
            "after_sale_info": {
                "after_sale_id": number(&case.id),
                "after_sale_status": case_status(case),
                "after_sale_type": kind(case.kind),
                "after_sale_apply_count": 1,
                "refund_status": if refunded.is_some() { 3 } else { 1 },
                "refund_amount": case.amount,
                "refund_total_amount": case.amount,
                "refund_post_amount": 0,
                "refund_time": refunded.unwrap_or(0),
                "apply_time": case.applied(),
                "update_time": case.updated,
                "reason_code": 1,
            },
        },
    })
}

/// A case as an item of `afterSale.List`.
pub fn listed(case: &Case, order: &Order) -> Value {
    json!({
        "aftersale_info": {
            "aftersale_id": case.id,
            "aftersale_order_type": 1,
            "aftersale_type": kind(case.kind),
            "aftersale_status": case_status(case),
            "related_id": case.line_id,
            "apply_time": case.applied(),
            "update_time": case.updated,
            "refund_amount": case.amount,
            "refund_post_amount": 0,
            "refund_status": if case.status == CaseStatus::Refunded { 3 } else { 1 },
            "return_logistics_code": case.tracking_number.as_deref().unwrap_or(""),
        },
        "order_info": {"shop_order_id": order.id, "related_order_info": [{"sku_order_id": case.line_id}]},
    })
}

/// The message about an order's newest status.
pub fn order_message(shop: &Shop, order: &Order) -> Option<Message> {
    let at = order.updated;
    let (tag, more) = match order.status {
        Status::Created => (100, json!({})),
        Status::Paid => (101, json!({"pay_time": at, "pay_type": 2, "pay_amount": order.payable()})),
        Status::Shipped => (
            102,
            json!({
                "logistics_msg": {"express_company_id": "shunfeng", "logistics_code": order.tracking_number},
                "receiver_msg": {
                    "addr": {"detail": "##ciphertext=="}, "name": "##ciphertext==", "tel": "##ciphertext==",
                },
                "update_time": at,
            }),
        ),
        Status::Completed => (103, json!({"complete_time": at})),
        Status::Closed => (106, json!({"cancel_reason": "我不想要了", "cancel_time": at})),
        // What the carrier knows is not pushed.
        Status::Signed => return None,
    };
    let data = json!({
        "p_id": number(&order.id),
        "s_ids": order.lines.iter().map(|line| number(&line.id)).collect::<Vec<_>>(),
        "shop_id": number(shop.id()),
        "order_status": status(order.status),
        "order_type": 0,
        "biz": 2,
        "create_time": order.time(Status::Created),
    });
    Some(message(tag, &order.id, at, data, more))
}

/// The message about a case's newest status.
pub fn case_message(shop: &Shop, case: &Case) -> Message {
    let at = case.updated;
    let (tag, more) = match case.status {
        CaseStatus::Applied => (200, json!({})),
        // Agreed to a return; agreed to a refund.
        CaseStatus::Agreed if case.kind == Kind::Return => (202, json!({"agree_time": at})),
        CaseStatus::Agreed => (201, json!({"agree_time": at})),
        CaseStatus::Returning => (203, json!({"return_time": at, "logistics_code": case.tracking_number})),
        // Refused to take it back; refused a refund.
        CaseStatus::Rejected if case.kind == Kind::Return => (205, json!({"refuse_time": at})),
        CaseStatus::Rejected => (204, json!({"refuse_time": at})),
        CaseStatus::Refunded => (206, json!({"success_time": at})),
        CaseStatus::Cancelled => (207, json!({})),
    };
    let data = json!({
        "aftersale_id": number(&case.id),
        "aftersale_status": case_status(case),
        "aftersale_type": kind(case.kind),
        "apply_time": case.applied(),
        "p_id": number(&case.order_id),
        "s_id": number(&case.line_id),
        "reason_code": 1,
        "refund_amount": case.amount,
        "refund_post_amount": 0,
        "refund_voucher_num": 0,
        "shop_id": number(shop.id()),
        "update_time": at,
    });
    message(tag, &case.id, at, data, more)
}

/// The platform's message ids hold the subject, the time and the tag.
fn message(tag: u32, subject: &str, at: i64, mut data: Value, more: Value) -> Message {
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    Message { kind: tag.to_string(), id: format!("{subject}0{at}:{tag}:{at}"), content: data }
}
