//! What tagging do with events.

use kit::consume::{ConsumeError, Consumer};
use kit::events::Logged;
use kit::{App, Tx};

/// This function as a consumer.
pub const CONSUMER: Consumer = Consumer { name: "tagging", types: &[], apply };

fn apply(_app: &App, _tx: &Tx<'_>, _logged: &Logged) -> Result<(), ConsumeError> {
    Ok(())
}
