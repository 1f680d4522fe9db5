//! Membership: points, levels, rewards and member cards.
//!
//! Orders earn points by the merchant's rules, and spend that counts for a level; what goes back takes both away again. Everything is
//! computed from what is left of an order, never by adding up changes, so repetition and order of events do not matter.

pub mod card;
pub mod ledger;
pub mod levels;
pub mod link;
pub mod lots;
pub mod order;
pub mod redeem;
pub mod rules;
mod spending;
pub mod standing;

use crate::store::membership::card as cards;
use crate::store::membership::customer;
use crate::store::membership::level::{ProgramRow, note_program};
use crate::store::membership::order::RefundState;
use crate::store::membership::points::{Entry, EntryKind};
use crate::store::membership::privacy;
use crate::store::membership::rules::{self as stored, Rules, Which};
use domain::{Activity, CustomerId, Event, ImportedPoints, MemberJoined};
use kit::Tx;
use kit::consume::ConsumeError;
use kit::events::Logged;
use rules::PointRules;

/// Applies an event to membership. Its identities are known by now.
///
/// # Errors
/// [`ConsumeError`] of the statements, and for an order whose numbers make no sense.
pub fn apply(tx: &Tx<'_>, logged: &Logged, event: &Event) -> Result<(), ConsumeError> {
    match event {
        Event::OrderPaid(step)
        | Event::OrderDetailed(step)
        | Event::OrderSigned(step)
        | Event::OrderCompleted(step) => spending::order(tx, logged, step),
        Event::RefundRefunded(step) => {
            let claim = step.refund.claim.as_ref();
            spending::refund(tx, logged, step.refund_id, step.order_id, RefundState::Refunded, claim)
        }
        Event::ReturnReceived(back) => {
            let claim = back.claim.as_ref();
            spending::refund(tx, logged, back.refund_id, back.order_id, RefundState::Received, claim)
        }
        Event::RefundRejected(step) | Event::RefundCancelled(step) => {
            spending::refund(tx, logged, step.refund_id, step.order_id, RefundState::Failed, None)
        }
        Event::ActivityRecorded(told) => {
            let Activity::MemberLevelTold { program, level } = &told.activity else { return Ok(()) };
            let Some(owner) = customer::customer_of(tx, &told.identities)? else { return Ok(()) };
            let row = ProgramRow { program: program.clone(), level: level.clone(), at: told.at };
            Ok(note_program(tx, owner.id, &row)?)
        }
        Event::CustomerMerged(merged) => Ok(standing::renew(tx, logged, merged.customer_id)?),
        Event::CustomerSplit(split) => {
            standing::renew(tx, logged, split.customer_id)?;
            Ok(standing::renew(tx, logged, split.split_id)?)
        }
        Event::CustomerErased(erased) => Ok(privacy::erase(tx, erased.customer_id)?),
        Event::MemberJoined(joined) => self::joined(tx, logged, joined),
        Event::MemberLevelDue(due) => Ok(standing::due(tx, logged, due)?),
        Event::PointsExpiry(expiry) => Ok(ledger::expire(tx, expiry.customer_id, logged.time)?),
        _ => Ok(()),
    }
}

/// A card was claimed: now it is known whose it is.
fn joined(tx: &Tx<'_>, logged: &Logged, joined: &MemberJoined) -> Result<(), ConsumeError> {
    let Some(owner) = customer::customer_of(tx, &joined.identities)? else { return Ok(()) };
    cards::card_is_of(tx, &joined.card, owner.id)?;
    Ok(standing::renew(tx, logged, owner.survivor)?)
}

/// Points that a file of the merchant's gives. Without a last day they count as long as the rules say, or to the end of next year where there
/// are no rules.
///
/// # Errors
/// [`ConsumeError`] of the statements, and for a last day that is none.
pub fn imported(
    tx: &Tx<'_>,
    logged: &Logged,
    customer: CustomerId,
    given: &ImportedPoints,
) -> Result<(), ConsumeError> {
    let Some(owner) = customer::owner_of(tx, customer)? else { return Ok(()) };
    let rules = stored::rules::<PointRules>(tx, Rules::Points, Which::At(logged.seq))?.map(|rules| rules.rules);
    let expires_at = match &given.expires_on {
        Some(day) => rules::end_of(day).map_err(|error| ConsumeError::Refused(format!("expires_on: {error}")))?,
        None => rules
            .as_ref()
            .map_or(rules::Lifetime::EndOfNextYear, |rules| rules.lifetime)
            .ends(logged.time)
            .map_err(|error| ConsumeError::Refused(error.to_string()))?,
    };
    let remind_at = rules.and_then(|rules| rules.remind_at(expires_at)).map(|due| due.max(logged.time));
    let entry = Entry {
        customer: owner.id,
        kind: EntryKind::Adjust,
        points: given.points,
        at: logged.time,
        order: None,
        redemption: None,
        reason: None,
        by: Some("import".to_owned()),
    };
    ledger::come_in(tx, owner, &entry, ledger::Until { expires_at, remind_at })?;
    Ok(())
}
