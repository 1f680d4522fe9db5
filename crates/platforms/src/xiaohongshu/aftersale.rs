//! The full record of an after-sale case: `afterSale.getAfterSaleInfo`. Its money is yuan, as JSON numbers.

use domain::{Fen, Latest, RefundClaim, RefundFacts, RefundKind, RefundLine, RefundStatus, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::order::key;
use super::status::{REFUNDED, State, after_sale_kind, after_sale_state};
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// What the answer tells.
///
/// # Errors
/// [`MapError`] when the record lacks what every case has, or an amount has fractions of a fen.
pub fn map(shop_id: &str, data: &Value) -> Result<Fact, MapError> {
    let case = Record::deserialize(data)?.after_sale_info;
    let at = case.updated_at.or(case.apply_time).ok_or_else(|| MapError::missing("updatedAt and applyTime"))?;

    let mut facts = RefundFacts::default();
    if let Some(applied) = case.apply_time {
        facts.reach(RefundStatus::Applied, applied);
    }
    match after_sale_state(&case.status) {
        Some(State::Reached(status)) => facts.reach(status, at),
        Some(State::Open) => {}
        None => drop(facts.unknown_statuses.insert(case.status.clone())),
    }
    // refundTime would be the moment, but its unit is not documented.
    if case.is_refunded() {
        facts.reach(RefundStatus::Refunded, at);
    }
    facts.claim = case.claim()?.map(|claim| Latest::new(at, claim));
    facts.raw_status = Some(Latest::new(at, case.status));
    Ok(Fact::Refund { order: key(shop_id, case.order_id), after_sale_id: case.returns_id, facts })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    after_sale_info: Case,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    #[serde(deserialize_with = "lenient::id")]
    returns_id: String,
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(deserialize_with = "lenient::id")]
    status: String,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    return_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    reason_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    apply_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    updated_at: Option<UnixMs>,
    /// What would go back.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    expected_refund_amount_yuan: Option<Fen>,
    /// What went back, deposit included.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    refund_amount_yuan: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    applied_ship_fee_amount_yuan: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::list")]
    skus: Vec<Sku>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sku {
    #[serde(deserialize_with = "lenient::id")]
    sku_id: String,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    applied_count: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    applied_total_amount_yuan: Option<Fen>,
}

impl Case {
    fn is_refunded(&self) -> bool {
        self.refund_status.as_deref() == Some(REFUNDED)
    }

    /// Nothing while no amount is named, except for exchanges, which move no money.
    fn claim(&self) -> Result<Option<RefundClaim>, MapError> {
        let kind = self.return_type.map_or(RefundKind::Other, after_sale_kind);
        let moved = self.refund_amount_yuan.filter(|_| self.is_refunded());
        let amount = match moved.or(self.expected_refund_amount_yuan) {
            Some(amount) => amount,
            None if kind == RefundKind::Exchange => Fen::ZERO,
            None => return Ok(None),
        };
        let freight = self.applied_ship_fee_amount_yuan.unwrap_or_default();
        if amount.is_negative() || freight.is_negative() {
            return Err(MapError::Malformed(format!("{amount} yuan with {freight} of freight are to go back")));
        }
        // Less may be agreed on than was asked for: first the goods, then the freight.
        let freight = freight.min(amount);
        let lines = self.lines(amount.try_sub(freight)?)?;
        Ok(Some(RefundClaim { kind, amount, freight, lines, reason_code: self.reason_id.clone() }))
    }

    /// A case on one line carries its whole sum; one on several names them if their sums are the whole.
    fn lines(&self, goods: Fen) -> Result<Vec<RefundLine>, MapError> {
        let line = |sku: &Sku, amount| RefundLine {
            line_id: sku.sku_id.clone(),
            quantity: sku.applied_count.and_then(|count| u32::try_from(count).ok()).filter(|&count| count > 0),
            amount,
        };
        if let [sku] = self.skus.as_slice() {
            return Ok(vec![line(sku, goods)]);
        }
        let amounts: Option<Vec<Fen>> = self.skus.iter().map(|sku| sku.applied_total_amount_yuan).collect();
        let Some(amounts) = amounts else { return Ok(Vec::new()) };
        if Fen::try_sum(amounts.iter().copied())? != goods {
            return Ok(Vec::new());
        }
        Ok(self.skus.iter().zip(amounts).map(|(sku, amount)| line(sku, amount)).collect())
    }
}
