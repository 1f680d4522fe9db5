//! JD (京东), merchants' own shops (POP), through JOS, the open platform behind `api.jd.com`.
//!
//! Nothing is pushed to us: no public protocol for it is known. Changes are found by lists. Money is yuan as text, except for
//! cancellations (fen); times are text in GMT+8 or milliseconds. A shop's id is the merchant's `venderId`. Buyers are known by
//! `open_id_buyer`, per app: account names, names, phones and addresses are dropped here.
//!
//! There are two kinds of after-sale cases, with ids of their own: service bills (goods were shipped), and cancellations of
//! orders that are paid and not shipped. The id of a cancellation is written `cancel:<id>` here.

pub mod api;
pub mod cancellation;
mod list;
mod moment;
pub mod order;
pub mod service;
mod status;
mod stock;

use domain::UnixMs;
use serde_json::Value;

use crate::backwards::Lists;
use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Need, Received, Request, SECRET, Setting, Shop,
    Source, Token, VerifyError,
};

/// The account (pin) in whose name cases are read and answered.
const OPERATOR: Setting = Setting { name: "operator", need: Need::Required };

/// How an app of the platform is configured.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, OPERATOR];

/// Orders by the page of 100, and a hundred pages at most.
const ORDERS: Lists = Lists { count: 1, page_size: 100 };
/// Service bills, then cancellations, by the page of 50.
const CASES: Lists = Lists { count: 2, page_size: 50 };

/// The platform.
pub struct Jd;

impl Source for Jd {
    fn receive(&self, _: &App, _: &Delivery<'_>) -> Result<Received, VerifyError> {
        Err(VerifyError::NoPushes)
    }

    fn acknowledgement(&self) -> &'static str {
        ""
    }

    fn read(&self, app: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        match ask {
            Ask::Order { .. } => Ok(Answer::Facts(vec![order::map(app.key(), shop_id, answer)?])),
            Ask::AfterSale { after_sale_id, .. } => match cancellation::id(after_sale_id) {
                Some(_) => Ok(Answer::Facts(vec![cancellation::map(shop_id, answer)?])),
                None => service::after_refunds(ask, after_sale_id, answer),
            },
            Ask::Further { known, .. } => Ok(Answer::Facts(vec![service::map(shop_id, known, answer)?])),
            Ask::ChangedOrders(window) => list::orders(window, answer),
            Ask::ChangedAfterSales(window) => list::cases(window, answer),
            _ => Ok(Answer::Done),
        }
    }
}

impl Api for Jd {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// JD publishes limits per app and interface in its console; this is below the lowest of them.
    fn limit(&self) -> Limit {
        Limit { per_second: 10, burst: 20 }
    }

    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, now: UnixMs) -> Result<Request, ApiError> {
        let (method, params) = match ask {
            Ask::Order { order_id } => (order::GET, order::params(order_id)),
            Ask::AfterSale { order_id, after_sale_id } => match (cancellation::id(after_sale_id), order_id) {
                (Some(id), _) => (cancellation::GET, cancellation::params(id)),
                (None, Some(order_id)) => (service::REFUNDS, service::refunds_params(order_id)),
                (None, None) => return Err(ApiError::unsupported("find a service bill without its order")),
            },
            Ask::Further { first, .. } => match &**first {
                Ask::AfterSale { order_id: Some(order_id), after_sale_id } => {
                    (service::VIEW, service::view_params(app, shop.id, order_id, after_sale_id))
                }
                other => return Err(ApiError::unsupported(other.operation())),
            },
            Ask::ChangedOrders(window) => list::orders_call(window),
            Ask::ChangedAfterSales(window) => list::cases_call(app, shop.id, window),
            Ask::Agree { after_sale_id, .. } => cancellation::reply(app, after_sale_id, None)?,
            Ask::Refuse { after_sale_id, reason, .. } => cancellation::reply(app, after_sale_id, Some(reason))?,
            Ask::SetStock { shelf, quantity } => stock::set(shelf, *quantity, now)?,
            other => return Err(ApiError::unsupported(other.operation())),
        };
        Ok(api::request(app, method, &params, shop.token(), now))
    }

    fn check(&self, ask: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        let answer = api::response(body)?;
        if matches!(ask, Ask::SetStock { .. }) {
            stock::done(&answer)?;
        }
        Ok(answer)
    }

    fn token_base(&self) -> &'static str {
        api::TOKEN_BASE
    }

    /// JD renews a token only within the last 24 hours before it expires, and gives a new refresh token with it.
    fn token_request(&self, app: &App, shop: &Shop<'_>, _: UnixMs) -> Option<Request> {
        shop.refresh_token.map(|token| api::token_request(app, token.expose()))
    }

    fn token(&self, body: &[u8], _: UnixMs) -> Result<Token, ApiError> {
        api::token(body)
    }
}
