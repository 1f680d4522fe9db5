//! What the merchant decides about an after-sale case, and when it may be decided.

use crate::deliver::{self, Origin, SOURCE};
use crate::reservation::Held;
use crate::store::{self, KnownOrder, KnownRefund, Reason};
use domain::{Event, Latest, OutboxId, Platform, RefundFacts, RefundStatus, ReturnReceived, StockCause, Version};
use kit::{DbError, Tx, events};
use platforms::Fact;
use platforms::marketplace::{Ask, Seen};

/// A decision of the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Agree to the claim.
    Agree,
    /// Refuse the claim.
    Refuse {
        /// Why, for the buyer to read.
        reason: String,
    },
    /// The goods have come back.
    ConfirmReceipt,
}

/// What has become of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It stands: the case is of an own shop, where nobody else has a say.
    Done,
    /// The platform is told; its record will say what it made of it.
    Queued(OutboxId),
}

impl Decision {
    /// Whether it can be decided of a case that stands so. Money that has moved and a case that was withdrawn are final.
    pub fn fits(&self, status: RefundStatus) -> bool {
        match self {
            Self::Agree => matches!(status, RefundStatus::Applied | RefundStatus::Rejected),
            Self::Refuse { .. } => matches!(status, RefundStatus::Applied | RefundStatus::Returning),
            Self::ConfirmReceipt => matches!(status, RefundStatus::Agreed | RefundStatus::Returning),
        }
    }

    fn ask(self, order_id: String, refund: &KnownRefund) -> Ask {
        let after_sale_id = refund.after_sale_id.clone();
        let seen = Seen::of(&refund.facts);
        match self {
            Self::Agree => Ask::Agree { order_id, after_sale_id, seen },
            Self::Refuse { reason } => Ask::Refuse { order_id, after_sale_id, reason, seen },
            Self::ConfirmReceipt => Ask::ConfirmReceipt { order_id, after_sale_id, seen },
        }
    }
}

/// Carries a decision out.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn decide(tx: &Tx<'_>, order: &KnownOrder, refund: &KnownRefund, decision: Decision) -> Result<Decided, DbError> {
    let key = &order.key;
    if key.platform != Platform::Own {
        let ask = decision.ask(key.platform_order_id.clone(), refund);
        return deliver::ask(tx, key.platform, &key.shop_id, &ask).map(Decided::Queued);
    }
    let step = match decision {
        Decision::Agree => RefundStatus::Agreed,
        Decision::Refuse { .. } => RefundStatus::Rejected,
        Decision::ConfirmReceipt => return received(tx, order, refund).map(|()| Decided::Done),
    };
    let mut facts = RefundFacts::default();
    facts.reach(step, tx.cx().now);
    facts.raw_status = Some(Latest::new(tx.cx().now, step.as_str().to_owned()));
    let fact = Fact::Refund { order: key.clone(), after_sale_id: refund.after_sale_id.clone(), facts };
    deliver::fact(tx, fact, Origin::Record, None)?;
    Ok(Decided::Done)
}

/// The goods of a case have come back: told once, and put on the shelf again as far as the case says how many pieces. Pieces that
/// had never left the shelf are there already.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn received(tx: &Tx<'_>, order: &KnownOrder, refund: &KnownRefund) -> Result<(), DbError> {
    if !returned(tx, order, refund)? {
        return Ok(());
    }
    let claim = refund.facts.claim.as_ref().map(|claim| claim.value.lines.as_slice()).unwrap_or_default();
    let lines = order.facts.detail.as_ref().map(|detail| detail.value.lines.as_slice()).unwrap_or_default();
    for returned in claim {
        let sku = lines.iter().find(|line| line.line_id == returned.line_id).map(|line| line.sku.as_str());
        if let (Some(sku), Some(quantity)) = (sku, returned.quantity)
            && matches!(store::held(tx, order.id, sku)?, None | Some(Held::Committed))
        {
            store::move_stock(tx, sku, i64::from(quantity), Reason::order(StockCause::Returned, order.id))?;
        }
    }
    Ok(())
}

/// Notes and tells that the goods of a case have come back. False when that was known.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn returned(tx: &Tx<'_>, order: &KnownOrder, refund: &KnownRefund) -> Result<bool, DbError> {
    let new = store::mark_received(tx, refund.id)?;
    if new {
        let claim = refund.facts.claim.as_ref().map(|claim| claim.value.clone());
        let event = ReturnReceived { v: Version, refund_id: refund.id, order_id: order.id, claim, at: tx.cx().now };
        events::append(tx, SOURCE, &refund.id.to_string(), &Event::ReturnReceived(event))?;
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::Decision;
    use domain::RefundStatus;

    #[test]
    fn what_can_be_decided_depends_on_where_the_case_stands() {
        use RefundStatus::{Agreed, Applied, Cancelled, Refunded, Rejected, Returning};
        let refuse = Decision::Refuse { reason: "invented".to_owned() };
        for (status, fits) in [
            (Applied, [true, true, false]),
            (Agreed, [false, false, true]),
            (Returning, [false, true, true]),
            (Rejected, [true, false, false]),
            (Cancelled, [false, false, false]),
            (Refunded, [false, false, false]),
        ] {
            let found = [&Decision::Agree, &refuse, &Decision::ConfirmReceipt].map(|decision| decision.fits(status));
            assert_eq!(found, fits, "{status:?}");
        }
    }
}
