//! Documents of warehouses, and stock whatever comes in whatever order. Warehouses, shops and people are invented.

use crate::support::{Shop, at, own_order};
use proptest::prelude::*;
use serde_json::{Value, json};

const SKU: &str = "TEA-OOLONG";

fn document(kind: &str, number: &str, reason: &str, quantity: i64) -> Value {
    json!({ "type": kind, "timestamp": at(-5).to_string(), "data": { "warehouse": "W1", "document_id": number,
        "reason": reason, "lines": [{ "sku": SKU, "quantity": quantity }] } })
}

async fn send(shop: &Shop, id: &str, document: &Value) -> (u16, Value) {
    let (status, answer) = shop.signed("/hooks/stock", id, document, 0).await;
    (status.as_u16(), answer)
}

async fn count(shop: &Shop, on_hand: i64) {
    let (status, body) = shop.call("PUT", &format!("/v1/stock/{SKU}"), Some(json!({ "on_hand": on_hand }))).await;
    assert_eq!(status, 200, "{body}");
}

/// On hand, reserved, sold short.
async fn stock(shop: &Shop) -> [i64; 3] {
    let stock = shop.get(&format!("/v1/stock/{SKU}")).await;
    ["on_hand", "reserved", "short"].map(|field| stock[field].as_i64().unwrap())
}

async fn told(shop: &Shop, kind: &str) -> Vec<String> {
    shop.column(&format!("select data as v from event where type = '{kind}' order by seq")).await
}

#[tokio::test]
async fn a_document_counts_once_whatever_number_of_messages_bring_it() {
    let shop = Shop::open().await;
    let receipt = document("goods.received", "IN-1", "purchase", 7);
    assert_eq!(send(&shop, "m1", &receipt).await.1, json!({ "status": "booked", "not_kept": [SKU] }));
    count(&shop, 10).await;
    let receipt = document("goods.received", "IN-2", "purchase", 7);
    assert_eq!(send(&shop, "m2", &receipt).await, (200, json!({ "status": "booked" })));
    let mut later = receipt.clone();
    later["timestamp"] = json!(at(20).to_string());
    for (id, receipt) in [("m2", &receipt), ("m3", &receipt), ("m4", &later)] {
        assert_eq!(send(&shop, id, receipt).await, (200, json!({ "status": "duplicate" })));
    }
    assert_eq!(stock(&shop).await, [17, 0, 0]);
    let changed: Value = serde_json::from_str(told(&shop, "stock.changed").await.last().unwrap()).unwrap();
    assert_eq!((&changed["cause"], &changed["document_id"]), (&json!("moved"), &json!("IN-2")));
    let (status, answer) = send(&shop, "m5", &document("goods.received", "IN-2", "purchase", 8)).await;
    assert_eq!((status, &answer["type"]), (409, &json!("/problems/document-changed")));
    let mut elsewhere = receipt;
    elsewhere["data"]["warehouse"] = json!("W2");
    assert_eq!(send(&shop, "m6", &elsewhere).await.1["status"], "booked", "each warehouse has numbers of its own");
    assert_eq!(stock(&shop).await, [24, 0, 0]);
}

#[tokio::test]
async fn what_leaves_with_an_order_is_booked_by_the_order() {
    let shop = Shop::open().await;
    count(&shop, 10).await;
    shop.own("1", &own_order("A-1", "paid")).await;
    let issue = document("goods.issued", "OUT-1", "sale", 2);
    assert_eq!(send(&shop, "m1", &issue).await.1, json!({ "status": "noted" }));
    assert_eq!(stock(&shop).await, [10, 2, 0]);
    shop.own("2", &own_order("A-1", "shipped")).await;
    assert_eq!(stock(&shop).await, [8, 0, 0]);
}

#[tokio::test]
async fn goods_that_are_lost_are_no_longer_promised_to_the_newest_orders() {
    let shop = Shop::open().await;
    count(&shop, 5).await;
    for number in ["A-1", "A-2"] {
        let mut order = own_order(number, "paid");
        order["data"]["created_at"] = json!(at(if number == "A-1" { -100 } else { -50 }).to_string());
        shop.own(number, &order).await;
    }
    assert_eq!(stock(&shop).await, [5, 4, 0]);
    assert_eq!(send(&shop, "m1", &document("goods.issued", "OUT-1", "loss", 2)).await.0, 200);
    assert_eq!(stock(&shop).await, [3, 2, 2]);
    let short = shop.column(
        r#"select platform_order_id as v from stock_reservation join "order" on id = order_id where state = 'short'"#,
    );
    assert_eq!(short.await, ["A-2"]);
    assert_eq!(told(&shop, "stock.short").await.len(), 1);
    // More than there is never leaves: nothing is booked, and what was said is kept.
    let (status, answer) = send(&shop, "m2", &document("goods.issued", "OUT-2", "loss", 4)).await;
    assert_eq!((status, &answer["type"]), (409, &json!("/problems/stock-missing")));
    assert_eq!(stock(&shop).await, [3, 2, 2]);
    assert_eq!(shop.column("select source as v from inbox_quarantine").await, ["warehouse"]);
    // It is not taken, so the same document can be sent again when the count is right.
    assert_eq!(send(&shop, "m3", &document("goods.received", "IN-1", "purchase", 3)).await.0, 200);
    assert_eq!(stock(&shop).await, [6, 4, 0], "the order that was short has its pieces");
    assert_eq!(send(&shop, "m2", &document("goods.issued", "OUT-2", "loss", 4)).await.0, 200);
    assert_eq!(stock(&shop).await, [2, 2, 2]);
}

#[tokio::test]
async fn short_orders_are_served_in_the_order_of_sale_and_lack_what_they_have_now() {
    let shop = Shop::open().await;
    count(&shop, 0).await;
    // The later sale is heard of first.
    for (number, placed) in [("A-2", -50), ("A-1", -100)] {
        let mut order = own_order(number, "paid");
        order["data"]["created_at"] = json!(at(placed).to_string());
        shop.own(number, &order).await;
    }
    assert_eq!(stock(&shop).await, [0, 0, 4]);
    assert_eq!(send(&shop, "m1", &document("goods.received", "IN-1", "purchase", 2)).await.0, 200);
    let served = shop.column(
        r#"select platform_order_id as v from stock_reservation join "order" on id = order_id
            where state = 'reserved' and sku = 'TEA-OOLONG'"#,
    );
    assert_eq!(served.await, ["A-1"]);
    // One of its two lines is taken off the order: it lacks one piece less.
    let mut order = own_order("A-2", "paid");
    order["timestamp"] = json!(at(10).to_string());
    order["data"]["created_at"] = json!(at(-50).to_string());
    order["data"]["lines"].as_array_mut().unwrap().remove(0);
    order["data"]["amounts"]["goods"] = json!(3350);
    order["data"]["amounts"]["payable"] = json!(3350);
    assert_eq!(shop.own("changed", &order).await.0, 200);
    assert_eq!(stock(&shop).await, [2, 2, 1]);
}

#[tokio::test]
async fn the_warehouse_says_what_has_come_back_for_a_case() {
    let shop = Shop::open().await;
    count(&shop, 10).await;
    shop.own("1", &own_order("A-1", "shipped")).await;
    let claim = json!({ "kind": "return", "amount": 3000, "freight": 0, "reason_code": null,
        "lines": [{ "line_id": "1", "quantity": 1, "amount": 1500 }, { "line_id": "2", "quantity": 1, "amount": 1500 }] });
    let refund = json!({ "type": "refund.updated", "timestamp": at(0).to_string(), "data": { "shop_id": "pos-01",
        "order_id": "A-1", "refund_id": "R-1", "status": "agreed", "applied_at": at(-10).to_string(), "claim": claim } });
    assert_eq!(shop.own("2", &refund).await.0, 200);
    assert_eq!(stock(&shop).await, [8, 0, 0]);
    let back = |number: &str, case: &str| {
        let mut receipt = document("goods.received", number, "return", 1);
        receipt["data"]["after_sale"] = json!({ "platform": "own", "shop_id": "pos-01", "after_sale_id": case });
        receipt
    };
    assert_eq!(send(&shop, "m1", &back("IN-1", "R-9")).await.0, 422, "no such case");
    assert_eq!(send(&shop, "m2", &back("IN-1", "R-1")).await.1, json!({ "status": "booked" }));
    assert_eq!(stock(&shop).await, [9, 0, 0], "one of the two has come back");
    assert_eq!(send(&shop, "m3", &back("IN-2", "R-1")).await.1, json!({ "status": "noted" }), "it is on the shelf");
    let id = shop.column("select id as v from refund").await.remove(0);
    assert_eq!(shop.call("POST", &format!("/v1/refunds/{id}/confirm-receipt"), None).await.0, 200);
    assert_eq!(stock(&shop).await, [9, 0, 0]);
    assert_eq!(told(&shop, "return.received").await.len(), 1);
}

#[tokio::test]
async fn what_is_not_authentic_is_refused_and_what_is_not_usable_is_kept() {
    let shop = Shop::open().await;
    let receipt = document("goods.received", "IN-1", "purchase", 0);
    let (status, answer) = send(&shop, "m1", &receipt).await;
    assert_eq!(status, 422);
    assert!(answer["detail"].as_str().unwrap().starts_with("data.lines[0].quantity:"), "{answer}");
    assert_eq!(shop.signed("/hooks/stock", "m2", &receipt, -600).await.0, 401);
    assert_eq!(shop.column("select source as v from inbox_quarantine").await, ["warehouse"]);
    assert!(shop.column("select document_id as v from stock_document").await.is_empty());
}

/// What may happen to stock.
#[derive(Clone, Debug)]
enum Step {
    /// One of six orders, two pieces each, is told to stand so.
    Order(usize, &'static str),
    Move(&'static str, &'static str, i64),
    Count(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(vec!["paid", "shipped", "closed", "completed"]);
    prop_oneof![
        4 => (0..6_usize, status).prop_map(|(order, status)| Step::Order(order, status)),
        1 => (1..5_i64).prop_map(|pieces| Step::Move("goods.received", "purchase", pieces)),
        1 => (1..5_i64).prop_map(|pieces| Step::Move("goods.issued", "loss", pieces)),
        1 => (0..9_i64).prop_map(Step::Count),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes in whatever order: stock equals a plain model's, never below zero, and every piece that is promised is
    /// promised to one order.
    #[test]
    fn stock_adds_up_whatever_happens(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let shop = Shop::open().await;
            count(&shop, 6).await;
            let mut on_hand = 6;
            for (number, step) in steps.iter().enumerate() {
                let held = committed(&shop).await;
                match step {
                    Step::Order(order, status) => {
                        let told = shop.own(&format!("o{number}"), &own_order(&format!("A-{order}"), status)).await;
                        assert_eq!(told.0, 200, "{}", told.1);
                    }
                    Step::Move(kind, reason, pieces) => {
                        let sign = if *kind == "goods.received" { 1 } else { -1 };
                        let (status, answer) = send(&shop, &format!("d{number}"), &document(kind, &number.to_string(), reason, *pieces)).await;
                        assert_eq!(status == 200, on_hand + sign * pieces >= 0, "{answer}");
                        if status == 200 {
                            on_hand += sign * pieces;
                        }
                    }
                    Step::Count(pieces) => {
                        let (status, _) = shop.call("PUT", &format!("/v1/stock/{SKU}"), Some(json!({ "on_hand": pieces }))).await;
                        if status == 200 {
                            on_hand = *pieces;
                        }
                    }
                }
                // Two pieces leave with each order whose pieces were taken from what there was.
                on_hand -= committed(&shop).await - held;
                let [found, reserved, short] = stock(&shop).await;
                let promised = total(&shop, "state = 'reserved'").await;
                assert_eq!((found, reserved), (on_hand, promised), "{steps:?} after step {number}");
                assert!(reserved <= found && short == total(&shop, "state = 'short'").await);
                // Nobody waits while there is enough for the one who waits longest.
                assert!(short == 0 || found - reserved < 2, "{steps:?} after step {number}");
            }
        });
    }
}

/// Pieces that have left with orders, by the log.
async fn committed(shop: &Shop) -> i64 {
    let left = "select coalesce(sum(json_extract(data, '$.before.on_hand') - json_extract(data, '$.after.on_hand')), 0) || '' as v
                  from event where type = 'stock.changed' and json_extract(data, '$.cause') = 'committed'";
    shop.column(left).await[0].parse().unwrap()
}

async fn total(shop: &Shop, condition: &str) -> i64 {
    let sum = format!(
        "select coalesce(sum(quantity), 0) || '' as v from stock_reservation where sku = '{SKU}' and {condition}"
    );
    shop.column(&sum).await[0].parse().unwrap()
}
