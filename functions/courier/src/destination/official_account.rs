//! The merchant's Official Account.

use super::account::{Account, LIMIT, configured};
use super::exchange::Refused;
use super::{Failure, Outcome};
use crate::settings::Settings;
use crate::store::Claimed;
use http::StatusCode;
use kit::{App, Cx};
use platforms::official_account::{self, Ask, Conversation, DESTINATION};

pub async fn send(app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
    match carry(app, settings, cx, call).await {
        Ok((status, answer)) => Outcome::succeeded(status, answer),
        Err(refused) => refused.into(),
    }
}

async fn carry(app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Result<(StatusCode, Vec<u8>), Refused> {
    let never = |error: String| Refused::Never(Failure::ours(error));
    let mut ask: Ask = serde_json::from_str(&call.request).map_err(|error| never(error.to_string()))?;
    ask.check().map_err(never)?;
    if let Ask::TemplateMessage { client_message_id, .. } = &mut ask {
        // The same on every try: the platform sends it once though an answer was lost.
        client_message_id.get_or_insert_with(|| call.id.uuid().simple().to_string());
    }
    let account = Account {
        app,
        cx,
        call,
        configured: configured(&settings.official_account)?,
        name: DESTINATION,
        token_request: official_account::token_request,
        token: official_account::token,
        limit: LIMIT,
    };
    let (status, answer) = account.hold(|| Conversation(ask.clone())).await?;
    Ok((status, serde_json::to_vec(&answer).map_err(|error| never(error.to_string()))?))
}
