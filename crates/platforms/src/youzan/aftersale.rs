//! The full record of an after-sale case: `youzan.trade.refund.get` 3.0.1.

use domain::{Fen, Latest, RefundClaim, RefundFacts, RefundKind, RefundStatus, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::api::Call;
use super::key;
use super::status::{case_kind, case_state};
use crate::marketplace::{Answer, Ask, MapError, Window};
use crate::{Fact, lenient};

/// The API method that gives a case's full record.
pub const DETAIL: Call = ("youzan.trade.refund.get", "3.0.1");
/// The API method that lists cases.
pub const LIST: Call = ("youzan.trade.refund.search", "3.0.1");
/// Agrees to the money, and pays it.
pub const AGREE: Call = ("youzan.trade.refund.agree", "3.0.1");
/// Refuses the money. Whether a newer version exists is not public.
pub const REFUSE: Call = ("youzan.trade.refund.refuse", "3.0.0");
/// Agrees that goods come back.
pub const AGREE_RETURN: Call = ("youzan.trade.returngoods.agree", "3.0.0");
/// Says that goods have not come back.
pub const REFUSE_RETURN: Call = ("youzan.trade.returngoods.refuse", "3.0.0");
/// The rows of a page; pages times rows may be 3000.
pub(super) const PAGE_SIZE: i64 = 50;
pub(super) const PAGES: i64 = 60;

/// `status` of a transfer that arrived (0 under way, 1 failed).
const ARRIVED: i64 = 2;

/// What the answer to [`DETAIL`] tells. The record names only the first of the goods concerned, so it names no lines here; which
/// part of the money is freight is not told.
///
/// # Errors
/// [`MapError`] when the record lacks what every case has.
pub fn map_record(shop_id: &str, data: &Value) -> Result<Fact, MapError> {
    let case = Case::deserialize(data)?;
    let at = case.modified.or(case.created).ok_or_else(|| MapError::missing("modified"))?;
    let kind = case_kind(case.demand, case.return_goods);
    let mut facts = RefundFacts::default();
    if let Some(applied) = case.created {
        facts.reach(RefundStatus::Applied, applied);
    }
    match case_state(&case.status) {
        // An exchange ends without money; money that is still under way has not reached the buyer.
        Some(RefundStatus::Refunded) if kind == RefundKind::Exchange || case.money_is_under_way() => {
            facts.reach(RefundStatus::Agreed, at);
        }
        Some(RefundStatus::Refunded) => {
            facts.reach(RefundStatus::Refunded, case.refund_account_time.or(case.refund_success_time).unwrap_or(at));
        }
        Some(status) => facts.reach(status, at),
        None => {
            facts.unknown_statuses.insert(case.status.clone());
        }
    }
    facts.claim = Some(Latest::new(
        at,
        RefundClaim { kind, amount: case.refund_fee, freight: Fen::ZERO, lines: Vec::new(), reason_code: case.reason },
    ));
    facts.version = case.version.map(|version| Latest::new(at, version));
    facts.raw_status = Some(Latest::new(at, case.status));
    Ok(Fact::Refund { order: key(shop_id, case.tid), after_sale_id: case.refund_id, facts })
}

/// A page of [`LIST`].
///
/// # Errors
/// [`MapError`] when it is no such page.
pub(super) fn page(window: &Window, data: &Value) -> Result<Answer, MapError> {
    let list = List::deserialize(data)?;
    let page = window.page_number(1);
    let more = i64::try_from(list.refunds.len()).is_ok_and(|rows| rows >= PAGE_SIZE);
    let asks = list.refunds.into_iter().map(|row| Ask::AfterSale { order_id: row.tid, after_sale_id: row.refund_id });
    Ok(Answer::Changed { asks: asks.collect(), next: more.then(|| (page + 1).to_string()) })
}

#[derive(Deserialize)]
struct List {
    refunds: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "lenient::id")]
    refund_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    tid: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(deserialize_with = "lenient::id")]
    refund_id: String,
    #[serde(deserialize_with = "lenient::id")]
    tid: String,
    status: String,
    /// Yuan, freight included.
    #[serde(deserialize_with = "lenient::yuan")]
    refund_fee: Fen,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    demand: Option<i64>,
    #[serde(default)]
    return_goods: Option<bool>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    version: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    created: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    modified: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    refund_success_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    refund_account_time: Option<UnixMs>,
    #[serde(default)]
    refund_fund_list: Option<Vec<Transfer>>,
}

#[derive(Deserialize)]
struct Transfer {
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    status: Option<i64>,
}

impl Case {
    fn money_is_under_way(&self) -> bool {
        self.refund_fund_list.iter().flatten().any(|transfer| transfer.status != Some(ARRIVED))
    }
}
