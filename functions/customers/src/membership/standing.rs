//! A customer's level of membership: computed anew whenever something may have changed it, told when it has.

use super::ledger::append;
use super::levels::{LevelRules, Standing};
use crate::SOURCE;
use crate::store::membership::customer::owner_of;
use crate::store::membership::level::{LevelRow, customers_after, level, save_level};
use crate::store::membership::order::spends;
use crate::store::membership::rules::{Rules, Which, rules};
use domain::{CustomerId, Event, MemberLevelChanged, MemberLevelDue, UnixMs, Version};
use kit::events::Logged;
use kit::{DbError, Tx, events};

/// How many customers one step of a run over all looks at.
const MOST: u32 = 200;

/// Looks at a customer's level as of an event.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn renew(tx: &Tx<'_>, logged: &Logged, id: CustomerId) -> Result<(), DbError> {
    let Some(owner) = owner_of(tx, id)? else { return Ok(()) };
    let id = owner.survivor;
    let held = level(tx, id)?;
    // A timer that comes late carries the time at which it was due: never look back behind what was told.
    let at = held.as_ref().map_or(logged.time, |held| held.at.max(logged.time));
    let Some(versioned) = rules::<LevelRules>(tx, Rules::Levels, Which::At(logged.seq))? else { return Ok(()) };
    let standing = standing(tx, &versioned.rules, id, at)?;
    let now = versioned.rules.name(standing.level).map(str::to_owned);
    let before = held.as_ref().and_then(|held| held.level.clone());
    let since = if before == now { held.map_or(at, |held| held.since) } else { at };
    save_level(tx, id, &LevelRow { level: now.clone(), since, at })?;
    if before != now {
        let changed = MemberLevelChanged {
            v: Version,
            customer_id: id,
            from: before,
            to: now,
            cause: logged.type_name.clone(),
            at,
        };
        append(tx, id, &Event::MemberLevelChanged(changed))?;
    }
    let key = format!("member.level_due/{id}");
    match standing.next {
        Some(next) => {
            let event = Event::MemberLevelDue(MemberLevelDue { v: Version, customer_id: Some(id), after: None });
            events::schedule(tx, next, &key, SOURCE, &id.to_string(), &event)
        }
        None => events::cancel(tx, &key).map(drop),
    }
}

/// A customer's level by these rules at an instant.
///
/// # Errors
/// [`DbError`] of the query.
pub fn standing(tx: &Tx<'_>, rules: &LevelRules, survivor: CustomerId, at: UnixMs) -> Result<Standing, DbError> {
    let spends = spends(tx, survivor, rules.reach(at))?;
    rules.standing(&spends, at).map_err(|error| DbError::Shape(error.to_string()))
}

/// The timer: of one customer, or the next step of a run over all.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn due(tx: &Tx<'_>, logged: &Logged, due: &MemberLevelDue) -> Result<(), DbError> {
    if let Some(id) = due.customer_id {
        return renew(tx, logged, id);
    }
    let customers = customers_after(tx, due.after, MOST)?;
    for id in &customers {
        renew(tx, logged, *id)?;
    }
    match customers.last() {
        Some(last) => run_over_all(tx, logged.time, Some(*last)),
        None => Ok(()),
    }
}

/// Has all customers looked at, some at a time: their rules have changed.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn run_over_all(tx: &Tx<'_>, now: UnixMs, after: Option<CustomerId>) -> Result<(), DbError> {
    let event = Event::MemberLevelDue(MemberLevelDue { v: Version, customer_id: None, after });
    events::schedule(tx, now, "member.level_due", SOURCE, "members", &event)
}
