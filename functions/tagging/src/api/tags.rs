//! Tags.

use super::groups::own;
use super::{TagsRead, TagsWrite, seen};
use crate::engine::SOURCE;
use crate::rounds;
use crate::store::group as store;
use axum::Json;
use axum::extract::State;
use domain::{BackfillDue, Event, TagDefined, TagGroupId, TagId, TagRetired, Version};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{App, Cx, DbError, Problem, Tx, audit, events, host};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many tags there are at the most, as in WeCom.
pub const MOST_TAGS: i64 = 10_000;

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
pub struct TagView {
    /// Its id.
    id: TagId,
    /// Its name.
    name: String,
    /// Its group.
    group_id: TagGroupId,
    /// The group's name.
    group: String,
    /// How many customers' records have a reason for it.
    customers: i64,
}

/// A tag to be, or what a tag is called from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedBody {
    /// The name, 1 to 100 characters, unique in its group.
    name: String,
}

/// Adds a tag to a group. There are 10,000 tags at the most, as in WeCom.
#[utoipa::path(post, path = "/v1/tag-groups/{id}/tags", request_body = NamedBody, params(
        ("id" = TagGroupId, Path, description = "The group"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["tags:write"])), responses(
    (status = 201, description = "The tag", body = TagView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or the group is another store's", body = Problem),
    (status = 404, description = "No such group", body = Problem),
    (status = 409, description = "The name is taken, or there are 10,000 tags", body = Problem),
    (status = 422, description = "The name is unfit, or the key was used for another request", body = Problem),
))]
pub async fn add(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    Path(id): Path<TagGroupId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let new: NamedBody = extract::json(&body)?;
    let name = seen::name(&new.name)?;
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&app, &cx, caller, key, &request, move |tx, caller| {
        own(tx, caller, id)?;
        let tag = TagId::new(tx.cx().now, host::unique());
        if !store::add_tag(tx, tag, id, &name, MOST_TAGS)? {
            return Err(match store::tag_named(tx, id, &name)? {
                Some(_) => seen::name_taken(&name),
                None => Problem::conflict("too-many-tags", format!("there are {MOST_TAGS} tags: use those")),
            });
        }
        defined(tx, tag)?;
        audit::done(tx, caller, &tag.to_string())?;
        Answer::json(StatusCode::CREATED, &view(tx, tag)?.0)
    })
    .await
}

/// Tells what a tag is called from now on.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn defined(tx: &Tx<'_>, id: TagId) -> Result<(), DbError> {
    let Some(row) = store::tag(tx, id)? else { return Ok(()) };
    let tag_group_id = row.parse("group_id")?;
    let (name, group_name, at) = (Some(row.get("name")?), row.get("group_name")?, tx.cx().now);
    let event = TagDefined { v: Version, tag_id: Some(id), tag_group_id, name, group_name, at };
    events::append(tx, SOURCE, &id.to_string(), &Event::TagDefined(event)).map(drop)
}

/// A tag, and whose it is.
fn view(tx: &Tx<'_>, id: TagId) -> Result<(TagView, String), Problem> {
    let row = store::tag(tx, id)?.ok_or_else(|| Problem::not_found("there is no such tag"))?;
    let view = TagView {
        id: row.parse("id")?,
        name: row.get("name")?,
        group_id: row.parse("group_id")?,
        group: row.get("group_name")?,
        customers: row.get("customers")?,
    };
    Ok((view, row.get("owner")?))
}

/// One tag.
#[utoipa::path(get, path = "/v1/tags/{id}", params(("id" = TagId, Path, description = "The tag")),
    security(("token" = ["tags:read"])), responses(
    (status = 200, description = "The tag", body = TagView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such tag", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<TagsRead>,
    Path(id): Path<TagId>,
) -> Result<Json<TagView>, Problem> {
    app.db().read(&cx, |tx| view(tx, id)).await.map(|(view, _)| Json(view))
}

/// Renames a tag.
#[utoipa::path(put, path = "/v1/tags/{id}", request_body = NamedBody, params(("id" = TagId, Path, description = "The tag")),
    security(("token" = ["tags:write"])), responses(
    (status = 200, description = "The tag", body = TagView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or the group is another store's", body = Problem),
    (status = 404, description = "No such tag", body = Problem),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "The name is unfit", body = Problem),
))]
pub async fn rename(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    Path(id): Path<TagId>,
    extract::Json(change): extract::Json<NamedBody>,
) -> Result<Json<TagView>, Problem> {
    let name = seen::name(&change.name)?;
    app.db()
        .write(&cx, move |tx| {
            owned(tx, &caller, id)?;
            if !store::rename_tag(tx, id, &name)? {
                return Err(seen::name_taken(&name));
            }
            defined(tx, id)?;
            audit::done(tx, &caller, &id.to_string())?;
            Ok(Json(view(tx, id)?.0))
        })
        .await
}

/// A tag of a group that is the caller's.
fn owned(tx: &Tx<'_>, caller: &Caller<TagsWrite>, id: TagId) -> Result<TagView, Problem> {
    let (tag, owner) = view(tx, id)?;
    if caller.store.contains(Some(&owner)) {
        Ok(tag)
    } else {
        Err(Problem::forbidden(format!("the tag belongs to {owner}: ask there")))
    }
}

/// Retires a tag. Its name is free at once; customers lose it in the background, in batches, at WeCom too, and codes give it no longer. A tag that a rule
/// or a segment mentions stays.
#[utoipa::path(post, path = "/v1/tags/{id}/retire", params(("id" = TagId, Path, description = "The tag")),
    security(("token" = ["tags:write"])), responses(
    (status = 202, description = "Retired: who has it loses it"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or the group is another store's", body = Problem),
    (status = 404, description = "No such tag, or it is retired already", body = Problem),
    (status = 409, description = "A rule or a segment mentions it", body = Problem),
))]
pub async fn retire(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    Path(id): Path<TagId>,
) -> Result<StatusCode, Problem> {
    app.db()
        .write(&cx, move |tx| {
            let tag = owned(tx, &caller, id)?;
            let users = store::users(tx, id)?;
            if !users.is_empty() {
                let detail = format!("it is mentioned by {}: change or retire those first", users.join(", "));
                return Err(Problem::conflict("tag-in-use", detail));
            }
            store::retire_tag(tx, id)?;
            let event = TagRetired { v: Version, tag_id: id, tag_group_id: tag.group_id, at: tx.cx().now };
            events::append(tx, SOURCE, &id.to_string(), &Event::TagRetired(event))?;
            let due = BackfillDue { v: Version, rule_id: None, segment_id: None, tag_id: Some(id) };
            rounds::schedule(tx, tx.cx().now, &id.to_string(), due)?;
            audit::done(tx, &caller, &id.to_string())?;
            Ok(StatusCode::ACCEPTED)
        })
        .await
}
