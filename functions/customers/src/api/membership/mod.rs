//! The routes of membership.

mod card_page;
mod claim;
mod levels;
mod members;
mod point_rules;
mod points;
mod redemptions;
mod rewards;
pub mod view;

use crate::State;
use axum::Router;
use axum::routing::{get, post};
use kit::Problem;
use kit::auth::Caller;
#[cfg(test)]
use utoipa::OpenApi;

kit::scopes! {
    /// Read members, their cards and levels.
    MembersRead = "members:read";
    /// Give out links for member cards, set the levels.
    MembersWrite = "members:write";
    /// Read points, rewards and redemptions.
    PointsRead = "points:read";
    /// Redeem and set right points; set the rules and the rewards.
    PointsWrite = "points:write";
}

pub fn routes() -> Router<State> {
    Router::new()
        .route("/v1/point-rules", get(point_rules::show).put(point_rules::replace))
        .route("/v1/member-levels", get(levels::show).put(levels::replace))
        .route("/v1/customers/{id}/points", get(points::show).post(points::adjust))
        .route("/v1/customers/{id}/points/redeem", post(redemptions::redeem))
        .route("/v1/customers/{id}/membership", get(members::membership))
        .route("/v1/rewards", get(rewards::list).post(rewards::create))
        .route("/v1/rewards/{id}", get(rewards::show).put(rewards::replace).delete(rewards::retire))
        .route("/v1/redemptions", get(redemptions::list))
        .route("/v1/redemptions/{id}", get(redemptions::show))
        .route("/v1/redemptions/{id}/cancel", post(redemptions::cancel))
        .route("/v1/members", get(members::find))
        .route("/v1/members/links", post(claim::link))
        .route("/v1/members/{card}", get(members::show))
        .route("/m/{code}", get(claim::page).post(claim::claim))
}

/// What holds for all stores is set by who sees all stores.
fn everywhere<S>(caller: &Caller<S>) -> Result<(), Problem> {
    if caller.sees_all() {
        return Ok(());
    }
    Err(Problem::forbidden("this holds for all stores: use a token that sees all of them").with("store", "/"))
}

/// A text that people write: 1 to 200 characters.
fn words(name: &str, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() || text.chars().count() > 200 {
        return Err(Problem::bad_request(format!("{name} is not a text of 1 to 200 characters")));
    }
    Ok(())
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(paths(
    point_rules::show,
    point_rules::replace,
    levels::show,
    levels::replace,
    points::show,
    points::adjust,
    redemptions::redeem,
    members::membership,
    rewards::list,
    rewards::create,
    rewards::show,
    rewards::replace,
    rewards::retire,
    redemptions::list,
    redemptions::show,
    redemptions::cancel,
    members::find,
    members::show,
    claim::link,
    claim::page,
    claim::claim
))]
pub struct Document;
