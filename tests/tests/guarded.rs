//! No route without a check: every operation that a function describes is refused without a token and with a token of another scope, or is
//! one of those that the outside world proves itself to otherwise. And what is meant for other functions only is routed to from nowhere.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Native};
use serde_json::{Value, json};
use siyu_tests::host::root;
use std::collections::{BTreeMap, BTreeSet};
use tower::ServiceExt;

const FIRST_TOKEN: &str = "first-token";
/// Open to everybody: callbacks and webhooks prove themselves by signatures, links by what is in their address.
const OPEN: [&str; 15] = [
    "get /hooks/official-account",
    "get /hooks/wecom",
    "get /m/{code}",
    "get /q/{code}",
    "get /r/{token}",
    "post /hooks/events",
    "post /hooks/kuaidi100",
    "post /hooks/official-account",
    "post /hooks/orders",
    "post /hooks/stock",
    "post /hooks/wecom",
    "post /hooks/{platform}",
    "post /m/{code}",
    "post /r/{token}/beacon",
    "post /r/{token}/forward",
];
/// What functions of the application say to each other.
const INSIDE: [&str; 5] = ["/consume", "/deliver", "/nudge", "/portrait/1", "/tick"];

fn functions(app: &App) -> [(&'static str, Router); 7] {
    [
        ("access", access::router(app.clone())),
        ("channels", channels::router(app.clone())),
        ("courier", courier::router(app.clone())),
        ("customers", customers::router(app.clone())),
        ("orders", orders::router(app.clone())),
        ("pump", pump::router(app.clone())),
        ("tagging", tagging::router(app.clone())),
    ]
}

fn described(function: &str) -> Value {
    let file = root().join("functions").join(function).join("openapi.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

async fn call(router: &Router, method: &str, path: &str, token: Option<&str>, body: Body) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// A token that has one scope.
async fn token(access: &Router, scope: &str) -> String {
    let body = json!({ "name": scope, "scopes": [scope] }).to_string();
    let (status, made) = call(access, "post", "/v1/tokens", Some(FIRST_TOKEN), Body::from(body)).await;
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().unwrap().to_owned()
}

/// The path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let fill = |segment: &str| {
        if segment.starts_with('{') { "0197a2aa-ec00-7000-8000-000000000000".to_owned() } else { segment.to_owned() }
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_asks_who_calls() {
    let app = App::native(&Native::in_memory([("api_token", FIRST_TOKEN), ("clock", "system")])).unwrap();
    let functions = functions(&app);
    let (_, access) = &functions[0];
    // No route has both scopes.
    let others =
        [("customers:read", token(access, "customers:read").await), ("tags:read", token(access, "tags:read").await)];
    let mut own = BTreeMap::new();
    let (mut open, mut asked) = (BTreeSet::new(), 0);
    for (function, router) in &functions {
        let document = described(function);
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let name = format!("{method} {path}");
                if path == "/v1/openapi.json" {
                    continue;
                }
                let Some(scope) = operation["security"][0]["token"][0].as_str() else {
                    open.insert(name);
                    continue;
                };
                asked += 1;
                let path = filled(path);
                let foreign = &others.iter().find(|(own, _)| *own != scope).unwrap().1;
                for (token, expected) in [(None, 401), (Some("no-such-token"), 401), (Some(foreign.as_str()), 403)] {
                    // Neither the body nor the path is looked at before the token is.
                    let (status, problem) = call(router, method, &path, token, Body::from("{")).await;
                    assert_eq!(status.as_u16(), expected, "{function}: {name} with {token:?}: {problem}");
                    assert_eq!(problem["status"], expected, "{name}");
                }
                if !own.contains_key(scope) {
                    own.insert(scope.to_owned(), token(access, scope).await);
                }
                let (status, problem) =
                    call(router, method, &path, own.get(scope).map(String::as_str), Body::from("{")).await;
                assert!(status != 401 && problem["scope"].is_null(), "{function}: {name} with {scope}: {problem}");
            }
        }
    }
    assert_eq!(open, OPEN.map(str::to_owned).into(), "routes that ask for no token");
    assert!(asked > 100, "{asked} routes ask for one");
}

#[test]
fn what_functions_say_to_each_other_is_not_routed_to() {
    let manifest: toml::Table = toml::from_str(&std::fs::read_to_string(root().join("spin.toml")).unwrap()).unwrap();
    for trigger in manifest["trigger"]["http"].as_array().unwrap() {
        let Some(route) = trigger["route"].as_str() else { continue };
        for path in INSIDE {
            let first = path.split('/').nth(1).unwrap();
            let begins = route.trim_start_matches('/').split('/').next().unwrap();
            assert!(begins != first && begins != "..." && !begins.starts_with(':'), "{route} leads to {path}");
        }
    }
}
