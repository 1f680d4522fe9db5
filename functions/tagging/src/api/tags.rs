//! Tags.

use super::groups::own;
use super::{TagsRead, TagsWrite, seen};
use crate::store::group as store;
use axum::Json;
use axum::extract::State;
use domain::{TagGroupId, TagId};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{App, Cx, Problem, Tx, audit, host};
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
        let tag = TagId::new(tx.cx().now, host::random());
        if !store::add_tag(tx, tag, id, &name, MOST_TAGS)? {
            return Err(match store::tag_named(tx, id, &name)? {
                Some(_) => seen::name_taken(&name),
                None => Problem::conflict("too-many-tags", format!("there are {MOST_TAGS} tags: use those")),
            });
        }
        audit::done(tx, caller, &tag.to_string())?;
        Answer::json(StatusCode::CREATED, &view(tx, tag)?.0)
    })
    .await
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
            let (_, owner) = view(tx, id)?;
            if !caller.store.contains(Some(&owner)) {
                return Err(Problem::forbidden(format!("the tag belongs to {owner}: ask there")));
            }
            if !store::rename_tag(tx, id, &name)? {
                return Err(seen::name_taken(&name));
            }
            audit::done(tx, &caller, &id.to_string())?;
            Ok(Json(view(tx, id)?.0))
        })
        .await
}
