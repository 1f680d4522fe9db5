//! Contents that can be tracked, and links to them.

pub mod report;

use super::{ChannelsRead, ChannelsWrite};
use crate::State as Shared;
use crate::radar::{ContentBody, ContentKind};
use crate::state::short_state;
use crate::store::radar::content::{self, Content, Mark};
use crate::store::radar::share::{self, Share};
use axum::Json;
use axum::extract::State;
use domain::{ContentId, Identity, UnixMs};
use http::StatusCode;
use kit::auth::{Caller, StorePath};
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, Problem, Tx, audit, unique};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A content whose links tell when they are read (雷达内容).
#[derive(Debug, Serialize, ToSchema)]
pub struct ContentView {
    /// Its id.
    id: ContentId,
    /// What it is.
    kind: ContentKind,
    /// What it is called.
    title: String,
    /// Where it lies.
    url: String,
    /// The merchant's product code.
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    /// Whether the page that counts shows it inside itself.
    embed: bool,
    /// The store that it belongs to.
    store: String,
    /// When it was made.
    created_at: UnixMs,
    /// When it was retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    retired_at: Option<UnixMs>,
}

impl ContentView {
    fn new(content: Content) -> Self {
        let Content { id, kind, title, url, product, embed, store, created_at, retired_at } = content;
        Self { id, kind, title, url, product, embed, store, created_at, retired_at }
    }
}

/// Who shares a content, and with whom.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewShare {
    /// The member of staff who shares it, and is told of who comes back.
    staff: Option<String>,
    /// The customer whom the link is for: who opens it is taken for that one.
    identity: Option<Identity>,
    /// The token of the link that this one follows from.
    parent: Option<String>,
}

/// A link to a content.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShareView {
    /// What its address ends with.
    token: String,
    /// Its path on this application.
    path: String,
    /// Its address; absent where the variable `public_url` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// How often it was passed on: 0 where it follows from no other.
    depth: i64,
}

/// Contents, newest first.
#[utoipa::path(get, path = "/v1/contents", params(PageQuery), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of contents", body = Page<ContentView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ContentView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<Mark>(query.cursor.as_deref())?;
    let found = |tx: &Tx<'_>| content::list(tx, caller.store.as_str(), after, limit.saturating_add(1));
    let found = shared.app.db().read(&cx, found).await.map_err(Problem::from)?;
    let mark = |one: &Content| Mark { created_at: one.created_at.millis(), id: one.id };
    Ok(Json(Page::new(found, limit, mark).map(ContentView::new)))
}

/// One content.
#[utoipa::path(get, path = "/v1/contents/{id}", params(("id" = ContentId, Path, description = "The content")),
    security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The content", body = ContentView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such content among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(id): Path<ContentId>,
) -> Result<Json<ContentView>, Problem> {
    let found = shared.app.db().read(&cx, |tx| seen(tx, &caller, id)).await?;
    Ok(Json(ContentView::new(found)))
}

/// Makes a content.
#[utoipa::path(post, path = "/v1/contents", request_body = ContentBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    security(("token" = ["channels:write"])), responses(
    (status = 201, description = "The content", body = ContentView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the store", body = Problem),
    (status = 422, description = "It cannot be shown: `path` names the place; or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let new: ContentBody = extract::json(&body)?;
    write_once(&shared.app, &cx, caller, key, &body, move |tx, caller| {
        let now = tx.cx().now;
        let made = content_of(caller, ContentId::new(now, unique()), new, now)?;
        content::put(tx, &made)?;
        audit::done(tx, caller, &made.id.to_string())?;
        Answer::json(StatusCode::CREATED, &ContentView::new(made))
    })
    .await
}

/// Changes a content: links that are out lead to what it is now.
#[utoipa::path(put, path = "/v1/contents/{id}", request_body = ContentBody, params(("id" = ContentId, Path, description = "The content")),
    security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The content", body = ContentView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the store", body = Problem),
    (status = 404, description = "No such content among those that the caller may see", body = Problem),
    (status = 409, description = "It is retired", body = Problem),
    (status = 422, description = "It cannot be shown: `path` names the place", body = Problem),
))]
pub async fn change(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<ContentId>,
    extract::Json(body): extract::Json<ContentBody>,
) -> Result<Json<ContentView>, Problem> {
    let write = move |tx: &Tx<'_>| {
        let found = in_use(seen(tx, &caller, id)?)?;
        let body = ContentBody { store: Some(body.store.unwrap_or(found.store)), ..body };
        let changed = content_of(&caller, id, body, found.created_at)?;
        content::put(tx, &changed)?;
        audit::done(tx, &caller, &id.to_string())?;
        Ok(Json(ContentView::new(changed)))
    };
    shared.app.db().write(&cx, write).await
}

/// Retires a content: its links lead nowhere from now on.
#[utoipa::path(post, path = "/v1/contents/{id}/retire", params(("id" = ContentId, Path, description = "The content")),
    security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The content", body = ContentView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such content among those that the caller may see", body = Problem),
    (status = 409, description = "It is retired already", body = Problem),
))]
pub async fn retire(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<ContentId>,
) -> Result<Json<ContentView>, Problem> {
    let write = move |tx: &Tx<'_>| {
        in_use(seen(tx, &caller, id)?)?;
        content::retire(tx, id)?;
        audit::done(tx, &caller, &id.to_string())?;
        Ok(Json(ContentView::new(seen(tx, &caller, id)?)))
    };
    shared.app.db().write(&cx, write).await
}

/// Makes a link to a content.
#[utoipa::path(post, path = "/v1/contents/{id}/shares", request_body = NewShare, params(
        ("id" = ContentId, Path, description = "The content"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["channels:write"])), responses(
    (status = 201, description = "The link", body = ShareView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such content among those that the caller may see", body = Problem),
    (status = 409, description = "It is retired", body = Problem),
    (status = 422, description = "`path` names what is unfit; or the key was used for another request", body = Problem),
))]
pub async fn share(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<ContentId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let new: NewShare = extract::json(&body)?;
    let what = [id.to_string().as_bytes(), body.as_ref()].concat();
    let url = shared.public_url().map(str::to_owned);
    write_once(&shared.app, &cx, caller, key, &what, move |tx, caller| {
        let content = in_use(seen(tx, caller, id)?)?;
        let share = share_of(tx, &content, new)?;
        share::add(tx, &share)?;
        audit::done(tx, caller, &share.token)?;
        let path = format!("/r/{}", share.token);
        let address = url.map(|base| format!("{base}{path}"));
        Answer::json(StatusCode::CREATED, &ShareView { token: share.token, path, address, depth: share.depth })
    })
    .await
}

/// A content that the caller may see.
///
/// # Errors
/// 404 where there is none.
pub fn seen<S>(tx: &Tx<'_>, caller: &Caller<S>, id: ContentId) -> Result<Content, Problem> {
    content::by_id(tx, id)?
        .filter(|content| caller.store.contains(Some(&content.store)))
        .ok_or_else(|| Problem::not_found("there is no such content among those that you may see"))
}

fn in_use(content: Content) -> Result<Content, Problem> {
    if content.retired_at.is_some() {
        return Err(Problem::conflict("retired", "the content is retired: make another"));
    }
    Ok(content)
}

fn unfit(path: &str, detail: String) -> Problem {
    Problem::unprocessable("content-unfit", detail).with("path", path)
}

fn content_of(
    caller: &Caller<ChannelsWrite>,
    id: ContentId,
    body: ContentBody,
    created_at: UnixMs,
) -> Result<Content, Problem> {
    let title = super::label("title", &body.title)?;
    body.check().map_err(|mistake| unfit(&mistake.path, mistake.to_string()))?;
    let ContentBody { kind, url, product, embed, store, .. } = body;
    let store = store.unwrap_or_else(|| caller.store.as_str().to_owned());
    StorePath::try_from(store.clone()).map_err(|error| unfit("store", format!("store: {error}")))?;
    caller.reaches(&store)?;
    Ok(Content { id, kind, title, url, product, embed, store, created_at, retired_at: None })
}

fn share_of(tx: &Tx<'_>, content: &Content, new: NewShare) -> Result<Share, Problem> {
    let NewShare { staff, identity, parent } = new;
    let fits = |text: &str| (1..=256).contains(&text.len()) && !text.chars().any(char::is_control);
    if !staff.as_deref().is_none_or(|staff| fits(staff) && staff.len() <= 64) {
        return Err(unfit("staff", "staff: has 1 to 64 bytes".to_owned()));
    }
    let proves = |who: &Identity| who.kind.proves() && fits(&who.value) && who.scope.as_deref().is_none_or(fits);
    if !identity.as_ref().is_none_or(proves) {
        let detail = "identity: name one that proves who somebody is, of 1 to 256 bytes";
        return Err(unfit("identity", detail.to_owned()));
    }
    let above = parent.as_deref().map_or(Ok(None), |token| share::by_token(tx, token))?;
    if parent.is_some() && above.as_ref().is_none_or(|above| above.content != content.id) {
        return Err(unfit("parent", "parent: there is no such link to this content".to_owned()));
    }
    Ok(Share {
        token: short_state(),
        content: content.id,
        staff: staff.or_else(|| above.as_ref().and_then(|above| above.staff.clone())),
        who: identity,
        parent,
        visitor: None,
        depth: above.map_or(0, |above| above.depth.saturating_add(1)),
        created_at: tx.cx().now,
    })
}
