//! What each ask is on the platform, and the lists of what changed.
//!
//! The platform's calls name the case and nothing else: neither its sum nor its version. So a decision takes two steps. The
//! record is read first, and what has changed since it was decided on is not agreed to.

use domain::RefundKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Params;
use super::{RETURN_ADDRESS, aftersale};
use crate::lenient;
use crate::marketplace::{Answer, ApiError, App, Ask, MapError, Refusal, Seen, Window};

/// Rows of a page, at most.
const ROWS: i64 = 100;

/// The call that an ask is, and its parameters.
///
/// # Errors
/// [`ApiError::Permanent`] for what the platform has no call for, or when a parameter is missing.
pub fn call(app: &App, ask: &Ask) -> Result<(&'static str, Params), ApiError> {
    Ok(match ask {
        Ask::Order { order_id } => ("pdd.order.information.get", vec![("order_sn", order_id.clone())]),
        Ask::AfterSale { order_id, after_sale_id } => {
            record(order_id.as_ref().ok_or_else(|| missing("the case's order"))?, after_sale_id)
        }
        Ask::Agree { order_id, after_sale_id, seen } => {
            agreement(app, order_id, after_sale_id, seen)?;
            record(order_id, after_sale_id)
        }
        Ask::ConfirmReceipt { order_id, after_sale_id, .. } => record(order_id, after_sale_id),
        Ask::Further { first, .. } => match &**first {
            Ask::Agree { order_id, after_sale_id, seen } => agreement(app, order_id, after_sale_id, seen)?,
            // The goods of a return have come back: what is left to do is to agree to the money.
            Ask::ConfirmReceipt { order_id, after_sale_id, .. } => payment(order_id, after_sale_id),
            other => return Err(ApiError::unsupported(other.operation())),
        },
        Ask::ChangedOrders(window) => {
            let mut params = page(window);
            // All, whatever their state and kind.
            params.extend(
                [("order_status", "5"), ("refund_status", "5"), ("is_lucky_flag", "0")]
                    .map(|(name, value)| (name, value.to_owned())),
            );
            ("pdd.order.number.list.increment.get", params)
        }
        Ask::ChangedAfterSales(window) => {
            let mut params = page(window);
            // All; that 1 means all states too stands in the older documents only.
            params.extend(
                [("after_sales_status", "1"), ("after_sales_type", "1")].map(|(name, value)| (name, value.to_owned())),
            );
            ("pdd.refund.list.increment.get", params)
        }
        Ask::SetStock { shelf, quantity } => {
            let sku_id = shelf.sku_id.clone().ok_or_else(|| missing("the SKU"))?;
            let params = vec![
                ("goods_id", shelf.product_id.clone()),
                ("sku_id", sku_id),
                ("quantity", quantity.to_string()),
                // The stock itself, not a difference.
                ("update_type", "1".to_owned()),
            ];
            ("pdd.goods.quantity.update", params)
        }
        other => return Err(ApiError::unsupported(other.operation())),
    })
}

fn record(order_id: &str, after_sale_id: &str) -> (&'static str, Params) {
    let params = vec![("order_sn", order_id.to_owned()), ("after_sales_id", after_sale_id.to_owned())];
    ("pdd.refund.information.get", params)
}

fn agreement(app: &App, order_id: &str, after_sale_id: &str, seen: &Seen) -> Result<(&'static str, Params), ApiError> {
    match seen.kind()? {
        RefundKind::Return => {
            let address = Some(app.text(RETURN_ADDRESS.name)).filter(|address| !address.is_empty());
            let address = address.ok_or_else(|| missing("pinduoduo_return_address"))?;
            let request = json!({
                "after_sales_id": number(after_sale_id),
                "order_sn": order_id,
                "return_address_id": address,
                "operate_desc": "",
            });
            Ok(("pdd.refund.returngoods.agree", vec![("request", request.to_string())]))
        }
        RefundKind::RefundOnly | RefundKind::Unshipped => Ok(payment(order_id, after_sale_id)),
        RefundKind::Exchange | RefundKind::Other => Err(ApiError::unsupported("agree to such a case")),
    }
}

fn payment(order_id: &str, after_sale_id: &str) -> (&'static str, Params) {
    let request = json!({ "after_sales_id": number(after_sale_id), "order_sn": order_id });
    ("pdd.refund.agree", vec![("request", request.to_string())])
}

/// That the case to be decided on is still what was decided on.
///
/// # Errors
/// [`ApiError::Permanent`] when it is not, or when nobody has looked at it.
pub fn unchanged(seen: &Seen, record: &Value) -> Result<(), ApiError> {
    let as_of = seen.as_of()?;
    if aftersale::as_of(record).map_err(|_| ApiError::unreadable())? == as_of {
        return Ok(());
    }
    Err(ApiError::Permanent(Refusal::ours("the case has changed since: look at it, then decide again")))
}

fn missing(what: &str) -> ApiError {
    ApiError::Permanent(Refusal::ours(&format!("{what} is missing")))
}

/// An id as the number that the platform wants in JSON; what is none is left to the platform to refuse.
fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| Value::from(id), Value::from)
}

fn page(window: &Window) -> Params {
    vec![
        ("start_updated_at", window.since.seconds().to_string()),
        ("end_updated_at", window.until.seconds().to_string()),
        ("page", window.page_number(1).to_string()),
        ("page_size", ROWS.to_string()),
    ]
}

/// Pages are read from the last to the first, as the platform asks for: a row that changes meanwhile leaves the window, and
/// those behind it move to the page before. The first page is read once more in front, because it tells how many there are.
fn next(window: &Window, total: i64) -> Option<String> {
    let (next, first_again) = match window.page {
        None => (total.saturating_add(ROWS - 1) / ROWS, 2),
        Some(_) => (window.page_number(1).saturating_sub(1), 1),
    };
    (next >= first_again).then(|| next.to_string())
}

/// Reads a page of changed orders.
///
/// # Errors
/// [`MapError`] when it is not the platform's list.
pub fn changed_orders(window: &Window, answer: &Value) -> Result<Answer, MapError> {
    let list = OrderList::deserialize(answer)?;
    let asks = list.order_sn_list.unwrap_or_default().into_iter().map(|row| Ask::Order { order_id: row.order_sn });
    Ok(Answer::Changed { asks: asks.collect(), next: next(window, list.total_count) })
}

/// Reads a page of changed after-sale cases.
///
/// # Errors
/// [`MapError`] when it is not the platform's list.
pub fn changed_aftersales(window: &Window, answer: &Value) -> Result<Answer, MapError> {
    let list = RefundList::deserialize(answer)?;
    let asks = list.refund_list.unwrap_or_default().into_iter();
    let asks = asks.map(|row| Ask::AfterSale { order_id: Some(row.order_sn), after_sale_id: row.id });
    Ok(Answer::Changed { asks: asks.collect(), next: next(window, list.total_count) })
}

#[derive(Deserialize)]
struct OrderList {
    #[serde(deserialize_with = "lenient::integer")]
    total_count: i64,
    #[serde(default)]
    order_sn_list: Option<Vec<OrderRow>>,
}

#[derive(Deserialize)]
struct OrderRow {
    order_sn: String,
}

#[derive(Deserialize)]
struct RefundList {
    #[serde(deserialize_with = "lenient::integer")]
    total_count: i64,
    #[serde(default)]
    refund_list: Option<Vec<RefundRow>>,
}

#[derive(Deserialize)]
struct RefundRow {
    order_sn: String,
    #[serde(deserialize_with = "lenient::id")]
    id: String,
}
