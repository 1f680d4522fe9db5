//! A stub of the application: it opens callbacks with the code under test, and answers as it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use domain::UnixMs;
use platforms::marketplace::Delivery;
use platforms::wechat::{Call, Callback, envelope};
use serde_json::Value;
use siyu_tests::wechat::callback::Console;

/// How a try is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    Body(String),
    Late(Duration),
}

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    pub query: String,
    pub body: String,
    /// The callback's plain text, read; none where it did not open.
    pub content: Option<Value>,
}

pub struct Receiver {
    pub address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    /// Listens with these settings, at `now` (Unix seconds); gives these answers, then 200 without a word for ever.
    pub async fn start(console: Console, now: i64, answers: Vec<Answer>) -> Self {
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let ears = Arc::clone(&heard);
        let router = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let query = uri.query().unwrap_or_default().to_owned();
            let opened = open(&console, &method, &query, &headers, &body, now);
            let echo = match &opened {
                Some(Call::Echo(echo)) => Some(echo.clone()),
                _ => None,
            };
            if method == Method::POST {
                let content = match opened {
                    Some(Call::Message(text)) => envelope::read(&text),
                    _ => None,
                };
                let body = String::from_utf8(body.to_vec()).unwrap();
                ears.lock().unwrap().push(Heard { query, body, content });
            }
            let answer = answers.lock().unwrap().pop_front();
            async move {
                match answer {
                    Some(Answer::Status(status)) => (StatusCode::from_u16(status).unwrap(), String::new()),
                    Some(Answer::Body(body)) => (StatusCode::OK, body),
                    Some(Answer::Late(wait)) => {
                        tokio::time::sleep(wait).await;
                        (StatusCode::OK, echo.unwrap_or_default())
                    }
                    None => (StatusCode::OK, echo.unwrap_or_default()),
                }
            }
        });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, heard }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// What was told, each as often as it came; everything has to have opened.
    pub fn told(&self) -> Vec<Value> {
        self.heard().into_iter().map(|heard| heard.content.unwrap()).collect()
    }
}

fn open(console: &Console, method: &Method, query: &str, headers: &HeaderMap, body: &[u8], now: i64) -> Option<Call> {
    let callback = Callback {
        token: &console.token,
        key: &console.key,
        receive_ids: &[&console.receive_id],
        minutes: 10,
        variables: "token and key",
        plain: false,
    };
    let now = UnixMs::from_seconds(now).unwrap();
    callback.open(&Delivery { method, path: "/", query, headers, body, now }).ok()
}
