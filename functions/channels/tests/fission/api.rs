//! Campaigns and participants over HTTP.

use crate::support::*;
use kit::auth::{self, StorePath};
use kit::{Cx, DbError};
use serde_json::{Value, json};

#[tokio::test]
async fn a_person_has_one_code_however_often_it_is_asked_for() {
    let house = House::open(&rules(&[2], &json!({}))).await;
    let (status, first) = house.ask(&union("anna"), Some("phone")).await;
    assert_eq!(status, 201, "{first}");
    let code = first["code"].as_str().unwrap();
    assert_eq!(first["poster"], format!("/v1/channel-codes/{code}/poster"));
    house.consume().await;
    let (status, again) = house.ask(&union("anna"), Some("phone")).await;
    assert_eq!((status, &again["code"]), (200, &first["code"]));
    // The same person by another identity, once that is known.
    house.happened(vec![same(1, &[&union("anna"), &contact("a")])]).await;
    let (status, again) = house.ask(&contact("a"), None).await;
    assert_eq!((status, &again["id"]), (200, &first["id"]));
    assert_eq!(house.column("select type as v from event where type = 'fission.joined'").await.len(), 1);
    // The copy is a code of its own, with the plan, channel and store of the campaign's.
    let copy = house.get(&format!("/v1/channel-codes/{code}")).await;
    assert_eq!(
        (&copy["kind"], &copy["store"], &copy["channel"]),
        (&json!("account"), &json!("/east"), &json!("friends"))
    );
    let list = house.get(&house.path("/participants")).await;
    assert_eq!((&list["items"][0]["id"], list["items"].as_array().unwrap().len()), (&first["id"], 1));
    let weak = json!({ "identity": { "kind": "name_hash", "scope": null, "value": "x" } });
    let (status, problem) = house.call("POST", &house.path("/participants"), Some(weak)).await;
    assert_eq!((status.as_u16(), &problem["path"]), (422, &json!("identity")));
}

#[tokio::test]
async fn many_who_ask_at_once_get_one_code_each() {
    let house = House::open(&rules(&[2], &json!({}))).await;
    let (anna, berta) = (union("anna"), union("berta"));
    let asks = (house.ask(&anna, None), house.ask(&berta, None), house.ask(&anna, None), house.ask(&anna, None));
    let (one, two, three, four) = tokio::join!(asks.0, asks.1, asks.2, asks.3);
    assert_eq!((&one.1["code"], &one.1["code"]), (&three.1["code"], &four.1["code"]));
    assert_ne!(one.1["code"], two.1["code"]);
    assert_eq!(house.column("select id as v from fission_participant").await.len(), 2);
}

#[tokio::test]
async fn rules_stay_once_somebody_takes_part_and_an_end_is_an_end() {
    let house = House::open(&rules(&[2], &json!({}))).await;
    let found = house.get(&house.path("")).await;
    let body = |rules: &Value| json!({ "name": "夏日裂变", "code": found["code"], "rules": rules });
    let changed = house.call("PUT", &house.path(""), Some(body(&rules(&[3], &json!({}))))).await;
    assert_eq!((changed.0.as_u16(), &changed.1["rules"]["levels"][0]["helps"]), (200, &json!(3)));
    let unfit = house.call("PUT", &house.path(""), Some(body(&rules(&[], &json!({}))))).await;
    assert_eq!((unfit.0.as_u16(), &unfit.1["path"]), (422, &json!("rules.levels")));
    let anna = house.join(&union("anna"), None).await;
    let refused = house.call("PUT", &house.path(""), Some(body(&rules(&[4], &json!({}))))).await;
    assert_eq!((refused.0.as_u16(), &refused.1["type"]), (409, &json!("/problems/fission-begun")));
    assert_eq!(house.call("PUT", &house.path(""), Some(body(&changed.1["rules"]))).await.0, 200, "the name may change");

    assert_eq!(house.call("POST", &house.path("/end"), None).await.0, 200);
    assert_eq!(house.call("POST", &house.path("/end"), None).await.0, 409);
    assert_eq!(house.ask(&union("berta"), None).await.0, 409);
    assert_eq!(house.ask(&union("anna"), None).await.0, 200, "who takes part sees the code still");
    house.happened(vec![added(&contact("before"), Some(&anna), -1), added(&contact("after"), Some(&anna), 0)]).await;
    assert_eq!(house.helps().await, ["before counted -", "after refused ended"]);
}

#[tokio::test]
async fn the_tree_shows_ways_and_who_brings_others() {
    let house = House::open(&rules(&[2], &json!({}))).await;
    let anna = house.join(&contact("anna"), None).await;
    house.happened(vec![added(&contact("berta"), Some(&anna), 1), added(&contact("carl"), Some(&anna), 2)]).await;
    let berta = house.join(&contact("berta"), None).await;
    house.happened(vec![added(&contact("dora"), Some(&berta), 3), removed(&contact("carl"), 4)]).await;
    let tree = house.get(&house.path("/tree")).await;
    let depth = |depth: u32, people: u32, inviters: u32, friends: u32, conversion: &str| json!({ "depth": depth, "people": people, "inviters": inviters, "friends": friends, "conversion": conversion });
    assert_eq!(
        tree["depths"],
        json!([depth(0, 1, 1, 2, "1.0000"), depth(1, 2, 1, 1, "0.5000"), depth(2, 1, 0, 0, "0.0000")])
    );
    let nodes = tree["nodes"]["items"].as_array().unwrap();
    assert_eq!((&nodes[0]["who"], &nodes[0]["below"], &nodes[0]["helps"]), (&json!(anna.id), &json!(3), &json!(1)));
    assert_eq!(nodes[0]["conversion"], "0.5000");
    assert_eq!(nodes[3]["path"], json!([anna.id, berta.id, "wecom_external_user_id::dora"]));
    // The same, page by page.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.get(&house.path(&format!("/tree?limit=1{cursor}"))).await;
        seen.extend(page["nodes"]["items"].as_array().unwrap().clone());
        let Some(next) = page["nodes"]["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&seen, nodes);

    let report = house.get(&house.path("")).await;
    let helps = json!([{ "state": "counted", "helps": 2 }, { "state": "voided", "reason": "left", "helps": 1 }]);
    assert_eq!(report["helps"], helps);
    let found = house.get(&house.path(&format!("/participants/{}", anna.id))).await;
    assert_eq!((&found["rewards"][0]["state"], &found["rewards"][0]["reward"]), (&json!("voided"), &json!("for 2")));
    assert_eq!(found["friends"]["items"][0]["reason"], "left");
    assert_eq!(found["friends"]["items"][1]["participant"], json!(berta.id));
}

#[tokio::test]
async fn another_regions_token_sees_nothing() {
    let house = House::open(&rules(&[2], &json!({}))).await;
    let scopes = vec!["channels:read".to_owned(), "channels:write".to_owned()];
    let create = move |tx: &kit::Tx<'_>| {
        auth::create(tx, "west", &scopes, &StorePath::try_from("/west".to_owned()).unwrap(), None, None)
    };
    let token = house.app.db().write(&Cx::at(at(0)), create).await.map_err(|error: DbError| error).unwrap();
    let token = token.text;
    for rest in ["", "/participants", "/tree"] {
        assert_eq!(house.call_as(&token, "GET", &house.path(rest), None).await.0, 404, "{rest}");
    }
    let list = house.call_as(&token, "GET", "/v1/fissions", None).await.1;
    assert_eq!(list["items"], json!([]));
    let body = json!({ "identity": union("x") });
    assert_eq!(house.call_as(&token, "POST", &house.path("/participants"), Some(body)).await.0, 404);
    assert_eq!(house.get("/v1/fissions").await["items"].as_array().unwrap().len(), 1);
}
