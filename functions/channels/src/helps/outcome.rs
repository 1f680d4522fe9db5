//! What becomes of a help: the inviter's count, its levels, its place in the tree; all told to the log.

use crate::SOURCE;
use crate::fission::{crossed, fallen};
use crate::store::fission::help::{self, Help, New};
use crate::store::fission::participant::{self, Participant};
use crate::store::fission::{Fission, reward};
use domain::{Event, FissionHelpState, FissionHelped, FissionRewarded, Identity, ParticipantId, UnixMs, Version};
use kit::consume::ConsumeError;
use kit::{DbError, Tx, events};

/// Tells of a help that was written, and of levels that it reaches.
///
/// # Errors
/// [`ConsumeError`] of the statements.
pub fn came(tx: &Tx<'_>, fission: &Fission, inviter: &Participant, new: New<'_>) -> Result<(), ConsumeError> {
    let helps = participant::helps(tx, inviter.id)?;
    tell(tx, fission, inviter.id, new.friend, (new.state, new.reason), helps, new.at)?;
    if new.state != FissionHelpState::Counted {
        return Ok(());
    }
    for level in crossed(&fission.rules.levels, helps.saturating_sub(1), helps) {
        rewarded(tx, fission, inviter, level, true, new.at)?;
    }
    Ok(())
}

/// A help that counted no longer does: told, with the levels that are no longer reached.
///
/// # Errors
/// [`ConsumeError`] of the statements.
pub fn void(tx: &Tx<'_>, fission: &Fission, help: &Help, reason: &str, at: UnixMs) -> Result<(), ConsumeError> {
    if !help::void(tx, help.id, reason)? {
        return Ok(());
    }
    let Some(inviter) = participant::by_id(tx, help.participant)? else { return Ok(()) };
    let state = FissionHelpState::Voided;
    tell(tx, fission, inviter.id, &help.friend, (state, Some(reason)), inviter.helps, at)?;
    for level in fallen(&fission.rules.levels, inviter.helps.saturating_add(1), inviter.helps) {
        rewarded(tx, fission, &inviter, level, false, at)?;
    }
    // Whoever has left was brought all the same; whoever is somebody else was not.
    match help.became {
        Some(friend) if reason != help::LEFT => {
            help::became(tx, help.id, None)?;
            Ok(participant::place(tx, friend, None)?)
        }
        _ => Ok(()),
    }
}

/// Where the friend takes part too, it stands below who brought it from now on; whoever has been placed stays there.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn place(tx: &Tx<'_>, help: &Help, person: &[Identity]) -> Result<(), DbError> {
    let own = participant::of_person(tx, help.fission, person)?;
    let Some(friend) = own.first().filter(|friend| friend.parent.is_none()) else { return Ok(()) };
    // The judgement has seen to it; a walk that does not end would be worse than a pair that is missing.
    if participant::line(tx, help.participant)?.iter().any(|one| one.id == friend.id) {
        return Ok(());
    }
    help::became(tx, help.id, Some(friend.id))?;
    participant::place(tx, friend.id, Some(help.participant))
}

fn tell(
    tx: &Tx<'_>,
    fission: &Fission,
    participant_id: ParticipantId,
    friend: &Identity,
    (state, reason): (FissionHelpState, Option<&str>),
    helps: u32,
    at: UnixMs,
) -> Result<(), ConsumeError> {
    let event = FissionHelped {
        v: Version,
        fission_id: fission.id,
        participant_id,
        friend: friend.clone(),
        state,
        reason: reason.map(str::to_owned),
        helps,
        at,
    };
    events::append(tx, SOURCE, &participant_id.to_string(), &Event::FissionHelped(event))?;
    Ok(())
}

fn rewarded(
    tx: &Tx<'_>,
    fission: &Fission,
    inviter: &Participant,
    level: u32,
    owed: bool,
    at: UnixMs,
) -> Result<(), ConsumeError> {
    if !reward::set(tx, inviter.id, level, owed, at)? {
        return Ok(());
    }
    let place = usize::try_from(level).unwrap_or(usize::MAX).saturating_sub(1);
    let event = FissionRewarded {
        v: Version,
        fission_id: fission.id,
        participant_id: inviter.id,
        inviter: inviter.who.clone(),
        level,
        reward: fission.rules.levels.get(place).map(|level| level.reward.clone()).unwrap_or_default(),
        at,
    };
    let event = if owed { Event::FissionRewarded(event) } else { Event::FissionRewardVoided(event) };
    events::append(tx, SOURCE, &inviter.id.to_string(), &event)?;
    Ok(())
}
