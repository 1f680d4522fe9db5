//! The server of a simulated WeCom or Official Account on a port of the loopback interface: it checks tokens, limits and addresses
//! of callers, fails on demand, keeps a log of calls, and delivers callbacks as the platform does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use super::Refused;
use super::callback::{Console, Mode};
use super::limits::Limits;
use super::tokens::{Bad, Tokens};
use crate::http::{Answer, Client};
use crate::marketplace::dialect::Incoming;
use crate::marketplace::push::{Message, Mishaps, Push};
use crate::marketplace::server::{Trouble, broken_gateway, lost_answer};

/// How often a callback is sent before it is dropped.
pub const TRIES: usize = 3;
/// How long it waits for an answer, unless a test says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits before it sends again, unless a test says otherwise.
const PAUSE: Duration = Duration::from_millis(100);

const BUSY: Refused = Refused(-1, "system error");
const TOO_OFTEN: Refused = Refused(45009, "reach max api daily quota limit");
const MISSING: Refused = Refused(41001, "access_token missing");
const UNKNOWN: Refused = Refused(40014, "invalid access_token");
const EXPIRED: Refused = Refused(42001, "access_token expired");
const WRONG_METHOD: Refused = Refused(43002, "require POST method");
/// What is not an API here is answered HTTP 404.
const NO_API: Refused = Refused(404, "not found");

/// What one platform does with calls and callbacks. All times are Unix milliseconds of the platform's clock.
pub trait Api: Send + 'static {
    /// Where in the application its callbacks arrive.
    const HOOK: &'static str;
    /// What a caller whose address is not on the list of trusted ones gets.
    const UNTRUSTED: Refused;

    /// The receiver's settings.
    fn console(&self) -> &Console;

    /// The receiver's settings, to change.
    fn console_mut(&mut self) -> &mut Console;

    /// The answer to a call that asks for a token; none for any other.
    fn token(&self, call: &Asked, tokens: &mut Tokens) -> Option<Result<Value, Refused>>;

    /// The method of an API; none where there is no such API.
    fn method(&self, api: &str) -> Option<Method>;

    /// Do what a caller with a good token asks.
    ///
    /// # Errors
    /// What the platform refuses.
    fn call(&mut self, call: &Asked, outbox: &mut Outbox) -> Result<Value, Refused>;

    /// Time has passed.
    fn tick(&mut self, _now: i64, _outbox: &mut Outbox) {}

    /// A callback goes out for the first time.
    fn sent(&mut self, _message: &Message, _now: i64) {}

    /// A callback was answered with HTTP 200: with this plain text of a reply, if any, or with nonsense.
    fn answered(&mut self, _message: &Message, _reply: Result<Option<String>>) {}
}

/// A call, as it came in.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// What follows `/cgi-bin/` in the path.
    pub api: String,
    /// The query's parameters, decoded.
    pub query: BTreeMap<String, String>,
    /// The body, where it is JSON.
    pub body: Value,
    /// When it came, Unix milliseconds of the platform's clock.
    pub now: i64,
    /// When it came, in earnest.
    pub arrived: Instant,
}

impl Asked {
    /// A parameter of the query; empty when it is absent.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// What was called, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What follows `/cgi-bin/` in the path.
    pub api: String,
    /// The `errcode`; [`Call::GATEWAY`] and [`Call::LOST`] where none was sent.
    pub code: i64,
    /// When, Unix milliseconds of the platform's clock.
    pub at: i64,
}

impl Call {
    /// The gateway answered, with HTTP 502.
    pub const GATEWAY: i64 = 502;
    /// It was done, and the connection broke before the answer arrived.
    pub const LOST: i64 = 499;
}

/// The callbacks that have not gone out.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Vec<Message>,
    told: u64,
}

impl Outbox {
    /// Something to tell, which is of this kind. Returns the number that the callback has here.
    pub(crate) fn tell(&mut self, kind: &str, content: Value) -> String {
        self.told += 1;
        let id = self.told.to_string();
        self.waiting.push(Message { kind: kind.to_owned(), id: id.clone(), content });
        id
    }
}

/// A running platform.
pub struct Service<A: Api> {
    address: SocketAddr,
    inner: Arc<Inner<A>>,
    task: JoinHandle<()>,
}

struct Inner<A> {
    state: Mutex<State<A>>,
    client: Client,
}

/// All that changes.
struct State<A> {
    api: A,
    tokens: Tokens,
    limits: Limits,
    outbox: Outbox,
    trouble: Trouble,
    /// Unix seconds; none is the real time.
    clock: Option<i64>,
    pause: Duration,
    patience: Duration,
    /// Where the application is: `http://127.0.0.1:3000`.
    application: Option<String>,
    is_trusted: bool,
    calls: Vec<Call>,
    dropped: Vec<Message>,
}

impl<A: Api> State<A> {
    fn now(&self) -> i64 {
        self.clock.map_or_else(|| Timestamp::now().as_millisecond(), |seconds| seconds * 1000)
    }
}

impl<A: Api> Service<A> {
    pub(crate) async fn serve(api: A, limits: Limits) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("no port for the platform")?;
        let address = listener.local_addr()?;
        let state = State {
            api,
            tokens: Tokens::new(),
            limits,
            outbox: Outbox::default(),
            trouble: Trouble::default(),
            clock: None,
            pause: PAUSE,
            patience: PATIENCE,
            application: None,
            is_trusted: true,
            calls: Vec::new(),
            dropped: Vec::new(),
        };
        let inner = Arc::new(Inner { state: Mutex::new(state), client: Client::new() });
        let router = Router::new().fallback(answer::<A>).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move {
            // Serving ends with the process or with `Drop`; accept errors are the kernel's and pass.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, inner, task })
    }

    /// What goes into the variable `…_api_base`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Callbacks go to the application at `address` (`http://127.0.0.1:3000`) from now on.
    pub fn route(&self, address: &str) {
        self.inner.lock().application = Some(address.to_owned());
    }

    /// The receiver's settings in the console.
    pub fn console(&self) -> Console {
        self.inner.lock().api.console().clone()
    }

    /// Send in this way from now on.
    pub fn set_mode(&self, mode: Mode) {
        self.inner.lock().api.console_mut().mode = mode;
    }

    /// Misbehave from now on.
    pub fn trouble(&self, trouble: Trouble) {
        self.inner.lock().trouble = trouble;
    }

    /// What time it is here, Unix seconds; none is the real time. Lives and windows follow it, callbacks carry it.
    pub fn set_clock(&self, now: Option<i64>) {
        self.inner.lock().clock = now;
    }

    /// How long it waits before it sends a callback again.
    pub fn set_pause(&self, pause: Duration) {
        self.inner.lock().pause = pause;
    }

    /// How long it waits for the answer to a callback: five seconds, unless said otherwise.
    pub fn set_patience(&self, patience: Duration) {
        self.inner.lock().patience = patience;
    }

    /// Whether callers' addresses are on the list of trusted ones.
    pub fn set_trusted(&self, is_trusted: bool) {
        self.inner.lock().is_trusted = is_trusted;
    }

    /// So many calls of an API (what follows `/cgi-bin/`) per minute from now on.
    pub fn limit(&self, api: &str, per_minute: u32) {
        self.inner.lock().limits.set(api, per_minute);
    }

    /// How long tokens that are issued from now on are good, in seconds.
    pub fn set_token_life(&self, seconds: i64) {
        self.inner.lock().tokens.set_life(seconds);
    }

    /// End the life of all tokens early: the next call with one is told that it has expired.
    pub fn expire_tokens(&self) {
        self.inner.lock().tokens.expire();
    }

    /// How often a token was fetched.
    pub fn token_fetches(&self) -> usize {
        self.inner.lock().tokens.fetches()
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.lock().calls.clone()
    }

    /// How often an API was called with this `errcode`.
    pub fn count(&self, api: &str, code: i64) -> usize {
        self.inner.lock().calls.iter().filter(|call| call.api == api && call.code == code).count()
    }

    /// The callbacks that have not gone out, taken away: nobody will be told.
    pub fn untold(&self) -> Vec<Message> {
        self.due()
    }

    /// The callbacks that were given up after three tries.
    pub fn dropped(&self) -> Vec<Message> {
        self.inner.lock().dropped.clone()
    }

    /// The request that carries a callback, freshly enciphered and signed.
    ///
    /// # Errors
    /// When the console's key is none.
    pub fn push(&self, message: &Message) -> Result<Push> {
        self.inner.push(message)
    }

    /// Try the application's address out as the console does before it is saved.
    ///
    /// # Errors
    /// When the echo does not come back unchanged within a second.
    pub async fn verify_url(&self) -> Result<()> {
        let (console, url, now) = {
            let state = self.inner.lock();
            (state.api.console().clone(), state.url()?, state.now())
        };
        console.verify(&self.inner.client, &url, now / 1000).await
    }

    /// Send all callbacks that wait, one after the other, with these mishaps. What is not answered with 200 in time comes again,
    /// three times in all.
    ///
    /// # Errors
    /// When a callback is dropped, after all others have been sent.
    pub async fn deliver(&self, mishaps: &Mishaps) -> Result<()> {
        self.deliver_together(mishaps, 1).await
    }

    /// [`Service::deliver`], so many callbacks at the same time.
    ///
    /// # Errors
    /// When a callback is dropped, after all others have been sent.
    pub async fn deliver_together(&self, mishaps: &Mishaps, most: usize) -> Result<()> {
        let due = self.due();
        let mut outcome = Ok(());
        let mut under_way = JoinSet::new();
        for message in (Mishaps { batch: 1, ..*mishaps }).deliveries(due).into_iter().flatten() {
            if under_way.len() >= most.max(1) {
                outcome = joined(under_way.join_next().await).and(outcome);
            }
            let (inner, delay) = (Arc::clone(&self.inner), mishaps.delay);
            under_way.spawn(async move { inner.deliver(message, delay).await });
        }
        while let Some(end) = under_way.join_next().await {
            outcome = joined(Some(end)).and(outcome);
        }
        outcome
    }

    /// Do something to the platform, or read it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut A, &mut Outbox, i64) -> T) -> T {
        let state = &mut *self.inner.lock();
        let now = state.now();
        state.api.tick(now, &mut state.outbox);
        work(&mut state.api, &mut state.outbox, now)
    }

    fn due(&self) -> Vec<Message> {
        self.with(|_, outbox, _| std::mem::take(&mut outbox.waiting))
    }
}

fn joined(end: Option<Result<Result<()>, tokio::task::JoinError>>) -> Result<()> {
    end.map_or(Ok(()), |end| end.context("a delivery broke off")?)
}

impl<A: Api> Drop for Service<A> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<A: Api> State<A> {
    fn url(&self) -> Result<String> {
        let address = self.application.as_ref().context("the console has no address: see `route`")?;
        Ok(format!("{address}{}", A::HOOK))
    }

    /// Everything that is checked before an API is asked, and what it says.
    fn call(&mut self, asked: &Asked) -> Result<Value, Refused> {
        if !self.limits.take(&asked.api, asked.now) {
            return Err(TOO_OFTEN);
        }
        if let Some(token) = self.api.token(asked, &mut self.tokens) {
            return token;
        }
        let expected = self.api.method(&asked.api).ok_or(NO_API)?;
        self.tokens.check(asked.query.get("access_token"), asked.now).map_err(|bad| match bad {
            Bad::Missing => MISSING,
            Bad::Unknown => UNKNOWN,
            Bad::Expired => EXPIRED,
        })?;
        if !self.is_trusted {
            return Err(A::UNTRUSTED);
        }
        if asked.method != expected {
            return Err(WRONG_METHOD);
        }
        self.api.tick(asked.now, &mut self.outbox);
        self.api.call(asked, &mut self.outbox)
    }
}

impl<A: Api> Inner<A> {
    fn lock(&self) -> MutexGuard<'_, State<A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, message: &Message) -> Result<Push> {
        let state = self.lock();
        state.api.console().push(&message.content, state.now() / 1000)
    }

    async fn deliver(&self, message: Message, delay: Duration) -> Result<()> {
        {
            let state = &mut *self.lock();
            let now = state.now();
            state.api.sent(&message, now);
        }
        tokio::time::sleep(delay).await;
        let (pause, patience) = {
            let state = self.lock();
            (state.pause, state.patience)
        };
        let mut last = None;
        for number in 1..=TRIES {
            if number > 1 {
                tokio::time::sleep(pause).await;
            }
            // The application may have moved since the try before.
            let url = self.lock().url()?;
            let push = self.push(&message)?;
            let answer = tokio::time::timeout(patience, push.send(&self.client, &url)).await;
            let answer: Result<Answer> = answer.context("no answer in time").and_then(|answer| answer);
            if let Ok(answer) = &answer
                && answer.status == 200
            {
                let state = &mut *self.lock();
                let reply = state.api.console().reply(&answer.body);
                state.api.answered(&message, reply);
                return Ok(());
            }
            last = Some(answer);
        }
        let (kind, id) = (message.kind.clone(), message.id.clone());
        self.lock().dropped.push(message);
        let answer = last.context("never sent")??;
        ensure!(false, "callback {id} ({kind}) was dropped after {TRIES} tries; the last answer was {answer}");
        Ok(())
    }
}

async fn answer<A: Api>(
    Shared(inner): Shared<Arc<Inner<A>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let arrived = Instant::now();
    let trouble = inner.lock().trouble.next_call();
    tokio::time::sleep(trouble.delay).await;
    let state = &mut *inner.lock();
    let now = state.now();
    let query = uri.query().unwrap_or_default();
    let incoming =
        Incoming { method: &method, path: uri.path(), query, headers: &headers, body: &body, now: now / 1000 };
    let api = uri.path().strip_prefix("/cgi-bin/").unwrap_or_default().to_owned();
    let query = incoming.parameters();
    let asked = Asked { method, api, query, body: serde_json::from_slice(&body).unwrap_or_default(), now, arrived };
    let (code, response) = if trouble.broken_gateway > 0 {
        (Call::GATEWAY, broken_gateway())
    } else {
        let outcome = match () {
            () if trouble.server_errors > 0 => Err(BUSY),
            () if trouble.rate_limited > 0 => Err(TOO_OFTEN),
            () => state.call(&asked),
        };
        match outcome {
            Ok(_) if trouble.lost_answers > 0 => (Call::LOST, lost_answer()),
            Ok(answer) => (0, Json(said(answer, Refused(0, "ok"))).into_response()),
            Err(NO_API) => (NO_API.0, StatusCode::NOT_FOUND.into_response()),
            Err(refused) => (refused.0, Json(said(json!({}), refused)).into_response()),
        }
    };
    state.calls.push(Call { api: asked.api, code, at: now });
    response
}

/// The answer with its code. WeCom ends every message with a hint, so that nobody compares messages.
fn said(mut answer: Value, Refused(code, message): Refused) -> Value {
    answer["errcode"] = code.into();
    let hint = if code == 0 { String::new() } else { format!(", hint: [{:016}]", fastrand::u32(..)) };
    answer["errmsg"] = format!("{message}{hint}").into();
    answer
}
