//! Pinduoduo (拼多多): the open API behind `gw-api.pinduoduo.com`.
//!
//! Nothing is pushed over HTTP (the platform's messages, PMC, come over a WebSocket), so what changed is pulled. Orders have
//! money in yuan and times as text in GMT+8; after-sale cases have fen. No record names its shop, and none has an id of the
//! buyer: names, phones and addresses are ciphertext or masked, and are dropped here.

mod aftersale;
mod api;
mod calls;
mod order;
mod sign;
mod status;

use domain::UnixMs;
use serde_json::Value;

pub use sign::{pmc_path, sign};

use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Need, Received, Request, SECRET, Setting, Shop,
    Source, Token, VerifyError,
};

/// The id of the address that goods come back to (`pdd.refund.address.list.get`): without it no return can be agreed to.
const RETURN_ADDRESS: Setting = Setting { name: "return_address", need: Need::Optional };

/// How an app of the platform is configured: its `client_id`, its `client_secret`, and where returns go.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, RETURN_ADDRESS];

/// The platform.
pub struct Pinduoduo;

impl Source for Pinduoduo {
    fn receive(&self, _: &App, _: &Delivery<'_>) -> Result<Received, VerifyError> {
        Err(VerifyError::NoPushes)
    }

    fn acknowledgement(&self) -> &'static str {
        "{}"
    }

    fn read(&self, _: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        match ask {
            Ask::Order { .. } => Ok(Answer::Facts(vec![order::map(shop_id, answer)?])),
            Ask::AfterSale { .. } => Ok(Answer::Facts(vec![aftersale::map(shop_id, answer)?])),
            Ask::ChangedOrders(window) => calls::changed_orders(window, answer),
            Ask::ChangedAfterSales(window) => calls::changed_aftersales(window, answer),
            Ask::Agree { .. } | Ask::ConfirmReceipt { .. } => {
                let further = Ask::Further { first: Box::new(ask.clone()), known: String::new() };
                Ok(Answer::Changed { asks: vec![further], next: None })
            }
            _ => Ok(Answer::Done),
        }
    }
}

impl Api for Pinduoduo {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// The list of after-sale cases bears 100 calls of a shop in 10 seconds; the others bear more.
    fn limit(&self) -> Limit {
        Limit { per_second: 8, burst: 20 }
    }

    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, now: UnixMs) -> Result<Request, ApiError> {
        let (kind, params) = calls::call(app, ask)?;
        Ok(api::request(app, kind, params, shop.token(), now))
    }

    fn check(&self, ask: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        let answer = api::response(body)?;
        if let Ask::Agree { seen, .. } | Ask::ConfirmReceipt { seen, .. } = ask {
            calls::unchanged(seen, &answer)?;
        }
        Ok(answer)
    }

    fn token_request(&self, app: &App, shop: &Shop<'_>, now: UnixMs) -> Option<Request> {
        let refresh_token = shop.refresh_token?.expose().clone();
        Some(api::request(app, api::TOKEN_REFRESH, vec![("refresh_token", refresh_token)], "", now))
    }

    fn token(&self, body: &[u8], _: UnixMs) -> Result<Token, ApiError> {
        api::token(body)
    }
}
