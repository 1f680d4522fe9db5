//! A friend came by an inviter's own code.

use super::outcome;
use crate::fission::{Help as Facts, Judgement, Reason, judge};
use crate::store::fission::participant::{self, Participant};
use crate::store::fission::{self, Fission, device, help, known};
use crate::store::who;
use domain::{FissionHelpState, Identity, UnixMs};
use kit::consume::ConsumeError;
use kit::{DbError, Tx};

/// Who came.
#[derive(Clone, Copy)]
pub struct Friend<'a> {
    /// By this identity.
    pub who: &'a Identity,
    /// Whom the friend added; empty where the friend follows an account.
    pub staff: &'a str,
    /// When.
    pub at: UnixMs,
    /// Whether nobody here knew this identity before. Each counts for itself: a follower of the account who adds a member of staff for the first time is a new
    /// contact, whenever it becomes known that the two are one person.
    pub is_new: bool,
}

/// Judges a friend's help, where the code is an inviter's own.
///
/// # Errors
/// [`ConsumeError`] of the statements.
pub fn by(tx: &Tx<'_>, code: &str, friend: Friend<'_>) -> Result<(), ConsumeError> {
    let Some(inviter) = participant::by_code(tx, code)? else { return Ok(()) };
    let Some(fission) = fission::by_id(tx, inviter.fission)? else { return Ok(()) };
    // The first word on a friend and an inviter stands: the staff's confirmation is told as another add, and so is coming again. Who came too early may come again.
    let stands = help::of(tx, inviter.id, friend.who)?;
    if stands.is_some_and(|help| help.reason.as_deref() != Some(Reason::NotStarted.as_str())) {
        return Ok(());
    }
    let person = who::person(tx, friend.who)?;
    let facts = facts(tx, &fission, &inviter, &person, friend)?;
    let (state, reason) = match judge(&fission.rules(), facts) {
        Judgement::Refused(reason) => (FissionHelpState::Refused, Some(reason.as_str())),
        // The news that the friend has left may come first.
        Judgement::Counted
            if fission.rules.void_on_leaving && known::has_left(tx, friend.who, friend.staff, friend.at)? =>
        {
            (FissionHelpState::Voided, Some(help::LEFT))
        }
        Judgement::Counted => (FissionHelpState::Counted, None),
    };
    let Friend { who, staff, at, .. } = friend;
    let new = help::New { fission: fission.id, participant: inviter.id, friend: who, staff, at, state, reason };
    help::put(tx, new)?;
    if let Some(help) = help::of(tx, inviter.id, who)?.filter(help::Help::counts) {
        outcome::place(tx, &help, &person)?;
    }
    outcome::came(tx, &fission, &inviter, new)
}

fn facts(
    tx: &Tx<'_>,
    fission: &Fission,
    inviter: &Participant,
    person: &[Identity],
    friend: Friend<'_>,
) -> Result<Facts, DbError> {
    let window = fission.rules.burst.map_or(0, |burst| i64::from(burst.minutes) * 60_000);
    let above = participant::line(tx, inviter.id)?;
    let against = against(tx, fission, &above, person)?;
    Ok(Facts {
        at: friend.at,
        is_inviter: against.is_inviter,
        is_ancestor: against.is_ancestor,
        has_helped: help::of_person(tx, Some(fission.id), person)?.iter().any(help::Help::brought),
        is_new: friend.is_new,
        depth: inviter.depth.saturating_add(1),
        is_inviters_device: against.is_inviters_device,
        others_of_device: against.others_of_device,
        recent: help::recent(tx, inviter.id, friend.at.millis().saturating_sub(window), friend.at)?,
    })
}

/// What may become known of a help later.
pub struct Against {
    /// Whether the friend is the inviter.
    pub is_inviter: bool,
    /// Whether the inviter came by the friend.
    pub is_ancestor: bool,
    /// Whether the friend shares a device with the inviter.
    pub is_inviters_device: bool,
    /// How many others' helps count that came from the friend's devices.
    pub others_of_device: u32,
}

/// What is known by now of a person as a friend of the first of these participants, the others being those by whom that one came.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn against(tx: &Tx<'_>, fission: &Fission, line: &[Participant], person: &[Identity]) -> Result<Against, DbError> {
    let is_one = |one: &Participant| person.contains(&one.who);
    let devices = device::of_person(tx, fission.id, person)?;
    let inviters = match line.first() {
        Some(inviter) if !devices.is_empty() => device::of_person(tx, fission.id, &who::person(tx, &inviter.who)?)?,
        _ => Vec::new(),
    };
    Ok(Against {
        is_inviter: line.first().is_some_and(is_one),
        is_ancestor: line.iter().skip(1).any(is_one),
        is_inviters_device: devices.iter().any(|device| inviters.contains(device)),
        others_of_device: device::others(tx, fission.id, &devices, person)?,
    })
}
