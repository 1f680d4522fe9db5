//! A merchant with a WeCom and an Official Account whose callbacks are signed and enciphered as the platforms do it.

use axum::Router;
use axum::body::{Body, Bytes};
use domain::{Event, OutboxFailed, OutboxSucceeded, UnixMs, Version};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Cx, DbError, Native, Vault, events, outbox, params};
use platforms::wechat::crypto::{Key, signature};
use serde_json::{Value, json};
use tower::ServiceExt;

pub const CORP: &str = "ww0000000000000001";
pub const ACCOUNT: &str = "wx0000000000000001";
const TOKEN: &str = "invented-token";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// 2026-02-14T01:30:00Z, a Saturday: half past nine in the merchant's calendar.
const MORNING: i64 = 1_771_032_600;

pub fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(MORNING + seconds).unwrap()
}

pub struct House {
    pub app: App,
    router: Router,
    plain: bool,
}

/// An answer with its headers.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

impl House {
    pub async fn open() -> Self {
        Self::with(false).await
    }

    /// One whose Official Account is in plain mode.
    pub async fn plain() -> Self {
        Self::with(true).await
    }

    async fn with(plain: bool) -> Self {
        let mut variables = vec![
            ("api_token", "first-token"),
            ("clock", "virtual"),
            ("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("public_url", "https://siyu.example"),
            ("wecom_corp_id", CORP),
            ("wecom_token", TOKEN),
            ("wecom_encoding_aes_key", AES_KEY),
            ("official_account_app_id", ACCOUNT),
            ("official_account_token", TOKEN),
        ];
        if !plain {
            variables.push(("official_account_encoding_aes_key", AES_KEY));
        }
        let app = App::native(&Native::in_memory(variables)).unwrap();
        app.clock().set(at(0)).await.unwrap();
        Self { router: channels::router(app.clone()), app, plain }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = Request::builder().method(method).uri(path).header("authorization", "Bearer first-token");
        let answer = self.send(request.body(body).unwrap()).await;
        (answer.status, answer.json())
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A channel, and a code in it.
    pub async fn code(&self, kind: &str, plan: Value) -> Value {
        let (status, body) = self.call("PUT", "/v1/channels/metro", Some(json!({ "label": "地铁海报" }))).await;
        assert_eq!(status, 200, "{body}");
        let new =
            json!({ "channel": "metro", "kind": kind, "name": "A店海报", "store": "/east/shanghai-01", "plan": plan });
        let (status, body) = self.call("POST", "/v1/channel-codes", Some(new)).await;
        assert_eq!(status, 201, "{body}");
        body
    }

    /// WeCom calls back.
    pub async fn wecom(&self, fields: &str) -> Answer {
        self.wecom_at(fields, self.now().await.seconds(), "nonce").await
    }

    /// The same with a time and nonce of its own.
    pub async fn wecom_at(&self, fields: &str, seconds: i64, nonce: &str) -> Answer {
        let text = format!(
            "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName>sys</FromUserName><MsgType>event</MsgType>{fields}</xml>"
        );
        self.send(enciphered("/hooks/wecom", CORP, &text, seconds, nonce)).await
    }

    /// The Official Account calls back.
    pub async fn account(&self, open_id: &str, fields: &str) -> Answer {
        let seconds = self.now().await.seconds();
        let text = format!(
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>{open_id}</FromUserName><CreateTime>{seconds}</CreateTime>{fields}</xml>"
        );
        if self.plain {
            return self.send(plain(&text, seconds, &format!("n-{}", text.len()))).await;
        }
        self.send(enciphered("/hooks/official-account", ACCOUNT, &text, seconds, "nonce")).await
    }

    pub async fn now(&self) -> UnixMs {
        self.app.clock().now().await.unwrap()
    }

    /// Somebody adds a member of staff; a good answer is expected, and consumed.
    pub async fn added(&self, staff: &str, contact: &str, state: &str, welcome_code: Option<&str>) {
        let seconds = self.now().await.seconds();
        let answer = self.wecom(&added(staff, contact, state, welcome_code, seconds)).await;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, ""));
        self.consume().await;
    }

    /// Consumes to the head, own events included.
    pub async fn consume(&self) {
        loop {
            // Customers come first; nobody runs them here.
            let head = "update consumer set seq = (select coalesce(max(seq), 0) from event) where name = 'customers'";
            self.execute(head).await;
            let answer = self.send(Request::post("/consume").body(Body::from("{}")).unwrap()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let more: i64 = self
                .column("select ((select max(seq) from event) - seq) || '' as v from consumer where name = 'channels'")
                .await
                .first()
                .and_then(|left| left.parse().ok())
                .unwrap_or(0);
            if answer.json()["more"] == false && more == 0 {
                break;
            }
        }
        assert_eq!(self.column("select error as v from dead_letter").await, Vec::<String>::new());
        let failing = self.column("select error as v from consumer where error is not null").await;
        assert_eq!(failing, Vec::<String>::new());
    }

    /// Appends an event as another function would, and consumes.
    pub async fn happened(&self, event: Event) {
        let now = self.now().await;
        let write = move |tx: &kit::Tx<'_>| events::append(tx, "/functions/customers", "invented", &event).map(drop);
        self.app.db().write(&Cx::at(now), write).await.map_err(|error: DbError| error).unwrap();
        self.consume().await;
    }

    /// Moves the virtual clock to so many seconds after the morning, fires what is due and consumes.
    pub async fn wait_until(&self, seconds: i64) {
        self.app.clock().set(at(seconds)).await.unwrap();
        let fired = self.app.db().write(&Cx::at(at(seconds)), |tx| events::fire_due(tx, 100)).await;
        fired.map(drop).map_err(|error: DbError| error).unwrap();
        self.consume().await;
    }

    async fn execute(&self, sql: &'static str) {
        let now = self.now().await;
        self.app.db().write(&Cx::at(now), move |tx| tx.run(sql, &[])).await.map_err(|error: DbError| error).unwrap();
    }

    /// All values of a query's column `v`, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        self.app
            .db()
            .read(&Cx::at(at(0)), |tx| {
                tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>()
            })
            .await
            .unwrap()
    }

    /// What waits to be asked of the platforms, oldest first: operation and request.
    pub async fn asked(&self) -> Vec<(String, Value)> {
        let sql = "select operation || ' ' || request as v from outbox where state = 'pending' order by due, id";
        let split = |row: String| {
            let (operation, request) = row.split_once(' ').unwrap();
            (operation.to_owned(), serde_json::from_str(request).unwrap())
        };
        self.column(sql).await.into_iter().map(split).collect()
    }

    /// The requests of one operation that wait.
    pub async fn asked_for(&self, operation: &str) -> Vec<Value> {
        self.asked().await.into_iter().filter(|(name, _)| name == operation).map(|(_, request)| request).collect()
    }

    /// The oldest waiting call of this operation is answered, as the courier writes it, and consumed.
    pub async fn answer(&self, operation: &str, answer: Value) {
        let vault = Vault::new(self.app.variables()).unwrap();
        self.finish(operation, Some(vault.seal(outbox::RESPONSE_PURPOSE, answer.to_string().as_bytes()).unwrap()))
            .await;
    }

    /// The oldest waiting call of this operation is given up, and that is consumed.
    pub async fn give_up(&self, operation: &str) {
        self.finish(operation, None).await;
    }

    async fn finish(&self, operation: &str, sealed: Option<Vec<u8>>) {
        let operation = operation.to_owned();
        let now = self.now().await;
        let write = move |tx: &kit::Tx<'_>| -> Result<(), DbError> {
            let row = tx.query_one(
                "update outbox set state = ?2, finished_at = ?3, status = 200, response = ?4, error = 'invented'
                  where id = (select id from outbox where operation = ?1 and state = 'pending' order by due, id limit 1)
                 returning id, destination, subject",
                &params![
                    operation.as_str(),
                    if sealed.is_some() { "succeeded" } else { "failed" },
                    tx.cx().now.millis(),
                    sealed.clone()
                ],
            )?;
            let row = row.unwrap_or_else(|| panic!("nothing waits for {operation}"));
            let (outbox_id, destination) = (row.parse("id")?, row.get("destination")?);
            let (subject, operation, at) = (row.get::<String>("subject")?, operation.clone(), tx.cx().now);
            let event = if sealed.is_some() {
                let (status, attempts) = (200, 1);
                Event::OutboxSucceeded(OutboxSucceeded {
                    v: Version,
                    outbox_id,
                    destination,
                    operation,
                    subject,
                    status,
                    attempts,
                    at,
                })
            } else {
                let error = "40003 there is no such member of staff".to_owned();
                let (status, attempts) = (Some(200), 1);
                Event::OutboxFailed(OutboxFailed {
                    v: Version,
                    outbox_id,
                    destination,
                    operation,
                    subject,
                    status,
                    attempts,
                    error,
                    at,
                })
            };
            events::append(tx, "/functions/courier", "invented", &event).map(drop)
        };
        self.app.db().write(&Cx::at(now), write).await.unwrap();
        self.consume().await;
    }

    /// Types of the log's events that channels have told, oldest first.
    pub async fn told(&self) -> Vec<String> {
        self.column(
            "select case type when 'activity.recorded' then data ->> '$.activity.kind' else type end as v
               from event where source = '/functions/channels' order by seq",
        )
        .await
    }
}

/// The fields of a callback: somebody added a member of staff.
pub fn added(staff: &str, contact: &str, state: &str, welcome_code: Option<&str>, seconds: i64) -> String {
    let code = welcome_code.map(|code| format!("<WelcomeCode>{code}</WelcomeCode>")).unwrap_or_default();
    format!(
        "<CreateTime>{seconds}</CreateTime><Event>change_external_contact</Event><ChangeType>add_external_contact</ChangeType>\
         <UserID>{staff}</UserID><ExternalUserID>{contact}</ExternalUserID><State>{state}</State>{code}"
    )
}

/// The fields of a callback: a relation ended.
pub fn removed(change: &str, staff: &str, contact: &str, seconds: i64) -> String {
    format!(
        "<CreateTime>{seconds}</CreateTime><Event>change_external_contact</Event><ChangeType>{change}</ChangeType>\
         <UserID>{staff}</UserID><ExternalUserID>{contact}</ExternalUserID>"
    )
}

fn enciphered(path: &str, receiver: &str, text: &str, seconds: i64, nonce: &str) -> Request<Body> {
    let encrypted = Key::parse(AES_KEY).unwrap().seal([7; 16], text, receiver).unwrap();
    let signed = signature(&[TOKEN, &seconds.to_string(), nonce, &encrypted]);
    let uri = format!("{path}?msg_signature={signed}&timestamp={seconds}&nonce={nonce}");
    let body = format!("<xml><ToUserName>{receiver}</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>");
    Request::post(uri).body(Body::from(body)).unwrap()
}

/// A message in plain mode: the signature does not cover it.
pub fn plain(text: &str, seconds: i64, nonce: &str) -> Request<Body> {
    let signed = signature(&[TOKEN, &seconds.to_string(), nonce]);
    let uri = format!("/hooks/official-account?signature={signed}&timestamp={seconds}&nonce={nonce}");
    Request::post(uri).body(Body::from(text.to_owned())).unwrap()
}

/// The console checks an address.
pub fn check(path: &str, receiver: &str, echo: &str, seconds: i64) -> Request<Body> {
    let encrypted = Key::parse(AES_KEY).unwrap().seal([7; 16], echo, receiver).unwrap();
    let signed = signature(&[TOKEN, &seconds.to_string(), "n", &encrypted]);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("msg_signature", &signed)
        .append_pair("timestamp", &seconds.to_string())
        .append_pair("nonce", "n");
    query.append_pair("echostr", &encrypted);
    Request::get(format!("{path}?{}", query.finish())).body(Body::empty()).unwrap()
}

/// Somebody on duty always, with a cap.
pub fn always(members: &[(&str, Option<u32>)]) -> Value {
    let members: Vec<_> = members.iter().map(|(staff, cap)| json!({ "staff": staff, "daily_cap": cap })).collect();
    json!({ "staff": [{ "from": "00:00", "until": "24:00", "members": members }] })
}

/// What the courier writes when WeCom has made a contact way.
pub fn way(config: &str) -> Value {
    json!({ "answer": "contact_way_added", "config_id": config, "qr_code": format!("https://wework.example/{config}.png") })
}
