//! How points are earned.

use super::{PointsRead, PointsWrite, everywhere};
use crate::membership::rules::PointRules;
use crate::store::membership::rules::{self, Rules, Versioned, Which};
use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use kit::auth::Caller;
use kit::extract;
use kit::{App, Cx, Problem, audit};
use serde::Serialize;
use utoipa::ToSchema;

/// The rules by which orders earn points.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointRulesView {
    /// Their number, from 1.
    version: i64,
    /// The rules.
    rules: PointRules,
    /// Who set them (a token's id).
    by: String,
    /// When.
    created_at: UnixMs,
}

impl PointRulesView {
    fn new(versioned: Versioned<PointRules>) -> Self {
        let Versioned { version, rules, by, created_at } = versioned;
        Self { version, rules, by, created_at }
    }
}

/// The rules by which orders earn points.
#[utoipa::path(get, path = "/v1/point-rules", security(("token" = ["points:read"])), responses(
    (status = 200, description = "The rules that hold", body = PointRulesView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "None are set: orders earn nothing", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<PointsRead>,
) -> Result<Json<PointRulesView>, Problem> {
    let found = app.db().read(&cx, |tx| rules::rules(tx, Rules::Points, Which::Newest)).await.map_err(Problem::from)?;
    found
        .map(|versioned| Json(PointRulesView::new(versioned)))
        .ok_or_else(|| Problem::not_found("no rules are set, so orders earn nothing: PUT some"))
}

/// Sets the rules. They hold for orders that become known from now on; earlier ones keep theirs, refunds included.
#[utoipa::path(put, path = "/v1/point-rules", request_body = PointRules, security(("token" = ["points:write"])), responses(
    (status = 200, description = "The rules that hold now", body = PointRulesView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see all stores", body = Problem),
    (status = 422, description = "Rules that make no sense", body = Problem),
))]
pub async fn replace(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsWrite>,
    extract::Json(new): extract::Json<PointRules>,
) -> Result<Json<PointRulesView>, Problem> {
    everywhere(&caller)?;
    if let Some(fault) = new.fault() {
        return Err(Problem::unprocessable("rules-unusable", fault));
    }
    app.db()
        .write(&cx, move |tx| {
            let now = rules::rules::<PointRules>(tx, Rules::Points, Which::Newest)?;
            if let Some(same) = now.filter(|now| now.rules == new) {
                return Ok(Json(PointRulesView::new(same)));
            }
            let version = rules::add_rules(tx, Rules::Points, &new, &caller.actor)?;
            audit::done(tx, &caller, &version.to_string())?;
            let by = caller.actor.clone();
            Ok(Json(PointRulesView { version, rules: new, by, created_at: tx.cx().now }))
        })
        .await
}
