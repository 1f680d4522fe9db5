//! The full record of an after-sale case, which Taobao calls a refund: `taobao.refund.get`.

use domain::{Fen, Latest, RefundClaim, RefundFacts, RefundKind, RefundLine, RefundStatus, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::api::Call;
use super::order::key;
use super::status::refund_state;
use crate::marketplace::MapError;
use crate::{Fact, lenient};

const FIELDS: &str = "refund_id,tid,oid,status,order_status,good_status,has_good_return,refund_phase,refund_version,\
special_refund_type,refund_fee,num,created,modified,end_time";

/// What asks for a case.
pub fn call(after_sale_id: &str) -> Call {
    Call::new("taobao.refund.get", [("refund_id", after_sale_id), ("fields", FIELDS)])
}

/// What the answer to [`call`] tells. The record names its seller by nickname only: `shop_id` is the shop whose session asked.
/// The reason is free text, and dropped.
///
/// # Errors
/// [`MapError`] when the record lacks what every case has.
pub fn map(shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let refund = Refund::of(answer)?;
    let at = refund.modified.or(refund.refund_version).or(refund.end_time).or(refund.created);
    let at = at.ok_or_else(|| MapError::missing("modified, refund_version, end_time and created"))?;

    let mut facts = RefundFacts::default();
    if let Some(created) = refund.created {
        facts.reach(RefundStatus::Applied, created);
    }
    match refund_state(&refund.status) {
        Some(status @ (RefundStatus::Refunded | RefundStatus::Cancelled)) => {
            facts.reach(status, refund.end_time.unwrap_or(at));
        }
        Some(status) => facts.reach(status, at),
        None => {
            facts.unknown_statuses.insert(refund.status.clone());
        }
    }
    let quantity = refund.num.and_then(|pieces| u32::try_from(pieces).ok()).filter(|&pieces| pieces > 0);
    let line = |line_id| RefundLine { line_id, quantity, amount: refund.refund_fee };
    facts.claim = Some(Latest::new(
        at,
        RefundClaim {
            kind: refund.kind(),
            amount: refund.refund_fee,
            // What of it is freight is not told.
            freight: Fen::ZERO,
            lines: refund.oid.clone().map(line).into_iter().collect(),
            reason_code: None,
        },
    ));
    facts.version = refund.version().map(|version| Latest::new(at, version.to_string()));
    facts.raw_status = Some(Latest::new(at, refund.status));
    Ok(Fact::Refund { order: key(shop_id, refund.tid), after_sale_id: refund.refund_id, facts })
}

#[derive(Debug, Deserialize)]
struct Record {
    refund: Refund,
}

/// A case as it stands.
#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    #[serde(deserialize_with = "lenient::id")]
    pub(super) refund_id: String,
    #[serde(deserialize_with = "lenient::id")]
    tid: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    oid: Option<String>,
    pub(super) status: String,
    /// The trade's status as of now.
    #[serde(default)]
    order_status: Option<String>,
    #[serde(default)]
    good_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_flag")]
    pub(super) has_good_return: Option<bool>,
    /// `onsale` before the trade is completed, `aftersale` after it.
    #[serde(default)]
    pub(super) refund_phase: Option<String>,
    /// The instant of the last change in milliseconds, by which commands name the case that they have seen.
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    refund_version: Option<UnixMs>,
    /// `priceProtect` and `cashBack`: money back without a complaint.
    #[serde(default)]
    special_refund_type: Option<String>,
    #[serde(deserialize_with = "lenient::yuan")]
    pub(super) refund_fee: Fen,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    num: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    created: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    modified: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    end_time: Option<UnixMs>,
}

impl Refund {
    /// The case in an answer to [`call`].
    pub(super) fn of(answer: &Value) -> Result<Self, MapError> {
        Ok(Record::deserialize(answer)?.refund)
    }

    /// The number of the state that it is in.
    pub(super) fn version(&self) -> Option<i64> {
        self.refund_version.or(self.modified).map(UnixMs::millis)
    }

    /// The record has no word for it. Once the trade is closed, money before shipping cannot be told from money only.
    fn kind(&self) -> RefundKind {
        let unshipped = self.order_status.as_deref() == Some("WAIT_SELLER_SEND_GOODS")
            && self.good_status.as_deref() != Some("BUYER_RECEIVED");
        match (self.special_refund_type.as_deref(), self.has_good_return) {
            (Some(special), _) if !special.is_empty() => RefundKind::Other,
            (_, Some(true)) => RefundKind::Return,
            _ if unshipped => RefundKind::Unshipped,
            _ => RefundKind::RefundOnly,
        }
    }
}
