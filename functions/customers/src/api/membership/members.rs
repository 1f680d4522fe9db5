//! Members, for the till and for the profile.

use super::MembersRead;
use super::view::MemberView;
use crate::api::seen;
use crate::membership::card::{from_qr, is_number};
use crate::store::membership::{card, customer};
use crate::store::view;
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, Identity, IdentityKind, phone_e164};
use kit::auth::Caller;
use kit::extract::{Path, Query};
use kit::page::Page;
use kit::{App, Cx, Problem, Tx, Vault, VaultError};
use serde::Deserialize;
use utoipa::IntoParams;

/// Whom to look up: give one of these.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindQuery {
    /// The whole phone number.
    phone: Option<String>,
    /// What the card's QR says.
    qr: Option<String>,
}

/// Members by phone or by the QR of their card. Nobody is found by a part of a number.
#[utoipa::path(get, path = "/v1/members", params(FindQuery), security(("token" = ["members:read"])), responses(
    (status = 200, description = "The member, or nobody", body = Page<MemberView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn find(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<MembersRead>,
    Query(query): Query<FindQuery>,
) -> Result<Json<Page<MemberView>>, Problem> {
    let vault = Vault::new(app.variables())?;
    let sealed = |error: VaultError| Problem::internal(&error);
    let items = match (query.phone, query.qr) {
        (Some(phone), None) => {
            let phone = phone_e164(&phone)
                .ok_or_else(|| Problem::bad_request("phone is not a whole phone number: write all of its digits"))?;
            let value = vault.hash("phone", &phone).map_err(sealed)?;
            let identity = Identity { kind: IdentityKind::PhoneHash, scope: None, value };
            app.db().read(&cx, |tx| by_identity(tx, &vault, &caller, identity)).await?
        }
        (None, Some(qr)) => match from_qr(&vault, qr.trim()).map_err(sealed)? {
            Some(number) => app.db().read(&cx, |tx| by_card(tx, &vault, &caller, &number)).await?,
            None => None,
        },
        _ => return Err(Problem::bad_request("give either phone or qr; a card's number stands in the path")),
    };
    Ok(Json(Page { items: items.into_iter().collect(), next_cursor: None }))
}

fn by_identity(
    tx: &Tx<'_>,
    vault: &Vault,
    caller: &Caller<MembersRead>,
    identity: Identity,
) -> Result<Option<MemberView>, Problem> {
    let Some(owner) = customer::customer_of(tx, &[identity])? else { return Ok(None) };
    if card::cards_of(tx, owner.survivor)?.is_empty() {
        return Ok(None);
    }
    member(tx, vault, caller, owner.survivor)
}

fn by_card(
    tx: &Tx<'_>,
    vault: &Vault,
    caller: &Caller<MembersRead>,
    number: &str,
) -> Result<Option<MemberView>, Problem> {
    let Some(card) = card::card(tx, number)? else { return Ok(None) };
    match card.customer {
        Some(id) => member(tx, vault, caller, id),
        None => Err(Problem::unavailable("the card was claimed a moment ago: repeat the call")),
    }
}

fn member(
    tx: &Tx<'_>,
    vault: &Vault,
    caller: &Caller<MembersRead>,
    id: CustomerId,
) -> Result<Option<MemberView>, Problem> {
    match view::by_id(tx, id)? {
        Some(listed) if seen::sees(tx, caller, &listed)? => Ok(Some(MemberView::read(tx, vault, &listed)?)),
        _ => Ok(None),
    }
}

/// A member by the number of a card.
#[utoipa::path(get, path = "/v1/members/{card}", params(("card" = String, Path, description = "The card's number")),
    security(("token" = ["members:read"])), responses(
    (status = 200, description = "The member", body = MemberView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such card among those that the caller may see; a slip is told apart", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<MembersRead>,
    Path(number): Path<String>,
) -> Result<Json<MemberView>, Problem> {
    if !is_number(&number) {
        return Err(Problem::not_found("this is no card's number: a digit is wrong or missing"));
    }
    let vault = Vault::new(app.variables())?;
    let found = app.db().read(&cx, |tx| by_card(tx, &vault, &caller, &number)).await?;
    found.map(Json).ok_or_else(|| Problem::not_found("there is no such card among those that you may see"))
}

/// A customer as a member: cards, level here and elsewhere, points.
#[utoipa::path(get, path = "/v1/customers/{id}/membership",
    params(("id" = CustomerId, Path, description = "Any id that the customer has or had")),
    security(("token" = ["members:read"])), responses(
    (status = 200, description = "The member", body = MemberView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
))]
pub async fn membership(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<MembersRead>,
    Path(id): Path<CustomerId>,
) -> Result<Json<MemberView>, Problem> {
    let vault = Vault::new(app.variables())?;
    app.db()
        .read(&cx, |tx| {
            let seen = seen::customer(tx, &caller, id)?;
            Ok(Json(MemberView::read(tx, &vault, &seen)?))
        })
        .await
}
