//! Handovers of customers who are contacts at WeCom: its word on each counts.

use crate::support::{DAY, House, at, who};
use domain::{
    Activity, ActivityRecorded, Event, HandoverAnswer, HandoverAnswered, IdentityKind, RelationSide, UnixMs, Version,
};
use serde_json::{Value, json};

/// What WeCom tells of a contact and a member of staff.
fn told(contact: &str, staff: &str, at: UnixMs, activity: Activity) -> Event {
    Event::ActivityRecorded(ActivityRecorded {
        v: Version,
        source: "wecom".to_owned(),
        identities: vec![who(IdentityKind::WecomExternalUserId, contact)],
        hints: Vec::new(),
        channel: None,
        store: None,
        staff: Some(staff.to_owned()),
        at,
        activity,
    })
}

fn added(contact: &str, staff: &str, seconds: i64) -> Event {
    told(contact, staff, at(seconds), Activity::ContactAdded { code: None, half: false })
}

fn removed(contact: &str, staff: &str, seconds: i64) -> Event {
    told(contact, staff, at(seconds), Activity::ContactRemoved { by: RelationSide::Handover })
}

/// Customers who have added li at WeCom, as `wm0` and so on, and their ids.
async fn with_contacts(count: u8) -> (House, Vec<String>) {
    let house = House::open().await;
    let mut ids: Vec<String> = Vec::new();
    for number in 0..count {
        house.happened(vec![added(&format!("wm{number}"), "li", 0)]).await;
        let list = house.get("/v1/customers?limit=500").await;
        let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
        let new = list["items"].as_array().unwrap().iter().map(id).find(|id| !ids.contains(id));
        ids.push(new.unwrap());
    }
    (house, ids)
}

async fn hand_over(house: &House, kind: &str) -> Value {
    let body = json!({ "to": "wang", "kind": kind, "reason": "districts" });
    let (status, made) = house.call("POST", "/v1/staff/li/handovers", Some(body)).await;
    assert_eq!(status, 202, "{made}");
    made
}

/// WeCom's word on a customer.
async fn says(house: &House, made: &Value, customer: &str, answer: HandoverAnswer, error: Option<&str>) {
    let answered = HandoverAnswered {
        v: Version,
        handover_id: made["id"].as_str().unwrap().parse().unwrap(),
        customer_id: customer.parse().unwrap(),
        answer,
        error: error.map(str::to_owned),
        at: house.app.clock().now().await.unwrap(),
    };
    house.happened(vec![Event::HandoverAnswered(answered)]).await;
}

/// The handover's customers: state, reason and error by customer.
async fn states(house: &House, made: &Value) -> Vec<(String, Value, Value, Value)> {
    let found = house.get(&format!("/v1/handovers/{}?limit=500", made["id"].as_str().unwrap())).await;
    let one = |item: &Value| {
        let id = item["customer_id"].as_str().unwrap().to_owned();
        (id, item["state"].clone(), item["reason"].clone(), item["error"].clone())
    };
    found["items"].as_array().unwrap().iter().map(one).collect()
}

fn is(id: &str, state: &str, reason: Option<&str>, error: Option<&str>) -> (String, Value, Value, Value) {
    (id.to_owned(), json!(state), json!(reason), json!(error))
}

async fn relations(house: &House, id: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = house.get(&format!("/v1/customers/{id}/relations")).await;
    found["relations"].as_array().unwrap().iter().map(|one| (text(&one["staff"]), text(&one["state"]))).collect()
}

fn pair(staff: &str, state: &str) -> (String, String) {
    (staff.to_owned(), state.to_owned())
}

async fn advisor(house: &House, id: &str) -> Value {
    house.get(&format!("/v1/customers/{id}")).await["advisor"].clone()
}

#[tokio::test]
async fn contacts_wait_for_wecoms_word_and_the_others_for_nobodys() {
    let (house, ids) = with_contacts(4).await;
    let made = hand_over(&house, "on_the_job").await;
    assert_eq!(made["counts"], json!({ "total": 4, "waiting": 0, "asked": 4, "moved": 0, "kept": 0, "refused": 0 }));
    let begun = house.column("select data as v from event where type = 'handover.begun'").await;
    let begun: Value = serde_json::from_str(&begun[0]).unwrap();
    assert_eq!((&begun["from"], &begun["to"], &begun["resigned"]), (&json!("li"), &json!("wang"), &json!(false)));
    assert_eq!(begun["customer_ids"].as_array().unwrap().len(), 4);
    house.wait_until(DAY).await;
    assert_eq!(made["ended_at"], Value::Null);
    assert!(states(&house, &made).await.iter().all(|one| one.1 == "asked"), "no time makes WeCom's word");

    // One has the other already, as callbacks tell before the word comes; one was told of by the word only.
    house.happened(vec![removed("wm0", "li", DAY), added("wm0", "wang", DAY)]).await;
    says(&house, &made, &ids[0], HandoverAnswer::Accepted, None).await;
    says(&house, &made, &ids[1], HandoverAnswer::Accepted, None).await;
    says(&house, &made, &ids[2], HandoverAnswer::ByCustomer, None).await;
    says(&house, &made, &ids[2], HandoverAnswer::Accepted, None).await;
    says(&house, &made, &ids[3], HandoverAnswer::ByPlatform, Some("40097 has not left yet")).await;
    let mut expected = vec![
        is(&ids[0], "moved", None, None),
        is(&ids[1], "moved", None, None),
        is(&ids[2], "refused", Some("by_customer"), None),
        is(&ids[3], "refused", Some("by_platform"), Some("40097 has not left yet")),
    ];
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(states(&house, &made).await, expected);
    for moved in &ids[..2] {
        assert_eq!(relations(&house, moved).await, [pair("wang", "added"), pair("li", "lost")]);
        assert_eq!(advisor(&house, moved).await, "wang");
        assert_eq!(house.get(&format!("/v1/customers/{moved}")).await["stage"], "contact", "nobody is lost by that");
    }
    for kept in &ids[2..] {
        assert_eq!(relations(&house, kept).await, [pair("li", "added")]);
        assert_eq!(advisor(&house, kept).await, "li");
    }
    let found = house.get(&format!("/v1/handovers/{}", made["id"].as_str().unwrap())).await;
    assert_eq!(found["ended_at"], at(DAY).to_string());
}

#[tokio::test]
async fn who_is_none_of_wecoms_goes_by_our_own_rules_when_it_is_due() {
    let (house, ids) = with_contacts(1).await;
    let made = hand_over(&house, "resignation").await;
    says(&house, &made, &ids[0], HandoverAnswer::NotThere, None).await;
    assert_eq!(states(&house, &made).await, [is(&ids[0], "waiting", None, None)]);
    house.wait_until(DAY - 1).await;
    assert_eq!(states(&house, &made).await, [is(&ids[0], "waiting", None, None)]);
    house.wait_until(DAY).await;
    assert_eq!(states(&house, &made).await, [is(&ids[0], "moved", None, None)]);
}

#[tokio::test]
async fn a_third_one_who_advises_goes_on_and_who_knew_the_receiver_is_kept() {
    let (house, ids) = with_contacts(2).await;
    house.call("PATCH", &format!("/v1/customers/{}", ids[0]), Some(json!({ "advisor": "boss" }))).await;
    house.happened(vec![added("wm1", "wang", 5)]).await;
    house.wait_until(60).await;
    let made = hand_over(&house, "on_the_job").await;
    house.happened(vec![removed("wm0", "li", 70), added("wm0", "wang", 71), removed("wm1", "li", 72)]).await;
    says(&house, &made, &ids[0], HandoverAnswer::Accepted, None).await;
    says(&house, &made, &ids[1], HandoverAnswer::Accepted, None).await;
    let mut expected = vec![is(&ids[0], "moved", None, None), is(&ids[1], "kept", None, None)];
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(states(&house, &made).await, expected);
    assert_eq!(advisor(&house, &ids[0]).await, "boss");
    assert_eq!(advisor(&house, &ids[1]).await, "wang");
}

#[tokio::test]
async fn nobody_refuses_here_what_wecom_is_asking() {
    let (house, ids) = with_contacts(1).await;
    let made = hand_over(&house, "on_the_job").await;
    let path = format!("/v1/handovers/{}/refuse", made["id"].as_str().unwrap());
    let (status, body) = house.call("POST", &path, Some(json!({ "customer_id": ids[0] }))).await;
    assert_eq!((status.as_u16(), body["type"].as_str().unwrap().contains("asked")), (409, true), "{body}");
    for (kind, message, status) in [
        ("resignation", "bye".to_owned(), 422),
        ("on_the_job", String::new(), 422),
        ("on_the_job", "长".repeat(201), 422),
        ("on_the_job", "长".repeat(200), 202),
    ] {
        let body = json!({ "to": "zhao", "kind": kind, "reason": "x", "message": message });
        assert_eq!(house.call("POST", "/v1/staff/li/handovers", Some(body)).await.0, status, "{kind} {message}");
    }
}
