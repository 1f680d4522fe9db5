//! Channel codes: made, changed, cloned, retired.

use super::code_view::CodeView;
use super::{ChannelsRead, ChannelsWrite};
use crate::State as Shared;
use crate::code::{CodeKind, Plan};
use crate::push;
use crate::state::short_state;
use crate::store::code::{self, Code, Mark};
use crate::store::{channel, known};
use axum::Json;
use axum::extract::State;
use domain::ChannelCodeId;
use http::StatusCode;
use kit::auth::{Caller, StorePath};
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page};
use kit::{Cx, Problem, Tx, audit, unique};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// A code as it is made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCode {
    /// The channel that it belongs to (`PUT /v1/channels/{name}`).
    pub channel: String,
    /// What it is; it stays so.
    pub kind: CodeKind,
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// The store that it hangs in, as a path: `/east/shanghai-01`; the caller's own where it is left out.
    #[serde(default)]
    pub store: Option<String>,
    /// What happens to who comes by it.
    #[serde(default)]
    pub plan: Plan,
}

/// What of a code is changed; all of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeChange {
    /// The channel that it belongs to.
    pub channel: String,
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// The store that it hangs in.
    pub store: String,
    /// What happens to who comes by it.
    pub plan: Plan,
}

/// A copy of a code.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Clone_ {
    /// The copy's name, 1 to 100 characters.
    pub name: String,
    /// The store that it hangs in; that of the original where it is left out.
    #[serde(default)]
    pub store: Option<String>,
}

/// Which codes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CodesQuery {
    /// Of this channel only.
    channel: Option<String>,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Codes, newest first.
#[utoipa::path(get, path = "/v1/channel-codes", params(CodesQuery), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of codes", body = Page<CodeView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Query(query): Query<CodesQuery>,
) -> Result<Json<Page<CodeView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<Mark>(query.cursor.as_deref())?;
    let found =
        |tx: &Tx<'_>| code::list(tx, query.channel.as_deref(), caller.store.as_str(), after, limit.saturating_add(1));
    let codes = shared.app.db().read(&cx, found).await.map_err(Problem::from)?;
    let mark = |code: &Code| Mark { created_at: code.created_at.millis(), id: code.id };
    Ok(Json(Page::new(codes, limit, mark).map(|code| CodeView::new(code, shared.public_url(), cx.now))))
}

/// One code.
#[utoipa::path(get, path = "/v1/channel-codes/{id}", params(("id" = ChannelCodeId, Path, description = "The code")),
    security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The code", body = CodeView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such code among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(id): Path<ChannelCodeId>,
) -> Result<Json<CodeView>, Problem> {
    let found = shared.app.db().read(&cx, |tx| seen(tx, &caller, id)).await?;
    Ok(Json(CodeView::new(found, shared.public_url(), cx.now)))
}

/// Makes a code. The platform makes its part in the background: `status` tells.
#[utoipa::path(post, path = "/v1/channel-codes", request_body = NewCode,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    security(("token" = ["channels:write"])), responses(
    (status = 201, description = "The code", body = CodeView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the store", body = Problem),
    (status = 422, description = "The plan is unfit: `path` names the place; or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let new: NewCode = extract::json(&body)?;
    let url = shared.public_url().map(str::to_owned);
    write_once(&shared.app, &cx, caller, key, &body, move |tx, caller| {
        let made = add(tx, caller, new)?;
        audit::done(tx, caller, &made.id.to_string())?;
        Answer::json(StatusCode::CREATED, &CodeView::new(made, url.as_deref(), tx.cx().now))
    })
    .await
}

/// Writes a new code, and asks the platform for its part.
///
/// # Errors
/// 403 for a store that the caller does not see, 422 where the channel, a tag or the plan is unfit.
pub fn add(tx: &Tx<'_>, caller: &Caller<ChannelsWrite>, new: NewCode) -> Result<Code, Problem> {
    add_sharing(tx, caller, new, None)
}

/// The same of a code for which another's daily caps hold.
///
/// # Errors
/// As [`add`].
pub fn add_sharing(
    tx: &Tx<'_>,
    caller: &Caller<ChannelsWrite>,
    new: NewCode,
    caps_of: Option<ChannelCodeId>,
) -> Result<Code, Problem> {
    let now = tx.cx().now;
    let store = new.store.unwrap_or_else(|| caller.store.as_str().to_owned());
    let code = Code {
        id: ChannelCodeId::new(now, unique()),
        channel: new.channel,
        kind: new.kind,
        name: super::label("name", &new.name)?,
        state: short_state(),
        store,
        plan: new.plan,
        caps_of,
        version: 1,
        asked: None,
        config_id: None,
        url: None,
        trouble: None,
        expires_at: None,
        created_at: now,
        changed_at: now,
        retired_at: None,
    };
    check(tx, caller, &code)?;
    code::add(tx, &code)?;
    push::begin(tx, &code)?;
    Ok(code)
}

/// Changes a code: its plan holds from now on, and the platform is asked for its part where that differs.
#[utoipa::path(put, path = "/v1/channel-codes/{id}", request_body = CodeChange,
    params(("id" = ChannelCodeId, Path, description = "The code")),
    security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The code", body = CodeView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the store", body = Problem),
    (status = 404, description = "No such code among those that the caller may see", body = Problem),
    (status = 409, description = "It is retired", body = Problem),
    (status = 422, description = "The plan is unfit: `path` names the place", body = Problem),
))]
pub async fn change(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<ChannelCodeId>,
    extract::Json(body): extract::Json<CodeChange>,
) -> Result<Json<CodeView>, Problem> {
    let write = move |tx: &Tx<'_>| {
        let mut code = in_use(seen(tx, &caller, id)?)?;
        stays_exclusive(&code, &body.plan)?;
        code.channel = body.channel;
        code.name = super::label("name", &body.name)?;
        code.store = body.store;
        code.plan = body.plan;
        check(tx, &caller, &code)?;
        code::change(tx, &code)?;
        push::begin(tx, &code)?;
        audit::done(tx, &caller, &id.to_string())?;
        seen(tx, &caller, id)
    };
    let changed = shared.app.db().write(&cx, write).await?;
    Ok(Json(CodeView::new(changed, shared.public_url(), cx.now)))
}

/// Makes a copy of a code, with a state of its own.
#[utoipa::path(post, path = "/v1/channel-codes/{id}/clone", request_body = Clone_, params(
        ("id" = ChannelCodeId, Path, description = "The code"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["channels:write"])), responses(
    (status = 201, description = "The copy", body = CodeView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the store", body = Problem),
    (status = 404, description = "No such code among those that the caller may see", body = Problem),
    (status = 422, description = "The name is unfit, or the key was used for another request", body = Problem),
))]
pub async fn clone(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<ChannelCodeId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let copy: Clone_ = extract::json(&body)?;
    let url = shared.public_url().map(str::to_owned);
    write_once(&shared.app, &cx, caller, key, &body, move |tx, caller| {
        let Code { channel, kind, store, mut plan, .. } = seen(tx, caller, id)?;
        // The name of the original's store is not another's.
        plan.store_name = plan.store_name.filter(|_| copy.store.as_ref().is_none_or(|other| *other == store));
        let store = Some(copy.store.unwrap_or(store));
        let made = add(tx, caller, NewCode { channel, kind, name: copy.name, store, plan })?;
        audit::done(tx, caller, &made.id.to_string())?;
        Answer::json(StatusCode::CREATED, &CodeView::new(made, url.as_deref(), tx.cx().now))
    })
    .await
}

/// Retires a code: the platform forgets it, who comes by it all the same is still credited to it.
#[utoipa::path(post, path = "/v1/channel-codes/{id}/retire", params(
        ("id" = ChannelCodeId, Path, description = "The code"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The code", body = CodeView),
    (status = 400, description = "The key is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such code among those that the caller may see", body = Problem),
    (status = 409, description = "It is retired already", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn retire(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<ChannelCodeId>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let url = shared.public_url().map(str::to_owned);
    write_once(&shared.app, &cx, caller, key, id.to_string().as_bytes(), move |tx, caller| {
        let found = in_use(seen(tx, caller, id)?)?;
        code::retire(tx, id)?;
        push::withdraw(tx, &found)?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::OK, &CodeView::new(seen(tx, caller, id)?, url.as_deref(), tx.cx().now))
    })
    .await
}

/// A code that the caller may see.
///
/// # Errors
/// 404 where there is none.
pub fn seen<S>(tx: &Tx<'_>, caller: &Caller<S>, id: ChannelCodeId) -> Result<Code, Problem> {
    code::by_id(tx, id)?
        .filter(|code| caller.store.contains(Some(&code.store)))
        .ok_or_else(|| Problem::not_found("there is no such code among those that you may see"))
}

/// WeCom takes `is_exclusive` when a contact way is made, not when it is changed (developer.work.weixin.qq.com 92228).
fn stays_exclusive(code: &Code, plan: &Plan) -> Result<(), Problem> {
    let is_exclusive = |plan: &Plan| plan.reception.as_ref().is_some_and(|reception| reception.exclusive);
    let is_asked = code.kind == CodeKind::ContactWay && (code.asked.is_some() || code.config_id.is_some());
    if !is_asked || is_exclusive(&code.plan) == is_exclusive(plan) {
        return Ok(());
    }
    let detail = "plan.reception.exclusive: WeCom does not change this of a contact way that it has: make a new code";
    Err(Problem::unprocessable("code-unfit", detail).with("path", "plan.reception.exclusive"))
}

fn in_use(code: Code) -> Result<Code, Problem> {
    if code.retired_at.is_some() {
        return Err(Problem::conflict("retired", "the code is retired: clone it to use it again"));
    }
    Ok(code)
}

fn check(tx: &Tx<'_>, caller: &Caller<ChannelsWrite>, code: &Code) -> Result<(), Problem> {
    let unfit = |path: &str, detail: String| Problem::unprocessable("code-unfit", detail).with("path", path);
    StorePath::try_from(code.store.clone()).map_err(|error| unfit("store", format!("store: {error}")))?;
    caller.reaches(&code.store)?;
    if !channel::exists(tx, &code.channel)? {
        let detail = format!("channel: there is no {:?}: make it with PUT /v1/channels/{{name}}", code.channel);
        return Err(unfit("channel", detail));
    }
    if let Err(mistake) = code.plan.check(code.kind) {
        return Err(unfit(&format!("plan.{}", mistake.path), format!("plan.{mistake}")));
    }
    if let Some(tag) = known::missing_tags(tx, &code.plan.tags)?.first() {
        return Err(unfit("plan.tags", format!("plan.tags: there is no tag {tag}")));
    }
    Ok(())
}
