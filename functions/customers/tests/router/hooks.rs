//! The open door.

use crate::support::{House, at, event};
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

#[tokio::test]
async fn an_event_is_taken_once_and_stands_in_the_timeline() {
    let house = House::open().await;
    let viewed = event("e-1", "page.viewed", "oUnion-0001", json!({ "product": "P1", "dwell_ms": 1_200 }));
    let (status, taken) = house.tell(&viewed).await;
    assert_eq!((status.as_u16(), &taken["events"][0]["status"]), (200, &json!("accepted")));
    // The same event with other words is the same event.
    let mut again = viewed;
    again["data"]["what"]["dwell_ms"] = json!(9);
    let (status, taken) = house.tell(&again).await;
    assert_eq!((status.as_u16(), &taken["events"][0]["status"]), (200, &json!("duplicate")));
    house.consume().await;
    let found = house.only_customer().await;
    assert_eq!(found["identities"][0]["value"], "oU****01");
    let timeline = house.get(&format!("/v1/customers/{}/timeline", found["id"].as_str().unwrap())).await;
    assert_eq!(timeline["items"].as_array().unwrap().len(), 1);
    let entry = &timeline["items"][0];
    assert_eq!((&entry["type"], &entry["summary"]["dwell_ms"]), (&json!("activity.recorded"), &json!(1_200)));
    assert_eq!(entry["at"], at(0).to_string());
}

#[tokio::test]
async fn each_event_of_a_batch_stands_for_itself() {
    let house = House::open().await;
    let batch = json!([
        event("e-1", "page.viewed", "u-1", json!({})),
        event("e-2", "robot.danced", "u-1", json!({})),
        event("e-3", "page.viewed", "u-1", json!({ "dwell": 1 })),
        event("e-4", "menu.dwelled", "u-1", json!({ "dwell_ms": 31_000 })),
    ]);
    let (status, problem) = house.tell(&batch).await;
    assert_eq!((status.as_u16(), problem["type"].as_str()), (422, Some("/problems/events-unusable")));
    let statuses: Vec<_> = problem["events"].as_array().unwrap().iter().map(|event| event["status"].clone()).collect();
    assert_eq!(statuses, ["accepted", "kept", "unusable", "accepted"]);
    assert!(problem["events"][2]["reason"].as_str().unwrap().contains("unknown field `dwell`"));
    assert_eq!(house.column("select reason as v from inbox_quarantine order by reason").await, ["kept", "unusable"]);
    // Sent again after the change, the others are known.
    let mut mended = batch;
    mended[2]["data"]["what"] = json!({ "dwell_ms": 1 });
    let (status, taken) = house.tell(&mended).await;
    assert_eq!(status, 200);
    let statuses: Vec<_> = taken["events"].as_array().unwrap().iter().map(|event| event["status"].clone()).collect();
    assert_eq!(statuses, ["duplicate", "kept", "accepted", "duplicate"]);
}

#[tokio::test]
async fn what_is_not_signed_leaves_nothing() {
    let house = House::open().await;
    let body = event("e-1", "page.viewed", "u-1", json!({})).to_string();
    let forged = Request::post("/hooks/events")
        .header("webhook-id", "m-1")
        .header("webhook-timestamp", at(0).seconds())
        .header("webhook-signature", "v1,Zm9yZ2Vk")
        .body(Body::from(body))
        .unwrap();
    let (status, problem) = house.send(forged).await;
    assert_eq!((status.as_u16(), problem["type"].as_str()), (401, Some("/problems/unauthorized")));
    for table in ["event", "inbox", "inbox_quarantine"] {
        assert_eq!(house.column(&format!("select count(*) || '' as v from {table}")).await, ["0"], "{table}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_kept_and_answered() {
    let house = House::open().await;
    let (status, problem) = house.tell(&json!([])).await;
    assert_eq!(status, 422);
    assert!(problem["events"][0]["reason"].as_str().unwrap().contains("1 to 500"), "{problem}");
    assert_eq!(house.column("select source as v from inbox_quarantine").await, ["events"]);
}

#[tokio::test]
async fn a_verified_phone_joins_and_one_that_is_not_only_hints() {
    let house = House::open().await;
    let with_phone = |id: &str, unionid: &str, verified: bool| {
        let mut event = event(id, "form.submitted", unionid, json!({ "form": "f", "fields": {} }));
        event["data"]["who"]["phone"] = json!("138 0000 0001");
        event["data"]["who"]["phone_verified"] = json!(verified);
        event
    };
    house.told(&with_phone("e-1", "u-1", true)).await;
    house.told(&with_phone("e-2", "u-2", false)).await;
    assert_eq!(house.partition().await.len(), 2);
    let found = house.get("/v1/customers?phone=13800000001").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "found by the whole number");
    let id = found["items"][0]["id"].as_str().unwrap();
    let found = house.get(&format!("/v1/customers/{id}")).await;
    let phones: Vec<&Value> =
        found["identities"].as_array().unwrap().iter().filter(|one| one["kind"] == "phone_hash").collect();
    assert_eq!(phones[0]["value"], "+86*******0001");
    assert_eq!(found["suggestions"][0]["kind"], "phone_hash");
    assert_ne!(found["suggestions"][0]["customer_id"], found["id"]);
}

#[tokio::test]
async fn keywords_are_heard_and_words_stay_sealed() {
    let house = House::open().await;
    let (status, body) = house.call("PUT", "/v1/keywords", Some(json!({ "words": ["Price", "多少钱"] }))).await;
    assert_eq!(status, 200, "{body}");
    house
        .told(&event("e-1", "live.commented", "u-1", json!({ "room": "r", "text": "What PRICE? 我的电话13800000001" })))
        .await;
    let event = house.column("select data as v from event where type = 'activity.recorded'").await.remove(0);
    assert!(event.contains(r#""keywords":["Price"]"#) && !event.contains("13800000001"), "{event}");
    let dump = house.column("select hex(sealed) as v from intake").await.remove(0);
    assert!(!dump.contains(&hex("13800000001")));
    let id = house.only_customer().await["id"].as_str().unwrap().to_owned();
    let timeline = house.get(&format!("/v1/customers/{id}/timeline")).await;
    assert_eq!(timeline["items"][0]["texts"]["text"], "What PRICE? 我的电话13800000001", "the first token may read it");
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}
