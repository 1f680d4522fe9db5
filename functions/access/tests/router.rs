//! Tokens and the audit through the router.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Native};
use serde_json::{Value, json};
use tower::ServiceExt;

fn router() -> Router {
    access::router(App::native(&Native::in_memory([("api_token", "first-token")])).unwrap())
}

async fn call(router: &Router, token: &str, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_token_is_made_used_listed_without_its_secret_and_revoked() {
    let router = router();
    let asked = json!({ "name": "auditor", "scopes": ["audit:read"] });
    let (status, made) = call(&router, "first-token", "POST", "/v1/tokens", asked).await;
    assert_eq!(status, 201, "{made}");
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(call(&router, token, "GET", "/v1/audit", Value::Null).await.0, 200);
    let (status, problem) = call(&router, token, "GET", "/v1/tokens", Value::Null).await;
    assert_eq!((status.as_u16(), &problem["scope"]), (403, &json!("tokens:write")));

    let (_, list) = call(&router, "first-token", "GET", "/v1/tokens", Value::Null).await;
    assert_eq!(list["items"][0]["name"], "auditor");
    assert!(!list.to_string().contains(token));
    assert_eq!(call(&router, "first-token", "DELETE", &format!("/v1/tokens/{id}"), Value::Null).await.0, 204);
    assert_eq!(call(&router, token, "GET", "/v1/audit", Value::Null).await.0, 401);

    let (_, audit) = call(&router, "first-token", "GET", "/v1/audit", Value::Null).await;
    let entries: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {} {}", entry["outcome"], entry["action"], entry["reason"]).replace('"', ""))
        .collect();
    assert_eq!(entries.len(), 4);
    for expected in [
        "done POST /v1/tokens ",
        "done DELETE /v1/tokens/{id} ",
        "refused GET /v1/tokens scope",
        "refused GET /v1/audit revoked token",
    ] {
        assert!(entries.iter().any(|entry| entry == expected), "{expected} is not in {entries:?}");
    }
}

#[tokio::test]
async fn equal_refusals_share_a_row() {
    let router = router();
    for _ in 0..20 {
        assert_eq!(call(&router, "guess", "GET", "/v1/audit", Value::Null).await.0, 401);
    }
    let (_, audit) = call(&router, "first-token", "GET", "/v1/audit", Value::Null).await;
    let rows = audit["items"].as_array().unwrap();
    assert!(rows.len() <= 2, "one row a minute: {rows:?}");
    assert_eq!(rows.iter().map(|row| row["count"].as_i64().unwrap()).sum::<i64>(), 20);
}

#[tokio::test]
async fn a_token_reaches_no_further_than_its_maker() {
    let router = router();
    let east = json!({ "name": "east", "scopes": ["tokens:write"], "store": "/east" });
    let (_, made) = call(&router, "first-token", "POST", "/v1/tokens", east).await;
    let east = made["token"].as_str().unwrap();
    let asked = |store: &str| json!({ "name": "below", "scopes": ["orders:read"], "store": store });
    assert_eq!(call(&router, east, "POST", "/v1/tokens", asked("/west")).await.0, 403);
    assert_eq!(call(&router, east, "POST", "/v1/tokens", asked("/")).await.0, 403);
    // Nor may it do what its maker may not.
    assert_eq!(call(&router, east, "POST", "/v1/tokens", asked("/east/shanghai-01")).await.0, 403);
    let own = json!({ "name": "below", "scopes": ["tokens:write"], "store": "/east/shanghai-01" });
    assert_eq!(call(&router, east, "POST", "/v1/tokens", own).await.0, 201);
    for unusable in [
        json!({ "name": " ", "scopes": ["orders:read"] }),
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "x", "scopes": ["everything"] }),
    ] {
        assert_eq!(call(&router, "first-token", "POST", "/v1/tokens", unusable).await.0, 422);
    }
}

#[tokio::test]
async fn a_token_of_a_member_of_staff_is_listed_as_such_and_gives_no_others_away() {
    let router = router();
    let asked =
        |staff: Value| json!({ "name": "guide", "scopes": ["tokens:write", "customers:merge"], "staff": staff });
    let (status, made) = call(&router, "first-token", "POST", "/v1/tokens", asked(json!("s-1"))).await;
    assert_eq!(status, 201, "{made}");
    let own = made["token"].as_str().unwrap();
    assert_eq!(call(&router, own, "POST", "/v1/tokens", asked(json!("s-2"))).await.0, 403);
    assert_eq!(call(&router, own, "POST", "/v1/tokens", asked(Value::Null)).await.0, 201, "it is for the same one");
    assert_eq!(call(&router, own, "POST", "/v1/tokens", asked(json!("s-1"))).await.0, 201);
    assert_eq!(call(&router, "first-token", "POST", "/v1/tokens", asked(json!(" "))).await.0, 422);
    let (_, manager) = call(&router, "first-token", "POST", "/v1/tokens", asked(Value::Null)).await;
    assert!(manager["token"].is_string());
    let (_, list) = call(&router, "first-token", "GET", "/v1/tokens", Value::Null).await;
    let staff: Vec<_> = list["items"].as_array().unwrap().iter().map(|token| &token["staff"]).collect();
    assert_eq!(staff.iter().filter(|staff| **staff == "s-1").count(), 3, "{staff:?}");
    assert_eq!(staff.iter().filter(|staff| staff.is_null()).count(), 1);
}
