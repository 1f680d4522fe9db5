//! Kuaidi100: parcels to watch.

use super::exchange::{Refused, exchange, refused};
use super::{Failure, Outcome};
use crate::settings::Settings;
use crate::store::Claimed;
use http::StatusCode;
use kit::{App, Cx};
use platforms::kuaidi100::{Subscription, Watch, subscribe, subscribed};

pub async fn send(app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
    match watch(app, settings, cx, call).await {
        Ok(status) => Outcome::Succeeded { status: status.as_u16(), answer: b"null".to_vec() },
        Err(Refused::Token(failure) | Refused::Later(failure)) => Outcome::Retry(failure),
        Err(Refused::Never(failure)) => Outcome::Failed(failure),
    }
}

async fn watch(app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Result<StatusCode, Refused> {
    let watcher = settings.kuaidi100.as_ref().map_err(|error| Refused::Later(Failure::ours(error)))?;
    let Watch { tracking_number } =
        serde_json::from_str(&call.request).map_err(|error| Refused::Never(Failure::ours(error)))?;
    let callback_url = watcher.callback_url.clone();
    // Platforms name carriers each in its own way: Kuaidi100 knows them by their numbers.
    let parcel = Subscription { tracking_number, carrier: None, callback_url, phone: None };
    let request = subscribe(&watcher.app, &parcel);
    let (status, body) = exchange(app, cx, &watcher.base, request, &call.idempotency_key).await?;
    subscribed(&body).map_err(|error| refused(Some(status), &error))?;
    Ok(status)
}
