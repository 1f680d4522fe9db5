//! The power goes: the host is killed under load. What was acknowledged is there once, and has had its effect once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use siyu_tests::http::Client;
use siyu_tests::merchant::tills::Message;
use siyu_tests::system::{System, WEBHOOK_SECRET};

use crate::database::{assert_sound, is_settled, number, rows};
use crate::fixtures::{PATIENCE, THEN, basket, push, sale};

/// Clients at the same time.
const SENDERS: usize = 32;
/// How long there is load before the power goes.
const LOAD: Duration = Duration::from_millis(1500);
/// For how long a call belongs to who has claimed it, and died.
const LEASE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_a_crash_is_there_once_and_every_event_is_consumed_once() {
    let mut system = System::start().await.unwrap();
    stock(&system, 1_000_000).await;
    // Some orders whose records are being fetched while the power goes.
    for _ in 0..50 {
        system.platform.shop(|shop| {
            let id = shop.place(basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
        });
    }
    push(&system, &system.platform.untold()).await;

    let acknowledged: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let power = Arc::new(AtomicBool::new(true));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (acknowledged, power) = (Arc::clone(&acknowledged), Arc::clone(&power));
            tokio::spawn(send_until_it_fails(system.orders_hook(), sender, acknowledged, power))
        })
        .collect();
    tokio::time::sleep(LOAD).await;
    system = system.crash_and_restart().unwrap();
    power.store(false, Ordering::Relaxed);
    let mut sent = 0;
    for sender in senders {
        sent += sender.await.unwrap();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(acknowledged.len() > SENDERS, "there was load: {}", acknowledged.len());

    let settled = async |system: &System| {
        let orders = system.orders().await?;
        Ok((orders.iter().all(|order| order["complete"] == true) && is_settled(system)).then_some(orders))
    };
    // Calls that were under way are made again when their lease has lapsed, after two minutes.
    let orders = system.wait_for("the log to be consumed", LEASE + PATIENCE, settled).await.unwrap();
    assert_sound(&system);
    let own: Vec<_> = orders.iter().filter(|order| order["platform"] == "own").collect();
    let found: BTreeSet<_> = own.iter().map(|order| order["platform_order_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found.len(), own.len(), "no order is there twice");
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged messages are lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(found.len() <= sent, "nothing is there that was not sent");
    assert_eq!(orders.len() - own.len(), 50, "the platform's orders have survived, too");

    // Every step was announced once, and every event was applied once: each sale has reserved its one cup.
    for kind in ["order.created", "order.paid"] {
        let doubled = format!(
            "select count(*) from (select subject from event where type = '{kind}' group by subject having count(*) > 1)"
        );
        assert_eq!(number(&system, &doubled), 0, "{kind} twice about one order");
        let events = number(&system, &format!("select count(*) from event where type = '{kind}'"));
        assert_eq!(usize::try_from(events).unwrap(), orders.len(), "{kind} of every order");
    }
    let reserved = number(&system, "select reserved from stock where sku = 'CUP-1'");
    assert_eq!(usize::try_from(reserved).unwrap(), own.len());
    assert_eq!(rows(&system, "dead_letter"), 0);

    // What was not acknowledged is sent again, as every sender does; nothing changes for what was.
    for id in &acknowledged {
        let answer = system.send_till(&message(id)).await.unwrap();
        assert_eq!(answer.json().unwrap()["status"], "duplicate", "{id}: {answer}");
    }
}

/// The message about one paid cup.
fn message(order_id: &str) -> Message {
    sale(order_id).message("paid", THEN).unwrap()
}

/// Send one sale after the other; returns how many were sent.
async fn send_until_it_fails(
    url: String,
    sender: usize,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    power: Arc<AtomicBool>,
) -> usize {
    let client = Client::new();
    let mut sent = 0;
    while power.load(Ordering::Relaxed) {
        let order_id = format!("POS-{sender:02}-{sent:06}");
        let (headers, body) = message(&order_id).signed(WEBHOOK_SECRET, Timestamp::now().as_second()).unwrap();
        sent += 1;
        match client.send("POST", &url, &headers, body).await {
            Ok(answer) if answer.status == 200 => {
                acknowledged.lock().unwrap().insert(order_id);
            }
            Ok(answer) => panic!("{answer}"),
            Err(_) => break,
        }
    }
    sent
}

async fn stock(system: &System, on_hand: i64) {
    for sku in ["CUP-1", "TEA-A", "TEA-B"] {
        let url = system.host.at(&format!("/v1/stock/{sku}"));
        let answer = system.client.json("PUT", &url, &json!({"on_hand": on_hand})).await.unwrap();
        assert_eq!(answer.status, 200, "{answer}");
    }
}
