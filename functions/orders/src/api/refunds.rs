//! Refunds entered by staff.

use super::view::RefundView;
use super::{OrdersWrite, seen};
use crate::deliver::{self, Origin};
use crate::store;
use axum::extract::State;
use domain::{Latest, OrderId, RefundClaim, RefundFacts, RefundId, RefundStatus, can_refund};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{App, Cx, Problem, Tx, audit, unique};
use platforms::Fact;

/// Enters a refund of an order: it stands as applied, and takes its part of what may still be refunded. Its further way
/// is told by `refund.updated` at `/hooks/orders`, with its `after_sale_id` as `refund_id`.
#[utoipa::path(post, path = "/v1/orders/{id}/refunds", request_body = RefundClaim,
    params(
        ("id" = OrderId, Path, description = "The order's id in our books"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ),
    security(("token" = ["orders:write"])), responses(
    (status = 201, description = "The refund", body = RefundView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such order among those that the caller may see", body = Problem),
    (status = 422, description = "More than was paid, or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<OrdersWrite>,
    Path(id): Path<OrderId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let claim: RefundClaim = extract::json(&body)?;
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&app, &cx, caller, key, &request, move |tx, caller| enter(tx, caller, id, claim)).await
}

fn enter(tx: &Tx<'_>, caller: &Caller<OrdersWrite>, id: OrderId, claim: RefundClaim) -> Result<Answer, Problem> {
    let known = seen::order(tx, &caller.store, id)?.known;
    let order = known.facts.order(known.key.clone());
    let refused = |error: &dyn std::fmt::Display| Problem::unprocessable("refund-refused", error.to_string());
    let paid = order.paid.ok_or_else(|| refused(&"the order has not been paid"))?;
    let paid_by_line = order.paid_by_line().map_err(|error| refused(&error))?;
    let earlier: Vec<_> = store::refunds(tx, id)?
        .into_iter()
        .map(|refund| refund.facts.refund(known.key.clone(), refund.after_sale_id.clone()))
        .collect();
    can_refund(paid, &paid_by_line, &earlier, &claim).map_err(|error| refused(&error))?;

    let now = tx.cx().now;
    let after_sale_id = RefundId::new(now, unique()).to_string();
    let mut facts = RefundFacts::default();
    facts.reach(RefundStatus::Applied, now);
    facts.claim = Some(Latest::new(now, claim));
    let fact = Fact::Refund { order: known.key.clone(), after_sale_id: after_sale_id.clone(), facts };
    deliver::fact(tx, fact, Origin::Record, None)?;
    let refund =
        store::find_refund(tx, id, &after_sale_id)?.ok_or_else(|| Problem::internal(&"the refund was not written"))?;
    audit::done(tx, caller, &refund.id.to_string())?;
    Answer::json(StatusCode::CREATED, &RefundView::new(&refund, &known))
}
