//! Weidian's messages and records to facts, and asks to calls. Shops, orders and buyers are invented.

use std::collections::BTreeMap;

use domain::{
    Fen, IdentityKind, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus,
    Secret, UnixMs,
};
use platforms::Fact;
use platforms::marketplace::{
    Api, ApiError, App, Ask, Message, Received, Says, Seen, Shelf, Shop, Source, VerifyError, Window,
};
use platforms::weidian::{Weidian, order};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{books, changed, china, form, only_message, post, redelivered};

const SHOP: &str = "1259798741";
const ORDER: &str = "9007199254740993";

fn app() -> App {
    App::of([("app_key", "1"), ("app_secret", "s"), ("path", "3fG9xTq0")])
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Weidian, shop_id: SHOP.to_owned(), platform_order_id: ORDER.to_owned() }
}

fn receive(app: &App, path: &str, body: &[u8]) -> Result<Received, VerifyError> {
    Weidian.receive(app, &post(path, body))
}

fn sent(content: &str) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).append_pair("content", content).finish().into_bytes()
}

fn pushed(content: &Value) -> Message {
    only_message(receive(&app(), "/hooks/weidian/3fG9xTq0", &sent(&content.to_string())).unwrap())
}

/// 2 × 10.00 and 1 × 20.00 of one SKU, 5.00 off, freight 8.00: 43.00.
fn record() -> Value {
    let line = |price: &str, quantity: &str| {
        json!({ "item_id": "4038199354", "sku_id": "0", "sku_merchant_code": null, "merchant_code": "TEA-01", "item_name": "Invented tea",
            "price": price, "quantity": quantity, "total_price": "20.00", "refund_info": { "refund_no": "", "refund_fee": "", "refund_status": "",
            "refund_kind": "0", "refund_item_fee": "", "refund_express_fee": "", "item_id": "4038199354", "item_sku_id": "0" } })
    };
    json!({
        "order_id": ORDER, "seller_id": SHOP, "seller_name": "Invented shop", "status": "ship", "status_ori": "30", "refund_status_ori": "0",
        "order_type": "3", "price": "35.00", "express_fee": "8.00", "total": "43.00", "total_fee": "", "fx_fee_value": "",
        "discount_list": [{ "discount_type": "1", "discount_info": "满减", "discount_price": "5.00" }],
        "add_time": "2026-02-14 09:30:00", "pay_time": "2026-02-14 09:31:00", "send_time": "2026-03-01 00:00:00", "finish_time": "",
        "express": "中通速递", "express_type": "3", "express_no": "5111195496", "user_phone": "13800000001", "note": "轻放",
        "buyer_info": { "buyer_id": "179000159", "name": "匿名", "phone": "13800000001", "province": "浙江", "city": "杭州",
            "region": "虚构区", "address": "浙江 杭州 虚构路1号", "self_address": "虚构路1号", "idCardNo": "" },
        "refund_info": { "refund_time": null, "buyer_refund_fee": null },
        "items": [line("10.00", "2"), line("20.00", "1")]
    })
}

fn facts(record: &Value) -> (OrderFacts, Vec<(String, RefundFacts)>) {
    let mut orders = Vec::new();
    let mut refunds = Vec::new();
    for fact in order::map_record(SHOP, record).unwrap() {
        match fact {
            Fact::Order { key: found, facts } => {
                assert_eq!(found, key());
                orders.push(facts);
            }
            Fact::Refund { order, after_sale_id, facts } => {
                assert_eq!(order, key());
                refunds.push((after_sale_id, facts));
            }
        }
    }
    assert_eq!(orders.len(), 1);
    (orders.remove(0), refunds)
}

#[test]
fn a_push_is_a_hint_and_leaves_the_buyer_out() {
    let push = json!({ "type": "weidian.order.delivered", "message": record() });
    let message = pushed(&push);
    let ask = Ask::Order { order_id: ORDER.to_owned() };
    assert_eq!(message.says, Says::Hint { shop_id: SHOP.to_owned(), ask });
    assert!(!message.content.contains("138") && !message.content.contains("匿名"), "{}", message.content);
    assert_eq!(pushed(&push), message);
    let mut later = push.clone();
    later["message"]["refund_status_ori"] = json!("1");
    assert_ne!(pushed(&later).content, message.content);
    // Where the order names no shop, the message does; kinds that are new are hints too.
    let bare = json!({ "type": "weidian.order.new_kind", "shopId": 1259798741, "message": { "order_id": ORDER } });
    assert!(matches!(pushed(&bare).says, Says::Hint { shop_id, .. } if shop_id == SHOP));
    let idless = json!({ "type": "weidian.order.close", "message": { "user_phone": "13800000001" } });
    assert_eq!(pushed(&idless).says, Says::NotUnderstood);
}

#[test]
fn only_the_secret_path_is_answered() {
    let body = sent(r#"{"type":"weidian.order.close","message":{"order_id":"1"}}"#);
    assert!(receive(&app(), "/hooks/weidian/3fG9xTq0", &body).is_ok());
    let mismatch = Err(VerifyError::Mismatch("weidian_path"));
    for path in
        ["/hooks/weidian", "/hooks/weidian/", "/hooks/weidian/3fG9xTq", "/hooks/weidian/3fg9xtq0", "/3fG9xTq0/x", ""]
    {
        assert_eq!(receive(&app(), path, &body), mismatch, "{path}");
    }
    assert_eq!(receive(&App::default(), "/hooks/weidian/", &body), mismatch);
}

#[test]
fn what_is_no_push_is_unreadable() {
    for body in [&b""[..], b"content=", b"content={broken", b"content=[]", b"content={}", b"other=1", b"\xff\xfe"] {
        assert_eq!(receive(&app(), "/3fG9xTq0", body), Ok(Received::Unreadable));
    }
}

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let (facts, refunds) = facts(&record());
    let order = facts.order(key());
    assert!(order.complete && order.flags.is_empty() && refunds.is_empty(), "{:?}", order.flags);
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(4300))));
    let amounts = order.amounts.clone().unwrap();
    assert_eq!(
        (amounts.goods, amounts.discount_merchant, amounts.freight),
        (Fen::new(4000), Fen::new(500), Fen::new(800))
    );
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 3)]));
    assert_eq!(
        order.lines.iter().map(|line| line.line_id.as_str()).collect::<Vec<_>>(),
        ["4038199354:0", "4038199354:0:2"]
    );
    assert_eq!(
        (order.identities[0].kind, order.identities[0].value.as_str()),
        (IdentityKind::WeidianBuyerId, "179000159")
    );
    assert_eq!(order.region.unwrap().city.as_deref(), Some("杭州"));
    assert_eq!(order.shipments[0].tracking_number, "5111195496");
    assert_eq!(order.times.shipped_at, Some(china("2026-03-01T00:00:00")));
    let kept = serde_json::to_string(&facts).unwrap();
    assert!(!kept.contains("138") && !kept.contains("匿名") && !kept.contains("虚构"), "{kept}");
}

#[test]
fn statuses_map_by_the_table_and_others_are_flagged() {
    let state = |code: &str| {
        let mut record = record();
        record["status_ori"] = json!(code);
        facts(&record).0
    };
    for (code, expected) in [
        ("10", OrderStatus::Created),
        ("21", OrderStatus::Created),
        ("20", OrderStatus::Paid),
        ("31", OrderStatus::PartlyShipped),
        ("30", OrderStatus::Shipped),
        ("40", OrderStatus::Signed),
        ("50", OrderStatus::Completed),
        ("60", OrderStatus::Closed),
    ] {
        let facts = state(code);
        assert_eq!((facts.status(), facts.flags()), (Some(expected), vec![]), "{code}");
        assert_eq!(facts.raw_status.unwrap().value, code);
    }
    let odd = state("77");
    assert_eq!((odd.status(), odd.flags()), (Some(OrderStatus::Paid), vec![OrderFlag::UnknownStatus]));
    assert_eq!(state("21").paid, None);
    let mut wordy = record();
    wordy["status_ori"] = json!("");
    wordy["status"] = json!("unship_refunding");
    assert_eq!(facts(&wordy).0.status(), Some(OrderStatus::Paid));
    let mut cash = record();
    cash["status_ori"] = json!(20);
    cash["order_type"] = json!(1);
    let cash = facts(&cash).0;
    assert_eq!((cash.status(), cash.paid), (Some(OrderStatus::Created), None));
}

#[test]
fn cases_stand_in_the_order() {
    let mut disputed = record();
    disputed["items"][1]["sub_order_id"] = json!(611111075672_i64);
    disputed["items"][1]["refund_info"] = json!({ "refund_no": "4421716", "refund_fee": "18.00", "refund_express_fee": "1.00", "refund_status": "1", "refund_kind": "1" });
    let (_, refunds) = facts(&disputed);
    let (id, case) = &refunds[0];
    let claim = &case.claim.as_ref().unwrap().value;
    assert_eq!((refunds.len(), id.as_str(), case.status()), (1, "4421716", None));
    assert!(case.unknown_statuses.contains("1"));
    assert_eq!(claim.kind, RefundKind::Other, "of shipped goods nobody knows whether they come back");
    assert_eq!(
        (claim.amount, claim.lines[0].line_id.as_str(), claim.lines[0].amount),
        (Fen::new(1800), "611111075672", Fen::new(1700))
    );
    disputed["items"][1]["refund_info"]["refund_status"] = json!("10");
    disputed["refund_info"]["refund_time"] = json!("2026-03-02 08:00:00");
    let (_, case) = facts(&disputed).1.remove(0);
    assert_eq!(case.reached[&RefundStatus::Refunded], china("2026-03-02T08:00:00"));
    let mut unshipped = disputed.clone();
    for (field, value) in [("status_ori", "20"), ("send_time", ""), ("express_no", "")] {
        unshipped[field] = json!(value);
    }
    assert_eq!(facts(&unshipped).1[0].1.claim.as_ref().unwrap().value.kind, RefundKind::Unshipped);
    disputed["items"][1]["refund_info"]["refund_express_fee"] = json!("18.01");
    assert!(order::map_record(SHOP, &disputed).is_err());
}

#[test]
fn odd_records_are_flagged_or_refused_and_never_mended() {
    let mut wrong_sum = record();
    wrong_sum["total"] = json!("43.01");
    assert_eq!(facts(&wrong_sum).0.flags(), [OrderFlag::AmountsDisagree]);
    for (field, value) in
        [("price", json!("10.005")), ("price", json!("")), ("quantity", json!("0")), ("quantity", json!("1.5"))]
    {
        let mut record = record();
        record["items"][0][field] = value;
        assert!(order::map_record(SHOP, &record).is_err(), "{field}");
    }
    for (field, value) in [("total", json!("")), ("add_time", json!("")), ("items", json!(null))] {
        let mut record = record();
        record[field] = value;
        if field == "add_time" {
            record["pay_time"] = json!("");
            record["send_time"] = json!(null);
        }
        assert!(order::map_record(SHOP, &record).is_err(), "{field}");
    }
}

fn call(ask: &Ask) -> Result<(Value, Value), ApiError> {
    let token = Secret::new("token".to_owned());
    let shop = Shop { id: SHOP, access_token: Some(&token), refresh_token: None };
    let request = Weidian.request(&app(), &shop, ask, UnixMs::EPOCH)?;
    assert_eq!(request.path_and_query, "/api");
    let fields = form(&request.body);
    let public: Value = serde_json::from_str(&fields["public"]).unwrap();
    assert_eq!(public["access_token"], json!("token"));
    Ok((public["method"].clone(), serde_json::from_str(&fields["param"]).unwrap()))
}

#[test]
fn asks_become_calls() {
    let (order_id, after_sale_id) = (ORDER.to_owned(), "4421716".to_owned());
    let window =
        Window { since: china("2026-02-14T00:00:00"), until: china("2026-02-15T00:00:00"), page: Some("2".to_owned()) };
    let listed = |order_type: &str| json!({ "order_type": order_type, "update_start": "2026-02-14 00:00:00", "update_end": "2026-02-15 00:00:00", "page_num": 2, "page_size": 50 });
    let shelf = |sku_id: Option<&str>| Shelf { product_id: "403".to_owned(), sku_id: sku_id.map(str::to_owned) };
    let unshipped = Seen { kind: Some(RefundKind::Unshipped), ..Seen::default() };
    let seen = Seen::default();
    for (ask, method, param) in [
        (Ask::Order { order_id: order_id.clone() }, "vdian.order.get", json!({ "order_id": ORDER })),
        (
            Ask::AfterSale { order_id: Some(order_id.clone()), after_sale_id: after_sale_id.clone() },
            "vdian.order.get",
            json!({ "order_id": ORDER }),
        ),
        (Ask::ChangedOrders(window.clone()), "vdian.order.list.get", listed("all")),
        (Ask::ChangedAfterSales(window.clone()), "vdian.order.list.get", listed("refunding")),
        (
            Ask::Agree { order_id: order_id.clone(), after_sale_id: after_sale_id.clone(), seen: unshipped },
            "vdian.order.refund.accept",
            json!({ "refund_no": "4421716", "is_accept": "1" }),
        ),
        (
            Ask::ConfirmReceipt {
                order_id: order_id.clone(),
                after_sale_id: after_sale_id.clone(),
                seen: seen.clone(),
            },
            "vdian.order.refund.accept",
            json!({ "refund_no": "4421716", "is_accept": "1" }),
        ),
        (
            Ask::Refuse {
                order_id: order_id.clone(),
                after_sale_id: after_sale_id.clone(),
                reason: "x".to_owned(),
                seen: seen.clone(),
            },
            "vdian.order.refund.accept",
            json!({ "refund_no": "4421716", "is_accept": "0" }),
        ),
        (
            Ask::SetStock { shelf: shelf(Some("7")), quantity: 3 },
            "vdian.item.sku.update",
            json!({ "itemid": "403", "skus": [{ "id": "7", "stock": "3" }] }),
        ),
        (
            Ask::SetStock { shelf: shelf(None), quantity: 3 },
            "vdian.item.update",
            json!({ "itemid": "403", "stock": "3" }),
        ),
    ] {
        assert_eq!(call(&ask).unwrap(), (json!(method), param), "{ask:?}");
    }
    for ask in [
        Ask::AfterSale { order_id: None, after_sale_id: after_sale_id.clone() },
        // Nobody knows yet, or the platform does not tell, whether goods are still with the buyer.
        Ask::Agree { order_id: order_id.clone(), after_sale_id: after_sale_id.clone(), seen },
        Ask::Agree { order_id, after_sale_id, seen: Seen { kind: Some(RefundKind::Other), ..Seen::default() } },
        Ask::Messages,
    ] {
        assert!(matches!(call(&ask), Err(ApiError::Permanent(_))), "{ask:?}");
    }
    let page = json!({ "total_num": 1, "orders": [{ "order_id": ORDER, "status": "2" }] });
    let page = Weidian.read(&app(), SHOP, &Ask::ChangedOrders(window), &page).unwrap();
    assert_eq!(changed(page), (vec![Ask::Order { order_id: ORDER.to_owned() }], None));
}

/// An order's record as fetched at several moments of its life.
fn life() -> Vec<Fact> {
    let moment = |code: &str, unset: &[&str], refund: Option<&str>| {
        let mut record = record();
        record["status_ori"] = json!(code);
        for field in unset {
            record[*field] = json!("");
        }
        if let Some(status) = refund {
            record["items"][0]["refund_info"]["refund_no"] = json!("4421716");
            record["items"][0]["refund_info"]["refund_status"] = json!(status);
            record["items"][0]["refund_info"]["refund_fee"] = json!("10.00");
        }
        order::map_record(SHOP, &record).unwrap()
    };
    [
        moment("10", &["pay_time", "send_time", "express_no"], None),
        moment("20", &["send_time", "express_no"], None),
        moment("30", &[], None),
        moment("30", &[], Some("1")),
        moment("50", &[], Some("10")),
        moment("60", &[], Some("10")),
    ]
    .concat()
}

proptest! {
    #[test]
    fn records_converge(noisy in redelivered(life())) {
        prop_assert_eq!(books(noisy), books(life()));
    }

    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), content in ".{0,80}") {
        let _ = receive(&app(), "/3fG9xTq0", &body);
        let _ = receive(&app(), "/3fG9xTq0", &sent(&content));
    }
}
