//! The full record of an after-sale case: `afterSale.Detail`.

use domain::{Fen, Latest, RefundClaim, RefundFacts, RefundKind, RefundLine, RefundStatus, UnixMs};
use serde::Deserialize;
use serde_json::{Value, json};

use super::push::key;
use super::status::{aftersale_kind, aftersale_state};
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// The API method that gives a case's full record.
pub const DETAIL: &str = "afterSale.Detail";

/// The parameters of [`DETAIL`].
pub fn detail_params(after_sale_id: &str) -> Value {
    json!({ "after_sale_id": after_sale_id })
}

/// What the answer to [`DETAIL`] tells (its `data`). The record does not name its shop: `shop_id` is the one whose token
/// the request was made with.
///
/// # Errors
/// [`MapError`] when the record lacks what every case has.
pub fn map_detail(shop_id: &str, data: &Value) -> Result<Fact, MapError> {
    let answer = DetailAnswer::deserialize(data)?;
    let case = answer.process_info.after_sale_info;
    let order = answer.order_info;
    let at = case
        .update_time
        .or(case.apply_time)
        .ok_or_else(|| MapError::Malformed("update_time and apply_time are missing".to_owned()))?;

    let mut facts = RefundFacts::default();
    if let Some(applied) = case.apply_time {
        facts.reach(RefundStatus::Applied, applied);
    }
    match aftersale_state(&case.after_sale_status) {
        Some(status) => facts.reach(status, at),
        None => {
            facts.unknown_statuses.insert(case.after_sale_status.clone());
        }
    }
    if case.refund_status == Some(REFUND_SUCCEEDED) {
        facts.reach(RefundStatus::Refunded, case.refund_time.unwrap_or(at));
    }
    let freight = case.refund_post_amount.unwrap_or(0);
    let goods = case.refund_total_amount.checked_sub(freight).filter(|&goods| goods >= 0 && freight >= 0);
    let goods =
        goods.ok_or_else(|| MapError::Malformed("refund_post_amount is no part of refund_total_amount".to_owned()))?;
    facts.claim = Some(Latest::new(
        at,
        RefundClaim {
            kind: case.after_sale_type.map_or(RefundKind::Other, aftersale_kind),
            amount: Fen::new(case.refund_total_amount),
            freight: Fen::new(freight),
            lines: lines(&order, case.after_sale_apply_count, goods),
            reason_code: case.reason_code,
        },
    ));
    facts.version = case.update_time.map(|time| Latest::new(time, time.seconds().to_string()));
    facts.raw_status = Some(Latest::new(at, case.after_sale_status));
    Ok(Fact::Refund { order: key(shop_id.to_owned(), order.shop_order_id), after_sale_id: case.after_sale_id, facts })
}

/// A case on one line carries its whole sum; a case on several does not say how the sum is spread, so it names no lines.
fn lines(order: &OrderInfo, quantity: Option<i64>, goods: i64) -> Vec<RefundLine> {
    match order.sku_order_infos.as_slice() {
        [line] => vec![RefundLine {
            line_id: line.sku_order_id.clone(),
            quantity: quantity.and_then(|pieces| u32::try_from(pieces).ok()).filter(|&pieces| pieces > 0),
            amount: Fen::new(goods),
        }],
        _ => Vec::new(),
    }
}

/// `refund_status`: 1 due, 2 under way, 3 succeeded, 4 failed, 5 recovered.
const REFUND_SUCCEEDED: i64 = 3;

#[derive(Debug, Deserialize)]
struct DetailAnswer {
    process_info: ProcessInfo,
    order_info: OrderInfo,
}

#[derive(Debug, Deserialize)]
struct ProcessInfo {
    after_sale_info: Case,
}

#[derive(Debug, Deserialize)]
struct Case {
    #[serde(deserialize_with = "lenient::id")]
    after_sale_id: String,
    #[serde(deserialize_with = "lenient::id")]
    after_sale_status: String,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    after_sale_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    refund_status: Option<i64>,
    #[serde(deserialize_with = "lenient::integer")]
    refund_total_amount: i64,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    refund_post_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    after_sale_apply_count: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    reason_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    apply_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    update_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    refund_time: Option<UnixMs>,
}

#[derive(Debug, Deserialize)]
struct OrderInfo {
    #[serde(deserialize_with = "lenient::id")]
    shop_order_id: String,
    #[serde(default)]
    sku_order_infos: Vec<SkuOrderInfo>,
}

#[derive(Debug, Deserialize)]
struct SkuOrderInfo {
    #[serde(deserialize_with = "lenient::id")]
    sku_order_id: String,
}
