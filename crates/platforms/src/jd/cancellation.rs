//! Cancellations: orders that were paid, not shipped, and are to be refunded (`jingdong.pop.afs.soa.refundapply.*`).

use domain::{Fen, Latest, RefundClaim, RefundFacts, RefundKind, RefundStatus, UnixMs};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::OPERATOR;
use super::api::number;
use super::moment;
use super::order::key;
use super::status::cancellation_state;
use crate::marketplace::{ApiError, App, MapError};
use crate::{Fact, lenient};

/// The API method that gives a cancellation's full record.
pub const GET: &str = "jingdong.pop.afs.soa.refundapply.queryById";
/// The API method that answers the buyer.
pub const REPLY: &str = "jingdong.pop.afs.soa.refundapply.replyRefund";

/// What tells a cancellation's id from a service bill's.
const PREFIX: &str = "cancel:";

/// The platform's id of the cancellation, if the case is one.
pub fn id(after_sale_id: &str) -> Option<&str> {
    after_sale_id.strip_prefix(PREFIX)
}

/// The case's id for a cancellation of the platform's id.
pub fn after_sale_id(id: &str) -> String {
    format!("{PREFIX}{id}")
}

/// The parameters of [`GET`].
pub fn params(id: &str) -> Value {
    json!({ "id": number(id) })
}

/// [`REPLY`] and its parameters: agreed, or refused for a `reason`.
///
/// # Errors
/// [`ApiError::Permanent`] for service bills.
pub fn reply(app: &App, after_sale_id: &str, reason: Option<&str>) -> Result<(&'static str, Value), ApiError> {
    let id = id(after_sale_id).ok_or_else(|| ApiError::unsupported("answer service bills by command"))?;
    let mut params = json!({
        "id": number(id), "status": if reason.is_some() { REFUSED } else { AGREED },
        "checkUserName": app.text(OPERATOR.name), "remark": reason.unwrap_or("同意"),
    });
    if reason.is_some()
        && let Value::Object(params) = &mut params
    {
        params.insert("rejectType".to_owned(), Value::from(OTHER_REASON));
    }
    Ok((REPLY, params))
}

const AGREED: i64 = 1;
const REFUSED: i64 = 2;
/// `rejectType` for a reason in words.
const OTHER_REASON: i64 = 5;

/// What the answer to [`GET`] tells. The platform does not tell when the money is with the buyer: the order is then closed.
///
/// # Errors
/// [`MapError`] when the record lacks what every cancellation has.
pub fn map(shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let row = Record::deserialize(answer)?.query_result.result.into_iter().next();
    let row = row.ok_or_else(|| MapError::missing("result"))?;
    // The record stands in a field of its own, or (in the list) by itself.
    let apply = Apply::deserialize(row.get("refundApplyVo").unwrap_or(&row))?;
    let at = apply.modified.or(apply.check_time).or(apply.apply_time);
    let at = at.ok_or_else(|| MapError::missing("modified, checkTime and applyTime"))?;

    let mut facts = RefundFacts::default();
    if let Some(applied) = apply.apply_time {
        facts.reach(RefundStatus::Applied, applied);
    }
    match cancellation_state(&apply.status) {
        Some(Some(status)) => facts.reach(status, apply.check_time.unwrap_or(at)),
        Some(None) => {}
        None => {
            facts.unknown_statuses.insert(apply.status.clone());
        }
    }
    facts.claim = Some(Latest::new(
        at,
        RefundClaim {
            kind: RefundKind::Unshipped,
            amount: apply.apply_refund_sum,
            freight: Fen::ZERO,
            lines: Vec::new(),
            reason_code: None,
        },
    ));
    facts.raw_status = Some(Latest::new(at, apply.status));
    Ok(Fact::Refund { order: key(shop_id, apply.order_id), after_sale_id: after_sale_id(&apply.id), facts })
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "queryResult")]
    query_result: QueryResult,
}

#[derive(Deserialize)]
struct QueryResult {
    result: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Apply {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(deserialize_with = "lenient::id")]
    status: String,
    /// What is asked for.
    #[serde(deserialize_with = "fen")]
    apply_refund_sum: Fen,
    #[serde(default, deserialize_with = "moment::optional")]
    apply_time: Option<UnixMs>,
    /// When it was decided.
    #[serde(default, deserialize_with = "moment::optional")]
    check_time: Option<UnixMs>,
    /// When it last changed.
    #[serde(default, deserialize_with = "moment::optional")]
    modified: Option<UnixMs>,
}

/// Whole fen that the platform's software may write as `1990.0`.
fn fen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fen, D::Error> {
    let hundredths = lenient::yuan(deserializer)?.get();
    if hundredths % 100 == 0 {
        Ok(Fen::new(hundredths / 100))
    } else {
        Err(serde::de::Error::custom(format!("applyRefundSum is no whole number of fen: {hundredths} hundredths")))
    }
}
