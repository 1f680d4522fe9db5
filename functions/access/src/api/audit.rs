//! The audit to read.

use super::AuditRead;
use crate::store;
use axum::Json;
use axum::extract::State;
use domain::{AuditId, UnixMs};
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::Query;
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem};
use serde::Serialize;
use utoipa::ToSchema;

/// A refused or a privileged call.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    id: AuditId,
    /// When; of equal refusals within a minute, the first.
    time: UnixMs,
    /// Who: a token's id, `first` for the one in the variable, `anonymous`.
    actor: String,
    /// What was called.
    action: String,
    /// On what.
    target: String,
    /// `done` or `refused`.
    outcome: String,
    /// Why it was refused.
    reason: String,
    /// How many equal refusals this entry stands for.
    count: i64,
}

impl AuditEntry {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            time: row.instant("time")?,
            actor: row.get("actor")?,
            action: row.get("action")?,
            target: row.get("target")?,
            outcome: row.get("outcome")?,
            reason: row.get("reason")?,
            count: row.get("count")?,
        })
    }
}

/// Refused and privileged calls, newest first.
#[utoipa::path(get, path = "/v1/audit", params(PageQuery), security(("token" = ["audit:read"])), responses(
    (status = 200, description = "One page of the audit", body = Page<AuditEntry>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<AuditRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let mark = |entry: &AuditEntry| (entry.time.millis(), entry.id.to_string());
    page::list(&app, &cx, &query, store::audit, AuditEntry::from_row, mark).await.map(Json)
}
