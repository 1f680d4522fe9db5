//! Doudian (抖店), the merchants' side of Douyin's shops: pushes, and the open API behind `openapi-fxg.jinritemai.com`.
//!
//! A push tells little (ids, status, time), so after it the full record is fetched ([`order::DETAIL`],
//! [`aftersale::DETAIL`]); both become [`crate::Fact`]s that merge. Money is fen, times are Unix seconds, ids exceed 2^53.
//! Buyers are known by `doudian_open_id` only: names, phones and addresses are ciphertext and are dropped here.

pub mod aftersale;
pub mod api;
mod changes;
mod operate;
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
    Setting, Shelf, Shop, Source, Token, VerifyError,
};

/// Whether pushes signed with MD5 are accepted too. Off unless the console still sends them: otherwise a forger could choose
/// the weaker method.
const MD5: Setting = Setting { name: "md5", need: Need::Switch };

/// How an app of the platform is configured.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, MD5, operate::RETURN_ADDRESS, operate::REFUSE_REASON];

/// The API method that sets how many pieces of a SKU can be bought.
const SYNC_STOCK: &str = "sku.syncStock";

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
            Ask::ChangedOrders(window) => changes::orders(window, answer),
            Ask::ChangedAfterSales(window) => changes::cases(window, answer),
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
            Ask::ChangedOrders(window) => (changes::ORDERS, changes::order_params(window)),
            Ask::ChangedAfterSales(window) => (changes::CASES, changes::case_params(window)),
            Ask::Agree { .. } | Ask::Refuse { .. } | Ask::ConfirmReceipt { .. } => {
                (operate::OPERATE, operate::params(app, ask)?)
            }
            Ask::SetStock { shelf, quantity } => (SYNC_STOCK, stock_params(shelf, *quantity)),
            Ask::Messages | Ask::ConfirmMessages { .. } | Ask::MoveStock { .. } | Ask::Further { .. } => {
                return Err(ApiError::unsupported(ask.operation()));
            }
        };
        Ok(api::request(app, method, &params, shop.token(), now))
    }

    fn check(&self, ask: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        let data = api::response(body)?;
        match ask {
            Ask::Agree { .. } | Ask::Refuse { .. } | Ask::ConfirmReceipt { .. } => operate::check(data),
            _ => Ok(data),
        }
    }

    fn token_request(&self, app: &App, shop: &Shop<'_>, now: UnixMs) -> Option<Request> {
        Some(api::request(app, api::TOKEN_CREATE, &api::token_params(shop.id), "", now))
    }

    fn token(&self, body: &[u8], _: UnixMs) -> Result<Token, ApiError> {
        api::token(body)
    }
}

/// The parameters of [`SYNC_STOCK`]: the number as it is to be, so that repeating the call changes nothing.
fn stock_params(shelf: &Shelf, quantity: i64) -> Value {
    let id = |id: &str| id.parse::<u64>().map_or_else(|_| Value::from(id), Value::from);
    let mut params = json!({
        "product_id": id(&shelf.product_id), "stock_num": quantity.max(0), "incremental": false,
    });
    if let Some(sku_id) = &shelf.sku_id {
        params["sku_id"] = id(sku_id);
    }
    params
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;

    use super::{Api, App, Ask, Doudian, Shelf, Shop};

    #[test]
    fn stock_is_set_as_a_number_and_not_by_difference() {
        let shelf = Shelf { product_id: "3539925204033339668".to_owned(), sku_id: Some("1737398770243598".to_owned()) };
        let app = App::of([("app_key", "k"), ("app_secret", "s")]);
        let shop = Shop { id: "4463798", access_token: None, refresh_token: None };
        let body = |shelf: &Shelf, quantity| {
            let ask = Ask::SetStock { shelf: shelf.clone(), quantity };
            Doudian.request(&app, &shop, &ask, UnixMs::EPOCH).unwrap().body
        };
        assert_eq!(
            body(&shelf, 7),
            r#"{"incremental":false,"product_id":3539925204033339668,"sku_id":1737398770243598,"stock_num":7}"#
        );
        let single = Shelf { sku_id: None, ..shelf };
        assert_eq!(body(&single, -1), r#"{"incremental":false,"product_id":3539925204033339668,"stock_num":0}"#);
    }

    #[test]
    fn there_is_no_queue_to_empty() {
        let shop = Shop { id: "4463798", access_token: None, refresh_token: None };
        assert!(Doudian.request(&App::default(), &shop, &Ask::Messages, UnixMs::EPOCH).is_err());
    }
}
