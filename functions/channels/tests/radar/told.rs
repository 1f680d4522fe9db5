//! What the log and the advisor are told.

use crate::support::*;
use serde_json::{Value, json};

#[tokio::test]
async fn a_visit_of_a_known_customer_is_told_once_when_it_is_over() {
    let house = House::open().await;
    let content = house.content(&json!({ "product": "TEA-1" })).await;
    let token = house.share(&content, json!({ "staff": "s-1", "identity": contact("anna") })).await;
    let visit = house.visit("GET", &token, None).await.visit();
    let did = house.did().await;
    assert_eq!(did.len(), 1);
    assert_eq!(did[0]["activity"], json!({ "kind": "link_opened", "link": content }));
    assert_eq!(
        (&did[0]["staff"], &did[0]["store"], &did[0]["channel"]),
        (&json!("s-1"), &json!("/east"), &Value::Null)
    );
    assert_eq!(did[0]["identities"], json!([contact("anna")]));
    for (second, dwell) in [(10, 10_000), (70, 65_000)] {
        house.wait_until(second).await;
        house.tell(&token, "beacon", &json!({ "visit": visit, "dwell_ms": dwell, "depth_percent": 80 })).await;
        assert_eq!(house.did().await.len(), 1, "it is being read still");
    }
    house.wait_until(189).await;
    assert_eq!(house.did().await.len(), 1);
    house.wait_until(190).await;
    let left = json!({ "kind": "link_left", "link": content, "dwell_ms": 65_000, "depth_percent": 80 });
    let did = house.did().await;
    assert_eq!((did.len(), &did[1]["activity"], &did[1]["at"]), (2, &left, &json!(at(70).to_string())));
    // Read on after a pause: the figures grow, the log has been told.
    house.tell(&token, "beacon", &json!({ "visit": visit, "dwell_ms": 90_000 })).await;
    house.wait_until(1_000).await;
    assert_eq!(house.did().await.len(), 2);
    assert_eq!(house.get(&format!("/v1/contents/{content}/visits")).await["items"][0]["dwell_ms"], 90_000);
}

#[tokio::test]
async fn the_third_visit_is_told_once_however_many_come_at_once() {
    let house = House::open().await;
    let content = house.content(&json!({})).await;
    let token = house.share(&content, json!({ "staff": "s-1", "identity": contact("anna") })).await;
    let told = async || house.column("select data as v from event where type = 'content.revisited'").await;
    let visit = || house.visit("GET", &token, None);
    visit().await;
    visit().await;
    assert!(told().await.is_empty());
    let (_, _, _, _) = tokio::join!(visit(), visit(), visit(), visit());
    visit().await;
    let event: Value = serde_json::from_str(&told().await.remove(0)).unwrap();
    assert_eq!((told().await.len(), &event["times"], &event["staff"]), (1, &json!(3), &json!("s-1")));
    let calls = house.column("select request as v from outbox where operation = 'message_staff'").await;
    assert_eq!(calls.len(), 1);
    assert!(calls[0].contains("春茶图鉴") && calls[0].contains("s-1") && !calls[0].contains("anna"), "{}", calls[0]);
    // Another content is another matter.
    let other = house.content(&json!({})).await;
    let token = house.share(&other, json!({ "identity": contact("anna") })).await;
    for _ in 0..3 {
        house.visit("GET", &token, None).await;
    }
    assert_eq!(told().await.len(), 2);
    let calls = house.column("select request as v from outbox where operation = 'message_staff'").await;
    assert_eq!(calls.len(), 1, "nobody shared it, and nobody advises her");
}

#[tokio::test]
async fn one_person_by_two_identities_comes_back_once() {
    let house = House::open().await;
    house.write("insert into channel_person (kind, scope, value, customer) values ('wecom_external_user_id', '', 'a1', '00000000-0000-7000-8000-000000000001'), ('wecom_external_user_id', '', 'a2', '00000000-0000-7000-8000-000000000001')").await;
    let content = house.content(&json!({})).await;
    let one = house.share(&content, json!({ "staff": "s-1", "identity": contact("a1") })).await;
    let two = house.share(&content, json!({ "staff": "s-1", "identity": contact("a2") })).await;
    for token in [&one, &two, &one, &two, &two] {
        house.visit("GET", token, None).await;
    }
    assert_eq!(house.column("select id as v from event where type = 'content.revisited'").await.len(), 1);
    let calls = house.column("select request as v from outbox where operation = 'message_staff'").await;
    assert!(calls.len() == 1 && calls[0].contains("00000000-0000-7000-8000-000000000001"));
}

#[tokio::test]
async fn the_first_browser_of_a_customers_own_link_is_that_customers() {
    let house = House::open().await;
    let content = house.content(&json!({})).await;
    let annas = house.share(&content, json!({ "identity": contact("anna") })).await;
    let bertas = house.share(&content, json!({ "identity": contact("berta") })).await;
    let open = house.share(&content, json!({ "staff": "s-2" })).await;
    let cookie = house.visit("GET", &annas, None).await.cookie().unwrap();
    let stranger = house.visit("GET", &open, None).await.cookie().unwrap();
    house.visit("GET", &open, Some(&cookie)).await;
    // Berta's link, passed on by hand before she opened it, is no reason to take Anna for her.
    house.visit("GET", &bertas, Some(&cookie)).await;
    house.visit("GET", &open, Some(&stranger)).await;
    let who: Vec<_> = house.did().await.iter().map(|did| did["identities"][0]["value"].clone()).collect();
    assert_eq!(who, ["anna", "anna", "anna"]);
    assert_eq!(house.column("select cast(count(*) as text) as v from content_visit where kind is null").await, ["2"]);
}
