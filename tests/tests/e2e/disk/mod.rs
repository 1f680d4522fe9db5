//! A disk that is full, slow, or taken by another process; [`points`] and [`tails`]: one that goes.

mod points;
mod tails;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use siyu_tests::disk::Disk;
use siyu_tests::http::Answer;
use siyu_tests::merchant::tills::Message;
use siyu_tests::system::{DATABASE, System};

use crate::database::{assert_sound, is_settled, rows};
use crate::fixtures::{PATIENCE, THEN, assert_problem, sale};

/// Messages at the same time.
const TOGETHER: usize = 8;

/// The application on a disk, which has a thousand cups.
async fn start(disk: &Disk) -> System {
    let system = System::start_with(|setup| disk.under(setup)).await.unwrap();
    count(&system).await;
    system
}

async fn count(system: &System) {
    let url = system.host.at("/v1/stock/CUP-1");
    let answer = system.client.json("PUT", &url, &json!({"on_hand": 1_000})).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
}

/// Sales of a cup each, by a name of their round.
fn sales(round: &str, count: usize) -> Vec<Message> {
    (0..count).map(|number| sale(&format!("POS-{round}-{number}")).message("paid", THEN).unwrap()).collect()
}

async fn send(system: &System, messages: &[Message]) -> Vec<Answer> {
    join_all(messages.iter().map(|message| async move { system.send_till(message).await.unwrap() })).await
}

async fn take(system: &System, messages: &[Message]) {
    for answer in send(system, messages).await {
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.json().unwrap()["status"], "accepted", "{answer}");
    }
}

/// All is consumed, and each of so many sales has taken its cup once.
async fn assert_sold(system: &System, cups: usize) {
    let settled = async |system: &System| Ok(is_settled(system).then_some(()));
    system.wait_for("the log to be consumed", PATIENCE, settled).await.unwrap();
    assert_sound(system);
    assert_eq!(system.orders().await.unwrap().len(), cups);
    let stock = system.client.get(&system.host.at("/v1/stock/CUP-1")).await.unwrap();
    assert_eq!(stock.json().unwrap()["reserved"], cups, "{stock}");
    assert_eq!(rows(system, "dead_letter"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_nothing_loses_nothing_and_is_forgotten_when_there_is_room() {
    let disk = Disk::new().unwrap();
    let system = start(&disk).await;
    take(&system, &sales("before", 20)).await;
    // Consumers are in the middle of it, and try for longer than an event is tried before it is set aside.
    disk.set_full(true).unwrap();
    let full = Instant::now();
    let (mut refused, kept) = (Vec::new(), rows(&system, "inbox"));
    for round in 0.. {
        let messages = sales(&format!("full-{round}"), TOGETHER);
        for answer in send(&system, &messages).await {
            assert_problem(&answer, 503);
            assert_ne!(answer.header("retry-after"), "", "{answer}");
        }
        refused.extend(messages);
        if full.elapsed() > Duration::from_secs(6) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(rows(&system, "inbox"), kept, "nothing is kept of what was refused");
    assert_eq!(system.orders().await.unwrap().len(), 20, "what is there can be read");
    assert_sound(&system);
    disk.set_full(false).unwrap();
    take(&system, &refused).await;
    assert_sold(&system, 20 + refused.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk_delays_and_does_nothing_else() {
    let disk = Disk::new().unwrap();
    let system = start(&disk).await;
    disk.set_slow(Duration::from_millis(30)).unwrap();
    for round in ["a", "b", "c"] {
        take(&system, &sales(round, TOGETHER)).await;
    }
    assert_sold(&system, 3 * TOGETHER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_another_process_keeps_the_database_senders_are_asked_to_come_again() {
    let system = System::start().await.unwrap();
    count(&system).await;
    take(&system, &sales("before", TOGETHER)).await;
    let other = rusqlite::Connection::open(system.state().join(DATABASE)).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let messages = sales("meanwhile", TOGETHER);
    for answer in send(&system, &messages).await {
        assert_problem(&answer, 503);
        assert_ne!(answer.header("retry-after"), "", "{answer}");
    }
    assert_eq!(system.orders().await.unwrap().len(), TOGETHER, "what is there can be read");
    other.execute_batch("rollback").unwrap();
    take(&system, &messages).await;
    assert_sold(&system, 2 * TOGETHER).await;
}
