//! WeCom and Official Accounts against a platform in this process: tokens, welcomes, pauses, the rule of messages. Staff and contacts are invented.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::{UnixMs, WelcomeOutcome};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Client, Cx, DbError, Native, Vault, outbox};
use platforms::wecom::answer::MessageTask;
use platforms::wecom::{Answer, Ask, Message};
use platforms::{official_account, wecom};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

/// What the platform does and what it has seen.
#[derive(Default)]
struct Platform {
    tokens: AtomicU32,
    /// Calls by their last word, with their bodies.
    calls: Mutex<Vec<(String, Value)>>,
    /// Answers to the next calls of a kind; the last one is first. All is well when there are none left.
    answers: Mutex<BTreeMap<&'static str, Vec<Value>>>,
}

impl Platform {
    fn called(&self, name: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(call, _)| call == name).map(|(_, body)| body.clone()).collect()
    }

    fn answer(&self, call: &str, body: Value) -> Response {
        self.calls.lock().unwrap().push((call.to_owned(), body));
        let answer = self.answers.lock().unwrap().get_mut(call).and_then(Vec::pop);
        match answer.unwrap_or_else(|| json!({ "errcode": 0, "errmsg": "ok", "msgid": "msg1" })) {
            Value::Number(status) => {
                StatusCode::from_u16(u16::try_from(status.as_u64().unwrap()).unwrap()).unwrap().into_response()
            }
            // Longer than anybody reads: the answer is lost.
            Value::Null => vec![b' '; 5 << 20].into_response(),
            answer => axum::Json(answer).into_response(),
        }
    }
}

async fn token(State(platform): State<Arc<Platform>>) -> axum::Json<Value> {
    let number = platform.tokens.fetch_add(1, Ordering::SeqCst) + 1;
    // Slow enough for others to come meanwhile.
    tokio::time::sleep(Duration::from_millis(30)).await;
    axum::Json(json!({ "errcode": 0, "access_token": format!("token-{number}"), "expires_in": 7200 }))
}

async fn contact(State(platform): State<Arc<Platform>>) -> Response {
    platform.answer("get", Value::Null)
}

async fn call(State(platform): State<Arc<Platform>>, Path(call): Path<String>, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    if body["external_userid"].as_str().is_some_and(|contact| contact.starts_with("slow")) {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    platform.answer(&call, body)
}

fn person() -> Value {
    json!({ "errcode": 0, "external_contact": { "external_userid": "wm1", "name": "测试顾客甲", "type": 1 }, "follow_user": [] })
}

fn code(code: i64) -> Value {
    json!({ "errcode": code, "errmsg": "invented" })
}

struct Bench {
    app: App,
    router: Router,
    platform: Arc<Platform>,
}

fn at(millis: i64) -> UnixMs {
    // 2026-02-14 09:30:00 +08:00
    UnixMs::from_millis(1_771_032_600_000 + millis).unwrap()
}

const SETTINGS: [(&str, &str); 6] = [
    ("wecom_corp_id", "ww1"),
    ("wecom_agent_id", "1000002"),
    ("wecom_secret", "invented"),
    ("wecom_api_base", "http://platform.spin.internal"),
    ("official_account_app_id", "wx1"),
    ("official_account_secret", "invented"),
];

impl Bench {
    async fn new(answers: impl IntoIterator<Item = (&'static str, Vec<Value>)>) -> Self {
        Self::configured(answers, &SETTINGS).await
    }

    async fn configured(
        answers: impl IntoIterator<Item = (&'static str, Vec<Value>)>,
        settings: &[(&'static str, &'static str)],
    ) -> Self {
        // In the order in which they are given, from the end.
        let answers = answers.into_iter().map(|(call, answers)| (call, answers.into_iter().rev().collect()));
        let platform = Arc::new(Platform { answers: Mutex::new(answers.collect()), ..Platform::default() });
        let client = Client::default();
        let routes = Router::new()
            .route("/cgi-bin/gettoken", get(token))
            .route("/cgi-bin/stable_token", post(token))
            .route("/cgi-bin/externalcontact/get", get(contact))
            .route("/cgi-bin/externalcontact/{call}", post(call))
            .route("/cgi-bin/qrcode/{call}", post(call))
            .route("/cgi-bin/message/template/{call}", post(call))
            .route("/cgi-bin/message/custom/{call}", post(call))
            .with_state(platform.clone());
        client.mount("platform", routes);
        let mut variables = vec![
            ("api_token", "first-token"),
            ("clock", "virtual"),
            ("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("official_account_api_base", "http://platform.spin.internal"),
        ];
        variables.extend(settings);
        let app = App::native(&Native { client, ..Native::in_memory(variables) }).unwrap();
        app.clock().set(at(0)).await.unwrap();
        Self { router: courier::router(app.clone()), app, platform }
    }

    async fn enqueue(&self, destination: &'static str, operation: &'static str, subject: &str, request: Value) {
        let subject = subject.to_owned();
        let queue = move |tx: &kit::Tx<'_>| {
            outbox::enqueue(tx, &outbox::Call { destination, operation, subject: &subject, request })
        };
        self.app.db().write(&Cx::at(at(0)), queue).await.map_err(|error: DbError| error).unwrap();
    }

    async fn queue(&self, subject: &str, ask: &Ask) {
        ask.check().unwrap();
        self.enqueue(ask.destination(), ask.operation(), subject, serde_json::to_value(ask).unwrap()).await;
    }

    /// Moves the clock and delivers until nothing is under way.
    async fn deliver(&self, millis: i64) {
        self.app.clock().set(at(millis)).await.unwrap();
        let (status, _) = self.call("POST", "/deliver", Some(json!({}))).await;
        assert_eq!(status, 200);
        for _ in 0..1000 {
            if self.column("select id as v from outbox where state = 'sending'").await.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("calls hang");
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

    async fn column(&self, sql: &str) -> Vec<String> {
        let sql = sql.to_owned();
        self.app
            .db()
            .read(&Cx::at(at(0)), |tx| {
                tx.query(&sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>()
            })
            .await
            .unwrap()
    }

    async fn states(&self) -> Vec<String> {
        self.column("select subject || ' ' || state || ' ' || attempts as v from outbox order by subject").await
    }

    /// What a call was answered with, as the functions that read it see it.
    async fn answers(&self, subject: &str) -> Vec<Answer> {
        let rows = self
            .column(&format!(
                "select hex(response) as v from outbox where subject = '{subject}' and response is not null order by id"
            ))
            .await;
        let vault = Vault::new(self.app.variables()).unwrap();
        let open = |row: String| vault.open(outbox::RESPONSE_PURPOSE, &hex::decode(row).unwrap()).unwrap();
        rows.into_iter().map(|row| serde_json::from_slice(&open(row)).unwrap()).collect()
    }

    /// How many messages each contact was given, in all.
    async fn sent(&self) -> Vec<String> {
        self.column("select contact || ' ' || sum(count) as v from message_sent group by contact having sum(count) > 0")
            .await
    }

    async fn claims(&self) -> usize {
        self.column("select contact as v from message_claim").await.len()
    }
}

fn get_contact(contact: &str) -> Ask {
    Ask::GetContact { contact: contact.to_owned() }
}

fn mark(contact: &str) -> Ask {
    let (staff, contact) = ("zhangsan".to_owned(), contact.to_owned());
    Ask::MarkTags { staff, contact, add: vec!["et1".to_owned()], remove: Vec::new() }
}

fn text(text: &str) -> Message {
    Message { text: Some(text.to_owned()), attachments: Vec::new() }
}

fn welcome(said: &str) -> Ask {
    Ask::Welcome {
        welcome_code: "CODE".to_owned(),
        contact: "wm1".to_owned(),
        staff: "zhangsan".to_owned(),
        until: at(20_000),
        message: text(said),
    }
}

fn message(contacts: &[&str]) -> Ask {
    let contacts = contacts.iter().map(|contact| (*contact).to_owned()).collect();
    Ask::MessageContacts { contacts, sender: None, message: text("上新了") }
}

#[tokio::test]
async fn under_load_wecoms_token_is_fetched_once() {
    let bench = Bench::new([]).await;
    for number in 0..50 {
        let contact = format!("wm{number:02}");
        bench.queue(&contact, &mark(&contact)).await;
    }
    // More than there are hands for: a hand is free again a moment after its outcome stands in the database.
    for _ in 0..100 {
        if bench.column("select state as v from outbox where state = 'pending'").await.is_empty() {
            break;
        }
        bench.deliver(0).await;
    }
    let states: BTreeSet<_> = bench.column("select state as v from outbox").await.into_iter().collect();
    assert_eq!(states, BTreeSet::from(["succeeded".to_owned()]));
    assert_eq!(bench.platform.called("mark_tag").len(), 50);
    assert_eq!(bench.platform.tokens.load(Ordering::SeqCst), 1);
    // Renewed before it ends, and not sooner.
    bench.queue("a", &mark("wm1")).await;
    bench.deliver(6_890_000).await;
    assert_eq!(bench.platform.tokens.load(Ordering::SeqCst), 1);
    bench.queue("b", &mark("wm1")).await;
    bench.deliver(6_910_000).await;
    assert_eq!(bench.platform.tokens.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_that_wecom_has_ended_is_replaced_within_the_same_try() {
    for ended in [42_001, 40_014, 40_001] {
        let bench = Bench::new([("mark_tag", vec![code(ended)])]).await;
        bench.queue("a", &mark("wm1")).await;
        bench.deliver(0).await;
        assert_eq!(bench.states().await, ["a succeeded 1"], "{ended}");
        assert_eq!(bench.platform.tokens.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_welcome_is_tried_again_quickly() {
    let bench = Bench::new([("send_welcome_msg", vec![code(-1), json!(503)])]).await;
    bench.queue("a", &welcome("欢迎")).await;
    bench.deliver(0).await;
    bench.deliver(299).await;
    assert_eq!(bench.states().await, ["a pending 1"]);
    bench.deliver(300).await;
    assert_eq!(bench.states().await, ["a pending 2"]);
    bench.deliver(900).await;
    assert_eq!(bench.states().await, ["a succeeded 3"]);
    assert_eq!(bench.answers("a").await, [Answer::WelcomeSent { outcome: WelcomeOutcome::Sent }]);
}

#[tokio::test]
async fn a_welcome_ends_with_its_code() {
    const MISSED: Answer = Answer::WelcomeSent { outcome: WelcomeOutcome::Missed };
    let late = Bench::new([]).await;
    late.queue("a", &welcome("欢迎")).await;
    late.deliver(20_000).await;
    assert_eq!((late.states().await, late.answers("a").await), (vec!["a succeeded 1".to_owned()], vec![MISSED]));
    assert!(late.platform.called("send_welcome_msg").is_empty(), "nobody is asked");

    let busy = Bench::new([("send_welcome_msg", vec![code(-1); 50])]).await;
    busy.queue("a", &welcome("欢迎")).await;
    for step in 0..=200 {
        busy.deliver(step * 100).await;
    }
    assert_eq!(busy.answers("a").await, [MISSED]);
    // 0, 0.3, 0.9, 2.1, 4.5 and then every 2.4 seconds.
    assert_eq!(busy.platform.called("send_welcome_msg").len(), 11);
    assert_eq!(busy.column("select type as v from event").await, ["outbox.succeeded"]);
}

#[tokio::test]
async fn a_code_that_another_used_is_an_outcome_and_no_error() {
    let bench = Bench::new([("send_welcome_msg", vec![Value::Null, code(41_051)])]).await;
    bench.queue("a", &welcome("欢迎")).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["a pending 1"], "the answer was lost: the code tells whether it was used");
    bench.deliver(300).await;
    let outcome = WelcomeOutcome::AlreadyWelcomed;
    assert_eq!(bench.answers("a").await, [Answer::WelcomeSent { outcome }]);
}

#[tokio::test]
async fn a_welcome_waits_behind_nothing_else() {
    let bench = Bench::new([("mark_tag", vec![json!(503); 5])]).await;
    for contact in ["wm1", "wm2", "wm3", "wm4", "wm5"] {
        bench.queue(contact, &mark(contact)).await;
    }
    bench.deliver(0).await;
    assert_eq!(bench.column("select name as v from destination where open_until > 0").await, ["wecom"]);
    bench.queue("a", &welcome("欢迎")).await;
    bench.deliver(0).await;
    assert_eq!(bench.answers("a").await, [Answer::WelcomeSent { outcome: WelcomeOutcome::Sent }]);
}

#[tokio::test]
async fn hands_are_kept_free_for_welcomes() {
    let bench = Bench::new([]).await;
    for number in 0..70 {
        let contact = format!("slow{number}");
        bench.queue(&contact, &mark(&contact)).await;
    }
    let claimed = async || bench.call("POST", "/deliver", Some(json!({}))).await.1["claimed"].clone();
    assert_eq!(claimed().await, 48);
    bench.queue("a", &welcome("欢迎")).await;
    assert_eq!(claimed().await, 1, "the welcome, and none of the 22 that wait");
    let begun = std::time::Instant::now();
    while bench.answers("a").await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "the welcome hangs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(bench.platform.called("mark_tag").len() < 48, "the others are still on their way");
}

#[tokio::test]
async fn an_operation_that_is_limited_pauses_and_the_others_go_on() {
    let bench = Bench::new([("mark_tag", vec![code(45_009), code(45_033)]), ("get", vec![person()])]).await;
    bench.queue("a", &mark("wm1")).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["a pending 0"], "it was no try");
    bench.queue("b", &mark("wm2")).await;
    bench.queue("c", &get_contact("wm1")).await;
    bench.deliver(59_999).await;
    assert_eq!(bench.states().await, ["a pending 0", "b pending 0", "c succeeded 1"]);
    assert_eq!(bench.platform.called("mark_tag").len(), 1);
    // Twice as long when it has not helped.
    bench.deliver(60_000).await;
    assert_eq!(bench.platform.called("mark_tag").len(), 3, "both were due, one of them was refused");
    bench.deliver(179_999).await;
    assert_eq!(bench.platform.called("mark_tag").len(), 3);
    bench.deliver(180_000).await;
    assert_eq!(bench.states().await.iter().filter(|state| state.contains("succeeded")).count(), 3);
}

#[tokio::test]
async fn contacts_beyond_the_rule_are_left_out_and_named() {
    let bench = Bench::new([]).await;
    let rule = json!({ "per_month": 3, "per_week": 2, "per_day": 1 });
    assert_eq!(bench.call("PUT", "/v1/message-rule", Some(rule)).await.0, 200);
    const DAY: i64 = 86_400_000;
    let task = |message_id: Option<&str>, over: &[&str]| {
        Answer::MessageTask(MessageTask {
            message_id: message_id.map(str::to_owned),
            failed: Vec::new(),
            over_limit: over.iter().map(|contact| (*contact).to_owned()).collect(),
        })
    };
    // The 14th is a Saturday; the month has 28 days.
    for (number, (day, contacts, expected)) in [
        (0, &["wm1"][..], task(Some("msg1"), &[])),
        (0, &["wm1", "wm2", "wm2"], task(Some("msg1"), &["wm1"])),
        (0, &["wm1", "wm2"], task(None, &["wm1", "wm2"])),
        (1, &["wm1"], task(Some("msg1"), &[])),
        (6, &["wm1"], task(None, &["wm1"])),
        (7, &["wm1"], task(Some("msg1"), &[])),
        (14, &["wm1"], task(None, &["wm1"])),
        // The 1st of March.
        (15, &["wm1"], task(Some("msg1"), &[])),
    ]
    .into_iter()
    .enumerate()
    {
        let subject = format!("m{number}");
        bench.app.clock().set(at(day * DAY)).await.unwrap();
        bench.queue(&subject, &message(contacts)).await;
        bench.deliver(day * DAY).await;
        assert_eq!(bench.answers(&subject).await, [expected], "message {number}");
    }
    let sent = bench.platform.called("add_msg_template");
    assert_eq!((sent.len(), &sent[1]["external_userid"]), (5, &json!(["wm2"])));
    assert_eq!(bench.claims().await, 0);
}

#[tokio::test]
async fn frequency_is_counted_exactly_when_calls_run_at_once() {
    let bench = Bench::new([]).await;
    bench.call("PUT", "/v1/message-rule", Some(json!({ "per_day": 3 }))).await;
    for number in 0..20 {
        bench.queue(&format!("m{number:02}"), &message(&["wm1", "wm2"])).await;
    }
    bench.deliver(0).await;
    assert_eq!(bench.platform.called("add_msg_template").len(), 3);
    assert_eq!(bench.sent().await, ["wm1 3", "wm2 3"]);
}

#[tokio::test]
async fn a_repeated_try_counts_once_and_what_fails_for_good_is_given_back() {
    let answers =
        vec![code(-1), json!({ "errcode": 0, "msgid": "m", "fail_list": ["wm2"] }), code(85_002), Value::Null];
    let bench = Bench::new([("add_msg_template", answers)]).await;
    bench.queue("a", &message(&["wm1", "wm2"])).await;
    bench.deliver(0).await;
    assert_eq!((bench.sent().await, bench.claims().await), (vec!["wm1 1".to_owned(), "wm2 1".to_owned()], 2));
    bench.deliver(2_000).await;
    assert_eq!(bench.states().await, ["a succeeded 2"]);
    assert_eq!((bench.sent().await, bench.claims().await), (vec!["wm1 1".to_owned()], 0), "wm2 got nothing");
    bench.queue("b", &message(&["wm1"])).await;
    bench.deliver(2_000).await;
    assert_eq!(bench.states().await[1], "b failed 1");
    assert_eq!((bench.sent().await, bench.claims().await), (vec!["wm1 1".to_owned()], 0));
    // The answer was lost: staff may have the task already, so it is not sent again, and counts.
    bench.queue("c", &message(&["wm1"])).await;
    bench.deliver(2_000).await;
    assert_eq!(bench.states().await[2], "c failed 1");
    assert_eq!((bench.sent().await, bench.claims().await), (vec!["wm1 2".to_owned()], 0));
}

/// The platforms know no repetition of these: whoever gets one twice has a reason to leave.
#[tokio::test]
async fn a_message_of_which_nobody_knows_whether_it_went_out_is_not_sent_again() {
    let bench = Bench::new([("send", vec![code(-1), Value::Null])]).await;
    let content = official_account::Content::Text { text: "您好".to_owned() };
    let ask = official_account::Ask::ServiceMessage { open_id: "o1".to_owned(), message: content };
    let said = async |subject: &str| {
        bench.enqueue(ask.destination(), ask.operation(), subject, serde_json::to_value(&ask).unwrap()).await;
    };
    said("a").await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["a pending 1"], "the platform said that it was not sent");
    bench.deliver(2_000).await;
    assert_eq!(bench.states().await, ["a failed 2"], "its answer was lost");
    // The courier goes away in the middle of two.
    said("b").await;
    bench.queue("c", &message(&["wm1"])).await;
    let lapse = "update outbox set state = 'sending', attempts = 1, lease_until = 0 where state = 'pending'";
    bench.app.db().write(&Cx::at(at(0)), |tx| tx.run(lapse, &[])).await.map_err(|error: DbError| error).unwrap();
    bench.deliver(4_000).await;
    assert_eq!(bench.states().await[1..], ["b failed 2", "c failed 2"]);
    assert_eq!((bench.platform.called("send").len(), bench.platform.called("add_msg_template").len()), (2, 0));
    let told = bench.column("select type as v from event where type like 'outbox.%'").await;
    assert_eq!(told, ["outbox.failed"; 3]);
}

#[tokio::test]
async fn the_name_is_said_and_lies_in_no_row() {
    let bench = Bench::new([("get", vec![person(), person()])]).await;
    bench.queue("a", &welcome("{customer}您好")).await;
    let remark = Some("{customer}-店A".to_owned());
    let (staff, contact) = ("zhangsan".to_owned(), "wm1".to_owned());
    bench.queue("b", &Ask::SetRemark { staff, contact, remark, description: None }).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["a succeeded 1", "b succeeded 1"]);
    assert_eq!(bench.platform.called("send_welcome_msg")[0]["text"]["content"], "测试顾客甲您好");
    assert_eq!(bench.platform.called("remark")[0]["remark"], "测试顾客甲-店A");
    let rows =
        bench.column("select request || coalesce(error, '') || hex(coalesce(response, '')) as v from outbox").await;
    let events = bench.column("select data as v from event").await;
    let hex: String = "测试顾客甲".bytes().map(|byte| format!("{byte:02X}")).collect();
    assert!(rows.iter().chain(&events).all(|row| !row.contains("测试顾客甲") && !row.contains(&hex)), "{rows:?}");
}

#[tokio::test]
async fn what_wecom_would_refuse_fails_without_a_call() {
    let bench = Bench::new([]).await;
    let ask = json!({ "ask": "message_contacts", "contacts": ["wm1", "wm2"], "message": { "text": "{customer}您好" } });
    bench.enqueue(wecom::DESTINATION, "message_contacts", "a", ask).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["a failed 1"]);
    let error = bench.column("select error as v from outbox").await.remove(0);
    assert!(error.contains("{customer}"), "{error}");
    assert!(bench.platform.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_its_variables_wecoms_calls_wait_and_the_others_go_on() {
    let bench = Bench::configured([], &SETTINGS[4..]).await;
    bench.queue("a", &mark("wm1")).await;
    let code = official_account::Ask::CreateCode { scene: "c1".to_owned(), permanent: false, seconds: None };
    bench.platform.answers.lock().unwrap().insert("create", vec![json!({ "ticket": "gQ", "url": "u" })]);
    bench.enqueue(code.destination(), code.operation(), "b", serde_json::to_value(&code).unwrap()).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["a pending 1", "b succeeded 1"]);
    let error = bench.column("select error as v from outbox where subject = 'a'").await.remove(0);
    assert!(error.contains("wecom_corp_id"), "{error}");
    assert_eq!(bench.platform.called("create")[0]["action_info"]["scene"]["scene_str"], "c1");
}

#[tokio::test]
async fn an_official_account_that_is_limited_pauses_too() {
    let bench = Bench::new([("create", vec![code(42_001), code(45_009)])]).await;
    let code = official_account::Ask::CreateCode { scene: "c1".to_owned(), permanent: true, seconds: None };
    bench.enqueue(code.destination(), code.operation(), "a", serde_json::to_value(&code).unwrap()).await;
    bench.deliver(0).await;
    assert_eq!(bench.states().await, ["a pending 0"]);
    assert_eq!(bench.platform.tokens.load(Ordering::SeqCst), 2, "the token was renewed within the try");
    assert_eq!(bench.column("select destination as v from api_pause").await, ["official_account"]);
}

#[tokio::test]
async fn a_template_message_has_the_same_id_on_every_try() {
    let bench = Bench::new([("send", vec![Value::Null, code(45_065)])]).await;
    let ask = official_account::Ask::TemplateMessage {
        open_id: "o1".to_owned(),
        template_id: "t1".to_owned(),
        url: None,
        mini_program: None,
        data: BTreeMap::from([("first".to_owned(), "您好".to_owned())]),
        client_message_id: None,
    };
    bench.enqueue(ask.destination(), ask.operation(), "a", serde_json::to_value(&ask).unwrap()).await;
    bench.deliver(0).await;
    bench.deliver(2_000).await;
    assert_eq!(bench.states().await, ["a succeeded 2"], "it was sent already");
    let ids: Vec<_> = bench.platform.called("send").iter().map(|body| body["client_msg_id"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn the_message_rule_is_shown_and_changed_by_those_who_may() {
    let bench = Bench::new([]).await;
    let none = json!({ "per_month": null, "per_week": null, "per_day": null, "changed_at": null });
    assert_eq!(bench.call("GET", "/v1/message-rule", None).await, (200, none));
    let (status, rule) = bench.call("PUT", "/v1/message-rule", Some(json!({ "per_month": 4 }))).await;
    assert_eq!((status, &rule["per_month"], &rule["per_week"]), (200, &json!(4), &Value::Null));
    assert_eq!(bench.call("GET", "/v1/message-rule", None).await.1, rule);
    assert_eq!(bench.call("PUT", "/v1/message-rule", Some(json!({ "per_day": 1001 }))).await.0, 422);
    assert_eq!(bench.call("PUT", "/v1/message-rule", Some(json!({ "per_year": 1 }))).await.0, 400);
    let audited = bench.column("select target as v from audit where action like 'PUT %'").await;
    assert_eq!(audited, ["message-rule"]);
    let request = Request::get("/v1/message-rule").body(Body::empty()).unwrap();
    assert_eq!(bench.router.clone().oneshot(request).await.unwrap().status(), 401);
}
