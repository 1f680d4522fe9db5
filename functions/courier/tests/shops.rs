//! Shops with tokens of their own: entered sealed, renewed once, never shown. All shops are invented.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use domain::UnixMs;
use http::Request;
use http_body_util::BodyExt;
use kit::{App, Client, Cx, DbError, Native, outbox};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

/// Tokens that the platform has seen, in order; `fresh` is the only one that it takes.
#[derive(Default)]
struct Platform {
    seen: Mutex<Vec<String>>,
    renewals: Mutex<Vec<String>>,
}

struct Bench {
    app: App,
    router: Router,
    platform: Arc<Platform>,
}

fn at(millis: i64) -> UnixMs {
    UnixMs::from_millis(1_771_032_600_000 + millis).unwrap()
}

/// Pinduoduo: one address for everything, the call's name in the form.
async fn call(State(platform): State<Arc<Platform>>, body: String) -> axum::Json<Value> {
    let form: std::collections::BTreeMap<String, String> =
        form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    if form["type"] == "pdd.pop.auth.token.refresh" {
        platform.renewals.lock().unwrap().push(form["refresh_token"].clone());
        return axum::Json(json!({ "pop_auth_token_refresh_response":
            { "access_token": "fresh", "refresh_token": "refresh-2", "expires_in": 86400, "owner_id": "1" } }));
    }
    platform.seen.lock().unwrap().push(form["access_token"].clone());
    if form["access_token"] == "fresh" {
        axum::Json(json!({ "order_info_get_response": { "order_info": {} } }))
    } else {
        axum::Json(json!({ "error_response": { "error_code": 10019, "error_msg": "access_token已过期" } }))
    }
}

impl Bench {
    async fn new() -> Self {
        let platform = Arc::new(Platform::default());
        let client = Client::default();
        client.mount("platform", Router::new().route("/api/router", post(call)).with_state(platform.clone()));
        let variables = [
            ("api_token", "first-token"),
            ("clock", "virtual"),
            ("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("pinduoduo_app_key", "app-123"),
            ("pinduoduo_app_secret", "secret-456"),
            ("pinduoduo_api_base", "http://platform.spin.internal"),
        ];
        let app = App::native(&Native { client, ..Native::in_memory(variables) }).unwrap();
        app.clock().set(at(0)).await.unwrap();
        Self { router: courier::router(app.clone()), app, platform }
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer first-token")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn connect(&self) -> (u16, Value) {
        let tokens = json!({ "name": "invented", "access_token": "old", "refresh_token": "refresh-1" });
        self.call("PUT", "/v1/shops/pinduoduo/1", Some(tokens)).await
    }

    async fn ask(&self, orders: &'static [&'static str]) {
        let queue = move |tx: &kit::Tx<'_>| {
            for order in orders {
                let request = json!({ "shop_id": "1", "ask": "order", "order_id": order });
                outbox::enqueue(
                    tx,
                    &outbox::Call { destination: "pinduoduo", operation: "order", subject: order, request },
                )?;
            }
            Ok::<_, DbError>(())
        };
        self.app.db().write(&Cx::at(at(0)), queue).await.unwrap();
        assert_eq!(self.call("POST", "/deliver", Some(json!({}))).await.0, 200);
        for _ in 0..500 {
            if self.column("select id as v from outbox where state = 'sending'").await.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("calls hang");
    }

    async fn column(&self, sql: &str) -> Vec<String> {
        let read =
            |tx: &kit::Tx<'_>| tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>();
        self.app.db().read(&Cx::at(at(0)), read).await.unwrap()
    }
}

#[tokio::test]
async fn a_shop_tells_how_far_it_has_been_asked() {
    let bench = Bench::new().await;
    assert_eq!(bench.connect().await.1["pulls"], json!([]));
    let write = |tx: &kit::Tx<'_>| -> Result<(), DbError> {
        tx.run(
            "insert into pull (platform, shop, kind, pulled_until, failures, error)
             values ('pinduoduo', '1', 'orders', 1771032600000, 2, 'HTTP 502'), ('jd', '1', 'orders', 0, 0, null)",
            &[],
        )
    };
    bench.app.db().write(&Cx::at(at(0)), write).await.unwrap();
    let (_, shop) = bench.call("GET", "/v1/shops/pinduoduo/1", None).await;
    let pulled =
        json!({ "kind": "orders", "pulled_until": "2026-02-14T01:30:00.000Z", "failures": 2, "error": "HTTP 502" });
    assert_eq!(shop["pulls"], json!([pulled]));
}

#[tokio::test]
async fn a_shop_is_connected_listed_without_its_tokens_and_disconnected() {
    let bench = Bench::new().await;
    let (status, shop) = bench.connect().await;
    assert_eq!((status, &shop["has_token"]), (200, &json!(true)), "{shop}");
    assert_eq!(bench.connect().await.0, 200);
    let (_, list) = bench.call("GET", "/v1/shops", None).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert!(!list.to_string().contains("old") && !list.to_string().contains("refresh-1"));
    assert!(
        bench.column("select hex(access_token) || hex(refresh_token) as v from shop").await[0].len() > 64,
        "sealed"
    );
    assert_eq!(bench.call("DELETE", "/v1/shops/pinduoduo/1", None).await.0, 204);
    assert_eq!(bench.call("GET", "/v1/shops/pinduoduo/1", None).await.0, 404);
    let told = bench.column("select type as v from event order by seq").await;
    assert_eq!(told, ["shop.connected", "shop.disconnected"], "connected twice is told once");
}

#[tokio::test]
async fn what_cannot_be_connected_says_why() {
    let bench = Bench::new().await;
    let body = json!({ "name": "invented" });
    let (status, problem) = bench.call("PUT", "/v1/shops/own/pos-01", Some(body)).await;
    assert_eq!((status, &problem["type"]), (422, &json!("/problems/shop-unusable")));
    assert_eq!(bench.call("PUT", "/v1/shops/pinduoduo/1", Some(json!({ "name": " " }))).await.0, 422);
    assert_eq!(bench.call("PUT", "/v1/shops/amazon/1", Some(json!({ "name": "x" }))).await.0, 404);
    assert_eq!(bench.call("PUT", "/v1/shops/pinduoduo/1", Some(json!({ "name": "x", "token": "y" }))).await.0, 400);
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_the_new_pair_is_kept() {
    let bench = Bench::new().await;
    bench.connect().await;
    bench.ask(&["1", "2", "3", "4"]).await;
    assert_eq!(bench.column("select distinct state as v from outbox").await, ["succeeded"]);
    assert_eq!(*bench.platform.renewals.lock().unwrap(), ["refresh-1"], "one fetches, the others wait");
    bench.platform.seen.lock().unwrap().clear();
    bench.ask(&["5"]).await;
    assert_eq!(*bench.platform.seen.lock().unwrap(), ["fresh"]);
    let vault = kit::Vault::new(bench.app.variables()).unwrap();
    let sealed = bench.column("select hex(refresh_token) as v from shop").await.remove(0);
    let opened = vault.open("shop.token", &hex::decode(sealed).unwrap()).unwrap();
    assert_eq!(opened, b"refresh-2", "the platform has given another one");
}

#[tokio::test]
async fn a_shop_without_a_token_keeps_its_calls_waiting_and_says_what_to_do() {
    let bench = Bench::new().await;
    bench.ask(&["1"]).await;
    assert_eq!(bench.column("select state as v from outbox").await, ["pending"]);
    let error = bench.column("select error as v from outbox").await.remove(0);
    assert!(error.contains("PUT /v1/shops/pinduoduo/1"), "{error}");
}
