//! Back-up and restore, as docs/operations.md tells: taken while serving, put into an empty folder, and all is as it was.

use serde_json::{Value, json};
use siyu_tests::system::System;

use crate::database::{is_settled, open, rows};
use crate::fixtures::{PATIENCE, THEN, basket, order, push, sale};

/// All that the application shows: orders with refunds and history, stock, the log.
async fn books(system: &System) -> Value {
    let mut orders = Vec::new();
    for listed in system.orders().await.unwrap() {
        orders.push(order(system, listed["id"].as_str().unwrap()).await);
    }
    let stock = system.client.get(&system.host.at("/v1/stock/CUP-1")).await.unwrap().json().unwrap();
    json!({"orders": orders, "stock": stock, "events": system.events().await.unwrap()})
}

async fn settled(system: &System, orders: usize) {
    let all = async |system: &System| {
        let found = system.orders().await?;
        let complete = found.len() == orders && found.iter().all(|order| order["complete"] == true);
        Ok((complete && is_settled(system)).then_some(()))
    };
    system.wait_for("all records", PATIENCE, all).await.unwrap();
}

#[tokio::test]
async fn a_back_up_taken_while_serving_is_restored_to_the_same_books_and_goes_on() {
    let system = System::start().await.unwrap();
    let counted =
        system.client.json("PUT", &system.host.at("/v1/stock/CUP-1"), &json!({"on_hand": 100})).await.unwrap();
    assert_eq!(counted.status, 200, "{counted}");
    let sold = |number: usize| sale(&format!("POS-{number}")).message("paid", THEN).unwrap();
    for number in 0..5 {
        assert_eq!(system.send_till(&sold(number)).await.unwrap().status, 200);
    }
    system.platform.shop(|shop| {
        let id = shop.place(basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
        let case = shop.ask_refund(&id, 1_000, THEN + 120).unwrap();
        shop.refund(&case, THEN + 180).unwrap();
    });
    push(&system, &system.platform.untold()).await;
    settled(&system, 6).await;
    let before = books(&system).await;

    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("siyu.db");
    open(system.state()).execute("vacuum into ?1", [backup.to_str().unwrap()]).unwrap();
    // What comes after it is not in it.
    for number in 5..8 {
        assert_eq!(system.send_till(&sold(number)).await.unwrap().status, 200);
    }
    settled(&system, 9).await;

    let system = system.restore(&backup).unwrap();
    assert_eq!(books(&system).await, before);
    // A sender's repetition brings what was lost, and changes nothing of what was not.
    for (number, status) in [(0, "duplicate"), (4, "duplicate"), (5, "accepted"), (7, "accepted")] {
        let answer = system.send_till(&sold(number)).await.unwrap();
        assert_eq!(answer.json().unwrap()["status"], status, "{number}: {answer}");
    }
    settled(&system, 8).await;
    assert_eq!(rows(&system, "dead_letter"), 0);
    assert_eq!(books(&system).await["stock"]["reserved"], 7);
}
