//! Doudian's messages and records to facts. Shops, orders and buyers are invented.

use std::collections::BTreeMap;

use domain::{
    Fen, OrderFacts, OrderFlag, OrderKey, OrderStatus, Platform, RefundFacts, RefundKind, RefundStatus, UnixMs,
};
use platforms::Fact;
use platforms::doudian::{self, Mapped, Push, aftersale, order};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{about_case, about_order, books, redelivered};

const ORDER: &str = "4837328765348566675";
const CASE: &str = "7029183651234567890";
const T0: i64 = 1_771_032_600; // 2026-02-14 09:30:00 +08:00

fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(seconds).unwrap()
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Douyin, shop_id: "4463798".to_owned(), platform_order_id: ORDER.to_owned() }
}

/// A message as pushed: `data` is JSON text, ids are bare numbers beyond 2^53.
fn message(tag: &str, msg_id: &str, fields: &str) -> Push {
    let data = format!(r#"{{"p_id":{ORDER},"s_ids":[{ORDER}],"shop_id":4463798,{fields}}}"#);
    let body = json!([{ "tag": tag, "msg_id": msg_id, "data": data }]).to_string();
    let mut pushes = doudian::decode(body.as_bytes()).unwrap();
    assert_eq!(pushes.len(), 1);
    pushes.remove(0)
}

fn fact(push: &Push) -> Fact {
    match doudian::map(push).unwrap() {
        Mapped::Fact(fact) => *fact,
        other => panic!("{other:?}"),
    }
}

fn order_facts(push: &Push) -> OrderFacts {
    about_order(fact(push), &key())
}

fn refund_facts(push: &Push) -> RefundFacts {
    about_case(fact(push), &key(), CASE)
}

fn created() -> Push {
    message("100", "1", &format!(r#""order_status":1,"order_type":0,"biz":2,"create_time":{T0}"#))
}

fn paid() -> Push {
    message("101", "2", &format!(r#""order_status":2,"pay_type":1,"pay_amount":12601,"pay_time":{}"#, T0 + 60))
}

fn shipped() -> Push {
    let parcel = r#""logistics_msg":{"express_company_id":12,"logistics_code":"SF1234567890123"}"#;
    let receiver = r#""receiver_msg":{"addr":{"province":{"name":"浙江省"}},"name":"$$cipher$$","tel":"$$cipher$$"}"#;
    message("102", "3", &format!(r#""order_status":3,{parcel},{receiver},"update_time":{}"#, T0 + 3600))
}

fn finished() -> Push {
    message("103", "4", &format!(r#""order_status":5,"complete_time":{}"#, T0 + 900_000))
}

fn cancelled() -> Push {
    message("106", "5", &format!(r#""order_status":4,"cancel_reason":"invented","cancel_time":{}"#, T0 + 30))
}

fn after_sale(tag: &str, msg_id: &str, status: i64, time: &str, offset: i64) -> Push {
    let fields = format!(
        r#""s_id":{ORDER},"aftersale_id":7029183651234567890,"aftersale_status":{status},"aftersale_type":0,
           "refund_amount":9600,"refund_post_amount":600,"reason_code":6,"{time}":{}"#,
        T0 + offset
    );
    message(tag, msg_id, &fields)
}

#[test]
fn numbers_text_and_objects_read_alike() {
    let loose = format!(
        r#"[{{"tag":101,"msg_id":7,"data":{{"p_id":"{ORDER}","shop_id":"4463798","pay_type":"1","pay_amount":"12601","pay_time":"{}","order_status":"2","new_field":[]}}}}]"#,
        T0 + 60
    );
    let pushes = doudian::decode(loose.as_bytes()).unwrap();
    assert_eq!((pushes[0].tag.as_str(), pushes[0].msg_id.as_str()), ("101", "7"));
    assert_eq!(order_facts(&pushes[0]), order_facts(&paid()));
}

#[test]
fn the_probe_is_a_probe_and_unknown_kinds_are_kept() {
    let body = br#"[{"tag":"0","msg_id":"0","data":"2020-09-10T16:27:56.52842897+08:00"},{"tag":"999","msg_id":"1","data":"{}"}]"#;
    let pushes = doudian::decode(body).unwrap();
    assert_eq!(doudian::map(&pushes[0]), Ok(Mapped::Probe));
    assert_eq!(doudian::map(&pushes[1]), Ok(Mapped::Unknown));
    assert_eq!(pushes[1].data, json!("{}"));
}

#[test]
fn one_bad_message_does_not_spoil_the_others() {
    let good = json!({ "p_id": ORDER, "shop_id": 4463798, "create_time": T0 });
    let body =
        json!([{ "tag": "100", "msg_id": "1", "data": "{broken" }, { "tag": "100", "msg_id": "2", "data": good }]);
    let pushes = doudian::decode(body.to_string().as_bytes()).unwrap();
    let error = doudian::map(&pushes[0]).unwrap_err();
    assert!(error.to_string().contains("message 100"), "{error}");
    assert_eq!(order_facts(&pushes[1]).status(), Some(OrderStatus::Created));

    let timeless = message("101", "3", r#""pay_type":1"#);
    assert!(doudian::map(&timeless).unwrap_err().to_string().contains("a time is missing"));
    let fraction = message("101", "4", &format!(r#""pay_amount":19.905,"pay_time":{T0}"#));
    assert!(doudian::map(&fraction).is_err());
    for body in ["", "{}", "[1]", r#"[{"msg_id":"1"}]"#, r#"[{"tag":"100","msg_id":"1"}"#] {
        assert!(doudian::decode(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn each_order_message_reaches_its_step_at_its_time() {
    for (push, status, time) in [
        (created(), OrderStatus::Created, T0),
        (paid(), OrderStatus::Paid, T0 + 60),
        (shipped(), OrderStatus::Shipped, T0 + 3600),
        (finished(), OrderStatus::Completed, T0 + 900_000),
        (cancelled(), OrderStatus::Closed, T0 + 30),
    ] {
        let facts = order_facts(&push);
        assert_eq!(facts.status(), Some(status));
        assert_eq!(facts.reached[&status], at(time));
        assert!(facts.unknown_statuses.is_empty());
    }
    assert_eq!(order_facts(&paid()).paid.unwrap().value, Fen::new(12601));
}

#[test]
fn a_push_leaves_no_trace_of_the_receiver() {
    let facts = order_facts(&shipped());
    assert_eq!(facts.shipments["SF1234567890123"].carrier.as_deref(), Some("12"));
    let kept = serde_json::to_string(&facts).unwrap();
    assert!(!kept.contains("cipher") && !kept.contains("浙江"), "{kept}");
}

#[test]
fn cash_on_delivery_is_confirmed_and_not_paid() {
    let confirmed =
        message("101", "2", &format!(r#""order_status":2,"pay_type":0,"pay_amount":12601,"pay_time":{T0}"#));
    let facts = order_facts(&confirmed);
    assert_eq!((facts.status(), facts.paid), (Some(OrderStatus::Created), None));
    let mut record = record();
    record["shop_order_detail"]["pay_type"] = json!(0);
    record["shop_order_detail"]["order_status"] = json!(2);
    record["shop_order_detail"]["main_status"] = json!(2);
    let facts = detail_facts(&record);
    assert_eq!((facts.status(), facts.paid), (Some(OrderStatus::Created), None));
}

#[test]
fn statuses_map_by_the_table_and_others_are_flagged() {
    let status = |code: i64| order_facts(&message("105", "9", &format!(r#""order_status":{code},"update_time":{T0}"#)));
    for (code, expected) in [
        (1, Some(OrderStatus::Created)),
        (103, Some(OrderStatus::Created)),
        (105, Some(OrderStatus::Paid)),
        (101, Some(OrderStatus::PartlyShipped)),
        (3, Some(OrderStatus::Shipped)),
        (4, Some(OrderStatus::Closed)),
        (5, Some(OrderStatus::Completed)),
        (2, None), // preparing: whether it is paid is said elsewhere
    ] {
        let facts = status(code);
        assert_eq!(facts.status(), expected, "{code}");
        assert_eq!(facts.raw_status.as_ref().unwrap().value, code.to_string());
        assert!(facts.flags().is_empty(), "{code}");
    }
    let odd = status(777);
    assert_eq!((odd.status(), odd.flags()), (None, vec![OrderFlag::UnknownStatus]));
}

#[test]
fn each_after_sale_message_reaches_its_step_at_its_time() {
    for (tag, code, time, status) in [
        ("200", 6, "apply_time", RefundStatus::Applied),
        ("201", 12, "agree_time", RefundStatus::Agreed),
        ("202", 7, "agree_time", RefundStatus::Agreed),
        ("203", 11, "return_time", RefundStatus::Returning),
        ("204", 29, "refuse_time", RefundStatus::Rejected),
        ("205", 27, "refuse_time", RefundStatus::Rejected),
        ("206", 12, "success_time", RefundStatus::Refunded),
        ("207", 28, "close_time", RefundStatus::Cancelled),
        ("208", 7, "update_time", RefundStatus::Agreed),
    ] {
        let facts = refund_facts(&after_sale(tag, "1", code, time, 5));
        assert_eq!(facts.status(), Some(status), "{tag}");
        assert_eq!(facts.reached[&status], at(T0 + 5), "{tag}");
    }
    let facts = refund_facts(&after_sale("208", "1", 777, "update_time", 5));
    assert_eq!(facts.status(), None);
    assert!(facts.refund(key(), "x".to_owned()).unknown_status);
}

#[test]
fn an_after_sale_message_says_what_is_asked() {
    let claim = refund_facts(&after_sale("200", "1", 6, "apply_time", 0)).claim.unwrap().value;
    assert_eq!((claim.kind, claim.amount, claim.freight), (RefundKind::Return, Fen::new(9600), Fen::new(600)));
    assert_eq!((claim.lines[0].line_id.as_str(), claim.lines[0].amount), (ORDER, Fen::new(9000)));
    assert_eq!(claim.reason_code.as_deref(), Some("6"));
}

/// The answer's data to `order.orderDetail`: two lines of one SKU, 2 × 50.00 and 1 × 30.01, discounts 10.00, freight 6.00.
fn record() -> Value {
    let line = |order_id: &str, pieces: i64, price: i64, promotion: i64| {
        json!({
            "order_id": order_id, "parent_order_id": ORDER, "code": "TEA-01", "out_sku_id": "0", "sku_id": 1736548712345678901_i64,
            "product_id": 3473196049974326153_i64, "product_name": "Invented tea", "item_num": pieces,
            "origin_amount": price, "promotion_amount": promotion, "room_id": 7123456789012345678_i64,
            "author_id": 99, "author_name": "Invented host", "logistics_receipt_time": 0, "some_new_field": {}
        })
    };
    json!({ "shop_order_detail": {
        "order_id": ORDER, "shop_id": 4463798, "order_status": 3, "main_status": 3, "pay_type": 1,
        "create_time": T0, "pay_time": T0 + 60, "ship_time": T0 + 3600, "finish_time": 0, "update_time": T0 + 3601,
        "doudian_open_id": "1@#invented==", "encrypt_post_tel": "$$cipher$$", "encrypt_post_receiver": "##cipher##",
        "post_addr": { "province": { "name": "浙江省", "id": "33" }, "city": { "name": "杭州市" }, "encrypt_detail": "cipher" },
        "order_amount": 13601, "pay_amount": 12601, "post_amount": 600, "promotion_amount": 1000,
        "promotion_shop_amount": 500, "promotion_talent_amount": 200, "promotion_platform_amount": 300,
        "logistics_info": [{ "tracking_no": "SF1234567890123", "company": "shunfeng", "ship_time": T0 + 3600 }],
        "sku_order_list": [line(ORDER, 2, 5000, 1000), line("4837328765348566676", 1, 3001, 0)]
    }})
}

fn detail_facts(record: &Value) -> OrderFacts {
    about_order(order::map_detail("app-key", record).unwrap(), &key())
}

#[test]
fn the_full_record_becomes_the_canonical_order() {
    let order = detail_facts(&record()).order(key());
    assert!(order.complete && order.flags.is_empty(), "{:?}", order.flags);
    assert_eq!((order.status, order.paid), (OrderStatus::Shipped, Some(Fen::new(12601))));
    let amounts = order.amounts.clone().unwrap();
    assert_eq!((amounts.goods, amounts.payable), (Fen::new(13001), Fen::new(12601)));
    assert_eq!((amounts.discount_merchant, amounts.discount_platform), (Fen::new(700), Fen::new(300)));
    assert_eq!(order.paid_by_line().unwrap(), [(ORDER, Fen::new(9000)), ("4837328765348566676", Fen::new(3001))]);
    assert_eq!(domain::demand(&order.lines), BTreeMap::from([("TEA-01", 3)]));
    assert_eq!(order.lines[0].product_id.as_deref(), Some("3473196049974326153"));
    let identity = &order.identities[0];
    assert_eq!((identity.value.as_str(), identity.scope.as_deref()), ("1@#invented==", Some("app-key")));
    assert_eq!(order.live_room.unwrap().room_id.as_deref(), Some("7123456789012345678"));
    assert_eq!(order.region.unwrap().city.as_deref(), Some("杭州市"));
    assert_eq!(order.times.paid_at, Some(at(T0 + 60)));
    assert_eq!(order.times.shipped_at, Some(at(T0 + 3600)));
}

#[test]
fn the_full_record_leaves_no_ciphertext_behind() {
    assert!(!serde_json::to_string(&detail_facts(&record())).unwrap().contains("cipher"));
}

#[test]
fn received_means_every_line() {
    let mut record = record();
    let lines = record["shop_order_detail"]["sku_order_list"].as_array_mut().unwrap();
    lines[0]["logistics_receipt_time"] = json!(T0 + 90_000);
    assert_eq!(detail_facts(&record).status(), Some(OrderStatus::Shipped));
    record["shop_order_detail"]["sku_order_list"][1]["confirm_receipt_time"] = json!(T0 + 80_000);
    let facts = detail_facts(&record);
    assert_eq!((facts.status(), facts.reached[&OrderStatus::Signed]), (Some(OrderStatus::Signed), at(T0 + 90_000)));
}

#[test]
fn a_refund_of_the_whole_closes_the_order() {
    let mut record = record();
    record["shop_order_detail"]["main_status"] = json!(22);
    assert_eq!(detail_facts(&record).status(), Some(OrderStatus::Closed));
}

#[test]
fn odd_records_are_flagged_or_refused_and_never_mended() {
    let mut wrong_sum = record();
    wrong_sum["shop_order_detail"]["pay_amount"] = json!(12600);
    assert_eq!(detail_facts(&wrong_sum).flags(), [OrderFlag::AmountsDisagree]);

    let spoilt = [
        ("item_num", json!(0)),
        ("item_num", json!(-1)),
        ("origin_amount", json!(50.005)),
        ("origin_amount", json!("50.00")),
    ];
    for (field, value) in spoilt {
        let mut record = record();
        record["shop_order_detail"]["sku_order_list"][0][field] = value;
        assert!(order::map_detail("app-key", &record).is_err(), "{field}");
    }
    assert!(order::map_detail("app-key", &json!({})).is_err());
}

/// The answer's data to `afterSale.Detail`.
fn case(status: i64, refund_status: i64) -> Value {
    json!({
        "process_info": { "after_sale_info": {
            "after_sale_id": 7029183651234567890_i64, "after_sale_status": status, "after_sale_type": 0, "refund_status": refund_status,
            "refund_total_amount": 9600, "refund_post_amount": 600, "after_sale_apply_count": 2, "reason_code": 6,
            "apply_time": T0 + 10, "update_time": T0 + 20, "refund_time": T0 + 15, "post_receiver": "cipher"
        }},
        "order_info": { "shop_order_id": ORDER, "sku_order_infos": [{ "sku_order_id": ORDER }] }
    })
}

fn case_facts(case: &Value) -> RefundFacts {
    about_case(aftersale::map_detail("4463798", case).unwrap(), &key(), CASE)
}

#[test]
fn money_has_moved_when_the_refund_status_says_so() {
    assert_eq!(case_facts(&case(12, 2)).status(), Some(RefundStatus::Agreed));
    let done = case_facts(&case(12, 3));
    assert_eq!((done.status(), done.reached[&RefundStatus::Refunded]), (Some(RefundStatus::Refunded), at(T0 + 15)));
    let claim = done.claim.unwrap().value;
    assert_eq!((claim.lines[0].quantity, claim.lines[0].amount), (Some(2), Fen::new(9000)));
}

#[test]
fn a_case_on_several_lines_does_not_guess_the_shares() {
    let mut several = case(6, 1);
    several["order_info"]["sku_order_infos"] = json!([{ "sku_order_id": 1 }, { "sku_order_id": 2 }]);
    assert!(case_facts(&several).claim.unwrap().value.lines.is_empty());
}

#[test]
fn freight_that_is_no_part_of_the_refund_is_refused() {
    for freight in [-1, 9601, i64::MIN] {
        let mut odd = case(6, 1);
        odd["process_info"]["after_sale_info"]["refund_post_amount"] = json!(freight);
        assert!(aftersale::map_detail("4463798", &odd).is_err(), "{freight}");
        let fields =
            format!(r#""aftersale_id":1,"refund_amount":9600,"refund_post_amount":{freight},"apply_time":{T0}"#);
        assert!(doudian::map(&message("200", "1", &fields)).is_err(), "{freight}");
    }
    assert!(aftersale::map_detail("4463798", &json!({ "process_info": {} })).is_err());
}

/// A morning of one order: every kind of message, and both records as fetched in between.
fn deliveries() -> Vec<Fact> {
    let pushes = [
        created(),
        paid(),
        shipped(),
        finished(),
        cancelled(),
        after_sale("200", "6", 6, "apply_time", 10),
        after_sale("205", "7", 27, "refuse_time", 12),
        after_sale("203", "8", 11, "return_time", 14),
        after_sale("206", "9", 12, "success_time", 15),
    ];
    let fetched = [order::map_detail("app-key", &record()), aftersale::map_detail("4463798", &case(12, 3))];
    pushes.iter().map(fact).chain(fetched.map(Result::unwrap)).collect()
}

proptest! {
    /// Any order and any repetition of an order's deliveries end in the same books.
    #[test]
    fn deliveries_converge(noisy in redelivered(deliveries())) {
        prop_assert_eq!(books(noisy), books(deliveries()));
    }

    /// Bytes from anywhere are refused or read, and never panic.
    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), tag in 0_u16..300, data in ".{0,60}") {
        let _ = doudian::decode(&body);
        let _ = doudian::map(&Push { tag: tag.to_string(), msg_id: "1".to_owned(), data: Value::String(data) });
    }
}
