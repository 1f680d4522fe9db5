//! Who scans in a store, buys on Douyin and Taobao, views a product three times and comments in a live room is one customer, with the
//! right tags and their reasons.

use serde_json::{Value, json};
use siyu_tests::marketplace;
use siyu_tests::person;
use siyu_tests::system::System;
use std::time::Duration;

use crate::database::{assert_sound, is_settled};
use crate::fixtures::PATIENCE;

/// For how long a call to a platform is left to the one who makes it.
const LEASE: Duration = Duration::from_secs(120);

async fn started() -> System {
    let taobao = marketplace::others().into_iter().filter(|dialect| dialect.name() == "taobao").collect();
    let system = System::start_on(taobao, 1, |setup| setup).await.unwrap();
    system.connect(&system.others[0]).await.unwrap();
    person::prepare(&system).await.unwrap();
    system
}

fn tags(found: &Value) -> Vec<&str> {
    let mut tags: Vec<_> = found["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    tags.sort_unstable();
    tags
}

async fn one_customer(system: &System, patience: Duration) -> Value {
    let complete = async |system: &System| {
        let Some(found) = person::found(system).await? else { return Ok(None) };
        let orders = found["orders"]["count"] == 2;
        Ok((orders && is_settled(system) && tags(&found).len() >= person::TAGS.len()).then_some(found))
    };
    match system.wait_for("one customer with all tags", patience, complete).await {
        Ok(found) => found,
        Err(error) => panic!("{error}: {:#}", person::found(system).await.unwrap().unwrap_or_default()),
    }
}

#[tokio::test]
async fn one_person_on_five_channels_is_one_customer_with_tags_and_reasons() {
    let system = started().await;
    person::play(&system, &system.others[0]).await.unwrap();
    let found = one_customer(&system, PATIENCE).await;
    assert_eq!(tags(&found), person::TAGS);
    for tag in found["tags"].as_array().unwrap() {
        assert!(tag["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()), "{tag:#}");
    }
    assert_eq!(
        found["orders"],
        json!({ "count": 2, "paid": 7_960, "refunded": 0,
        "first_paid_at": found["orders"]["first_paid_at"], "last_paid_at": found["orders"]["last_paid_at"] })
    );
    assert_eq!(
        (&found["stage"], &found["store"], &found["name"]),
        (&json!("repeat_buyer"), &json!(person::STORE), &json!("虚*"))
    );
    assert_eq!(found["identities"].as_array().unwrap().len(), 4);
    assert_eq!(found["advisor"], person::ADVISOR);
    let welcomes = system.wecom.welcomes(&person::her());
    assert_eq!(welcomes.len(), 1, "{welcomes:?}");
    assert!(welcomes[0].after < Duration::from_secs(20), "{welcomes:?}");
    assert_eq!(found["features"]["orders.count.30d"], 2);
    assert_eq!(found["features"]["orders.amount.30d"], 7_960);

    let id = found["id"].as_str().unwrap();
    let timeline =
        system.client.pages(&system.host.at(&format!("/v1/customers/{id}/timeline?limit=500"))).await.unwrap();
    let kinds: Vec<_> = timeline.iter().filter_map(|entry| entry["summary"]["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "page_viewed").count(), 3, "{kinds:?}");
    assert!(kinds.contains(&"live_commented") && kinds.contains(&"contact_added"), "{kinds:?}");
    let paid = timeline.iter().filter(|entry| entry["type"] == "order.paid").count();
    assert_eq!(paid, 2);

    let paid = &found["orders"]["paid"];
    let in_report = async |system: &System| {
        let row = person::roi(system).await?;
        Ok(row.filter(|row| row["revenue"] == *paid))
    };
    let row = system.wait_for("both orders in the store's ROI", PATIENCE, in_report).await.unwrap();
    assert_eq!((&row["adds"], &row["cost"], &row["first_orders"]), (&json!(1), &json!(person::COST), &json!(1)));

    let own = system.client.get(&system.host.at(&format!("/v1/customers/{id}/tags"))).await.unwrap();
    assert_eq!(own.status, 200, "{own}");
    let condition = json!({ "feature": "orders.count.30d", "op": ">=", "value": 2 });
    let segment = json!({ "name": "买过两次", "condition": condition });
    let made = system.client.json("POST", &system.host.at("/v1/segments"), &segment).await.unwrap();
    assert_eq!(made.status, 201, "{made}");
    let segment = made.json().unwrap()["id"].as_str().unwrap().to_owned();
    let in_it = async |system: &System| {
        let list = system.client.pages(&system.host.at(&format!("/v1/customers?segment={segment}"))).await?;
        Ok((list.len() == 1).then_some(list))
    };
    let list = system.wait_for("the segment to be filled", PATIENCE, in_it).await.unwrap();
    assert_eq!(list[0]["id"], id);
}

#[tokio::test]
async fn a_power_cut_in_the_middle_leaves_the_same_customer() {
    let mut system = started().await;
    person::play(&system, &system.others[0]).await.unwrap();
    system = system.crash_and_restart().unwrap();
    // Calls that were on their way are made again when their lease is over.
    let found = one_customer(&system, PATIENCE + LEASE).await;
    assert_eq!(tags(&found), person::TAGS);
    assert_sound(&system);
    let dead = system.client.pages(&system.host.at("/v1/events/dead-letters")).await.unwrap();
    assert_eq!(dead, Vec::<Value>::new());
}
