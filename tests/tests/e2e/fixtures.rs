//! Invented orders and sales, and short ways to send them.

use std::time::Duration;

use serde_json::Value;
use siyu_tests::http::{Answer, Client};
use siyu_tests::marketplace::doudian::accepted;
use siyu_tests::marketplace::push::Message;
use siyu_tests::marketplace::shop::{Basket, Room};
use siyu_tests::merchant::baskets;
use siyu_tests::merchant::tills::Sale;
use siyu_tests::system::System;

/// Long enough for anything that is going to happen at all.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Some time in the past, Unix seconds.
pub const THEN: i64 = 1_790_000_000;

/// [`baskets::uneven`], sold in a live room.
pub fn basket() -> Basket {
    let room = Room { id: 7_300_000_000_000_000_001, author_id: 9_000_000_001, author_name: "测试主播" };
    Basket { room: Some(room), ..baskets::uneven() }
}

/// What a buyer of [`basket`] pays, fen.
pub const BASKET_PAID: i64 = 3 * 1_990 + 3_335 - 101 + 600;

/// A sale of one cup over the counter.
pub fn sale(order_id: &str) -> Sale {
    Sale {
        shop_id: "S-001".to_owned(),
        order_id: order_id.to_owned(),
        at: THEN,
        lines: vec![("CUP-1".to_owned(), "冷泡乌龙".to_owned(), 1, 1_990)],
        member_card: Some("测试会员-1".to_owned()),
        phone: None,
    }
}

/// Send Doudian's messages in one push, signed as it should be; they have to be accepted.
pub async fn push(system: &System, messages: &[Message]) {
    let push = system.platform.push(messages).unwrap();
    let answer = push.send(&Client::new(), &system.douyin_hook()).await.unwrap();
    assert!(accepted(&answer), "{answer}");
}

/// An order as the API shows it, with refunds and history.
pub async fn order(system: &System, id: &str) -> Value {
    let answer = system.client.get(&system.host.at(&format!("/v1/orders/{id}"))).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
    answer.json().unwrap()
}

/// The only order there is, once its full record is known.
pub async fn only_order(system: &System) -> Value {
    let found = system.wait_for("the full record of the only order", PATIENCE, async |system| {
        let orders = system.orders().await?;
        assert!(orders.len() <= 1, "{orders:?}");
        Ok(orders.into_iter().find(|order| order["complete"] == true))
    });
    let id = found.await.unwrap()["id"].as_str().unwrap().to_owned();
    order(system, &id).await
}

/// The types of the events in an order's history, in the log's order.
pub fn history(order: &Value) -> Vec<&str> {
    order["history"].as_array().unwrap().iter().map(|entry| entry["type"].as_str().unwrap()).collect()
}

/// That `answer` is a problem document with this status.
pub fn assert_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer}");
    assert_eq!(answer.json().unwrap()["status"], status, "{answer}");
}
