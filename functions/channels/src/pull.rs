//! Callbacks may be lost: once an hour WeCom is asked who the contacts of each member of staff are. Who is new, or was
//! asked about in vain, is asked about, and told as a callback would have told; who is gone is gone.

use crate::SOURCE;
use crate::arrive::contact;
use crate::push;
use crate::store::contact as store;
use domain::{ContactsDue, Event, RelationSide, UnixMs, Version};
use kit::{DbError, Tx, events};
use platforms::wecom;
use std::collections::BTreeSet;

/// How often the contacts of a member of staff are asked for, in milliseconds.
const EVERY_MS: i64 = 3_600_000;
/// How long before the answer a relation must have stood to be missed in it, in milliseconds: news may overtake the answer.
const SETTLED_MS: i64 = 60_000;

/// Sets the timer for a member of staff, unless it is set.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn remind(tx: &Tx<'_>, staff: &str, now: UnixMs) -> Result<(), DbError> {
    let due = now.try_add_millis(EVERY_MS).unwrap_or(now);
    let event = Event::ContactsDue(ContactsDue { v: Version, staff: staff.to_owned() });
    events::schedule_by(tx, due, &format!("channels.contacts/{staff}"), SOURCE, staff, &event)
}

/// Asks for the contacts of a member of staff, and sets the timer for the next time.
///
/// # Errors
/// [`DbError`] of the inserts.
pub fn ask(tx: &Tx<'_>, staff: &str, now: UnixMs) -> Result<(), DbError> {
    push::ask_wecom(tx, &wecom::Ask::ListContacts { staff: staff.to_owned() }, staff)?;
    remind(tx, staff, now)
}

/// WeCom has told who the contacts of a member of staff are.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn told(tx: &Tx<'_>, staff: &str, contacts: &[String], at: UnixMs) -> Result<(), DbError> {
    let known = store::of_staff(tx, staff)?;
    // Who was asked about in vain is asked about again, and so is of whom the whole has not come.
    let told: BTreeSet<&str> = known.iter().filter(|one| one.is_told).map(|one| one.contact.as_str()).collect();
    for unknown in contacts.iter().filter(|id| !told.contains(id.as_str())) {
        contact::ask_about(tx, unknown)?;
    }
    let listed: BTreeSet<&str> = contacts.iter().map(String::as_str).collect();
    let settled = at.millis().saturating_sub(SETTLED_MS);
    let gone =
        |one: &&store::Known| one.stands && one.since.millis() <= settled && !listed.contains(one.contact.as_str());
    for gone in known.iter().filter(gone) {
        contact::removed(tx, staff, &gone.contact, RelationSide::Staff, at)?;
    }
    Ok(())
}
