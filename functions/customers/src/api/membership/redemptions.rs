//! Points given for rewards, and given back.

use super::view::RedemptionView;
use super::{PointsRead, PointsWrite, words};
use crate::api::seen;
use crate::membership::redeem::{self, For, Refusal};
use crate::membership::rules::MOST_POINTS;
use crate::store::membership::customer::Owner;
use crate::store::membership::redemption::{self, RedemptionMark, RedemptionRow};
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, RedemptionId, RewardId};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page};
use kit::{App, Cx, Problem, Tx, audit};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// What points are to be given for: a reward of the catalogue, or so many points for something else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redeem {
    /// The reward; its price is taken.
    #[serde(default)]
    reward: Option<RewardId>,
    /// How many points, where it is for no reward of the catalogue.
    #[serde(default)]
    #[schema(minimum = 1)]
    points: Option<i64>,
    /// What for, or where: 1 to 200 characters.
    reason: String,
}

/// Gives a customer's points for a reward or something else. What expires first is taken first.
#[utoipa::path(post, path = "/v1/customers/{id}/points/redeem", request_body = Redeem,
    params(("id" = CustomerId, Path, description = "Any id that the customer has or had"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is done once")),
    security(("token" = ["points:write"])), responses(
    (status = 201, description = "It is done; `points.redeemed` tells who gives the coupon or the goods", body = RedemptionView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 409, description = "Too few points, none of the reward left, or the customer has as many as one may", body = Problem),
    (status = 422, description = "No such reward is on offer", body = Problem),
))]
pub async fn redeem(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsWrite>,
    key: IdempotencyKey,
    Path(id): Path<CustomerId>,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let asked: Redeem = extract::json(&body)?;
    words("reason", &asked.reason)?;
    let what = match (asked.reward, asked.points) {
        (Some(reward), None) => For::Reward(reward),
        (None, Some(points @ 1..=MOST_POINTS)) => For::Points(points),
        _ => return Err(Problem::bad_request(format!("give a reward, or 1 to {MOST_POINTS} points, and not both"))),
    };
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&app, &cx, caller, key, &request, move |tx, caller| {
        let survivor = seen::customer(tx, caller, id)?.id;
        let owner = Owner { id: survivor, survivor };
        let row = redeem::redeem(tx, owner, what, asked.reason.trim(), &caller.actor).map_err(refusal)?;
        audit::done(tx, caller, &row.id.to_string())?;
        Answer::json(StatusCode::CREATED, &RedemptionView::new(row))
    })
    .await
}

/// A refusal as a problem.
pub fn refusal(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Db(error) => error.into(),
        Refusal::Short { balance, .. } => Problem::conflict("points-short", detail).with("balance", balance),
        Refusal::NoReward => Problem::unprocessable("reward-unknown", detail),
        Refusal::SoldOut => Problem::conflict("reward-sold-out", detail),
        Refusal::Limit => Problem::conflict("reward-limit", detail),
    }
}

/// Which redemptions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Those of this customer only.
    customer: Option<CustomerId>,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Redemptions, newest first.
#[utoipa::path(get, path = "/v1/redemptions", params(ListQuery), security(("token" = ["points:read"])), responses(
    (status = 200, description = "One page of redemptions", body = Page<RedemptionView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsRead>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<RedemptionView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<RedemptionMark>(query.cursor.as_deref())?;
    app.db()
        .read(&cx, |tx| {
            let survivor =
                query.customer.map(|id| seen::customer(tx, &caller, id)).transpose()?.map(|listed| listed.id);
            let rows =
                redemption::redemptions(tx, survivor, caller.store.as_str(), after.as_ref(), limit.saturating_add(1))?;
            let rows = rows.iter().map(|row| redemption::read_redemption(row).map(RedemptionView::new));
            let items = rows.collect::<Result<Vec<_>, _>>()?;
            let mark = |item: &RedemptionView| RedemptionMark { created_at: item.created_at.millis(), id: item.id };
            Ok(Json(Page::new(items, limit, mark)))
        })
        .await
}

/// One redemption.
#[utoipa::path(get, path = "/v1/redemptions/{id}", params(("id" = RedemptionId, Path, description = "Its id")),
    security(("token" = ["points:read"])), responses(
    (status = 200, description = "The redemption", body = RedemptionView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such redemption among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsRead>,
    Path(id): Path<RedemptionId>,
) -> Result<Json<RedemptionView>, Problem> {
    app.db().read(&cx, |tx| Ok(Json(RedemptionView::new(found(tx, &caller, id)?)))).await
}

/// Why a redemption is cancelled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Why, 1 to 200 characters.
    reason: String,
}

/// Cancels a redemption: the points are back, each with its own expiry, and the reward is in stock again. Doing it again changes
/// nothing. It is in the audit.
#[utoipa::path(post, path = "/v1/redemptions/{id}/cancel", request_body = Cancel,
    params(("id" = RedemptionId, Path, description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is done once")),
    security(("token" = ["points:write"])), responses(
    (status = 200, description = "The redemption as it is now", body = RedemptionView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such redemption among those that the caller may see", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn cancel(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsWrite>,
    key: IdempotencyKey,
    Path(id): Path<RedemptionId>,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let asked: Cancel = extract::json(&body)?;
    words("reason", &asked.reason)?;
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&app, &cx, caller, key, &request, move |tx, caller| {
        let row = found(tx, caller, id)?;
        redeem::cancel(tx, &row, asked.reason.trim(), &caller.actor)?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::OK, &RedemptionView::new(found(tx, caller, id)?))
    })
    .await
}

fn found<S>(tx: &Tx<'_>, caller: &Caller<S>, id: RedemptionId) -> Result<RedemptionRow, Problem> {
    let none = || Problem::not_found("there is no such redemption among those that you may see");
    let row = redemption::redemption(tx, id)?.ok_or_else(none)?;
    seen::customer(tx, caller, row.customer)
        .map_err(|problem| if problem.status() == 404 { none() } else { problem })?;
    Ok(row)
}
