//! Youzan (有赞): pushes, and the API behind `open.youzanyun.com`.
//!
//! The API wants nothing but the shop's token: a call is JSON by POST, with the token in the query. Money is yuan as text (but
//! for cards and cash back, which are fen and not read here), times are text in GMT+8, ids exceed 2^53. Buyers are known by
//! `yz_open_id` only: names, phones and addresses are dropped here. The platform's records lag behind its pushes by up to half
//! a minute, so what a push signed as a whole says counts by itself.

pub mod aftersale;
pub mod api;
pub mod order;
mod push;
mod sign;
mod status;

use domain::{OrderKey, Platform, RefundKind, RefundStatus, UnixMs};
use serde_json::{Map, Value, json};

pub use push::Push;
pub use sign::{Proof, sign, verify};

use crate::gmt8_text;
use crate::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, KEY, Limit, MapError, Need, Received, Refusal, Request, SECRET, Seen,
    Setting, Shelf, Shop, Source, Token, VerifyError, Window,
};

/// Who takes goods back: the platform shows it to the buyer when a return is agreed to.
const RETURN_NAME: Setting = Setting { name: "return_name", need: Need::Optional };
/// Their mobile number.
const RETURN_PHONE: Setting = Setting { name: "return_phone", need: Need::Optional };
/// Their address.
const RETURN_ADDRESS: Setting = Setting { name: "return_address", need: Need::Optional };

/// How an app of the platform is configured: `app_key` is its `client_id`, `app_secret` its `client_secret`.
pub const SETTINGS: &[Setting] = &[KEY, SECRET, RETURN_NAME, RETURN_PHONE, RETURN_ADDRESS];

/// The platform.
pub struct Youzan;

impl Source for Youzan {
    fn receive(&self, app: &App, delivery: &Delivery<'_>) -> Result<Received, VerifyError> {
        let proof = verify(app, delivery)?;
        Ok(match push::decode(delivery.body) {
            Ok(push) => Received::Messages(vec![push.message(proof)]),
            Err(_) => Received::Unreadable,
        })
    }

    /// The platform looks for `success` in the body, and repeats within hours what was not taken.
    fn acknowledgement(&self) -> &'static str {
        r#"{"code":0,"msg":"success"}"#
    }

    fn read(&self, _: &App, shop_id: &str, ask: &Ask, answer: &Value) -> Result<Answer, MapError> {
        match ask {
            Ask::Order { .. } => Ok(Answer::Facts(vec![order::map_record(shop_id, answer)?])),
            Ask::AfterSale { .. } => Ok(Answer::Facts(vec![aftersale::map_record(shop_id, answer)?])),
            Ask::ChangedOrders(window) => order::page(window, answer),
            Ask::ChangedAfterSales(window) => aftersale::page(window, answer),
            _ => Ok(Answer::Done),
        }
    }
}

impl Api for Youzan {
    fn base(&self) -> &'static str {
        api::BASE
    }

    /// The guide's table of limits names no order interface; this is below the lowest of the others.
    fn limit(&self) -> Limit {
        Limit { per_second: 5, burst: 10 }
    }

    fn request(&self, app: &App, shop: &Shop<'_>, ask: &Ask, _: UnixMs) -> Result<Request, ApiError> {
        let (call, params) = match ask {
            Ask::Order { order_id } => (order::DETAIL, json!({ "tid": order_id })),
            Ask::AfterSale { after_sale_id, .. } => (aftersale::DETAIL, json!({ "refund_id": after_sale_id })),
            Ask::ChangedOrders(window) => (order::LIST, changed_orders(window)?),
            Ask::ChangedAfterSales(window) => (aftersale::LIST, changed_cases(window)?),
            Ask::Agree { after_sale_id, seen, .. } => agree(app, after_sale_id, seen)?,
            // The goods are back: agreeing to the money is what confirms it.
            Ask::ConfirmReceipt { after_sale_id, seen, .. } => (aftersale::AGREE, decision(after_sale_id, seen)?),
            Ask::Refuse { after_sale_id, reason, seen, .. } => refuse(after_sale_id, reason, seen)?,
            Ask::SetStock { shelf, quantity } => (STOCK, stock(shelf, *quantity)),
            other => return Err(ApiError::unsupported(other.operation())),
        };
        Ok(api::request(call, &params, shop.token()))
    }

    fn check(&self, ask: &Ask, body: &[u8]) -> Result<Value, ApiError> {
        api::response(matches!(ask, Ask::Order { .. } | Ask::AfterSale { .. }), body)
    }

    fn token_request(&self, app: &App, shop: &Shop<'_>, _: UnixMs) -> Option<Request> {
        Some(api::token_request(app, shop))
    }

    fn token(&self, body: &[u8], now: UnixMs) -> Result<Token, ApiError> {
        api::token(body, now)
    }
}

/// Sets a SKU's stock. Version 4.0.0 of it serves chains and has other parameters, which are not public.
const STOCK: api::Call = ("youzan.item.quantity.update", "3.0.0");

pub(super) fn key(shop_id: &str, platform_order_id: String) -> OrderKey {
    OrderKey { platform: Platform::Youzan, shop_id: shop_id.to_owned(), platform_order_id }
}

/// By time of update, at most three months and 100 pages of 100.
fn changed_orders(window: &Window) -> Result<Value, ApiError> {
    Ok(json!({
        "start_update": gmt8_text(window.since),
        "end_update": gmt8_text(window.until),
        "page_no": page_number(window, order::PAGES)?,
        "page_size": order::PAGE_SIZE,
    }))
}

/// By time of update in Unix seconds. Page times size may not exceed 3000.
fn changed_cases(window: &Window) -> Result<Value, ApiError> {
    Ok(json!({
        "update_time_start": window.since.seconds(),
        "update_time_end": window.until.seconds(),
        "page_no": page_number(window, aftersale::PAGES)?,
        "page_size": aftersale::PAGE_SIZE,
    }))
}

/// A page beyond the last that the platform gives out is refused here rather than taken for the end.
fn page_number(window: &Window, last: i64) -> Result<i64, ApiError> {
    let page = window.page_number(1);
    if page > last {
        return Err(ApiError::Permanent(Refusal::ours(
            "more changes than the platform lists at once: ask in shorter windows",
        )));
    }
    Ok(page)
}

/// What every decision on a case carries. The platform refuses a version that is not the newest.
fn decision(after_sale_id: &str, seen: &Seen) -> Result<Value, ApiError> {
    let version = seen.version.as_deref().ok_or_else(|| {
        ApiError::Permanent(Refusal::ours("the case's version is not known: fetch its record before deciding on it"))
    })?;
    Ok(json!({ "refund_id": after_sale_id, "version": number(version) }))
}

/// Agreeing to money and agreeing to a return are two calls: the first would refund goods that are still with the buyer.
fn agree(app: &App, after_sale_id: &str, seen: &Seen) -> Result<(api::Call, Value), ApiError> {
    let params = decision(after_sale_id, seen)?;
    match seen.kind()? {
        RefundKind::RefundOnly | RefundKind::Unshipped => Ok((aftersale::AGREE, params)),
        RefundKind::Return if seen.status == Some(RefundStatus::Returning) => Ok((aftersale::AGREE, params)),
        RefundKind::Return => {
            let address = [("name", RETURN_NAME), ("mobile", RETURN_PHONE), ("address", RETURN_ADDRESS)]
                .map(|(name, setting)| (name, app.text(setting.name)));
            if address.iter().any(|(_, text)| text.is_empty()) {
                return Err(ApiError::Permanent(Refusal::ours(
                    "where to return goods is not configured: set youzan_return_name, _phone and _address",
                )));
            }
            Ok((aftersale::AGREE_RETURN, with(params, &address)))
        }
        RefundKind::Exchange | RefundKind::Other => Err(ApiError::unsupported("agree to a case of this kind")),
    }
}

/// Refusing what was asked for, or, once goods are on their way back, refusing that they have come.
fn refuse(after_sale_id: &str, reason: &str, seen: &Seen) -> Result<(api::Call, Value), ApiError> {
    let params = with(decision(after_sale_id, seen)?, &[("remark", reason)]);
    let call = if seen.status == Some(RefundStatus::Returning) { aftersale::REFUSE_RETURN } else { aftersale::REFUSE };
    Ok((call, params))
}

/// `type` 0 sets the number, 1 would add to it.
fn stock(shelf: &Shelf, quantity: i64) -> Value {
    let mut params = Map::new();
    params.insert("item_id".to_owned(), number(&shelf.product_id));
    if let Some(sku_id) = &shelf.sku_id {
        params.insert("sku_id".to_owned(), number(sku_id));
    }
    params.insert("quantity".to_owned(), json!(quantity));
    params.insert("type".to_owned(), json!(0));
    Value::Object(params)
}

fn with(mut params: Value, texts: &[(&str, &str)]) -> Value {
    if let Some(fields) = params.as_object_mut() {
        fields.extend(texts.iter().map(|&(name, text)| (name.to_owned(), json!(text))));
    }
    params
}

/// An id as the number that the platform wants; as text where it is none.
fn number(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| json!(id), |number| json!(number))
}
