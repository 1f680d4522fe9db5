//! The function's router over a database in memory, with browsers. All people are invented.

use axum::Router;
use axum::body::Body;
use domain::{Identity, IdentityKind, UnixMs};
use http::{HeaderMap, Request};
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

pub fn contact(value: &str) -> Identity {
    Identity { kind: IdentityKind::WecomExternalUserId, scope: None, value: value.to_owned() }
}

pub struct House {
    pub app: App,
    router: Router,
}

/// What was answered.
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The visit that a page names.
    pub fn visit(&self) -> String {
        let (_, rest) = self.text.split_once("data-visit=\"").expect("a page of a content");
        rest.split('"').next().unwrap().to_owned()
    }

    /// The cookie that was handed out.
    pub fn cookie(&self) -> Option<String> {
        let cookie = self.headers.get("set-cookie")?.to_str().unwrap();
        Some(cookie.split(';').next().unwrap().to_owned())
    }
}

impl House {
    pub async fn open() -> Self {
        let app = App::native(&Native::in_memory(VARIABLES)).unwrap();
        app.clock().set(at(0)).await.unwrap();
        Self { router: channels::router(app.clone()), app }
    }

    pub async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answered { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer first-token")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let answered = self.send(request).await;
        (answered.status, answered.json())
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Makes a content; its id.
    pub async fn content(&self, more: &Value) -> String {
        let mut body = json!({ "kind": "article", "title": "春茶图鉴", "url": "https://tea.example/spring?a=1", "store": "/east" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, made) = self.call("POST", "/v1/contents", Some(body)).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    /// Makes a link; its token.
    pub async fn share(&self, content: &str, body: Value) -> String {
        let (status, made) = self.call("POST", &format!("/v1/contents/{content}/shares"), Some(body)).await;
        assert_eq!(status, 201, "{made}");
        let token = made["token"].as_str().unwrap().to_owned();
        assert_eq!(made["address"], format!("https://siyu.example/r/{token}"));
        token
    }

    /// A browser opens a link.
    pub async fn visit(&self, method: &str, token: &str, cookie: Option<&str>) -> Answered {
        let mut request = Request::builder().method(method).uri(format!("/r/{token}"));
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// What a page tells.
    pub async fn tell(&self, token: &str, what: &str, body: &Value) -> Answered {
        let request = Request::post(format!("/r/{token}/{what}")).header("content-type", "text/plain;charset=UTF-8");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Moves the clock to so many seconds after noon, and fires what is due.
    pub async fn wait_until(&self, seconds: i64) {
        self.app.clock().set(at(seconds)).await.unwrap();
        let fire = |tx: &kit::Tx<'_>| events::fire_due(tx, 100);
        self.app.db().write(&Cx::at(at(seconds)), fire).await.map_err(|error: DbError| error).unwrap();
    }

    /// Runs a statement.
    pub async fn write(&self, sql: &'static str) {
        self.app.db().write(&Cx::at(at(0)), move |tx| tx.run(sql, &[])).await.map_err(|error: DbError| error).unwrap();
    }

    /// All values of a query's column `v`, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        let read =
            |tx: &kit::Tx<'_>| tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>();
        self.app.db().read(&Cx::at(at(0)), read).await.unwrap()
    }

    /// What the log has been told that people did.
    pub async fn did(&self) -> Vec<Value> {
        let did = self.column("select data as v from event where type = 'activity.recorded' order by seq").await;
        did.iter().map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}
