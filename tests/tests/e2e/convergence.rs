//! Any order and any repetition of the same deliveries ends in the same order.

use std::collections::BTreeSet;

use serde_json::Value;
use siyu_tests::marketplace::push::{Message, Mishaps};
use siyu_tests::system::System;

use crate::database::is_settled;
use crate::fixtures::{PATIENCE, THEN, basket, history, order, push};

/// Orders with the same life, each told in another sequence.
const ORDERS: u64 = 24;
/// What is announced of each, whatever the sequence: the record of the after-sale case knows that it was agreed to.
const STEPS: [&str; 7] = [
    "order.completed",
    "order.created",
    "order.paid",
    "order.shipped",
    "refund.agreed",
    "refund.applied",
    "refund.refunded",
];

#[tokio::test]
async fn every_permutation_of_an_order_s_messages_ends_in_the_same_order() {
    let system = System::start().await.unwrap();
    // All orders live their lives first, so that the record is the same whenever it is fetched.
    let lives: Vec<Vec<Message>> = (0..ORDERS)
        .map(|_| {
            system.platform.shop(|shop| {
                let id = shop.place(basket(), THEN);
                shop.pay(&id, THEN + 60).unwrap();
                shop.ship(&id, THEN + 120).unwrap();
                let case = shop.ask_refund(&id, 1_000, THEN + 180).unwrap();
                shop.refund(&case, THEN + 240).unwrap();
                shop.finish(&id, THEN + 300).unwrap();
            });
            system.platform.untold()
        })
        .collect();
    for (seed, life) in (0..ORDERS).zip(lives) {
        let mishaps = Mishaps { seed, duplicated: 40, disordered: 100, batch: 3, ..Mishaps::NONE };
        // The first one is told as it should be; it is what the others are compared with.
        let mishaps = if seed == 0 { Mishaps::NONE } else { mishaps };
        for messages in mishaps.deliveries(life) {
            push(&system, &messages).await;
        }
    }
    let settled = async |system: &System| {
        let orders = system.orders().await?;
        let complete = orders.iter().all(|order| order["complete"] == true);
        Ok((complete && is_settled(system)).then_some(orders))
    };
    let orders = system.wait_for("all records", PATIENCE, settled).await.unwrap();
    assert_eq!(orders.len(), usize::try_from(ORDERS).unwrap());

    let mut ends = BTreeSet::new();
    for listed in &orders {
        let order = order(&system, listed["id"].as_str().unwrap()).await;
        assert_eq!(order["status"], "completed");
        assert_eq!(order["refunds"][0]["status"], "refunded");
        let mut steps = history(&order);
        // How often the record was fetched, and whether that was late, depends on the sequence. One of the orders is the first.
        steps.retain(|kind| !matches!(*kind, "order.detailed" | "outbox.succeeded" | "buyer.first_order"));
        steps.sort();
        assert_eq!(steps, STEPS, "each step once");
        ends.insert(without_ids(order).to_string());
    }
    assert_eq!(ends.len(), 1, "all orders have come to the same end:\n{}", Vec::from_iter(ends).join("\n"));
}

/// The order without what is an id of its own, and without its history, whose sequence may differ.
fn without_ids(mut order: Value) -> Value {
    order["history"].take();
    strip(&mut order);
    order
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| {
                !matches!(name.as_str(), "id" | "platform_order_id" | "order_id" | "after_sale_id" | "line_id")
                    && !matches!(name.as_str(), "product_id" | "tracking_number")
            });
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
