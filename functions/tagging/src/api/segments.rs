//! Segments: saved conditions whose members are always at hand.

use super::rule_view::BackfillView;
use super::rules::{check_condition, start_backfill};
use super::{SegmentsRead, SegmentsWrite, seen};
use crate::store::{self, rule as rules};
use axum::Json;
use axum::extract::State;
use domain::{SegmentId, UnixMs};
use http::StatusCode;
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, Tx, audit, host};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A segment.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentView {
    /// Its id.
    id: SegmentId,
    /// Its name.
    name: String,
    /// Who is in it.
    #[schema(value_type = Object)]
    condition: serde_json::Value,
    /// How often it was changed, from 1.
    revision: i64,
    /// How many members it has now.
    members: i64,
    /// How far customers have been looked at since it was made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    backfill: Option<BackfillView>,
    /// When it was made.
    created_at: UnixMs,
    /// When it was changed last.
    updated_at: UnixMs,
    /// When it was retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    retired_at: Option<UnixMs>,
}

impl SegmentView {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            name: row.get("name")?,
            condition: row.json("condition")?,
            revision: row.get("revision")?,
            members: row.get("members")?,
            backfill: BackfillView::read(row)?,
            created_at: row.instant("created_at")?,
            updated_at: row.instant("updated_at")?,
            retired_at: row.optional_instant("retired_at")?,
        })
    }
}

/// A segment as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentBody {
    /// Its name, 1 to 100 characters, unique.
    name: String,
    /// Who is in it: a condition as of rules, without `changed` and `hours`.
    #[schema(value_type = Object)]
    condition: serde_json::Value,
}

fn checked(tx: &Tx<'_>, condition: &serde_json::Value) -> Result<String, Problem> {
    if check_condition(tx, condition)?.is_momentary() {
        let detail = "condition: `changed` and `hours` hold for a moment, and a segment lasts";
        return Err(Problem::unprocessable("rule-unfit", detail).with("path", "condition"));
    }
    Ok(store::json(condition)?)
}

pub fn view(tx: &Tx<'_>, id: SegmentId) -> Result<SegmentView, Problem> {
    let row = rules::segment(tx, id)?.ok_or_else(|| Problem::not_found("there is no such segment"))?;
    Ok(SegmentView::read(&row)?)
}

/// Segments, oldest first.
#[utoipa::path(get, path = "/v1/segments", params(PageQuery), security(("token" = ["segments:read"])), responses(
    (status = 200, description = "One page of segments", body = Page<SegmentView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SegmentView>>, Problem> {
    seen::all_stores(&caller)?;
    let rows = |tx: &Tx<'_>, after: Option<String>, most| rules::segments(tx, after.as_deref(), most);
    page::list(&app, &cx, &query, rows, SegmentView::read, |view| view.id.to_string()).await.map(Json)
}

/// One segment with its count.
#[utoipa::path(get, path = "/v1/segments/{id}", params(("id" = SegmentId, Path, description = "The segment")),
    security(("token" = ["segments:read"])), responses(
    (status = 200, description = "The segment", body = SegmentView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such segment", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsRead>,
    Path(id): Path<SegmentId>,
) -> Result<Json<SegmentView>, Problem> {
    seen::all_stores(&caller)?;
    app.db().read(&cx, |tx| view(tx, id)).await.map(Json)
}

/// Makes a segment. Customers who do something are in it at once; all others are looked at in the background, in batches.
#[utoipa::path(post, path = "/v1/segments", request_body = SegmentBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    security(("token" = ["segments:write"])), responses(
    (status = 201, description = "The segment", body = SegmentView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "The condition is unfit: `path` names the place; or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsWrite>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    seen::all_stores(&caller)?;
    let new: SegmentBody = extract::json(&body)?;
    let name = seen::name(&new.name)?;
    write_once(&app, &cx, caller, key, &body, move |tx, caller| {
        let condition = checked(tx, &new.condition)?;
        let id = SegmentId::new(tx.cx().now, host::unique());
        if !rules::add_segment(tx, id, &name, &condition)? {
            return Err(seen::name_taken(&name));
        }
        start_backfill(tx, None, Some(id))?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::CREATED, &view(tx, id)?)
    })
    .await
}

/// Changes a segment. Its members change in the background, in batches; a retired segment is at work again.
#[utoipa::path(put, path = "/v1/segments/{id}", request_body = SegmentBody, params(("id" = SegmentId, Path, description = "The segment")),
    security(("token" = ["segments:write"])), responses(
    (status = 200, description = "The segment", body = SegmentView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such segment", body = Problem),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "The condition is unfit: `path` names the place", body = Problem),
))]
pub async fn change(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsWrite>,
    Path(id): Path<SegmentId>,
    extract::Json(body): extract::Json<SegmentBody>,
) -> Result<Json<SegmentView>, Problem> {
    seen::all_stores(&caller)?;
    let name = seen::name(&body.name)?;
    app.db()
        .write(&cx, move |tx| {
            view(tx, id)?;
            if !rules::change_segment(tx, id, &name, &checked(tx, &body.condition)?)? {
                return Err(seen::name_taken(&name));
            }
            start_backfill(tx, None, Some(id))?;
            audit::done(tx, &caller, &id.to_string())?;
            view(tx, id).map(Json)
        })
        .await
}

/// Retires a segment: its members leave it in the background. Snapshots stay.
#[utoipa::path(post, path = "/v1/segments/{id}/retire", params(
        ("id" = SegmentId, Path, description = "The segment"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["segments:write"])), responses(
    (status = 202, description = "The segment", body = SegmentView),
    (status = 400, description = "The key is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such segment", body = Problem),
    (status = 409, description = "It is retired already", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn retire(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsWrite>,
    Path(id): Path<SegmentId>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    seen::all_stores(&caller)?;
    write_once(&app, &cx, caller, key, id.to_string().as_bytes(), move |tx, caller| {
        view(tx, id)?;
        if !rules::retire_segment(tx, id)? {
            return Err(Problem::conflict("retired", "the segment is retired already"));
        }
        start_backfill(tx, None, Some(id))?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::ACCEPTED, &view(tx, id)?)
    })
    .await
}
