//! Follow-ups: what staff wrote down of a contact, and when they are to get in touch again.

use crate::SOURCE;
use crate::store::follow_up::{self as store, FollowUp};
use domain::{
    CustomerId, Event, FollowUpDue, FollowUpId, FollowUpOutcome, FollowUpRecorded, FollowUpStep, UnixMs, Version,
};
use kit::{DbError, Tx, Vault, VaultError, events};

/// The purpose under which notes are sealed.
const NOTE: &str = "customer.follow_up";
/// The longest note, in bytes.
pub const LONGEST_NOTE: usize = 4000;
/// How far ahead a next date may lie, in milliseconds: two years.
const FARTHEST_MS: i64 = 2 * 366 * 86_400_000;

/// Seals a note.
///
/// # Errors
/// [`DbError::Shape`] where it is too long for the cipher.
pub fn seal(vault: &Vault, note: &str) -> Result<Vec<u8>, DbError> {
    vault.seal(NOTE, note.as_bytes()).map_err(|error| DbError::Shape(error.to_string()))
}

/// A note in clear.
///
/// # Errors
/// [`VaultError`] when another key has sealed it.
pub fn open(vault: &Vault, sealed: &[u8]) -> Result<String, VaultError> {
    vault.open(NOTE, sealed).map(|clear| String::from_utf8_lossy(&clear).into_owned())
}

/// Checks when a member of staff wants to be reminded.
///
/// # Errors
/// What to change.
pub fn check_next(next_at: UnixMs, now: UnixMs) -> Result<(), &'static str> {
    if next_at <= now {
        return Err("next_at: lies in the past: give a time to come, or leave it out");
    }
    if next_at.millis().saturating_sub(now.millis()) > FARTHEST_MS {
        return Err("next_at: lies more than two years ahead");
    }
    Ok(())
}

/// Writes a follow-up down, and schedules its reminder.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn record(tx: &Tx<'_>, new: &FollowUp) -> Result<(), DbError> {
    store::insert(tx, new)?;
    remind(tx, new)?;
    tell(tx, new, FollowUpStep::Recorded, new.outcome, tx.cx().now)
}

/// Moves the next date of an open follow-up.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn moved(tx: &Tx<'_>, follow_up: &FollowUp) -> Result<(), DbError> {
    remind(tx, follow_up)?;
    tell(tx, follow_up, FollowUpStep::Moved, follow_up.outcome, tx.cx().now)
}

/// What was to be done next was done: nobody is reminded of it any more.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn done(tx: &Tx<'_>, follow_up: &FollowUp, outcome: FollowUpOutcome) -> Result<(), DbError> {
    forget(tx, follow_up.id)?;
    tell(tx, &FollowUp { next_at: None, ..follow_up.clone() }, FollowUpStep::Done, outcome, tx.cx().now)
}

/// What one member of staff had still to do with a customer is the other's from now on.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn hand_over(tx: &Tx<'_>, id: CustomerId, (from, to): (&str, &str), at: UnixMs) -> Result<(), DbError> {
    for follow_up in store::hand_over(tx, id, from, to)? {
        // A reminder whose time has come was given.
        if follow_up.next_at.is_some_and(|next_at| next_at > at) {
            remind(tx, &follow_up)?;
        }
        tell(tx, &follow_up, FollowUpStep::Moved, follow_up.outcome, at)?;
    }
    Ok(())
}

/// Takes a reminder back.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget(tx: &Tx<'_>, id: FollowUpId) -> Result<(), DbError> {
    events::cancel(tx, &key(id)).map(drop)
}

fn key(id: FollowUpId) -> String {
    format!("customers.follow_up/{id}")
}

fn remind(tx: &Tx<'_>, follow_up: &FollowUp) -> Result<(), DbError> {
    let Some(next_at) = follow_up.next_at else { return forget(tx, follow_up.id) };
    let due = FollowUpDue {
        v: Version,
        follow_up_id: follow_up.id,
        customer_id: follow_up.customer,
        staff: follow_up.staff.clone(),
        next_at,
    };
    let subject = follow_up.customer.to_string();
    events::schedule(tx, next_at, &key(follow_up.id), SOURCE, &subject, &Event::FollowUpDue(due))
}

fn tell(
    tx: &Tx<'_>,
    follow_up: &FollowUp,
    step: FollowUpStep,
    outcome: FollowUpOutcome,
    at: UnixMs,
) -> Result<(), DbError> {
    let event = FollowUpRecorded {
        v: Version,
        follow_up_id: follow_up.id,
        customer_id: follow_up.customer,
        staff: follow_up.staff.clone(),
        step,
        outcome,
        next_at: follow_up.next_at,
        at,
    };
    events::append(tx, SOURCE, &follow_up.customer.to_string(), &Event::FollowUpRecorded(event)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_date_lies_ahead_and_not_too_far() {
        let at = |millis| UnixMs::from_millis(millis).unwrap();
        let now = 1_771_032_600_000;
        for (next_at, fits) in
            [(now - 1, false), (now, false), (now + 1, true), (now + FARTHEST_MS, true), (now + FARTHEST_MS + 1, false)]
        {
            assert_eq!(check_next(at(next_at), at(now)).is_ok(), fits, "{}", next_at - now);
        }
    }
}
