//! Webhooks in: verify, decode, write down, answer after COMMIT.

use crate::State as Shared;
use crate::deliver::{self, Origin};
use crate::settings::Settings;
use crate::store;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{Identity, IdentityKind, OrderId, Secret};
use http::HeaderMap;
use kit::extract::RawBody;
use kit::{Cx, DbError, Problem, Tx, Vault};
use platforms::doudian::{self, Mapped, Push};
use platforms::own::{self, OwnError};
use platforms::{Fact, standard_webhooks};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

const DOUYIN: &str = "douyin";
const OWN: &str = "own";
/// The purpose under which bodies in quarantine are sealed.
const QUARANTINE: &str = "inbox_quarantine.body";
/// The purpose under which buyers' phones are sealed.
const PHONE: &str = "order.phone";

/// Doudian's push: a JSON array of messages, signed by `event-sign` (op.jinritemai.com, guide 153/99). What is authentic and
/// not understood is kept in quarantine and answered as success, so that the platform does not repeat it for ever.
#[utoipa::path(post, path = "/hooks/douyin", request_body = serde_json::Value, responses(
    (status = 200, description = "Taken: `{\"code\":0,\"msg\":\"success\"}`"),
    (status = 401, description = "Not authentic", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 503, description = "Not configured, or the database is busy: repeat", body = Problem),
))]
pub async fn douyin(
    State(shared): State<Shared>,
    cx: Cx,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let Settings { doudian, vault, .. } = &*shared.settings;
    let (own_app, vault) = (doudian.as_ref()?, vault.as_ref()?.clone());
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = doudian::Headers {
        app_id: header("app-id"),
        event_sign: header("event-sign"),
        sign_method: header("sign-method"),
    };
    if let Err(error) = doudian::verify(own_app, signed, &body) {
        shared.app.count(&cx, "hooks.douyin.refused");
        let detail = error.to_string();
        return Err(Problem::unauthorized(detail.clone()).with("code", 40041).with("msg", detail));
    }
    shared
        .app
        .db()
        .write(&cx, move |tx| match doudian::decode(&body) {
            Ok(messages) => messages.iter().try_for_each(|message| douyin_message(tx, &vault, message)),
            Err(_) => quarantine(tx, &vault, DOUYIN, &body, "not an array of messages"),
        })
        .await?;
    Ok(Json(json!({ "code": 0, "msg": "success" })).into_response())
}

fn douyin_message(tx: &Tx<'_>, vault: &Vault, message: &Push) -> Result<(), Problem> {
    let content = json!([message.tag, message.data]).to_string();
    let mapped = doudian::map(message);
    if matches!(mapped, Ok(Mapped::Probe)) || !store::remember(tx, DOUYIN, &message.msg_id, content.as_bytes())? {
        return Ok(());
    }
    match mapped {
        Ok(Mapped::Fact(fact)) => {
            deliver::fact(tx, *fact, Origin::Push, None)?;
            Ok(())
        }
        Ok(Mapped::Probe) => Ok(()),
        Ok(Mapped::Unknown) => {
            quarantine(tx, vault, DOUYIN, content.as_bytes(), &format!("message {} is not known", message.tag))
        }
        Err(error) => {
            // The error's own text may quote what a person has typed: it stays out of the clear column.
            quarantine(tx, vault, DOUYIN, content.as_bytes(), &format!("message {} lacks what it must have", error.tag))
        }
    }
}

/// What an own shop hears.
#[derive(Debug, Serialize, ToSchema)]
pub struct Taken {
    /// `accepted`, or `duplicate` for a message that was taken before.
    status: &'static str,
    /// The order that it was about; absent for duplicates.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
}

/// A message of an own shop, till or mini-program, signed by Standard Webhooks 1.0.0. Order and repetition do not matter.
#[utoipa::path(post, path = "/hooks/orders", request_body = own::Message,
    params(
        ("webhook-id" = String, Header, description = "The message's id, the same on every attempt"),
        ("webhook-timestamp" = String, Header, description = "Unix seconds of this attempt, within 5 minutes"),
        ("webhook-signature" = String, Header, description = "`v1,` and Base64 of HMAC-SHA-256 over `id.timestamp.body`"),
    ),
    responses(
    (status = 200, description = "Taken", body = Taken),
    (status = 401, description = "Not authentic, or too old", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 422, description = "Authentic but not usable: says what to change; the body is kept", body = Problem),
    (status = 503, description = "Not configured, or the database is busy: repeat", body = Problem),
))]
pub async fn own(
    State(shared): State<Shared>,
    cx: Cx,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Json<Taken>, Problem> {
    let Settings { webhook_key, vault, .. } = &*shared.settings;
    let (key, vault) = (webhook_key.as_ref()?, vault.as_ref()?.clone());
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = standard_webhooks::Headers {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
    };
    if let Err(error) = standard_webhooks::verify(key, signed, &body, cx.now) {
        shared.app.count(&cx, "hooks.orders.refused");
        return Err(Problem::unauthorized(error.to_string()));
    }
    let message_id = signed.id.to_owned();
    let outcome = shared
        .app
        .db()
        .write(&cx, move |tx| match own::decode(&body).and_then(own::map) {
            Ok(mapped) => own_message(tx, &vault, &message_id, &body, mapped).map(Ok),
            Err(error) => quarantine(tx, &vault, OWN, &body, "not of the documented form").map(|()| Err(error)),
        })
        .await?;
    outcome.map(Json).map_err(|error: OwnError| Problem::unprocessable("message-unusable", error.to_string()))
}

fn own_message(
    tx: &Tx<'_>,
    vault: &Vault,
    message_id: &str,
    body: &[u8],
    mapped: own::Mapped,
) -> Result<Taken, Problem> {
    if !store::remember(tx, OWN, message_id, body)? {
        return Ok(Taken { status: "duplicate", order_id: None });
    }
    let own::Mapped { mut fact, phone } = mapped;
    let sealed = phone.map(|phone| protect(vault, &phone, &mut fact)).transpose()?;
    let order_id = deliver::fact(tx, fact, Origin::Record, sealed)?;
    Ok(Taken { status: "accepted", order_id: Some(order_id) })
}

/// Seals a phone and puts its keyed hash among the buyer's identities.
fn protect(vault: &Vault, phone: &Secret<String>, fact: &mut Fact) -> Result<Vec<u8>, Problem> {
    let internal = |error| Problem::internal(&error);
    if let Fact::Order { facts, .. } = fact {
        let value = vault.hash("phone", phone.expose()).map_err(internal)?;
        facts.identities.insert(Identity { kind: IdentityKind::PhoneHash, scope: None, value });
    }
    vault.seal(PHONE, phone.expose().as_bytes()).map_err(internal)
}

fn quarantine(tx: &Tx<'_>, vault: &Vault, source: &str, body: &[u8], reason: &str) -> Result<(), Problem> {
    tracing::warn!(source, "authentic and not understood: kept in quarantine");
    let sealed = vault.seal(QUARANTINE, body).map_err(|error| Problem::internal(&error))?;
    store::quarantine(tx, source, body, sealed, reason).map_err(|error: DbError| error.into())
}
