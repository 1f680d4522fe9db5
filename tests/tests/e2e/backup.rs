//! Back-up and restore, as docs/operations.md tells: taken while serving, put into an empty folder, and all is as it was.

use serde_json::{Value, json};
use siyu_tests::archive::Archive;
use siyu_tests::check::Books;
use siyu_tests::system::{DATABASE, System};

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

    let system = system.restore(&backup).await.unwrap();
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

#[tokio::test]
async fn old_events_are_archived_while_serving_and_orders_show_their_history() {
    let system = System::start().await.unwrap();
    let counted =
        system.client.json("PUT", &system.host.at("/v1/stock/CUP-1"), &json!({"on_hand": 1_000})).await.unwrap();
    assert_eq!(counted.status, 200, "{counted}");
    let sell = async |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let message = sale(&format!("POS-{number}")).message("paid", THEN).unwrap();
            assert_eq!(system.send_till(&message).await.unwrap().status, 200);
        }
    };
    sell(0..40).await;
    settled(&system, 40).await;
    let before = books(&system).await;

    let folder = tempfile::tempdir().unwrap();
    let (database, archive) = (system.state().join(DATABASE), folder.path().join("events.db"));
    let files = (database.clone(), archive.clone());
    // Whatever is older than the newest event goes, again and again.
    let archiving = tokio::task::spawn_blocking(move || {
        let run = |_| Archive::open(&files.0, &files.1, 0).unwrap().run(7).unwrap();
        (0..20).map(run).sum::<usize>()
    });
    sell(40..80).await;
    let moved = archiving.await.unwrap();
    settled(&system, 80).await;
    assert!(moved > 40, "{moved}");

    let found = Books::open_with(&database, Some(&archive)).unwrap().violations().unwrap();
    assert_eq!(found.iter().map(|found| found.what).collect::<Vec<_>>(), Vec::<&str>::new());
    let after = books(&system).await;
    let old: Vec<&Value> = before["orders"].as_array().unwrap().iter().collect();
    for order in after["orders"].as_array().unwrap() {
        assert!(order["history"].as_array().is_some_and(|history| history.len() >= 2), "{order}");
        assert!(old.iter().all(|old| old["id"] != order["id"] || *old == order), "{order}");
    }
    assert_eq!(after["stock"]["reserved"], 80);
    assert_eq!(rows(&system, "dead_letter"), 0);
    assert_eq!(
        system.send_till(&sale("POS-3").message("paid", THEN).unwrap()).await.unwrap().json().unwrap()["status"],
        "duplicate"
    );
}
