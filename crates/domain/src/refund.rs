//! Refunds: one state machine per after-sale case, beside the order's own, and the rule that no more goes back than came in.
//!
//! As with orders, deliveries contribute [`RefundFacts`] that merge in any order and any number of times to one value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Fen, Latest, MoneyError, OrderKey, UnixMs};

/// Where an after-sale case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The buyer (or the merchant, for the buyer) has asked for it.
    Applied,
    /// The merchant has agreed.
    Agreed,
    /// The goods are on their way back.
    Returning,
    /// The merchant has refused. The buyer may change the case and have it agreed later.
    Rejected,
    /// Withdrawn, or closed without money. Terminal.
    Cancelled,
    /// The money is with the buyer. Terminal, and stronger than any other: money moved.
    Refunded,
}

impl RefundStatus {
    /// Every status, in the order of the variants.
    pub const ALL: [Self; 6] =
        [Self::Applied, Self::Agreed, Self::Returning, Self::Rejected, Self::Cancelled, Self::Refunded];

    /// Its name in JSON, SQL and URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Agreed => "agreed",
            Self::Returning => "returning",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
        }
    }

    /// Whether the case came to nothing, so that its amount may be asked for again.
    pub const fn has_failed(self) -> bool {
        matches!(self, Self::Rejected | Self::Cancelled)
    }
}

impl fmt::Display for RefundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RefundStatus {
    type Err = RefundError;

    fn from_str(text: &str) -> Result<Self, RefundError> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| RefundError::UnknownStatus(text.to_owned()))
    }
}

/// An after-sale case as all deliveries so far describe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The order it belongs to.
    pub order: OrderKey,
    /// The platform's id of the case, unique with the order's platform and shop.
    pub after_sale_id: String,
    /// Where it stands.
    pub status: RefundStatus,
    /// The platform's own newest word for the status, unmapped.
    pub raw_status: Option<String>,
    /// Whether the platform named a status that the mapping does not know. It was kept, and did not move the status.
    pub unknown_status: bool,
    /// What is asked for; absent until a delivery has told.
    pub claim: Option<RefundClaim>,
    /// When each step first happened.
    pub times: BTreeMap<RefundStatus, UnixMs>,
}

/// What a case asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundClaim {
    /// What is to happen with the goods.
    pub kind: RefundKind,
    /// The money asked for in all, freight included, in fen.
    pub amount: Fen,
    /// The part of it that is freight, in fen.
    pub freight: Fen,
    /// The lines concerned; empty for a case on the order as a whole.
    pub lines: Vec<RefundLine>,
    /// The reason, in the platform's or the merchant's code. No free text: that may hold personal data.
    pub reason_code: Option<String>,
}

/// What is to happen with the goods of an after-sale case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundKind {
    /// Goods come back, money goes back.
    Return,
    /// Money goes back, the goods had been shipped and stay.
    RefundOnly,
    /// Money goes back before anything was shipped.
    Unshipped,
    /// Goods are exchanged; no money moves.
    Exchange,
    /// Anything else (price protection, repair, resend), as the platform's code in `raw_status` or its console tells.
    Other,
}

/// One line of a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundLine {
    /// The order line's id.
    pub line_id: String,
    /// Pieces that come back; absent where the platform does not tell.
    pub quantity: Option<u32>,
    /// The money asked for on this line, without freight, in fen.
    pub amount: Fen,
}

/// All that deliveries have told about one case; the default is "nothing yet".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundFacts {
    /// The first instant at which each status is known to have been reached. Merged by the earlier instant.
    pub reached: BTreeMap<RefundStatus, UnixMs>,
    /// The newest status that was named.
    pub newest: Option<Latest<RefundStatus>>,
    /// The platform's own newest word for the status.
    pub raw_status: Option<Latest<String>>,
    /// Words for a status that the mapping does not know.
    pub unknown_statuses: BTreeSet<String>,
    /// What is asked for.
    pub claim: Option<Latest<RefundClaim>>,
    /// The platform's number for the case's newest state, where a decision has to name it.
    pub version: Option<Latest<String>>,
}

impl RefundFacts {
    /// Adds the fact that `status` held at `at`.
    pub fn reach(&mut self, status: RefundStatus, at: UnixMs) {
        self.reached.entry(status).and_modify(|known| *known = at.min(*known)).or_insert(at);
        Latest::merge_into(&mut self.newest, Some(Latest::new(at, status)));
    }

    /// Adds all that `other` knows. Commutative, associative, idempotent.
    pub fn merge(&mut self, other: Self) {
        for (status, at) in other.reached {
            self.reached.entry(status).and_modify(|known| *known = at.min(*known)).or_insert(at);
        }
        Latest::merge_into(&mut self.newest, other.newest);
        Latest::merge_into(&mut self.raw_status, other.raw_status);
        self.unknown_statuses.extend(other.unknown_statuses);
        Latest::merge_into(&mut self.claim, other.claim);
        Latest::merge_into(&mut self.version, other.version);
    }

    /// The steps that have happened, with the first instant known for each. Any step at all means applied. The set only
    /// ever grows, so each step can be announced once, when it first appears.
    pub fn milestones(&self) -> BTreeMap<RefundStatus, UnixMs> {
        let mut steps = self.reached.clone();
        if let Some(&at) = steps.values().min() {
            steps.entry(RefundStatus::Applied).or_insert(at);
        }
        steps
    }

    /// Where the case stands: refunded once money moved, cancelled once withdrawn, else the newest status named (a refused
    /// case can be changed and agreed after all). Nothing while no known status was named.
    pub fn status(&self) -> Option<RefundStatus> {
        [RefundStatus::Refunded, RefundStatus::Cancelled]
            .into_iter()
            .find(|terminal| self.reached.contains_key(terminal))
            .or_else(|| self.newest.as_ref().map(|newest| newest.value))
    }

    /// The case that these facts describe; it counts as applied while no known status was named.
    pub fn refund(&self, order: OrderKey, after_sale_id: String) -> Refund {
        Refund {
            order,
            after_sale_id,
            status: self.status().unwrap_or(RefundStatus::Applied),
            raw_status: self.raw_status.as_ref().map(|raw| raw.value.clone()),
            unknown_status: !self.unknown_statuses.is_empty(),
            claim: self.claim.as_ref().map(|claim| claim.value.clone()),
            times: self.milestones(),
        }
    }
}

/// Whether `new` may be refunded: what did not fail before plus `new` must not exceed what was paid, neither for the order
/// nor for any line.
///
/// `paid_by_line` is what was paid for each line ([`crate::Order::paid_by_line`]); `earlier` are the order's other cases.
///
/// # Errors
/// [`RefundError`] says which limit would be exceeded and what is left.
pub fn can_refund<'a>(
    paid: Fen,
    paid_by_line: &[(&str, Fen)],
    earlier: impl IntoIterator<Item = &'a Refund>,
    new: &RefundClaim,
) -> Result<(), RefundError> {
    let amounts = std::iter::once(new.amount).chain(std::iter::once(new.freight));
    if new.amount <= Fen::ZERO || amounts.chain(new.lines.iter().map(|line| line.amount)).any(Fen::is_negative) {
        return Err(RefundError::NotPositive);
    }
    let on_lines = Fen::try_sum(new.lines.iter().map(|line| line.amount))?;
    if !new.lines.is_empty() && on_lines.try_add(new.freight)? != new.amount {
        return Err(RefundError::LinesDisagree { lines: on_lines, freight: new.freight, amount: new.amount });
    }

    let standing: Vec<&RefundClaim> = earlier
        .into_iter()
        .filter(|refund| !refund.status.has_failed())
        .filter_map(|refund| refund.claim.as_ref())
        .collect();
    let left = paid.try_sub(Fen::try_sum(standing.iter().map(|claim| claim.amount))?)?;
    if new.amount > left {
        return Err(RefundError::ExceedsPaid { asked: new.amount, left: left.max(Fen::ZERO) });
    }

    let mut asked_by_line: BTreeMap<&str, Fen> = BTreeMap::new();
    for line in standing.iter().flat_map(|claim| &claim.lines).chain(&new.lines) {
        let asked = asked_by_line.entry(&line.line_id).or_default();
        *asked = asked.try_add(line.amount)?;
    }
    for line in &new.lines {
        let paid = paid_by_line.iter().find(|(line_id, _)| *line_id == line.line_id).map(|(_, paid)| *paid);
        let paid = paid.ok_or_else(|| RefundError::UnknownLine(line.line_id.clone()))?;
        let asked = asked_by_line.get(line.line_id.as_str()).copied().unwrap_or_default();
        if asked > paid {
            return Err(RefundError::LineExceedsPaid { line_id: line.line_id.clone(), asked, paid });
        }
    }
    Ok(())
}

/// Why a refund cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    /// Not a status.
    #[error("{0:?} is not a refund status: use one of applied, agreed, returning, rejected, cancelled, refunded")]
    UnknownStatus(String),
    /// Nothing, or less than nothing.
    #[error("a refund's amount must be above zero and none of its parts below")]
    NotPositive,
    /// The parts are not the whole.
    #[error("the refund's lines ({lines}) and freight ({freight}) do not add up to its amount ({amount}), in yuan")]
    LinesDisagree {
        /// Sum of the lines.
        lines: Fen,
        /// Freight.
        freight: Fen,
        /// The whole.
        amount: Fen,
    },
    /// More than was paid.
    #[error("a refund of {asked} yuan exceeds what is left of the payment, {left} yuan")]
    ExceedsPaid {
        /// What was asked for.
        asked: Fen,
        /// Paid less what earlier refunds took.
        left: Fen,
    },
    /// More than was paid for the line.
    #[error("refunds of {asked} yuan on line {line_id} exceed the {paid} yuan paid for it")]
    LineExceedsPaid {
        /// The line.
        line_id: String,
        /// All that refunds ask for on it, this one included.
        asked: Fen,
        /// What was paid for it.
        paid: Fen,
    },
    /// No such line.
    #[error("the order has no line {0:?}, or its full record has not arrived yet")]
    UnknownLine(String),
    /// The amounts do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}
