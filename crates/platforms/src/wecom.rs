//! WeCom (企业微信): what it tells of customers who are added and leave ([`callback`]), and what it is asked to do ([`ask`]).
//!
//! One app of the merchant's own (自建应用) does all: its secret brings the access token, its callbacks are opened by
//! [`crate::wechat::Callback`]. Documents: developer.work.weixin.qq.com 90313 (errors), 90454 (rates), 92277 and 96361 (events), 96348
//! (contact ways).

pub mod answer;
pub mod ask;
pub mod callback;
mod limits;
mod message;
mod read;
mod refusal;
mod request;
mod talk;
mod way;

use http::Method;

pub use self::answer::Answer;
pub use self::ask::Ask;
pub use self::message::{Attachment, CUSTOMER, Message};
pub use self::talk::Conversation;
pub use self::way::{ContactWay, JoinWay};

use crate::marketplace::{ApiError, App, JSON, Need, Request, Setting, Token};

/// The company's id.
pub const CORP_ID: Setting = Setting { name: "corp_id", need: Need::Required };
/// The app's number in the company: who writes to staff.
pub const AGENT_ID: Setting = Setting { name: "agent_id", need: Need::Required };
/// The app's secret.
pub const APP_SECRET: Setting = Setting { name: "secret", need: Need::Required };

/// How the app is configured.
pub const SETTINGS: &[Setting] = &[CORP_ID, AGENT_ID, APP_SECRET];

/// Its name in the outbox, and how its variables begin.
pub const DESTINATION: &str = "wecom";
/// The same account for welcomes, which live twenty seconds and wait behind nothing else.
pub const WELCOME_DESTINATION: &str = "wecom_welcome";

/// The API's address.
pub const BASE: &str = "https://qyapi.weixin.qq.com";

/// A request for an access token. It carries the secret: do not log it.
pub fn token_request(app: &App) -> Request {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("corpid", app.text(CORP_ID.name))
        .append_pair("corpsecret", app.text(APP_SECRET.name))
        .finish();
    Request {
        method: Method::GET,
        path_and_query: format!("/cgi-bin/gettoken?{query}"),
        content_type: JSON,
        body: String::new(),
    }
}

/// Reads the answer to [`token_request`].
///
/// # Errors
/// [`ApiError::Retryable`], also for a wrong secret: an operator can mend it while the calls wait.
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    refusal::token(body)
}
