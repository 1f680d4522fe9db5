//! Requests to the open API, and its answers. Pure: who sends them (the courier) brings token, time and transport.

use domain::{RefundKind, RefundStatus, Secret, UnixMs};
use http::Method;
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{RECEIPT_REFUSAL, REFUSAL, RETURN_ADDRESS};
use crate::lenient;
use crate::marketplace::{Answer, ApiError, App, Ask, JSON, MapError, Refusal, Request, Setting, Token, Window};

/// The API's address.
pub const BASE: &str = "https://ark.xiaohongshu.com";

/// The API method that renews an access token. While it is good for half an hour more, the same one comes back.
pub const REFRESH_TOKEN: &str = "oauth.refreshToken";

/// Every method has the same path.
const PATH: &str = "/ark/open_api/v3/common_controller";
const VERSION: &str = "2.0";

/// Signs a call of `method`. System parameters and `params` stand side by side in the body.
pub fn request(app: &App, method: &str, params: &Value, access_token: &str, now: UnixMs) -> Request {
    let timestamp = now.seconds().to_string();
    let system = [
        ("appId", app.key()),
        ("method", method),
        ("version", VERSION),
        ("timestamp", &timestamp),
        ("sign", &sign(app, method, &timestamp)),
        ("accessToken", access_token),
    ];
    let mut fields = params.as_object().cloned().unwrap_or_default();
    for (name, value) in system {
        if !value.is_empty() {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    let body = Value::Object(fields).to_string();
    Request { method: Method::POST, path_and_query: PATH.to_owned(), content_type: JSON, body }
}

/// The `sign` of a call: lower-case hex of MD5 over the method, three system parameters and the secret (developer document 39).
/// Neither the other parameters nor the access token are signed.
pub fn sign(app: &App, method: &str, timestamp: &str) -> String {
    let signed = format!("{method}?appId={}&timestamp={timestamp}&version={VERSION}{}", app.key(), app.secret());
    hex::encode(Md5::digest(signed))
}

/// Lists by time of change reach over half an hour. Of orders, 100 pages of 100 can be read: a shorter window leaves room.
pub const LONGEST_WINDOW_MS: i64 = 900_000;
const PAGE_SIZE: i64 = 100;
/// `pageNo` of order.getOrderList.
const LAST_ORDER_PAGE: i64 = 100;
/// afterSale.listAfterSaleInfos: `pageNo × pageSize` is 50 000 at most.
const LAST_AFTER_SALE_PAGE: i64 = 500;
/// `timeType`: by time of change (1 is by time of creation).
const BY_CHANGE: i64 = 2;

/// Method and parameters of a question or command.
///
/// # Errors
/// [`ApiError::Permanent`] for what cannot be asked, or lacks a setting.
pub(super) fn call(app: &App, ask: &Ask) -> Result<(&'static str, Value), ApiError> {
    Ok(match ask {
        Ask::Order { order_id } => ("order.getOrderDetail", json!({ "orderId": order_id })),
        Ask::AfterSale { after_sale_id, .. } => ("afterSale.getAfterSaleInfo", json!({ "returnsId": after_sale_id })),
        Ask::ChangedOrders(window) => {
            // Seconds by the documents' example, which does not name the unit.
            let (since, until) = (window.since.seconds(), window.until.seconds().saturating_add(1));
            ("order.getOrderList", page_params(window, since, until))
        }
        Ask::ChangedAfterSales(window) => {
            let (since, until) = (window.since.millis(), window.until.millis());
            ("afterSale.listAfterSaleInfos", page_params(window, since, until))
        }
        // 1 pay back at once (not for returns and exchanges), 2 let it come back (for these only), 3 refuse.
        Ask::Agree { after_sale_id, seen, .. } => match seen.kind()? {
            RefundKind::Return | RefundKind::Exchange => {
                let receiver = json!({ "sellerAddressRecordId": number(app, &RETURN_ADDRESS)? });
                (AUDIT, json!({ "returnsId": after_sale_id, "action": 2, "receiverInfo": receiver }))
            }
            RefundKind::RefundOnly | RefundKind::Unshipped => {
                (AUDIT, json!({ "returnsId": after_sale_id, "action": 1 }))
            }
            RefundKind::Other => return Err(ApiError::unsupported(ask.operation())),
        },
        Ask::Refuse { after_sale_id, reason, seen, .. } if seen.status == Some(RefundStatus::Returning) => {
            let kind = number(app, &RECEIPT_REFUSAL)?;
            (RECEIVE, json!({ "returnsId": after_sale_id, "action": 2, "reason": kind, "description": reason }))
        }
        Ask::Refuse { after_sale_id, reason, .. } => {
            let kind = number(app, &REFUSAL)?;
            (AUDIT, json!({ "returnsId": after_sale_id, "action": 3, "reason": kind, "description": reason }))
        }
        // An exchange is received together with the replacement's parcel, by another method.
        Ask::ConfirmReceipt { after_sale_id, seen, .. } if seen.kind()? == RefundKind::Return => {
            (RECEIVE, json!({ "returnsId": after_sale_id, "action": 1 }))
        }
        // `qty` counts what unpaid orders and campaigns hold as well: what can be bought is less by these. No method sets it alone.
        Ask::SetStock { shelf, quantity } => {
            let sku_id = shelf.sku_id.as_ref().ok_or_else(|| ApiError::unsupported("set stock without a SKU"))?;
            ("inventory.syncSkuStock", json!({ "skuId": sku_id, "qty": (*quantity).max(0) }))
        }
        other => return Err(ApiError::unsupported(other.operation())),
    })
}

const AUDIT: &str = "afterSale.auditReturns";
/// `action`: 1 received, 2 refuse what came, 3 more time.
const RECEIVE: &str = "afterSale.confirmReceive";

fn page_params(window: &Window, since: i64, until: i64) -> Value {
    let page = window.page_number(1);
    json!({ "timeType": BY_CHANGE, "startTime": since, "endTime": until, "pageNo": page, "pageSize": PAGE_SIZE })
}

/// A setting that is one of the platform's ids.
fn number(app: &App, setting: &Setting) -> Result<i64, ApiError> {
    let variable = setting.variable("xiaohongshu");
    let unset = || ApiError::Permanent(Refusal::ours(&format!("the platform wants an id of its list: set {variable}")));
    app.text(setting.name).parse().map_err(|_| unset())
}

/// A page of order.getOrderList.
pub(super) fn changed_orders(window: &Window, data: &Value) -> Result<Answer, MapError> {
    let page = OrderPage::deserialize(data)?;
    let next = earlier_page(window, page.max_page_no.unwrap_or(0), LAST_ORDER_PAGE)?;
    let asks = page.order_list.into_iter().map(|row| Ask::Order { order_id: row.order_id }).collect();
    Ok(Answer::Changed { asks, next })
}

/// A page of afterSale.listAfterSaleInfos.
pub(super) fn changed_after_sales(window: &Window, data: &Value) -> Result<Answer, MapError> {
    let page = AfterSalePage::deserialize(data)?;
    let pages = page.total_count.unwrap_or(0).saturating_add(PAGE_SIZE - 1).div_euclid(PAGE_SIZE);
    let next = earlier_page(window, pages, LAST_AFTER_SALE_PAGE)?;
    let ask = |row: AfterSaleRow| Ask::AfterSale { order_id: row.order_id, after_sale_id: row.returns_id };
    Ok(Answer::Changed { asks: page.rows.into_iter().map(ask).collect(), next })
}

/// Pages are read from the last to the first, as the platform advises: what changes meanwhile leaves the window, and what came
/// after it moves forward, past a reader who goes forward too. The first request only learns how many pages there are.
fn earlier_page(window: &Window, pages: i64, last: i64) -> Result<Option<String>, MapError> {
    if pages > last {
        return Err(MapError::Malformed(format!("{pages} pages changed at once, {last} can be read")));
    }
    let next = match window.page {
        None => Some(pages).filter(|&pages| pages > 1),
        Some(_) => Some(window.page_number(1).saturating_sub(1)).filter(|&page| page >= 1),
    };
    Ok(next.map(|page| page.to_string()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderPage {
    #[serde(default, deserialize_with = "lenient::list")]
    order_list: Vec<OrderRow>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    max_page_no: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderRow {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AfterSalePage {
    #[serde(rename = "afterSaleBasicInfos", default, deserialize_with = "lenient::list")]
    rows: Vec<AfterSaleRow>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    total_count: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AfterSaleRow {
    #[serde(deserialize_with = "lenient::id")]
    returns_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    order_id: Option<String>,
}

/// Reads the answer to [`REFRESH_TOKEN`]. The refresh token changes with it.
pub(super) fn token(body: &[u8], now: UnixMs) -> Result<Token, ApiError> {
    let data = response(body)?;
    let token = TokenAnswer::deserialize(&data).map_err(|_| ApiError::Permanent(Refusal::ours("data is no token")))?;
    let expires_in = token.access_token_expires_at.saturating_sub(now.millis()).div_euclid(1000).max(0);
    Ok(Token { access_token: token.access_token, refresh_token: token.refresh_token, expires_in })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenAnswer {
    access_token: Secret<String>,
    #[serde(default)]
    refresh_token: Option<Secret<String>>,
    /// Unix milliseconds.
    #[serde(deserialize_with = "lenient::integer")]
    access_token_expires_at: i64,
}

/// The `data` of an answer. Newer methods put a second envelope into it, of the same form, those of stock one beside what they tell:
/// all must be of success.
///
/// # Errors
/// [`ApiError`] says whether to try again, to fetch a new token first, or to give up.
pub(super) fn response(body: &[u8]) -> Result<Value, ApiError> {
    let mut value: Value = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    let mut data = unwrapped(&mut value)?.ok_or_else(ApiError::unreadable)?;
    if let Some(inner) = unwrapped(&mut data)? {
        data = inner;
    }
    if let Some(beside) = data.get_mut("response") {
        unwrapped(beside)?;
    }
    Ok(data)
}

/// What is in an envelope; none when it is no envelope.
fn unwrapped(value: &mut Value) -> Result<Option<Value>, ApiError> {
    let Ok(envelope) = Envelope::deserialize(&*value) else { return Ok(None) };
    let (Some(success), Some(code)) = (envelope.success, envelope.error_code.or(envelope.code)) else {
        return Ok(None);
    };
    if success && code == 0 {
        return Ok(Some(value.get_mut("data").map(Value::take).unwrap_or_default()));
    }
    let message = envelope.error_msg.or(envelope.msg).unwrap_or_default();
    Err(refused(code, Refusal { code: code.to_string(), sub_code: None, message, ours: String::new() }))
}

/// The platform publishes no table of codes: seen in public are only −9013 (too many calls of a method) and 401. So its words count
/// too; what is neither is taken as final.
fn refused(code: i64, refusal: Refusal) -> ApiError {
    let words = refusal.message.to_lowercase();
    let any = |words_of: &[&str]| words_of.iter().any(|word| words.contains(word));
    let of_token = any(&["accesstoken", "access_token", "access token"]);
    match code {
        -9013 | 429 | 500 | 502 | 503 | 504 => ApiError::Retryable(refusal),
        401 => ApiError::TokenExpired(refusal),
        _ if any(&["限流", "系统繁忙", "稍后"]) => ApiError::Retryable(refusal),
        _ if of_token && any(&["过期", "失效", "无效", "不存在", "expired", "invalid"]) => {
            ApiError::TokenExpired(refusal)
        }
        _ => ApiError::Permanent(refusal),
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    success: Option<bool>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    error_code: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    code: Option<i64>,
    #[serde(default)]
    error_msg: Option<String>,
    #[serde(default)]
    msg: Option<String>,
}
