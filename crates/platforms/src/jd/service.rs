//! Service bills: after-sale cases of goods that were shipped.
//!
//! Two records together tell of one: whether the money has moved (`jingdong.asc.serviceAndRefund.view`, by order), and the case
//! itself (`jingdong.asc.query.view`). What the first tells goes with the second question. There are no commands: they want
//! what only the merchant's staff knows (how the goods came back, reasons from JD's list, an address).

use std::collections::BTreeMap;

use domain::{Fen, Latest, RefundClaim, RefundFacts, RefundKind, RefundLine, RefundStatus, UnixMs};
use serde::Deserialize;
use serde_json::{Value, json};

use super::OPERATOR;
use super::api::number;
use super::moment;
use super::order::key;
use super::status::{service_kind, service_state};
use crate::marketplace::{Answer, App, Ask, MapError};
use crate::{Fact, lenient};

/// The API method that tells which refunds of an order were paid.
pub const REFUNDS: &str = "jingdong.asc.serviceAndRefund.view";
/// The API method that gives a service bill's full record.
pub const VIEW: &str = "jingdong.asc.query.view";

/// The parameters of [`REFUNDS`].
pub fn refunds_params(order_id: &str) -> Value {
    json!({ "orderId": number(order_id), "pageNumber": 1, "pageSize": 50 })
}

/// The parameters of [`VIEW`].
pub fn view_params(app: &App, shop_id: &str, order_id: &str, service_id: &str) -> Value {
    let operator = app.text(OPERATOR.name);
    json!({
        "buId": shop_id, "operatePin": operator, "operateNick": operator,
        "serviceId": number(service_id), "orderId": number(order_id),
    })
}

#[derive(Deserialize)]
struct Refunds {
    #[serde(rename = "pageResult")]
    page_result: RefundPage,
}

#[derive(Deserialize)]
struct RefundPage {
    #[serde(default)]
    data: Option<Vec<Refund>>,
}

/// A refund. Its amount is left aside: its unit is nowhere written down.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    /// 13 succeeded, 14 failed.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    status: Option<i64>,
    #[serde(default, deserialize_with = "moment::optional")]
    complete_time: Option<UnixMs>,
    #[serde(default)]
    same_order_service_bill: Option<Bill>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bill {
    #[serde(deserialize_with = "lenient::id")]
    service_id: String,
}

const SUCCEEDED: i64 = 13;

/// What follows once the order's refunds are known: the question for the case itself, with the milliseconds at which its
/// refund succeeded, or nothing.
///
/// # Errors
/// [`MapError`] when the answer is no such list.
pub fn after_refunds(ask: &Ask, service_id: &str, answer: &Value) -> Result<Answer, MapError> {
    let refunds = Refunds::deserialize(answer)?.page_result.data.unwrap_or_default();
    let of_case = refunds.iter().filter(|refund| {
        refund.status == Some(SUCCEEDED)
            && refund.same_order_service_bill.as_ref().is_some_and(|bill| bill.service_id == service_id)
    });
    let paid_at = of_case.filter_map(|refund| refund.complete_time).min();
    let known = paid_at.map(|at| at.millis().to_string()).unwrap_or_default();
    Ok(Answer::Changed { asks: vec![Ask::Further { first: Box::new(ask.clone()), known }], next: None })
}

/// What the answer to [`VIEW`] tells, and what was `known` before ([`after_refunds`]).
///
/// # Errors
/// [`MapError`] when the record lacks what every case has, or its numbers do not fit.
pub fn map(shop_id: &str, known: &str, answer: &Value) -> Result<Fact, MapError> {
    let case = View::deserialize(answer)?.result.data;
    let at = case.update_date.or(case.apply_time).ok_or_else(|| MapError::missing("updateDate and applyTime"))?;

    let mut facts = RefundFacts::default();
    if let Some(applied) = case.apply_time {
        facts.reach(RefundStatus::Applied, applied);
    }
    match service_state(&case.service_status) {
        Some(Some(status)) => facts.reach(status, at),
        Some(None) => {}
        None => {
            facts.unknown_statuses.insert(case.service_status.clone());
        }
    }
    if let Some(paid_at) = known.parse().ok().and_then(|millis| UnixMs::from_millis(millis).ok()) {
        facts.reach(RefundStatus::Refunded, paid_at);
    }
    facts.claim = Some(Latest::new(at, case.claim()?));
    facts.raw_status = Some(Latest::new(at, case.service_status));
    Ok(Fact::Refund { order: key(shop_id, case.order_id), after_sale_id: case.service_id, facts })
}

#[derive(Debug, Deserialize)]
struct View {
    result: ViewResult,
}

#[derive(Debug, Deserialize)]
struct ViewResult {
    data: Case,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    #[serde(deserialize_with = "lenient::id")]
    service_id: String,
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(deserialize_with = "lenient::id")]
    service_status: String,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    customer_expect: Option<i64>,
    #[serde(default, deserialize_with = "moment::optional")]
    apply_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "moment::optional")]
    update_date: Option<UnixMs>,
    #[serde(default)]
    service_bill_detail_list: Option<Vec<Ware>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ware {
    #[serde(deserialize_with = "lenient::id")]
    sku_id: String,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    ware_num: Option<i64>,
    /// What was paid for it, in yuan. Not confirmed: that it is the sum for all pieces.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    actual_pay_price: Option<Fen>,
}

impl Case {
    fn claim(&self) -> Result<RefundClaim, MapError> {
        let kind = self.customer_expect.map_or(RefundKind::Other, service_kind);
        let money = matches!(kind, RefundKind::Return | RefundKind::RefundOnly);
        let mut wares: BTreeMap<&str, (Option<u32>, Fen)> = BTreeMap::new();
        for ware in self.service_bill_detail_list.iter().flatten() {
            let (pieces, amount) = wares.entry(&ware.sku_id).or_default();
            let more = ware.ware_num.and_then(|more| u32::try_from(more).ok()).filter(|&more| more > 0);
            *pieces = more.map(|more| pieces.unwrap_or_default().saturating_add(more)).or(*pieces);
            *amount = amount.try_add(ware.actual_pay_price.filter(|_| money).unwrap_or_default())?;
        }
        Ok(RefundClaim {
            kind,
            amount: Fen::try_sum(wares.values().map(|(_, amount)| *amount))?,
            freight: Fen::ZERO,
            lines: wares
                .into_iter()
                .map(|(sku_id, (quantity, amount))| RefundLine { line_id: sku_id.to_owned(), quantity, amount })
                .collect(),
            reason_code: None,
        })
    }
}
