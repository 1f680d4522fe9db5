//! A customer's points, to read and to set right.

use super::view::{EntryView, PointsView};
use super::{PointsRead, PointsWrite, words};
use crate::api::seen;
use crate::membership::redeem;
use crate::membership::rules::MOST_POINTS;
use crate::store::membership::points;
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, UnixMs};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, Tx, audit};
use serde::Deserialize;
use utoipa::ToSchema;

/// A customer's points, with the ledger.
#[utoipa::path(get, path = "/v1/customers/{id}/points",
    params(("id" = CustomerId, Path, description = "Any id that the customer has or had"), PageQuery),
    security(("token" = ["points:read"])), responses(
    (status = 200, description = "The balance, and one page of entries, newest first", body = PointsView),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsRead>,
    Path(id): Path<CustomerId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<PointsView>, Problem> {
    let limit = page::limit(query.limit)?;
    let before = page::read::<i64>(query.cursor.as_deref())?;
    app.db()
        .read(&cx, |tx| {
            let listed = seen::customer(tx, &caller, id)?;
            Ok(Json(points_view(tx, listed.id, before, limit)?))
        })
        .await
}

fn points_view(tx: &Tx<'_>, survivor: CustomerId, before: Option<i64>, limit: u32) -> Result<PointsView, DbError> {
    let balance = points::balance(tx, survivor, tx.cx().now)?;
    let entries = points::entries(tx, survivor, before, limit.saturating_add(1))?;
    let page = Page::new(entries.into_iter().map(EntryView::new).collect(), limit, |entry: &EntryView| entry.seq);
    Ok(PointsView {
        customer_id: survivor,
        balance: balance.points,
        owed: balance.owed,
        next_expiry: balance.next.map(|(at, _)| at),
        next_expiring: balance.next.map(|(_, points)| points),
        entries: page.items,
        next_cursor: page.next_cursor,
    })
}

/// Points to give or to take.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// How many more, or (negative) fewer; not 0.
    points: i64,
    /// Why, 1 to 200 characters.
    reason: String,
    /// From when on points that are given can no longer be spent; as the rules say where it is absent.
    #[serde(default)]
    expires_at: Option<UnixMs>,
}

impl Adjustment {
    fn check(&self, now: UnixMs) -> Result<(), Problem> {
        words("reason", &self.reason)?;
        if self.points == 0 || !(-MOST_POINTS..=MOST_POINTS).contains(&self.points) {
            return Err(Problem::bad_request(format!(
                "points is {}: give 1 to {MOST_POINTS}, or take as many with a minus",
                self.points
            )));
        }
        if self.expires_at.is_some_and(|end| end <= now || self.points < 0) {
            return Err(Problem::bad_request("expires_at is past, or stands with points that are taken: leave it out"));
        }
        Ok(())
    }
}

/// Sets a customer's points right: gives some, or takes some of what can be spent. It is in the audit.
#[utoipa::path(post, path = "/v1/customers/{id}/points", request_body = Adjustment,
    params(("id" = CustomerId, Path, description = "Any id that the customer has or had"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is done once")),
    security(("token" = ["points:write"])), responses(
    (status = 201, description = "The points now, with the newest entry", body = PointsView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 409, description = "There are not so many to take", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn adjust(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<PointsWrite>,
    key: IdempotencyKey,
    Path(id): Path<CustomerId>,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let asked: Adjustment = extract::json(&body)?;
    asked.check(cx.now)?;
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&app, &cx, caller, key, &request, move |tx, caller| {
        let survivor = seen::customer(tx, caller, id)?.id;
        redeem::adjust(tx, survivor, asked.points, asked.expires_at, asked.reason.trim(), &caller.actor)
            .map_err(super::redemptions::refusal)?;
        audit::done(tx, caller, &survivor.to_string())?;
        Answer::json(StatusCode::CREATED, &points_view(tx, survivor, None, 1)?)
    })
    .await
}
