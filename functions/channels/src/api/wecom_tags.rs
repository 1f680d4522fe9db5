//! Groups of tags that are kept at WeCom too.

use super::{ChannelsRead, ChannelsWrite};
use crate::store::known::{self, TagGroup};
use crate::store::wecom_tag::{self as store, Group, Tag};
use crate::tags::{self, LONGEST_NAME, MOST_TAGS};
use axum::Json;
use axum::extract::State;
use domain::{TagGroupId, TagId};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{Path, Query};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, Tx, audit};
use serde::Serialize;
use utoipa::ToSchema;

/// How far a group of tags is at WeCom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// WeCom has not answered for the group or for a tag of it.
    Creating,
    /// WeCom has the group and all of its tags.
    Synced,
    /// Something is wrong with the group or a tag of it.
    Trouble,
}

/// A group of tags that is kept at WeCom too.
#[derive(Debug, Serialize, ToSchema)]
pub struct WecomTagGroupView {
    /// The group.
    tag_group_id: TagGroupId,
    /// What it is called here.
    name: String,
    /// How far it is.
    state: SyncState,
    /// Its id at WeCom.
    wecom_id: Option<String>,
    /// What WeCom calls it, where that is another name.
    wecom_name: Option<String>,
    /// What is wrong with it.
    trouble: Option<String>,
    /// Its tags.
    tags: Vec<WecomTagView>,
    /// Names of tags that WeCom has in the group and that nobody has made here. Made here under the same name, they become one.
    only_at_wecom: Vec<String>,
}

/// A tag that is kept at WeCom too.
#[derive(Debug, Serialize, ToSchema)]
pub struct WecomTagView {
    /// The tag.
    tag_id: TagId,
    /// What it is called here.
    name: String,
    /// Its id at WeCom; absent until WeCom has made it, and after it was deleted there.
    wecom_id: Option<String>,
    /// What WeCom calls it, where that is another name.
    wecom_name: Option<String>,
    /// What is wrong with it.
    trouble: Option<String>,
}

/// What is wrong with something that WeCom calls otherwise.
fn renamed(ours: &str, theirs: Option<&str>, wecom_id: Option<&str>, trouble: Option<String>) -> Option<String> {
    let other = theirs.filter(|theirs| *theirs != ours && wecom_id.is_some());
    trouble.or_else(|| {
        other.map(|name| {
            format!("renamed at WeCom to {name:?}: rename it here, or PUT the group to have {ours:?} there")
        })
    })
}

impl WecomTagView {
    fn new(tag: Tag) -> Self {
        let trouble = renamed(&tag.name, tag.wecom_name.as_deref(), tag.wecom_id.as_deref(), tag.trouble);
        let wecom_name = tag.wecom_name.filter(|name| *name != tag.name && tag.wecom_id.is_some());
        Self { tag_id: tag.id, name: tag.name, wecom_id: tag.wecom_id, wecom_name, trouble }
    }
}

impl WecomTagGroupView {
    fn new(tx: &Tx<'_>, group: Group) -> Result<Self, DbError> {
        let tags: Vec<_> = store::tags(tx, group.id)?.into_iter().map(WecomTagView::new).collect();
        let trouble = renamed(&group.name, group.wecom_name.as_deref(), group.wecom_id.as_deref(), group.trouble);
        let state = if trouble.is_some() || tags.iter().any(|tag| tag.trouble.is_some()) {
            SyncState::Trouble
        } else if tags.iter().any(|tag| tag.wecom_id.is_none()) {
            SyncState::Creating
        } else {
            SyncState::Synced
        };
        let wecom_name = group.wecom_name.filter(|name| *name != group.name && group.wecom_id.is_some());
        Ok(Self {
            tag_group_id: group.id,
            name: group.name,
            state,
            wecom_id: group.wecom_id,
            wecom_name,
            trouble,
            tags,
            only_at_wecom: group.others,
        })
    }
}

/// Groups of tags that are kept at WeCom too, each with its tags and with what is wrong or different there.
#[utoipa::path(get, path = "/v1/channels/wecom/tag-groups", params(PageQuery), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of groups", body = Page<WecomTagGroupView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<ChannelsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<WecomTagGroupView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<String>(query.cursor.as_deref())?;
    let read = |tx: &Tx<'_>| -> Result<Vec<_>, DbError> {
        let rows = store::groups(tx, after.as_deref(), limit + 1)?;
        rows.iter().map(|row| WecomTagGroupView::new(tx, Group::read(row)?)).collect()
    };
    let items = app.db().read(&cx, read).await?;
    Ok(Json(Page::new(items, limit, |view| view.tag_group_id.to_string())))
}

/// Keeps a group of tags at WeCom from now on: the group and its tags are made there, and contacts are marked with the tags that their customers
/// have. Again: what was deleted there is made anew, and what was renamed there gets its name back.
#[utoipa::path(put, path = "/v1/channels/wecom/tag-groups/{id}", params(("id" = TagGroupId, Path, description = "The group of tags")),
    security(("token" = ["channels:write"])), responses(
    (status = 202, description = "WeCom is being asked", body = WecomTagGroupView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such group of tags", body = Problem),
    (status = 409, description = "WeCom would have more than 10,000 tags", body = Problem),
    (status = 422, description = "A name has more than 30 characters: WeCom takes no longer ones", body = Problem),
))]
pub async fn start(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<TagGroupId>,
) -> Result<(StatusCode, Json<WecomTagGroupView>), Problem> {
    caller.for_all_stores("tags at WeCom are kept")?;
    app.db()
        .write(&cx, move |tx| {
            let group = known::tag_group(tx, id)?.ok_or_else(unknown)?;
            check(tx, id, &group)?;
            tags::start(tx, id, &group.name, &group.tags)?;
            audit::done(tx, &caller, &id.to_string())?;
            let kept = store::group(tx, id)?.ok_or_else(unknown)?;
            Ok((StatusCode::ACCEPTED, Json(WecomTagGroupView::new(tx, kept)?)))
        })
        .await
}

fn check(tx: &Tx<'_>, id: TagGroupId, group: &TagGroup) -> Result<(), Problem> {
    let names = std::iter::once(&group.name).chain(group.tags.iter().map(|(_, name)| name));
    let long: Vec<&str> =
        names.map(String::as_str).filter(|name| name.chars().count() > LONGEST_NAME).take(10).collect();
    if !long.is_empty() {
        let detail = format!("WeCom takes names of at most {LONGEST_NAME} characters: shorten {}", long.join(", "));
        return Err(Problem::unprocessable("name-unfit", detail));
    }
    let own = i64::try_from(group.tags.len()).unwrap_or(i64::MAX);
    if store::count_besides(tx, id)?.saturating_add(own) > MOST_TAGS {
        let detail = format!("a company has at most {MOST_TAGS} tags at WeCom: keep fewer groups there");
        return Err(Problem::conflict("too-many-tags", detail));
    }
    Ok(())
}

/// Keeps a group of tags at WeCom no longer. What is there stays there.
#[utoipa::path(delete, path = "/v1/channels/wecom/tag-groups/{id}", params(("id" = TagGroupId, Path, description = "The group of tags")),
    security(("token" = ["channels:write"])), responses(
    (status = 204, description = "It is kept at WeCom no longer"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "It is not kept at WeCom", body = Problem),
))]
pub async fn stop(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<TagGroupId>,
) -> Result<StatusCode, Problem> {
    caller.for_all_stores("tags at WeCom are kept")?;
    app.db()
        .write(&cx, move |tx| {
            if !store::end(tx, id)? {
                return Err(unknown());
            }
            audit::done(tx, &caller, &id.to_string())?;
            Ok(StatusCode::NO_CONTENT)
        })
        .await
}

fn unknown() -> Problem {
    Problem::not_found("there is no such group of tags, or it is not kept at WeCom")
}
