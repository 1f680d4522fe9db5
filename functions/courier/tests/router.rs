//! The courier against a platform in this process: tokens, retries, the breaker, outcomes. All shops are invented.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use domain::UnixMs;
use http::{Request, StatusCode};
use kit::{App, Client, Cx, DbError, Native, outbox};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

/// What the platform does and what it has seen.
#[derive(Default)]
struct Platform {
    tokens: AtomicU32,
    calls: AtomicU32,
    /// Answers to the next calls; success when there are none left.
    answers: Mutex<Vec<(StatusCode, Value)>>,
    keys: Mutex<Vec<String>>,
}

struct Bench {
    app: App,
    router: Router,
    platform: Arc<Platform>,
}

fn at(millis: i64) -> UnixMs {
    UnixMs::from_millis(1_771_032_600_000 + millis).unwrap()
}

impl Bench {
    async fn new(answers: Vec<(StatusCode, Value)>) -> Self {
        let platform = Arc::new(Platform { answers: Mutex::new(answers), ..Platform::default() });
        let client = Client::default();
        let routes = Router::new()
            .route("/token/create", post(token))
            .route("/order/orderDetail", post(detail))
            .with_state(platform.clone());
        client.mount("platform", routes);
        let variables = [
            ("clock", "virtual"),
            ("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("douyin_app_key", "app-123"),
            ("douyin_app_secret", "secret-456"),
            ("douyin_api_base", "http://platform.spin.internal"),
        ];
        let app = App::native(&Native { client, ..Native::in_memory(variables) }).unwrap();
        app.clock().set(at(0)).await.unwrap();
        Self { router: courier::router(app.clone()), app, platform }
    }

    async fn queue(&self, subjects: &'static [&'static str]) {
        self.app
            .db()
            .write(&Cx::at(at(0)), move |tx| {
                for subject in subjects {
                    let request = json!({ "shop_id": "4463798", "ask": "order", "order_id": subject });
                    let call = outbox::Call { destination: "douyin", operation: "order", subject, request };
                    outbox::enqueue(tx, &call)?;
                }
                Ok::<_, DbError>(())
            })
            .await
            .unwrap();
    }

    /// Moves the clock and delivers until nothing is under way.
    async fn deliver(&self, millis: i64) {
        self.app.clock().set(at(millis)).await.unwrap();
        let request = Request::post("/deliver").body(Body::from("{}")).unwrap();
        assert_eq!(self.router.clone().oneshot(request).await.unwrap().status(), 200);
        for _ in 0..500 {
            if self.column("select id as v from outbox where state = 'sending'").await.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("calls hang");
    }

    async fn column(&self, sql: &str) -> Vec<String> {
        self.app
            .db()
            .read(&Cx::at(at(0)), |tx| {
                tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>()
            })
            .await
            .unwrap()
    }

    async fn states(&self) -> Vec<String> {
        self.column("select state || ' ' || attempts as v from outbox order by subject").await
    }
}

async fn token(State(platform): State<Arc<Platform>>) -> axum::Json<Value> {
    let number = platform.tokens.fetch_add(1, Ordering::SeqCst) + 1;
    // Slow enough for others to come meanwhile.
    tokio::time::sleep(Duration::from_millis(30)).await;
    let data = json!({ "access_token": format!("token-{number}"), "expires_in": 604_800, "shop_id": "4463798" });
    axum::Json(json!({ "code": 10000, "msg": "success", "data": data }))
}

async fn detail(State(platform): State<Arc<Platform>>, request: Request<Body>) -> (StatusCode, axum::Json<Value>) {
    platform.calls.fetch_add(1, Ordering::SeqCst);
    let key = request.headers()["idempotency-key"].to_str().unwrap().to_owned();
    platform.keys.lock().unwrap().push(key);
    let answer = platform.answers.lock().unwrap().pop();
    let (status, body) = answer.unwrap_or((StatusCode::OK, json!({ "code": 10000, "data": { "fine": true } })));
    (status, axum::Json(body))
}

fn busy() -> (StatusCode, Value) {
    (StatusCode::SERVICE_UNAVAILABLE, json!({}))
}

#[tokio::test]
async fn under_load_the_token_is_fetched_once() {
    let bench = Bench::new(vec![]).await;
    bench.queue(&["a", "b", "c", "d", "e", "f", "g", "h"]).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["succeeded 1"; 8]);
    assert_eq!(bench.platform.tokens.load(Ordering::SeqCst), 1);
    assert_eq!(bench.column("select type as v from event").await, ["outbox.succeeded"; 8]);
    let sealed = bench.column("select hex(response) as v from outbox limit 1").await.concat();
    assert!(!sealed.contains(&hex_of("fine")), "answers are sealed");
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_within_the_same_try() {
    let expired = json!({ "code": 30001, "sub_code": "isv.access-token-expired", "sub_msg": "expired" });
    let bench = Bench::new(vec![(StatusCode::OK, expired)]).await;
    bench.queue(&["a"]).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["succeeded 1"]);
    assert_eq!(bench.platform.tokens.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_later_with_the_same_key() {
    let bench = Bench::new(vec![busy(), busy()]).await;
    bench.queue(&["a"]).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["pending 1"]);
    bench.deliver(100).await;
    assert_eq!(bench.states().await, ["pending 1"], "not before its pause is over");
    bench.deliver(1_000).await;
    bench.deliver(4_000).await;
    assert_eq!(bench.states().await, ["succeeded 3"]);
    let keys = bench.platform.keys.lock().unwrap().clone();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(bench.column("select type as v from event").await, ["outbox.succeeded"]);
}

#[tokio::test]
async fn what_never_passes_ends_as_an_event() {
    let refused = json!({ "code": 40003, "sub_code": "isv.parameter-invalid", "sub_msg": "no such order" });
    let bench = Bench::new(vec![(StatusCode::OK, refused)]).await;
    bench.queue(&["a"]).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["failed 1"]);
    assert_eq!(bench.column("select type as v from event").await, ["outbox.failed"]);
}

#[tokio::test]
async fn a_destination_in_trouble_is_left_alone_and_then_tried_with_one_call() {
    let bench = Bench::new(vec![busy(); 5]).await;
    bench.queue(&["a", "b", "c", "d", "e"]).await;
    bench.deliver(0).await;
    assert_eq!(bench.platform.calls.load(Ordering::SeqCst), 5);
    bench.deliver(20_000).await;
    assert_eq!(bench.platform.calls.load(Ordering::SeqCst), 5, "the circuit is open");
    bench.deliver(31_000).await;
    assert_eq!(bench.platform.calls.load(Ordering::SeqCst), 6, "one call tries whether it goes again");
    bench.deliver(31_001).await;
    assert_eq!(bench.states().await, ["succeeded 2"; 5]);
}

#[tokio::test]
async fn a_call_whose_courier_has_gone_is_sent_again_and_told_once() {
    let bench = Bench::new(vec![]).await;
    bench.queue(&["a"]).await;
    bench
        .app
        .db()
        .write(&Cx::at(at(0)), |tx| {
            tx.execute(
                &format!("update outbox set state = 'sending', attempts = 1, lease_until = {}", at(120_000).millis()),
                &[],
            )
        })
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    bench.app.clock().set(at(119_999)).await.unwrap();
    let request = Request::post("/deliver").body(Body::from("{}")).unwrap();
    bench.router.clone().oneshot(request).await.unwrap();
    assert_eq!(bench.states().await, ["sending 1"], "the lease still runs");
    bench.deliver(120_000).await;
    assert_eq!(bench.states().await, ["succeeded 2"]);
    assert_eq!(bench.column("select type as v from event").await, ["outbox.succeeded"]);
}

#[tokio::test]
async fn without_configuration_calls_wait_and_nothing_is_lost() {
    let bench = Bench::new(vec![]).await;
    let app = App::native(&Native::in_memory([("clock", "virtual")])).unwrap();
    let bare = Bench { router: courier::router(app.clone()), app, ..bench };
    bare.app.clock().set(at(0)).await.unwrap();
    bare.queue(&["a"]).await;
    let request = Request::post("/deliver").body(Body::from("{}")).unwrap();
    assert_eq!(bare.router.clone().oneshot(request).await.unwrap().status(), 503);
    assert_eq!(bare.states().await, ["pending 0"]);
}
