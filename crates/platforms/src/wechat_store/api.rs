//! Requests to the store's API, and its answers. Pure: who sends them (the courier) brings token and transport. Requests are not
//! signed: the access token in the query is all.

use domain::{RefundKind, Secret, UnixMs};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::lenient;
use crate::marketplace::{Answer, ApiError, App, Ask, JSON, MapError, Refusal, Request, Token};

/// The API's address.
pub const BASE: &str = "https://api.weixin.qq.com";

/// Gives the app's access token. Asking again does not end the one that others hold, as `cgi-bin/token` does.
pub const STABLE_TOKEN: &str = "/cgi-bin/stable_token";

/// `begin_update_time` to `end_update_time` of getaftersalelist are at most 24 hours (`update_time_range` of order/list/get: seven
/// days), of which rounding to whole seconds takes up to two.
pub const LONGEST_WINDOW_MS: i64 = 86_398_000;
/// Documents say 50 or 100 at most, by their age.
const PAGE_SIZE: i64 = 50;

/// A request with its access token.
pub fn request(path: &str, body: &Value, access_token: &str) -> Request {
    let path_and_query = if access_token.is_empty() {
        path.to_owned()
    } else {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("access_token", access_token).finish();
        format!("{path}?{query}")
    };
    Request { method: Method::POST, path_and_query, content_type: JSON, body: body.to_string() }
}

/// Path and body of a question or command.
///
/// # Errors
/// [`ApiError::Permanent`] for what cannot be asked, or lacks a setting.
pub(super) fn call(return_address: &str, refusal_reason: &str, ask: &Ask) -> Result<(&'static str, Value), ApiError> {
    Ok(match ask {
        Ask::Order { order_id } => ("/channels/ec/order/get", json!({ "order_id": order_id })),
        Ask::AfterSale { after_sale_id, .. } => {
            ("/channels/ec/aftersale/getaftersaleorder", json!({ "after_sale_order_id": after_sale_id }))
        }
        Ask::ChangedOrders(window) => {
            let range = json!({ "start_time": window.since.seconds(), "end_time": ceiling(window.until) });
            let body = json!({ "update_time_range": range, "page_size": PAGE_SIZE });
            ("/channels/ec/order/list/get", with(body, "next_key", window.page.as_deref()))
        }
        Ask::ChangedAfterSales(window) => {
            let (since, until) = (window.since.seconds(), ceiling(window.until));
            let body = json!({ "begin_update_time": since, "end_update_time": until });
            ("/channels/ec/aftersale/getaftersalelist", with(body, "next_key", window.page.as_deref()))
        }
        Ask::Agree { after_sale_id, seen, .. } => match seen.kind()? {
            RefundKind::Return | RefundKind::Exchange if return_address.is_empty() => {
                return Err(unset("wechat_store_return_address_id"));
            }
            RefundKind::Return | RefundKind::Exchange => {
                (ACCEPT, with(accept(after_sale_id, LET_COME_BACK), "address_id", Some(return_address)))
            }
            RefundKind::RefundOnly | RefundKind::Unshipped => (ACCEPT, accept(after_sale_id, PAY_BACK)),
            RefundKind::Other => return Err(ApiError::unsupported(ask.operation())),
        },
        // What came back for an exchange moves no money: the replacement's parcel is what the platform waits for.
        Ask::ConfirmReceipt { after_sale_id, seen, .. } if seen.kind()? == RefundKind::Return => {
            (ACCEPT, accept(after_sale_id, PAY_BACK))
        }
        Ask::Refuse { after_sale_id, reason, .. } => {
            let kind: i64 = refusal_reason.parse().map_err(|_| unset("wechat_store_refusal_reason"))?;
            let body =
                json!({ "after_sale_order_id": after_sale_id, "reject_reason": reason, "reject_reason_type": kind });
            ("/channels/ec/aftersale/rejectapply", body)
        }
        Ask::SetStock { shelf, quantity } => {
            // Every product of the store has a SKU, also one without variants.
            let sku_id = shelf.sku_id.as_ref().ok_or_else(|| ApiError::unsupported("set stock without a SKU"))?;
            let body = json!({ "product_id": shelf.product_id, "sku_id": sku_id, "diff_type": SET, "num": (*quantity).max(0) });
            ("/channels/ec/product/stock/update", body)
        }
        other => return Err(ApiError::unsupported(other.operation())),
    })
}

const ACCEPT: &str = "/channels/ec/aftersale/acceptapply";
/// `accept_type` for goods that are to come back first. Wrong where none do, and where they have come.
const LET_COME_BACK: i64 = 1;
/// `accept_type` for goods that stay with the buyer or have come back. Without any, the platform takes the next step by itself: a
/// second "agree" would pay back before the goods came.
const PAY_BACK: i64 = 2;
/// `diff_type`: 1 more, 2 fewer, 3 set.
const SET: i64 = 3;

/// The body with one more field, if there is something to put into it.
fn with(mut body: Value, name: &str, text: Option<&str>) -> Value {
    if let (Value::Object(fields), Some(text)) = (&mut body, text) {
        fields.insert(name.to_owned(), json!(text));
    }
    body
}

fn accept(after_sale_id: &str, accept_type: i64) -> Value {
    json!({ "after_sale_order_id": after_sale_id, "accept_type": accept_type })
}

/// An instant in whole seconds, rounded up.
fn ceiling(instant: UnixMs) -> i64 {
    let seconds = instant.seconds();
    if instant.millis() > seconds.saturating_mul(1000) { seconds.saturating_add(1) } else { seconds }
}

fn unset(variable: &str) -> ApiError {
    ApiError::Permanent(Refusal::ours(&format!("the platform wants an id of its list: set {variable}")))
}

/// A page of order/list/get.
pub(super) fn changed_orders(answer: &Value) -> Result<Answer, MapError> {
    let page = Page::deserialize(answer)?;
    let next = page.next()?;
    Ok(Answer::Changed { asks: page.orders.into_iter().map(|order_id| Ask::Order { order_id }).collect(), next })
}

/// A page of getaftersalelist.
pub(super) fn changed_after_sales(answer: &Value) -> Result<Answer, MapError> {
    let page = Page::deserialize(answer)?;
    let next = page.next()?;
    let ask = |after_sale_id| Ask::AfterSale { order_id: None, after_sale_id };
    Ok(Answer::Changed { asks: page.after_sales.into_iter().map(ask).collect(), next })
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "order_id_list", default, deserialize_with = "lenient::ids")]
    orders: Vec<String>,
    #[serde(rename = "after_sale_order_id_list", default, deserialize_with = "lenient::ids")]
    after_sales: Vec<String>,
    #[serde(default)]
    next_key: Option<String>,
    #[serde(default)]
    has_more: bool,
}

impl Page {
    fn next(&self) -> Result<Option<String>, MapError> {
        match self.next_key.as_ref().filter(|key| !key.is_empty()) {
            _ if !self.has_more => Ok(None),
            Some(key) => Ok(Some(key.clone())),
            None => Err(MapError::missing("next_key")),
        }
    }
}

pub(super) fn token_body(app: &App) -> Value {
    json!({ "grant_type": "client_credential", "appid": app.key(), "secret": app.secret(), "force_refresh": false })
}

/// Reads the answer to [`STABLE_TOKEN`]; without a token it is an error like any other.
pub(super) fn token(body: &[u8]) -> Result<Token, ApiError> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    if answer.get("access_token").is_none() {
        return response(body).and(Err(ApiError::unreadable()));
    }
    let token = TokenAnswer::deserialize(&answer).map_err(|_| ApiError::unreadable())?;
    Ok(Token { access_token: token.access_token, refresh_token: None, expires_in: token.expires_in })
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    #[serde(deserialize_with = "lenient::integer")]
    expires_in: i64,
}

/// The body of an answer whose `errcode` is 0.
pub(super) fn response(body: &[u8]) -> Result<Value, ApiError> {
    let body: Value = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    let status = Status::deserialize(&body).map_err(|_| ApiError::unreadable())?;
    if status.errcode == 0 {
        return Ok(body);
    }
    let refusal =
        Refusal { code: status.errcode.to_string(), sub_code: None, message: status.errmsg, ours: String::new() };
    Err(match status.errcode {
        // Token wrong, over, or not there.
        40001 | 40014 | 41001 | 42001 => ApiError::TokenExpired(refusal),
        // Busy; the day's or the minute's quota; the store's own failure, too many at once, once a minute at most.
        -1 | 45009 | 45011 | 9_700_223 | 10_021_044 | 10_021_059 => ApiError::Retryable(refusal),
        _ => ApiError::Permanent(refusal),
    })
}

#[derive(Deserialize)]
struct Status {
    #[serde(deserialize_with = "lenient::integer")]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}
