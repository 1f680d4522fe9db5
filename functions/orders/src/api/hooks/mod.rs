//! Webhooks in: verify, decode, write down, answer after COMMIT.

pub mod kuaidi100;
pub mod marketplace;
pub mod own;
pub mod stock;

use crate::State as Shared;
use http::HeaderMap;
use kit::{Cx, Problem};
use platforms::standard_webhooks;

/// The id of a message that the merchant's own systems have signed by Standard Webhooks.
///
/// # Errors
/// 401 where it is not authentic or too old, 503 where `webhook_secret` is missing.
fn signed(shared: &Shared, cx: &Cx, hook: &str, headers: &HeaderMap, body: &[u8]) -> Result<String, Problem> {
    let key = shared.settings.webhook_key.as_ref()?;
    let signed = standard_webhooks::Headers::of(headers);
    standard_webhooks::verify(key, signed, body, cx.now).map_err(|error| {
        shared.app.count(cx, format!("hooks.{hook}.refused"));
        Problem::unauthorized(error.to_string())
    })?;
    Ok(signed.id.to_owned())
}
