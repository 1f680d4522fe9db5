//! Files of customers, members and points.

use super::ImportsWrite;
use crate::State as Shared;
use crate::import::{self, Kind, Unusable};
use crate::store::import::{self as store, Import};
use axum::Json;
use axum::extract::State;
use domain::{ImportId, UnixMs};
use http::{HeaderMap, StatusCode, header};
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::{Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, DbError, Problem, Tx, audit, unique};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What a file is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// What its rows are.
    kind: Kind,
    /// Whether it is only checked, and nothing is written but its report.
    #[serde(default)]
    dry_run: bool,
}

/// A file that came in.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportEntry {
    /// Its id.
    id: ImportId,
    /// What its rows are.
    kind: Kind,
    /// Whether it is only checked.
    dry_run: bool,
    /// When it came.
    created_at: UnixMs,
    /// When the last row was worked off; absent until then.
    ended_at: Option<UnixMs>,
}

/// A file and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportView {
    /// Its id.
    id: ImportId,
    /// What its rows are.
    kind: Kind,
    /// Whether it is only checked.
    dry_run: bool,
    /// When it came.
    created_at: UnixMs,
    /// When the last row was worked off; absent until then.
    ended_at: Option<UnixMs>,
    /// How many rows it has.
    rows: i64,
    /// How many were worked off.
    done: i64,
    /// How many of them were taken (of a dry run, would be).
    accepted: i64,
    /// How many had been taken before, from this file or another.
    duplicate: i64,
    /// How many do not fit: see `/errors`.
    refused: i64,
}

/// What is wrong with a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowError {
    /// The row as a spreadsheet counts: the header is row 1. Blank lines do not count.
    row: i64,
    /// The column; empty where it is the row as a whole.
    column: String,
    /// What to change.
    advice: String,
}

/// Takes a file in: CSV as of RFC 4180, UTF-8, at most 1 MiB and 10000 rows; bigger ones come in parts. It is worked off in steps of 200 rows: `GET /v1/imports/{id}` tells how far it is.
/// A row that was taken before, from this file or another, changes nothing; so the same file may come again.
///
/// Columns that say who it is: `card` (`member_card`), `phone` with `phone_verified`, and any kind of id: `wechat_union_id`, `wecom_external_user_id`,
/// `taobao_open_uid`, `wechat_open_id@<account>`, `source_id@<source>`. A phone that is not verified only hints.
/// Of customers and members: `name`, `store` (a path), `advisor`, `consent` (purposes with `;` between them), `field:<name>` (a field of the profile). Members have a `card`.
/// Of points: `points` (a whole number from 1 on), `expires_on` (`2026-12-31`), `reference` (tells rows apart that are alike otherwise).
#[utoipa::path(post, path = "/v1/imports", request_body(content = String, content_type = "text/csv"),
    params(
        ImportQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ),
    security(("token" = ["imports:write"])), responses(
    (status = 202, description = "It will be worked off, or is, or was", body = ImportView),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for some stores or one member of staff only", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 415, description = "Not text/csv", body = Problem),
    (status = 422, description = "Not UTF-8, no rows, too many, or columns that do not fit: `columns` says what to change", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn create(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ImportsWrite>,
    Query(ImportQuery { kind, dry_run }): Query<ImportQuery>,
    key: IdempotencyKey,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    everywhere(&caller)?;
    is_csv(&headers)?;
    let vault = shared.settings.vault.as_ref()?;
    let file = import::read_file(vault, kind, &body).map_err(problem)?;
    let request = [format!("{}\n{dry_run}\n", kind.as_str()).as_bytes(), &body].concat();
    write_once(&shared.app, &cx, caller, key, &request, move |tx, caller| {
        if let Some(id) = store::same(tx, kind, dry_run, &file.digest)? {
            return Answer::json(StatusCode::ACCEPTED, &find(tx, id)?);
        }
        let now = tx.cx().now;
        let id = ImportId::new(now, unique());
        let columns = file.columns.clone();
        let import = Import { id, kind, dry_run, columns, created_at: now, ended_at: None };
        store::insert(tx, &import, file, &caller.actor)?;
        import::schedule(tx, id, now)?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::ACCEPTED, &find(tx, id)?)
    })
    .await
}

/// Files that came in, the latest first. How far one is, it tells itself.
#[utoipa::path(get, path = "/v1/imports", params(PageQuery), security(("token" = ["imports:write"])), responses(
    (status = 200, description = "One page of files", body = Page<ImportEntry>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for some stores or one member of staff only", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ImportsWrite>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ImportEntry>>, Problem> {
    everywhere(&caller)?;
    let entry = |row: &Row| {
        let Import { id, kind, dry_run, columns: _, created_at, ended_at } = store::read(row)?;
        Ok(ImportEntry { id, kind, dry_run, created_at, ended_at })
    };
    page::list(&shared.app, &cx, &query, store::list, entry, |import| import.id).await.map(Json)
}

/// How far an import is.
#[utoipa::path(get, path = "/v1/imports/{id}", params(("id" = ImportId, Path, description = "Its id")), security(("token" = ["imports:write"])), responses(
    (status = 200, description = "How far it is", body = ImportView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for some stores or one member of staff only", body = Problem),
    (status = 404, description = "No such import", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ImportsWrite>,
    Path(id): Path<ImportId>,
) -> Result<Json<ImportView>, Problem> {
    everywhere(&caller)?;
    shared.app.db().read(&cx, |tx| find(tx, id).map(Json)).await
}

/// What is wrong with rows of an import, in the order of the file.
#[utoipa::path(get, path = "/v1/imports/{id}/errors", params(("id" = ImportId, Path, description = "Its id"), PageQuery),
    security(("token" = ["imports:write"])), responses(
    (status = 200, description = "One page of what to change", body = Page<RowError>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for some stores or one member of staff only", body = Problem),
    (status = 404, description = "No such import", body = Problem),
))]
pub async fn errors(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ImportsWrite>,
    Path(id): Path<ImportId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<RowError>>, Problem> {
    everywhere(&caller)?;
    let limit = page::limit(query.limit)?;
    let after = page::read::<(i64, String)>(query.cursor.as_deref())?;
    let read = |tx: &Tx<'_>| {
        find(tx, id)?;
        let rows = store::errors(tx, id, after, limit + 1)?;
        rows.iter().map(|row| row_error(row).map_err(Problem::from)).collect::<Result<Vec<_>, _>>()
    };
    let items = shared.app.db().read(&cx, read).await?;
    Ok(Json(Page::new(items, limit, |item: &RowError| (item.row, item.column.clone()))))
}

/// A row may be about any customer.
fn everywhere(caller: &Caller<ImportsWrite>) -> Result<(), Problem> {
    if caller.sees_all() {
        return Ok(());
    }
    Err(Problem::forbidden("rows may be about any customer: use a token for all stores and no member of staff"))
}

fn is_csv(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let form = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if form.eq_ignore_ascii_case("text/csv") {
        return Ok(());
    }
    let detail = "send the file as Content-Type: text/csv";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-csv", detail))
}

fn problem(unusable: Unusable) -> Problem {
    let unprocessable = |detail| Problem::unprocessable("import-unusable", detail);
    match unusable {
        Unusable::Encoding => unprocessable("the file is not UTF-8: save it as CSV UTF-8"),
        Unusable::Empty => unprocessable("the file has no rows below its header"),
        Unusable::TooMany => unprocessable("the file has more than 10000 rows: send it in parts, each with the header"),
        Unusable::Header(wrong) => {
            unprocessable("columns do not fit: change what `columns` says").with("columns", wrong)
        }
        Unusable::Vault(error) => Problem::internal(&error),
    }
}

fn find(tx: &Tx<'_>, id: ImportId) -> Result<ImportView, Problem> {
    let import = store::by_id(tx, id)?.ok_or_else(|| Problem::not_found(format!("there is no import {id}")))?;
    let Import { id, kind, dry_run, columns: _, created_at, ended_at } = import;
    let (mut rows, mut accepted, mut duplicate, mut refused) = (0_i64, 0, 0, 0);
    for row in store::counts(tx, id)? {
        let count: i64 = row.get("count")?;
        rows = rows.saturating_add(count);
        match row.get::<String>("state")?.as_str() {
            "accepted" => accepted = count,
            "duplicate" => duplicate = count,
            "refused" => refused = count,
            _ => {}
        }
    }
    let done = accepted + duplicate + refused;
    Ok(ImportView { id, kind, dry_run, created_at, ended_at, rows, done, accepted, duplicate, refused })
}

fn row_error(row: &Row) -> Result<RowError, DbError> {
    Ok(RowError { row: row.get("row")?, column: row.get("column")?, advice: row.get("advice")? })
}
