//! The function's router over a database in memory, with a campaign and a log to append to. All people are invented.

use axum::Router;
use axum::body::Body;
use domain::{
    Activity, ActivityRecorded, CustomerId, CustomerIdentified, Event, Identity, IdentityKind, RelationSide, UnixMs,
    Version,
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Cx, DbError, Native, events};
use serde_json::{Value, json};
use tower::ServiceExt;

const VARIABLES: [(&str, &str); 4] = [
    ("api_token", "first-token"),
    ("clock", "virtual"),
    ("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("public_url", "https://siyu.example"),
];

/// 2026-02-14T01:30:00Z.
const NOON: i64 = 1_771_032_600;

pub fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(NOON + seconds).unwrap()
}

pub struct House {
    pub app: App,
    router: Router,
    pub fission: String,
}

/// Somebody who takes part.
#[derive(Clone)]
pub struct Inviter {
    pub id: String,
    pub code: String,
}

/// Rules with these levels, open for the week around noon; `more` is added or replaces.
pub fn rules(levels: &[u32], more: &Value) -> Value {
    let levels: Vec<_> =
        levels.iter().map(|helps| json!({ "helps": helps, "reward": format!("for {helps}") })).collect();
    let mut rules = json!({ "levels": levels, "starts": at(-86_400).to_string(), "ends": at(864_000).to_string() });
    for (name, value) in more.as_object().unwrap() {
        rules[name] = value.clone();
    }
    rules
}

impl House {
    pub async fn open(rules: &Value) -> Self {
        let app = App::native(&Native::in_memory(VARIABLES)).unwrap();
        app.clock().set(at(0)).await.unwrap();
        let mut house = Self { router: channels::router(app.clone()), app, fission: String::new() };
        assert_eq!(house.call("PUT", "/v1/channels/friends", Some(json!({ "label": "老带新" }))).await.0, 200);
        let code = json!({ "channel": "friends", "kind": "account", "name": "裂变", "store": "/east" });
        let (status, code) = house.call("POST", "/v1/channel-codes", Some(code)).await;
        assert_eq!(status, 201, "{code}");
        let body = json!({ "name": "春日裂变", "code": code["id"], "rules": rules });
        let (status, made) = house.call("POST", "/v1/fissions", Some(body)).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().clone_into(&mut house.fission);
        house
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.call_as("first-token", method, path, body).await
    }

    pub async fn call_as(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The path of the campaign, with this behind it.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/fissions/{}{rest}", self.fission)
    }

    pub async fn ask(&self, who: &Identity, device: Option<&str>) -> (u16, Value) {
        let body = json!({ "identity": who, "device": device });
        let (status, joined) = self.call("POST", &self.path("/participants"), Some(body)).await;
        (status.as_u16(), joined)
    }

    pub async fn join(&self, who: &Identity, device: Option<&str>) -> Inviter {
        let (status, joined) = self.ask(who, device).await;
        assert!(status == 200 || status == 201, "{joined}");
        let text = |name: &str| joined[name].as_str().unwrap().to_owned();
        Inviter { id: text("id"), code: text("code") }
    }

    /// Appends to the log as this function's callbacks do.
    pub async fn log(&self, list: Vec<Event>) {
        let write = move |tx: &kit::Tx<'_>| {
            for event in &list {
                events::append(tx, "/functions/channels", "invented", event)?;
            }
            Ok::<_, DbError>(())
        };
        self.app.db().write(&Cx::at(at(0)), write).await.unwrap();
    }

    /// Consumes up to this place in the log, or to its head.
    pub async fn consume_to(&self, seq: Option<i64>) {
        // The function follows customers, whom nobody plays here.
        let write = move |tx: &kit::Tx<'_>| {
            tx.execute(
                "update consumer set seq = max(consumer.seq, min(coalesce(?1, head.seq), head.seq))
                   from (select coalesce(max(seq), 0) as seq from event) head where name = 'customers'",
                &kit::params![seq],
            )
            .map(drop)
        };
        self.app.db().write(&Cx::at(at(0)), write).await.map_err(|error: DbError| error).unwrap();
        loop {
            let request = Request::post("/consume").body(Body::from("{}")).unwrap();
            let (status, body) = self.send(request).await;
            assert_eq!(status, 200, "{body}");
            if body["more"] == false {
                break;
            }
        }
        let failing = "select error as v from dead_letter union all select error from consumer where error is not null";
        assert_eq!(self.column(failing).await, Vec::<String>::new());
    }

    pub async fn consume(&self) {
        self.consume_to(None).await;
    }

    pub async fn happened(&self, list: Vec<Event>) {
        self.log(list).await;
        self.consume().await;
    }

    /// All values of a query's column `v`, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        let read =
            |tx: &kit::Tx<'_>| tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>();
        self.app.db().read(&Cx::at(at(0)), read).await.unwrap()
    }

    /// What became of helps: `friend state reason`, in the order of the log.
    pub async fn helps(&self) -> Vec<String> {
        self.column("select value || ' ' || state || ' ' || coalesce(reason, '-') as v from fission_help order by id")
            .await
    }

    /// The rewards that were told: `rewarded 1`, `voided 1`.
    pub async fn rewards(&self) -> Vec<String> {
        self.column(
            "select iif(type = 'fission.rewarded', 'rewarded ', 'voided ') || (data ->> 'level') as v from event
              where type in ('fission.rewarded', 'fission.reward_voided') order by seq",
        )
        .await
    }
}

pub fn contact(value: &str) -> Identity {
    Identity { kind: IdentityKind::WecomExternalUserId, scope: None, value: value.to_owned() }
}

pub fn union(value: &str) -> Identity {
    Identity { kind: IdentityKind::WechatUnionId, scope: None, value: value.to_owned() }
}

fn did(who: &Identity, staff: Option<&str>, seconds: i64, activity: Activity) -> Event {
    Event::ActivityRecorded(ActivityRecorded {
        v: Version,
        source: "wecom".to_owned(),
        identities: vec![who.clone()],
        hints: Vec::new(),
        channel: None,
        store: None,
        staff: staff.map(str::to_owned),
        at: at(seconds),
        activity,
    })
}

/// A friend adds the member of staff `s-1`, by a code or without one.
pub fn added(who: &Identity, code: Option<&Inviter>, seconds: i64) -> Event {
    let code = code.map(|inviter| inviter.code.clone());
    did(who, Some("s-1"), seconds, Activity::ContactAdded { code, half: false })
}

pub fn removed(who: &Identity, seconds: i64) -> Event {
    did(who, Some("s-1"), seconds, Activity::ContactRemoved { by: RelationSide::Customer })
}

pub fn handed_over(who: &Identity, seconds: i64) -> Event {
    did(who, Some("s-1"), seconds, Activity::ContactRemoved { by: RelationSide::Handover })
}

/// What the callback of a new follower tells.
pub fn followed(who: &Identity, code: &Inviter, seconds: i64) -> [Event; 2] {
    let account = "wx0".to_owned();
    [did(who, None, seconds, Activity::AccountFollowed { account }), scanned(who, code, seconds)]
}

pub fn scanned(who: &Identity, code: &Inviter, seconds: i64) -> Event {
    did(who, None, seconds, Activity::CodeScanned { code: code.code.clone() })
}

pub fn unfollowed(who: &Identity, seconds: i64) -> Event {
    did(who, None, seconds, Activity::AccountUnfollowed { account: "wx0".to_owned() })
}

/// These identities are one customer's.
pub fn same(number: u8, identities: &[&Identity]) -> Event {
    Event::CustomerIdentified(CustomerIdentified {
        v: Version,
        customer_id: CustomerId::new(UnixMs::EPOCH, [number; 10]),
        new: false,
        identities: identities.iter().map(|who| (*who).clone()).collect(),
        at: at(5_000),
    })
}
