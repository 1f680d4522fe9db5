//! The simulated WeCom and the simulated Official Account themselves, over HTTP: every limit, error and mishap that other tests
//! rely on, and callbacks as a receiver sees them who shares nothing with the sender.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

mod account;
mod broadcasts;
mod callbacks;
mod contacts;
mod groups;
mod receiver;
mod tokens;
mod transfers;
mod ways;
mod welcomes;

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use siyu_tests::http::Client;
use siyu_tests::wechat::people::Person;
use siyu_tests::wecom::{Settings, Wecom};

/// Some time in the past, Unix seconds.
const THEN: i64 = 1_790_000_000;

/// A caller with the app's secret.
struct Caller {
    client: Client,
    base: String,
    token: String,
}

impl Caller {
    async fn get(&self, api: &str, query: &str) -> Value {
        let url = format!("{}/cgi-bin/{api}?access_token={}&{query}", self.base, self.token);
        self.client.get(&url).await.unwrap().json().unwrap()
    }

    async fn post(&self, api: &str, body: Value) -> Value {
        let url = format!("{}/cgi-bin/{api}?access_token={}", self.base, self.token);
        self.client.json("POST", &url, &body).await.unwrap().json().unwrap()
    }

    /// The `errcode` of a call about customers.
    async fn code(&self, api: &str, body: Value) -> i64 {
        self.post(&format!("externalcontact/{api}"), body).await["errcode"].as_i64().unwrap()
    }

    /// A way for all of these members.
    async fn way(&self, state: &str, users: &[&str]) -> String {
        let way = json!({ "type": 2, "scene": 2, "state": state, "user": users });
        let answer = self.post("externalcontact/add_contact_way", way).await;
        assert_eq!(answer["errcode"], 0, "{answer}");
        answer["config_id"].as_str().unwrap().to_owned()
    }
}

/// A WeCom whose clock stands still, and a caller.
async fn wecom_with(change: impl FnOnce(&mut Settings)) -> (Wecom, Caller) {
    let mut settings = Settings::default();
    change(&mut settings);
    let query = format!("corpid={}&corpsecret={}", settings.corp_id, settings.secret);
    let wecom = Wecom::start(settings).await.unwrap();
    wecom.set_clock(Some(THEN));
    let (client, base) = (Client::new(), wecom.base());
    let answer = client.get(&format!("{base}/cgi-bin/gettoken?{query}")).await.unwrap().json().unwrap();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    (wecom, Caller { client, base, token })
}

async fn wecom() -> (Wecom, Caller) {
    wecom_with(|_| {}).await
}

/// Somebody new.
fn somebody() -> Person {
    static COUNT: AtomicUsize = AtomicUsize::new(1);
    Person::new(&format!("{:04}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// What waits to be told, by kind.
fn kinds(messages: &[siyu_tests::marketplace::push::Message]) -> Vec<&str> {
    messages.iter().map(|message| message.kind.as_str()).collect()
}
