//! The pump with consumers in this process: it drives them to the head, replays dead letters, and moves the clock.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use axum::Router;
use axum::body::Body;
use domain::{ClockMoved, Event, UnixMs, Version};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kit::consume::{ConsumeError, Consumer, routes};
use kit::{App, Client, Cx, DbError, Native, events, params};
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;

/// Notes what it sees; refuses the subject `poison` until the lease `cured` exists.
const CONSUMER: Consumer = Consumer {
    name: "orders",
    types: &["clock.moved"],
    apply: |_, tx, event| {
        let cured = tx.query_one("select 1 as found from lease where name = 'cured'", &[])?.is_some();
        if event.subject == "poison" && !cured {
            return Err(ConsumeError::Refused("poison".to_owned()));
        }
        tx.execute(
            "insert into lease (name, holder, until) values (?1, 'seen', ?2)",
            &params![event.id.to_string(), event.seq],
        )?;
        Ok(())
    },
};

struct Bench {
    app: App,
    router: Router,
}

fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(1_771_032_600 + seconds).unwrap()
}

fn event() -> Event {
    Event::ClockMoved(ClockMoved { v: Version, from: at(0), to: at(0) })
}

impl Bench {
    async fn new(clock: &str) -> Self {
        let client = Client::default();
        let variables = [("api_token", "first-token"), ("clock", clock)];
        let app = App::native(&Native { client: client.clone(), ..Native::in_memory(variables) }).unwrap();
        client.mount("orders", routes::<App>(CONSUMER).with_state(app.clone()));
        let router = pump::router(app.clone());
        client.mount("pump", router.clone());
        if clock == "virtual" {
            app.clock().set(at(0)).await.unwrap();
        }
        Self { app, router }
    }

    async fn append(&self, subjects: &'static [&'static str]) {
        self.app
            .db()
            .write(&Cx::at(at(0)), move |tx| {
                for subject in subjects {
                    events::append(tx, "/test", subject, &event())?;
                }
                Ok::<_, DbError>(())
            })
            .await
            .unwrap();
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer first-token")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn seen(&self) -> Vec<i64> {
        self.app
            .db()
            .read(&Cx::at(at(0)), |tx| {
                tx.query("select until from lease where holder = 'seen' order by until", &[])?
                    .iter()
                    .map(|row| row.get("until"))
                    .collect::<Result<_, DbError>>()
            })
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_commit_with_events_drives_the_consumers_by_itself() {
    let bench = Bench::new("system").await;
    bench.append(&["a", "b", "c"]).await;
    for _ in 0..200 {
        if bench.seen().await == [1, 2, 3] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the nudge did not drive the consumer: {:?}", bench.seen().await);
}

#[tokio::test]
async fn a_dead_letter_is_listed_and_replayed() {
    let bench = Bench::new("virtual").await;
    bench.append(&["poison", "fine"]).await;
    assert_eq!(bench.call("POST", "/v1/tick", Value::Null).await.0, 204);
    for _ in 0..200 {
        if bench.seen().await == [2] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (_, letters) = bench.call("GET", "/v1/events/dead-letters", Value::Null).await;
    let letter = &letters["items"][0];
    assert_eq!((&letter["seq"], &letter["error"], &letter["attempts"]), (&json!(1), &json!("poison"), &json!(3)));
    let replay = format!("/v1/events/dead-letters/{}/replay", letter["id"].as_str().unwrap());
    let (status, problem) = bench.call("POST", &replay, Value::Null).await;
    assert_eq!((status.as_u16(), &problem["type"]), (422, &json!("/problems/replay-failed")));

    bench
        .app
        .db()
        .write(&Cx::at(at(0)), |tx| tx.execute("insert into lease values ('cured', '', 0)", &[]))
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    assert_eq!(bench.call("POST", &replay, Value::Null).await.0, 204);
    assert_eq!(bench.call("POST", &replay, Value::Null).await.0, 404, "once");
    assert_eq!(bench.seen().await, [1, 2]);
    let (_, letters) = bench.call("GET", "/v1/events/dead-letters", Value::Null).await;
    assert_eq!(letters["items"], json!([]));
}

#[tokio::test]
async fn the_log_pages_and_filters() {
    let bench = Bench::new("virtual").await;
    bench.append(&["a", "b", "c"]).await;
    let (_, first) = bench.call("GET", "/v1/events?limit=2", Value::Null).await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["next_after"]), (2, &json!(2)));
    assert_eq!(first["items"][0]["specversion"], "1.0");
    let (_, rest) = bench.call("GET", "/v1/events?limit=2&after=2", Value::Null).await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_after"]), (1, &Value::Null));
    let (_, none) = bench.call("GET", "/v1/events?type=order.paid", Value::Null).await;
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn the_virtual_clock_moves_forward_only_and_fires_what_comes_due() {
    let bench = Bench::new("virtual").await;
    bench
        .app
        .db()
        .write(&Cx::at(at(0)), |tx| events::schedule(tx, at(3600), "key", "/test", "due", &event()))
        .await
        .unwrap();
    let set =
        async |seconds| bench.call("POST", "/v1/clock", json!({ "now": at(seconds).to_string() })).await.0.as_u16();
    assert_eq!((set(3599).await, set(3600).await, set(3599).await), (200, 200, 409));
    let (_, log) = bench.call("GET", "/v1/events", Value::Null).await;
    let subjects: Vec<_> = log["items"].as_array().unwrap().iter().map(|event| event["subject"].clone()).collect();
    assert_eq!(subjects, ["clock", "clock", "due"]);
    let system = Bench::new("system").await;
    let (status, problem) = system.call("POST", "/v1/clock", json!({ "now": "2100-01-01T00:00:00Z" })).await;
    assert_eq!((status.as_u16(), &problem["type"]), (409, &json!("/problems/clock-not-virtual")));
}
