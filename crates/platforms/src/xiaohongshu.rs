//! Xiaohongshu (小红书): pushes whose signature does not cover the body, and the open API behind `ark.xiaohongshu.com`.
//!
//! Since anybody who sees one push could send another body with its headers, a push is only a hint, and only for some minutes:
//! what happened is read from the API. An order's money is fen, a case's is yuan, times are Unix milliseconds (our own requests:
//! seconds, but milliseconds in lists of cases), order ids are text. Buyers are known by `xhsOpenId` only.

pub mod aftersale;
pub mod api;
pub mod order;
mod push;
mod status;

use domain::UnixMs;
use serde_json::Value;

pub use push::{messages, sign, verify};

use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Need, Received, Request, SECRET, Setting, Shop,
    Source, Token, VerifyError,
};

/// The `sellerAddressRecordId` (as `common.getAddressRecord` lists them) that goods are to be returned to; without it, returns
/// and exchanges cannot be agreed to.
const RETURN_ADDRESS: Setting = Setting { name: "return_address_id", need: Need::Optional };
/// The `reason` (as `afterSale.rejectReasons` lists them) for refusals; without it, cases cannot be refused.
const REFUSAL: Setting = Setting { name: "refusal_reason", need: Need::Optional };

/// The same for refusals of what came back, for which the platform has another list.
const RECEIPT_REFUSAL: Setting = Setting { name: "receipt_refusal_reason", need: Need::Optional };

/// How an app of the platform is configured.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, RETURN_ADDRESS, REFUSAL, RECEIPT_REFUSAL];

/// The platform.
pub struct Xiaohongshu;

impl Source for Xiaohongshu {
    fn receive(&self, app: &App, delivery: &Delivery<'_>) -> Result<Received, VerifyError> {
        verify(app, delivery)?;
        Ok(messages(delivery.body).map_or(Received::Unreadable, Received::Messages))
    }

    fn acknowledgement(&self) -> &'static str {
        r#"{"success":true,"error_code":0,"error_msg":""}"#
    }

    fn longest_window_ms(&self) -> i64 {
        api::LONGEST_WINDOW_MS
    }

    fn read(&self, app: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        Ok(match ask {
            Ask::Order { .. } => Answer::Facts(vec![order::map(app.key(), shop_id, answer)?]),
            Ask::AfterSale { .. } => Answer::Facts(vec![aftersale::map(shop_id, answer)?]),
            Ask::ChangedOrders(window) => api::changed_orders(window, answer)?,
            Ask::ChangedAfterSales(window) => api::changed_after_sales(window, answer)?,
            _ => Answer::Done,
        })
    }
}

impl Api for Xiaohongshu {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// An app may call 100 times a second, and each method 200 times (the console's guide on limits, of 2024); shops may have
    /// less.
    fn limit(&self) -> Limit {
        Limit { per_second: 50, burst: 100 }
    }

    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, now: UnixMs) -> Result<Request, ApiError> {
        let (method, params) = api::call(app, ask)?;
        Ok(api::request(app, method, &params, shop.token(), now))
    }

    fn check(&self, _: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        api::response(body)
    }

    fn token_request(&self, app: &App, shop: &Shop<'_>, now: UnixMs) -> Option<Request> {
        let params = serde_json::json!({ "refreshToken": shop.refresh_token?.expose() });
        Some(api::request(app, api::REFRESH_TOKEN, &params, "", now))
    }

    fn token(&self, body: &[u8], now: UnixMs) -> Result<Token, ApiError> {
        api::token(body, now)
    }
}
