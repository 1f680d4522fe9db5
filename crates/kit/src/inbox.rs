//! What came in by webhooks: digests of messages taken, and what was authentic and not understood.

use crate::{DbError, Tx, Vault, params, unique};
use domain::QuarantineId;
use sha2::{Digest, Sha256};

/// Remembers a message; tells whether it is new. A message counts as the same when its source, id and content are: two
/// different ones under one id are both taken.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn remember(tx: &Tx<'_>, source: &str, message_id: &str, content: &[u8]) -> Result<bool, DbError> {
    let added = tx.execute(
        "insert into inbox (source, digest, message_id, received_at)
         values (?1, ?2, ?3, ?4)
         on conflict (source, digest) do nothing",
        &params![source, &digest(message_id, content)[..], message_id, tx.cx().now.millis()],
    )?;
    Ok(added > 0)
}

/// The purpose under which bodies in quarantine are sealed.
const QUARANTINE: &str = "inbox_quarantine.body";

/// Keeps what was authentic and not understood, sealed. The same twice is kept once.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn quarantine(tx: &Tx<'_>, vault: &Vault, source: &str, content: &[u8], reason: &str) -> Result<(), DbError> {
    tracing::warn!(source, "authentic and not understood: kept in quarantine");
    let sealed = vault.seal(QUARANTINE, content).map_err(|error| DbError::Shape(error.to_string()))?;
    tx.execute(
        "insert into inbox_quarantine (id, source, digest, reason, body, received_at)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (source, digest) do nothing",
        &params![
            QuarantineId::new(tx.cx().now, unique()).to_string(),
            source,
            &digest("", content)[..],
            reason,
            sealed,
            tx.cx().now.millis(),
        ],
    )?;
    Ok(())
}

fn digest(message_id: &str, content: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(message_id.as_bytes());
    hasher.update([0]);
    hasher.update(content);
    hasher.finalize().into()
}
