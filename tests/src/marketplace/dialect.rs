//! What tells one simulated platform from another.
//!
//! A dialect has no state. It turns an HTTP request into a [`Question`] (after all checks of the platform's own), and the
//! engine's [`Reply`] into the platform's JSON; and it turns what changed in a shop into messages and pushes.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde_json::Value;

use super::push::{Message, Push};
use super::shop::{Case, CaseStatus, Change, Ids, Kind, Order, Page, Shop, Span};
use crate::http::Answer;

/// The merchant's app on a platform.
#[derive(Clone, Debug)]
pub struct App {
    /// The public key: the variable `<platform>_app_key`.
    pub key: String,
    /// The secret: the variable `<platform>_app_secret`.
    pub secret: String,
    /// What else the platform's app is configured with, by the end of its variable's name: `message_key`, for instance.
    pub more: BTreeMap<&'static str, String>,
}

impl App {
    /// An app with a key and a secret.
    pub fn of(key: &str, secret: &str) -> Self {
        Self { key: key.to_owned(), secret: secret.to_owned(), more: BTreeMap::new() }
    }

    /// The same with one more setting.
    #[must_use]
    pub fn with(mut self, name: &'static str, text: &str) -> Self {
        self.more.insert(name, text.to_owned());
        self
    }

    /// One more setting's text; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        self.more.get(name).map_or("", String::as_str)
    }
}

/// A simulated platform's own ways.
pub trait Dialect: Send + Sync + 'static {
    /// Its name, as in `domain::Platform::as_str`.
    fn name(&self) -> &'static str;

    /// The merchant's app, invented.
    fn app(&self) -> App;

    /// What a forger makes of the app, who knows all but what pushes are signed with.
    fn guess(&self, app: &App) -> App {
        App { secret: "a-guess".to_owned(), ..app.clone() }
    }

    /// How it writes ids; decimal numbers unless it says otherwise.
    fn ids(&self) -> Ids {
        |_, number| number.to_string()
    }

    /// Whether an app belongs to one shop only.
    fn one_shop(&self) -> bool {
        false
    }

    /// How many lines an order may have.
    fn lines(&self) -> usize {
        usize::MAX
    }

    /// What the platform has no call for, by [`Question::name`].
    fn lacks(&self) -> &'static [&'static str] {
        &[]
    }

    /// How long an access token is good, in seconds.
    fn token_life(&self) -> i64 {
        604_800
    }

    /// Checks a call as the platform does (method, app, signature, clock) and says what it asks, with which token.
    ///
    /// # Errors
    /// [`Refused`] for what the platform refuses before any work. Whether the token is good is the engine's to check.
    fn understand(&self, app: &App, call: &Incoming<'_>) -> Result<Understood, Refused>;

    /// The platform's JSON for what came of a question about a shop.
    fn answer(&self, app: &App, shop: &Shop, question: &Question, reply: &Reply<'_>) -> Value;

    /// The platform's JSON for a refusal.
    fn refuse(&self, refused: &Refused) -> Value;

    /// How the system under test names a case: by its id, unless the platform has kinds of cases with ids of their own each.
    fn case_name(&self, case: &Case) -> String {
        case.id.clone()
    }

    /// How it tells the merchant of changes.
    fn delivery(&self) -> Delivery;

    /// The messages about a change; none where the platform says nothing of it.
    fn messages(&self, shop: &Shop, change: &Change) -> Vec<Message>;

    /// The path of the merchant's webhook.
    fn hook(&self, _app: &App) -> String {
        format!("/hooks/{}", self.name().replace('_', "-"))
    }

    /// The request that carries messages to the merchant's webhook, signed at `now` (Unix seconds).
    ///
    /// # Errors
    /// When the platform does not push, or the app's key cannot stand in a header.
    fn push(&self, _app: &App, _messages: &[Message], _now: i64) -> Result<Push> {
        bail!("{} does not push", self.name())
    }

    /// Whether the webhook's answer tells the platform not to come again.
    fn accepted(&self, answer: &Answer) -> bool {
        answer.status == 200
    }
}

/// How a platform tells the merchant of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// By pushes with so many messages at most.
    Push(usize),
    /// By a queue, which the merchant empties by [`Question::Messages`] and [`Question::Confirm`].
    Queue,
    /// Not at all: the merchant has to ask what changed.
    None,
}

/// A call of the API, as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path.
    pub path: &'a str,
    /// The query, not decoded.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
    /// The platform's time, Unix seconds.
    pub now: i64,
}

impl Incoming<'_> {
    /// The query's parameters, decoded.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The body's fields, where it is a form, decoded.
    pub fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.body).into_owned().collect()
    }

    /// The query's parameters and the form's fields together: gateways do not care which of the two holds one, and the platforms'
    /// own libraries put what is common to all calls into the query.
    pub fn fields(&self) -> BTreeMap<String, String> {
        self.parameters().into_iter().chain(self.form()).collect()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Refused::BadRequest`] when it is none.
    pub fn json(&self) -> Result<Value, Refused> {
        serde_json::from_slice(self.body).map_err(|_| Refused::BadRequest("the body is no JSON"))
    }

    /// That `at` (Unix seconds) is the platform's time, give or take so many minutes.
    ///
    /// # Errors
    /// [`Refused::WrongClock`] when it is not, or there is none.
    pub fn clock(&self, at: Option<i64>, minutes: i64) -> Result<(), Refused> {
        at.filter(|at| (at - self.now).abs() <= minutes * 60).map(drop).ok_or(Refused::WrongClock)
    }
}

/// A call that passed the platform's checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// What it asks.
    pub question: Question,
    /// The access token that came with it; none for questions about tokens.
    pub token: Option<String>,
}

/// What every platform can be asked. Ids are the platform's.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// A token.
    Token(Grant),
    /// An order's record.
    Order(String),
    /// A case's record.
    Case(String),
    /// The orders that changed.
    ChangedOrders(Span),
    /// The cases that changed.
    ChangedCases(Span),
    /// The cases of these kinds that changed, where the platform lists them apart.
    ChangedCasesOf(&'static [Kind], Span),
    /// All cases of an order.
    CasesOfOrder(String),
    /// So many messages of the queue.
    Messages(usize),
    /// These messages of the queue are kept.
    Confirm(Vec<String>),
    /// Agree to a case.
    Agree(Verdict),
    /// Refuse a case, with the words for the buyer.
    Refuse(Verdict, String),
    /// The goods of a case have come back.
    ConfirmReceipt(Verdict),
    /// Pay a case's money back at once, wherever its goods are: for platforms whose one call agrees and confirms receipt.
    Refund(Verdict),
    /// Pay a case back: agree to it where nothing comes back, confirm receipt where it does; so many fen exactly, where the
    /// platform wants the sum repeated. For platforms that have one call for both.
    PayBack(Verdict, Option<i64>),
    /// What is offered of a product.
    Product(String),
    /// So many pieces more can be bought, or fewer; for platforms that take no number itself.
    MoveStock {
        /// The SKU.
        sku_id: String,
        /// Pieces.
        by: i64,
    },
    /// How many pieces can be bought.
    SetStock {
        /// The product; empty where the SKU is all that the platform names.
        product_id: String,
        /// The SKU; none for a product that has only one.
        sku_id: Option<String>,
        /// Pieces.
        quantity: i64,
    },
}

impl Question {
    /// Its name in the log of calls; the same as the system's own where that has one for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Order(_) => "order",
            Self::Case(_) | Self::CasesOfOrder(_) => "after_sale",
            Self::ChangedOrders(_) => "changed_orders",
            Self::ChangedCases(_) | Self::ChangedCasesOf(..) => "changed_after_sales",
            Self::Messages(_) => "messages",
            Self::Confirm(_) => "confirm_messages",
            Self::Agree(_) => "agree",
            Self::Refuse(..) => "refuse",
            Self::ConfirmReceipt(_) => "confirm_receipt",
            Self::Refund(_) => "refund",
            Self::PayBack(..) => "pay_back",
            Self::Product(_) => "product",
            Self::SetStock { .. } | Self::MoveStock { .. } => "set_stock",
        }
    }
}

/// By what a token is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The shop's id: it has authorised the app for itself.
    Shop(String),
    /// The refresh token that came with the last one.
    Refresh(String),
    /// The app alone, which has only one shop.
    App,
}

/// The case that is decided on, and what the caller says of it by choosing this call: the platform refuses when it is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The case.
    pub case_id: String,
    /// The kinds of which it must be one; empty when the call fits all.
    pub kinds: &'static [Kind],
    /// The statuses of which it must be in one; empty when the call fits all.
    pub from: &'static [CaseStatus],
    /// The update time that it must still have; none when the call does not say.
    pub updated: Option<i64>,
}

/// What came of a question.
#[derive(Debug)]
pub enum Reply<'a> {
    /// A new token.
    Token(Token),
    /// The order.
    Order(&'a Order),
    /// The case, and its order.
    Case(&'a Case, &'a Order),
    /// A page of orders.
    Orders(Page<&'a Order>),
    /// A page of cases, each with its order.
    Cases(Page<(&'a Case, &'a Order)>),
    /// Messages of the queue.
    Messages(Vec<Message>),
    /// What is offered of a product: the SKU's id, and how many pieces can be bought.
    Product(Vec<(String, i64)>),
    /// It is done.
    Done,
}

/// A token, as issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What calls carry.
    pub access: String,
    /// What renews it.
    pub refresh: String,
    /// How long it is good from now, in seconds.
    pub expires_in: i64,
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A gateway before the platform answered, without its JSON. No dialect sees this.
    Gateway,
    /// It was done, but the answer never arrived. No dialect sees this.
    AnswerLost,
    /// The platform's own failure.
    ServerError,
    /// Too many calls.
    RateLimited,
    /// No such call.
    UnknownCall,
    /// Not as the call must be.
    BadRequest(&'static str),
    /// Another app's key.
    WrongApp,
    /// The signature does not fit.
    BadSignature,
    /// The time is too far off.
    WrongClock,
    /// The access token is not good (any more).
    BadToken,
    /// The shop has not authorised the app, or the refresh token is not good.
    NotAuthorised,
    /// There is no such order or case.
    NotFound,
    /// It cannot be done as things stand.
    Impossible(String),
}

/// The platforms' own clock: China has one zone and no daylight saving.
const ZONE: Offset = jiff::tz::offset(8);

/// A time as platforms write it in text: `yyyy-MM-dd HH:mm:ss` in GMT+8.
pub fn gmt8(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.to_zoned(TimeZone::fixed(ZONE)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads [`gmt8`]'s form.
pub fn from_gmt8(text: &str) -> Option<i64> {
    let time = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::fixed(ZONE)).ok()?;
    Some(time.timestamp().as_second())
}

/// Fen as yuan text with two decimals.
pub fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

/// An id of digits as a bare JSON number, beyond 2^53 too; other ids stay text.
pub fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| id.into(), Value::from)
}

/// An id that callers may write as text or as a number.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An integer that callers may write as text or as a number.
pub fn integer(value: &Value) -> Option<i64> {
    text(value)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_amounts_are_written_as_platforms_do() {
        assert_eq!(gmt8(1_735_758_245), "2025-01-02 03:04:05");
        assert_eq!(from_gmt8("2025-01-02 03:04:05"), Some(1_735_758_245));
        assert_eq!(from_gmt8("not a time"), None);
        assert_eq!([0, 5, 1990, -1].map(yuan), ["0.00", "0.05", "19.90", "-0.01"]);
        assert_eq!(number("6917529027641081857").to_string(), "6917529027641081857");
        assert_eq!(number("P1"), "P1");
    }
}
