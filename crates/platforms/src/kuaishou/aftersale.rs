//! The full record of an after-sale case: `open.seller.order.refund.detail`.

use domain::{Fen, Latest, OrderKey, Platform, RefundClaim, RefundFacts, RefundLine, RefundStatus, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::status::{aftersale_kind, aftersale_state};
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// What the record tells. `shop_id` is the shop whose token the request was made with.
///
/// # Errors
/// [`MapError`] when the record lacks what every case has.
pub fn map(shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let case = Case::deserialize(answer)?;
    let applied = case.submit_time.or(case.create_time);
    let at = case.update_time.or(applied).ok_or_else(|| MapError::missing("updateTime"))?;
    let kind = aftersale_kind(case.handling_way);

    let mut facts = RefundFacts::default();
    if let Some(applied) = applied {
        facts.reach(RefundStatus::Applied, applied);
    }
    match aftersale_state(&case.status, kind) {
        Some(status @ (RefundStatus::Refunded | RefundStatus::Cancelled)) => {
            facts.reach(status, case.end_time.unwrap_or(at));
        }
        Some(status) => facts.reach(status, at),
        None => {
            facts.unknown_statuses.insert(case.status.clone());
        }
    }
    // An order has one line, which bears the order's id. Pieces are told for vouchers only.
    let amount = Fen::new(case.refund_fee);
    let line = RefundLine { line_id: case.oid.clone(), quantity: None, amount };
    let claim = RefundClaim { kind, amount, freight: Fen::ZERO, lines: vec![line], reason_code: case.refund_reason };
    facts.claim = Some(Latest::new(at, claim));
    // What a decision must repeat.
    facts.version = Some(Latest::new(at, case.status.clone()));
    facts.raw_status = Some(Latest::new(at, case.status));
    let order = OrderKey { platform: Platform::Kuaishou, shop_id: shop_id.to_owned(), platform_order_id: case.oid };
    Ok(Fact::Refund { order, after_sale_id: case.refund_id, facts })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    #[serde(deserialize_with = "lenient::id")]
    refund_id: String,
    #[serde(deserialize_with = "lenient::id")]
    oid: String,
    #[serde(deserialize_with = "lenient::id")]
    status: String,
    #[serde(deserialize_with = "lenient::integer")]
    handling_way: i64,
    /// What the shop pays back, in fen: subsidies of the platform included, a host's red packet not.
    #[serde(deserialize_with = "lenient::integer")]
    refund_fee: i64,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    create_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    submit_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    update_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    end_time: Option<UnixMs>,
}
