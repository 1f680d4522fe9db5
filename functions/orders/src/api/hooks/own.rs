//! Messages of own shops, tills and mini-programs.

use crate::State as Shared;
use crate::deliver::{self, Origin};
use crate::{parcels, store};
use axum::Json;
use axum::extract::State;
use domain::{Identity, IdentityKind, OrderId, Secret};
use http::HeaderMap;
use kit::extract::RawBody;
use kit::{Cx, Problem, Tx, Vault, inbox};
use platforms::Fact;
use platforms::own::{self, OwnError, PHONE};
use serde::Serialize;
use utoipa::ToSchema;

/// The source of these messages in the inbox.
const OWN: &str = "own";

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
    let message_id = super::signed(&shared, &cx, "orders", &headers, &body)?;
    let vault = shared.settings.vault.as_ref()?.clone();
    let watched = shared.settings.kuaidi100.is_ok();
    let outcome = shared
        .app
        .db()
        .write(&cx, move |tx| match own::decode(&body).and_then(own::map) {
            Ok(mapped) => own_message(tx, &vault, &message_id, &body, mapped, watched).map(Ok),
            Err(error) => {
                Ok(inbox::quarantine(tx, &vault, OWN, &body, "not of the documented form").map(|()| Err(error))?)
            }
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
    watched: bool,
) -> Result<Taken, Problem> {
    if !inbox::remember(tx, OWN, message_id, body)? {
        return Ok(Taken { status: "duplicate", order_id: None });
    }
    let own::Mapped { mut fact, phone, pickup } = mapped;
    let sealed = phone.map(|phone| protect(vault, &phone, &mut fact)).transpose()?;
    let case = match &fact {
        Fact::Refund { after_sale_id, .. } => Some(after_sale_id.clone()),
        Fact::Order { .. } => None,
    };
    let has_parcels = parcels::are_in(&fact);
    let order_id = deliver::fact(tx, fact, Origin::Record, sealed)?;
    if watched && has_parcels {
        parcels::watch(tx, order_id)?;
    }
    if let (Some(wish), Some(case)) = (pickup, case)
        && let Some(refund) = store::find_refund(tx, order_id, &case)?
        && refund.facts.status().is_some_and(|status| !status.has_failed())
    {
        crate::pickup::want(tx, vault, &refund, &wish)?;
    }
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
