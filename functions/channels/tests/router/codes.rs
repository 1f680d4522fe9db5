//! Channel codes as people make them.

use crate::support::{House, always, way};
use axum::body::Body;
use domain::{CustomerIdentified, Event, Identity, IdentityKind, Version};
use http::Request;
use serde_json::{Value, json};

fn new(kind: &str, plan: Value) -> Value {
    json!({ "channel": "metro", "kind": kind, "name": "海报", "plan": plan })
}

/// Shares by weight: of one, and of another of weight 1.
fn weighted(weight: u32) -> Value {
    let mut reception = always(&[("li", None), ("wang", None)]);
    reception["policy"] = json!("weighted");
    reception["staff"][0]["members"][0]["weight"] = json!(weight);
    json!({ "reception": reception })
}

#[tokio::test]
async fn unfit_plans_say_where_and_what_to_change() {
    let house = House::open().await;
    house.call("PUT", "/v1/channels/metro", Some(json!({ "label": "地铁" }))).await;
    let reception = always(&[("li", None)]);
    for (body, path) in [
        (new("contact_way", json!({})), "plan.reception"),
        (
            new("link", json!({ "reception": reception.clone(), "target": { "url": "https://a.example" } })),
            "plan.reception",
        ),
        (new("link", json!({ "target": { "url": "javascript:alert(1)" } })), "plan.target.url"),
        (
            new(
                "store",
                json!({ "branches": [{ "name": "A", "place": { "latitude": 121, "longitude": 31 }, "url": "https://a.example" }] }),
            ),
            "plan.branches[0].place",
        ),
        (new("account_temporary", json!({ "seconds": 59 })), "plan.seconds"),
        (new("group_way", json!({ "groups": [] })), "plan.groups"),
        (
            new("contact_way", json!({ "reception": reception.clone(), "welcome": { "default": { "text": "" } } })),
            "plan.welcome.default",
        ),
        (
            new(
                "contact_way",
                json!({ "reception": reception.clone(), "tags": ["01890a5d-ac96-774b-bcce-b302099a8057"] }),
            ),
            "plan.tags",
        ),
        (new("contact_way", weighted(2)), "plan.reception.policy"),
        (new("account", json!({ "store_name": " ", "welcome": { "default": { "text": "你好" } } })), "plan.store_name"),
        (new("account", json!({ "welcome": { "default": { "text": "我是{staff}" } } })), "plan.welcome.default.text"),
        (
            json!({ "channel": "nowhere", "kind": "link", "name": "x", "plan": { "target": { "url": "https://a.example" } } }),
            "channel",
        ),
    ] {
        let (status, answer) = house.call("POST", "/v1/channel-codes", Some(body.clone())).await;
        assert_eq!((status.as_u16(), answer["path"].as_str()), (422, Some(path)), "{body}: {answer}");
    }
    let (status, _) = house.call("POST", "/v1/channel-codes", Some(new("contact_way", json!({ "odd": 1 })))).await;
    assert_eq!(status, 400);
    assert!(house.asked().await.is_empty());
    let even = house.call("POST", "/v1/channel-codes", Some(new("contact_way", weighted(1)))).await;
    assert_eq!(even.0, 201, "{}", even.1);
}

#[tokio::test]
async fn codes_are_copied_retired_and_listed() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    house.answer("add_contact_way", way("c1")).await;
    let id = code["id"].as_str().unwrap();
    let shown = house.get(&format!("/v1/channel-codes/{id}")).await;
    assert_eq!((&shown["status"], &shown["picture"]), (&json!("ready"), &json!("https://wework.example/c1.png")));
    assert_eq!(shown["target"], format!("https://siyu.example/q/{}", code["state"].as_str().unwrap()));
    let copy = json!({ "name": "副本", "store": "/east/shanghai-02" });
    let (status, copy) = house.call("POST", &format!("/v1/channel-codes/{id}/clone"), Some(copy)).await;
    assert_eq!((status.as_u16(), &copy["store"]), (201, &json!("/east/shanghai-02")));
    assert_ne!(copy["state"], code["state"]);
    let path = format!("/v1/channel-codes/{id}/retire");
    assert_eq!(house.call("POST", &path, None).await.0, 200);
    assert_eq!(house.call("POST", &path, None).await.0, 409);
    assert_eq!(house.asked_for("delete_contact_way").await[0]["config_id"], "c1");
    // Retired before the platform has made it: it goes as soon as it is there.
    let copied = copy["id"].as_str().unwrap();
    assert_eq!(house.call("POST", &format!("/v1/channel-codes/{copied}/retire"), None).await.0, 200);
    house.answer("add_contact_way", way("c2")).await;
    let asked = house.asked_for("delete_contact_way").await;
    let mut asked: Vec<_> = asked.iter().map(|ask| ask["config_id"].as_str().unwrap()).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["c1", "c2"]);
    let page = house.get("/v1/channel-codes?limit=1").await;
    let rest = house.get(&format!("/v1/channel-codes?limit=1&cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&page["items"][0]["id"], &rest["items"][0]["id"]), (&copy["id"], &code["id"]));
}

#[tokio::test]
async fn a_file_makes_a_code_for_each_store_all_or_none() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    let import = async |file: &str, dry_run: bool| {
        let uri = format!("/v1/channel-codes/import?from={}&dry_run={dry_run}", code["id"].as_str().unwrap());
        let request = Request::post(uri).header("authorization", "Bearer first-token");
        let answer = house.send(request.body(Body::from(file.to_owned())).unwrap()).await;
        (answer.status.as_u16(), answer.json())
    };
    let bad = "name,store,staff\nA,/east/a,zhao\nB,east,\n,/east/c,\n";
    let (status, told) = import(bad, false).await;
    assert_eq!(status, 422);
    let rows: Vec<_> = told["errors"].as_array().unwrap().iter().map(|error| error["row"].clone()).collect();
    assert_eq!(rows, [json!(3), json!(4)], "{told}");
    assert_eq!(import(bad, true).await.0, 200);
    assert_eq!(house.column("select count(*) || '' as v from channel_code").await, ["1"]);
    assert_eq!(house.asked().await.len(), 1);
    let (status, told) = import("\u{feff}name,store,staff\nA,/east/a,zhao qian\nB,/east/b,\n", false).await;
    assert_eq!((status, told["codes"].as_array().unwrap().len()), (201, 2));
    assert_eq!(told["codes"][0]["plan"]["reception"]["staff"][0]["members"][1]["staff"], "qian");
    assert_eq!(house.asked_for("add_contact_way").await.len(), 3);
}

/// Tags wait until it is known who came.
#[tokio::test]
async fn who_comes_by_a_code_gets_its_tags() {
    let house = House::open().await;
    let tag = "01890a5d-ac96-774b-bcce-b302099a8057";
    let write = move |tx: &kit::Tx<'_>| {
        tx.run("insert into tag_group (id, name, single, owner, created_at) values ('g', 'G', 0, '/', 0)", &[])?;
        tx.run(&format!("insert into tag (id, tag_group, name, created_at) values ('{tag}', 'g', '地铁', 0)"), &[])
    };
    let made = house.app.db().write(&kit::Cx::at(crate::support::at(0)), write).await;
    made.map_err(|error: kit::DbError| error).unwrap();
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]), "tags": [tag] })).await;
    let state = code["state"].as_str().unwrap();
    house.added("li", "wm1", state, None).await;
    assert!(!house.told().await.contains(&"tag.added".to_owned()), "nobody knows yet who it is");
    let identified = |customer: &str, contact: &str| {
        Event::CustomerIdentified(CustomerIdentified {
            v: Version,
            customer_id: customer.parse().unwrap(),
            new: true,
            identities: vec![Identity {
                kind: IdentityKind::WecomExternalUserId,
                scope: None,
                value: contact.to_owned(),
            }],
            at: crate::support::at(0),
        })
    };
    let customer = "01890a5d-ac96-774b-bcce-b302099a8001";
    house.happened(identified(customer, "wm1")).await;
    house.happened(identified(customer, "wm2")).await;
    house.added("li", "wm2", state, None).await;
    let tagged = house.column(
        "select data ->> '$.customer_id' || ' ' || (data ->> '$.tag_id') as v from event where type = 'tag.added'",
    );
    assert_eq!(tagged.await, vec![format!("{customer} {tag}"); 2]);
}

#[tokio::test]
async fn a_token_of_a_store_sees_and_makes_codes_of_its_own_only() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    let make = |tx: &kit::Tx<'_>| -> Result<String, kit::DbError> {
        let scopes = ["channels:read", "channels:write"].map(str::to_owned);
        let store = kit::auth::StorePath::try_from("/west".to_owned()).map_err(kit::DbError::Shape)?;
        Ok(kit::auth::create(tx, "west", &scopes, &store, None, None)?.text)
    };
    let token = house.app.db().write(&kit::Cx::at(crate::support::at(0)), make).await.unwrap();
    let id = code["id"].as_str().unwrap();
    let reception = json!({ "reception": always(&[("li", None)]) });
    let mut elsewhere = new("contact_way", reception.clone());
    elsewhere["store"] = json!("/east");
    for (method, path, body, wanted) in [
        ("GET", format!("/v1/channel-codes/{id}"), None, 404),
        ("GET", format!("/v1/channel-codes/{id}/qr.svg"), None, 404),
        ("POST", format!("/v1/channel-codes/{id}/retire"), None, 404),
        ("POST", format!("/v1/channel-codes/{id}/clone"), Some(json!({ "name": "x" })), 404),
        ("POST", "/v1/channel-codes".to_owned(), Some(elsewhere), 403),
        ("POST", "/v1/channel-codes".to_owned(), Some(new("contact_way", reception)), 201),
        ("PUT", "/v1/channels/other".to_owned(), Some(json!({ "label": "x" })), 403),
    ] {
        let request = Request::builder().method(method).uri(&path).header("authorization", format!("Bearer {token}"));
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = house.send(request.body(body).unwrap()).await;
        assert_eq!(answer.status.as_u16(), wanted, "{method} {path}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_code_is_drawn_with_a_logo_and_on_a_poster() {
    let house = House::open().await;
    let code = house.code("link", json!({ "target": { "url": "https://a.example" } })).await;
    let id = code["id"].as_str().unwrap();
    let send = async |method: &str, path: &str, body: Vec<u8>| {
        let request = Request::builder().method(method).uri(path).header("authorization", "Bearer first-token");
        house.send(request.body(Body::from(body)).unwrap()).await
    };
    let png = send("GET", &format!("/v1/channel-codes/{id}/qr.png?size=200"), Vec::new()).await;
    assert_eq!(
        (png.status.as_u16(), &png.headers["content-type"]),
        (200, &http::HeaderValue::from_static("image/png"))
    );
    assert_eq!(send("PUT", "/v1/channel-materials/logo", png.body.to_vec()).await.status, 204);
    assert_eq!(send("PUT", "/v1/channel-materials/nothing", b"<svg/>".to_vec()).await.status, 422);
    let svg = send("GET", &format!("/v1/channel-codes/{id}/qr.svg?logo=logo&dark=%23003366"), Vec::new()).await;
    assert!(svg.text().starts_with("<svg") && svg.text().contains("data:image/png"));
    let pale = send("GET", &format!("/v1/channel-codes/{id}/qr.svg?dark=%23eeeeee"), Vec::new()).await;
    assert_eq!(pale.status, 422);
    let template = json!({ "poster": { "width": 600, "height": 800, "qr": { "x": 100, "y": 100, "size": 400 },
        "name": { "x": 100, "y": 600, "width": 400, "size": 40 } }, "logo": "logo" });
    assert_eq!(send("PUT", "/v1/posters/spring", template.to_string().into_bytes()).await.status, 204);
    let order = json!({ "poster": "spring", "name": "欧阳<小明>", "form": "svg" });
    let drawn = send("POST", &format!("/v1/channel-codes/{id}/poster"), order.to_string().into_bytes()).await;
    assert!(drawn.text().contains("欧阳&lt;小明&gt;"), "{}", drawn.text());
    let order = json!({ "poster": "spring", "name": "小明", "form": "png" });
    let drawn = send("POST", &format!("/v1/channel-codes/{id}/poster"), order.to_string().into_bytes()).await;
    assert!(drawn.body.starts_with(b"\x89PNG") && drawn.headers.contains_key("warning-text"));
}
