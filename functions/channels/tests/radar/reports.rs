//! Who passed a content on, and what it came to.

use crate::support::*;
use kit::Cx;
use kit::auth::{self, StorePath};
use serde_json::{Value, json};

#[tokio::test]
async fn a_chain_of_forwards_shows_who_came_by_whom() {
    let house = House::open().await;
    let content = house.content(&json!({})).await;
    let first = house.share(&content, json!({ "staff": "s-1", "identity": contact("anna") })).await;
    let page = house.visit("GET", &first, None).await;
    let (cookie, visit) = (page.cookie().unwrap(), page.visit());
    let forwarded = house.tell(&first, "forward", &json!({ "visit": visit })).await.json();
    let second = forwarded["token"].as_str().unwrap().to_owned();
    assert_eq!(forwarded["path"], format!("/r/{second}"));
    // The same browser passes it on once, by whatever visit.
    let again = house.visit("GET", &first, Some(&cookie)).await.visit();
    assert_eq!(house.tell(&first, "forward", &json!({ "visit": again })).await.json()["token"], json!(second));
    assert_eq!(house.tell(&first, "forward", &json!({ "visit": "unknown" })).await.status, 404);
    let shared: Vec<Value> =
        house.did().await.into_iter().filter(|did| did["activity"]["kind"] == "content_shared").collect();
    assert_eq!((shared.len(), &shared[0]["identities"][0]["value"]), (1, &json!("anna")));

    // A friend opens it and passes it on to another.
    house.wait_until(10).await;
    let friend = house.visit("GET", &second, None).await.visit();
    let third =
        house.tell(&second, "forward", &json!({ "visit": friend })).await.json()["token"].as_str().unwrap().to_owned();
    house.wait_until(100).await;
    house.tell(&second, "beacon", &json!({ "visit": friend, "dwell_ms": 30_000, "depth_percent": 50 })).await;
    let visit = house.visit("GET", &third, None).await.visit();
    house.wait_until(200).await;
    house.tell(&third, "beacon", &json!({ "visit": visit, "dwell_ms": 10_000, "depth_percent": 100 })).await;

    let report = house.get(&format!("/v1/contents/{content}/report")).await;
    let total = json!({ "opens": 4, "readers": 3, "dwell_ms": 40_000, "average_dwell_ms": 10_000, "depth_percent": 75, "forwards": 2 });
    assert_eq!(report["total"], total);
    assert_eq!((&report["staff"][0]["staff"], &report["staff"][0]["opens"]), (&json!("s-1"), &json!(4)));
    let spread: Vec<_> = report["propagation"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["depth"].clone(), one["shares"].clone(), one["opens"].clone()))
        .collect();
    assert_eq!(
        spread,
        [(json!(0), json!(1), json!(2)), (json!(1), json!(1), json!(1)), (json!(2), json!(1), json!(1))]
    );
    let shares = report["shares"].as_array().unwrap();
    assert_eq!(
        (&shares[0]["token"], &shares[0]["forwards"], &shares[0]["readers"]),
        (&json!(first), &json!(1), &json!(1))
    );
    assert_eq!(
        (&shares[2]["parent"], &shares[2]["depth"], &shares[2]["opens"]),
        (&json!(second), &json!(2), &json!(1))
    );
    let readers = report["readers"].as_array().unwrap();
    assert_eq!((readers.len(), &readers[0]["identity"]["value"], &readers[0]["opens"]), (1, &json!("anna"), &json!(2)));
    let page = house.get(&format!("/v1/contents/{content}/visits?limit=3")).await;
    let next = page["next_cursor"].as_str().unwrap();
    let rest = house.get(&format!("/v1/contents/{content}/visits?limit=3&cursor={next}")).await;
    assert_eq!((page["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (3, 1));
}

#[tokio::test]
async fn contents_are_listed_changed_and_seen_within_stores() {
    let house = House::open().await;
    let content = house.content(&json!({})).await;
    let path = format!("/v1/contents/{content}");
    let body = json!({ "kind": "file", "title": "价目表", "url": "https://tea.example/prices.pdf" });
    let (status, changed) = house.call("PUT", &path, Some(body)).await;
    assert_eq!((status, &changed["title"], &changed["store"]), (200, &json!("价目表"), &json!("/east")));
    let parent = json!({ "parent": "nothing" });
    let (status, problem) = house.call("POST", &format!("{path}/shares"), Some(parent)).await;
    assert_eq!((status, &problem["path"]), (422, &json!("parent")));

    let scopes = vec!["channels:read".to_owned(), "channels:write".to_owned()];
    let west = StorePath::try_from("/west".to_owned()).unwrap();
    let create = move |tx: &kit::Tx<'_>| auth::create(tx, "west", &scopes, &west, None, None);
    let token = house.app.db().write(&Cx::at(at(0)), create).await.unwrap().text;
    for (method, path) in [
        ("GET", path.clone()),
        ("GET", format!("{path}/report")),
        ("GET", format!("{path}/visits")),
        ("POST", format!("{path}/retire")),
    ] {
        let request =
            http::Request::builder().method(method).uri(&path).header("authorization", format!("Bearer {token}"));
        assert_eq!(house.send(request.body(axum::body::Body::empty()).unwrap()).await.status, 404, "{path}");
    }
    let request = http::Request::get("/v1/contents").header("authorization", format!("Bearer {token}"));
    assert_eq!(house.send(request.body(axum::body::Body::empty()).unwrap()).await.json()["items"], json!([]));
    assert_eq!(house.get("/v1/contents").await["items"][0]["id"], json!(content));
}
