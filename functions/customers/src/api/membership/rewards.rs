//! The catalogue of rewards.

use super::view::RewardView;
use super::{PointsRead, PointsWrite, everywhere, words};
use crate::membership::rules::MOST_POINTS;
use crate::store::membership::reward::{self, RewardRow};
use axum::Json;
use axum::extract::State;
use domain::{RewardId, RewardKind, UnixMs};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, Problem, audit, host};
use serde::Deserialize;
use utoipa::ToSchema;

/// A reward as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reward {
    /// Its name, 1 to 200 characters.
    name: String,
    /// What it is.
    kind: RewardKind,
    /// The coupon's template, or the SKU, 1 to 200 characters.
    code: String,
    /// Its price in points, at least 1.
    #[schema(minimum = 1)]
    price: i64,
    /// How many are left; not limited where it is absent.
    #[serde(default)]
    #[schema(minimum = 0)]
    stock: Option<i64>,
    /// How many a customer may have; not limited where it is absent.
    #[serde(default)]
    #[schema(minimum = 1)]
    limit_each: Option<i64>,
}

impl Reward {
    fn check(&self) -> Result<(), Problem> {
        words("name", &self.name)?;
        words("code", &self.code)?;
        let fits = (1..=MOST_POINTS).contains(&self.price)
            && self.stock.is_none_or(|stock| (0..=MOST_POINTS).contains(&stock))
            && self.limit_each.is_none_or(|limit| (1..=MOST_POINTS).contains(&limit));
        if fits {
            return Ok(());
        }
        Err(Problem::bad_request(format!(
            "give a price of 1 to {MOST_POINTS} points, a stock of 0 or more, a limit_each of 1 or more"
        )))
    }

    fn row(self, id: RewardId, created_at: UnixMs) -> RewardRow {
        let Self { name, kind, code, price, stock, limit_each } = self;
        RewardRow { id, name, kind, code, price, stock, limit_each, created_at, retired_at: None }
    }
}

/// Rewards, newest first, those that are no longer offered included.
#[utoipa::path(get, path = "/v1/rewards", params(PageQuery), security(("token" = ["points:read"])), responses(
    (status = 200, description = "One page of rewards", body = Page<RewardView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<PointsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<RewardView>>, Problem> {
    let item = |row: &kit::db::Row| reward::read_reward(row).map(RewardView::new);
    page::list(&app, &cx, &query, reward::rewards, item, |view: &RewardView| view.id).await.map(Json)
}

/// Puts a reward into the catalogue.
#[utoipa::path(post, path = "/v1/rewards", request_body = Reward, security(("token" = ["points:write"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is done once")), responses(
    (status = 201, description = "The reward", body = RewardView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see all stores", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn create(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsWrite>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    everywhere(&caller)?;
    let asked: Reward = extract::json(&body)?;
    asked.check()?;
    write_once(&app, &cx, caller, key, &body, move |tx, caller| {
        let now = tx.cx().now;
        let row = asked.row(RewardId::new(now, host::unique()), now);
        reward::save_reward(tx, &row)?;
        audit::done(tx, caller, &row.id.to_string())?;
        Answer::json(StatusCode::CREATED, &RewardView::new(row))
    })
    .await
}

/// One reward.
#[utoipa::path(get, path = "/v1/rewards/{id}", params(("id" = RewardId, Path, description = "Its id")),
    security(("token" = ["points:read"])), responses(
    (status = 200, description = "The reward", body = RewardView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such reward", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<PointsRead>,
    Path(id): Path<RewardId>,
) -> Result<Json<RewardView>, Problem> {
    let row = app.db().read(&cx, |tx| reward::reward(tx, id)).await.map_err(Problem::from)?;
    row.map(|row| Json(RewardView::new(row))).ok_or_else(unknown)
}

/// Sets a reward anew, its stock included, and offers it again if it was retired.
#[utoipa::path(put, path = "/v1/rewards/{id}", request_body = Reward, params(("id" = RewardId, Path, description = "Its id")),
    security(("token" = ["points:write"])), responses(
    (status = 200, description = "The reward now", body = RewardView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see all stores", body = Problem),
    (status = 404, description = "No such reward", body = Problem),
))]
pub async fn replace(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsWrite>,
    Path(id): Path<RewardId>,
    extract::Json(asked): extract::Json<Reward>,
) -> Result<Json<RewardView>, Problem> {
    everywhere(&caller)?;
    asked.check()?;
    app.db()
        .write(&cx, move |tx| {
            let known = reward::reward(tx, id)?.ok_or_else(unknown)?;
            let row = asked.row(id, known.created_at);
            reward::save_reward(tx, &row)?;
            audit::done(tx, &caller, &id.to_string())?;
            Ok(Json(RewardView::new(row)))
        })
        .await
}

/// Takes a reward out of the catalogue. What was redeemed stays.
#[utoipa::path(delete, path = "/v1/rewards/{id}", params(("id" = RewardId, Path, description = "Its id")),
    security(("token" = ["points:write"])), responses(
    (status = 200, description = "The reward, retired", body = RewardView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see all stores", body = Problem),
    (status = 404, description = "No such reward", body = Problem),
))]
pub async fn retire(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsWrite>,
    Path(id): Path<RewardId>,
) -> Result<Json<RewardView>, Problem> {
    everywhere(&caller)?;
    app.db()
        .write(&cx, move |tx| {
            let known = reward::reward(tx, id)?.ok_or_else(unknown)?;
            let row = RewardRow { retired_at: known.retired_at.or(Some(tx.cx().now)), ..known };
            reward::save_reward(tx, &row)?;
            audit::done(tx, &caller, &id.to_string())?;
            Ok(Json(RewardView::new(row)))
        })
        .await
}

fn unknown() -> Problem {
    Problem::not_found("there is no such reward: see /v1/rewards")
}
