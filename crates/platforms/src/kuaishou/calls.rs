//! What each ask is on the platform, and the lists of what changed.

use domain::{Fen, RefundKind};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::stock;
use crate::lenient;
use crate::marketplace::{Answer, ApiError, Ask, MapError, Refusal, Seen, Window};

/// Orders on a page, at most.
const ORDERS: i64 = 50;
/// Cases on a page, at most.
const CASES: i64 = 100;
/// The cursor after the last page.
const NO_MORE: &str = "nomore";
/// "Other reasons" of `open.refund.reject.reason`, as public clients send it; the list itself goes by the case.
const OTHER_REASON: i64 = 100;

const APPROVE: &str = "open.seller.order.refund.approve";
const APPROVE_RETURN: &str = "open.seller.order.refund.returngoods.approve";

/// The call that an ask is, and its parameter. To set stock begins with a look at the product ([`super::stock`]).
///
/// # Errors
/// [`ApiError::Permanent`] for what the platform has no call for, or when an id is no number.
pub fn call(ask: &Ask) -> Result<(Method, &'static str, Value), ApiError> {
    Ok(match ask {
        Ask::Order { order_id } => (Method::GET, "open.order.detail", json!({ "oid": number(order_id)? })),
        Ask::AfterSale { after_sale_id, .. } => {
            (Method::GET, "open.seller.order.refund.detail", json!({ "refundId": number(after_sale_id)? }))
        }
        Ask::ChangedOrders(window) => {
            // All states and kinds; oldest change first.
            let param = json!({
                "orderViewStatus": 1, "cpsType": 0, "queryType": 2, "sort": 2, "pageSize": ORDERS,
                "beginTime": window.since.millis(), "endTime": window.until.millis(), "cursor": cursor(window),
            });
            (Method::GET, "open.order.cursor.list", param)
        }
        Ask::ChangedAfterSales(window) => {
            let param = json!({
                "type": 9, "queryType": 2, "sort": 2, "pageSize": CASES, "currentPage": 1,
                "option": { "needExchange": true },
                "beginTime": window.since.millis(), "endTime": window.until.millis(), "pcursor": cursor(window),
            });
            (Method::GET, "open.seller.order.refund.pcursor.list", param)
        }
        Ask::Agree { after_sale_id, seen, .. } => {
            let (method, amount) = match seen.kind()? {
                RefundKind::RefundOnly | RefundKind::Unshipped => (APPROVE, seen.amount()?),
                // To the shop's default address.
                RefundKind::Return => (APPROVE_RETURN, seen.amount()?),
                RefundKind::Exchange => (APPROVE_RETURN, Fen::ZERO),
                RefundKind::Other => return Err(ApiError::unsupported("agree to such a case")),
            };
            let param = json!({ "refundId": number(after_sale_id)?, "refundAmount": amount.get() });
            (Method::POST, method, if method == APPROVE { with_status(param, seen) } else { param })
        }
        Ask::Refuse { after_sale_id, reason, seen, .. } => {
            let param = json!({
                "refundId": number(after_sale_id)?, "reasonCode": OTHER_REASON, "rejectDesc": reason,
                "refundVersion": seen.as_of()?.millis(),
            });
            (Method::POST, "open.refund.reject", param)
        }
        // Pays the money back at once. Refused by the platform where the buyer also asks for the return's freight.
        Ask::ConfirmReceipt { after_sale_id, seen, .. } => {
            let param = with_status(json!({ "refundId": number(after_sale_id)? }), seen);
            (Method::POST, "open.seller.order.refund.confirm.receipt", param)
        }
        Ask::SetStock { shelf, .. } => {
            (Method::GET, "open.item.get", json!({ "kwaiItemId": number(&shelf.product_id)? }))
        }
        Ask::MoveStock { shelf, by } => {
            let param = json!({
                "kwaiItemId": number(&shelf.product_id)?, "skuId": number(shelf.sku_id.as_deref().unwrap_or_default())?,
                "skuChangeStock": by.unsigned_abs(), "changeType": if *by > 0 { stock::MORE } else { stock::FEWER },
            });
            (Method::POST, "open.item.sku.stock.update", param)
        }
        other => return Err(ApiError::unsupported(other.operation())),
    })
}

/// Ids are numbers in JSON.
fn number(id: &str) -> Result<Value, ApiError> {
    id.parse::<i64>().map(Value::from).map_err(|_| ApiError::Permanent(Refusal::ours("an id is no number")))
}

/// Calls that move money say in which status the case is taken to be: what has moved on since is not paid.
fn with_status(mut param: Value, seen: &Seen) -> Value {
    if let Some(status) = seen.version.as_ref().and_then(|version| version.parse::<i64>().ok()) {
        param["status"] = status.into();
    }
    param
}

/// The first page has an empty one.
fn cursor(window: &Window) -> &str {
    window.page.as_deref().unwrap_or_default()
}

fn next(cursor: Option<String>) -> Option<String> {
    cursor.filter(|cursor| !matches!(cursor.as_str(), "" | NO_MORE))
}

/// Reads a page of changed orders.
///
/// # Errors
/// [`MapError`] when it is not the platform's list.
pub fn changed_orders(answer: &Value) -> Result<Answer, MapError> {
    let list = OrderList::deserialize(answer)?;
    let asks = list.order_list.into_iter().map(|order| Ask::Order { order_id: order.order_base_info.oid });
    Ok(Answer::Changed { asks: asks.collect(), next: next(list.cursor) })
}

/// Reads a page of changed after-sale cases.
///
/// # Errors
/// [`MapError`] when it is not the platform's list.
pub fn changed_aftersales(answer: &Value) -> Result<Answer, MapError> {
    let list = CaseList::deserialize(answer)?;
    let asks = list.refund_order_info_list.into_iter();
    let asks = asks.map(|case| Ask::AfterSale { order_id: Some(case.oid), after_sale_id: case.refund_id });
    Ok(Answer::Changed { asks: asks.collect(), next: next(list.pcursor) })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderList {
    #[serde(default, deserialize_with = "lenient::list")]
    order_list: Vec<OrderRow>,
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderRow {
    order_base_info: OrderId,
}

#[derive(Deserialize)]
struct OrderId {
    #[serde(deserialize_with = "lenient::id")]
    oid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CaseList {
    #[serde(default, deserialize_with = "lenient::list")]
    refund_order_info_list: Vec<CaseRow>,
    #[serde(default)]
    pcursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CaseRow {
    #[serde(deserialize_with = "lenient::id")]
    oid: String,
    #[serde(deserialize_with = "lenient::id")]
    refund_id: String,
}
