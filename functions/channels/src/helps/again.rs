//! Helps that count are looked at again when more is known of the friend: that it is the inviter, that it has helped before, which device it has.

use super::came::against;
use super::outcome;
use crate::fission::Reason;
use crate::store::fission::{self, help, participant};
use domain::{FissionId, Identity, UnixMs};
use kit::Tx;
use kit::consume::ConsumeError;

/// Looks at a person's helps again, in the order of time; of one campaign where it is given. What was refused stays so, and what was voided.
///
/// # Errors
/// [`ConsumeError`] of the statements.
pub fn of_person(tx: &Tx<'_>, fission: Option<FissionId>, person: &[Identity], at: UnixMs) -> Result<(), ConsumeError> {
    let helps = help::of_person(tx, fission, person)?;
    for helps in helps.chunk_by(|one, next| one.fission == next.fission) {
        let Some(fission) = helps.first().map_or(Ok(None), |help| fission::by_id(tx, help.fission))? else { continue };
        let mut has_helped = false;
        for help in helps {
            if !help.counts() {
                has_helped |= help.brought();
                continue;
            }
            let against = against(tx, &fission, &participant::line(tx, help.participant)?, person)?;
            let is_full = fission.rules.device_limit.is_some_and(|limit| against.others_of_device >= limit);
            let reasons = [
                (against.is_inviter, Reason::Oneself),
                (against.is_ancestor, Reason::Loop),
                (has_helped, Reason::Again),
                (against.is_inviters_device || is_full, Reason::Device),
            ];
            match reasons.into_iter().find(|(holds, _)| *holds) {
                Some((_, reason)) => outcome::void(tx, &fission, help, reason.as_str(), at)?,
                None => has_helped = true,
            }
        }
    }
    Ok(())
}
