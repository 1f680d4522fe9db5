//! The levels of membership.

use super::{MembersRead, MembersWrite, everywhere};
use crate::membership::levels::LevelRules;
use crate::membership::standing;
use crate::store::membership::rules::{self, Rules, Versioned, Which};
use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use kit::auth::Caller;
use kit::extract;
use kit::{App, Cx, Problem, audit};
use serde::Serialize;
use utoipa::ToSchema;

/// The levels of membership.
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelRulesView {
    /// Their number, from 1.
    version: i64,
    /// The rules.
    rules: LevelRules,
    /// Who set them (a token's id).
    by: String,
    /// When.
    created_at: UnixMs,
}

impl LevelRulesView {
    fn new(versioned: Versioned<LevelRules>) -> Self {
        let Versioned { version, rules, by, created_at } = versioned;
        Self { version, rules, by, created_at }
    }
}

/// The levels of membership.
#[utoipa::path(get, path = "/v1/member-levels", security(("token" = ["members:read"])), responses(
    (status = 200, description = "The levels", body = LevelRulesView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "None are set", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<MembersRead>,
) -> Result<Json<LevelRulesView>, Problem> {
    let found = app.db().read(&cx, |tx| rules::rules(tx, Rules::Levels, Which::Newest)).await.map_err(Problem::from)?;
    found
        .map(|versioned| Json(LevelRulesView::new(versioned)))
        .ok_or_else(|| Problem::not_found("no levels are set: PUT some"))
}

/// Sets the levels. All customers are looked at again, some at a time; who changes level is told by `member.level_changed`.
#[utoipa::path(put, path = "/v1/member-levels", request_body = LevelRules, security(("token" = ["members:write"])), responses(
    (status = 200, description = "The levels now", body = LevelRulesView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see all stores", body = Problem),
    (status = 422, description = "Levels that make no sense", body = Problem),
))]
pub async fn replace(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<MembersWrite>,
    extract::Json(new): extract::Json<LevelRules>,
) -> Result<Json<LevelRulesView>, Problem> {
    everywhere(&caller)?;
    if let Some(fault) = new.fault() {
        return Err(Problem::unprocessable("rules-unusable", fault));
    }
    app.db()
        .write(&cx, move |tx| {
            let now = rules::rules::<LevelRules>(tx, Rules::Levels, Which::Newest)?;
            if let Some(same) = now.filter(|now| now.rules == new) {
                return Ok(Json(LevelRulesView::new(same)));
            }
            let version = rules::add_rules(tx, Rules::Levels, &new, &caller.actor)?;
            standing::run_over_all(tx, tx.cx().now, None)?;
            audit::done(tx, &caller, &version.to_string())?;
            let by = caller.actor.clone();
            Ok(Json(LevelRulesView { version, rules: new, by, created_at: tx.cx().now }))
        })
        .await
}
