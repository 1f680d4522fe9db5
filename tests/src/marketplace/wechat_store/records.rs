//! What the store's API tells of orders and cases, and its events.

use serde_json::{Value, json};

use crate::marketplace::dialect::number;
use crate::marketplace::push::Message;
use crate::marketplace::shop::{Case, CaseStatus, Kind, Line, Order, Status};

/// `status` of an order. There is none for what the carrier knows.
const fn status(status: Status) -> u32 {
    match status {
        Status::Created => 10,
        Status::Paid => 20,
        Status::Shipped | Status::Signed => 30,
        Status::Completed => 100,
        Status::Closed => 250,
    }
}

/// `status` of a case.
const fn case_status(case: &Case) -> &'static str {
    match (case.status, case.kind) {
        (CaseStatus::Applied, _) => "MERCHANT_PROCESSING",
        (CaseStatus::Agreed, Kind::Return) => "USER_WAIT_RETURN",
        (CaseStatus::Agreed, _) => "PLATFORM_REFUNDING",
        (CaseStatus::Returning, _) => "MERCHANT_WAIT_RECEIPT",
        (CaseStatus::Rejected, Kind::Return) => "MERCHANT_REJECT_RETURN",
        (CaseStatus::Rejected, _) => "MERCHANT_REJECT_REFUND",
        (CaseStatus::Cancelled, _) => "USER_CANCELD",
        (CaseStatus::Refunded, Kind::Return) => "MERCHANT_RETURN_SUCCESS",
        (CaseStatus::Refunded, _) => "MERCHANT_REFUND_SUCCESS",
    }
}

/// The record of `order/get`.
pub fn order(order: &Order) -> Value {
    let basket = &order.basket;
    let at = |status| order.time(status).unwrap_or(0);
    let parcels = order.tracking_number.iter().map(|waybill_id| {
        let products = order.lines.iter().map(|line| {
            let shelf = &line.shelf;
            json!({"product_id": shelf.product_id, "sku_id": shelf.sku_id, "product_cnt": line.goods.quantity})
        });
        json!({
            "waybill_id": waybill_id, "delivery_id": "SF", "delivery_name": "顺丰速运", "deliver_type": 1,
            "delivery_time": at(Status::Shipped), "product_infos": Value::from_iter(products),
        })
    });
    let promoter = basket.room.iter().map(|room| {
        json!({
            "sku_id": order.lines.first().map(|line| &line.shelf.sku_id), "sale_channel": 1, "account_type": 1,
            "account_id": format!("sph{}", room.author_id), "account_nickname": room.author_name, "content_type": "",
        })
    });
    let original = order.goods_amount() + basket.freight;
    json!({
        "order_id": order.id,
        "status": status(order.status),
        "create_time": at(Status::Created),
        "update_time": order.updated,
        "openid": basket.buyer,
        "unionid": "",
        "order_detail": {
            "product_infos": order.lines.iter().map(product).collect::<Vec<_>>(),
            "pay_info": {
                "prepay_id": "", "prepay_time": at(Status::Created), "pay_time": at(Status::Paid), "payment_method": 1,
                "transaction_id": "",
            },
            // What the merchant bears counts as discounted; what the platform bears comes back to the merchant.
            "price_info": {
                "product_price": order.goods_amount(),
                "order_price": order.payable(),
                "freight": basket.freight,
                "is_discounted": order.discount() > 0,
                "discounted_price": basket.discount_merchant,
                "merchant_discounted_price": basket.discount_merchant,
                "cash_coupon_discounted_price": basket.discount_platform,
                "original_order_price": original,
                "merchant_receieve_price": original - basket.discount_merchant,
                "finder_discounted_price": 0,
                "change_down_price": 0,
                "is_change_freight": false,
                "change_freight": 0,
                "use_deduction": false,
                "deduction_price": 0,
            },
            "delivery_info": {
                "address_info": {
                    "user_name": "测*", "tel_number": "1********00", "postal_code": "", "county_name": "测试区",
                    "detail_info": "测试路", "province_name": basket.region.0, "city_name": basket.region.1,
                },
                "delivery_product_info": Value::from_iter(parcels),
                "ship_done_time": at(Status::Shipped),
                "deliver_method": 0,
            },
            "ext_info": {
                "customer_notes": "", "merchant_notes": "", "confirm_receipt_time": at(Status::Completed),
                "finder_id": basket.room.as_ref().map_or(String::new(), |room| format!("sph{}", room.author_id)),
                "live_id": basket.room.as_ref().map_or(String::new(), |room| format!("export/{}", room.id)),
            },
            "source_infos": Value::from_iter(promoter),
        },
        "aftersale_detail": {"aftersale_order_list": [], "on_aftersale_order_cnt": 0},
    })
}

fn product(line: &Line) -> Value {
    let goods = &line.goods;
    let reduced = goods.gross() - line.discount_merchant;
    json!({
        "product_id": line.shelf.product_id,
        "sku_id": line.shelf.sku_id,
        "product_unique_id": line.id,
        "sku_cnt": goods.quantity,
        "on_aftersale_sku_cnt": 0,
        "finish_aftersale_sku_cnt": 0,
        "title": goods.title,
        "thumb_img": "",
        "sku_attrs": [],
        "sku_code": goods.code,
        "out_sku_id": "",
        "out_product_id": "",
        "market_price": goods.unit_price,
        "sale_price": goods.unit_price,
        "is_discounted": line.discount_merchant > 0,
        "estimate_price": reduced,
        "is_change_price": false,
        "change_price": 0,
        "real_price": reduced,
    })
}

/// The record of `aftersale/getaftersaleorder`.
pub fn case(case: &Case, order: &Order) -> Value {
    let line = order.lines.iter().find(|line| line.id == case.line_id);
    let product = line.map(|line| {
        let shelf = &line.shelf;
        json!({
            "product_id": shelf.product_id, "sku_id": shelf.sku_id, "count": line.goods.quantity, "fast_refund": false,
        })
    });
    let parcel = case
        .tracking_number
        .as_ref()
        .map(|waybill_id| json!({"waybill_id": waybill_id, "delivery_id": "YTO", "delivery_name": "圆通速递"}));
    let refunded = case.time(CaseStatus::Refunded).is_some();
    json!({
        "after_sale_order_id": case.id,
        "order_id": order.id,
        "status": case_status(case),
        "type": if case.kind == Kind::Return { "RETURN" } else { "REFUND" },
        "openid": order.basket.buyer,
        "unionid": "",
        "create_time": case.applied(),
        "update_time": case.updated,
        "reason": "10000000",
        "reason_text": "不想要了",
        "product_info": product,
        "refund_info": {"amount": case.amount, "refund_reason": if refunded { 3 } else { 0 }},
        "return_info": parcel.unwrap_or_else(|| json!({})),
        "merchant_upload_info": {"reject_reason": case.refusal.as_deref().unwrap_or(""), "refund_certificates": []},
        "refund_resp": {"code": "", "ret": 0, "message": ""},
    })
}

/// The events about an order's newest status.
pub fn order_events(order: &Order) -> Vec<Message> {
    let order_id = number(&order.id);
    let events = match order.status {
        Status::Created => vec![("channels_ec_order_new", json!({"order_id": order_id}))],
        Status::Paid => vec![
            ("channels_ec_order_pay", json!({"order_id": order_id, "pay_time": order.updated})),
            ("channels_ec_order_wait_shipping", json!({"order_id": order_id})),
        ],
        Status::Shipped => vec![("channels_ec_order_deliver", json!({"order_id": order_id, "finish_delivery": 1}))],
        Status::Completed => vec![("channels_ec_order_confirm", json!({"order_id": order_id, "confirm_type": 1}))],
        Status::Closed => vec![("channels_ec_order_cancel", json!({"order_id": order_id, "cancel_type": 1}))],
        // What the carrier knows is not pushed.
        Status::Signed => vec![],
    };
    let buyer = &order.basket.buyer;
    events.into_iter().map(|(kind, info)| event(kind, buyer, &order.id, order.updated, "order_info", &info)).collect()
}

/// The event about a case's newest status.
pub fn case_event(case: &Case, buyer: &str) -> Message {
    let info = json!({"status": case_status(case), "after_sale_order_id": case.id, "order_id": case.order_id});
    let name = "finder_shop_aftersale_status_update";
    event("channels_ec_aftersale_update", buyer, &case.id, case.updated, name, &info)
}

/// Events have no id of the platform's; this one is the simulator's own.
fn event(kind: &str, buyer: &str, subject: &str, at: i64, name: &str, info: &Value) -> Message {
    let content = json!({
        "ToUserName": super::ACCOUNT, "FromUserName": buyer, "CreateTime": at, "MsgType": "event", "Event": kind,
        (name): info,
    });
    Message { kind: kind.to_owned(), id: format!("{kind}:{subject}:{at}"), content }
}
