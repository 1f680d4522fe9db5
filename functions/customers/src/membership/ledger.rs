//! The ledger of points: what comes in, what goes, what expires, and what is owed.
//!
//! Points come in as lots with an expiry, and are taken from the lots that expire first. What a reversal cannot take, since it was spent,
//! is owed: what comes in next pays it first, and no balance is below zero. The sum of all entries is what remains in lots less
//! what is owed.

use super::lots::{self, Taken};
use super::rules::PointRules;
use crate::SOURCE;
use crate::store::membership::customer::Owner;
use crate::store::membership::points::{Entry, EntryKind};
use crate::store::membership::{customer, lot, points};
use domain::{CustomerId, Event, OrderId, PointsCause, PointsChanged, PointsExpiring, PointsExpiry, UnixMs, Version};
use kit::{DbError, Tx, events};

/// How many lots expire in one step at the most; the next step follows at once.
const MOST_EXPIRED: u32 = 500;

/// Until when points can be spent, and when to remind of that.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// From when on they are worth nothing.
    pub expires_at: UnixMs,
    /// When the customer is to be reminded.
    pub remind_at: Option<UnixMs>,
}

impl Until {
    /// As the rules say of points that are credited now.
    ///
    /// # Errors
    /// [`DbError::Shape`] at the very ends of the calendar.
    pub fn by(rules: &PointRules, now: UnixMs) -> Result<Self, DbError> {
        let expires_at = rules.lifetime.ends(now).map_err(|error| DbError::Shape(error.to_string()))?;
        // A reminder that would have been due before is due at once.
        Ok(Self { expires_at, remind_at: rules.remind_at(expires_at).map(|due| due.max(now)) })
    }
}

/// Points come in as a new lot, which pays first what is owed. Tells the entry's place.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn come_in(tx: &Tx<'_>, owner: Owner, entry: &Entry, until: Until) -> Result<i64, DbError> {
    let seq = points::add_entry(tx, entry)?;
    lot::add_lot(
        tx,
        &lot::NewLot {
            entry: seq,
            customer: owner.id,
            order: entry.order,
            points: entry.points,
            expires_at: until.expires_at,
            remind_at: until.remind_at,
        },
    )?;
    settle(tx, owner.survivor, entry.at)?;
    expect_expiry(tx, owner.id)?;
    tell(tx, owner.survivor, entry)?;
    Ok(seq)
}

/// Points go. None, and nothing happens, when there are fewer.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn go(tx: &Tx<'_>, owner: Owner, entry: &Entry) -> Result<Option<i64>, DbError> {
    let asked = entry.points.saturating_neg();
    if points::balance(tx, owner.survivor, entry.at)?.points < asked {
        return Ok(None);
    }
    let taken = lots::take(&lot::lots(tx, owner.survivor, entry.at)?, asked, entry.at);
    let seq = points::add_entry(tx, entry)?;
    lot::take(tx, seq, &taken)?;
    tell(tx, owner.survivor, entry)?;
    Ok(Some(seq))
}

/// What an order had earned is taken back: first from its own lots, then from what expires first, and the rest is owed.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn reverse(tx: &Tx<'_>, owner: Owner, order: OrderId, points: i64, at: UnixMs) -> Result<(), DbError> {
    let own = lots::reverse(&lot::lots_of_order(tx, order)?, points);
    lot::reverse_expired(tx, &own.expired)?;
    let lost = lots::sum(&own.taken) + own.rest;
    if lost == 0 {
        return Ok(());
    }
    let entry = Entry {
        customer: owner.id,
        kind: EntryKind::Reverse,
        points: -lost,
        at,
        order: Some(order),
        redemption: None,
        reason: None,
        by: None,
    };
    let seq = points::add_entry(tx, &entry)?;
    lot::take(tx, seq, &own.taken)?;
    let others = lots::take(&lot::lots(tx, owner.survivor, at)?, own.rest, at);
    lot::take(tx, seq, &others)?;
    let owed = own.rest - lots::sum(&others);
    if owed > 0 {
        lot::owe(tx, seq, owner.id, owed)?;
    }
    tell(tx, owner.survivor, &entry)
}

/// What an entry took is given back to its lots, each with its own expiry.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn give_back(tx: &Tx<'_>, owner: Owner, spent: i64, entry: &Entry) -> Result<(), DbError> {
    let seq = points::add_entry(tx, entry)?;
    for customer in lot::give_back(tx, spent, seq)? {
        expect_expiry(tx, customer)?;
    }
    settle(tx, owner.survivor, entry.at)?;
    tell(tx, owner.survivor, entry)
}

/// The timer of a customer's points: what has expired is written off, what expires soon is told.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn expire(tx: &Tx<'_>, id: CustomerId, at: UnixMs) -> Result<(), DbError> {
    let Some(owner) = customer::owner_of(tx, id)? else { return Ok(()) };
    let expired = lot::expired_lots(tx, id, at, MOST_EXPIRED)?;
    if !expired.is_empty() {
        let taken: Vec<Taken> = expired.iter().map(|lot| Taken { lot: lot.entry, points: lot.remains }).collect();
        let entry = Entry {
            customer: id,
            kind: EntryKind::Expire,
            points: -lots::sum(&taken),
            at,
            order: None,
            redemption: None,
            reason: None,
            by: None,
        };
        let seq = points::add_entry(tx, &entry)?;
        lot::write_off(tx, seq, &taken)?;
        tell(tx, owner.survivor, &entry)?;
    }
    for (expires_at, points) in lot::reminders(tx, id, at)? {
        let expiring = PointsExpiring { v: Version, customer_id: owner.survivor, points, expires_at, at };
        append(tx, owner.survivor, &Event::PointsExpiring(expiring))?;
    }
    expect_expiry(tx, id)
}

/// What is owed is paid from what there is.
fn settle(tx: &Tx<'_>, survivor: CustomerId, now: UnixMs) -> Result<(), DbError> {
    for (debt, owed) in lot::debts(tx, survivor)? {
        let taken = lots::take(&lot::lots(tx, survivor, now)?, owed, now);
        if taken.is_empty() {
            break;
        }
        lot::take(tx, debt, &taken)?;
        lot::pay(tx, debt, lots::sum(&taken))?;
    }
    Ok(())
}

/// Sets the timer of what was written for a customer.
fn expect_expiry(tx: &Tx<'_>, id: CustomerId) -> Result<(), DbError> {
    let Some(due) = lot::next_expiry(tx, id)? else { return Ok(()) };
    let event = Event::PointsExpiry(PointsExpiry { v: Version, customer_id: id });
    events::schedule(tx, due, &format!("points.expiry/{id}"), SOURCE, &id.to_string(), &event)
}

fn tell(tx: &Tx<'_>, survivor: CustomerId, entry: &Entry) -> Result<(), DbError> {
    let changed = PointsChanged {
        v: Version,
        customer_id: survivor,
        delta: entry.points,
        balance: points::balance(tx, survivor, entry.at)?.points,
        cause: match entry.kind {
            EntryKind::Earn => PointsCause::Earned,
            EntryKind::Spend => PointsCause::Redeemed,
            EntryKind::Return => PointsCause::Returned,
            EntryKind::Expire => PointsCause::Expired,
            EntryKind::Reverse => PointsCause::Reversed,
            EntryKind::Adjust => PointsCause::Adjusted,
        },
        order_id: entry.order,
        at: entry.at,
    };
    append(tx, survivor, &Event::PointsChanged(changed))
}

/// Appends an event about a customer.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn append(tx: &Tx<'_>, customer: CustomerId, event: &Event) -> Result<(), DbError> {
    events::append(tx, SOURCE, &customer.to_string(), event).map(drop)
}
