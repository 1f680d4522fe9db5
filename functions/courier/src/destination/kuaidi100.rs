//! Kuaidi100: parcels to watch, couriers to call for returns.

use super::exchange::{Refused, exchange, refused};
use super::{Failure, Outcome};
use crate::settings::{Settings, Watcher};
use crate::store::{self, Claimed};
use domain::Secret;
use http::StatusCode;
use kit::{App, Cx, DbError, Vault};
use platforms::kuaidi100::pickup::{self, Ordered, Pickup, SENDER, ToOrder};
use platforms::kuaidi100::{PICKUP_QUERY, RETURN, Subscription, WATCH, Watch, subscribe, subscribed};
use platforms::marketplace::{ApiError, Request};
use platforms::own::PHONE;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub async fn send(app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
    match carry(app, settings, cx, call).await {
        Ok((status, answer)) => Outcome::succeeded(status, answer),
        Err(refused) => refused.into(),
    }
}

async fn carry(app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Result<(StatusCode, Vec<u8>), Refused> {
    let account = settings.kuaidi100.as_ref().map_err(|error| Refused::Later(Failure::ours(error)))?;
    let watcher = &account.app;
    match call.operation.as_str() {
        WATCH => {
            let Watch { tracking_number } = arguments(call)?;
            let callback_url = account.callback_url.clone();
            let phone = phone_end(app, settings, cx, &tracking_number).await?;
            // Platforms name carriers each in its own way: Kuaidi100 knows them by their numbers.
            let parcel = Subscription { tracking_number, carrier: None, callback_url, phone };
            ask(app, cx, account, call, subscribe(watcher, &parcel), subscribed).await
        }
        pickup::ORDER => {
            let vault = settings.vault.as_ref().map_err(|error| Refused::Later(Failure::ours(error)))?;
            let pickup = to_order(app, cx, vault, account, arguments(call)?).await?;
            ask(app, cx, account, call, pickup::order(watcher, &pickup, cx.now), pickup::ordered).await
        }
        pickup::CANCEL => {
            let ordered: Ordered = arguments(call)?;
            let request = pickup::cancel(watcher, &ordered, "退货已取消", cx.now);
            ask(app, cx, account, call, request, pickup::cancelled).await
        }
        other => Err(Refused::Never(Failure::ours(format!("there is no operation {other}")))),
    }
}

fn arguments<T: DeserializeOwned>(call: &Claimed) -> Result<T, Refused> {
    serde_json::from_str(&call.request).map_err(|error| Refused::Never(Failure::ours(error)))
}

async fn ask<T: Serialize>(
    app: &App,
    cx: &Cx,
    account: &Watcher,
    call: &Claimed,
    request: Request,
    read: impl Fn(&[u8]) -> Result<T, ApiError>,
) -> Result<(StatusCode, Vec<u8>), Refused> {
    let (status, body) = exchange(app, cx, &account.base, request, &call.idempotency_key).await?;
    let answer = read(&body).map_err(|error| refused(Some(status), &error))?;
    Ok((status, serde_json::to_vec(&answer).map_err(|error| Refused::Never(Failure::ours(error)))?))
}

/// The last four digits of the receiver's phone, where it is known: all that carriers want.
async fn phone_end(app: &App, settings: &Settings, cx: &Cx, number: &str) -> Result<Option<Secret<String>>, Refused> {
    let number = number.to_owned();
    let row = app.db().read(cx, move |tx| store::receiver_phone(tx, &number)).await;
    let Some(sealed) = row.map_err(|error: DbError| Refused::Later(Failure::ours(error)))? else { return Ok(None) };
    let vault = settings.vault.as_ref().map_err(|error| Refused::Later(Failure::ours(error)))?;
    // Sealed with a key that is no longer there: the parcel is watched all the same.
    let clear = vault.open(PHONE, &sealed).ok().and_then(|clear| String::from_utf8(clear).ok());
    Ok(clear.and_then(|clear| Some(Secret::new(clear.get(clear.len().checked_sub(4)?..)?.to_owned()))))
}

/// What a courier is to do. Who hands the parcel over is opened here, and goes nowhere but into the request.
async fn to_order(
    app: &App,
    cx: &Cx,
    vault: &Vault,
    account: &Watcher,
    ToOrder { pickup_id }: ToOrder,
) -> Result<Pickup, Refused> {
    let row = app.db().read(cx, move |tx| store::pickup(tx, pickup_id)).await;
    let row = row.map_err(|error: DbError| Refused::Later(Failure::ours(error)))?;
    let row = row.ok_or_else(|| Refused::Never(Failure::ours("there is no such pickup")))?;
    let sender = vault.open(SENDER, &row.sender).map_err(|error| Refused::Never(Failure::ours(error)))?;
    let [name, phone, address] = RETURN.map(|setting| Secret::new(account.app.text(setting.name).to_owned()));
    Ok(Pickup {
        id: pickup_id,
        carrier: row.carrier,
        from: serde_json::from_slice(&sender).map_err(|error| Refused::Never(Failure::ours(error)))?,
        to: pickup::Party { name, phone, address },
        cargo: row.cargo,
        grams: row.grams,
        callback_url: format!("{}?{PICKUP_QUERY}={pickup_id}", account.callback_url),
    })
}
