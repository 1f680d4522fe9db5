//! Who is in a segment, who was, and who came and went.

use super::segments::view;
use super::{SegmentsRead, SegmentsWrite, seen};
use crate::store::segment as store;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{CustomerId, SegmentId, UnixMs};
use http::{StatusCode, header};
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::{Path, Paths, Query};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A member.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView {
    /// The customer.
    customer_id: CustomerId,
    /// Since when.
    since: UnixMs,
}

impl MemberView {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self { customer_id: row.parse("customer")?, since: row.instant("since")? })
    }
}

/// A member of a snapshot.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotMemberView {
    /// The customer.
    customer_id: CustomerId,
}

/// A snapshot.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotView {
    /// Its number, from 1, for `…/snapshots/{number}/members` and `…/difference?since=`.
    number: i64,
    /// How many members it has.
    members: i64,
    /// When it was taken.
    taken_at: UnixMs,
}

/// Who came or went.
#[derive(Debug, Serialize, ToSchema)]
pub struct DifferenceView {
    /// The customer.
    customer_id: CustomerId,
    /// `entered` or `left`.
    change: &'static str,
}

/// The members, by id.
#[utoipa::path(get, path = "/v1/segments/{id}/members", params(("id" = SegmentId, Path, description = "The segment"), PageQuery),
    security(("token" = ["segments:read"])), responses(
    (status = 200, description = "One page of members", body = Page<MemberView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such segment", body = Problem),
))]
pub async fn members(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsRead>,
    Path(id): Path<SegmentId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<MemberView>>, Problem> {
    seen::all_stores(&caller)?;
    app.db().read(&cx, |tx| view(tx, id)).await?;
    let rows = |tx: &Tx<'_>, after: Option<String>, most| store::members(tx, id, after.as_deref(), most);
    page::list(&app, &cx, &query, rows, MemberView::read, |view| view.customer_id.to_string()).await.map(Json)
}

/// How many rows one statement of the export reads.
const CSV_PAGE: u32 = 5000;

/// All members as CSV (RFC 4180), as of one moment: `customer_id,since`.
#[utoipa::path(get, path = "/v1/segments/{id}/members.csv", params(("id" = SegmentId, Path, description = "The segment")),
    security(("token" = ["segments:read"])), responses(
    (status = 200, description = "The members", body = String, content_type = "text/csv"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such segment", body = Problem),
))]
pub async fn csv(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsRead>,
    Path(id): Path<SegmentId>,
) -> Result<Response, Problem> {
    seen::all_stores(&caller)?;
    let read = |tx: &Tx<'_>| -> Result<String, Problem> {
        view(tx, id)?;
        let mut text = "customer_id,since\r\n".to_owned();
        let mut after = None;
        loop {
            let page = store::members(tx, id, after.as_deref(), CSV_PAGE)?;
            for row in &page {
                let MemberView { customer_id, since } = MemberView::read(row)?;
                text.push_str(&format!("{customer_id},{since}\r\n"));
            }
            let full = u32::try_from(page.len()).is_ok_and(|count| count >= CSV_PAGE);
            match page.last().filter(|_| full) {
                Some(last) => after = Some(last.get::<String>("customer")?),
                None => return Ok(text),
            }
        }
    };
    let text = app.db().read(&cx, read).await?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response())
}

/// Keeps the members as they are now, for sending: nobody is in it twice.
#[utoipa::path(post, path = "/v1/segments/{id}/snapshots", params(
        ("id" = SegmentId, Path, description = "The segment"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["segments:write"])), responses(
    (status = 201, description = "The snapshot", body = SnapshotView),
    (status = 400, description = "The key is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such segment", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn take_snapshot(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsWrite>,
    Path(id): Path<SegmentId>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    seen::all_stores(&caller)?;
    write_once(&app, &cx, caller, key, id.to_string().as_bytes(), move |tx, caller| {
        view(tx, id)?;
        let (number, members) = store::take_snapshot(tx, id)?;
        audit::done(tx, caller, &format!("{id}/{number}"))?;
        Answer::json(StatusCode::CREATED, &SnapshotView { number, members, taken_at: tx.cx().now })
    })
    .await
}

fn known(tx: &Tx<'_>, id: SegmentId, number: i64) -> Result<(), Problem> {
    if store::has_snapshot(tx, id, number)? {
        return Ok(());
    }
    Err(Problem::not_found("there is no such snapshot of a segment"))
}

/// The members of a snapshot, by id.
#[utoipa::path(get, path = "/v1/segments/{id}/snapshots/{number}/members", params(
        ("id" = SegmentId, Path, description = "The segment"),
        ("number" = i64, Path, description = "The snapshot"),
        PageQuery,
    ), security(("token" = ["segments:read"])), responses(
    (status = 200, description = "One page of members", body = Page<SnapshotMemberView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such snapshot", body = Problem),
))]
pub async fn snapshot(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsRead>,
    Paths(id, number): Paths<SegmentId, i64>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<SnapshotMemberView>>, Problem> {
    seen::all_stores(&caller)?;
    app.db().read(&cx, |tx| known(tx, id, number)).await?;
    let rows = |tx: &Tx<'_>, after: Option<String>, most| store::snapshot(tx, id, number, after.as_deref(), most);
    let item = |row: &Row| Ok(SnapshotMemberView { customer_id: row.parse("customer")? });
    page::list(&app, &cx, &query, rows, item, |view| view.customer_id.to_string()).await.map(Json)
}

/// What to compare with.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DifferenceQuery {
    /// The snapshot's number.
    since: i64,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Who has entered the segment since a snapshot, and who has left it, by id.
#[utoipa::path(get, path = "/v1/segments/{id}/difference", params(("id" = SegmentId, Path, description = "The segment"), DifferenceQuery),
    security(("token" = ["segments:read"])), responses(
    (status = 200, description = "One page of changes", body = Page<DifferenceView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such snapshot", body = Problem),
))]
pub async fn difference(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<SegmentsRead>,
    Path(id): Path<SegmentId>,
    Query(query): Query<DifferenceQuery>,
) -> Result<Json<Page<DifferenceView>>, Problem> {
    seen::all_stores(&caller)?;
    let since = query.since;
    app.db().read(&cx, |tx| known(tx, id, since)).await?;
    let query = PageQuery { limit: query.limit, cursor: query.cursor };
    let rows = |tx: &Tx<'_>, after: Option<String>, most| store::difference(tx, id, since, after.as_deref(), most);
    let item = |row: &Row| {
        let change = if row.get::<bool>("entered")? { "entered" } else { "left" };
        Ok(DifferenceView { customer_id: row.parse("customer")?, change })
    };
    page::list(&app, &cx, &query, rows, item, |view| view.customer_id.to_string()).await.map(Json)
}
