//! The full record of an after-sale case: `channels/ec/aftersale/getaftersaleorder`.

use domain::{Fen, Latest, RefundClaim, RefundFacts, RefundKind, RefundLine, RefundStatus, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::push::key;
use super::status::after_sale_status;
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// What the answer tells.
///
/// # Errors
/// [`MapError`] when the record lacks what every case has.
pub fn map(shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let case = Record::deserialize(answer)?.after_sale_order;
    let at = case.update_time.or(case.create_time).ok_or_else(|| MapError::missing("update_time and create_time"))?;

    let mut facts = RefundFacts::default();
    if let Some(applied) = case.create_time {
        facts.reach(RefundStatus::Applied, applied);
    }
    match after_sale_status(&case.status) {
        Some(status) => facts.reach(status, at),
        None => drop(facts.unknown_statuses.insert(case.status.clone())),
    }
    facts.claim = case.claim()?.map(|claim| Latest::new(at, claim));
    facts.raw_status = Some(Latest::new(at, case.status));
    Ok(Fact::Refund { order: key(shop_id, case.order_id), after_sale_id: case.after_sale_order_id, facts })
}

#[derive(Debug, Deserialize)]
struct Record {
    after_sale_order: Case,
}

#[derive(Debug, Deserialize)]
struct Case {
    #[serde(deserialize_with = "lenient::id")]
    after_sale_order_id: String,
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    status: String,
    /// `REFUND`, `RETURN` or `EXCHANGE`.
    #[serde(rename = "type", default)]
    kind: String,
    /// The buyer's reason as a code; the text beside it is not read.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    create_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    update_time: Option<UnixMs>,
    #[serde(default)]
    product_info: Option<Product>,
    #[serde(default)]
    refund_info: Option<Money>,
}

/// A case is on one SKU.
#[derive(Debug, Deserialize)]
struct Product {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sku_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    count: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Money {
    /// Fen. The record does not say how much of it is freight.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    amount: Option<i64>,
    /// RefundReason: what made the money go back. 4 not shipped, agreed by the platform; 8 shipped too late.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_reason: Option<String>,
}

impl Case {
    /// Nothing while no amount is named, except for exchanges, which move no money.
    fn claim(&self) -> Result<Option<RefundClaim>, MapError> {
        let kind = self.kind();
        let amount = match self.refund_info.as_ref().and_then(|money| money.amount) {
            Some(amount) if amount < 0 => return Err(MapError::Malformed(format!("amount is {amount}"))),
            Some(amount) => Fen::new(amount),
            None if kind == RefundKind::Exchange => Fen::ZERO,
            None => return Ok(None),
        };
        let lines = self.product_info.iter().filter_map(|product| {
            let quantity = product.count.and_then(|count| u32::try_from(count).ok()).filter(|&count| count > 0);
            Some(RefundLine { line_id: product.sku_id.clone()?, quantity, amount })
        });
        let lines = lines.collect();
        Ok(Some(RefundClaim { kind, amount, freight: Fen::ZERO, lines, reason_code: self.reason.clone() }))
    }

    /// `REFUND` is said of shipped and of unshipped goods; only the reason of the payment tells some of the latter.
    fn kind(&self) -> RefundKind {
        let reason = self.refund_info.as_ref().and_then(|money| money.refund_reason.as_deref());
        match (self.kind.as_str(), reason) {
            ("REFUND", Some("4" | "8")) => RefundKind::Unshipped,
            ("REFUND", _) => RefundKind::RefundOnly,
            ("RETURN", _) => RefundKind::Return,
            ("EXCHANGE", _) => RefundKind::Exchange,
            _ => RefundKind::Other,
        }
    }
}
