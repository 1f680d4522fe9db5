//! What follow-ups look like outside.

use crate::follow_up;
use crate::store::customer;
use crate::store::follow_up::FollowUp;
use domain::{CustomerId, FollowUpId, FollowUpOutcome, Secret, Stage, UnixMs};
use kit::{DbError, Tx, Vault};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A contact of a member of staff with a customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFollowUp {
    /// The member of staff, by the merchant's number.
    pub staff: String,
    /// What was said, at most 4000 bytes. It is kept sealed.
    #[schema(value_type = String)]
    pub note: Secret<String>,
    /// What was achieved.
    pub outcome: FollowUpOutcome,
    /// When to get in touch again: the member of staff is reminded then. Nothing is to follow unless given.
    pub next_at: Option<UnixMs>,
}

/// What became of a follow-up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUpDone {
    /// What was achieved.
    pub outcome: FollowUpOutcome,
    /// What was said, at most 4000 bytes. It is kept sealed.
    #[schema(value_type = Option<String>)]
    pub note: Option<Secret<String>>,
}

/// Another date.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUpMove {
    /// When to get in touch.
    pub next_at: UnixMs,
}

/// A follow-up.
#[derive(Debug, Serialize, ToSchema)]
pub struct FollowUpView {
    /// Its id.
    pub id: FollowUpId,
    /// The customer, as it is named now.
    pub customer_id: CustomerId,
    /// The member of staff.
    pub staff: String,
    /// What was achieved.
    pub outcome: FollowUpOutcome,
    /// What was said; absent after the customer's data were erased, and in the answer to a POST.
    pub note: Option<String>,
    /// How far the customer had come.
    pub stage: Stage,
    /// When to get in touch again.
    pub next_at: Option<UnixMs>,
    /// Who wrote it (a token's id).
    pub actor: String,
    /// When.
    pub created_at: UnixMs,
    /// When what was to follow was done.
    pub done_at: Option<UnixMs>,
    /// What was achieved then.
    pub done_outcome: Option<FollowUpOutcome>,
    /// What was said then; absent in the answer to a POST.
    pub done_note: Option<String>,
    /// How far the customer had come then: where that is not `stage`, it has moved.
    pub done_stage: Option<Stage>,
}

impl FollowUpView {
    /// A follow-up as it is shown, its notes in clear.
    ///
    /// # Errors
    /// [`DbError`] of the query.
    pub fn new(tx: &Tx<'_>, vault: &Vault, follow_up: FollowUp) -> Result<Self, DbError> {
        let clear = |sealed: &Option<Vec<u8>>| sealed.as_deref().and_then(|note| follow_up::open(vault, note).ok());
        let customer_id = customer::survivor(tx, follow_up.customer)?.unwrap_or(follow_up.customer);
        let done = follow_up.done.as_ref();
        Ok(Self {
            id: follow_up.id,
            customer_id,
            outcome: follow_up.outcome,
            note: clear(&follow_up.note),
            stage: follow_up.stage,
            next_at: follow_up.next_at,
            created_at: follow_up.created_at,
            done_at: done.map(|done| done.at),
            done_outcome: done.map(|done| done.outcome),
            done_note: done.and_then(|done| clear(&done.note)),
            done_stage: done.map(|done| done.stage),
            staff: follow_up.staff,
            actor: follow_up.actor,
        })
    }

    /// Without what was said: answers to POSTs are kept for repetitions, and notes are kept sealed only.
    pub fn without_notes(self) -> Self {
        Self { note: None, done_note: None, ..self }
    }
}
