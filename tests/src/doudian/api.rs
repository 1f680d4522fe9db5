//! The platform's signed API over HTTP: tokens, order details, after-sale details.
//!
//! It answers what the platform answers, to a caller who signs as the platform wants and has a token that is still good, and
//! refuses anyone else with the platform's own codes. [`Api::trouble`] makes it fail on demand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::shop::Shop;
use super::{App, sign};

/// A timestamp may be off by this much (the platform's rule).
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);
/// The platform's own clock: China has one zone and no daylight saving.
const ZONE: Offset = jiff::tz::offset(8);

/// A running platform: its API's address, and the shop behind it.
pub struct Api {
    address: SocketAddr,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

/// How the API misbehaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// So many calls from now get HTTP 502 with a body that is not JSON.
    pub broken_gateway: u32,
    /// So many calls from now get the platform's "server error", code 20000.
    pub server_errors: u32,
    /// So many calls from now get "too many requests", code 60000.
    pub rate_limited: u32,
    /// Every call takes this much longer.
    pub delay: Duration,
}

/// What was called, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `order.orderDetail`, for instance.
    pub method: String,
    /// The platform's code: 10000 is success; 0 stands for a gateway that answered no JSON.
    pub code: u32,
}

struct Inner {
    app: App,
    shop: Mutex<Shop>,
    trouble: Mutex<Trouble>,
    tokens: Mutex<Tokens>,
    calls: Mutex<Vec<Call>>,
}

#[derive(Default)]
struct Tokens {
    issued: u32,
    /// The only token that is good now; a new one ends the one before.
    current: Option<String>,
}

impl Api {
    /// Start on a free port of the loopback interface, with an empty shop.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(app: App) -> Result<Self> {
        let listener =
            tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("no port for the simulated platform")?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            shop: Mutex::new(Shop::new(app.shop_id)),
            app,
            trouble: Mutex::default(),
            tokens: Mutex::default(),
            calls: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move {
            // Serving ends with the process or with `Drop`; accept errors are the kernel's and pass.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, inner, server })
    }

    /// What goes into the variable `douyin_api_base`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The merchant's app.
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// Do something to the shop, or read it.
    pub fn shop<T>(&self, work: impl FnOnce(&mut Shop) -> T) -> T {
        work(&mut lock(&self.inner.shop))
    }

    /// Misbehave from now on.
    pub fn trouble(&self, trouble: Trouble) {
        *lock(&self.inner.trouble) = trouble;
    }

    /// End the current token's life: the next call with it is told that it has expired.
    pub fn expire_token(&self) {
        lock(&self.inner.tokens).current = None;
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.inner.calls).clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A refusal in the platform's words.
struct Refusal {
    code: u32,
    message: &'static str,
    sub_code: &'static str,
}

const fn refusal(code: u32, message: &'static str, sub_code: &'static str) -> Refusal {
    Refusal { code, message, sub_code }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    body: String,
) -> Response {
    let method = query.get("method").cloned().unwrap_or_default();
    let trouble = inner.next_trouble();
    tokio::time::sleep(trouble.delay).await;
    let (code, response) = if trouble.broken_gateway > 0 {
        (0, (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>").into_response())
    } else {
        let result = inner.checked(&uri, &query, &body, &trouble).and_then(|param| inner.call(&method, &param));
        let (code, body) = match result {
            Ok(data) => (10000, json!({"code": 10000, "msg": "success", "sub_code": "", "sub_msg": "", "data": data})),
            Err(no) => (
                no.code,
                json!({"code": no.code, "msg": no.message, "sub_code": no.sub_code, "sub_msg": no.message, "data": null}),
            ),
        };
        (code, Json(body).into_response())
    };
    lock(&inner.calls).push(Call { method, code });
    response
}

impl Inner {
    /// The trouble that this call gets; counted troubles are used up, one kind at a time.
    fn next_trouble(&self) -> Trouble {
        let mut guard = lock(&self.trouble);
        let trouble = &mut *guard;
        let now = *trouble;
        let counters = [&mut trouble.broken_gateway, &mut trouble.server_errors, &mut trouble.rate_limited];
        if let Some(counter) = counters.into_iter().find(|counter| **counter > 0) {
            *counter -= 1;
        }
        now
    }

    /// The checks that come before any work, in the platform's order: parameters, signature, clock, token.
    fn checked(
        &self,
        uri: &Uri,
        query: &BTreeMap<String, String>,
        body: &str,
        trouble: &Trouble,
    ) -> Result<Value, Refusal> {
        if trouble.server_errors > 0 {
            return Err(refusal(20000, "系统错误", "isp.unknown-error"));
        }
        if trouble.rate_limited > 0 {
            return Err(refusal(60000, "超过限流限制", "isv.api-flow-limit"));
        }
        let parameter = |name: &str| query.get(name).map_or("", String::as_str);
        let method = parameter("method");
        if uri.path() != format!("/{}", method.replace('.', "/")) || parameter("v") != "2" {
            return Err(refusal(40003, "非法的参数", "isv.method-invalid"));
        }
        if parameter("app_key") != self.app.key {
            return Err(refusal(40003, "非法的参数", "isv.app-id-invalid"));
        }
        let param: Value =
            serde_json::from_str(body).map_err(|_| refusal(40003, "非法的参数", "isv.parameter-format-invalid"))?;
        let signature = sign::api(&self.app, method, parameter("timestamp"), body);
        if parameter("sign_method") != "hmac-sha256"
            || parameter("sign") != signature
            || sign::canonical(&param) != body
        {
            return Err(refusal(40003, "非法的参数", "isv.signature-invalid"));
        }
        if !clock_is_right(parameter("timestamp")) {
            return Err(refusal(40003, "非法的参数", "isv.timestamp-invalid"));
        }
        if method != "token.create" {
            match lock(&self.tokens).current.as_deref() {
                Some(current) if current == parameter("access_token") => {}
                _ => return Err(refusal(40003, "非法的参数", "isv.access-token-expired")),
            }
        }
        Ok(param)
    }

    fn call(&self, method: &str, param: &Value) -> Result<Value, Refusal> {
        // The platform takes ids as text and as numbers.
        let id = |name: &str| match &param[name] {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let missing = refusal(50002, "业务处理失败", "isv.business-failed:not-found");
        match method {
            "token.create" => self.new_token(param),
            "order.orderDetail" => {
                let detail = id("shop_order_id").and_then(|id| lock(&self.shop).detail(id));
                detail.map(|detail| json!({"shop_order_detail": detail})).ok_or(missing)
            }
            "afterSale.Detail" => id("after_sale_id").and_then(|id| lock(&self.shop).case_detail(id)).ok_or(missing),
            _ => Err(refusal(40003, "非法的参数", "isv.method-invalid")),
        }
    }

    /// Only the grant of an app that the merchant has made for its own shop.
    fn new_token(&self, param: &Value) -> Result<Value, Refusal> {
        let shop_id = match &param["shop_id"] {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        if param["grant_type"] != "authorization_self" || shop_id != Some(self.app.shop_id) {
            return Err(refusal(50002, "业务处理失败", "isv.business-failed:31009"));
        }
        let mut tokens = lock(&self.tokens);
        tokens.issued += 1;
        let token = format!("token-{}-of-the-simulated-platform", tokens.issued);
        tokens.current = Some(token.clone());
        Ok(json!({
            "access_token": token,
            "expires_in": 604_800,
            "refresh_token": format!("refresh-{}", tokens.issued),
            "scope": "SCOPE",
            "shop_id": self.app.shop_id,
            "shop_name": "测试茶饮旗舰店",
        }))
    }
}

fn clock_is_right(text: &str) -> bool {
    let instant = text.parse::<DateTime>().ok().and_then(|time| time.to_zoned(TimeZone::fixed(ZONE)).ok());
    instant.is_some_and(|time| time.timestamp().duration_since(Timestamp::now()).abs() <= CLOCK_TOLERANCE)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doudian::shop::{Basket, Goods};
    use crate::http::Client;

    fn now() -> String {
        Timestamp::now()
            .to_zoned(TimeZone::fixed(ZONE))
            .datetime()
            .round(jiff::Unit::Second)
            .unwrap()
            .to_string()
            .replace('T', " ")
    }

    /// Call as an honest client does, unless `spoil` changes the query.
    async fn call(api: &Api, method: &str, token: &str, body: &str, spoil: impl Fn(&mut String)) -> Value {
        let timestamp = now();
        let sign = sign::api(api.app(), method, &timestamp, body);
        let mut query = format!(
            "method={method}&app_key={}&access_token={token}&timestamp={}&v=2&sign_method=hmac-sha256&sign={sign}",
            api.app().key,
            timestamp.replace(' ', "%20"),
        );
        spoil(&mut query);
        let url = format!("{}/{}?{query}", api.base(), method.replace('.', "/"));
        let answer = Client::new().send("POST", &url, &http::HeaderMap::new(), body.into()).await.unwrap();
        answer.json().unwrap_or_else(|_| json!({"status": answer.status.as_u16()}))
    }

    async fn token(api: &Api) -> String {
        let body = format!(r#"{{"code":"","grant_type":"authorization_self","shop_id":"{}"}}"#, api.app().shop_id);
        let answer = call(api, "token.create", "", &body, |_| ()).await;
        answer["data"]["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    fn order(api: &Api) -> u64 {
        let tea = Goods { code: "T".into(), title: "测试茶".into(), quantity: 1, unit_price: 100 };
        let basket = Basket {
            open_id: "o".into(),
            goods: vec![tea],
            discount_shop: 0,
            discount_platform: 0,
            freight: 0,
            room: None,
            region: ("浙江省", "杭州市"),
        };
        api.shop(|shop| shop.place(basket, 1))
    }

    #[tokio::test]
    async fn an_honest_caller_gets_the_record_and_a_forger_a_refusal() {
        let api = Api::start(App::invented()).await.unwrap();
        let id = order(&api);
        let good = token(&api).await;
        let body = format!(r#"{{"shop_order_id":"{id}"}}"#);
        let sub_code = |answer: Value| answer["sub_code"].as_str().unwrap().to_owned();

        let answer = call(&api, "order.orderDetail", &good, &body, |_| ()).await;
        assert_eq!(answer["data"]["shop_order_detail"]["order_id"], json!(id.to_string()));

        let forged =
            call(&api, "order.orderDetail", &good, &body, |query| *query = query.replace("sign=", "sign=0")).await;
        assert_eq!(sub_code(forged), "isv.signature-invalid");
        let blanks = call(&api, "order.orderDetail", &good, &body.replace(':', ": "), |_| ()).await;
        assert_eq!(sub_code(blanks), "isv.signature-invalid", "signed, but not in canonical form");
        let other_token = call(&api, "order.orderDetail", "other", &body, |_| ()).await;
        assert_eq!(sub_code(other_token), "isv.access-token-expired");
        api.expire_token();
        let expired = call(&api, "order.orderDetail", &good, &body, |_| ()).await;
        assert_eq!(sub_code(expired), "isv.access-token-expired");
    }

    #[tokio::test]
    async fn trouble_passes_after_as_many_calls_as_asked_for() {
        let api = Api::start(App::invented()).await.unwrap();
        let (id, good) = (order(&api), token(&api).await);
        let body = format!(r#"{{"shop_order_id":"{id}"}}"#);
        api.trouble(Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, delay: Duration::ZERO });
        for _ in 0..4 {
            call(&api, "order.orderDetail", &good, &body, |_| ()).await;
        }
        let codes: Vec<_> = api.calls().iter().skip(1).map(|call| call.code).collect();
        assert_eq!(codes, [0, 20000, 60000, 10000]);
    }

    #[test]
    fn the_clock_may_be_off_by_ten_minutes() {
        assert!(clock_is_right(&now()));
        assert!(!clock_is_right("2025-01-02 03:04:05"));
        assert!(!clock_is_right("not a time"));
    }
}
