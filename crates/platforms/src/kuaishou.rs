//! Kuaishou's shops (快手小店): pushes, and the open API behind `openapi.kwaixiaodian.com`.
//!
//! A push is only enciphered (AES-CBC without a MAC): whoever can change bytes on the way can change what it says. So a push
//! is a hint to ask, never a fact, and everything that cannot be read fails alike. Money is fen, times are Unix milliseconds.
//! A shop is known by the `userId` of its merchant. Buyers are known by `buyerOpenId` only: names, phones and addresses are
//! ciphertext and are dropped here.

mod aftersale;
mod api;
mod calls;
mod cipher;
mod order;
mod push;
mod status;
mod stock;

use domain::UnixMs;
use serde_json::Value;

pub use api::sign;

use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Need, Received, Request, SECRET, Setting, Shop,
    Source, Token, VerifyError,
};

/// What the app's calls are signed with.
const SIGN_SECRET: Setting = Setting { name: "sign_secret", need: Need::Required };
/// What pushes are enciphered with: Base64, as the console shows it.
const MESSAGE_KEY: Setting = Setting { name: "message_key", need: Need::Required };

/// How an app of the platform is configured.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, SIGN_SECRET, MESSAGE_KEY];

/// The platform.
pub struct Kuaishou;

impl Source for Kuaishou {
    fn receive(&self, app: &App, delivery: &Delivery<'_>) -> Result<Received, VerifyError> {
        let message = cipher::open(app.text(MESSAGE_KEY.name), delivery.body)
            .and_then(|plain| push::read(app, &plain))
            .ok_or(VerifyError::Mismatch("kuaishou_message_key"))?;
        Ok(Received::Messages(vec![message]))
    }

    fn acknowledgement(&self) -> &'static str {
        r#"{"result":1}"#
    }

    fn read(&self, app: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        match ask {
            Ask::Order { .. } => Ok(Answer::Facts(vec![order::map(app.key(), shop_id, answer)?])),
            Ask::AfterSale { .. } => Ok(Answer::Facts(vec![aftersale::map(shop_id, answer)?])),
            Ask::ChangedOrders(_) => calls::changed_orders(answer),
            Ask::ChangedAfterSales(_) => calls::changed_aftersales(answer),
            _ => Ok(Answer::Done),
        }
    }
}

impl Api for Kuaishou {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// The list of orders bears 300 calls a second; what the others bear is shown in the console.
    fn limit(&self) -> Limit {
        Limit { per_second: 50, burst: 100 }
    }

    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, now: UnixMs) -> Result<Request, ApiError> {
        let (method, name, param) = calls::call(ask)?;
        Ok(api::request(app, method, name, &param, shop.token(), now))
    }

    fn check(&self, _: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        api::response(body)
    }

    fn next(&self, ask: &Ask, answer: &Value) -> Result<Option<Ask>, ApiError> {
        match ask {
            Ask::SetStock { shelf, quantity } => stock::difference(shelf, *quantity, answer),
            _ => Ok(None),
        }
    }

    fn token_request(&self, app: &App, shop: &Shop<'_>, _: UnixMs) -> Option<Request> {
        shop.refresh_token.map(|token| api::token_request(app, token.expose()))
    }

    fn token(&self, body: &[u8], _: UnixMs) -> Result<Token, ApiError> {
        api::token(body)
    }
}
