//! Fission at work: friends come by inviters' codes, leave, and turn out to be somebody else. All of it follows the log, in its order, and reads nothing that is
//! ahead of it: campaigns' rules stay as they are from the first participant on, what is known of people and devices came by events.

mod again;
mod came;
mod outcome;

use crate::store::fission::{self, device, known};
use crate::store::who;
use domain::{Activity, ActivityRecorded, CustomerErased, CustomerIdentified, FissionJoined, Identity, RelationSide};
use kit::consume::ConsumeError;
use kit::{DbError, Tx};

/// Somebody came by a code, or left.
///
/// # Errors
/// [`ConsumeError`] of the statements.
pub fn happened(tx: &Tx<'_>, event: &ActivityRecorded) -> Result<(), ConsumeError> {
    let Some(who) = event.identities.first() else { return Ok(()) };
    let (staff, at) = (event.staff.as_deref().unwrap_or_default(), event.at);
    match &event.activity {
        Activity::ContactAdded { code, .. } => {
            let is_new = known::is_new(tx, who, at)?;
            known::met(tx, who, staff, at.millis())?;
            let friend = came::Friend { who, staff, at, is_new };
            code.as_deref().map_or(Ok(()), |code| came::by(tx, code, friend))
        }
        Activity::AccountFollowed { .. } => Ok(known::met(tx, who, "", at.millis())?),
        Activity::CodeScanned { code } => {
            let is_new = known::began(tx, who, at)?;
            if !is_new {
                // Only followers scan without following: this one has followed since before anybody told of it.
                known::met(tx, who, "", at.millis().saturating_sub(1))?;
            }
            came::by(tx, code, came::Friend { who, staff: "", at, is_new })
        }
        // Whoever was handed over has not left.
        Activity::ContactRemoved { by: RelationSide::Handover } => Ok(()),
        Activity::ContactRemoved { .. } => left(tx, who, staff, event),
        Activity::AccountUnfollowed { .. } => left(tx, who, "", event),
        _ => Ok(()),
    }
}

/// A friend left: its help no longer counts, where the campaign says so. A friend who comes again does not help again.
fn left(tx: &Tx<'_>, who: &Identity, staff: &str, event: &ActivityRecorded) -> Result<(), ConsumeError> {
    known::left(tx, who, staff, event.at)?;
    for help in fission::help::left_behind(tx, who, staff, event.at)? {
        let Some(fission) = fission::by_id(tx, help.fission)? else { continue };
        if fission.rules.void_on_leaving {
            outcome::void(tx, &fission, &help, fission::help::LEFT, event.at)?;
        }
    }
    Ok(())
}

/// Somebody asked for a code of one's own: who brought this one is known now, and its device.
///
/// # Errors
/// [`ConsumeError`] of the statements.
pub fn joined(tx: &Tx<'_>, event: &FissionJoined) -> Result<(), ConsumeError> {
    let Some(fission) = fission::by_id(tx, event.fission_id)? else { return Ok(()) };
    let person = who::person(tx, &event.inviter)?;
    if let Some(help) = fission::help::of_person(tx, Some(fission.id), &person)?.iter().find(|help| help.brought()) {
        outcome::place(tx, help, &person)?;
    }
    let Some(hash) = &event.device else { return Ok(()) };
    if !device::seen(tx, fission.id, hash, &event.inviter)? {
        return Ok(());
    }
    again::of_person(tx, Some(fission.id), &person, event.at)?;
    // Friends of this one who came from the same device.
    for friend in device::helps_for(tx, fission.id, std::slice::from_ref(hash), &person)? {
        again::of_person(tx, Some(fission.id), &who::person(tx, &friend)?, event.at)?;
    }
    Ok(())
}

/// Identities turned out to be one customer's: helps of it that are of oneself, in a loop or repeated no longer count.
///
/// # Errors
/// [`ConsumeError`] of the statements.
pub fn identified(tx: &Tx<'_>, event: &CustomerIdentified) -> Result<(), ConsumeError> {
    let Some(who) = event.identities.first() else { return Ok(()) };
    again::of_person(tx, None, &who::person(tx, who)?, event.at)
}

/// A person's data were erased: from which devices it asked is forgotten. Its part in campaigns stays, as figures do.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forget(tx: &Tx<'_>, event: &CustomerErased) -> Result<(), DbError> {
    device::forget(tx, &crate::store::person::identities_of(tx, event.customer_id)?)
}
