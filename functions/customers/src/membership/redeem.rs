//! Points given for something, and given back.

use super::ledger::{self, Until, append};
use super::rules::{Lifetime, PointRules};
use crate::store::membership::customer::{Owner, owner_of};
use crate::store::membership::points::{Entry, EntryKind, balance};
use crate::store::membership::redemption::{self, RedemptionRow};
use crate::store::membership::reward;
use crate::store::membership::rules::{Rules, Which, rules};
use domain::{CustomerId, Event, PointsRedeemed, RedemptionCancelled, RedemptionId, RewardId, UnixMs, Version};
use kit::{DbError, Tx, host};

/// Why points are not given.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// There are not so many.
    #[error("the customer has {balance} points, fewer than {asked}")]
    Short {
        /// What there is.
        balance: i64,
        /// What was asked for.
        asked: i64,
    },
    /// There is no such reward on offer.
    #[error("there is no such reward on offer")]
    NoReward,
    /// None is left.
    #[error("none of this reward is left")]
    SoldOut,
    /// The customer has as many as it may.
    #[error("the customer has as many of this reward as one may have")]
    Limit,
}

/// What points are given for.
#[derive(Clone, Copy, Debug)]
pub enum For {
    /// One of a reward of the catalogue.
    Reward(RewardId),
    /// Something else, for so many points.
    Points(i64),
}

/// Gives a customer's points for something.
///
/// # Errors
/// [`Refusal`].
pub fn redeem(tx: &Tx<'_>, owner: Owner, what: For, reason: &str, by: &str) -> Result<RedemptionRow, Refusal> {
    let at = tx.cx().now;
    let reward = match what {
        For::Points(_) => None,
        For::Reward(id) => {
            Some(reward::reward(tx, id)?.filter(|reward| reward.retired_at.is_none()).ok_or(Refusal::NoReward)?)
        }
    };
    let points = match (what, &reward) {
        (For::Points(points), _) => points,
        (For::Reward(_), reward) => reward.as_ref().map_or(0, |reward| reward.price),
    };
    if let Some(reward) = &reward
        && !reward::take_reward(tx, reward.id, owner.survivor)?
    {
        return Err(if reward.stock == Some(0) { Refusal::SoldOut } else { Refusal::Limit });
    }
    let id = RedemptionId::new(at, host::unique());
    let entry = Entry {
        customer: owner.id,
        kind: EntryKind::Spend,
        points: points.saturating_neg(),
        at,
        order: None,
        redemption: Some(id),
        reason: Some(reason.to_owned()),
        by: Some(by.to_owned()),
    };
    let Some(seq) = ledger::go(tx, owner, &entry)? else {
        return Err(Refusal::Short { balance: balance(tx, owner.survivor, at)?.points, asked: points });
    };
    let row = RedemptionRow {
        id,
        customer: owner.id,
        reward: reward.as_ref().map(|reward| reward.id),
        entry: seq,
        points,
        reason: reason.to_owned(),
        by: by.to_owned(),
        created_at: at,
        cancelled_at: None,
    };
    redemption::add_redemption(tx, &row)?;
    let redeemed = PointsRedeemed {
        v: Version,
        redemption_id: id,
        customer_id: owner.survivor,
        reward_id: row.reward,
        kind: reward.as_ref().map(|reward| reward.kind),
        code: reward.map(|reward| reward.code),
        points,
        at,
    };
    append(tx, owner.survivor, &Event::PointsRedeemed(redeemed))?;
    Ok(row)
}

/// Cancels a redemption: its points are back, each with its own expiry. Doing it again changes nothing.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn cancel(tx: &Tx<'_>, row: &RedemptionRow, reason: &str, by: &str) -> Result<(), DbError> {
    let at = tx.cx().now;
    let Some(owner) = owner_of(tx, row.customer)? else { return Ok(()) };
    if !redemption::cancel_redemption(tx, row.id, at)? {
        return Ok(());
    }
    let entry = Entry {
        customer: owner.id,
        kind: EntryKind::Return,
        points: row.points,
        at,
        order: None,
        redemption: Some(row.id),
        reason: Some(reason.to_owned()),
        by: Some(by.to_owned()),
    };
    ledger::give_back(tx, owner, row.entry, &entry)?;
    let cancelled = RedemptionCancelled { v: Version, redemption_id: row.id, customer_id: owner.survivor, at };
    append(tx, owner.survivor, &Event::RedemptionCancelled(cancelled))
}

/// Sets a customer's points right by so many, more or (negative) fewer. Tells the new balance.
///
/// # Errors
/// [`Refusal::Short`] when there are not so many to take.
pub fn adjust(
    tx: &Tx<'_>,
    id: CustomerId,
    points: i64,
    expires_at: Option<UnixMs>,
    reason: &str,
    by: &str,
) -> Result<i64, Refusal> {
    let at = tx.cx().now;
    let owner = Owner { id, survivor: id };
    let entry = Entry {
        customer: id,
        kind: EntryKind::Adjust,
        points,
        at,
        order: None,
        redemption: None,
        reason: Some(reason.to_owned()),
        by: Some(by.to_owned()),
    };
    if points > 0 {
        ledger::come_in(tx, owner, &entry, until(tx, expires_at, at)?)?;
    } else if ledger::go(tx, owner, &entry)?.is_none() {
        let balance = balance(tx, id, at)?.points;
        return Err(Refusal::Short { balance, asked: points.saturating_neg() });
    }
    Ok(balance(tx, id, at)?.points)
}

/// Until when points that a person gives can be spent: as told, or as the rules say, or else to the end of next year.
fn until(tx: &Tx<'_>, told: Option<UnixMs>, at: UnixMs) -> Result<Until, DbError> {
    let rules = rules::<PointRules>(tx, Rules::Points, Which::Newest)?.map(|versioned| versioned.rules);
    match (told, rules) {
        (Some(expires_at), rules) => {
            let remind_at = rules.and_then(|rules| rules.remind_at(expires_at)).map(|due| due.max(at));
            Ok(Until { expires_at, remind_at })
        }
        (None, Some(rules)) => Until::by(&rules, at),
        (None, None) => {
            let expires_at = Lifetime::EndOfNextYear.ends(at).map_err(|error| DbError::Shape(error.to_string()))?;
            Ok(Until { expires_at, remind_at: None })
        }
    }
}
