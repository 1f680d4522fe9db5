//! What customers do with events.

use crate::membership;
use kit::consume::{ConsumeError, Consumer};
use kit::events::Logged;
use kit::{App, Tx};

/// This function as a consumer.
pub const CONSUMER: Consumer = Consumer { name: "customers", types: membership::TYPES, apply };

fn apply(_app: &App, tx: &Tx<'_>, logged: &Logged) -> Result<(), ConsumeError> {
    let event = logged.event()?;
    // Membership comes last: it asks whose the event's identities are.
    membership::apply(tx, logged, &event)
}
