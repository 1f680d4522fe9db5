//! Pinduoduo's records and calls. Shops, orders and buyers are invented.

use std::collections::BTreeMap;

use domain::{
    Fen, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus, Secret, UnixMs,
};
use http::Method;
use platforms::Fact;
use platforms::marketplace::{
    Answer, Api, ApiError, App, Ask, Request, Seen, Shelf, Shop, Source, VerifyError, Window,
};
use platforms::pinduoduo::{Pinduoduo, sign};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Next, about_case, about_order, books, changed, form, next, only_fact, post, redelivered};

const SHOP: &str = "2301";
const ORDER: &str = "260214-355530178612389";
const CASE: i64 = 9_007_199_254_740_993; // 2^53 + 1

fn instant(text: &str) -> UnixMs {
    text.parse().unwrap()
}

fn app() -> App {
    App::of([("app_key", "client"), ("app_secret", "secret"), ("return_address", "77")])
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Pinduoduo, shop_id: SHOP.to_owned(), platform_order_id: ORDER.to_owned() }
}

fn order_ask() -> Ask {
    Ask::Order { order_id: ORDER.to_owned() }
}

fn case_ask() -> Ask {
    Ask::AfterSale { order_id: Some(ORDER.to_owned()), after_sale_id: CASE.to_string() }
}

/// The answer to `pdd.order.information.get`: 2 × 19.90 and 1 × 19.90 of one SKU, a gift, 5.00 off, freight and service 3.50.
fn record(order_status: i64, updated_at: &str) -> Value {
    let item = |pieces: Value| {
        json!({
            "sku_id": 1_736_548_712_345_678_901_i64, "outer_id": "TEA-01", "goods_id": 863_369_485, "goods_name": "Invented tea",
            "goods_count": pieces, "goods_price": 19.9, "goods_spec": "x", "new_field": []
        })
    };
    let gift = json!({ "sku_id": 5, "goods_name": "Invented cup", "goods_count": 1, "goods_price": "9.00" });
    let shipped = if order_status >= 2 { "2026-02-28 23:59:59" } else { "" };
    json!({ "order_info": {
        "order_sn": ORDER, "order_status": order_status, "confirm_status": 1, "refund_status": 1, "trade_type": 0,
        "created_time": "2026-02-28 23:30:00", "pay_time": "2026-02-28 23:31:00", "confirm_time": "2026-02-28 23:31:01",
        "shipping_time": shipped, "receive_time": if order_status == 3 { json!("2026-03-01 00:00:00") } else { json!(null) },
        "updated_at": updated_at,
        "goods_amount": "58.70", "order_change_amount": "1.00", "discount_amount": "4.00", "seller_discount": 1.5,
        "platform_discount": "2.50", "capital_free_discount": 0, "postage": "0.50", "pay_amount": 58.2,
        "service_fee_detail": [{ "service_name": "sf_express_fee", "service_fee": "3.00" }], "step_order_info": null,
        "province": "浙江省", "city": "杭州市", "town": "cipher", "receiver_name": "~AgAAcipher~", "receiver_phone_mask": "1********00",
        "tracking_number": if order_status >= 2 { "SF1234567890123" } else { "" }, "logistics_id": 44,
        "extra_delivery_list": null, "gift_delivery_list": [],
        "item_list": [item(json!(2)), item(json!("1"))], "gift_list": [gift]
    }, "request_id": "1" })
}

fn read(ask: &Ask, answer: &Value) -> Fact {
    only_fact(Pinduoduo.read(&app(), SHOP, ask, answer).unwrap())
}

fn order_facts(record: &Value) -> OrderFacts {
    about_order(read(&order_ask(), record), &key())
}

fn with(mut record: Value, fields: &[(&str, Value)]) -> Value {
    for (name, value) in fields {
        record["order_info"][*name] = value.clone();
    }
    record
}

const NOW: &str = "2026-03-01 00:00:01";

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let order = order_facts(&record(2, NOW)).order(key());
    assert!(order.complete && order.flags.is_empty(), "{:?}", order.flags);
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(5_820))));
    let amounts = order.amounts.clone().unwrap();
    assert_eq!((amounts.goods, amounts.freight, amounts.payable), (Fen::new(5_970), Fen::new(350), Fen::new(5_820)));
    assert_eq!((amounts.discount_merchant, amounts.discount_platform), (Fen::new(250), Fen::new(250)));
    // Two lines of one SKU count together, and the free gift too.
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 3), ("5", 1)]));
    let sku = "1736548712345678901";
    let ids: Vec<_> = order.lines.iter().map(|line| line.line_id.clone()).collect();
    assert_eq!(ids, [sku.to_owned(), format!("{sku}#2"), "gift-5".to_owned()]);
    assert_eq!(order.lines[2].unit_price, Fen::ZERO);
    let paid: Vec<_> = order.paid_by_line().unwrap().into_iter().map(|(_, paid)| paid.get()).collect();
    assert_eq!((paid.iter().sum::<i64>(), paid[2]), (5_470, 0));
    assert_eq!(order.region.unwrap().city.as_deref(), Some("杭州市"));
    assert_eq!(order.shipments[0].carrier.as_deref(), Some("44"));
    assert!(order.identities.is_empty());
    // The last second of a month in China is still the afternoon before in UTC.
    assert_eq!(order.times.shipped_at, Some(instant("2026-02-28T15:59:59Z")));
    assert_eq!(order.times.created_at, Some(instant("2026-02-28T15:30:00Z")));
}

#[test]
fn the_full_record_leaves_no_ciphertext_behind() {
    let kept = serde_json::to_string(&order_facts(&record(3, NOW))).unwrap();
    assert!(!kept.contains("cipher") && !kept.contains("****"), "{kept}");
}

#[test]
fn statuses_map_by_the_table_and_others_are_flagged() {
    let unpaid = ("pay_time", json!(""));
    for (record, expected) in [
        (record(1, NOW), Some(OrderStatus::Paid)),
        (record(2, NOW), Some(OrderStatus::Shipped)),
        (record(3, NOW), Some(OrderStatus::Completed)),
        (with(record(3, NOW), &[("receive_time", json!(""))]), Some(OrderStatus::Signed)),
        (with(record(1, NOW), &[("confirm_status", json!(2))]), Some(OrderStatus::Closed)),
        (with(record(1, NOW), &[("refund_status", json!(4))]), Some(OrderStatus::Closed)),
        // Refunded after shipping may be a part of it only.
        (with(record(2, NOW), &[("refund_status", json!(4))]), Some(OrderStatus::Shipped)),
        // The group is not full: paid, and not yet to be shipped.
        (with(record(1, NOW), &[("confirm_status", json!(0))]), Some(OrderStatus::Paid)),
        (with(record(0, NOW), &[("confirm_status", json!(0)), unpaid.clone()]), Some(OrderStatus::Created)),
        // Only the deposit is paid.
        (with(record(1, NOW), &[("step_order_info", json!({ "step_trade_status": 1 }))]), Some(OrderStatus::Created)),
        (with(record(1, NOW), &[("step_order_info", json!({ "step_trade_status": 2 }))]), Some(OrderStatus::Paid)),
    ] {
        let facts = order_facts(&record);
        assert_eq!((facts.status(), facts.flags()), (expected, vec![]), "{record}");
    }
    let odd = order_facts(&record(9, NOW));
    assert_eq!((odd.flags(), odd.raw_status.unwrap().value.as_str()), (vec![OrderFlag::UnknownStatus], "9"));
}

#[test]
fn times_turn_at_midnight_in_china() {
    let facts = order_facts(&record(3, NOW));
    assert_eq!(facts.reached[&OrderStatus::Completed], instant("2026-02-28T16:00:00Z"));
    assert_eq!(facts.raw_status.unwrap().at, instant("2026-02-28T16:00:01Z"));
}

#[test]
fn odd_records_are_flagged_or_refused_and_never_mended() {
    let wrong_sum = with(record(2, NOW), &[("pay_amount", json!("58.21"))]);
    assert_eq!(order_facts(&wrong_sum).flags(), [OrderFlag::AmountsDisagree]);
    for (field, value) in [
        ("pay_amount", json!("58.205")),
        ("pay_amount", json!(58.205)),
        ("pay_amount", json!(null)),
        ("postage", json!(0.001)),
        ("order_status", json!(1.5)),
        ("item_list", json!(null)),
        ("item_list", json!([{ "sku_id": 1, "goods_count": 0, "goods_price": "1" }])),
        ("item_list", json!([{ "sku_id": 1, "goods_count": 1, "goods_price": "92233720368547758.08" }])),
    ] {
        let record = with(record(2, NOW), &[(field, value)]);
        assert!(Pinduoduo.read(&app(), SHOP, &order_ask(), &record).is_err(), "{field}");
    }
    let timeless = with(record(2, NOW), &[("updated_at", json!("")), ("created_time", json!("0000-00-00 00:00:00"))]);
    assert!(Pinduoduo.read(&app(), SHOP, &order_ask(), &timeless).is_err());
    for answer in [json!({}), json!(null), json!([])] {
        for ask in [order_ask(), case_ask()] {
            assert!(Pinduoduo.read(&app(), SHOP, &ask, &answer).is_err(), "{answer}");
        }
    }
}

/// The answer to `pdd.refund.information.get`, which stands bare.
fn case(status: i64, kind: i64, updated_time: &str) -> Value {
    json!({
        "id": CASE, "order_sn": ORDER, "after_sales_status": status, "after_sales_type": kind, "shipping_status": 1,
        "refund_amount": 1990, "order_amount": 5820, "goods_number": 3, "sku_id": "1736548712345678901", "express_no": "",
        "part_after_sales_type": 1, "part_after_sales_value": 1, "recreated_at": 1_772_294_400_123_i64,
        "updated_time": updated_time, "remark": "cipher", "exchange_shipping_detail": { "merchant_exchange_detail_phone": "cipher" }
    })
}

fn case_facts(case: &Value) -> RefundFacts {
    about_case(read(&case_ask(), case), &key(), &CASE.to_string())
}

#[test]
fn case_statuses_map_by_the_table_and_others_are_flagged() {
    for (codes, expected) in [
        (&[2, 3, 8, 14, 21, 32][..], RefundStatus::Applied),
        (&[4, 5, 7, 15, 16, 18, 22, 25, 27, 31], RefundStatus::Agreed),
        (&[6], RefundStatus::Rejected),
        (&[10], RefundStatus::Refunded),
        (&[9, 11, 12, 13, 17, 24], RefundStatus::Cancelled),
    ] {
        for &code in codes {
            let facts = case_facts(&case(code, 2, "2026-03-01 08:00:00"));
            assert_eq!((facts.status(), facts.unknown_statuses.is_empty()), (Some(expected), true), "{code}");
        }
    }
    for code in [0, 33, 99] {
        let facts = case_facts(&case(code, 2, "2026-03-01 08:00:00"));
        assert!(facts.unknown_statuses.contains(&code.to_string()), "{code}");
    }
    let mut returning = case(7, 2, "2026-03-01 08:00:00");
    returning["express_no"] = json!("YT1234567890123");
    assert_eq!(case_facts(&returning).status(), Some(RefundStatus::Returning));
}

#[test]
fn a_case_says_what_is_asked() {
    let facts = case_facts(&case(3, 2, "2026-03-01 08:00:00"));
    assert_eq!(facts.reached[&RefundStatus::Applied].millis(), 1_772_294_400_123);
    assert!(!serde_json::to_string(&facts).unwrap().contains("cipher"));
    let claim = facts.claim.unwrap();
    assert_eq!(claim.at, instant("2026-03-01T00:00:00Z"));
    let claim = claim.value;
    assert_eq!((claim.kind, claim.amount), (RefundKind::Return, Fen::new(1_990)));
    assert_eq!((claim.lines[0].line_id.as_str(), claim.lines[0].quantity), ("1736548712345678901", Some(1)));
    // Pieces mean something for returns only.
    let kept = case_facts(&case(2, 1, "2026-03-01 08:00:00")).claim.unwrap().value;
    assert_eq!(kept.lines[0].quantity, None);
    let kind = |case: &Value| case_facts(case).claim.unwrap().value.kind;
    let mut unshipped = case(2, 1, "2026-03-01 08:00:00");
    assert_eq!(kind(&unshipped), RefundKind::RefundOnly);
    unshipped["shipping_status"] = json!(0);
    assert_eq!(kind(&unshipped), RefundKind::Unshipped);
    assert_eq!(kind(&case(14, 3, "2026-03-01 08:00:00")), RefundKind::Exchange);
    // Yuan would be text, or have decimals: never a hundredth of it by mistake.
    for amount in [json!("19.90"), json!(19.9)] {
        let mut odd = case(3, 2, "2026-03-01 08:00:00");
        odd["refund_amount"] = amount;
        assert!(Pinduoduo.read(&app(), SHOP, &case_ask(), &odd).is_err());
    }
}

fn request(ask: &Ask) -> Result<Request, ApiError> {
    let token = Secret::new("token/1".to_owned());
    let shop = Shop { id: SHOP, access_token: Some(&token), refresh_token: None };
    Pinduoduo.request(&app(), &shop, ask, instant("2026-02-14T01:30:00.999Z"))
}

#[test]
fn a_call_carries_what_it_signed() {
    let request = request(&order_ask()).unwrap();
    assert_eq!((&request.method, request.path_and_query.as_str()), (&Method::POST, "/api/router"));
    let mut params = form(&request.body);
    let signature = params.remove("sign").unwrap();
    assert_eq!(params["type"], "pdd.order.information.get");
    assert_eq!((params["order_sn"].as_str(), params["timestamp"].as_str()), (ORDER, "1771032600"));
    assert_eq!((params["access_token"].as_str(), params["client_id"].as_str()), ("token/1", "client"));
    let pairs: Vec<_> = params.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    assert_eq!(sign("secret", &pairs), signature);
}

#[test]
fn commands_are_the_calls_of_the_documents() {
    let (order_id, after_sale_id) = (ORDER.to_owned(), CASE.to_string());
    let seen = |kind| Seen { kind: Some(kind), as_of: Some(instant("2026-03-01T00:00:00Z")), ..Seen::default() };
    let agree =
        |kind| Ask::Agree { order_id: order_id.clone(), after_sale_id: after_sale_id.clone(), seen: seen(kind) };
    let receipt = Ask::ConfirmReceipt {
        order_id: order_id.clone(),
        after_sale_id: after_sale_id.clone(),
        seen: seen(RefundKind::Return),
    };
    let record = case(3, 2, "2026-03-01 08:00:00").to_string();
    let money = json!({ "after_sales_id": CASE, "order_sn": ORDER });
    let back = json!({ "after_sales_id": CASE, "order_sn": ORDER, "return_address_id": "77", "operate_desc": "" });
    for (ask, name, expected) in [
        (agree(RefundKind::RefundOnly), "pdd.refund.agree", &money),
        (agree(RefundKind::Unshipped), "pdd.refund.agree", &money),
        (agree(RefundKind::Return), "pdd.refund.returngoods.agree", &back),
        (receipt, "pdd.refund.agree", &money),
    ] {
        // First the record: it must be the one that was decided on.
        let first = form(&request(&ask).unwrap().body);
        assert_eq!((first["type"].as_str(), first["order_sn"].as_str()), ("pdd.refund.information.get", ORDER));
        let answer = Pinduoduo.check(&ask, record.as_bytes()).unwrap();
        let further = match Pinduoduo.read(&app(), SHOP, &ask, &answer).unwrap() {
            Answer::Changed { mut asks, next: None } if asks.len() == 1 => asks.remove(0),
            other => panic!("{other:?}"),
        };
        let second = form(&request(&further).unwrap().body);
        assert_eq!(second["type"], name);
        assert_eq!(&serde_json::from_str::<Value>(&second["request"]).unwrap(), expected, "{name}");
        let done = Pinduoduo.check(&further, br#"{"response":{"result":{"succ":true}}}"#).unwrap();
        assert_eq!(Pinduoduo.read(&app(), SHOP, &further, &done), Ok(Answer::Done));
        let changed = case(3, 2, "2026-03-01 08:00:01").to_string();
        assert!(matches!(Pinduoduo.check(&ask, changed.as_bytes()), Err(ApiError::Permanent(_))), "{ask:?}");
    }
    let unseen = Ask::Agree {
        order_id: order_id.clone(),
        after_sale_id: after_sale_id.clone(),
        seen: Seen { kind: Some(RefundKind::RefundOnly), ..Seen::default() },
    };
    assert!(matches!(Pinduoduo.check(&unseen, record.as_bytes()), Err(ApiError::Permanent(_))));
    let stock = |sku_id: Option<&str>| Ask::SetStock {
        shelf: Shelf { product_id: "863369485".to_owned(), sku_id: sku_id.map(str::to_owned) },
        quantity: 12,
    };
    let found = form(&request(&stock(Some("42"))).unwrap().body);
    assert_eq!(
        ["type", "goods_id", "sku_id", "quantity", "update_type"].map(|name| found[name].as_str()),
        ["pdd.goods.quantity.update", "863369485", "42", "12", "1"]
    );
    let (order_id, after_sale_id) = (order_id.clone(), after_sale_id.clone());
    let refuse = Ask::Refuse { order_id, after_sale_id, reason: String::new(), seen: Seen::default() };
    let orphan = Ask::AfterSale { order_id: None, after_sale_id: "1".to_owned() };
    for ask in [refuse, agree(RefundKind::Exchange), stock(None), orphan, Ask::Messages] {
        assert!(matches!(request(&ask), Err(ApiError::Permanent(_))), "{ask:?}");
    }
    let homeless = App::of([("app_key", "client"), ("app_secret", "secret")]);
    let shop = Shop { id: SHOP, access_token: None, refresh_token: None };
    let error = Pinduoduo.request(&homeless, &shop, &agree(RefundKind::Return), UnixMs::EPOCH).unwrap_err();
    assert!(error.to_string().contains("pinduoduo_return_address"), "{error}");
}

#[test]
fn changes_come_from_the_last_page_to_the_first() {
    let since = instant("2026-02-14T01:00:00Z");
    let until = instant("2026-02-14T01:30:00Z");
    assert_eq!(Pinduoduo.longest_window_ms(), until.millis() - since.millis(), "what the platform takes at most");
    let mut window = Window { since, until, page: None };
    let mut asked = Vec::new();
    for total in [250, 250, 250, 249] {
        let ask = Ask::ChangedOrders(window.clone());
        let params = form(&request(&ask).unwrap().body);
        let times = ["start_updated_at", "end_updated_at"].map(|name| params[name].parse::<i64>().unwrap());
        assert_eq!(times, [since.seconds(), until.seconds()]);
        asked.push(params["page"].clone());
        let answer = json!({ "order_sn_list": [{ "order_sn": ORDER }], "total_count": total });
        let (asks, next) = changed(Pinduoduo.read(&app(), SHOP, &ask, &answer).unwrap());
        assert_eq!(asks, [order_ask()]);
        window.page = next;
    }
    assert_eq!((asked, window.page), (["1", "3", "2", "1"].map(str::to_owned).to_vec(), None));

    let ask = Ask::ChangedAfterSales(Window { since, until: since, page: None });
    assert_eq!(form(&request(&ask).unwrap().body)["type"], "pdd.refund.list.increment.get");
    let answer =
        json!({ "refund_list": [{ "id": CASE, "order_sn": ORDER, "refund_amount": "19.90" }], "total_count": "1" });
    let page = Pinduoduo.read(&app(), SHOP, &ask, &answer).unwrap();
    assert_eq!(page, Answer::Changed { asks: vec![case_ask()], next: None });
    let empty = Pinduoduo.read(&app(), SHOP, &ask, &json!({ "refund_list": null, "total_count": 0 })).unwrap();
    assert_eq!(empty, Answer::Changed { asks: vec![], next: None });
}

#[test]
fn answers_are_unwrapped_and_refusals_say_what_to_do_next() {
    let check = |body: &str| Pinduoduo.check(&order_ask(), body.as_bytes());
    assert_eq!(check(r#"{"order_info_get_response":{"order_info":{"x":1}}}"#), Ok(json!({ "order_info": { "x": 1 } })));
    assert_eq!(
        check(r#"{"id":1,"exchange_shipping_detail":{}}"#),
        Ok(json!({ "id": 1, "exchange_shipping_detail": {} }))
    );
    assert!(check(r#"{"response":{"result":{"succ":true,"message":"ok"}}}"#).is_ok());
    for (code, expected) in [
        ("10019", Next::Renew),
        ("20032", Next::Renew),
        ("50000", Next::Retry),
        ("52101", Next::Retry),
        ("70031", Next::Retry),
        ("70033", Next::Retry),
        ("50001", Next::GiveUp),
        ("20004", Next::GiveUp),
        ("20031", Next::GiveUp),
        ("70034", Next::GiveUp),
        ("99999", Next::GiveUp),
    ] {
        let body = format!(
            r#"{{"error_response":{{"error_code":{code},"error_msg":"m","sub_msg":"","sub_code":null,"request_id":"1"}}}}"#
        );
        assert_eq!(next(check(&body)), expected, "{code}");
    }
    for (body, expected) in [
        (r#"{"response":{"result":{"succ":false,"message":"售后单状态已变更"}}}"#, Next::GiveUp),
        (r#"{"response":{"success":false,"error_msg":"m"}}"#, Next::GiveUp),
        (r#"{"goods_quantity_update_response":{"is_success":false}}"#, Next::GiveUp),
        (r#"{"error_response":{}}"#, Next::Retry),
        ("<html>", Next::Retry),
        ("[]", Next::Retry),
        ("", Next::Retry),
    ] {
        assert_eq!(next(check(body)), expected, "{body}");
    }
    let error = check(r#"{"response":{"success":false,"error_code":7,"error_msg":"售后单状态已变更"}}"#).unwrap_err();
    assert_eq!(error.to_string(), "refused for good: code 7 it was not done");
}

#[test]
fn tokens_are_renewed_with_the_refresh_token() {
    let token = Secret::new("r1".to_owned());
    let shop = Shop { id: SHOP, access_token: None, refresh_token: Some(&token) };
    let request = Pinduoduo.token_request(&app(), &shop, UnixMs::EPOCH).unwrap();
    let params = form(&request.body);
    assert_eq!((params["type"].as_str(), params["refresh_token"].as_str()), ("pdd.pop.auth.token.refresh", "r1"));
    assert!(!params.contains_key("access_token"));
    assert!(Pinduoduo.token_request(&app(), &Shop { refresh_token: None, ..shop }, UnixMs::EPOCH).is_none());
    let token = Pinduoduo
        .token(
            br#"{"pop_auth_token_refresh_response":{"access_token":"a","refresh_token":"r2","expires_in":"86400"}}"#,
            UnixMs::EPOCH,
        )
        .unwrap();
    assert_eq!((token.access_token.expose().as_str(), token.expires_in), ("a", 86_400));
    assert_eq!(token.refresh_token.unwrap().expose(), "r2");
    let expired = br#"{"error_response":{"error_code":10019,"error_msg":"m"}}"#;
    assert!(matches!(Pinduoduo.token(expired, UnixMs::EPOCH), Err(ApiError::Permanent(_))));
}

#[test]
fn nothing_is_taken_that_claims_to_be_a_push() {
    assert_eq!(Pinduoduo.receive(&app(), &post("/hooks/pinduoduo", b"{}")), Err(VerifyError::NoPushes));
}

/// Records of one order and its case as fetched at several moments of their lives.
fn records() -> Vec<Fact> {
    let orders =
        [(1, "2026-02-28 23:31:01"), (2, "2026-02-28 23:59:59"), (9, NOW), (3, NOW), (2, "2026-03-02 10:00:00")];
    let orders = orders.map(|(status, updated_at)| read(&order_ask(), &record(status, updated_at)));
    let cases = [(3, "08"), (6, "09"), (3, "10"), (7, "11"), (4, "12"), (10, "13"), (33, "14")];
    let cases = cases.map(|(status, hour)| read(&case_ask(), &case(status, 2, &format!("2026-03-01 {hour}:00:00"))));
    orders.into_iter().chain(cases).collect()
}

proptest! {
    /// Any order and any repetition of the records end in the same books.
    #[test]
    fn records_converge(noisy in redelivered(records())) {
        prop_assert_eq!(books(noisy), books(records()));
    }

    /// Answers from anywhere are refused or read, and never panic.
    #[test]
    fn any_answer_is_survived(body in prop::collection::vec(any::<u8>(), 0..200), total in any::<i64>(), page in ".{0,8}") {
        let _ = Pinduoduo.check(&order_ask(), &body);
        let _ = Pinduoduo.token(&body, UnixMs::EPOCH);
        let window = Window { since: UnixMs::EPOCH, until: UnixMs::EPOCH, page: Some(page) };
        let answer = json!({ "total_count": total });
        let _ = Pinduoduo.read(&app(), SHOP, &Ask::ChangedOrders(window), &answer);
    }
}
