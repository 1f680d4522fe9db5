//! Doudian (抖店), the merchants' side of Douyin's shops: pushes, and the open API behind `openapi-fxg.jinritemai.com`.
//!
//! A push tells little (ids, status, time), so after it the full record is fetched ([`order::DETAIL`],
//! [`aftersale::DETAIL`]); both become [`crate::Fact`]s that merge. Money is fen, times are Unix seconds, ids exceed 2^53.
//! Buyers are known by `doudian_open_id` only: names, phones and addresses are ciphertext and are dropped here.

pub mod aftersale;
pub mod api;
pub mod order;
mod push;
mod sign;
mod status;

use domain::UnixMs;
use serde_json::{Value, json};

pub use push::{Mapped, Push, decode, map};
pub use sign::{Method, sign, verify};

use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Message, Need, Received, Request, SECRET, Says,
    Setting, Shop, Source, Token, VerifyError,
};

/// Whether pushes signed with MD5 are accepted too. Off unless the console still sends them: otherwise a forger could choose
/// the weaker method.
const MD5: Setting = Setting { name: "md5", need: Need::Switch };

/// How an app of the platform is configured.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, MD5];

/// The platform.
pub struct Doudian;

impl Source for Doudian {
    fn receive(&self, app: &App, delivery: &Delivery<'_>) -> Result<Received, VerifyError> {
        verify(app, delivery)?;
        Ok(match decode(delivery.body) {
            Ok(pushes) => Received::Messages(pushes.into_iter().map(message).collect()),
            Err(_) => Received::Unreadable,
        })
    }

    fn acknowledgement(&self) -> &'static str {
        r#"{"code":0,"msg":"success"}"#
    }

    fn read(&self, app: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        match ask {
            Ask::Order { .. } => Ok(Answer::Facts(vec![order::map_detail(app.key(), answer)?])),
            Ask::AfterSale { .. } => Ok(Answer::Facts(vec![aftersale::map_detail(shop_id, answer)?])),
            _ => Ok(Answer::Done),
        }
    }
}

fn message(push: Push) -> Message {
    let says = match map(&push) {
        Ok(Mapped::Probe) => Says::Nothing,
        Ok(Mapped::Fact(fact)) => Says::Fact(fact),
        Ok(Mapped::Unknown) | Err(_) => Says::NotUnderstood,
    };
    let content = json!([push.tag, push.data]).to_string();
    Message { id: push.msg_id, kind: push.tag, content, says }
}

impl Api for Doudian {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// Doudian publishes limits per app and interface in its console; this is below the lowest of them.
    fn limit(&self) -> Limit {
        Limit { per_second: 50, burst: 100 }
    }

    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, now: UnixMs) -> Result<Request, ApiError> {
        let (method, params) = match ask {
            Ask::Order { order_id } => (order::DETAIL, order::detail_params(order_id)),
            Ask::AfterSale { after_sale_id, .. } => (aftersale::DETAIL, aftersale::detail_params(after_sale_id)),
            other => return Err(ApiError::unsupported(other.operation())),
        };
        Ok(api::request(app, method, &params, shop.token(), now))
    }

    fn check(&self, _: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        api::response(body)
    }

    fn token_request(&self, app: &App, shop: &Shop<'_>, now: UnixMs) -> Option<Request> {
        Some(api::request(app, api::TOKEN_CREATE, &api::token_params(shop.id), "", now))
    }

    fn token(&self, body: &[u8], _: UnixMs) -> Result<Token, ApiError> {
        api::token(body)
    }
}
