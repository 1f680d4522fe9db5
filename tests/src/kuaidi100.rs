//! A simulated Kuaidi100 (快递100) on a port of the loopback interface: parcels that are watched, and couriers who fetch them.
//!
//! It takes subscriptions (`/poll`) and orders of couriers (`/order/borderapi.do`) as the service does, and pushes signed news to
//! the addresses that came with them: again when it is not acknowledged, three times at most, and with the mishaps of a real
//! network. The test plays the carriers ([`Server::note`], [`Server::tell`], [`Server::pickup_news`]) and reads the books.
//! Written from the protocol: it shares no code with what it tests, signatures included. Carriers, couriers and parcels are invented.

mod parcels;
mod pickups;
mod sign;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use form_urlencoded::Serializer;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub use self::parcels::{State, Watched};
pub use self::pickups::{Pickup, status};
pub use self::sign::{call as sign_call, push as sign_push};

use self::parcels::Parcels;
use self::pickups::Pickups;
use crate::host::Setup;
use crate::http::{Answer, Client};
use crate::marketplace::dialect::{App, Incoming};
use crate::marketplace::push::{Message, Mishaps, Push};
use crate::marketplace::server::{Trouble, broken_gateway, lost_answer};

/// Where goods go back to: variables of the application, with invented values.
pub const RETURN: [(&str, &str); 3] = [
    ("kuaidi100_return_name", "虚构仓库"),
    ("kuaidi100_return_phone", "10000000009"),
    ("kuaidi100_return_address", "上海市虚构区虚构路9号"),
];

/// Where the outside world reaches the application under test; nobody's real address.
pub const PUBLIC_URL: &str = "https://siyu.example.com";
/// How often news is pushed before it is dropped.
const TRIES: usize = 3;
/// Half an hour passes in so short a time, unless a test says otherwise.
const PAUSE: Duration = Duration::from_millis(100);

/// A running Kuaidi100.
pub struct Server {
    address: SocketAddr,
    inner: Arc<Inner>,
    client: Client,
    task: JoinHandle<()>,
}

/// What was called, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `poll`, or the method of an order's call (`bOrder`, `cancel`); empty for anything else.
    pub asked: &'static str,
    /// What it was about: the parcel's number, the merchant's number of the courier's order, or the order's number here.
    pub about: String,
    /// The answer's `returnCode`; the HTTP status where something else answered, and `lost` for what was done and not answered.
    pub code: &'static str,
}

/// Why a call gave nothing: code and words of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused(&'static str, &'static str);

const SERVER_ERROR: Refused = Refused("500", "服务器错误");
const WRONG_KEY: Refused = Refused("600", "您不是合法的订阅者");

struct Inner {
    app: App,
    state: Mutex<Service>,
}

/// All that changes.
struct Service {
    parcels: Parcels,
    pickups: Pickups,
    /// News that has not been pushed for the first time.
    untold: Vec<Message>,
    /// What the addresses of the outside world lead to.
    routes: BTreeMap<String, String>,
    trouble: Trouble,
    clock: Option<i64>,
    pause: Duration,
    calls: Vec<Call>,
}

impl Server {
    /// Start with no parcel and no order.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("no port for Kuaidi100")?;
        let address = listener.local_addr()?;
        let state = Service {
            parcels: Parcels::default(),
            pickups: Pickups::default(),
            untold: Vec::new(),
            routes: BTreeMap::new(),
            trouble: Trouble::default(),
            clock: None,
            pause: PAUSE,
            calls: Vec::new(),
        };
        let app = App::of("kuaidi100-key", "kuaidi100-secret").with("salt", "salt-of-the-simulated-kuaidi100");
        let inner = Arc::new(Inner { app, state: Mutex::new(state) });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move {
            // Serving ends with the process or with `Drop`; accept errors are the kernel's and pass.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, inner, client: Client::new(), task })
    }

    /// What goes into the variable `kuaidi100_api_base`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The merchant's account: key, secret, and the salt that the merchant has chosen.
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// The same setup with an account here, and with [`PUBLIC_URL`] as the application's own address.
    pub fn known_to(&self, setup: Setup) -> Setup {
        let App { key, secret, .. } = self.app();
        setup
            .variable("kuaidi100_app_key", key)
            .variable("kuaidi100_app_secret", secret)
            .variable("kuaidi100_salt", self.app().text("salt"))
            .variable("kuaidi100_api_base", self.base())
            .variable("public_url", PUBLIC_URL)
    }

    /// [`PUBLIC_URL`] leads to the application at `address` (`http://127.0.0.1:3000`) from now on, as by name service and gateway.
    pub fn route(&self, address: &str) {
        self.inner.lock().routes.insert(PUBLIC_URL.to_owned(), address.to_owned());
    }

    /// Misbehave from now on.
    pub fn trouble(&self, trouble: Trouble) {
        self.inner.lock().trouble = trouble;
    }

    /// What time it is here, Unix seconds; none is the real time.
    pub fn set_clock(&self, now: Option<i64>) {
        self.inner.lock().clock = now;
    }

    /// How long it waits before it pushes news again.
    pub fn set_pause(&self, pause: Duration) {
        self.inner.lock().pause = pause;
    }

    /// A carrier writes an entry into a parcel's record at `at` (Unix seconds). Whoever watches the parcel is to be told the whole
    /// record, and is by the next [`Server::deliver`].
    pub fn note(&self, tracking_number: &str, state: State, at: i64) {
        let service = &mut *self.inner.lock();
        let news = service.parcels.note(tracking_number, state, at);
        service.untold.extend(news);
    }

    /// Stop watching a parcel for want of news. That is told, too.
    pub fn give_up(&self, tracking_number: &str) {
        let now = self.inner.now();
        let service = &mut *self.inner.lock();
        let news = service.parcels.give_up(tracking_number, now);
        service.untold.extend(news);
    }

    /// [`Server::note`], and push that at once. Tells how many tries it took.
    ///
    /// # Errors
    /// When nobody watches the parcel, or the news is dropped.
    pub async fn tell(&self, tracking_number: &str, state: State, at: i64) -> Result<usize> {
        self.note(tracking_number, state, at);
        self.tell_last(|message| parcels::number_of(&message.content) == Some(tracking_number)).await
    }

    /// The order of a courier has come to `status`, with a fee in fen where one is known: push that at once. Tells how many tries
    /// it took.
    ///
    /// # Errors
    /// When there is no such order, or the news is dropped.
    pub async fn pickup_news(&self, order_id: &str, status: i64, fee: Option<i64>) -> Result<usize> {
        {
            let service = &mut *self.inner.lock();
            service.untold.push(service.pickups.news(order_id, status, fee).context("no such order")?);
        }
        self.tell_last(|message| pickups::order_of(&message.content) == Some(order_id)).await
    }

    /// All news since the last call, each as it stood then.
    pub fn untold(&self) -> Vec<Message> {
        std::mem::take(&mut self.inner.lock().untold)
    }

    /// Where news goes, and the push that carries it, signed as it should be.
    ///
    /// # Errors
    /// When it is about nothing that anybody has asked for.
    pub fn push(&self, message: &Message) -> Result<(String, Push)> {
        let service = &*self.inner.lock();
        let recipient = match message.kind.as_str() {
            pickups::KIND => pickups::order_of(&message.content).and_then(|id| service.pickups.recipient(id)),
            _ => parcels::number_of(&message.content).and_then(|number| service.parcels.recipient(number)),
        };
        let Recipient { callback, salt, task_id } = recipient.context("nobody has asked for this news")?;
        let param = message.content.to_string();
        let mut form = Serializer::new(String::new());
        if let Some(task_id) = task_id {
            form.append_pair("taskId", &task_id);
        }
        if let Some(salt) = salt {
            form.append_pair("sign", &sign_push(&param, &salt));
        }
        let body = form.append_pair("param", &param).finish().into_bytes();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/x-www-form-urlencoded".parse()?);
        let route = service.routes.iter().find_map(|(public, to)| Some((to, callback.strip_prefix(public.as_str())?)));
        let url = route.map(|(to, path)| format!("{to}{path}")).unwrap_or(callback);
        Ok((url, Push { query: String::new(), headers, body }))
    }

    /// Push all news since the last call, with these mishaps; what is not acknowledged comes again, three times at most.
    ///
    /// # Errors
    /// When news is dropped, after all else has been pushed.
    pub async fn deliver(&self, mishaps: &Mishaps) -> Result<()> {
        let mut dropped = Ok(());
        for message in (Mishaps { batch: 1, ..*mishaps }).deliveries(self.untold()).into_iter().flatten() {
            tokio::time::sleep(mishaps.delay).await;
            if let Err(error) = self.send(&message).await {
                dropped = Err(error);
            }
        }
        dropped
    }

    /// The parcels that were ever subscribed to, by number.
    pub fn watched(&self) -> Vec<Watched> {
        self.inner.lock().parcels.watched()
    }

    /// The orders of couriers, in the order in which they came.
    pub fn pickups(&self) -> Vec<Pickup> {
        self.inner.lock().pickups.all()
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.lock().calls.clone()
    }

    /// How often a parcel, or an order, was asked about with this outcome.
    pub fn count(&self, about: &str, code: &str) -> usize {
        self.inner.lock().calls.iter().filter(|call| call.about == about && call.code == code).count()
    }

    /// Push the newest news that fits and leave the rest.
    async fn tell_last(&self, fits: impl Fn(&Message) -> bool) -> Result<usize> {
        let message = {
            let untold = &mut self.inner.lock().untold;
            let place = untold.iter().rposition(fits).context("nobody watches it")?;
            untold.remove(place)
        };
        self.send(&message).await
    }

    async fn send(&self, message: &Message) -> Result<usize> {
        let pause = self.inner.lock().pause;
        let mut last = None;
        for number in 1..=TRIES {
            if number > 1 {
                tokio::time::sleep(pause).await;
            }
            // Where the address leads is looked up each time: the application may have moved.
            let (url, push) = self.push(message)?;
            let answer = push.send(&self.client, &url).await;
            if answer.as_ref().is_ok_and(acknowledged) {
                return Ok(number);
            }
            last = Some(answer);
        }
        let answer = last.context("never sent")??;
        ensure!(false, "news {} was dropped after {TRIES} tries; the last answer was {answer}", message.id);
        Ok(TRIES)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether the answer to a push says that the news was taken.
pub fn acknowledged(answer: &Answer) -> bool {
    answer.status == 200
        && answer.json().is_ok_and(|body| body["result"] == true && matches!(body["returnCode"].as_str(), Some("200")))
}

/// Who gets news, and how it is signed.
#[derive(Clone, Debug)]
struct Recipient {
    callback: String,
    /// Without a salt news is not signed.
    salt: Option<String>,
    /// Goes beside `param` with news of a courier.
    task_id: Option<String>,
}

async fn answer(
    Shared(inner): Shared<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let trouble = inner.lock().trouble.next_call();
    tokio::time::sleep(trouble.delay).await;
    let query = uri.query().unwrap_or_default();
    let now = inner.now();
    let form = Incoming { method: &method, path: uri.path(), query, headers: &headers, body: &body, now }.form();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let param: Value = serde_json::from_str(field("param")).unwrap_or_default();
    let asked = match (uri.path(), field("method")) {
        _ if method != Method::POST => "",
        ("/poll", _) => "poll",
        ("/order/borderapi.do", "bOrder") => "bOrder",
        ("/order/borderapi.do", "cancel") => "cancel",
        _ => "",
    };
    let about = ["number", "thirdOrderId", "orderId"].iter().find_map(|name| param[name].as_str());
    let (code, response) = if trouble.broken_gateway > 0 {
        ("502", broken_gateway())
    } else if trouble.server_errors == 0 && trouble.rate_limited > 0 {
        ("429", StatusCode::TOO_MANY_REQUESTS.into_response())
    } else {
        let outcome = if trouble.server_errors > 0 { Err(SERVER_ERROR) } else { inner.call(asked, &form, &param) };
        match outcome {
            Ok(_) if trouble.lost_answers > 0 => ("lost", lost_answer()),
            Ok(data) => ("200", Json(said(true, Refused("200", "提交成功"), data)).into_response()),
            Err(refused) => (refused.0, Json(said(false, refused, Value::Null)).into_response()),
        }
    };
    inner.lock().calls.push(Call { asked, about: about.unwrap_or_default().to_owned(), code });
    response
}

fn said(result: bool, Refused(code, message): Refused, data: Value) -> Value {
    let mut answer = json!({ "result": result, "returnCode": code, "message": message });
    if !data.is_null() {
        answer["data"] = data;
    }
    answer
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Service> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.lock().clock.unwrap_or_else(|| Timestamp::now().as_second())
    }

    fn call(&self, asked: &str, form: &BTreeMap<String, String>, param: &Value) -> Result<Value, Refused> {
        let now = self.now();
        let service = &mut *self.lock();
        match asked {
            "poll" => {
                let news = service.parcels.subscribe(&self.app, form, param, now)?;
                service.untold.extend(news);
                Ok(Value::Null)
            }
            "bOrder" => {
                pickups::check(&self.app, form)?;
                service.pickups.order(param, now)
            }
            "cancel" => {
                pickups::check(&self.app, form)?;
                let news = service.pickups.cancel(param)?;
                service.untold.push(news);
                Ok(Value::Null)
            }
            _ => Err(Refused("404", "没有此接口")),
        }
    }
}

#[cfg(test)]
mod tests;
