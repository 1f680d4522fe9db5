//! Channels, as the merchant names them.

use super::{ChannelsRead, ChannelsWrite};
use crate::store::channel;
use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::{self, Path, Query};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A channel: where customers come from (渠道).
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelView {
    /// Its name in codes, events and reports.
    name: String,
    /// What people call it.
    label: String,
    /// When it was made.
    created_at: UnixMs,
}

impl ChannelView {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self { name: row.get("name")?, label: row.get("label")?, created_at: row.instant("created_at")? })
    }
}

/// A channel as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelBody {
    /// What people call it, 1 to 100 characters.
    label: String,
}

/// Channels by name.
#[utoipa::path(get, path = "/v1/channels", params(PageQuery), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of channels", body = Page<ChannelView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<ChannelsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ChannelView>>, Problem> {
    let rows = |tx: &Tx<'_>, after: Option<String>, most| channel::list(tx, after.as_deref(), most);
    page::list(&app, &cx, &query, rows, ChannelView::read, |view| view.name.clone()).await.map(Json)
}

/// Makes a channel, or gives it another label.
#[utoipa::path(put, path = "/v1/channels/{name}", request_body = ChannelBody,
    params(("name" = String, Path, description = "Its name: 1 to 64 of a-z, 0-9, `-`, `_`")),
    security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The channel", body = ChannelView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 422, description = "The name or the label is unfit", body = Problem),
))]
pub async fn set(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(name): Path<String>,
    extract::Json(body): extract::Json<ChannelBody>,
) -> Result<Json<ChannelView>, Problem> {
    caller.for_all_stores("channels are named")?;
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(letters) {
        return Err(Problem::unprocessable("name-unfit", "name: 1 to 64 of a-z, 0-9, - and _"));
    }
    let label = super::label("label", &body.label)?;
    app.db()
        .write(&cx, move |tx| {
            channel::set(tx, &name, &label)?;
            audit::done(tx, &caller, &name)?;
            let row = channel::by_name(tx, &name)?.ok_or_else(|| Problem::not_found("there is no such channel"))?;
            Ok(Json(ChannelView::read(&row)?))
        })
        .await
}
