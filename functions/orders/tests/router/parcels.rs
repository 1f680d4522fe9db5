//! Parcels: watched where a watcher is configured; what the carrier tells completes the order. All people are invented.

use crate::support::{NOON, Shop, VARIABLES, own_order};
use axum::body::Body;
use http::Request;
use platforms::kuaidi100;
use serde_json::{Value, json};

const SALT: &str = "salt-of-the-test";

async fn watched() -> Shop {
    let account = [("kuaidi100_app_key", "key"), ("kuaidi100_app_secret", "secret"), ("kuaidi100_salt", SALT)];
    Shop::with(&[VARIABLES.as_slice(), &account].concat()).await
}

/// An own shop's order in two parcels.
fn shipped() -> Value {
    sent("shipped", &["YT1", "YT2"])
}

/// An own shop's order of which these parcels have been told.
fn sent(status: &str, numbers: &[&str]) -> Value {
    let mut order = own_order("A-1", status);
    if status == "shipped" {
        order["data"]["shipped_at"] = order["timestamp"].clone();
    }
    let parcel = |number: &&str| json!({ "tracking_number": number, "carrier": null, "shipped_at": null });
    order["data"]["shipments"] = numbers.iter().map(parcel).collect();
    order
}

/// The parcels that wait to be watched, and in how many seconds after noon.
async fn to_watch(shop: &Shop) -> Vec<String> {
    let sql = format!(
        "select subject || ' ' || (due / 1000 - {NOON}) as v from outbox where state = 'pending' order by subject"
    );
    shop.column(&sql).await
}

async fn news(shop: &Shop, salt: &str, number: &str, state: &str, time: &str) -> u16 {
    let param = json!({ "status": "polling", "lastResult": { "state": state, "ischeck": "0", "com": "yuantong", "nu": number,
        "data": [{ "context": "invented", "time": time, "ftime": time, "status": "x", "statusCode": state }] } });
    push(shop, salt, &param).await
}

async fn push(shop: &Shop, salt: &str, param: &Value) -> u16 {
    let param = param.to_string();
    let sign = kuaidi100::sign(salt, &param).to_uppercase();
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("param", &param)
        .append_pair("sign", &sign)
        .finish();
    let request = Request::post("/hooks/kuaidi100")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap();
    shop.send(request).await.0.as_u16()
}

async fn told(shop: &Shop) -> Vec<String> {
    shop.column("select type as v from event where type like 'parcel.%' or type = 'order.signed' order by seq").await
}

#[tokio::test]
async fn an_order_is_signed_when_the_last_of_its_parcels_is() {
    let shop = watched().await;
    shop.own("msg_1", &shipped()).await;
    shop.consume().await;
    let numbers = shop.column("select subject as v from outbox order by subject").await;
    assert_eq!(numbers, ["YT1", "YT2"]);
    assert_eq!(news(&shop, SALT, "YT1", "0", "2026-02-15 09:00:00").await, 200);
    assert!(told(&shop).await.is_empty());
    assert_eq!(news(&shop, SALT, "YT1", "3", "2026-02-16 10:00:00").await, 200);
    assert_eq!(told(&shop).await, ["parcel.signed"], "the other one is on its way");
    assert_eq!(news(&shop, SALT, "YT2", "3", "2026-02-17 11:00:00").await, 200);
    assert_eq!(told(&shop).await, ["parcel.signed", "parcel.signed", "order.signed"]);
    let order = &shop.get("/v1/orders").await["items"][0];
    assert_eq!(
        (&order["status"], &order["times"]["signed_at"]),
        (&json!("signed"), &json!("2026-02-17T03:00:00.000Z"))
    );
}

#[tokio::test]
async fn news_twice_and_news_of_foreign_parcels_change_nothing() {
    let shop = watched().await;
    shop.own("msg_1", &shipped()).await;
    shop.consume().await;
    for _ in 0..2 {
        assert_eq!(news(&shop, SALT, "YT1", "2", "2026-02-16 10:00:00").await, 200);
        assert_eq!(news(&shop, SALT, "ZZ9", "3", "2026-02-16 10:00:00").await, 200);
    }
    assert_eq!(told(&shop).await, ["parcel.problem"]);
    assert_eq!(shop.column("select tracking_number as v from parcel order by v").await, ["YT1", "YT2"]);
}

#[tokio::test]
async fn forged_news_is_refused_and_without_a_watcher_nothing_is_watched() {
    let shop = watched().await;
    assert_eq!(news(&shop, "another salt", "YT1", "3", "2026-02-16 10:00:00").await, 401);
    assert!(shop.column("select source as v from inbox").await.is_empty());
    let shop = Shop::open().await;
    shop.own("msg_1", &shipped()).await;
    shop.consume().await;
    assert!(shop.asked().await.is_empty());
    assert_eq!(news(&shop, SALT, "YT1", "3", "2026-02-16 10:00:00").await, 503);
}

#[tokio::test]
async fn a_part_on_its_way_is_watched_and_may_arrive_before_the_rest_is_sent() {
    let shop = watched().await;
    shop.own("msg_1", &sent("partly_shipped", &["YT1"])).await;
    shop.consume().await;
    assert_eq!(to_watch(&shop).await, ["YT1 0"]);
    assert_eq!(news(&shop, SALT, "YT1", "3", "2026-02-14 10:00:00").await, 200);
    shop.own("msg_2", &sent("partly_shipped", &["YT1", "YT2"])).await;
    assert_eq!(to_watch(&shop).await, ["YT1 0", "YT2 0"], "each once");
    assert_eq!(news(&shop, SALT, "YT2", "3", "2026-02-14 11:00:00").await, 200);
    assert_eq!(told(&shop).await, ["parcel.signed", "parcel.signed"], "more may be to be sent");
    shop.own("msg_3", &shipped()).await;
    shop.consume().await;
    assert_eq!(told(&shop).await, ["parcel.signed", "parcel.signed", "order.signed"], "that was all of it");
}

#[tokio::test]
async fn a_parcel_that_was_told_after_the_order_was_shipped_is_watched_too() {
    let shop = watched().await;
    for (message, numbers) in [("msg_1", [].as_slice()), ("msg_2", &["YT1"]), ("msg_3", &["YT1", "YT2"])] {
        shop.own(message, &sent("shipped", numbers)).await;
        shop.consume().await;
    }
    assert_eq!(to_watch(&shop).await, ["YT1 0", "YT2 0"]);
}

#[tokio::test]
async fn a_subscription_that_was_given_up_is_tried_again_until_the_parcel_has_arrived() {
    let shop = watched().await;
    shop.own("msg_1", &sent("shipped", &["YT1"])).await;
    shop.give_up(kuaidi100::WATCH).await;
    assert_eq!(to_watch(&shop).await, ["YT1 3600"]);
    shop.wait_until(7_200).await;
    shop.give_up(kuaidi100::WATCH).await;
    assert_eq!(to_watch(&shop).await, ["YT1 14400"], "after as long again");
    assert_eq!(news(&shop, SALT, "YT1", "3", "2026-02-16 10:00:00").await, 200);
    shop.give_up(kuaidi100::WATCH).await;
    assert!(to_watch(&shop).await.is_empty());
}

#[tokio::test]
async fn a_parcel_that_the_watcher_has_given_up_is_watched_again_an_hour_later() {
    let shop = watched().await;
    shop.own("msg_1", &sent("shipped", &["YT1"])).await;
    shop.answer(kuaidi100::WATCH, Value::Null).await;
    let silent =
        json!({ "status": "abort", "lastResult": { "state": "0", "com": "yuantong", "nu": "YT1", "data": [] } });
    for _ in 0..2 {
        assert_eq!(push(&shop, SALT, &silent).await, 200);
        assert_eq!(to_watch(&shop).await, ["YT1 3600"]);
    }
}
