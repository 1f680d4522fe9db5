//! What people wrote to accounts, kept for conversations.

use domain::{EventId, Identity, UnixMs};
use kit::{DbError, Tx, params};

/// Keeps a message. `sealed` is its text; of other forms all that it holds, as JSON.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn keep(
    tx: &Tx<'_>,
    event: EventId,
    who: &Identity,
    form: &str,
    sealed: Option<Vec<u8>>,
    at: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "insert into inbound_message (event_id, account, kind, value, form, sealed, at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &params![
            event.to_string(),
            who.scope.as_deref().unwrap_or_default(),
            who.kind.as_str(),
            who.value.as_str(),
            form,
            sealed,
            at.millis(),
        ],
    )
}
