//! WeChat Official Accounts (公众号): what they tell of followers ([`callback`]), and what they are asked to do ([`ask`]).
//!
//! Callbacks are opened by [`crate::wechat::Callback`]. The access token comes from `stable_token`, since asking again does not end the one that
//! others hold.

pub mod answer;
pub mod ask;
pub mod callback;
mod refusal;
mod request;
mod talk;

use serde_json::json;

pub use self::answer::Answer;
pub use self::ask::{Ask, Content, MiniProgram};
pub use self::talk::Conversation;

use crate::marketplace::{ApiError, App, Need, Request, Setting, Token};
use crate::wechat_store::api;

/// The account's AppID.
pub const APP_ID: Setting = Setting { name: "app_id", need: Need::Required };
/// The account's secret.
pub const APP_SECRET: Setting = Setting { name: "secret", need: Need::Required };

/// How the account is configured.
pub const SETTINGS: &[Setting] = &[APP_ID, APP_SECRET];

/// Its name in the outbox, and how its variables begin.
pub const DESTINATION: &str = "official_account";

/// The purpose under which texts of messages are sealed.
pub const TEXT: &str = "inbound_message.text";

/// The API's address.
pub const BASE: &str = "https://api.weixin.qq.com";

/// A request for an access token. It carries the secret: do not log it.
pub fn token_request(app: &App) -> Request {
    let (id, secret) = (app.text(APP_ID.name), app.text(APP_SECRET.name));
    let body = json!({ "grant_type": "client_credential", "appid": id, "secret": secret, "force_refresh": false });
    api::request(api::STABLE_TOKEN, &body, "")
}

/// Reads the answer to [`token_request`].
///
/// # Errors
/// [`ApiError::Retryable`], also for a wrong secret: an operator can mend it while the calls wait.
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    refusal::token(body)
}
