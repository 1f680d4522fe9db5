//! Weidian (微店): pushes, and the API behind `api.vdian.com`.
//!
//! Pushes carry no signature at all. What guards them is a path that nobody can guess, and that nothing they say is believed:
//! they name an order, and its record is fetched. After-sale cases have no records of their own: they stand in the order's. Money
//! is yuan as text, times are text in GMT+8. Buyers are known by their id only: names, phones and addresses, which come in clear,
//! are dropped here.

pub mod api;
pub mod order;
mod push;
mod status;

use domain::{RefundKind, UnixMs};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::gmt8_text;
use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Need, Received, Refusal, Request, SECRET, Seen,
    Setting, Shelf, Shop, Source, Token, VerifyError, Window,
};

/// The last part of the path that the platform pushes to: long, random, and told to nobody else.
const PATH: Setting = Setting { name: "path", need: Need::Required };

/// How an app of the platform is configured.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, PATH];

/// The platform.
pub struct Weidian;

impl Source for Weidian {
    fn receive(&self, app: &App, delivery: &Delivery<'_>) -> Result<Received, VerifyError> {
        let (secret, called) = (app.text(PATH.name), delivery.path.rsplit('/').next().unwrap_or_default());
        if secret.is_empty() || !bool::from(called.as_bytes().ct_eq(secret.as_bytes())) {
            return Err(VerifyError::Mismatch("weidian_path"));
        }
        Ok(push::message(delivery.body).map_or(Received::Unreadable, |message| Received::Messages(vec![message])))
    }

    fn acknowledgement(&self) -> &'static str {
        r#"{"status":"success"}"#
    }

    fn read(&self, _: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        match ask {
            Ask::Order { .. } | Ask::AfterSale { .. } => Ok(Answer::Facts(order::map_record(shop_id, answer)?)),
            Ask::ChangedOrders(window) | Ask::ChangedAfterSales(window) => order::page(window, answer),
            _ => Ok(Answer::Done),
        }
    }
}

impl Api for Weidian {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// No limits are published.
    fn limit(&self) -> Limit {
        Limit { per_second: 5, burst: 10 }
    }

    fn request(&self, _: &App, shop: &Shop<'_>, ask: &Ask, _: UnixMs) -> Result<Request, ApiError> {
        let (call, params) = match ask {
            Ask::Order { order_id } | Ask::AfterSale { order_id: Some(order_id), .. } => {
                (order::DETAIL, json!({ "order_id": order_id }))
            }
            Ask::AfterSale { order_id: None, .. } => {
                return Err(ApiError::unsupported("ask for a case without its order"));
            }
            Ask::ChangedOrders(window) => (order::LIST, changed(window, "all")),
            // Those that are in dispute now; a case that ended shows in its order's change.
            Ask::ChangedAfterSales(window) => (order::LIST, changed(window, "refunding")),
            Ask::Agree { after_sale_id, seen, .. } => {
                nothing_comes_back(seen)?;
                (order::DECIDE, json!({ "refund_no": after_sale_id, "is_accept": "1" }))
            }
            // The goods are back: accepting is what pays.
            Ask::ConfirmReceipt { after_sale_id, .. } => {
                (order::DECIDE, json!({ "refund_no": after_sale_id, "is_accept": "1" }))
            }
            // The reason has no place in the call.
            Ask::Refuse { after_sale_id, .. } => {
                (order::DECIDE, json!({ "refund_no": after_sale_id, "is_accept": "0" }))
            }
            Ask::SetStock { shelf, quantity } => stock(shelf, *quantity),
            other => return Err(ApiError::unsupported(other.operation())),
        };
        Ok(api::request(call, &params, shop.token()))
    }

    fn check(&self, ask: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        let asks = matches!(
            ask,
            Ask::Order { .. } | Ask::AfterSale { .. } | Ask::ChangedOrders(_) | Ask::ChangedAfterSales(_)
        );
        api::response(asks, body)
    }

    /// The app's own token, for the shop that owns the app. (Apps that serve other shops have theirs from a consent page.)
    fn token_request(&self, app: &App, _: &Shop<'_>, _: UnixMs) -> Option<Request> {
        Some(api::token_request(app))
    }

    fn token(&self, body: &[u8], _: UnixMs) -> Result<Token, ApiError> {
        api::token(body)
    }
}

fn changed(window: &Window, order_type: &str) -> Value {
    json!({
        "order_type": order_type,
        "update_start": gmt8_text(window.since),
        "update_end": gmt8_text(window.until),
        "page_num": window.page_number(1),
        "page_size": order::PAGE_SIZE,
    })
}

/// Accepting a case pays at once, and of shipped goods the platform does not tell whether they come back.
fn nothing_comes_back(seen: &Seen) -> Result<(), ApiError> {
    match seen.kind()? {
        RefundKind::Unshipped | RefundKind::RefundOnly => Ok(()),
        RefundKind::Return | RefundKind::Exchange | RefundKind::Other => Err(ApiError::Permanent(Refusal::ours(
            "accepting would pay for goods that may be still with the buyer: decide in the platform's console",
        ))),
    }
}

/// A SKU's stock, or that of a product without variants.
fn stock(shelf: &Shelf, quantity: i64) -> (api::Call, Value) {
    let (item, stock) = (&shelf.product_id, quantity.to_string());
    match &shelf.sku_id {
        Some(sku_id) => {
            (("vdian.item.sku.update", "1.0"), json!({ "itemid": item, "skus": [{ "id": sku_id, "stock": stock }] }))
        }
        None => (("vdian.item.update", "1.0"), json!({ "itemid": item, "stock": stock })),
    }
}
