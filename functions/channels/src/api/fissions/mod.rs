//! Fission campaigns: made, changed, ended, read.

pub mod participants;
pub mod tree;
pub mod view;

use super::codes;
use super::{ChannelsRead, ChannelsWrite};
use crate::State as Shared;
use crate::code::CodeKind;
use crate::fission::FissionRules;
use crate::store::fission::{self, Fission, Mark, participant};
use axum::Json;
use axum::extract::State;
use domain::{ChannelCodeId, FissionId};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, Problem, Tx, audit, unique};
use serde::Deserialize;
use utoipa::ToSchema;
use view::{FissionReport, FissionView};

/// A campaign as it is written.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FissionBody {
    /// Its name, 1 to 100 characters.
    name: String,
    /// The channel code whose plan the inviters' own codes copy: of kind `contact_way` or `account`.
    code: ChannelCodeId,
    /// Its rules. They stay as they are once somebody takes part.
    rules: FissionRules,
}

/// Campaigns, newest first.
#[utoipa::path(get, path = "/v1/fissions", params(PageQuery), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of campaigns", body = Page<FissionView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<FissionView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<Mark>(query.cursor.as_deref())?;
    let found = |tx: &Tx<'_>| fission::list(tx, caller.store.as_str(), after, limit.saturating_add(1));
    let fissions = shared.app.db().read(&cx, found).await.map_err(Problem::from)?;
    let mark = |one: &Fission| Mark { created_at: one.created_at.millis(), id: one.id };
    Ok(Json(Page::new(fissions, limit, mark).map(FissionView::new)))
}

/// One campaign, and what it has come to.
#[utoipa::path(get, path = "/v1/fissions/{id}", params(("id" = FissionId, Path, description = "The campaign")),
    security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The campaign", body = FissionReport),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such campaign among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(id): Path<FissionId>,
) -> Result<Json<FissionReport>, Problem> {
    let read = |tx: &Tx<'_>| FissionReport::read(tx, seen(tx, &caller, id)?).map_err(Problem::from);
    shared.app.db().read(&cx, read).await.map(Json)
}

/// Makes a campaign.
#[utoipa::path(post, path = "/v1/fissions", request_body = FissionBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    security(("token" = ["channels:write"])), responses(
    (status = 201, description = "The campaign", body = FissionView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 422, description = "The rules or the code are unfit: `path` names the place; or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let new: FissionBody = extract::json(&body)?;
    write_once(&shared.app, &cx, caller, key, &body, move |tx, caller| {
        let now = tx.cx().now;
        let (name, store) = check(tx, caller, &new)?;
        let FissionBody { code, rules, .. } = new;
        let id = FissionId::new(now, unique());
        let made = Fission { id, name, code, store, rules, created_at: now, ended_at: None };
        fission::add(tx, &made)?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::CREATED, &FissionView::new(made))
    })
    .await
}

/// Changes a campaign: all of it while nobody takes part, its name and its code's plan later too.
#[utoipa::path(put, path = "/v1/fissions/{id}", request_body = FissionBody, params(("id" = FissionId, Path, description = "The campaign")),
    security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The campaign", body = FissionView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such campaign among those that the caller may see", body = Problem),
    (status = 409, description = "Somebody takes part already, and the rules differ; or it was ended", body = Problem),
    (status = 422, description = "The rules or the code are unfit: `path` names the place", body = Problem),
))]
pub async fn change(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<FissionId>,
    extract::Json(body): extract::Json<FissionBody>,
) -> Result<Json<FissionView>, Problem> {
    let write = move |tx: &Tx<'_>| {
        let mut found = not_ended(seen(tx, &caller, id)?)?;
        let (name, store) = check(tx, &caller, &body)?;
        if found.rules != body.rules && participant::any(tx, id)? {
            let detail = "rules: they stay as they are, since somebody takes part: end the campaign and make another";
            return Err(Problem::conflict("fission-begun", detail));
        }
        (found.name, found.store, found.code, found.rules) = (name, store, body.code, body.rules);
        fission::change(tx, &found)?;
        audit::done(tx, &caller, &id.to_string())?;
        Ok(Json(FissionView::new(found)))
    };
    shared.app.db().write(&cx, write).await
}

/// Ends a campaign before its time: who comes by an inviter's code from now on is received as ever, and helps nobody.
#[utoipa::path(post, path = "/v1/fissions/{id}/end", params(("id" = FissionId, Path, description = "The campaign")),
    security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The campaign", body = FissionView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such campaign among those that the caller may see", body = Problem),
    (status = 409, description = "It was ended already", body = Problem),
))]
pub async fn end(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<FissionId>,
) -> Result<Json<FissionView>, Problem> {
    let write = move |tx: &Tx<'_>| {
        not_ended(seen(tx, &caller, id)?)?;
        fission::end(tx, id)?;
        audit::done(tx, &caller, &id.to_string())?;
        Ok(Json(FissionView::new(seen(tx, &caller, id)?)))
    };
    shared.app.db().write(&cx, write).await
}

/// A campaign that the caller may see.
///
/// # Errors
/// 404 where there is none.
pub fn seen<S>(tx: &Tx<'_>, caller: &Caller<S>, id: FissionId) -> Result<Fission, Problem> {
    fission::by_id(tx, id)?
        .filter(|fission| caller.store.contains(Some(&fission.store)))
        .ok_or_else(|| Problem::not_found("there is no such campaign among those that you may see"))
}

fn not_ended(fission: Fission) -> Result<Fission, Problem> {
    if fission.ended_at.is_some() {
        return Err(Problem::conflict("fission-ended", "the campaign was ended: make another"));
    }
    Ok(fission)
}

/// The name as it is kept, and the store of the code.
fn check(tx: &Tx<'_>, caller: &Caller<ChannelsWrite>, body: &FissionBody) -> Result<(String, String), Problem> {
    let unfit = |path: &str, detail: String| Problem::unprocessable("fission-unfit", detail).with("path", path);
    let name = super::label("name", &body.name)?;
    if let Err(mistake) = body.rules.check() {
        return Err(unfit(&format!("rules.{}", mistake.path), format!("rules.{mistake}")));
    }
    let Ok(code) = codes::seen(tx, caller, body.code) else {
        return Err(unfit("code", "code: there is no such code among those that you may see".to_owned()));
    };
    if !matches!(code.kind, CodeKind::ContactWay | CodeKind::Account) || code.retired_at.is_some() {
        let detail = "code: name one of kind contact_way or account that is not retired";
        return Err(unfit("code", detail.to_owned()));
    }
    Ok((name, code.store))
}
