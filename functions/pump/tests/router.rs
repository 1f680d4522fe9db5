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
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
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
        Self::with(clock, "", |consumer| consumer).await
    }

    /// With the variable `keep_days`, and the consumer's routes as changed by `change`.
    async fn with(clock: &str, keep_days: &str, change: impl FnOnce(Router) -> Router) -> Self {
        let client = Client::default();
        let variables = [("api_token", "first-token"), ("clock", clock), ("keep_days", keep_days)];
        let app = App::native(&Native { client: client.clone(), ..Native::in_memory(variables) }).unwrap();
        client.mount("orders", change(routes::<App>(CONSUMER).with_state(app.clone())));
        let router = pump::router(app.clone());
        client.mount("pump", router.clone());
        if clock == "virtual" {
            app.clock().set(at(0)).await.unwrap();
        }
        let bench = Self { app, router };
        // The application's other functions are not here.
        bench.sql("delete from consumer where name <> 'orders'").await;
        bench
    }

    async fn sql(&self, sql: &'static str) {
        self.app.db().write(&Cx::at(at(0)), move |tx| tx.run(sql, &[])).await.map_err(|error: DbError| error).unwrap();
    }

    /// The texts that `sql` finds.
    async fn texts(&self, sql: &'static str) -> Vec<String> {
        let cx = Cx::at(at(0));
        let read = self
            .app
            .db()
            .read(&cx, |tx| tx.query(sql, &[])?.iter().map(|row| row.get("it")).collect::<Result<_, DbError>>());
        read.await.unwrap()
    }

    async fn set_clock(&self, seconds: i64) -> (StatusCode, Value) {
        self.call("POST", "/v1/clock", json!({ "now": at(seconds).to_string() })).await
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

    async fn text(&self, path: &str) -> String {
        let request = Request::get(path).header("authorization", "Bearer first-token").body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
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

    bench.sql("insert into lease values ('cured', '', 0)").await;
    assert_eq!(bench.call("POST", &replay, Value::Null).await.0, 204);
    assert_eq!(bench.call("POST", &replay, Value::Null).await.0, 404, "once");
    assert_eq!(bench.seen().await, [1, 2]);
    let (_, letters) = bench.call("GET", "/v1/events/dead-letters", Value::Null).await;
    assert_eq!(letters["items"], json!([]));
}

#[tokio::test]
async fn figures_tell_what_lags_and_what_is_overdue() {
    let bench = Bench::new("virtual").await;
    bench.append(&["poison", "a"]).await;
    assert_eq!(bench.set_clock(0).await.0, 200);
    for sql in [
        "insert into consumer (name, attempts) values ('idle', 2)",
        "insert into timer (key, due, type, subject, source, data) values ('k', 1771032599000, 't', '', '/', '{}')",
        "insert into outbox (id, destination, operation, subject, idempotency_key, request, due, created_at)
         values ('1', 'douyin', 'get', '1', '1', '{}', 1771032598000, 0), ('2', 'douyin', 'get', '2', '2', '{}', 1771032597000, 0),
                ('3', 'taobao', 'get', '3', '3', '{}', 99999999999999, 0)",
        "insert into event (id, type, subject, source, time, data) values ('f', 'outbox.failed', '', '/', 0, '{\"destination\": \"jd\"}')",
        "insert into counter (name, day, value) values ('hooks.\"x\".refused', 1, 2), ('hooks.\"x\".refused', 2, 3)",
        "insert into pull (platform, shop, kind, pulled_until, failures) values ('jd', 's', 'orders', 0, 4)",
    ] {
        bench.sql(sql).await;
    }
    let text = bench.text("/v1/metrics").await;
    for line in [
        "# TYPE siyu_consumer_lag_events gauge",
        "siyu_consumer_lag_events{consumer=\"idle\"} 4",
        "siyu_consumer_lag_events{consumer=\"orders\"} 1",
        "siyu_consumer_attempts{consumer=\"idle\"} 2",
        "siyu_dead_letters{consumer=\"idle\"} 0",
        "siyu_dead_letters{consumer=\"orders\"} 1",
        "siyu_timer_overdue_milliseconds{timer=\"oldest\"} 1000",
        "siyu_calls_due{destination=\"douyin\"} 2",
        "siyu_calls_overdue_milliseconds{destination=\"douyin\"} 3000",
        "siyu_pull_failures{shop=\"jd/s/orders\"} 4",
        "siyu_calls_failed_total{destination=\"jd\"} 1",
        "siyu_counted_total{name=\"hooks.\\\"x\\\".refused\"} 5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("taobao"), "not due yet");
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
    let set = async |seconds| bench.set_clock(seconds).await.0.as_u16();
    assert_eq!((set(3599).await, set(3600).await, set(3599).await), (200, 200, 409));
    let (_, log) = bench.call("GET", "/v1/events", Value::Null).await;
    let subjects: Vec<_> = log["items"].as_array().unwrap().iter().map(|event| event["subject"].clone()).collect();
    assert_eq!(subjects, ["clock", "clock", "due"]);
    let system = Bench::new("system").await;
    let (status, problem) = system.call("POST", "/v1/clock", json!({ "now": "2100-01-01T00:00:00Z" })).await;
    assert_eq!((status.as_u16(), &problem["type"]), (409, &json!("/problems/clock-not-virtual")));
}

/// Lets a consumer be called only as often as `gate` has permits.
fn behind(gate: &Arc<Semaphore>, consumer: Router) -> Router {
    let gate = Arc::clone(gate);
    consumer.layer(axum::middleware::from_fn(move |request, next: axum::middleware::Next| {
        let gate = Arc::clone(&gate);
        async move {
            gate.acquire().await.unwrap().forget();
            next.run(request).await
        }
    }))
}

#[tokio::test]
async fn a_clock_moved_during_a_run_waits_for_it_and_drives_on_to_the_head() {
    let gate = Arc::new(Semaphore::new(0));
    let bench = Bench::with("virtual", "", |consumer| behind(&gate, consumer)).await;
    // A run is under way: it has called the consumer, which does not answer yet.
    bench.append(&["a"]).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    bench
        .app
        .db()
        .write(&Cx::at(at(0)), |tx| events::schedule(tx, at(3600), "key", "/test", "due", &event()))
        .await
        .unwrap();
    let router = bench.router.clone();
    let moving = tokio::spawn(async move {
        let (app, body) = (router, json!({ "now": at(3600).to_string() }).to_string());
        let request = Request::post("/v1/clock").header("authorization", "Bearer first-token");
        app.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap().status()
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!moving.is_finished(), "it does not answer before the consumer has been driven");
    gate.add_permits(1000);
    assert_eq!(moving.await.unwrap(), 200);
    // The event of the run under way, the clock's own, and the timer's.
    assert_eq!(bench.seen().await, [1, 2, 3], "all applied when it answers");
}

#[tokio::test]
async fn who_is_slow_holds_up_no_other() {
    const SLOW: Consumer = Consumer { name: "tagging", types: &["clock.moved"], apply: |_, _, _| Ok(()) };
    let gate = Arc::new(Semaphore::new(0));
    let bench = Bench::new("").await;
    bench.app.client().mount("tagging", behind(&gate, routes::<App>(SLOW).with_state(bench.app.clone())));
    bench.sql("insert into consumer (name, seq) values ('tagging', 0)").await;
    for (subject, seen) in [(&["a"], vec![1]), (&["b"], vec![1, 2])] {
        bench.append(subject).await;
        for _ in 0..500 {
            if bench.seen().await == seen {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(bench.seen().await, seen);
        assert_eq!(bench.texts("select name || seq as it from consumer where name = 'tagging'").await, ["tagging0"]);
        // The run is under way still when the next event comes.
        bench.app.nudge();
    }
}

#[tokio::test]
async fn a_clock_whose_consumers_cannot_be_driven_says_so() {
    let bench = Bench::new("virtual").await;
    bench.sql("alter table consumer rename to gone").await;
    let (status, problem) = bench.set_clock(1).await;
    assert_eq!((status.as_u16(), &problem["type"]), (503, &json!("/problems/unavailable")), "{problem}");
}

const DAY: i64 = 86_400;

/// Digests and answers from the day 0 and from the day 20, and a call that is still to be sent.
async fn old_and_new(bench: &Bench) {
    for sql in [
        "insert into inbox (source, digest, message_id, received_at)
         select 'own', randomblob(32), value, 1771032600000 + value * 86400000 from json_each('[0, 20]')",
        "insert into outbox (id, destination, operation, subject, idempotency_key, request, state, due, created_at,
                             finished_at, response)
         select value, 'douyin', 'get', value, value, '{}', 'succeeded', 0, 0, 1771032600000 + value * 86400000, x'00'
           from json_each('[0, 20]')",
        "insert into outbox (id, destination, operation, subject, idempotency_key, request, due, created_at)
         values ('waits', 'elsewhere', 'get', '', 'waits', '{}', 99999999999999, 0)",
    ] {
        bench.sql(sql).await;
    }
}

const DIGESTS: &str = "select message_id as it from inbox order by it";
const ANSWERS: &str = "select id as it from outbox where response is not null order by id";

#[tokio::test]
async fn digests_and_answers_are_forgotten_after_their_days_and_calls_stay() {
    let bench = Bench::new("virtual").await;
    old_and_new(&bench).await;
    assert_eq!(bench.set_clock(30 * DAY - 1).await.0, 200);
    assert_eq!((bench.texts(DIGESTS).await.len(), bench.texts(ANSWERS).await.len()), (2, 2), "not before their time");
    assert_eq!(bench.set_clock(30 * DAY).await.0, 200);
    assert_eq!(
        (bench.texts(DIGESTS).await, bench.texts(ANSWERS).await),
        (vec!["20".to_owned()], vec!["20".to_owned()])
    );
    assert_eq!(bench.texts("select id as it from outbox order by id").await, ["0", "20", "waits"]);

    let bench = Bench::with("virtual", "7", |consumer| consumer).await;
    old_and_new(&bench).await;
    assert_eq!(bench.set_clock(27 * DAY).await.0, 200);
    assert_eq!((bench.texts(DIGESTS).await.len(), bench.texts(ANSWERS).await.len()), (0, 0), "as long as is set");
}

#[tokio::test]
async fn an_answer_stays_until_it_has_been_applied_and_its_dead_letter_replayed() {
    let gate = Arc::new(Semaphore::new(0));
    let bench = Bench::with("virtual", "", |consumer| behind(&gate, consumer)).await;
    bench
        .app
        .db()
        .write(&Cx::at(at(0)), |tx| {
            let answered = domain::OutboxSucceeded {
                v: Version,
                outbox_id: domain::OutboxId::new(at(0), kit::random()),
                destination: "douyin".to_owned(),
                operation: "get".to_owned(),
                subject: "0".to_owned(),
                status: 200,
                attempts: 1,
                at: at(0),
            };
            tx.run(
                "insert into outbox (id, destination, operation, subject, idempotency_key, request, state, due,
                                     created_at, finished_at, response)
                 values (?1, 'douyin', 'get', '0', '0', '{}', 'succeeded', 0, 0, ?2, x'00')",
                &params![answered.outbox_id.to_string(), at(0).millis()],
            )?;
            events::append(tx, "/test", "0", &Event::OutboxSucceeded(answered))
        })
        .await
        .unwrap();
    bench.app.clock().set(at(40 * DAY)).await.unwrap();
    // The consumer is called, and does not answer: the event stands in the log unapplied.
    let tick = async || bench.call("POST", "/v1/tick", Value::Null).await.0;
    let _ = tokio::time::timeout(Duration::from_millis(500), tick()).await;
    assert_eq!(bench.texts(ANSWERS).await.len(), 1, "not applied yet");
    gate.add_permits(1000);
    for _ in 0..200 {
        if bench.texts("select name as it from consumer where seq >= 1").await == ["orders"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bench.sql("insert into dead_letter (id, consumer, seq, error, attempts, failed_at) values ('1', 'orders', 1, '', 3, 0)").await;
    assert_eq!(bench.set_clock(41 * DAY).await.0, 200);
    assert_eq!(bench.texts(ANSWERS).await.len(), 1, "a dead letter waits");
    bench.sql("update dead_letter set replayed_at = 0").await;
    assert_eq!(bench.set_clock(42 * DAY).await.0, 200);
    assert_eq!(bench.texts(ANSWERS).await.len(), 0);
}

#[tokio::test]
async fn a_tick_forgets_a_bounded_number_and_the_next_one_goes_on() {
    let bench = Bench::new("virtual").await;
    bench
        .sql(
            "insert into inbox (source, digest, message_id, received_at)
             with recursive number (n) as (select 1 union all select n + 1 from number where n < 2500)
             select 'own', randomblob(32), n, n from number",
        )
        .await;
    let mut left = Vec::new();
    for _ in 0..3 {
        assert_eq!(bench.call("POST", "/v1/tick", Value::Null).await.0, 204);
        left.push(bench.texts(DIGESTS).await.len());
    }
    assert_eq!(left, [1500, 500, 0]);
}

#[tokio::test]
async fn too_few_days_are_named_and_nothing_is_forgotten_but_the_consumers_are_driven() {
    let bench = Bench::with("virtual", "6", |consumer| consumer).await;
    old_and_new(&bench).await;
    bench.append(&["a"]).await;
    bench.app.clock().set(at(400 * DAY)).await.unwrap();
    let (status, problem) = bench.call("POST", "/v1/tick", Value::Null).await;
    assert_eq!((status.as_u16(), &problem["variable"]), (503, &json!("keep_days")), "{problem}");
    for _ in 0..200 {
        if bench.seen().await == [1] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(bench.seen().await, [1]);
    assert_eq!(bench.texts(DIGESTS).await.len(), 2);
}
