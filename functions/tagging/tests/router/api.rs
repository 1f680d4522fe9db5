//! What the API takes and refuses.

use crate::support::*;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

fn leaf() -> Value {
    json!({ "feature": "orders.count.30d", "op": ">=", "value": 1 })
}

#[tokio::test]
async fn the_catalogue_names_over_200_features() {
    let desk = Desk::open().await;
    let features = desk.get("/v1/features").await;
    let features = features.as_array().unwrap();
    assert!(features.len() > 200, "{}", features.len());
    for name in ["orders.amount.90d", "views.top.7d{product}", "level", "rfm.total", "hour.best"] {
        let known = features.iter().find(|feature| feature["name"] == name).unwrap_or_else(|| panic!("{name}"));
        assert!(known["definition"].as_str().unwrap().len() > 5);
    }
}

#[tokio::test]
async fn groups_and_tags_have_names_of_their_own() {
    let desk = Desk::open().await;
    let group = desk.post("/v1/tag-groups", json!({ "name": "Taste", "colour": "#ff0066" })).await;
    let path = format!("/v1/tag-groups/{}", group["id"].as_str().unwrap());
    let tag = desk.post(&format!("{path}/tags"), json!({ "name": "Strawberry" })).await;
    assert_eq!((&tag["group"], &tag["customers"]), (&json!("Taste"), &json!(0)));
    for (method, path, body, wanted) in [
        ("POST", "/v1/tag-groups".to_owned(), json!({ "name": "Taste" }), 409),
        ("POST", "/v1/tag-groups".to_owned(), json!({ "name": " " }), 422),
        ("POST", "/v1/tag-groups".to_owned(), json!({ "name": "x", "colour": "red" }), 422),
        ("POST", "/v1/tag-groups".to_owned(), json!({ "name": "x", "hue": 1 }), 400),
        ("POST", format!("{path}/tags"), json!({ "name": "Strawberry" }), 409),
        ("PUT", path.clone(), json!({ "name": "Flavour" }), 200),
        ("PUT", format!("/v1/tags/{}", tag["id"].as_str().unwrap()), json!({ "name": "Cherry" }), 200),
        ("GET", "/v1/tags/01890a5d-ac96-774b-bcce-b302099a8057".to_owned(), Value::Null, 404),
        ("POST", format!("/v1/tags/{}/mark", tag["id"].as_str().unwrap()), json!({ "customer_ids": [] }), 422),
    ] {
        let (status, answer) = desk.call(method, &path, Some(body).filter(|body| !body.is_null())).await;
        assert_eq!(status, wanted, "{method} {path}: {answer}");
    }
    let groups = desk.get("/v1/tag-groups").await;
    assert_eq!(
        (&groups["items"][0]["name"], &groups["items"][0]["tags"][0]["name"]),
        (&json!("Flavour"), &json!("Cherry"))
    );
}

#[tokio::test]
async fn a_rule_is_drafted_previewed_activated_changed_and_retired() {
    let desk = Desk::open().await;
    let tags = desk.tags("Loyalty", false, &["Buyer", "Other"]).await;
    let [one, two] = [1, 2].map(customer);
    desk.log(HOUR, vec![identified(one, &["M-1"]), identified(two, &["M-2"]), bought(1, &["M-1"], HOUR, 100)]).await;
    let rule =
        desk.draft("Buyers", leaf(), json!([{ "add_tag": tags[0], "while_true": true }, { "raise": "x" }])).await;
    let path = format!("/v1/tag-rules/{rule}");
    desk.tick(HOUR).await;
    assert_eq!(desk.names(one).await.len(), 0, "a draft does nothing");
    let preview = desk.post(&format!("{path}/preview"), json!({})).await;
    assert_eq!((&preview["looked_at"], &preview["holds"]), (&json!(2), &json!(1)));
    let seen = json!([{ "what": "orders.count.30d", "value": 1, "wanted": ">= 1", "holds": true }]);
    assert_eq!(preview["sample"], json!([{ "customer_id": one, "seen": seen }]));
    let first = desk.post(&format!("{path}/preview"), json!({ "limit": 1 })).await;
    let rest = desk.post(&format!("{path}/preview"), json!({ "cursor": first["next_cursor"] })).await;
    assert_eq!((&first["holds"], &rest["holds"], &rest["next_cursor"]), (&json!(1), &json!(0), &Value::Null));

    desk.activate(HOUR, &rule).await;
    assert_eq!(desk.names(one).await, ["Buyer"]);
    assert_eq!(desk.count("rule.matched").await, 0, "back-fill raises nothing");
    let shown = desk.get(&path).await;
    let done = json!({ "version": 1, "done": 2, "total": 2, "finished_at": at(HOUR) });
    assert_eq!((&shown["active"]["version"], &shown["backfill"]), (&json!(1), &done));

    let changed =
        json!({ "name": "Buyers", "condition": leaf(), "effects": [{ "add_tag": tags[1], "while_true": true }] });
    assert_eq!(desk.call("PUT", &path, Some(changed)).await.0, 200);
    assert_eq!(desk.names(one).await, ["Buyer"]);
    desk.activate(2 * HOUR, &rule).await;
    assert_eq!(desk.names(one).await, ["Other"], "what the first version gave for as long as it held is gone");

    let (status, _) = desk.call("POST", &format!("{path}/retire"), None).await;
    assert_eq!(status, 202);
    desk.tick(3 * HOUR).await;
    assert_eq!(desk.names(one).await.len(), 0);
    for action in ["retire", "activate"] {
        assert_eq!(desk.call("POST", &format!("{path}/{action}"), None).await.0, 409, "{action}");
    }
    let audited =
        desk.column("select action as v from audit where outcome = 'done' and target = (select id from tag_rule)");
    assert_eq!(audited.await.len(), 5);
}

#[tokio::test]
async fn unfit_rules_are_refused_with_the_place() {
    let desk = Desk::open().await;
    let tags = desk.tags("Loyalty", false, &["A", "B"]).await;
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (condition, effects, path) in [
        (json!({ "all": [leaf(), { "stage": "king" }] }), json!([{ "raise": "x" }]), "condition.all[1].stage"),
        (json!({ "tag": unknown }), json!([{ "raise": "x" }]), "condition"),
        (leaf(), json!([]), "effects"),
        (leaf(), json!([{ "add_tag": unknown }]), "effects[0]"),
        (leaf(), json!([{ "raise": "x" }, { "raise": "y", "add_tag": tags[0] }]), "effects[1]"),
    ] {
        let body = json!({ "name": "x", "condition": condition, "effects": effects });
        let (status, problem) = desk.call("POST", "/v1/tag-rules", Some(body)).await;
        assert_eq!((status.as_u16(), &problem["path"]), (422, &json!(path)), "{problem}");
    }
    desk.rule(0, "a to b", json!({ "tag": tags[0] }), json!([{ "add_tag": tags[1] }])).await;
    let back = desk.draft("b to a", json!({ "tag": tags[1] }), json!([{ "add_tag": tags[0] }])).await;
    let (status, problem) = desk.call("POST", &format!("/v1/tag-rules/{back}/activate"), None).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("b to a → a to b"), "{problem}");
}

#[tokio::test]
async fn the_sets_that_ship_install_and_work() {
    let desk = Desk::open().await;
    let seeds = desk.get("/v1/tag-rules/seeds").await;
    let mut drafted = 0;
    for seed in seeds.as_array().unwrap() {
        let path = format!("/v1/tag-rules/seeds/{}", seed["name"].as_str().unwrap());
        let made = desk.post(&path, json!({})).await;
        for id in made["drafted"].as_array().unwrap() {
            desk.activate(0, id.as_str().unwrap()).await;
            drafted += 1;
        }
        // Again: nothing new.
        assert_eq!(desk.post(&path, json!({})).await["drafted"], json!([]));
    }
    assert!(drafted >= 12, "{drafted}");
    assert_eq!(desk.call("PUT", "/v1/products/TEA", Some(json!({ "flavour": "strawberry" }))).await.0, 200);
    let who = customer(1);
    desk.log(HOUR, vec![identified(who, &["M-1"])]).await;
    for number in 1..=2 {
        desk.log(HOUR, vec![bought(number, &["M-1"], HOUR, 300_000)]).await;
    }
    assert_eq!(desk.names(who).await, ["High value", "Repeat buyer", "Strawberry", "Yangtze delta"]);
}

#[tokio::test]
async fn a_repeated_post_is_done_once_and_strangers_are_refused() {
    let desk = Desk::open().await;
    let send = |token: &'static str| {
        let request = Request::post("/v1/tag-groups").header("authorization", format!("Bearer {token}"));
        request.header("idempotency-key", "k-1").body(Body::from(json!({ "name": "Taste" }).to_string())).unwrap()
    };
    let (first, second) = (desk.send(send("first-token")).await, desk.send(send("first-token")).await);
    assert_eq!((first.0.as_u16(), &first), (201, &second));
    assert_eq!(desk.send(send("unknown")).await.0, 401);
}

#[tokio::test]
async fn a_store_sees_its_own_customers_only_and_makes_no_rules() {
    let desk = Desk::open().await;
    let (here, there) = (customer(1), customer(2));
    desk.log(HOUR, vec![identified(here, &["M-1"]), identified(there, &["M-2"])]).await;
    // As the function of customers keeps them.
    for (number, (id, store)) in [(here, "/east/shanghai-01"), (there, "/west")].into_iter().enumerate() {
        let write = move |tx: &kit::Tx<'_>| -> Result<(), kit::DbError> {
            tx.run(
                &format!(
                    "insert into customer (id, survivor, home, created_at, stage_since, store)
                     values ('{id}', '{id}', {number}, 0, 0, '{store}')"
                ),
                &[],
            )?;
            tx.run(
                &format!(
                    "insert into identity (id, kind, value, customer, first_seen)
                     values ({number}, 'member_card', 'M-{number}', '{id}', 0)"
                ),
                &[],
            )
        };
        desk.app.db().write(&kit::Cx::at(at(0)), write).await.unwrap();
    }
    // A member of staff sees whom it advises, and makes no rules.
    let make = move |tx: &kit::Tx<'_>| -> Result<String, kit::DbError> {
        tx.run(&format!("update customer set advisor = 's-1' where id = '{there}'"), &[])?;
        let scopes = ["tags:read", "rules:write"].map(str::to_owned);
        Ok(kit::auth::create(tx, "staff", &scopes, &kit::auth::StorePath::root(), Some("s-1"), None)?.text)
    };
    let token = desk.app.db().write(&kit::Cx::at(at(0)), make).await.unwrap();
    for (path, wanted) in [
        (format!("/v1/customers/{here}/tags"), 404),
        (format!("/v1/customers/{there}/tags"), 200),
        (format!("/v1/customers/{here}/features"), 404),
    ] {
        let request = Request::get(&path).header("authorization", format!("Bearer {token}")).body(Body::empty());
        assert_eq!(desk.send(request.unwrap()).await.0, wanted, "{path}");
    }
    let rule = json!({ "name": "x", "condition": leaf(), "effects": [{ "raise": "x" }] });
    let request = Request::post("/v1/tag-rules").header("authorization", format!("Bearer {token}"));
    assert_eq!(desk.send(request.body(Body::from(rule.to_string())).unwrap()).await.0, 403);

    let make = |tx: &kit::Tx<'_>| -> Result<String, kit::DbError> {
        let scopes = ["tags:read", "tags:write", "rules:write", "segments:read"].map(str::to_owned);
        let store = kit::auth::StorePath::try_from("/east".to_owned()).map_err(kit::DbError::Shape)?;
        Ok(kit::auth::create(tx, "east", &scopes, &store, None, None)?.text)
    };
    let token = desk.app.db().write(&kit::Cx::at(at(0)), make).await.unwrap();
    let call = |method: &'static str, path: String, body: Value| {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        request.body(Body::from(body.to_string())).unwrap()
    };
    let rule = json!({ "name": "x", "condition": leaf(), "effects": [{ "raise": "x" }] });
    for (method, path, body, wanted) in [
        ("GET", format!("/v1/customers/{here}/tags"), Value::Null, 200),
        ("GET", format!("/v1/customers/{there}/tags"), Value::Null, 404),
        ("GET", format!("/v1/customers/{there}/features"), Value::Null, 404),
        ("GET", "/v1/segments".to_owned(), Value::Null, 403),
        ("POST", "/v1/tag-rules".to_owned(), rule, 403),
        ("POST", "/v1/tag-groups".to_owned(), json!({ "name": "West", "owner": "/west" }), 403),
        ("POST", "/v1/tag-groups".to_owned(), json!({ "name": "East" }), 201),
    ] {
        let (status, answer) = desk.send(call(method, path.clone(), body)).await;
        assert_eq!(status, wanted, "{method} {path}: {answer}");
    }
    let tag = &desk.tags("Head office", false, &["A"]).await[0];
    let marking = json!({ "customer_ids": [here, there] });
    let (_, outcomes) = desk.send(call("POST", format!("/v1/tags/{tag}/mark"), marking)).await;
    assert!(outcomes.contains("accepted") && outcomes.contains("unknown"), "{outcomes}");
}
