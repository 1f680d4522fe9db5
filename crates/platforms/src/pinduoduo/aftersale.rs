//! The full record of an after-sale case: `pdd.refund.information.get`.

use domain::{Fen, Latest, OrderKey, Platform, RefundClaim, RefundFacts, RefundKind, RefundLine, RefundStatus, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::status::{aftersale_kind, aftersale_state};
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// What the record tells. It does not name its shop.
///
/// # Errors
/// [`MapError`] when the record lacks what every case has.
pub fn map(shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let case = Case::deserialize(answer)?;
    let at = case.as_of()?;

    let mut facts = RefundFacts::default();
    if let Some(applied) = case.recreated_at {
        facts.reach(RefundStatus::Applied, applied);
    }
    // A return's tracking number: the goods are on their way, whatever else is said.
    if case.express_no.is_some_and(|number| !number.is_empty()) {
        facts.reach(RefundStatus::Returning, at);
    }
    match aftersale_state(&case.after_sales_status) {
        Some(status) => facts.reach(status, at),
        None => {
            facts.unknown_statuses.insert(case.after_sales_status.clone());
        }
    }
    let kind = aftersale_kind(case.after_sales_type, case.shipping_status == Some(0));
    // Of other kinds the number means nothing.
    let in_pieces = kind == RefundKind::Return && case.part_after_sales_type == Some(PIECES);
    let pieces = case.part_after_sales_value.filter(|_| in_pieces);
    let line = case.sku_id.map(|line_id| RefundLine {
        line_id,
        quantity: pieces.and_then(|pieces| u32::try_from(pieces).ok()).filter(|&pieces| pieces > 0),
        amount: Fen::new(case.refund_amount),
    });
    let claim = RefundClaim {
        kind,
        amount: Fen::new(case.refund_amount),
        freight: Fen::ZERO,
        lines: line.into_iter().collect(),
        reason_code: None,
    };
    facts.claim = Some(Latest::new(at, claim));
    facts.raw_status = Some(Latest::new(at, case.after_sales_status));
    let order =
        OrderKey { platform: Platform::Pinduoduo, shop_id: shop_id.to_owned(), platform_order_id: case.order_sn };
    Ok(Fact::Refund { order, after_sale_id: case.id, facts })
}

/// When the record last changed.
///
/// # Errors
/// [`MapError`] when it is no record of a case.
pub fn as_of(answer: &Value) -> Result<UnixMs, MapError> {
    Case::deserialize(answer)?.as_of()
}

impl Case {
    fn as_of(&self) -> Result<UnixMs, MapError> {
        self.updated_time.or(self.recreated_at).ok_or_else(|| MapError::missing("updated_time"))
    }
}

/// `part_after_sales_type`: 1 pieces, 2 percent.
const PIECES: i64 = 1;

#[derive(Deserialize)]
struct Case {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    order_sn: String,
    #[serde(deserialize_with = "lenient::id")]
    after_sales_status: String,
    #[serde(deserialize_with = "lenient::integer")]
    after_sales_type: i64,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    shipping_status: Option<i64>,
    /// Fen: a whole number here, where the list has text in yuan. The document names no unit; public clients agree.
    #[serde(deserialize_with = "lenient::integer")]
    refund_amount: i64,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sku_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    part_after_sales_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    part_after_sales_value: Option<i64>,
    #[serde(default)]
    express_no: Option<String>,
    /// When it was asked for, or last asked for anew: the platform forgets the first time.
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    recreated_at: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    updated_time: Option<UnixMs>,
}
