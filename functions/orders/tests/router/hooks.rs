//! Webhooks in: what is authentic is taken once, what is not leaves nothing but a count.

use crate::support::{NOON, Shop, VARIABLES, doudian_app, message, own_order, push};
use axum::body::Body;
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

fn created() -> Value {
    message(
        "100",
        "1001",
        json!({
            "p_id": 4837328765348566675_u64, "s_ids": [4837328765348566676_u64], "shop_id": 4463798,
            "order_status": 1, "order_type": 0, "create_time": NOON - 60,
        }),
    )
}

fn paid() -> Value {
    message(
        "101",
        "1002",
        json!({
            "p_id": 4837328765348566675_u64, "shop_id": 4463798, "order_status": 2, "pay_type": 1,
            "pay_time": NOON - 30, "pay_amount": 1990, "create_time": NOON - 60,
        }),
    )
}

#[tokio::test]
async fn the_published_probe_is_answered_and_leaves_nothing() {
    let shop = Shop::open().await;
    let body = r#"[{"tag":"0","msg_id":"0","data":"probe"}]"#;
    let sign = "7e0bd8b248471435f5a09b27cbc1a07f2cb00f625810bde9f3cc5b0ba7bc4a11";
    let (status, answer) = shop.send(push(body, "app-123", sign)).await;
    assert_eq!((status.as_u16(), answer), (200, json!({ "code": 0, "msg": "success" })));
    assert!(shop.column("select message_id as v from inbox").await.is_empty());
}

#[tokio::test]
async fn a_push_becomes_an_order_and_a_call_for_its_record() {
    let shop = Shop::open().await;
    let (status, _) = shop.douyin(&json!([created(), paid()])).await;
    assert_eq!(status, 200);
    let list = shop.get("/v1/orders").await;
    let order = &list["items"][0];
    assert_eq!(order["platform_order_id"], "4837328765348566675", "ids beyond 2^53 stay exact");
    assert_eq!((&order["status"], &order["paid"], &order["complete"]), (&json!("paid"), &json!(1990), &json!(false)));
    assert_eq!(shop.column("select operation as v from outbox").await, ["order"], "two causes, one call");
    assert!(shop.column("select type as v from event").await.is_empty(), "the events wait for the record");
}

#[tokio::test]
async fn a_repetition_changes_nothing() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        assert_eq!(shop.douyin(&json!([created()])).await.0, 200);
    }
    assert_eq!(shop.column("select message_id as v from inbox").await, ["1001"]);
    let order = own_order("A-1", "paid");
    assert_eq!(shop.own("msg_1", &order).await.1["status"], "accepted");
    assert_eq!(shop.own("msg_1", &order).await.1["status"], "duplicate");
    assert_eq!(shop.column("select type as v from event order by seq").await, ["order.created", "order.paid"]);
}

#[tokio::test]
async fn two_different_messages_under_one_id_are_both_taken() {
    let shop = Shop::open().await;
    let mut other = created();
    other["data"] = json!(other["data"].as_str().unwrap().replace("566675", "566600"));
    shop.douyin(&json!([created(), other])).await;
    assert_eq!(shop.get("/v1/orders").await["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_not_authentic_is_refused_and_counted_only() {
    let shop = Shop::open().await;
    let body = json!([created()]).to_string();
    let sign = platforms::doudian::sign(&doudian_app(), platforms::doudian::Method::HmacSha256, body.as_bytes());
    let md5 = platforms::doudian::sign(&doudian_app(), platforms::doudian::Method::Md5, body.as_bytes());
    let forged = [
        push(&body, "app-123", &sign.replace(&sign[..1], if sign.starts_with('0') { "1" } else { "0" })),
        push(&body.replace("1001", "1009"), "app-123", &sign),
        push(&body, "app-999", &sign),
        Request::post("/hooks/douyin")
            .header("app-id", "app-123")
            .header("event-sign", &md5)
            .body(Body::from(body.clone()))
            .unwrap(),
        Request::post("/hooks/douyin").body(Body::from(body.clone())).unwrap(),
    ];
    let count = forged.len();
    for request in forged {
        let (status, answer) = shop.send(request).await;
        assert_eq!((status.as_u16(), &answer["code"]), (401, &json!(40041)), "{answer}");
    }
    for table in ["inbox", "inbox_quarantine", "event", "outbox", "\"order\""] {
        let rows = shop.column(&format!("select cast(count(*) as text) as v from {table}")).await;
        assert_eq!(rows, ["0"], "{table}");
    }
    // Counts are written in the background.
    for _ in 0..100 {
        if shop.column("select cast(value as text) as v from counter").await == [count.to_string()] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the refusals were not counted");
}

#[tokio::test]
async fn own_shops_must_sign_freshly() {
    let shop = Shop::open().await;
    let order = own_order("A-1", "paid");
    for skew in [-301, 301] {
        assert_eq!(shop.own_at("msg_1", &order, skew).await.0, 401);
    }
    for skew in [-300, 300] {
        assert_eq!(shop.own_at("msg_1", &order, skew).await.0, 200);
    }
}

#[tokio::test]
async fn authentic_and_not_understood_is_kept_sealed() {
    let shop = Shop::open().await;
    let text = "{broken";
    let sign = platforms::doudian::sign(&doudian_app(), platforms::doudian::Method::HmacSha256, text.as_bytes());
    assert_eq!(shop.send(push(text, "app-123", &sign)).await.0, 200, "the platform must not repeat it for ever");
    let unknown = message("999", "1", json!({ "whatever": 1 }));
    let lacking = message("101", "2", json!({ "p_id": 1, "receiver": "Zhang San (invented)" }));
    assert_eq!(shop.douyin(&json!([unknown, lacking, created()])).await.0, 200);
    assert_eq!(shop.get("/v1/orders").await["items"].as_array().unwrap().len(), 1, "the good one is not held up");

    let (status, problem) = shop.own("msg_1", &json!({ "type": "order.updated", "sku": 12.345 })).await;
    assert_eq!((status.as_u16(), &problem["type"]), (422, &json!("/problems/message-unusable")));
    let reasons = shop.column("select source || ': ' || reason as v from inbox_quarantine order by v").await;
    assert_eq!(
        reasons,
        [
            "douyin: message 101 is not understood",
            "douyin: message 999 is not understood",
            "douyin: not of the platform's form",
            "own: not of the documented form",
        ]
    );
    let readable = shop.column("select hex(body) as v from inbox_quarantine").await.concat();
    assert!(!readable.contains(&"Zhang".bytes().map(|byte| format!("{byte:02X}")).collect::<String>()));
}

#[tokio::test]
async fn three_decimals_and_oversize_are_refused() {
    let shop = Shop::open().await;
    let mut order = own_order("A-1", "paid");
    order["data"]["paid"] = json!(48.505);
    assert_eq!(shop.own("msg_1", &order).await.0, 422);
    let large = "x".repeat((1 << 20) + 1);
    assert_eq!(shop.send(push(&large, "app-123", "00")).await.0, 413);
}

#[tokio::test]
async fn what_is_not_configured_is_named_and_the_rest_works() {
    for missing in ["douyin_app_key", "douyin_app_secret", "webhook_secret", "data_key"] {
        let variables: Vec<_> = VARIABLES.into_iter().filter(|(name, _)| *name != missing).collect();
        let shop = Shop::with(&variables).await;
        let own = missing == "webhook_secret";
        let (status, problem) = if own {
            shop.own("msg_1", &own_order("A-1", "paid")).await
        } else {
            shop.douyin(&json!([created()])).await
        };
        assert_eq!((status.as_u16(), &problem["variable"]), (503, &json!(missing)));
        let (other, _) = if own {
            shop.douyin(&json!([created()])).await
        } else {
            shop.own("msg_1", &own_order("A-1", "paid")).await
        };
        assert_eq!(other.as_u16(), if missing == "data_key" { 503 } else { 200 }, "{missing}");
        shop.get("/v1/orders").await;
    }
}

#[tokio::test]
async fn a_phone_is_hashed_and_sealed_and_appears_nowhere() {
    let shop = Shop::open().await;
    shop.own("msg_1", &own_order("A-1", "paid")).await;
    let order = &shop.get("/v1/orders").await["items"][0];
    let hash = order["identities"].as_array().unwrap().iter().find(|own| own["kind"] == "phone_hash").unwrap();
    let found = shop.get(&format!("/v1/orders?identity={}", hash["value"].as_str().unwrap())).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let everything = [
        shop.column("select data as v from event").await,
        shop.column("select facts || coalesce(hex(phone), '') as v from \"order\"").await,
        vec![order.to_string()],
    ]
    .concat()
    .concat();
    assert!(!everything.contains("13800000001"));
}

/// The messages of one order's life, two refunds included.
fn life() -> Vec<Value> {
    let id = json!({ "p_id": 4837328765348566675_u64, "shop_id": 4463798 });
    let with = |more: Value| {
        let mut data = id.clone();
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    vec![
        created(),
        paid(),
        message(
            "102",
            "1003",
            with(
                json!({ "order_status": 3, "update_time": NOON, "logistics_msg": { "express_company_id": "7", "logistics_code": "SF0001" } }),
            ),
        ),
        message("103", "1004", with(json!({ "order_status": 5, "complete_time": NOON + 600 }))),
        message(
            "200",
            "2001",
            with(
                json!({ "aftersale_id": 71, "s_id": 4837328765348566676_u64, "aftersale_status": 6, "aftersale_type": 1, "apply_time": NOON + 10, "refund_amount": 990, "update_time": NOON + 10 }),
            ),
        ),
        message(
            "206",
            "2002",
            with(json!({ "aftersale_id": 71, "success_time": NOON + 20, "update_time": NOON + 20 })),
        ),
        message(
            "200",
            "2003",
            with(
                json!({ "aftersale_id": 72, "aftersale_status": 6, "aftersale_type": 1, "apply_time": NOON + 30, "refund_amount": 100, "update_time": NOON + 30 }),
            ),
        ),
        message("207", "2004", with(json!({ "aftersale_id": 72, "close_time": NOON + 40, "update_time": NOON + 40 }))),
    ]
}

async fn rows_after(deliveries: &[usize]) -> Vec<String> {
    let shop = Shop::open().await;
    let life = life();
    for index in deliveries {
        assert_eq!(shop.douyin(&json!([life[*index]])).await.0, 200);
    }
    [
        shop.column(r#"select facts || status || coalesce(raw_status, '') || flags || complete || coalesce(paid, '') || placed_at || announced as v from "order""#).await,
        shop.column("select after_sale_id || facts || status || coalesce(amount, '') || applied_at || announced as v from refund order by v").await,
        shop.column("select type as v from event order by v").await,
        shop.column("select operation as v from outbox order by v").await,
    ]
    .concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_and_any_repetition_of_messages_ends_in_the_same_rows(
        (deliveries, repeated) in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle()
            .prop_flat_map(|all| (Just(all), proptest::collection::vec(0..8_usize, 0..8)))
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut mixed = deliveries;
        for (place, again) in repeated.into_iter().enumerate() {
            mixed.insert((place * 3) % (mixed.len() + 1), again);
        }
        let (ordered, found) = runtime.block_on(async {
            (rows_after(&(0..8).collect::<Vec<_>>()).await, rows_after(&mixed).await)
        });
        prop_assert_eq!(found, ordered);
    }
}

#[tokio::test]
async fn a_record_that_comes_in_time_takes_the_timer_back() {
    let shop = Shop::open().await;
    shop.douyin(&json!([created()])).await;
    let waiting = async || shop.column("select key as v from timer").await.len();
    assert_eq!(waiting().await, 1);
    let record = json!({ "shop_order_detail": {
        "order_id": "4837328765348566675", "shop_id": 4463798, "order_status": 1, "create_time": NOON - 60,
        "update_time": NOON - 50, "order_amount": 1990, "pay_amount": 1990, "post_amount": 0, "promotion_amount": 0,
        "sku_order_list": [{ "order_id": "4837328765348566676", "sku_id": 1, "product_id": 2, "product_name": "Oolong milk tea",
            "item_num": 1, "origin_amount": 1990, "sum_amount": 1990, "pay_amount": 1990 }],
    } });
    shop.answer("order", record).await;
    assert_eq!(shop.get("/v1/orders").await["items"][0]["complete"], true);
    assert_eq!(waiting().await, 0);
    assert_eq!(shop.column("select type as v from event order by seq").await, ["outbox.succeeded", "order.created"]);
}
