//! WeChat Store (微信小店): pushes signed and enciphered as in [`crate::wechat`], and the API `channels/ec` of `api.weixin.qq.com`.
//!
//! One app is one store: its AppID is the shop's id, the `receiveid` of its pushes, and the scope of its buyers' openids. Money is
//! fen, times are Unix seconds, ids exceed 2^53. A push tells little, so after it the full record is fetched; both become facts.

pub mod aftersale;
pub mod api;
mod bill;
pub mod order;
mod push;
mod status;

use domain::UnixMs;
use serde_json::Value;

pub use push::message;

use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Need, Received, Request, SECRET, Setting, Shop,
    Source, Token, VerifyError,
};
use crate::wechat::{Call, Callback};

/// The `Token` of the console's message push.
const MESSAGE_TOKEN: Setting = Setting { name: "message_token", need: Need::Required };
/// The `EncodingAESKey` of the console's message push.
const MESSAGE_KEY: Setting = Setting { name: "message_key", need: Need::Required };
/// The `address_id` that goods are to be returned to; without it, returns and exchanges cannot be agreed to.
const RETURN_ADDRESS: Setting = Setting { name: "return_address_id", need: Need::Optional };
/// The `reject_reason_type` (as `aftersale/rejectreason/get` lists them) for refusals; without it, cases cannot be refused.
const REFUSAL: Setting = Setting { name: "refusal_reason", need: Need::Optional };

/// How an app of the platform is configured.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, MESSAGE_TOKEN, MESSAGE_KEY, RETURN_ADDRESS, REFUSAL];

/// A push is tried ten times within about 3.6 hours. Whether a retry is signed anew is not documented; if not, it must still be
/// taken. What is replayed within that time changes nothing, for facts merge.
const MINUTES: u32 = 240;

/// The platform.
pub struct WechatStore;

impl Source for WechatStore {
    fn receive(&self, app: &App, delivery: &Delivery<'_>) -> Result<Received, VerifyError> {
        let callback = Callback {
            token: app.text(MESSAGE_TOKEN.name),
            key: app.text(MESSAGE_KEY.name),
            receive_ids: &[app.key()],
            minutes: MINUTES,
            variables: "wechat_store_message_token, wechat_store_message_key and wechat_store_app_key",
            plain: false,
        };
        Ok(match callback.open(delivery)? {
            Call::Echo(text) => Received::Echo(text),
            Call::Message(text) => Received::Messages(vec![message(app.key(), text)]),
        })
    }

    fn acknowledgement(&self) -> &'static str {
        "success"
    }

    fn longest_window_ms(&self) -> i64 {
        api::LONGEST_WINDOW_MS
    }

    fn read(&self, app: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        Ok(match ask {
            Ask::Order { .. } => Answer::Facts(vec![order::map(app.key(), shop_id, answer)?]),
            Ask::AfterSale { .. } => Answer::Facts(vec![aftersale::map(shop_id, answer)?]),
            Ask::ChangedOrders(_) => api::changed_orders(answer)?,
            Ask::ChangedAfterSales(_) => api::changed_after_sales(answer)?,
            _ => Answer::Done,
        })
    }
}

impl Api for WechatStore {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// Limits are per interface, shown in the console and not published; this is a careful guess.
    fn limit(&self) -> Limit {
        Limit { per_second: 10, burst: 20 }
    }

    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, _: UnixMs) -> Result<Request, ApiError> {
        let (path, body) = api::call(app.text(RETURN_ADDRESS.name), app.text(REFUSAL.name), ask)?;
        Ok(api::request(path, &body, shop.token()))
    }

    fn check(&self, _: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        api::response(body)
    }

    fn token_request(&self, app: &App, _: &Shop<'_>, _: UnixMs) -> Option<Request> {
        Some(api::request(api::STABLE_TOKEN, &api::token_body(app), ""))
    }

    fn token(&self, body: &[u8], _: UnixMs) -> Result<Token, ApiError> {
        api::token(body)
    }
}
