//! Kuaishou's pushes, records and calls. Shops, orders and buyers are invented.

use std::collections::BTreeMap;

use aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use domain::{
    Fen, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus, Secret, UnixMs,
};
use http::Method;
use platforms::Fact;
use platforms::kuaishou::{Kuaishou, sign};
use platforms::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, Message, Request, Says, Seen, Shelf, Shop, Source, VerifyError, Window,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Next, about_case, about_order, books, changed, next, only_fact, only_message, post, redelivered};

const SHOP: &str = "12342323";
const OID: i64 = 9_007_199_254_740_993; // 2^53 + 1
const CASE: i64 = 9_007_199_254_740_995;
const T0: i64 = 1_771_032_600_123; // 2026-02-14 09:30:00.123 +08:00
const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";

fn at(millis: i64) -> UnixMs {
    UnixMs::from_millis(millis).unwrap()
}

fn app() -> App {
    App::of([("app_key", "ks123"), ("app_secret", "secret"), ("sign_secret", "sign-secret"), ("message_key", KEY)])
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Kuaishou, shop_id: SHOP.to_owned(), platform_order_id: OID.to_string() }
}

fn sealed(plain: &str) -> Vec<u8> {
    let cipher = Encryptor::<Aes128>::new_from_slices(&STANDARD.decode(KEY).unwrap(), &[0; 16]).unwrap();
    let mut buffer = plain.as_bytes().to_vec();
    let length = buffer.len();
    buffer.resize(length + 16, 0);
    STANDARD.encode(cipher.encrypt_padded::<Pkcs7>(&mut buffer, length).unwrap()).into_bytes()
}

fn receive(app: &App, body: &[u8]) -> Result<Message, VerifyError> {
    Kuaishou.receive(app, &Delivery { now: at(T0), ..post("/hooks/kuaishou", body) }).map(only_message)
}

fn push(event: &str, biz_id: i64, info: &Value) -> String {
    json!({
        "eventId": "243_4027_1", "bizId": biz_id, "userId": 12_342_323, "openId": "", "appKey": "ks123",
        "event": event, "info": info.to_string(), "createTime": T0, "updateTime": T0 + 1, "test": false
    })
    .to_string()
}

#[test]
fn a_push_is_a_hint_and_never_a_fact() {
    let order = Ask::Order { order_id: OID.to_string() };
    let case = Ask::AfterSale { order_id: Some(OID.to_string()), after_sale_id: CASE.to_string() };
    for (event, biz_id, info, ask) in [
        ("kwaishop_order_addOrder", OID, json!({ "oid": OID, "sellerId": 1, "openId": "x" }), &order),
        ("kwaishop_order_paySuccess", OID, json!({ "oid": OID, "status": 30, "totalFee": 1 }), &order),
        ("kwaishop_order_orderFail", OID, json!({}), &order),
        ("kwaishop_aftersales_addRefund", CASE, json!({ "orderId": OID, "refundId": CASE, "status": 60 }), &case),
        ("kwaishop_aftersales_updateRefund", CASE, json!({ "orderId": OID.to_string() }), &case),
    ] {
        let message = receive(&app(), &sealed(&push(event, biz_id, &info))).unwrap();
        assert_eq!((message.id.as_str(), message.kind.as_str()), ("243_4027_1", event));
        assert_eq!(message.says, Says::Hint { shop_id: SHOP.to_owned(), ask: ask.clone() }, "{event}");
    }
}

#[test]
fn the_shop_may_stand_in_the_info_only() {
    let plain =
        json!({ "appKey": "ks123", "event": "kwaishop_order_delivering", "info": { "oid": OID, "sellerId": 7 } });
    let message = receive(&app(), &sealed(&plain.to_string())).unwrap();
    let ask = Ask::Order { order_id: OID.to_string() };
    assert_eq!(message.says, Says::Hint { shop_id: "7".to_owned(), ask });
}

#[test]
fn what_is_not_understood_is_kept() {
    for (event, info) in [
        ("kwaishop_item_addItem", json!({ "oid": OID }).to_string()),
        ("kwaishop_order_paySuccess", "{broken".to_owned()),
        ("kwaishop_order_paySuccess", "[1]".to_owned()),
    ] {
        let plain = json!({ "appKey": "ks123", "userId": 1, "bizId": 5, "event": event, "info": info }).to_string();
        let message = receive(&app(), &sealed(&plain)).unwrap();
        assert_eq!(message.says, Says::NotUnderstood, "{event}");
        assert!(message.content.contains(event), "{}", message.content);
    }
}

#[test]
fn retries_have_the_same_content_and_other_events_another() {
    let content = |plain: &str| receive(&app(), &sealed(plain)).unwrap().content;
    let first = push("kwaishop_order_paySuccess", OID, &json!({ "oid": OID, "status": 30 }));
    let retry = first.replace(&(T0 + 1).to_string(), &(T0 + 300_000).to_string());
    assert_ne!(first, retry);
    assert_eq!(content(&first), content(&retry));
    assert_ne!(content(&first), content(&push("kwaishop_order_paySuccess", OID, &json!({ "oid": OID, "status": 40 }))));
}

#[test]
fn the_heartbeat_means_nothing_and_names_no_app() {
    assert_eq!(receive(&app(), &sealed(r#"{"test":true}"#)).unwrap().says, Says::Nothing);
    assert_eq!(Kuaishou.acknowledgement(), r#"{"result":1}"#);
}

#[test]
fn every_failure_looks_the_same() {
    let good = push("kwaishop_order_paySuccess", OID, &json!({ "oid": OID }));
    let mut tampered = STANDARD.decode(sealed(&good)).unwrap();
    tampered[40] ^= 1;
    let mut unpadded = STANDARD.decode(sealed(&good)).unwrap();
    unpadded.pop();
    for body in [
        Vec::new(),
        good.clone().into_bytes(),
        b"%%%".to_vec(),
        STANDARD.encode(&tampered).into_bytes(),
        STANDARD.encode(&unpadded).into_bytes(),
        sealed("{broken"),
        sealed("[]"),
        sealed("{}"),
        sealed(&good.replace("ks123", "ks124")),
    ] {
        assert_eq!(receive(&app(), &body), Err(VerifyError::Mismatch("kuaishou_message_key")));
    }
    let keyless = App::of([("app_key", "ks123"), ("message_key", "")]);
    assert_eq!(receive(&keyless, &sealed(&good)), Err(VerifyError::Mismatch("kuaishou_message_key")));
}

/// The answer's data to `open.order.detail`: 2 × 50.00, 8.00 off, freight 6.00, and a gift.
fn record(status: i64, updated: i64) -> Value {
    json!({
        "orderBaseInfo": {
            "oid": OID, "status": status, "createTime": T0, "payTime": if status == 10 { 0 } else { T0 + 60_000 },
            "sendTime": if status < 40 { 0 } else { T0 + 3_600_000 }, "recvTime": if status < 50 { 0 } else { T0 + 90_000_000 },
            "updateTime": updated, "totalFee": 10_000, "discountFee": 800, "expressFee": 600, "buyerOpenId": "open-id-of-nobody",
            "buyerNick": "cipher", "carrierType": 2, "carrierId": 7_123_456_789_012_345_678_i64, "remark": "cipher", "newField": {}
        },
        "orderItemInfo": {
            "skuId": 120_987_654, "skuNick": "TEA-01", "itemId": OID + 7, "itemTitle": "Invented tea", "num": 2,
            "price": 5_000, "originalPrice": 5_500, "discountFee": 500
        },
        "orderLogisticsInfo": [{ "expressNo": "SF1234567890123", "expressCode": 4, "logisticsId": 1 }],
        "orderDeliveryInfo": { "deliveryNum": 2, "deliveryStatus": 40 },
        "orderAddress": {
            "province": "浙江省", "city": "杭州市", "district": "cipher", "encryptedMobile": "cipher", "desensitiseMobile": "1********00"
        },
        "orderCpsInfo": { "distributorId": 99, "distributorName": "Invented host" },
        "subOrderInfo": [{
            "subOrderBaseInfo": { "oid": OID + 1, "status": 40, "sendTime": 0 },
            "subOrderItemInfo": { "skuId": 1, "skuNick": "TEA-01", "itemTitle": "Invented tea", "num": 1, "price": 900 },
            "subOrderLogisticsInfo": null
        }]
    })
}

fn read(ask: &Ask, answer: &Value) -> Fact {
    only_fact(Kuaishou.read(&app(), SHOP, ask, answer).unwrap())
}

fn order_ask() -> Ask {
    Ask::Order { order_id: OID.to_string() }
}

fn case_ask() -> Ask {
    Ask::AfterSale { order_id: None, after_sale_id: CASE.to_string() }
}

fn order_facts(record: &Value) -> OrderFacts {
    about_order(read(&order_ask(), record), &key())
}

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let order = order_facts(&record(40, T0 + 3_600_001)).order(key());
    assert!(order.complete && order.flags.is_empty(), "{:?}", order.flags);
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(9_800))));
    let amounts = order.amounts.clone().unwrap();
    assert_eq!((amounts.goods, amounts.discount_merchant), (Fen::new(10_000), Fen::new(800)));
    assert_eq!((amounts.freight, amounts.payable), (Fen::new(600), Fen::new(9_800)));
    // The gift is a line of its own, of the same SKU, and free.
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 3)]));
    let (oid, gift) = (OID.to_string(), (OID + 1).to_string());
    assert_eq!(order.paid_by_line().unwrap(), [(oid.as_str(), Fen::new(9_200)), (gift.as_str(), Fen::ZERO)]);
    assert_eq!(order.lines[0].product_id.as_deref(), Some((OID + 7).to_string().as_str()));
    let identity = &order.identities[0];
    assert_eq!((identity.value.as_str(), identity.scope.as_deref()), ("open-id-of-nobody", Some("ks123")));
    let live_room = order.live_room.unwrap();
    assert_eq!(live_room.room_id.as_deref(), Some("7123456789012345678"));
    assert_eq!(live_room.author_id.as_deref(), Some("99"));
    assert_eq!(order.region.unwrap().city.as_deref(), Some("杭州市"));
    assert_eq!(order.shipments[0].carrier.as_deref(), Some("4"));
    assert_eq!((order.times.paid_at, order.times.shipped_at), (Some(at(T0 + 60_000)), Some(at(T0 + 3_600_000))));
}

#[test]
fn the_full_record_leaves_no_ciphertext_behind() {
    let kept = serde_json::to_string(&order_facts(&record(70, T0))).unwrap();
    assert!(!kept.contains("cipher") && !kept.contains("****"), "{kept}");
}

#[test]
fn the_record_itself_tells_what_its_sum_means() {
    for (total, discount, unit_price, payable) in [
        (10_000, 800, 5_000, 9_200), // before the discount
        (9_200, 800, 5_000, 9_200),  // after it
        (10_000, 0, 5_000, 10_000),
        (10_000, 1_000, 5_000, 9_000),
        (11_000, 1_000, 5_500, 10_000), // before the campaign, whose worth the discount is
    ] {
        let mut record = record(30, T0);
        record["orderBaseInfo"]["totalFee"] = json!(total);
        record["orderBaseInfo"]["discountFee"] = json!(discount);
        let facts = order_facts(&record);
        assert!(facts.flags().is_empty(), "{total} {discount}");
        let detail = facts.detail.unwrap().value;
        assert_eq!(detail.lines[0].unit_price, Fen::new(unit_price), "{total} {discount}");
        assert_eq!(detail.amounts.payable, Fen::new(payable + 600), "{total} {discount}");
    }
    let mut wrong = record(30, T0);
    wrong["orderBaseInfo"]["totalFee"] = json!(9_999);
    let facts = order_facts(&wrong);
    assert_eq!((facts.flags(), facts.paid.unwrap().value), (vec![OrderFlag::AmountsDisagree], Fen::new(10_599)));
}

#[test]
fn tax_that_the_shop_does_not_bear_is_on_top() {
    let mut taxed = record(30, T0);
    taxed["orderBaseInfo"]["orderTaxInfo"] = json!({ "taxAmount": "910", "sellerBearAmount": 10 });
    let facts = order_facts(&taxed);
    assert!(facts.flags().is_empty());
    assert_eq!(facts.detail.unwrap().value.amounts.tax, Fen::new(900));
}

#[test]
fn statuses_map_by_the_table_and_others_are_flagged() {
    for (code, delivery, expected) in [
        (10, 0, OrderStatus::Created),
        (30, 0, OrderStatus::Paid),
        (40, 10, OrderStatus::PartlyShipped),
        (40, 40, OrderStatus::Shipped),
        (50, 40, OrderStatus::Signed),
        (70, 40, OrderStatus::Completed),
    ] {
        let mut record = record(code, T0 + 100_000_000);
        record["orderDeliveryInfo"]["deliveryStatus"] = json!(delivery);
        let facts = order_facts(&record);
        assert_eq!((facts.status(), facts.flags()), (Some(expected), vec![]), "{code}");
        assert_eq!(facts.raw_status.unwrap().value, code.to_string());
    }
    let mut closed = record(10, T0 + 5);
    closed["orderBaseInfo"]["status"] = json!("80");
    assert_eq!(order_facts(&closed).reached[&OrderStatus::Closed], at(T0 + 5));
    for code in [0, 33] {
        let facts = order_facts(&record(code, T0));
        assert_eq!(facts.flags(), [OrderFlag::UnknownStatus], "{code}");
    }
    // A deposit is paid, the order is not.
    let mut deposit = record(10, T0);
    deposit["orderBaseInfo"]["payTime"] = json!(T0 + 1);
    assert_eq!((order_facts(&deposit).status(), order_facts(&deposit).paid), (Some(OrderStatus::Created), None));
}

#[test]
fn odd_records_are_refused() {
    let spoilt = [
        ("orderItemInfo", "num", json!(0)),
        ("orderItemInfo", "num", json!(-1)),
        ("orderItemInfo", "price", json!(50.005)),
        ("orderItemInfo", "price", json!(i64::MAX)),
        ("orderBaseInfo", "totalFee", json!("100.00")),
        ("orderBaseInfo", "oid", json!(1.5)),
    ];
    for (part, field, value) in spoilt {
        let mut record = record(30, T0);
        record[part][field] = value;
        assert!(Kuaishou.read(&app(), SHOP, &order_ask(), &record).is_err(), "{field}");
    }
    for answer in [json!({}), json!(null), json!([]), json!({ "orderBaseInfo": { "oid": 1, "status": 10 } })] {
        assert!(Kuaishou.read(&app(), SHOP, &order_ask(), &answer).is_err(), "{answer}");
        assert!(Kuaishou.read(&app(), SHOP, &case_ask(), &answer).is_err(), "{answer}");
    }
}

/// The answer's data to `open.seller.order.refund.detail`.
fn case(status: i64, handling_way: i64, updated: i64) -> Value {
    json!({
        "refundId": CASE, "oid": OID, "sellerId": 1, "status": status, "handlingWay": handling_way, "refundFee": 9_200,
        "refundReason": 6, "refundDesc": "cipher", "createTime": T0 + 10, "submitTime": T0 + 10, "updateTime": updated,
        "endTime": if status >= 60 { T0 + 15 } else { 0 }, "address": "cipher", "buyerOpenId": "x", "productNum": 0
    })
}

fn case_facts(case: &Value) -> RefundFacts {
    about_case(read(&case_ask(), case), &key(), &CASE.to_string())
}

#[test]
fn case_statuses_map_by_the_table_and_others_are_flagged() {
    for (code, way, expected) in [
        (10, 1, RefundStatus::Applied),
        (12, 1, RefundStatus::Rejected),
        (20, 10, RefundStatus::Applied),
        (22, 1, RefundStatus::Agreed),
        (30, 1, RefundStatus::Agreed),
        (40, 1, RefundStatus::Returning),
        (45, 3, RefundStatus::Agreed),
        (50, 10, RefundStatus::Agreed),
        (60, 10, RefundStatus::Refunded),
        (60, 1, RefundStatus::Refunded),
        (60, 3, RefundStatus::Agreed), // an exchange moves no money
        (60, 5, RefundStatus::Agreed),
        (70, 1, RefundStatus::Cancelled),
    ] {
        let facts = case_facts(&case(code, way, T0 + 20));
        assert_eq!(facts.status(), Some(expected), "{code} {way}");
    }
    let odd = case_facts(&case(33, 1, T0 + 20));
    assert_eq!((odd.status(), odd.unknown_statuses.len()), (Some(RefundStatus::Applied), 1));
}

#[test]
fn a_case_says_what_is_asked_and_when_it_ended() {
    let facts = case_facts(&case(60, 1, T0 + 20));
    assert_eq!(facts.reached[&RefundStatus::Refunded], at(T0 + 15));
    assert_eq!(facts.reached[&RefundStatus::Applied], at(T0 + 10));
    assert!(!serde_json::to_string(&facts).unwrap().contains("cipher"));
    let claim = facts.claim.unwrap().value;
    assert_eq!((claim.kind, claim.amount, claim.freight), (RefundKind::Return, Fen::new(9_200), Fen::ZERO));
    assert_eq!((claim.lines[0].line_id.clone(), claim.reason_code.as_deref()), (OID.to_string(), Some("6")));
}

fn request(ask: &Ask) -> Result<Request, ApiError> {
    let token = Secret::new("token/1".to_owned());
    Kuaishou.request(&app(), &Shop { id: SHOP, access_token: Some(&token), refresh_token: None }, ask, at(T0))
}

/// The parameters of a request, its body's too.
fn params(request: &Request) -> BTreeMap<String, String> {
    let query = request.path_and_query.split_once('?').unwrap().1;
    let pairs = [query.as_bytes(), request.body.as_bytes()].map(form_urlencoded::parse);
    pairs.into_iter().flat_map(form_urlencoded::Parse::into_owned).collect()
}

#[test]
fn a_call_carries_what_it_signed() {
    let request = request(&order_ask()).unwrap();
    assert_eq!((&request.method, request.body.as_str()), (&Method::GET, ""));
    assert!(request.path_and_query.starts_with("/open/order/detail?access_token=token%2F1&appkey=ks123&"));
    let mut params = params(&request);
    let signature = params.remove("sign").unwrap();
    assert_eq!(params["param"], r#"{"oid":9007199254740993}"#);
    assert_eq!(params["timestamp"], T0.to_string());
    let pairs: Vec<_> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sign("sign-secret", &pairs), signature);
}

#[test]
fn commands_are_the_calls_of_the_documents() {
    let moved = |by| Ask::MoveStock { shelf: Shelf { product_id: "7".to_owned(), sku_id: Some("71".to_owned()) }, by };
    let (order_id, after_sale_id) = (OID.to_string(), CASE.to_string());
    let seen = |kind, status: &str| Seen {
        kind: Some(kind),
        amount: Some(Fen::new(9_200)),
        version: Some(status.to_owned()),
        as_of: Some(at(T0 + 20)),
        ..Seen::default()
    };
    let agree =
        |kind| Ask::Agree { order_id: order_id.clone(), after_sale_id: after_sale_id.clone(), seen: seen(kind, "10") };
    let refuse = Ask::Refuse {
        order_id: order_id.clone(),
        after_sale_id: after_sale_id.clone(),
        reason: "已签收".to_owned(),
        seen: seen(RefundKind::Return, "10"),
    };
    let receipt = |seen| Ask::ConfirmReceipt { order_id: order_id.clone(), after_sale_id: after_sale_id.clone(), seen };
    for (ask, name, param) in [
        (
            agree(RefundKind::RefundOnly),
            "open.seller.order.refund.approve",
            json!({ "refundId": CASE, "refundAmount": 9_200, "status": 10 }),
        ),
        (
            agree(RefundKind::Return),
            "open.seller.order.refund.returngoods.approve",
            json!({ "refundId": CASE, "refundAmount": 9_200 }),
        ),
        (
            agree(RefundKind::Exchange),
            "open.seller.order.refund.returngoods.approve",
            json!({ "refundId": CASE, "refundAmount": 0 }),
        ),
        (
            refuse,
            "open.refund.reject",
            json!({ "refundId": CASE, "reasonCode": 100, "rejectDesc": "已签收", "refundVersion": T0 + 20 }),
        ),
        (
            receipt(seen(RefundKind::Return, "40")),
            "open.seller.order.refund.confirm.receipt",
            json!({ "refundId": CASE, "status": 40 }),
        ),
        (receipt(Seen::default()), "open.seller.order.refund.confirm.receipt", json!({ "refundId": CASE })),
        (
            moved(-3),
            "open.item.sku.stock.update",
            json!({ "kwaiItemId": 7, "skuId": 71, "skuChangeStock": 3, "changeType": 2 }),
        ),
        (
            moved(8),
            "open.item.sku.stock.update",
            json!({ "kwaiItemId": 7, "skuId": 71, "skuChangeStock": 8, "changeType": 1 }),
        ),
    ] {
        let request = request(&ask).unwrap();
        let params = params(&request);
        assert_eq!((&request.method, params["method"].as_str()), (&Method::POST, name));
        assert!(request.body.starts_with("param=%7B") && !request.path_and_query.contains("param="));
        assert_eq!(serde_json::from_str::<Value>(&params["param"]).unwrap(), param, "{name}");
    }
    for ask in [agree(RefundKind::Other), Ask::Messages, Ask::Order { order_id: "x".to_owned() }] {
        assert!(matches!(request(&ask), Err(ApiError::Permanent(_))), "{ask:?}");
    }
}

#[test]
fn changes_come_page_by_page() {
    let mut window = Window { since: at(T0), until: at(T0 + 1_800_000), page: None };
    let mut asked = Vec::new();
    for (pcursor, rows) in [("c/1", 1), ("nomore", 0)] {
        let ask = Ask::ChangedAfterSales(window.clone());
        let param: Value = serde_json::from_str(&params(&request(&ask).unwrap())["param"]).unwrap();
        assert_eq!((&param["beginTime"], &param["endTime"]), (&json!(T0), &json!(T0 + 1_800_000)));
        asked.push(param["pcursor"].clone());
        let list: Vec<_> = (0..rows).map(|_| json!({ "refundId": CASE, "oid": OID, "status": 10 })).collect();
        let answer = json!({ "refundOrderInfoList": list, "pcursor": pcursor });
        let (asks, next) = changed(Kuaishou.read(&app(), SHOP, &ask, &answer).unwrap());
        let row = Ask::AfterSale { order_id: Some(OID.to_string()), after_sale_id: CASE.to_string() };
        assert_eq!(asks, vec![row; rows]);
        window.page = next;
    }
    assert_eq!((asked, &window.page), (vec![json!(""), json!("c/1")], &None));

    let ask = Ask::ChangedOrders(window);
    let answer = json!({ "orderList": [{ "orderBaseInfo": { "oid": OID } }], "cursor": "nomore" });
    let page = Kuaishou.read(&app(), SHOP, &ask, &answer).unwrap();
    assert_eq!(page, Answer::Changed { asks: vec![order_ask()], next: None });
    assert!(params(&request(&ask).unwrap())["param"].contains(r#""queryType":2"#));
}

#[test]
fn refusals_say_what_to_do_next() {
    for (body, expected) in [
        (json!({ "result": 1, "data": {} }), Next::Done),
        (json!({ "result": 1, "code": "1", "error_msg": "SUCCESS" }), Next::Done),
        (json!({ "result": 24, "error_msg": "AUTHORIZATION_REVOKED" }), Next::GiveUp),
        (
            json!({ "result": 100_200_102, "error": "access_denied", "error_msg": "refreshToken.revokedAuthorization" }),
            Next::GiveUp,
        ),
        (json!({ "result": 100_200_102, "error": "access_denied", "error_msg": "invalid token" }), Next::Renew),
        (json!({ "result": 28, "error_msg": "TOKEN过期" }), Next::Renew),
        (json!({ "result": 28, "error_msg": "鉴权失败" }), Next::Renew),
        (json!({ "result": 100_200_500, "error": "server_error" }), Next::Retry),
        (json!({ "code": "802006", "sub_msg": "APP" }), Next::Retry),
        (json!({ "result": 3, "error_msg": "Exceed qps limit, KEY [apiId:x], MAX_QPS [300.0]" }), Next::Retry),
        (json!({ "result": 3, "error_msg": "[1017] exceed quota limit" }), Next::Retry),
        (json!({ "result": 21, "error_msg": "order operation reject" }), Next::GiveUp),
        (json!({ "result": 300_010, "error_msg": "REFUND ORDER STATUS ERROR" }), Next::GiveUp),
        (json!({}), Next::Retry),
        (json!(null), Next::Retry),
    ] {
        assert_eq!(next(Kuaishou.check(&order_ask(), body.to_string().as_bytes())), expected, "{body}");
    }
    assert_eq!(Kuaishou.check(&order_ask(), b"<html>"), Err(ApiError::unreadable()));
}

#[test]
fn tokens_are_renewed_with_the_refresh_token() {
    let token = Secret::new("r&1".to_owned());
    let shop = Shop { id: SHOP, access_token: None, refresh_token: Some(&token) };
    let request = Kuaishou.token_request(&app(), &shop, at(T0)).unwrap();
    assert_eq!(request.path_and_query, "/oauth2/refresh_token");
    assert_eq!(request.body, "grant_type=refresh_token&refresh_token=r%261&app_id=ks123&app_secret=secret");
    assert!(Kuaishou.token_request(&app(), &Shop { refresh_token: None, ..shop }, at(T0)).is_none());
    let token = Kuaishou
        .token(br#"{"result":1,"access_token":"a","refresh_token":"r2","expires_in":172800,"scopes":[]}"#, at(T0))
        .unwrap();
    assert_eq!((token.access_token.expose().as_str(), token.expires_in), ("a", 172_800));
    assert_eq!(token.refresh_token.unwrap().expose(), "r2");
    let discarded = br#"{"result":100200102,"error":"access_denied","error_msg":"refreshToken.discarded"}"#;
    assert!(matches!(Kuaishou.token(discarded, at(T0)), Err(ApiError::Permanent(_))));
}

/// Records of one order and its case as fetched at several moments of their lives.
fn records() -> Vec<Fact> {
    let orders = [(10, 0), (30, 60_000), (40, 3_600_000), (50, 90_000_000), (70, 900_000_000), (80, 900_000_001)];
    let orders = orders.map(|(status, offset)| read(&order_ask(), &record(status, T0 + offset)));
    let cases = [(10, 10), (12, 11), (10, 12), (30, 13), (40, 14), (60, 20), (33, 21)];
    let cases = cases.map(|(status, offset)| read(&case_ask(), &case(status, 1, T0 + offset)));
    orders.into_iter().chain(cases).collect()
}

proptest! {
    /// Any order and any repetition of the records end in the same books.
    #[test]
    fn records_converge(noisy in redelivered(records())) {
        prop_assert_eq!(books(noisy), books(records()));
    }

    /// Bytes from anywhere are refused or read, and never panic.
    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), info in ".{0,60}") {
        let _ = receive(&app(), &body);
        let _ = receive(&app(), STANDARD.encode(&body).as_bytes());
        let _ = receive(&app(), &sealed(&json!({ "appKey": "ks123", "event": "kwaishop_order_x", "info": info }).to_string()));
        let _ = Kuaishou.check(&order_ask(), &body);
        let _ = Kuaishou.token(&body, at(T0));
    }
}
