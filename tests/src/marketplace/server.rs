//! A simulated platform on a port of the loopback interface: its API, its shops, and its trouble on demand.
//!
//! It answers what the platform answers to a caller who signs as the platform wants and has a token that is still good, and
//! refuses anyone else in the platform's own words. [`Server::trouble`] makes it fail on demand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use hyper::body::Frame;
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::dialect::{App, Delivery, Dialect, Grant, Incoming, Question, Refused, Reply, Token, Understood, Verdict};
use super::push::{Message, Mishaps, Push};
use super::shop::{Case, Impossible, Order, Page, Shop};
use crate::http::Client;
use crate::merchant::Books;

/// A running platform: its API's address, and the shops behind it.
pub struct Server {
    address: SocketAddr,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

/// How the API misbehaves. Counted troubles are used up one kind at a time, in this order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// So many calls from now get HTTP 502 with a body that is not JSON.
    pub broken_gateway: u32,
    /// So many calls from now get the platform's own failure.
    pub server_errors: u32,
    /// So many calls from now get "too many requests".
    pub rate_limited: u32,
    /// So many calls from now are done, and the connection breaks before the answer arrives.
    pub lost_answers: u32,
    /// Every call takes this much longer.
    pub delay: Duration,
}

impl Trouble {
    /// The trouble that this call gets; counted troubles are used up, one kind at a time.
    pub(crate) fn next_call(&mut self) -> Self {
        let now = *self;
        let counters =
            [&mut self.broken_gateway, &mut self.server_errors, &mut self.rate_limited, &mut self.lost_answers];
        if let Some(counter) = counters.into_iter().find(|counter| **counter > 0) {
            *counter -= 1;
        }
        now
    }
}

/// What was called, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// [`Question::name`]; empty for what was not understood.
    pub asked: &'static str,
    /// Why it gave nothing; none for what was answered.
    pub refused: Option<Refused>,
}

struct Inner {
    dialect: Arc<dyn Dialect>,
    app: App,
    state: Mutex<Platform>,
}

/// All that changes.
struct Platform {
    shops: Vec<Shop>,
    /// The only tokens that are good now, by the shop's place; a new one ends the one before.
    tokens: BTreeMap<usize, Issued>,
    token_life: i64,
    issued: u32,
    /// Messages that are not confirmed, by the shop's place.
    queues: BTreeMap<usize, Vec<Message>>,
    trouble: Trouble,
    clock: Option<i64>,
    calls: Vec<Call>,
}

struct Issued {
    token: Token,
    dies: i64,
}

impl Server {
    /// Start with one empty shop.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(dialect: impl Dialect) -> Result<Self> {
        Self::with_shops(Arc::new(dialect), 1).await
    }

    /// Start with several empty shops, which have all authorised the same app.
    ///
    /// # Errors
    /// When no port can be had, or there is to be no shop.
    pub async fn with_shops(dialect: Arc<dyn Dialect>, shops: u64) -> Result<Self> {
        ensure!(shops > 0, "a platform without shops");
        let listener =
            tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("no port for the simulated platform")?;
        let address = listener.local_addr()?;
        let state = Platform {
            shops: (0..shops).map(|index| Shop::new(index, dialect.ids())).collect(),
            tokens: BTreeMap::new(),
            token_life: dialect.token_life(),
            issued: 0,
            queues: BTreeMap::new(),
            trouble: Trouble::default(),
            clock: None,
            calls: Vec::new(),
        };
        let inner = Arc::new(Inner { app: dialect.app(), dialect, state: Mutex::new(state) });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move {
            // Serving ends with the process or with `Drop`; accept errors are the kernel's and pass.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, inner, task })
    }

    /// What goes into the variable `<platform>_api_base`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its dialect.
    pub fn dialect(&self) -> &dyn Dialect {
        &*self.inner.dialect
    }

    /// The merchant's app.
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// Do something to the first shop, or read it.
    pub fn shop<T>(&self, work: impl FnOnce(&mut Shop) -> T) -> T {
        self.shops(|shops| work(&mut shops[0]))
    }

    /// Do something to all shops, or read them.
    pub fn shops<T>(&self, work: impl FnOnce(&mut [Shop]) -> T) -> T {
        work(&mut self.inner.lock().shops)
    }

    /// The platform's own books over all shops.
    pub fn books(&self) -> Books {
        let mut books = Books::default();
        self.shops(|shops| shops.iter().for_each(|shop| books.add(&shop.books())));
        books
    }

    /// The messages about all changes since the last call, shop after shop.
    pub fn untold(&self) -> Vec<Message> {
        self.shops(|shops| shops.iter_mut().flat_map(|shop| untold(&*self.inner.dialect, shop)).collect())
    }

    /// The messages about all changes since the last call as they are sent with these mishaps: one inner list per push.
    pub fn deliveries(&self, mishaps: &Mishaps) -> Vec<Vec<Message>> {
        let most = match self.inner.dialect.delivery() {
            Delivery::Push(most) => most,
            Delivery::Queue | Delivery::None => return Vec::new(),
        };
        Mishaps { batch: mishaps.batch.min(most), ..*mishaps }.deliveries(self.untold())
    }

    /// A push, signed as it should be.
    ///
    /// # Errors
    /// As for [`Dialect::push`].
    pub fn push(&self, messages: &[Message]) -> Result<Push> {
        self.inner.dialect.push(&self.inner.app, messages, self.inner.now())
    }

    /// Push all changes since the last call to the webhook at `url`, with these mishaps and as the platform does: again, a
    /// little later each time, until it is accepted.
    ///
    /// # Errors
    /// When the webhook does not accept a push in five tries.
    pub async fn deliver(&self, mishaps: &Mishaps, client: &Client, url: &str) -> Result<()> {
        for messages in self.deliveries(mishaps) {
            tokio::time::sleep(mishaps.delay).await;
            let mut last = None;
            for wait in [0, 50, 200, 800, 2000] {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                let answer = self.push(&messages)?.send(client, url).await;
                let accepted = answer.as_ref().is_ok_and(|answer| self.inner.dialect.accepted(answer));
                last = Some((accepted, answer));
                if accepted {
                    break;
                }
            }
            let (accepted, answer) = last.context("never sent")?;
            let answer = answer?;
            ensure!(accepted, "{url} did not accept a push in five tries; the last answer was {answer}");
        }
        Ok(())
    }

    /// Misbehave from now on.
    pub fn trouble(&self, trouble: Trouble) {
        self.inner.lock().trouble = trouble;
    }

    /// What time it is here, Unix seconds; none is the real time.
    pub fn set_clock(&self, now: Option<i64>) {
        self.inner.lock().clock = now;
    }

    /// How long tokens that are issued from now on are good, in seconds.
    pub fn set_token_life(&self, seconds: i64) {
        self.inner.lock().token_life = seconds;
    }

    /// End the life of all tokens: the next call with one is told that it has expired.
    pub fn expire_tokens(&self) {
        self.inner.lock().tokens.values_mut().for_each(|issued| issued.dies = i64::MIN);
    }

    /// A token for the shop at this place, as a person gets it from the platform's console.
    pub fn issue_token(&self, shop: usize) -> Token {
        let now = self.inner.now();
        self.inner.lock().issue(shop, now)
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.inner.lock().calls.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let trouble = inner.lock().trouble.next_call();
    tokio::time::sleep(trouble.delay).await;
    let incoming = Incoming {
        method: &method,
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
        now: inner.now(),
    };
    let understood = inner.dialect.understand(&inner.app, &incoming);
    let asked = understood.as_ref().map_or("", |understood| understood.question.name());
    let outcome = if trouble.broken_gateway > 0 {
        Err(Refused::Gateway)
    } else if trouble.server_errors > 0 {
        Err(Refused::ServerError)
    } else if trouble.rate_limited > 0 {
        Err(Refused::RateLimited)
    } else {
        match understood.and_then(|understood| inner.call(&understood)) {
            Ok(_) if trouble.lost_answers > 0 => Err(Refused::AnswerLost),
            outcome => outcome,
        }
    };
    inner.lock().calls.push(Call { asked, refused: outcome.as_ref().err().cloned() });
    match outcome {
        Ok(body) => Json(body).into_response(),
        Err(Refused::Gateway) => broken_gateway(),
        Err(Refused::AnswerLost) => lost_answer(),
        Err(refused) => Json(inner.dialect.refuse(&refused)).into_response(),
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Platform> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.lock().clock.unwrap_or_else(|| Timestamp::now().as_second())
    }

    fn call(&self, understood: &Understood) -> Result<Value, Refused> {
        let now = self.now();
        let platform = &mut *self.lock();
        let Understood { question, token } = understood;
        let place = match (question, token) {
            (Question::Token(grant), _) => platform.granted(grant).ok_or(Refused::NotAuthorised)?,
            (_, Some(token)) => platform.shop_of(token, now).ok_or(Refused::BadToken)?,
            (_, None) => return Err(Refused::BadToken),
        };
        match question {
            Question::Agree(verdict) => platform.decide(place, verdict, |shop| shop.agree(&verdict.case_id, now))?,
            Question::Refuse(verdict, why) => {
                platform.decide(place, verdict, |shop| shop.refuse(&verdict.case_id, why, now))?;
            }
            Question::ConfirmReceipt(verdict) => {
                platform.decide(place, verdict, |shop| shop.confirm_receipt(&verdict.case_id, now))?;
            }
            Question::Refund(verdict) => platform.decide(place, verdict, |shop| shop.refund(&verdict.case_id, now))?,
            Question::PayBack(verdict, amount) => {
                platform.decide(place, verdict, |shop| shop.pay_back(&verdict.case_id, *amount, now))?;
            }
            Question::MoveStock { sku_id, by } => platform.shops[place].move_stock(sku_id, *by)?,
            Question::SetStock { product_id, sku_id, quantity } => {
                platform.shops[place].set_stock(product_id, sku_id.as_deref(), *quantity)?;
            }
            _ => {}
        }
        let queue = platform.queues.entry(place).or_default();
        if self.dialect.delivery() == Delivery::Queue {
            queue.extend(untold(&*self.dialect, &mut platform.shops[place]));
        }
        if let Question::Confirm(ids) = question {
            queue.retain(|message| !ids.contains(&message.id));
        }
        let token = matches!(question, Question::Token(_)).then(|| platform.issue(place, now));
        let shop = &platform.shops[place];
        let reply = match (question, token) {
            (_, Some(token)) => Reply::Token(token),
            (Question::Order(id), _) => Reply::Order(shop.order(id).ok_or(Refused::NotFound)?),
            (Question::Product(id), _) => Reply::Product(shop.product(id).ok_or(Refused::NotFound)?),
            (Question::Case(id), _) => {
                let case = shop.case(id).ok_or(Refused::NotFound)?;
                Reply::Case(case, shop.order(&case.order_id).ok_or(Refused::NotFound)?)
            }
            (Question::ChangedOrders(span), _) => Reply::Orders(shop.changed_orders(*span)),
            (Question::ChangedCases(span), _) => Reply::Cases(with_orders(shop, shop.changed_cases(*span))),
            (Question::ChangedCasesOf(kinds, span), _) => {
                Reply::Cases(with_orders(shop, shop.changed_cases_of(kinds, *span)))
            }
            (Question::CasesOfOrder(id), _) => Reply::Cases(with_orders(shop, shop.cases_of(id))),
            (Question::Messages(most), _) => {
                Reply::Messages(platform.queues[&place].iter().take(*most).cloned().collect())
            }
            _ => Reply::Done,
        };
        Ok(self.dialect.answer(&self.app, shop, question, &reply))
    }
}

impl Platform {
    fn granted(&self, grant: &Grant) -> Option<usize> {
        match grant {
            Grant::Shop(id) => self.shops.iter().position(|shop| shop.id() == id),
            Grant::Refresh(refresh) => self.place_of(|issued| issued.token.refresh == *refresh),
            Grant::App => Some(0),
        }
    }

    fn shop_of(&self, access: &str, now: i64) -> Option<usize> {
        self.place_of(|issued| issued.token.access == access && now < issued.dies)
    }

    fn place_of(&self, fits: impl Fn(&Issued) -> bool) -> Option<usize> {
        self.tokens.iter().find(|(_, issued)| fits(issued)).map(|(place, _)| *place)
    }

    fn issue(&mut self, place: usize, now: i64) -> Token {
        self.issued += 1;
        let token = Token {
            access: format!("token-{}-of-the-simulated-platform", self.issued),
            refresh: format!("refresh-{}-of-the-simulated-platform", self.issued),
            expires_in: self.token_life,
        };
        let dies = now.saturating_add(self.token_life);
        self.tokens.insert(place, Issued { token: token.clone(), dies });
        token
    }

    /// Decides on a case if it is what the caller takes it for.
    fn decide(
        &mut self,
        place: usize,
        verdict: &Verdict,
        work: impl FnOnce(&mut Shop) -> Result<(), Impossible>,
    ) -> Result<(), Refused> {
        let shop = &mut self.shops[place];
        let case = shop.case(&verdict.case_id).ok_or(Refused::NotFound)?;
        if !verdict.kinds.is_empty() && !verdict.kinds.contains(&case.kind) {
            return Err(Refused::Impossible(format!("a case of kind {:?}", case.kind)));
        }
        if verdict.updated.is_some_and(|updated| updated != case.updated) {
            return Err(Refused::Impossible("a case that has changed since".to_owned()));
        }
        if !verdict.from.is_empty() && !verdict.from.contains(&case.status) {
            return Err(Refused::Impossible(format!("a case that is {:?}", case.status)));
        }
        Ok(work(shop)?)
    }
}

impl From<Impossible> for Refused {
    fn from(impossible: Impossible) -> Self {
        Self::Impossible(impossible.to_string())
    }
}

fn with_orders<'a>(shop: &'a Shop, page: Page<&'a Case>) -> Page<(&'a Case, &'a Order)> {
    let items = page.items.into_iter().filter_map(|case| Some((case, shop.order(&case.order_id)?)));
    Page { items: items.collect(), total: page.total, skipped: page.skipped }
}

fn untold(dialect: &dyn Dialect, shop: &mut Shop) -> Vec<Message> {
    let changes = shop.untold();
    changes.iter().flat_map(|change| dialect.messages(shop, change)).collect()
}

/// A gateway's own words, which are not the platform's.
pub(crate) fn broken_gateway() -> Response {
    (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>").into_response()
}

/// An answer that never arrives.
pub(crate) fn lost_answer() -> Response {
    Response::new(Body::new(Lost))
}

/// A body that breaks off before its first byte, and the connection with it.
struct Lost;

impl hyper::body::Body for Lost {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionAborted.into())))
    }
}

#[cfg(test)]
mod tests;
