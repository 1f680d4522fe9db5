//! The face that all marketplaces share: what they push to us ([`Source`]), and what can be asked of them ([`Api`]).
//!
//! Two traits, because two functions use them: orders receives and reads, the courier asks. What goes from one to the other is
//! an [`Ask`], written in the outbox as JSON.

mod app;
mod ask;
mod refusal;

use domain::{PullKind, Secret, UnixMs};
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::Fact;

pub use self::app::{App, AppError, KEY, Need, SECRET, Setting};
pub use self::ask::{Ask, Asked, Seen, Shelf, Window};
pub use self::refusal::{ApiError, MapError, Refusal, VerifyError};

/// What a marketplace pushes, and what its records mean.
pub trait Source: Sync {
    /// Verifies a delivery, decodes it and maps its messages.
    ///
    /// # Errors
    /// [`VerifyError`] for what is not authentic, to be answered 401. Where the platform has no signature on the body, what
    /// is returned never carries facts, only what to ask.
    fn receive(&self, app: &App, delivery: &Delivery<'_>) -> Result<Received, VerifyError>;

    /// How the platform wants to hear that a delivery was taken: the body of a 200.
    fn acknowledgement(&self) -> &'static str;

    /// What a connected shop is asked for regularly.
    fn pulls(&self) -> &'static [PullKind] {
        &[PullKind::Orders, PullKind::AfterSales]
    }

    /// The longest window that may be asked for at once, in milliseconds.
    fn longest_window_ms(&self) -> i64 {
        1_800_000
    }

    /// Reads what [`Api::check`] let pass as the answer to `ask` for the shop `shop_id`.
    ///
    /// # Errors
    /// [`MapError`] when a record lacks what every record has, or its numbers do not fit.
    fn read(&self, app: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError>;
}

/// What can be asked of a marketplace. Pure: who sends (the courier) brings the token, the time and the transport.
pub trait Api: Sync {
    /// The API's address, where no variable names another.
    fn base(&self) -> &'static str;

    /// What the platform bears from one app.
    fn limit(&self) -> Limit;

    /// A signed request for `ask`. The signature holds for some minutes around `now`: sign anew for each attempt.
    ///
    /// # Errors
    /// [`ApiError::Permanent`] for what the platform has no way to be asked.
    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, now: UnixMs) -> Result<Request, ApiError>;

    /// What an answer says: the part that [`Source::read`] reads.
    ///
    /// # Errors
    /// [`ApiError`] says whether to try again, to fetch a new token first, or to give up.
    fn check(&self, ask: &Ask, body: &[u8]) -> Result<Value, ApiError>;

    /// What is sent next, in the same try: for a command that has to see first what it changes, since the platform takes differences
    /// only. None is the end. A try that follows sees again, so that nothing is added twice.
    ///
    /// # Errors
    /// [`ApiError`] as for [`Api::check`].
    fn next(&self, _ask: &Ask, _answer: &Value) -> Result<Option<Ask>, ApiError> {
        Ok(None)
    }

    /// The address that [`Api::token_request`] is sent to, where it is not the API's own.
    fn token_base(&self) -> &'static str {
        self.base()
    }

    /// A request for a new access token; none where the merchant's own token is all there is.
    fn token_request(&self, app: &App, shop: &Shop<'_>, now: UnixMs) -> Option<Request>;

    /// Reads the answer to [`Api::token_request`]. Some platforms say when the token expires, not how long it lasts: hence
    /// `now`.
    ///
    /// # Errors
    /// [`ApiError`] as for [`Api::check`].
    fn token(&self, body: &[u8], now: UnixMs) -> Result<Token, ApiError>;
}

/// A delivery as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The method: `GET` is a platform that tries the address out.
    pub method: &'a Method,
    /// The path that was called.
    pub path: &'a str,
    /// The query as received, without the question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The raw body: what is signed.
    pub body: &'a [u8],
    /// The current time.
    pub now: UnixMs,
}

impl Delivery<'_> {
    /// A header's text, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A decoded parameter of the query, if it is there.
    pub fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// What an authentic delivery holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Messages, each for itself.
    Messages(Vec<Message>),
    /// The platform tries the address out and wants exactly this text back.
    Echo(String),
    /// Not of the form that it should have. Keep it, and answer as if it were: a retry would not mend it.
    Unreadable,
}

/// One message of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The platform's id of the message, the same on every retry; empty where it has none.
    pub id: String,
    /// The platform's word for what it is about.
    pub kind: String,
    /// Its content, which tells apart what shares an id. Kept when the message is not understood.
    pub content: String,
    /// What it means.
    pub says: Says,
}

/// What a message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// Nothing: a probe, a heartbeat, a kind that does not concern us.
    Nothing,
    /// Something happened, and the message itself is proof enough.
    Fact(Box<Fact>),
    /// Something happened to a shop's order or case: ask.
    Hint {
        /// The shop's id on the platform.
        shop_id: String,
        /// What to ask.
        ask: Ask,
    },
    /// A kind of message that is not known here, or that lacks what its kind must have. Kept, and answered as taken.
    NotUnderstood,
}

/// What an answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The full record.
    Facts(Vec<Fact>),
    /// What is to be asked next: about a page of changes, the question that brings each record, and the page after it; to a
    /// question or command that takes two steps, the second ([`Ask::Further`]).
    Changed {
        /// What to ask.
        asks: Vec<Ask>,
        /// The next page, in the words of [`Window::page`]; none after the last.
        next: Option<String>,
    },
    /// Messages of the platform's queue, to be confirmed once they are kept.
    Messages(Vec<Message>),
    /// It was done.
    Done,
}

/// A shop that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Shop<'a> {
    /// Its id on the platform.
    pub id: &'a str,
    /// The access token; none for requests that fetch one.
    pub access_token: Option<&'a Secret<String>>,
    /// What renews the access token, where the platform has such a thing.
    pub refresh_token: Option<&'a Secret<String>>,
}

impl Shop<'_> {
    /// The access token's text; empty without one.
    pub fn token(&self) -> &str {
        self.access_token.map_or("", |token| token.expose())
    }
}

/// A request, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query, to follow the API's base address.
    pub path_and_query: String,
    /// The body's `content-type`.
    pub content_type: &'static str,
    /// The body: the very bytes that were signed.
    pub body: String,
}

/// `content-type` of JSON.
pub const JSON: &str = "application/json";
/// `content-type` of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// An access token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token itself.
    pub access_token: Secret<String>,
    /// What renews it; none where the old one stays good or there is none.
    pub refresh_token: Option<Secret<String>>,
    /// How long it is valid from now, in seconds.
    pub expires_in: i64,
}

/// What a platform bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Calls a second in the long run.
    pub per_second: i64,
    /// Calls at once after a rest.
    pub burst: i64,
}
