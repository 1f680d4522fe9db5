//! What orders and refunds do to points and to spend.

use super::ledger::{self, Until};
use super::order::{KeptOrder, spend};
use super::rules::PointRules;
use super::standing;
use crate::store::membership::customer::{self, Owner};
use crate::store::membership::level::{ProgramRow, level, note_program};
use crate::store::membership::order as orders;
use crate::store::membership::order::{OrderRow, RefundState};
use crate::store::membership::points::{Entry, EntryKind};
use crate::store::membership::rules::{Rules, Versioned, Which, rules};
use domain::{Fen, OrderEvent, OrderId, RefundClaim, RefundId};
use kit::consume::ConsumeError;
use kit::events::Logged;
use kit::{DbError, Tx};

/// An order got on, or more became known of it.
pub fn order(tx: &Tx<'_>, logged: &Logged, step: &OrderEvent) -> Result<(), ConsumeError> {
    let known = orders::order(tx, step.order_id)?;
    // A dead letter that is replayed tells nothing new.
    if known.as_ref().is_some_and(|known| known.seq >= logged.seq) {
        return Ok(());
    }
    let kept = KeptOrder::of(&step.order);
    let owner = owner(tx, known.as_ref(), step)?;
    let mut row = match known {
        Some(known) => OrderRow { seq: logged.seq, kept, ..known },
        None => OrderRow {
            id: step.order_id,
            customer: None,
            seq: logged.seq,
            paid_at: None,
            kept,
            // The rules that held when the order became known hold for all of its life.
            rules: rules::<PointRules>(tx, Rules::Points, Which::At(logged.seq))?.map_or(0, |rules| rules.version),
            level: None,
            earned: 0,
            spend: Fen::ZERO,
        },
    };
    row.paid_at = step.order.times.paid_at.or(row.paid_at).or(row.kept.paid.then_some(step.at));
    if let Some(owner) = owner {
        if row.customer.is_none() {
            row.level = level(tx, owner.survivor)?.and_then(|level| level.level);
        }
        row.customer = Some(owner.id);
        if let Some(level) = &step.order.member_level {
            let program = step.order.key.platform.as_str().to_owned();
            note_program(tx, owner.id, &ProgramRow { program, level: level.clone(), at: step.at })?;
        }
    }
    settle(tx, logged, row, owner)
}

/// Whose an order is: the first customer that it was written for stays.
fn owner(tx: &Tx<'_>, known: Option<&OrderRow>, step: &OrderEvent) -> Result<Option<Owner>, DbError> {
    match known.and_then(|known| known.customer) {
        Some(id) => customer::owner_of(tx, id),
        None => customer::customer_of(tx, &step.order.identities),
    }
}

/// A refund got on. It may be told before its order is.
pub fn refund(
    tx: &Tx<'_>,
    logged: &Logged,
    id: RefundId,
    order: OrderId,
    state: RefundState,
    claim: Option<&RefundClaim>,
) -> Result<(), ConsumeError> {
    orders::save_refund(tx, id, order, state, claim)?;
    let Some(row) = orders::order(tx, order)? else { return Ok(()) };
    let owner = row.customer.map(|id| customer::owner_of(tx, id)).transpose()?.flatten();
    settle(tx, logged, row, owner)
}

/// Credits or takes back what an order now earns more or less than it had, and counts what was spent.
fn settle(tx: &Tx<'_>, logged: &Logged, mut row: OrderRow, owner: Option<Owner>) -> Result<(), ConsumeError> {
    let refunds = orders::refunds(tx, row.id)?;
    let net = row.kept.net(&refunds);
    row.spend = if row.kept.paid { spend(&net) } else { Fen::ZERO };
    let before = row.earned;
    let rules = rules::<PointRules>(tx, Rules::Points, Which::Number(row.rules))?;
    row.earned = match (&rules, owner) {
        (Some(rules), Some(_)) => rules.rules.earned(&row.kept, &net, row.level.as_deref()),
        _ => 0,
    };
    orders::save_order(tx, &row)?;
    let Some(owner) = owner else { return Ok(()) };
    if let Some(rules) = rules {
        credit(tx, logged, &row, owner, before, &rules)?;
    }
    Ok(standing::renew(tx, logged, owner.survivor)?)
}

fn credit(
    tx: &Tx<'_>,
    logged: &Logged,
    row: &OrderRow,
    owner: Owner,
    before: i64,
    rules: &Versioned<PointRules>,
) -> Result<(), DbError> {
    let difference = row.earned.saturating_sub(before);
    if difference < 0 {
        return ledger::reverse(tx, owner, row.id, -difference, logged.time);
    }
    if difference > 0 {
        let entry = Entry {
            customer: owner.id,
            kind: EntryKind::Earn,
            points: difference,
            at: logged.time,
            order: Some(row.id),
            redemption: None,
            reason: None,
            by: None,
        };
        ledger::come_in(tx, owner, &entry, Until::by(&rules.rules, logged.time)?)?;
    }
    Ok(())
}
