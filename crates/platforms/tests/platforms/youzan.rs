//! Youzan's messages and records to facts, and asks to calls. Shops, orders and buyers are invented.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::{
    Fen, IdentityKind, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus,
    Secret, UnixMs,
};
use http::{HeaderMap, HeaderValue};
use platforms::Fact;
use platforms::marketplace::{
    Api, ApiError, App, Ask, Delivery, Message, Received, Says, Seen, Shelf, Shop, Source, VerifyError, Window,
};
use platforms::youzan::{Youzan, aftersale, order, sign};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{about_case, about_order, books, changed, china, only_message, post, redelivered};

const SHOP: &str = "90071992547409931";
const ORDER: &str = "E20260214093000000000001";
const CASE: &str = "202602150930000000010001";

fn app() -> App {
    App::of([("app_key", "cid"), ("app_secret", "csecret")])
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Youzan, shop_id: SHOP.to_owned(), platform_order_id: ORDER.to_owned() }
}

fn receive(body: &str, event_sign: Option<&str>) -> Result<Received, VerifyError> {
    let mut headers = HeaderMap::new();
    if let Some(sign) = event_sign {
        headers.insert("event-sign", HeaderValue::from_str(sign).unwrap());
    }
    Youzan.receive(&app(), &Delivery { headers: &headers, ..post("/hooks/youzan", body.as_bytes()) })
}

/// A push signed as a whole.
fn pushed(body: &Value) -> Message {
    let body = body.to_string();
    only_message(receive(&body, Some(&sign(&app(), body.as_bytes()))).unwrap())
}

/// `msg` as it comes: URL-encoded JSON.
fn encoded(msg: &Value) -> String {
    form_urlencoded::byte_serialize(msg.to_string().as_bytes()).collect()
}

fn push(kind: &str, msg: &Value) -> Value {
    json!({ "client_id": "cid", "kdt_id": SHOP.parse::<i64>().unwrap(), "id": ORDER, "type": kind, "msg": encoded(msg),
        "msg_id": "6dc15f0b", "version": 1771032600, "test": false, "sendCount": 1 })
}

fn order_facts(fact: Fact) -> OrderFacts {
    about_order(fact, &key())
}

fn refund_facts(fact: Fact) -> RefundFacts {
    about_case(fact, &key(), CASE)
}

/// Two lines of one SKU, 2 × 5.00 and 1 × 3.00, discounts 1.18 and 4.00, freight 2.00: 9.82, as in the guide's example.
fn record() -> Value {
    let line = |oid: &str, num: i64, price: &str, payment: &str| {
        json!({ "oid": oid, "item_id": 457846930, "sku_id": 0, "outer_sku_id": "null", "outer_item_id": "TEA-01", "title": "Invented tea",
            "num": num, "price": price, "discount_price": price, "total_fee": "1.00", "payment": payment, "points_price": "0" })
    };
    json!({
        "full_order_info": {
            "order_info": { "tid": ORDER, "status": "WAIT_BUYER_CONFIRM_GOODS", "pay_type": 10, "refund_state": 0, "close_type": 0,
                "created": "2026-02-14 09:30:00", "pay_time": "2026-02-14 09:31:00", "consign_time": "2026-02-28 23:59:59",
                "success_time": "", "confirm_time": "", "update_time": "2026-03-01 00:00:00", "order_extra": { "is_member": "true" } },
            "pay_info": { "total_fee": "13.00", "post_fee": "2.00", "payment": "9.82", "real_payment": "9.82", "deduction_pay": 0 },
            "buyer_info": { "yz_open_id": "yzInvented01", "buyer_phone": "$cipher$1$", "fans_nickname": "匿名" },
            "address_info": { "delivery_province": "浙江省", "delivery_city": "杭州市", "delivery_address": "$cipher$1$",
                "receiver_name": "$cipher$1$", "receiver_tel": "$cipher$1$" },
            "orders": [line("1507387350277163963", 2, "5.00", "7.55"), line("1507387350277163964", 1, "3.00", "2.27")],
            "child_info": null, "some_new_field": {}
        },
        "order_promotion": { "item": null, "order_discount_fee": "1.18", "item_discount_fee": "4.00", "adjust_fee": "0.00" },
        "delivery_order": [{ "express_state": 1, "express_type": 1, "oids": [{ "oid": "1507387350277163963" }], "dists": [
            { "dist_id": "1", "create_time": "2026-02-28 23:59:59", "express_info": { "express_id": 1, "express_no": "YT9007199254740993" } },
            { "dist_id": "2", "create_time": null, "express_info": { "express_id": 0, "express_no": "" } }
        ]}],
        "refund_order": null
    })
}

fn record_facts(record: &Value) -> OrderFacts {
    order_facts(order::map_record(SHOP, record).unwrap())
}

fn in_state(status: &str) -> Value {
    let mut record = record();
    let info = &mut record["full_order_info"]["order_info"];
    info["status"] = json!(status);
    info["consign_time"] = json!("");
    record["delivery_order"] = json!(null);
    record
}

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let order = record_facts(&record()).order(key());
    assert!(order.complete && order.flags.is_empty(), "{:?}", order.flags);
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(982))));
    let amounts = order.amounts.clone().unwrap();
    assert_eq!(
        (amounts.goods, amounts.discount_merchant, amounts.freight),
        (Fen::new(1300), Fen::new(518), Fen::new(200))
    );
    // Freight is taken out of the lines' shares in proportion: 7.55 holds 1.54 of it, 2.27 holds 0.46.
    assert_eq!(order.lines.iter().map(|line| line.discount.get()).collect::<Vec<_>>(), [399, 119]);
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 3)]));
    assert_eq!(order.lines[0].line_id, "1507387350277163963");
    let identity = &order.identities[0];
    assert_eq!((identity.kind, identity.value.as_str()), (IdentityKind::YouzanOpenId, "yzInvented01"));
    assert_eq!(order.region.unwrap().city.as_deref(), Some("杭州市"));
    assert_eq!(order.member_level.as_deref(), Some("member"));
    assert_eq!((order.shipments.len(), order.shipments[0].tracking_number.as_str()), (1, "YT9007199254740993"));
    assert_eq!(order.times.shipped_at, Some(china("2026-02-28T23:59:59")));
    assert_eq!(order.times.updated_at, Some(china("2026-03-01T00:00:00")));
}

#[test]
fn the_record_leaves_no_trace_of_the_person() {
    let kept = serde_json::to_string(&record_facts(&record())).unwrap();
    assert!(!kept.contains("cipher") && !kept.contains("匿名"), "{kept}");
    let mut hidden = record();
    hidden["full_order_info"]["address_info"]["delivery_city"] = json!("$cipher$1$");
    assert_eq!(record_facts(&hidden).detail.unwrap().value.region.unwrap().city, None);
}

#[test]
fn statuses_map_by_the_table_and_others_are_flagged() {
    for (word, expected) in [
        ("WAIT_BUYER_PAY", OrderStatus::Created),
        ("TRADE_PAID", OrderStatus::Paid),
        ("WAIT_CONFIRM", OrderStatus::Paid),
        ("WAIT_SELLER_SEND_GOODS", OrderStatus::Paid),
        ("WAIT_BUYER_CONFIRM_GOODS", OrderStatus::Shipped),
        ("TRADE_SUCCESS", OrderStatus::Completed),
        ("TRADE_CLOSED", OrderStatus::Closed),
    ] {
        let facts = record_facts(&in_state(word));
        assert_eq!(facts.status(), Some(expected), "{word}");
        assert_eq!(facts.raw_status.as_ref().unwrap().value, word);
        assert!(facts.flags().is_empty(), "{word}: {:?}", facts.flags());
    }
    let odd = record_facts(&in_state("TRADE_ASLEEP"));
    assert_eq!((odd.status(), odd.flags()), (Some(OrderStatus::Paid), vec![OrderFlag::UnknownStatus]));
}

#[test]
fn a_deposit_is_no_payment_and_nor_is_cash_on_delivery() {
    let owing = record_facts(&in_state("WAIT_BUYER_PAY"));
    assert_eq!((owing.status(), owing.paid), (Some(OrderStatus::Created), None));
    let mut cash = in_state("WAIT_SELLER_SEND_GOODS");
    cash["full_order_info"]["order_info"]["pay_type"] = json!("9");
    let facts = record_facts(&cash);
    assert_eq!((facts.status(), facts.paid), (Some(OrderStatus::Created), None));
}

#[test]
fn some_parcels_sent_is_partly_shipped() {
    let mut partly = in_state("WAIT_SELLER_SEND_GOODS");
    partly["delivery_order"] = json!([{ "express_state": 0 }, { "express_state": 1, "dists": [] }]);
    assert_eq!(record_facts(&partly).status(), Some(OrderStatus::PartlyShipped));
}

#[test]
fn odd_records_are_flagged_or_refused_and_never_mended() {
    let mut wrong_sum = record();
    wrong_sum["full_order_info"]["pay_info"]["payment"] = json!("9.83");
    assert_eq!(record_facts(&wrong_sum).flags(), [OrderFlag::AmountsDisagree]);
    // Shares that are not told, or not the whole: the order's discount is spread over no lines.
    let mut shareless = record();
    shareless["full_order_info"]["orders"][0]["payment"] = json!(null);
    let order = record_facts(&shareless).order(key());
    assert!(order.flags.is_empty() && order.lines.iter().all(|line| line.discount == Fen::ZERO));
    // A price lowered by hand is a discount.
    let mut adjusted = record();
    adjusted["order_promotion"] = json!({ "order_discount_fee": null, "adjust_fee": "-5.18" });
    assert!(record_facts(&adjusted).flags().is_empty());
    // Without the promotions the difference is what was taken off.
    let mut bare = record();
    bare["order_promotion"] = json!(null);
    assert_eq!(record_facts(&bare).detail.unwrap().value.amounts.discount_merchant, Fen::new(518));

    for (field, value) in [("num", json!(0)), ("num", json!("1.5")), ("price", json!("5.005")), ("price", json!(""))] {
        let mut record = record();
        record["full_order_info"]["orders"][0][field] = value;
        assert!(order::map_record(SHOP, &record).is_err(), "{field}");
    }
    for (field, value) in [("total_fee", json!("13.000")), ("payment", json!(null)), ("post_fee", json!("x"))] {
        let mut record = record();
        record["full_order_info"]["pay_info"][field] = value;
        assert!(order::map_record(SHOP, &record).is_err(), "{field}");
    }
    let mut timeless = record();
    timeless["full_order_info"]["order_info"]["update_time"] = json!("");
    timeless["full_order_info"]["order_info"]["created"] = json!(null);
    assert!(order::map_record(SHOP, &timeless).is_err());
    assert!(order::map_record(SHOP, &json!({})).is_err());
}

#[test]
fn numbers_read_like_text() {
    let mut loose = record();
    loose["full_order_info"]["pay_info"] = json!({ "total_fee": 13, "post_fee": 2.0, "payment": 9.82 });
    loose["full_order_info"]["orders"][0]["oid"] = json!(1507387350277163963_i64);
    loose["full_order_info"]["orders"][0]["num"] = json!("2");
    assert_eq!(record_facts(&loose), record_facts(&record()));
}

#[test]
fn a_push_with_the_record_is_the_record() {
    let message = pushed(&push("trade_TradeSellerShip", &record()));
    assert_eq!((message.id.as_str(), message.kind.as_str()), ("6dc15f0b", "trade_TradeSellerShip"));
    assert!(!message.content.contains("cipher"), "{}", message.content);
    match message.says {
        Says::Fact(fact) => assert_eq!(order_facts(*fact), record_facts(&record())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_push_with_little_reaches_its_step_at_its_time() {
    for (kind, status) in [
        ("trade_TradePartlySellerShip", OrderStatus::PartlyShipped),
        ("trade_TradeSellerShip", OrderStatus::Shipped),
        ("trade_TradeSuccess", OrderStatus::Completed),
        ("trade_TradeClose", OrderStatus::Closed),
    ] {
        match pushed(&push(kind, &json!({ "tid": ORDER, "update_time": "2026-02-14 10:00:00" }))).says {
            Says::Fact(fact) => assert_eq!(order_facts(*fact).reached, [(status, china("2026-02-14T10:00:00"))].into()),
            other => panic!("{kind}: {other:?}"),
        }
    }
    let ask = Ask::Order { order_id: ORDER.to_owned() };
    let hint = Says::Hint { shop_id: SHOP.to_owned(), ask };
    // No time, or no step: ask.
    assert_eq!(pushed(&push("trade_TradeClose", &json!({ "tid": ORDER }))).says, hint);
    assert_eq!(pushed(&push("trade_TradeBuyerPay", &json!({}))).says, hint);
}

#[test]
fn a_message_about_a_case_is_a_hint_in_both_families() {
    let msg = json!({ "tid": ORDER, "refund_id": CASE, "version": 1553482678792_i64, "refunded_fee": "9.60" });
    let ask = Ask::AfterSale { order_id: Some(ORDER.to_owned()), after_sale_id: CASE.to_owned() };
    let mut newer = push("youzan_trade_RefundCreated", &msg);
    newer["msg"] = msg.clone();
    for body in [push("trade_refund_RefundSuccess", &msg), newer] {
        assert_eq!(pushed(&body).says, Says::Hint { shop_id: SHOP.to_owned(), ask: ask.clone() });
    }
}

#[test]
fn a_push_signed_in_its_message_only_is_never_a_fact() {
    let mut body = push("trade_TradeSellerShip", &record());
    body["sign"] = json!(sign(&app(), body["msg"].as_str().unwrap().as_bytes()));
    let message = only_message(receive(&body.to_string(), None).unwrap());
    let ask = Ask::Order { order_id: ORDER.to_owned() };
    assert_eq!(message.says, Says::Hint { shop_id: SHOP.to_owned(), ask });
}

#[test]
fn retries_are_alike_and_events_are_not() {
    let first = push("trade_TradeClose", &json!({ "tid": ORDER, "update_time": "2026-02-14 10:00:00" }));
    let mut again = first.clone();
    again["sendCount"] = json!(2);
    assert_eq!(pushed(&first), pushed(&again));
    let mut other = first.clone();
    other["version"] = json!(1771032601);
    assert_ne!(pushed(&first).content, pushed(&other).content);
    let other = push("trade_TradeClose", &json!({ "tid": ORDER, "update_time": "2026-02-14 10:00:01" }));
    assert_ne!(pushed(&first).content, pushed(&other).content);
}

#[test]
fn probes_are_nothing_and_unknown_kinds_are_kept() {
    let mut probe = push("trade_TradePaid", &json!({}));
    probe["test"] = json!(true);
    assert_eq!(pushed(&probe).says, Says::Nothing);
    for kind in ["trade_TradeMemoModified", "ITEM_STATE", "POINTS", "SCRM_CUSTOMER_EVENT"] {
        assert_eq!(pushed(&push(kind, &json!({}))).says, Says::Nothing, "{kind}");
    }
    let unknown = pushed(&push("hotel_Booked", &json!({ "x": 1 })));
    assert_eq!(unknown.says, Says::NotUnderstood);
    assert!(unknown.content.contains("x"), "{}", unknown.content);
    let mut broken = push("trade_TradePaid", &json!({}));
    broken["msg"] = json!("%7Bbroken");
    assert_eq!(pushed(&broken).says, Says::NotUnderstood);
    for body in ["[]", "{}", "\"x\"", "{broken"] {
        assert_eq!(receive(body, Some(&sign(&app(), body.as_bytes()))), Ok(Received::Unreadable), "{body}");
    }
}

fn case(status: &str) -> Value {
    json!({ "refund_id": CASE, "tid": ORDER, "oid": "1507387350277163963", "status": status, "refund_fee": "9.60", "demand": 2,
        "return_goods": true, "reason": 105, "refund_type": "BUYER_APPLY_REFUND", "version": 1553482678792_i64, "desc": "不想要了",
        "created": "2026-02-15 09:30:00", "modified": "2026-02-16 00:00:00", "refund_success_time": "2026-02-15 23:59:59" })
}

fn case_facts(case: &Value) -> RefundFacts {
    refund_facts(aftersale::map_record(SHOP, case).unwrap())
}

#[test]
fn a_case_maps_by_the_table_and_others_are_flagged() {
    for (word, expected) in [
        ("WAIT_SELLER_AGREE", RefundStatus::Applied),
        ("WAIT_BUYER_RETURN_GOODS", RefundStatus::Agreed),
        ("WAIT_SELLER_CONFIRM_GOODS", RefundStatus::Returning),
        ("SELLER_REFUSE_BUYER", RefundStatus::Rejected),
        ("SELLER_REFUSE_BUYER_RETURN_GOODS", RefundStatus::Rejected),
        ("CLOSED", RefundStatus::Cancelled),
        ("SUCCESS", RefundStatus::Refunded),
    ] {
        let facts = case_facts(&case(word));
        assert_eq!((facts.status(), facts.unknown_statuses.len()), (Some(expected), 0), "{word}");
        assert_eq!(facts.reached[&RefundStatus::Applied], china("2026-02-15T09:30:00"), "{word}");
    }
    let facts = case_facts(&case("SUCCESS"));
    assert_eq!(facts.reached[&RefundStatus::Refunded], china("2026-02-15T23:59:59"));
    let claim = facts.claim.unwrap().value;
    assert_eq!(
        (claim.kind, claim.amount, claim.reason_code.as_deref()),
        (RefundKind::Return, Fen::new(960), Some("105"))
    );
    assert_eq!(facts.version.unwrap().value, "1553482678792");
    let odd = case_facts(&case("ASLEEP"));
    assert!(odd.unknown_statuses.contains("ASLEEP") && odd.status() == Some(RefundStatus::Applied));
    let mut kindless = case("CLOSED");
    for (demand, kind) in [(1, RefundKind::RefundOnly), (3, RefundKind::Exchange), (9, RefundKind::Other)] {
        kindless["demand"] = json!(demand);
        assert_eq!(case_facts(&kindless).claim.unwrap().value.kind, kind);
    }
    let mut fraction = case("CLOSED");
    fraction["refund_fee"] = json!("9.605");
    assert!(aftersale::map_record(SHOP, &fraction).is_err());
    assert!(aftersale::map_record(SHOP, &json!({})).is_err());
}

#[test]
fn money_under_way_has_not_come_and_an_exchange_brings_none() {
    let mut under_way = case("SUCCESS");
    under_way["refund_fund_list"] = json!([{ "refund_fee": 960, "status": 0 }]);
    assert_eq!(case_facts(&under_way).status(), Some(RefundStatus::Agreed));
    under_way["refund_fund_list"][0]["status"] = json!(2);
    under_way["refund_account_time"] = json!("2026-02-17 08:00:00");
    assert_eq!(case_facts(&under_way).reached[&RefundStatus::Refunded], china("2026-02-17T08:00:00"));
    let mut exchange = case("SUCCESS");
    exchange["demand"] = json!(3);
    assert_eq!(case_facts(&exchange).status(), Some(RefundStatus::Agreed));
}

fn call(app: &App, ask: &Ask) -> Result<(String, Value), ApiError> {
    let token = Secret::new("t&1".to_owned());
    let shop = Shop { id: SHOP, access_token: Some(&token), refresh_token: None };
    let request = Youzan.request(app, &shop, ask, UnixMs::EPOCH)?;
    let path = request.path_and_query.strip_suffix("?access_token=t%261").unwrap().to_owned();
    Ok((path, serde_json::from_str(&request.body).unwrap()))
}

fn window(page: Option<&str>) -> Window {
    Window { since: china("2026-02-14T00:00:00"), until: china("2026-02-15T00:00:00"), page: page.map(str::to_owned) }
}

#[test]
fn questions_become_calls() {
    let ask = |ask: &Ask| call(&app(), ask).unwrap();
    let order_id = || ORDER.to_owned();
    assert_eq!(
        ask(&Ask::Order { order_id: order_id() }),
        ("/api/youzan.trade.get/4.0.2".to_owned(), json!({ "tid": ORDER }))
    );
    let case = Ask::AfterSale { order_id: None, after_sale_id: CASE.to_owned() };
    assert_eq!(ask(&case), ("/api/youzan.trade.refund.get/3.0.1".to_owned(), json!({ "refund_id": CASE })));
    let (_, params) = ask(&Ask::ChangedOrders(window(Some("3"))));
    assert_eq!(
        params,
        json!({ "start_update": "2026-02-14 00:00:00", "end_update": "2026-02-15 00:00:00", "page_no": 3, "page_size": 100 })
    );
    let (_, params) = ask(&Ask::ChangedAfterSales(window(None)));
    assert_eq!(
        params,
        json!({ "update_time_start": 1_770_998_400, "update_time_end": 1_771_084_800, "page_no": 1, "page_size": 50 })
    );
    for beyond in [Ask::ChangedOrders(window(Some("101"))), Ask::ChangedAfterSales(window(Some("61")))] {
        assert!(matches!(call(&app(), &beyond), Err(ApiError::Permanent(_))));
    }
    let shelf = Shelf { product_id: "457846930".to_owned(), sku_id: Some("36184901".to_owned()) };
    let (path, params) = ask(&Ask::SetStock { shelf, quantity: 7 });
    assert_eq!(path, "/api/youzan.item.quantity.update/3.0.0");
    assert_eq!(params, json!({ "item_id": 457846930, "sku_id": 36184901, "quantity": 7, "type": 0 }));
    assert!(matches!(call(&app(), &Ask::Messages), Err(ApiError::Permanent(_))));
}

#[test]
fn decisions_name_the_version_and_never_pay_for_goods_that_are_out() {
    let seen = |kind, status| Seen { kind, status, version: Some("1553482678792".to_owned()), ..Seen::default() };
    let (order_id, after_sale_id) = (ORDER.to_owned(), CASE.to_owned());
    let agree = |app: &App, seen| {
        call(app, &Ask::Agree { order_id: order_id.clone(), after_sale_id: after_sale_id.clone(), seen })
    };
    let base = json!({ "refund_id": CASE, "version": 1553482678792_i64 });

    let only = agree(&app(), seen(Some(RefundKind::RefundOnly), None)).unwrap();
    assert_eq!(only, ("/api/youzan.trade.refund.agree/3.0.1".to_owned(), base.clone()));
    let come = agree(&app(), seen(Some(RefundKind::Return), Some(RefundStatus::Returning))).unwrap();
    assert_eq!(come.0, "/api/youzan.trade.refund.agree/3.0.1");
    for refused in [
        Seen::default(),
        seen(None, None),
        seen(Some(RefundKind::Exchange), None),
        seen(Some(RefundKind::Return), None),
    ] {
        assert!(matches!(agree(&app(), refused), Err(ApiError::Permanent(_))));
    }
    let with_address =
        App::of([("return_name", "仓库"), ("return_phone", "13800000001"), ("return_address", "虚构路1号")]);
    let (path, params) = agree(&with_address, seen(Some(RefundKind::Return), Some(RefundStatus::Applied))).unwrap();
    assert_eq!((path.as_str(), &params["name"]), ("/api/youzan.trade.returngoods.agree/3.0.0", &json!("仓库")));

    for (status, path) in [
        (RefundStatus::Applied, "/api/youzan.trade.refund.refuse/3.0.0"),
        (RefundStatus::Returning, "/api/youzan.trade.returngoods.refuse/3.0.0"),
    ] {
        let reason = "not ours".to_owned();
        let seen = seen(Some(RefundKind::Return), Some(status));
        let (found, params) = call(
            &app(),
            &Ask::Refuse { order_id: order_id.clone(), after_sale_id: after_sale_id.clone(), reason, seen },
        )
        .unwrap();
        assert_eq!((found.as_str(), &params["remark"]), (path, &json!("not ours")));
    }
    let seen = seen(None, None);
    let confirm = Ask::ConfirmReceipt { order_id: order_id.clone(), after_sale_id: after_sale_id.clone(), seen };
    assert_eq!(call(&app(), &confirm).unwrap(), ("/api/youzan.trade.refund.agree/3.0.1".to_owned(), base));
}

#[test]
fn pages_of_changes_lead_to_their_records() {
    let rows = |count: usize| -> Vec<Value> {
        (0..count).map(|_| json!({ "full_order_info": { "order_info": { "tid": ORDER } } })).collect()
    };
    let read = |ask: &Ask, data: &Value| Youzan.read(&app(), SHOP, ask, data);
    let page = |ask: &Ask, data: &Value| changed(read(ask, data).unwrap());
    let ask = Ask::ChangedOrders(window(Some("2")));
    let (asks, next) = page(&ask, &json!({ "total_results": 250, "full_order_info_list": rows(100) }));
    assert_eq!((asks.len(), next.as_deref()), (100, Some("3")));
    let last = page(&ask, &json!({ "full_order_info_list": rows(1) }));
    assert_eq!(last, (vec![Ask::Order { order_id: ORDER.to_owned() }], None));
    let cases = json!({ "total": 1, "refunds": [{ "refund_id": CASE, "tid": ORDER }] });
    let case = Ask::AfterSale { order_id: Some(ORDER.to_owned()), after_sale_id: CASE.to_owned() };
    assert_eq!(page(&Ask::ChangedAfterSales(window(None)), &cases), (vec![case], None));
    assert!(read(&ask, &json!({})).is_err());
}

/// An order's life: pushes with and without the record, and records as fetched at several moments.
fn life() -> Vec<Fact> {
    let moment = |status: &str, update_time: &str| {
        let mut record = in_state(status);
        record["full_order_info"]["order_info"]["update_time"] = json!(update_time);
        record
    };
    let records = [
        moment("WAIT_BUYER_PAY", "2026-02-14 09:30:00"),
        moment("TRADE_PAID", "2026-02-14 09:31:00"),
        moment("WAIT_SELLER_SEND_GOODS", "2026-02-14 09:31:00"),
        record(),
        moment("TRADE_CLOSED", "2026-03-02 00:00:00"),
    ];
    let light = ["trade_TradeSellerShip", "trade_TradeSuccess", "trade_TradeClose"]
        .map(|kind| push(kind, &json!({ "tid": ORDER, "update_time": "2026-03-01 12:00:00" })));
    let pushes = records.iter().map(|record| push("trade_TradePaid", record)).chain(light);
    let pushed = pushes.map(|body| match pushed(&body).says {
        Says::Fact(fact) => *fact,
        other => panic!("{other:?}"),
    });
    let fetched = records.iter().map(|record| order::map_record(SHOP, record).unwrap());
    let cases = ["WAIT_SELLER_AGREE", "WAIT_SELLER_CONFIRM_GOODS", "SUCCESS"];
    let cases = cases.map(|status| aftersale::map_record(SHOP, &case(status)).unwrap());
    pushed.chain(fetched).chain(cases).collect()
}

static LIFE: LazyLock<Vec<Fact>> = LazyLock::new(life);

proptest! {
    /// Any order and any repetition of an order's deliveries end in the same books.
    #[test]
    fn deliveries_converge(noisy in redelivered(LIFE.clone())) {
        prop_assert_eq!(books(noisy), books(LIFE.clone()));
    }

    /// Bytes from anywhere are refused or read, and never panic.
    #[test]
    fn any_bytes_are_survived(body in ".{0,120}", msg in ".{0,60}") {
        let _ = receive(&body, Some(&sign(&app(), body.as_bytes())));
        let body = json!({ "kdt_id": 1, "type": "trade_TradePaid", "msg": msg, "sign": sign(&app(), msg.as_bytes()) });
        let _ = receive(&body.to_string(), None);
    }
}
