//! Profiles: fields, values, names, consent.

use crate::support::{House, at, event};
use serde_json::{Value, json};

async fn with_fields(house: &House) {
    for (name, field) in [
        ("pregnancy_week", json!({ "label": "孕周", "type": "number", "minimum": 0, "maximum": 42 })),
        ("formula_brand", json!({ "label": "奶粉品牌", "type": "choice", "choices": ["A", "B"] })),
        ("note", json!({ "label": "备注", "type": "text" })),
    ] {
        let (status, body) = house.call("PUT", &format!("/v1/profile-fields/{name}"), Some(field)).await;
        assert_eq!(status, 200, "{body}");
    }
}

async fn attributes(house: &House) -> Vec<(String, Value)> {
    let found = house.only_customer().await;
    let attributes = found["attributes"].as_array().unwrap();
    attributes.iter().map(|one| (one["field"].as_str().unwrap().to_owned(), one["value"].clone())).collect()
}

fn told(id: &str, seconds: i64, attributes: Value) -> Value {
    let mut event = event(id, "form.submitted", "u-1", json!({ "form": "f", "fields": {} }));
    event["time"] = json!(at(seconds).to_string());
    event["data"]["attributes"] = attributes;
    event
}

#[tokio::test]
async fn values_are_checked_and_the_newest_counts_whatever_arrives_last() {
    let house = House::open().await;
    with_fields(&house).await;
    house.told(&told("e-1", -10, json!({ "pregnancy_week": 20, "formula_brand": "A", "note": "张三's wish" }))).await;
    house.told(&told("e-2", -30, json!({ "pregnancy_week": 12 }))).await;
    let expected = [("formula_brand", json!("A")), ("note", json!("张三's wish")), ("pregnancy_week", json!(20))];
    assert_eq!(attributes(&house).await, expected.map(|(field, value)| (field.to_owned(), value)));
    let events = house.column("select data ->> 'field' || '=' || coalesce(data ->> 'value', 'sealed') as v from event where type = 'customer.attribute_changed' order by seq").await;
    assert_eq!(events, ["formula_brand=A", "note=sealed", "pregnancy_week=20"], "the older value changes nothing");
    let everything = house.column("select group_concat(data) as v from event").await.remove(0);
    assert!(!everything.contains("张三"));

    for (attributes, said) in [
        (json!({ "pregnancy_week": 43 }), "outside 0 to 42"),
        (json!({ "formula_brand": "C" }), "none of A, B"),
        (json!({ "shoe_size": 40 }), "no such field"),
    ] {
        let (status, problem) = house.tell(&told(&format!("x-{said}"), 0, attributes)).await;
        assert_eq!(status, 422);
        assert!(problem["events"][0]["reason"].as_str().unwrap().contains(said), "{problem}");
    }
}

#[tokio::test]
async fn staff_change_a_profile_and_take_values_away() {
    let house = House::open().await;
    with_fields(&house).await;
    house.told(&told("e-1", -10, json!({ "pregnancy_week": 20 }))).await;
    let id = house.only_customer().await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/customers/{id}");
    let change = json!({ "name": "欧阳小明", "store": "/east/shanghai-01", "advisor": "G-07",
        "attributes": { "pregnancy_week": null, "formula_brand": "B" } });
    assert_eq!(house.call("PATCH", &path, Some(change)).await.0, 204);
    let found = house.get(&path).await;
    assert_eq!(
        (&found["name"], &found["store"], &found["advisor"]),
        (&json!("欧*"), &json!("/east/shanghai-01"), &json!("G-07"))
    );
    assert_eq!(attributes(&house).await, [("formula_brand".to_owned(), json!("B"))]);
    for (change, status) in [
        (json!({ "attributes": { "pregnancy_week": 50 } }), 422),
        (json!({ "store": "east" }), 422),
        (json!({ "name": " " }), 422),
        (json!({ "nickname": "x" }), 400),
    ] {
        assert_eq!(house.call("PATCH", &path, Some(change.clone())).await.0, status, "{change}");
    }
    for (name, found) in [("欧", 1), ("欧阳", 1), ("欧阳小明", 1), ("阳", 0)] {
        let name: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let list = house.get(&format!("/v1/customers?name={name}")).await;
        assert_eq!(list["items"].as_array().unwrap().len(), found, "{name}");
    }
}

#[tokio::test]
async fn the_type_of_a_field_stays_and_a_retired_one_takes_nothing() {
    let house = House::open().await;
    with_fields(&house).await;
    let flag = json!({ "label": "x", "type": "flag" });
    assert_eq!(house.call("PUT", "/v1/profile-fields/note", Some(flag.clone())).await.0, 409);
    assert_eq!(house.call("PUT", "/v1/profile-fields/Bad-Name", Some(flag)).await.0, 422);
    assert_eq!(house.call("DELETE", "/v1/profile-fields/note", None).await.0, 204);
    assert_eq!(house.call("DELETE", "/v1/profile-fields/note", None).await.0, 404);
    assert_eq!(house.tell(&told("e-1", 0, json!({ "note": "x" }))).await.0, 422);
    assert_eq!(house.get("/v1/profile-fields").await["fields"].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn consents_are_kept_and_the_newest_stands() {
    let house = House::open().await;
    house.told(&told("e-1", 0, json!({}))).await;
    let id = house.only_customer().await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/customers/{id}/consents");
    let say = |granted: bool| json!({ "purpose": "marketing", "granted": granted, "source": "form f" });
    assert_eq!(house.call("POST", &path, Some(say(true))).await.0, 204);
    house.wait_until(60).await;
    assert_eq!(house.call("POST", &path, Some(say(false))).await.0, 204);
    assert_eq!(house.call("POST", &path, Some(json!({ "purpose": " ", "granted": true, "source": "x" }))).await.0, 422);
    let consents = house.only_customer().await["consents"].clone();
    assert_eq!(consents.as_array().unwrap().len(), 1);
    assert_eq!(consents[0]["granted"], false);
    assert_eq!(house.column("select count(*) || '' as v from customer_consent").await, ["2"]);
}

#[tokio::test]
async fn the_newest_name_counts_whatever_arrives_last_and_an_anonymous_one_takes_none_away() {
    let house = House::open().await;
    let named = |id: &str, seconds: i64, name: &str| {
        let mut event = told(id, seconds, json!({}));
        event["data"]["who"]["name"] = json!(name);
        event
    };
    house.told(&named("e-1", -10, "欧阳小明")).await;
    house.told(&named("e-2", -30, "旧名")).await;
    assert_eq!(house.only_customer().await["name"], "欧*");
    // A device that was there first and has no name: its customer stays, and the name with it [CW#4728].
    let mut device = told("e-3", -99, json!({}));
    device["data"]["who"]["identities"] = json!([{ "kind": "source_id", "value": "device-1" }]);
    house.told(&device).await;
    let mut both = told("e-4", -5, json!({}));
    both["data"]["who"]["identities"] =
        json!([{ "kind": "source_id", "value": "device-1" }, { "kind": "wechat_union_id", "value": "u-1" }]);
    house.told(&both).await;
    let found = house.only_customer().await;
    assert_eq!((&found["name"], &found["created_at"]), (&json!("欧*"), &json!(at(-99).to_string())));
}
