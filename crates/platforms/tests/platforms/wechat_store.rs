//! WeChat Store's pushes and records to facts, and our requests to it. Stores, orders and buyers are invented.

use std::collections::BTreeMap;

use domain::{
    Fen, IdentityKind, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus,
    Secret, UnixMs,
};
use http::Method;
use platforms::Fact;
use platforms::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, MapError, Message, Received, Request, Says, Seen, Shelf, Shop, Source,
    VerifyError, Window,
};
use platforms::wechat::crypto::{Key, signature};
use platforms::wechat_store::{WechatStore, aftersale, message, order};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Next, about_case, about_order, books, next, post, redelivered};

const STORE: &str = "wx0123456789abcdef";
const TOKEN: &str = "invented";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const ORDER: &str = "3705115058471208928";
const CASE: &str = "2000000000012345678";
const T0: i64 = 1_771_032_600; // 2026-02-14 09:30:00 +08:00

fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(seconds).unwrap()
}

fn app() -> App {
    App::of([
        ("app_key", STORE),
        ("app_secret", "secret"),
        ("message_token", TOKEN),
        ("message_key", KEY),
        ("return_address_id", "77"),
        ("refusal_reason", "5"),
    ])
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::WechatStore, shop_id: STORE.to_owned(), platform_order_id: ORDER.to_owned() }
}

/// An event as it is before it is enciphered: ids are bare numbers beyond 2^53.
fn event(kind: &str, second: i64, fields: &str) -> String {
    let head = r#""ToUserName":"gh_invented","FromUserName":"openid-of-a-giver","MsgType":"event""#;
    format!(r#"{{{head},"CreateTime":{second},"Event":"{kind}",{fields}}}"#)
}

fn order_event(kind: &str, second: i64, fields: &str) -> String {
    event(kind, second, &format!(r#""order_info":{{"order_id":{ORDER}{fields}}}"#))
}

fn case_event(status: &str, second: i64) -> String {
    let fields = format!(r#"{{"status":"{status}","after_sale_order_id":"{CASE}","order_id":{ORDER}}}"#);
    event("channels_ec_aftersale_update", second, &format!(r#""finder_shop_aftersale_status_update":{fields}"#))
}

fn deliver(app: &App, method: &Method, query: &str, body: &str, now: i64) -> Result<Received, VerifyError> {
    let posted = post("/hooks/wechat_store", body.as_bytes());
    WechatStore.receive(app, &Delivery { method, query, now: at(now), ..posted })
}

/// What the platform would send: query and body.
fn sealed(text: &str, receive_id: &str) -> (String, String) {
    let encrypted = Key::parse(KEY).unwrap().seal([7; 16], text, receive_id).unwrap();
    let timestamp = T0.to_string();
    let signed = signature(&[TOKEN, &timestamp, "n", &encrypted]);
    let query = format!("encrypt_type=aes&msg_signature={signed}&signature=x&timestamp={T0}&nonce=n");
    (query, json!({ "ToUserName": "gh_invented", "Encrypt": encrypted }).to_string())
}

fn fact(text: String) -> Fact {
    let message: Message = message(STORE, text);
    match message.says {
        Says::Fact(fact) => *fact,
        other => panic!("{other:?}: {}", message.content),
    }
}

fn order_facts(fact: Fact) -> OrderFacts {
    about_order(fact, &key())
}

fn refund_facts(fact: Fact) -> RefundFacts {
    about_case(fact, &key(), CASE)
}

#[test]
fn a_sealed_push_is_opened_and_anything_else_is_refused() {
    let text = order_event("channels_ec_order_cancel", T0, r#","cancel_type":1"#);
    let (query, body) = sealed(&text, STORE);
    let post = |query: &str, body: &str, now| deliver(&app(), &Method::POST, query, body, now);
    let Received::Messages(messages) = post(&query, &body, T0 + 14_000).unwrap() else { panic!("no messages") };
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!((message.kind.as_str(), message.content.as_str()), ("channels_ec_order_cancel", text.as_str()));
    let Says::Fact(fact) = message.says.clone() else { panic!("no fact") };
    assert_eq!(order_facts(*fact).status(), Some(OrderStatus::Closed));
    // The same in XML, under other random bytes: the same message.
    let value: Value = serde_json::from_str(&body).unwrap();
    let xml = format!("<xml><Encrypt><![CDATA[{}]]></Encrypt></xml>", value["Encrypt"].as_str().unwrap());
    assert_eq!(post(&query, &xml, T0), Ok(Received::Messages(messages.clone())));

    let refused = |found: Result<Received, VerifyError>| matches!(found, Err(VerifyError::Mismatch(_)));
    assert!(refused(post(&query.replace("nonce=n", "nonce=m"), &body, T0)));
    assert!(refused(post(&query, &body.replace("\"Encrypt\":\"", "\"Encrypt\":\"A"), T0)));
    let (other_query, other_body) = sealed(&text, "wx-another-store");
    assert!(refused(post(&other_query, &other_body, T0)));
    assert_eq!(post(&query, &body, T0 + 14_401), Err(VerifyError::Stale(240)));
    assert_eq!(post(&query, &text, T0), Err(VerifyError::MissingParameter("Encrypt")));
    let unsigned = query.replace("msg_signature", "m");
    assert_eq!(post(&unsigned, &body, T0), Err(VerifyError::MissingParameter("msg_signature")));
    // Authentic and not understood: kept.
    let (query, body) = sealed("no message", STORE);
    let Ok(Received::Messages(kept)) = post(&query, &body, T0) else { panic!("not kept") };
    assert_eq!((&kept[0].says, kept[0].content.as_str()), (&Says::NotUnderstood, "no message"));
}

#[test]
fn the_address_is_tried_out() {
    let (timestamp, echo) = (T0.to_string(), "4857093420");
    let signed = signature(&[TOKEN, &timestamp, "n"]);
    let query = format!("signature={signed}&timestamp={T0}&nonce=n&echostr={echo}");
    assert_eq!(deliver(&app(), &Method::GET, &query, "", T0), Ok(Received::Echo(echo.to_owned())));
    let other = query.replace("nonce=n", "nonce=m");
    assert!(matches!(deliver(&app(), &Method::GET, &other, "", T0), Err(VerifyError::Mismatch(_))));
}

#[test]
fn each_order_event_reaches_its_step_at_its_time() {
    for (kind, fields, status, time) in [
        ("channels_ec_order_new", String::new(), OrderStatus::Created, T0 + 9),
        ("channels_ec_order_pay", format!(r#","pay_time":{T0}"#), OrderStatus::Paid, T0),
        ("channels_ec_order_pay", String::new(), OrderStatus::Paid, T0 + 9),
        ("channels_ec_order_deliver", r#","finish_delivery":0"#.to_owned(), OrderStatus::PartlyShipped, T0 + 9),
        ("channels_ec_order_deliver", r#","finish_delivery":1"#.to_owned(), OrderStatus::Shipped, T0 + 9),
        ("channels_ec_order_confirm", r#","confirm_type":1"#.to_owned(), OrderStatus::Completed, T0 + 9),
        ("channels_ec_order_cancel", r#","cancel_type":3"#.to_owned(), OrderStatus::Closed, T0 + 9),
    ] {
        let facts = order_facts(fact(order_event(kind, T0 + 9, &fields)));
        assert_eq!((facts.status(), facts.reached[&status]), (Some(status), at(time)), "{kind}");
        assert!(facts.identities.is_empty(), "an event does not say whom the order belongs to");
    }
}

#[test]
fn xml_reads_as_json_does() {
    let xml = format!(
        "<xml><ToUserName><![CDATA[gh]]></ToUserName><CreateTime>{T0}</CreateTime><MsgType><![CDATA[event]]></MsgType>\
         <Event><![CDATA[channels_ec_order_deliver]]></Event>\
         <order_info><order_id>{ORDER}</order_id><finish_delivery>1</finish_delivery></order_info></xml>"
    );
    let json = order_event("channels_ec_order_deliver", T0, r#","finish_delivery":1"#);
    assert_eq!(fact(xml), fact(json));
}

#[test]
fn other_events_are_hints_nothing_or_kept() {
    let says = |text: String| message(STORE, text).says;
    let hint = Says::Hint { shop_id: STORE.to_owned(), ask: Ask::Order { order_id: ORDER.to_owned() } };
    assert_eq!(says(order_event("channels_ec_order_wait_shipping", T0, "")), hint);
    assert_eq!(says(order_event("channels_ec_order_ext_info_update", T0, r#","type":1"#)), hint);
    for kind in ["channels_ec_order_settle", "product_spu_audit", "channels_ec_coupon_receive", "channels_ec_brand"] {
        assert_eq!(says(order_event(kind, T0, "")), Says::Nothing, "{kind}");
    }
    for text in [
        order_event("channels_ec_order_of_next_year", T0, ""),
        order_event("channels_ec_order_deliver", T0, r#","finish_delivery":2"#),
        order_event("channels_ec_order_deliver", T0, ""),
        event("channels_ec_order_pay", T0, r#""order_info":{}"#),
        event("channels_ec_order_pay", 0, &format!(r#""order_info":{{"order_id":{ORDER}}}"#)),
        order_event("channels_ec_order_pay", T0, r#","pay_time":1.5"#),
        "{\"Event\":".to_owned(),
        String::new(),
    ] {
        assert_eq!(says(text.clone()), Says::NotUnderstood, "{text}");
        assert_eq!(message(STORE, text.clone()).content, text);
    }
}

#[test]
fn after_sale_statuses_map_by_the_table_and_others_are_flagged() {
    for (words, status) in [
        (
            "MERCHANT_PROCESSING USER_WAIT_CONFIRM USER_WAIT_CONFIRM_UPDATE USER_WAIT_HANDLE_MERCHANT_AFTER_SALE",
            RefundStatus::Applied,
        ),
        (
            "USER_WAIT_RETURN WAIT_PACKAGE_INTERCEPT MERCHANT_OVERDUE_REFUND PLATFORM_REFUNDING PLATFORM_REFUND_FAIL",
            RefundStatus::Agreed,
        ),
        ("USER_WAIT_RECEIPT MERCHANT_EXCHANGE_SUCCESS", RefundStatus::Agreed),
        ("MERCHANT_WAIT_RECEIPT", RefundStatus::Returning),
        (
            "MERCHANT_REJECT_REFUND MERCHANT_REJECT_RETURN MERCHANT_REJECT_EXCHANGE MERCHANT_REJECT_RESHIP",
            RefundStatus::Rejected,
        ),
        ("USER_CANCELD RETURN_CLOSED MERCHANT_FAIL MERCHANT_REFUND_RETRY_FAIL", RefundStatus::Cancelled),
        ("MERCHANT_REFUND_SUCCESS MERCHANT_RETURN_SUCCESS", RefundStatus::Refunded),
    ] {
        for word in words.split(' ') {
            let facts = refund_facts(fact(case_event(word, T0)));
            assert_eq!((facts.status(), facts.unknown_statuses.len()), (Some(status), 0), "{word}");
            assert_eq!(facts.raw_status.unwrap().value, word);
        }
    }
    let odd = refund_facts(fact(case_event("OF_NEXT_YEAR", T0)));
    assert_eq!(odd.status(), None);
    assert!(odd.refund(key(), CASE.to_owned()).unknown_status);
}

/// The answer to order/get: two lines of one SKU (2 × 50.00 and a gift beside it) and 1 × 30.01, discounts 10.00, freight 6.00.
fn record() -> Value {
    let line = |sku_id: u64, unique: &str, pieces: i64, price: i64, real: i64| {
        json!({
            "product_id": 10000123456789012_u64, "sku_id": sku_id, "product_unique_id": unique, "sku_cnt": pieces,
            "title": "Invented tea", "sale_price": price, "real_price": real, "sku_code": "TEA-01", "out_sku_id": "", "new": []
        })
    };
    json!({ "errcode": 0, "errmsg": "ok", "order": {
        "order_id": ORDER, "status": 30, "create_time": T0, "update_time": T0 + 3601, "openid": "openid-of-a-buyer", "unionid": "u-1",
        "order_detail": {
            "product_infos": [line(9_007_199_254_740_993, "p1", 2, 5000, 9300), line(9_007_199_254_740_993, "p2", 1, 0, 0), line(42, "p3", 1, 3001, 2701)],
            "price_info": {
                "product_price": 13001, "order_price": 12601, "freight": 600, "original_order_price": 13601,
                "discounted_price": 500, "merchant_discounted_price": 500, "finder_discounted_price": 200,
                "cash_coupon_discounted_price": 300, "merchant_receieve_price": 13101
            },
            "pay_info": { "pay_time": T0 + 60, "payment_method": 1, "transaction_id": "4200" },
            "delivery_info": {
                "address_info": { "user_name": "clear name", "tel_number": "clear phone", "detail_info": "clear street", "province_name": "浙江省", "city_name": "杭州市" },
                "delivery_product_info": [{ "waybill_id": "SF1234567890123", "delivery_id": "SF", "delivery_time": T0 + 3600 }],
                "ship_done_time": T0 + 3600, "deliver_method": 0
            },
            "ext_info": { "customer_notes": "clear notes", "finder_id": "sph-1", "live_id": "export/live-1", "order_scene": 2, "confirm_receipt_time": 0 },
            "source_infos": [
                { "account_type": 5, "account_id": "talent-1", "account_nickname": "Invented host", "content_type": "" },
                { "account_type": 4, "account_id": "ww1", "content_type": 1, "content_id": "zhangsan" }
            ]
        }
    }})
}

fn detail_facts(record: &Value) -> OrderFacts {
    order_facts(order::map(STORE, STORE, record).unwrap())
}

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let order = detail_facts(&record()).order(key());
    assert!(order.complete && order.flags.is_empty(), "{:?}", order.flags);
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(12601))));
    let amounts = order.amounts.clone().unwrap();
    assert_eq!((amounts.goods, amounts.freight, amounts.payable), (Fen::new(13001), Fen::new(600), Fen::new(12601)));
    // The promoter's 2.00 count as the merchant's.
    assert_eq!((amounts.discount_merchant, amounts.discount_platform), (Fen::new(700), Fen::new(300)));
    let lines: Vec<_> = order.lines.iter().map(|line| (line.line_id.as_str(), line.discount.get())).collect();
    assert_eq!(lines, [("9007199254740993", 700), ("p2", 0), ("42", 300)]);
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 4)]));
    assert_eq!(order.lines[0].product_id.as_deref(), Some("10000123456789012"));
    let identities: Vec<_> =
        order.identities.iter().map(|id| (id.kind, id.scope.as_deref(), id.value.as_str())).collect();
    assert_eq!(
        identities,
        [(IdentityKind::WechatUnionId, None, "u-1"), (IdentityKind::WechatOpenId, Some(STORE), "openid-of-a-buyer"),]
    );
    let room = order.live_room.unwrap();
    assert_eq!((room.room_id.as_deref(), room.author_id.as_deref()), (Some("export/live-1"), Some("talent-1")));
    assert_eq!(order.guide.unwrap().code, "zhangsan");
    assert_eq!(order.region.unwrap().city.as_deref(), Some("杭州市"));
    assert_eq!((order.times.paid_at, order.times.shipped_at), (Some(at(T0 + 60)), Some(at(T0 + 3600))));
    assert_eq!(order.shipments[0].carrier.as_deref(), Some("SF"));
}

#[test]
fn the_full_record_leaves_no_personal_data_behind() {
    assert!(!serde_json::to_string(&detail_facts(&record())).unwrap().contains("clear"));
}

#[test]
fn order_statuses_map_by_the_table_and_others_are_flagged() {
    for (code, status) in [
        (10, OrderStatus::Created),
        (12, OrderStatus::Created),
        (13, OrderStatus::Created),
        (20, OrderStatus::Paid),
        (21, OrderStatus::PartlyShipped),
        (30, OrderStatus::Shipped),
        (100, OrderStatus::Completed),
        (200, OrderStatus::Closed),
        (250, OrderStatus::Closed),
    ] {
        let mut record = record();
        record["order"]["status"] = json!(code);
        record["order"]["order_detail"]["pay_info"] = Value::Null;
        record["order"]["order_detail"]["delivery_info"] = Value::Null;
        let facts = detail_facts(&record);
        assert_eq!((facts.status(), facts.flags()), (Some(status), vec![]), "{code}");
        assert_eq!(facts.raw_status.as_ref().unwrap().value, code.to_string());
        assert_eq!(facts.paid.is_some(), [20, 100].contains(&code), "{code}");
    }
    let mut odd = record();
    odd["order"]["status"] = json!(77);
    assert_eq!(detail_facts(&odd).flags(), [OrderFlag::UnknownStatus]);
    // A gift that waits to be accepted is paid if it says when.
    odd["order"]["status"] = json!(12);
    odd["order"]["order_detail"]["delivery_info"] = Value::Null;
    assert_eq!(detail_facts(&odd).status(), Some(OrderStatus::Paid));
}

#[test]
fn used_first_and_paid_later_is_not_paid() {
    let mut record = record();
    record["order"]["status"] = json!(20);
    record["order"]["order_detail"]["delivery_info"] = Value::Null;
    record["order"]["order_detail"]["pay_info"] = json!({ "payment_method": 2, "pay_time": 0 });
    let facts = detail_facts(&record);
    assert_eq!((facts.status(), facts.paid), (Some(OrderStatus::Created), None));
}

#[test]
fn receipt_is_both_signed_and_completed() {
    let mut record = record();
    record["order"]["status"] = json!(100);
    record["order"]["order_detail"]["ext_info"]["confirm_receipt_time"] = json!(T0 + 90_000);
    let facts = detail_facts(&record);
    assert_eq!(facts.reached[&OrderStatus::Signed], at(T0 + 90_000));
    assert_eq!(facts.reached[&OrderStatus::Completed], at(T0 + 90_000));
}

#[test]
fn bills_balance_with_few_and_with_many_fields() {
    let price = |fields: Value| {
        let mut record = record();
        record["order"]["order_detail"]["price_info"] = fields;
        let facts = detail_facts(&record);
        let bill = facts.detail.clone().unwrap().value.amounts;
        (facts.flags(), [bill.discount_merchant, bill.discount_platform, bill.freight].map(Fen::get))
    };
    // Older records name no totals but these: all is the merchant's.
    let few = json!({ "product_price": 13001, "order_price": "12601", "freight": 600 });
    assert_eq!(price(few), (vec![], [1000, 0, 600]));
    // The merchant sends it for nothing after all.
    let free = json!({ "product_price": 13001, "order_price": 12001, "freight": 600, "original_order_price": 13601,
        "change_down_price": 600, "is_change_freight": true, "change_freight": 0, "discounted_price": 1000, "merchant_receieve_price": 12001 });
    assert_eq!(price(free), (vec![], [1000, 0, 0]));
    // Nothing but totals that do not fit each other or the lines is flagged.
    for (field, value) in [("product_price", 13000), ("original_order_price", 13600)] {
        let mut odd =
            json!({ "product_price": 13001, "order_price": 12601, "freight": 600, "original_order_price": 13601 });
        odd[field] = json!(value);
        assert_eq!(price(odd).0, [OrderFlag::AmountsDisagree], "{field}");
    }
}

#[test]
fn odd_records_are_refused_and_never_mended() {
    for (field, value) in
        [("sku_cnt", json!(0)), ("sku_cnt", json!(-1)), ("sale_price", json!(50.005)), ("sale_price", json!("50.00"))]
    {
        let mut record = record();
        record["order"]["order_detail"]["product_infos"][0][field] = value;
        assert!(order::map(STORE, STORE, &record).is_err(), "{field}");
    }
    for record in [json!({}), json!([]), json!({ "order": { "order_id": 1, "status": 10 } })] {
        assert!(matches!(order::map(STORE, STORE, &record), Err(MapError::Malformed(_))));
    }
}

/// The answer to getaftersaleorder.
fn case(status: &str, kind: &str, second: i64) -> Value {
    json!({ "errcode": 0, "after_sale_order": {
        "after_sale_order_id": CASE, "order_id": ORDER, "status": status, "type": kind, "openid": "openid-of-a-buyer",
        "create_time": T0 + 10, "update_time": second, "reason": "10000021", "reason_text": "clear words",
        "product_info": { "product_id": "1", "sku_id": 9_007_199_254_740_993_u64, "count": 2 },
        "refund_info": { "amount": 9300, "refund_reason": 1 }, "return_info": { "waybill_id": "YT1" }
    }})
}

fn case_facts(case: &Value) -> RefundFacts {
    refund_facts(aftersale::map(STORE, case).unwrap())
}

#[test]
fn a_case_says_what_is_asked() {
    let facts = case_facts(&case("MERCHANT_RETURN_SUCCESS", "RETURN", T0 + 20));
    assert_eq!((facts.status(), facts.reached[&RefundStatus::Applied]), (Some(RefundStatus::Refunded), at(T0 + 10)));
    assert!(!serde_json::to_string(&facts).unwrap().contains("clear"));
    let claim = facts.claim.unwrap().value;
    assert_eq!((claim.kind, claim.amount, claim.freight), (RefundKind::Return, Fen::new(9300), Fen::ZERO));
    assert_eq!((claim.lines[0].line_id.as_str(), claim.lines[0].quantity), ("9007199254740993", Some(2)));
    assert_eq!(claim.reason_code.as_deref(), Some("10000021"));
    let kind = |kind: &str, reason: i64| {
        let mut case = case("MERCHANT_PROCESSING", kind, T0 + 20);
        case["after_sale_order"]["refund_info"]["refund_reason"] = json!(reason);
        case_facts(&case).claim.unwrap().value.kind
    };
    assert_eq!(
        [kind("REFUND", 1), kind("REFUND", 4), kind("REFUND", 8)],
        [RefundKind::RefundOnly, RefundKind::Unshipped, RefundKind::Unshipped]
    );
    assert_eq!([kind("EXCHANGE", 0), kind("OTHER", 0)], [RefundKind::Exchange, RefundKind::Other]);
}

#[test]
fn an_exchange_moves_no_money_and_a_refund_without_a_sum_claims_none() {
    for (kind, claimed) in [("EXCHANGE", Some(Fen::ZERO)), ("REFUND", None)] {
        let mut case = case("MERCHANT_PROCESSING", kind, T0 + 20);
        case["after_sale_order"]["refund_info"] = Value::Null;
        assert_eq!(case_facts(&case).claim.map(|claim| claim.value.amount), claimed);
    }
    let mut negative = case("MERCHANT_PROCESSING", "REFUND", T0);
    negative["after_sale_order"]["refund_info"]["amount"] = json!(-1);
    assert!(aftersale::map(STORE, &negative).is_err());
}

fn ask(ask: &Ask) -> Result<Request, ApiError> {
    let token = Secret::new("a b".to_owned());
    let shop = Shop { id: STORE, access_token: Some(&token), refresh_token: None };
    WechatStore.request(&app(), &shop, ask, at(T0))
}

fn window(hours: i64, page: Option<&str>) -> Window {
    let until = at(T0 + hours * 3600).try_add_millis(1).unwrap();
    Window { since: at(T0), until, page: page.map(str::to_owned) }
}

#[test]
fn each_question_and_command_has_its_call() {
    let (order_id, after_sale_id) = (ORDER.to_owned(), CASE.to_owned());
    let seen = |kind| Seen { kind: Some(kind), ..Seen::default() };
    let agree = |kind| Ask::Agree { order_id: ORDER.to_owned(), after_sale_id: CASE.to_owned(), seen: seen(kind) };
    let come_back = json!({ "after_sale_order_id": CASE, "accept_type": 1, "address_id": "77" });
    let pay_back = json!({ "after_sale_order_id": CASE, "accept_type": 2 });
    let shelf = Shelf { product_id: "1".to_owned(), sku_id: Some("2".to_owned()) };
    for (asked, path, body) in [
        (Ask::Order { order_id: order_id.clone() }, "order/get", json!({ "order_id": ORDER })),
        (
            Ask::AfterSale { order_id: None, after_sale_id: after_sale_id.clone() },
            "aftersale/getaftersaleorder",
            json!({ "after_sale_order_id": CASE }),
        ),
        (
            Ask::ChangedOrders(window(1, None)),
            "order/list/get",
            json!({ "update_time_range": { "start_time": T0, "end_time": T0 + 3601 }, "page_size": 50 }),
        ),
        (
            Ask::ChangedAfterSales(window(1, Some("key"))),
            "aftersale/getaftersalelist",
            json!({ "begin_update_time": T0, "end_update_time": T0 + 3601, "next_key": "key" }),
        ),
        (agree(RefundKind::Return), "aftersale/acceptapply", come_back.clone()),
        (agree(RefundKind::Exchange), "aftersale/acceptapply", come_back),
        (agree(RefundKind::RefundOnly), "aftersale/acceptapply", pay_back.clone()),
        (agree(RefundKind::Unshipped), "aftersale/acceptapply", pay_back.clone()),
        (
            Ask::ConfirmReceipt {
                order_id: order_id.clone(),
                after_sale_id: after_sale_id.clone(),
                seen: seen(RefundKind::Return),
            },
            "aftersale/acceptapply",
            pay_back,
        ),
        (
            Ask::Refuse { order_id, after_sale_id, reason: "invented".to_owned(), seen: Seen::default() },
            "aftersale/rejectapply",
            json!({ "after_sale_order_id": CASE, "reject_reason": "invented", "reject_reason_type": 5 }),
        ),
        (
            Ask::SetStock { shelf, quantity: 7 },
            "product/stock/update",
            json!({ "product_id": "1", "sku_id": "2", "diff_type": 3, "num": 7 }),
        ),
    ] {
        let request = ask(&asked).unwrap();
        assert_eq!(request.path_and_query, format!("/channels/ec/{path}?access_token=a+b"));
        assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), body, "{path}");
    }
    assert!(matches!(ask(&Ask::Messages), Err(ApiError::Permanent(_))));
    assert!(matches!(ask(&agree(RefundKind::Other)), Err(ApiError::Permanent(_))));
    for kind in [None, Some(RefundKind::RefundOnly), Some(RefundKind::Exchange)] {
        let (order_id, after_sale_id) = (ORDER.to_owned(), CASE.to_owned());
        let receipt = Ask::ConfirmReceipt { order_id, after_sale_id, seen: Seen { kind, ..Seen::default() } };
        assert!(matches!(ask(&receipt), Err(ApiError::Permanent(_))), "{kind:?}: money must not go back by mistake");
    }
    let nameless = Shelf { product_id: "1".to_owned(), sku_id: None };
    assert!(matches!(ask(&Ask::SetStock { shelf: nameless, quantity: 1 }), Err(ApiError::Permanent(_))));
}

#[test]
fn lists_are_read_page_by_page() {
    let read = |asked: &Ask, answer: Value| WechatStore.read(&app(), STORE, asked, &answer);
    let asked = Ask::ChangedOrders(window(1, None));
    let answer = json!({ "errcode": 0, "order_id_list": [ORDER, 7], "next_key": "k y", "has_more": true });
    let asks = [ORDER, "7"].map(|order_id| Ask::Order { order_id: order_id.to_owned() }).to_vec();
    assert_eq!(read(&asked, answer), Ok(Answer::Changed { asks, next: Some("k y".to_owned()) }));
    let end = json!({ "errcode": 0, "order_id_list": null, "next_key": "x", "has_more": false });
    let rest = Ask::ChangedOrders(window(1, Some("k y")));
    assert_eq!(read(&rest, end), Ok(Answer::Changed { asks: vec![], next: None }));
    assert!(read(&asked, json!({ "has_more": true })).is_err(), "more, and no way to it");
    let cases = json!({ "after_sale_order_id_list": [CASE], "has_more": false });
    let found = Ask::AfterSale { order_id: None, after_sale_id: CASE.to_owned() };
    let asked = Ask::ChangedAfterSales(window(1, None));
    assert_eq!(read(&asked, cases), Ok(Answer::Changed { asks: vec![found], next: None }));
}

#[test]
fn refusals_say_what_to_do_next() {
    let check = |body: &str| WechatStore.check(&Ask::Order { order_id: String::new() }, body.as_bytes());
    for (code, expected) in [
        (-1, Next::Retry),
        (45009, Next::Retry),
        (45011, Next::Retry),
        (10_021_059, Next::Retry),
        (40001, Next::Renew),
        (42001, Next::Renew),
        (40014, Next::Renew),
        (40164, Next::GiveUp),
        (48001, Next::GiveUp),
        (10_020_001, Next::GiveUp),
    ] {
        let body = json!({ "errcode": code, "errmsg": "invented" }).to_string();
        assert_eq!(next(check(&body)), expected, "{code}");
        assert_eq!(next(WechatStore.token(body.as_bytes(), at(T0))), expected, "{code}");
    }
    for body in ["", "<html>502</html>", "[]", "{}", "{\"errcode\":0"] {
        assert_eq!(next(check(body)), Next::Retry, "{body}");
    }
    assert!(check(r#"{"errcode":0,"errmsg":"ok"}"#).is_ok());
}

#[test]
fn the_token_is_the_apps_own() {
    let shop = Shop { id: STORE, access_token: None, refresh_token: None };
    let request = WechatStore.token_request(&app(), &shop, at(T0)).unwrap();
    assert_eq!(request.path_and_query, "/cgi-bin/stable_token");
    let body = json!({ "grant_type": "client_credential", "appid": STORE, "secret": "secret", "force_refresh": false });
    assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), body);
    let token = WechatStore.token(br#"{"access_token":"t","expires_in":7200}"#, at(T0)).unwrap();
    assert_eq!((token.access_token.expose().as_str(), token.expires_in), ("t", 7200));
}

/// The life of one order: every kind of event, and the records as fetched in between.
fn life() -> Vec<Fact> {
    let events = [
        order_event("channels_ec_order_new", T0, ""),
        order_event("channels_ec_order_pay", T0 + 61, &format!(r#","pay_time":{}"#, T0 + 60)),
        order_event("channels_ec_order_deliver", T0 + 3000, r#","finish_delivery":0"#),
        order_event("channels_ec_order_deliver", T0 + 3600, r#","finish_delivery":1"#),
        order_event("channels_ec_order_confirm", T0 + 90_000, r#","confirm_type":1"#),
        order_event("channels_ec_order_cancel", T0 + 99_000, r#","cancel_type":3"#),
        case_event("MERCHANT_PROCESSING", T0 + 10),
        case_event("MERCHANT_REJECT_RETURN", T0 + 12),
        case_event("MERCHANT_WAIT_RECEIPT", T0 + 14),
        case_event("MERCHANT_RETURN_SUCCESS", T0 + 21),
    ];
    let records =
        [(10, T0), (20, T0 + 60), (30, T0 + 3601), (100, T0 + 90_000), (200, T0 + 99_000)].map(|(status, second)| {
            let mut record = record();
            record["order"]["status"] = json!(status);
            record["order"]["update_time"] = json!(second);
            order::map(STORE, STORE, &record).unwrap()
        });
    let cases = [("MERCHANT_PROCESSING", T0 + 10), ("MERCHANT_RETURN_SUCCESS", T0 + 20)]
        .map(|(status, second)| aftersale::map(STORE, &case(status, "RETURN", second)).unwrap());
    events.map(fact).into_iter().chain(records).chain(cases).collect()
}

proptest! {
    /// Any order and any repetition of an order's deliveries end in the same books.
    #[test]
    fn deliveries_converge(noisy in redelivered(life())) {
        prop_assert_eq!(books(noisy), books(life()));
    }

    /// Text from anywhere is read or kept, and never panics; bytes from anywhere are refused.
    #[test]
    fn anything_is_survived(text in ".{0,80}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        let kept = message(STORE, text.clone());
        prop_assert_eq!(kept.content, text);
        let body = String::from_utf8_lossy(&body);
        let query = format!("msg_signature=x&timestamp={T0}&nonce=n");
        prop_assert!(deliver(&app(), &Method::POST, &query, &body, T0).is_err());
    }
}
