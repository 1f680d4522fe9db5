//! A message comes in, by push or from a platform's queue: taken once, and understood, asked about, or kept.

use crate::deliver::{self, Origin};
use crate::store;
use domain::Platform;
use kit::{DbError, Tx, Vault, inbox};
use platforms::marketplace::{Ask, Message, Says};

/// Takes a message that is authentic.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn message(tx: &Tx<'_>, vault: &Vault, platform: Platform, message: Message) -> Result<(), DbError> {
    let Message { id, kind, content, says } = message;
    let source = platform.as_str();
    if says == Says::Nothing || !inbox::remember(tx, source, &id, content.as_bytes())? {
        return Ok(());
    }
    match says {
        Says::Nothing => Ok(()),
        Says::Fact(fact) => deliver::fact(tx, *fact, Origin::Push, None).map(drop),
        Says::Hint { shop_id, ask } => hint(tx, vault, platform, &shop_id, &ask, content.as_bytes()),
        // The reason names the kind only: more could quote what a person has typed.
        Says::NotUnderstood => {
            inbox::quarantine(tx, vault, source, content.as_bytes(), &format!("message {kind} is not understood"))
        }
    }
}

/// Asks what a hint is about. A hint may be forged, so it leaves nothing but the question, and that only for shops of ours.
fn hint(
    tx: &Tx<'_>,
    vault: &Vault,
    platform: Platform,
    shop_id: &str,
    ask: &Ask,
    content: &[u8],
) -> Result<(), DbError> {
    if store::is_connected(tx, platform, shop_id)? {
        return deliver::ask(tx, platform, shop_id, ask).map(drop);
    }
    inbox::quarantine(tx, vault, platform.as_str(), content, "the shop is not connected")
}
