//! People and the merchant's own systems: who may call, lists, refunds, stock.

use http::HeaderMap;
use serde_json::{Value, json};
use siyu_tests::http::{Answer, Client};
use siyu_tests::system::System;
use tokio::task::JoinSet;

use crate::fixtures::{THEN, assert_problem, sale};

#[tokio::test]
async fn a_caller_without_a_good_token_is_told_so() {
    let system = System::start().await.unwrap();
    for path in ["/v1/orders", "/v1/orders/0190d5a0-0000-7000-8000-000000000000", "/v1/stock/CUP-1", "/v1/events"] {
        let url = system.host.at(path);
        for client in [Client::new(), Client::new().with_token("a-guess")] {
            let answer = client.get(&url).await.unwrap();
            assert_problem(&answer, 401);
            assert_eq!(answer.header("www-authenticate"), "Bearer", "{path}");
        }
    }
}

#[tokio::test]
async fn lists_page_by_cursor_and_miss_nothing() {
    let system = System::start().await.unwrap();
    for number in 0..25 {
        let message = sale(&format!("POS-{number:02}")).message("paid", THEN).unwrap();
        assert_eq!(system.send_till(&message).await.unwrap().status, 200);
    }
    let numbers = async |query: &str| -> Vec<String> {
        let orders = system.client.pages(&system.host.at(&format!("/v1/orders?{query}"))).await.unwrap();
        let mut numbers: Vec<_> =
            orders.iter().map(|order| order["platform_order_id"].as_str().unwrap().to_owned()).collect();
        numbers.sort();
        numbers
    };
    let all: Vec<_> = (0..25).map(|number| format!("POS-{number:02}")).collect();
    assert_eq!(numbers("limit=7").await, all);
    assert_eq!(numbers("status=paid&platform=own&shop=S-001").await, all);
    assert!(numbers("status=closed").await.is_empty());
    assert!(numbers("platform=douyin").await.is_empty());
    assert!(numbers("to=2026-01-01T00:00:00Z").await.is_empty());
    let wrong = system.client.get(&system.host.at("/v1/orders?colour=green")).await.unwrap();
    assert_problem(&wrong, 400);
}

/// A paid order of one cup; its id.
async fn paid_order(system: &System) -> String {
    let answer = system.send_till(&sale("POS-1").message("paid", THEN).unwrap()).await.unwrap();
    answer.json().unwrap()["order_id"].as_str().unwrap().to_owned()
}

fn claim(amount: i64) -> Value {
    json!({"kind": "return", "amount": amount, "freight": 0, "lines": [{"line_id": "1", "amount": amount}]})
}

async fn refund(client: &Client, url: &str, key: Option<&str>, claim: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    if let Some(key) = key {
        headers.insert("idempotency-key", format!("\"{key}\"").parse().unwrap());
    }
    client.send("POST", url, &headers, claim.to_string().into_bytes()).await.unwrap()
}

#[tokio::test]
async fn a_refund_is_entered_once_per_key_and_never_beyond_what_was_paid() {
    let system = System::start().await.unwrap();
    let url = system.host.at(&format!("/v1/orders/{}/refunds", paid_order(&system).await));
    assert_problem(&refund(&system.client, &url, None, &claim(1_991)).await, 422);
    let first = refund(&system.client, &url, Some("key-1"), &claim(1_000)).await;
    assert_eq!(first.status, 201, "{first}");
    let again = refund(&system.client, &url, Some("key-1"), &claim(1_000)).await;
    assert_eq!((again.status, again.body), (first.status, first.body), "the same answer, and no second refund");
    assert_problem(&refund(&system.client, &url, Some("key-1"), &claim(10)).await, 422);
    assert_problem(&refund(&system.client, &url, None, &claim(991)).await, 422);
    assert_eq!(refund(&system.client, &url, None, &claim(990)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_at_the_same_time_do_not_exceed_what_was_paid() {
    let system = System::start().await.unwrap();
    let url = system.host.at(&format!("/v1/orders/{}/refunds", paid_order(&system).await));
    let mut callers = JoinSet::new();
    for _ in 0..40 {
        let (client, url) = (system.client.clone(), url.clone());
        callers.spawn(async move { refund(&client, &url, None, &claim(199)).await.status.as_u16() });
    }
    let mut statuses = callers.join_all().await;
    statuses.sort();
    assert_eq!(statuses, [[201; 10].as_slice(), &[422; 30]].concat());
}

#[tokio::test]
async fn stock_is_reserved_by_sales_and_cannot_be_counted_below_them() {
    let system = System::start().await.unwrap();
    let url = system.host.at("/v1/stock/CUP-1");
    assert_problem(&system.client.get(&url).await.unwrap(), 404);
    let count = async |pieces: i64| system.client.json("PUT", &url, &json!({"on_hand": pieces})).await.unwrap();
    assert_eq!(count(10).await.status, 200);
    paid_order(&system).await;
    let stock = system.client.get(&url).await.unwrap().json().unwrap();
    assert_eq!((&stock["on_hand"], &stock["reserved"], &stock["available"]), (&json!(10), &json!(1), &json!(9)));
    assert_problem(&count(0).await, 409);
    assert_problem(&count(-1).await, 400);
}
