//! Time that stands still until it is moved: what would take days is tried in a moment.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use siyu_tests::http::Answer;
use siyu_tests::marketplace::server::Trouble;
use siyu_tests::system::System;

use crate::fixtures::{PATIENCE, THEN, assert_problem, basket, push};

async fn set_clock(system: &System, to: Timestamp) -> Answer {
    system.client.json("POST", &system.host.at("/v1/clock"), &json!({"now": format!("{to:.3}")})).await.unwrap()
}

#[tokio::test]
async fn the_host_s_clock_cannot_be_moved() {
    let system = System::start().await.unwrap();
    assert_problem(&set_clock(&system, Timestamp::now()).await, 409);
}

#[tokio::test]
async fn a_timer_fires_when_the_virtual_clock_passes_it_and_not_before() {
    let system = System::start_with(|setup| setup.variable("clock", "virtual")).await.unwrap();
    system.platform.trouble(Trouble { server_errors: u32::MAX, ..Trouble::default() });
    system.platform.shop(|shop| shop.place(basket(), THEN));
    push(&system, &system.platform.untold()).await;
    let answer = system.client.get(&system.host.at("/v1/clock")).await.unwrap();
    let now: Timestamp = answer.json().unwrap()["now"].as_str().unwrap().parse().unwrap();
    let created =
        async |system: &System| Ok(system.events().await?.into_iter().find(|event| event["type"] == "order.created"));

    // The full record is waited for five seconds.
    let moved = set_clock(&system, now.checked_add(SignedDuration::from_millis(4_900)).unwrap()).await;
    assert_eq!(moved.status, 200, "{moved}");
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await; // One tick of the host, and more.
    assert!(created(&system).await.unwrap().is_none(), "not yet");
    let moved = set_clock(&system, now.checked_add(SignedDuration::from_secs(6)).unwrap()).await;
    assert_eq!(moved.status, 200, "{moved}");
    let event = system.wait_for("order.created without the record", PATIENCE, created).await.unwrap();
    assert_eq!(event["data"]["order"]["complete"], false);
    assert_problem(&set_clock(&system, now).await, 409);
}
