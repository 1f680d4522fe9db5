//! Groups of tags.

use super::{TagsRead, TagsWrite, seen};
use crate::engine::SOURCE;
use crate::store::group::{self as store, NewGroup};
use axum::Json;
use axum::extract::State;
use domain::{Event, TagDefined, TagGroupId, TagId, UnixMs, Version};
use http::StatusCode;
use kit::auth::{Caller, StorePath};
use kit::db::Row;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, Tx, audit, events, host};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A group of tags.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// Its id.
    id: TagGroupId,
    /// Its name.
    name: String,
    /// Whether a customer has one tag of it only: a new one takes the place of the one before.
    single: bool,
    /// Its colour, `#rrggbb`.
    colour: Option<String>,
    /// Whose it is: a place in the tree of stores, `/` for the head office.
    owner: String,
    /// When it was made.
    created_at: UnixMs,
    /// Its tags.
    tags: Vec<TagName>,
}

/// A tag by name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TagName {
    /// Its id.
    id: TagId,
    /// Its name, unique in its group.
    name: String,
}

impl GroupView {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            name: row.get("name")?,
            single: row.get("single")?,
            colour: row.get("colour")?,
            owner: row.get("owner")?,
            created_at: row.instant("created_at")?,
            tags: row.json("tags")?,
        })
    }
}

/// A group to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroupBody {
    /// Its name, 1 to 100 characters, unique.
    name: String,
    /// Whether a customer has one tag of it only. Cannot be changed later.
    #[serde(default)]
    single: bool,
    /// Its colour, `#rrggbb`.
    colour: Option<String>,
    /// Whose it is; the caller's own place unless given.
    #[schema(value_type = Option<String>)]
    owner: Option<StorePath>,
}

/// What a group is called from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    /// Its name, 1 to 100 characters, unique.
    name: String,
    /// Its colour, `#rrggbb`; none when absent.
    colour: Option<String>,
}

fn colour(text: Option<String>) -> Result<Option<String>, Problem> {
    let fits = |text: &str| {
        text.strip_prefix('#')
            .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|one| one.is_ascii_hexdigit()))
    };
    match text {
        Some(text) if !fits(&text) => Err(Problem::unprocessable("colour-unfit", "write the colour as #rrggbb")),
        text => Ok(text),
    }
}

fn view(tx: &Tx<'_>, id: TagGroupId) -> Result<GroupView, Problem> {
    let row = store::group(tx, id)?.ok_or_else(|| Problem::not_found("there is no such group of tags"))?;
    Ok(GroupView::read(&row)?)
}

/// The group, if the caller may change it.
pub fn own<S>(tx: &Tx<'_>, caller: &Caller<S>, id: TagGroupId) -> Result<GroupView, Problem> {
    let view = view(tx, id)?;
    if caller.store.contains(Some(&view.owner)) {
        return Ok(view);
    }
    Err(Problem::forbidden(format!("the group belongs to {}: ask there", view.owner)))
}

/// Tells what a group is called from now on.
fn renamed(tx: &Tx<'_>, id: TagGroupId, group_name: String) -> Result<(), DbError> {
    let (v, at) = (Version, tx.cx().now);
    let event = TagDefined { v, tag_id: None, tag_group_id: id, name: None, group_name, at };
    events::append(tx, SOURCE, &id.to_string(), &Event::TagDefined(event)).map(drop)
}

/// Groups with their tags, oldest first.
#[utoipa::path(get, path = "/v1/tag-groups", params(PageQuery), security(("token" = ["tags:read"])), responses(
    (status = 200, description = "One page of groups", body = Page<GroupView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<TagsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<GroupView>>, Problem> {
    let rows = |tx: &Tx<'_>, after: Option<String>, most| store::groups(tx, after.as_deref(), most);
    page::list(&app, &cx, &query, rows, GroupView::read, |view| view.id.to_string()).await.map(Json)
}

/// One group.
#[utoipa::path(get, path = "/v1/tag-groups/{id}", params(("id" = TagGroupId, Path, description = "The group")),
    security(("token" = ["tags:read"])), responses(
    (status = 200, description = "The group", body = GroupView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such group", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<TagsRead>,
    Path(id): Path<TagGroupId>,
) -> Result<Json<GroupView>, Problem> {
    app.db().read(&cx, |tx| view(tx, id)).await.map(Json)
}

/// Makes a group of tags.
#[utoipa::path(post, path = "/v1/tag-groups", request_body = NewGroupBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    security(("token" = ["tags:write"])), responses(
    (status = 201, description = "The group", body = GroupView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or the owner is outside its stores", body = Problem),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "The name or the colour is unfit, or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let new: NewGroupBody = extract::json(&body)?;
    let (name, colour) = (seen::name(&new.name)?, colour(new.colour)?);
    let owner = new.owner.unwrap_or_else(|| caller.store.clone());
    if !caller.store.contains(Some(owner.as_str())) {
        return Err(Problem::forbidden("the owner is outside the stores of the token"));
    }
    write_once(&app, &cx, caller, key, &body, move |tx, caller| {
        let id = TagGroupId::new(tx.cx().now, host::unique());
        let group = NewGroup { name: &name, single: new.single, colour: colour.as_deref(), owner: owner.as_str() };
        if !store::add_group(tx, id, &group)? {
            return Err(seen::name_taken(&name));
        }
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::CREATED, &view(tx, id)?)
    })
    .await
}

/// Renames and recolours a group.
#[utoipa::path(put, path = "/v1/tag-groups/{id}", request_body = GroupChange, params(("id" = TagGroupId, Path, description = "The group")),
    security(("token" = ["tags:write"])), responses(
    (status = 200, description = "The group", body = GroupView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or the group is another store's", body = Problem),
    (status = 404, description = "No such group", body = Problem),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "The name or the colour is unfit", body = Problem),
))]
pub async fn change(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    Path(id): Path<TagGroupId>,
    extract::Json(change): extract::Json<GroupChange>,
) -> Result<Json<GroupView>, Problem> {
    let (name, colour) = (seen::name(&change.name)?, colour(change.colour)?);
    app.db()
        .write(&cx, move |tx| {
            let before = own(tx, &caller, id)?;
            if !store::change_group(tx, id, &name, colour.as_deref())? {
                return Err(seen::name_taken(&name));
            }
            if before.name != name {
                renamed(tx, id, name)?;
            }
            audit::done(tx, &caller, &id.to_string())?;
            view(tx, id).map(Json)
        })
        .await
}
