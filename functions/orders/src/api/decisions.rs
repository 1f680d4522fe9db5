//! What the merchant decides about after-sale cases.

use super::view::RefundView;
use super::{OrdersWrite, seen};
use crate::decision::{self, Decided, Decision};
use axum::extract::State;
use domain::{OutboxId, RefundId, RefundStatus};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{App, Cx, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A case and what has become of the decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecidedView {
    /// The case as known now. A platform's own record follows when it has taken the decision.
    refund: RefundView,
    /// The call that tells the platform; absent for own shops, where the decision stands at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    outbox_id: Option<OutboxId>,
}

/// Why a claim is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusing {
    /// The reason, for the buyer to read: 1 to 200 characters, no personal data.
    reason: String,
}

const LONGEST_REASON: usize = 200;

/// Agrees to an after-sale case. A marketplace is told through the courier; a case of an own shop is agreed at once.
#[utoipa::path(post, path = "/v1/refunds/{id}/agree", params(
        ("id" = RefundId, Path, description = "The refund's id in our books"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["orders:write"])), responses(
    (status = 200, description = "It stands", body = DecidedView),
    (status = 202, description = "The platform is told", body = DecidedView),
    (status = 400, description = "The key is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such refund among those that the caller may see", body = Problem),
    (status = 409, description = "The case stands where this cannot be decided", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn agree(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<OrdersWrite>,
    Path(id): Path<RefundId>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    decided(&app, &cx, caller, key, id, Decision::Agree).await
}

/// Refuses an after-sale case.
#[utoipa::path(post, path = "/v1/refunds/{id}/refuse", request_body = Refusing, params(
        ("id" = RefundId, Path, description = "The refund's id in our books"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["orders:write"])), responses(
    (status = 200, description = "It stands", body = DecidedView),
    (status = 202, description = "The platform is told", body = DecidedView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such refund among those that the caller may see", body = Problem),
    (status = 409, description = "The case stands where this cannot be decided", body = Problem),
    (status = 422, description = "No reason, or the key was used for another request", body = Problem),
))]
pub async fn refuse(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<OrdersWrite>,
    Path(id): Path<RefundId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let Refusing { reason } = extract::json(&body)?;
    if !(1..=LONGEST_REASON).contains(&reason.trim().chars().count()) {
        let detail = format!("give a reason of 1 to {LONGEST_REASON} characters");
        return Err(Problem::unprocessable("reason-missing", detail));
    }
    decided(&app, &cx, caller, key, id, Decision::Refuse { reason }).await
}

/// Confirms that the goods of a case have come back. They are put on the shelf again as far as the case says how many pieces.
#[utoipa::path(post, path = "/v1/refunds/{id}/confirm-receipt", params(
        ("id" = RefundId, Path, description = "The refund's id in our books"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["orders:write"])), responses(
    (status = 200, description = "It stands", body = DecidedView),
    (status = 202, description = "The platform is told", body = DecidedView),
    (status = 400, description = "The key is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such refund among those that the caller may see", body = Problem),
    (status = 409, description = "The case stands where this cannot be decided", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn confirm_receipt(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<OrdersWrite>,
    Path(id): Path<RefundId>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    decided(&app, &cx, caller, key, id, Decision::ConfirmReceipt).await
}

async fn decided(
    app: &App,
    cx: &Cx,
    caller: Caller<OrdersWrite>,
    key: IdempotencyKey,
    id: RefundId,
    decision: Decision,
) -> Result<Answer, Problem> {
    let request = format!("{id}{decision:?}");
    write_once(app, cx, caller, key, request.as_bytes(), move |tx, caller| carry_out(tx, caller, id, decision)).await
}

fn carry_out(tx: &Tx<'_>, caller: &Caller<OrdersWrite>, id: RefundId, decision: Decision) -> Result<Answer, Problem> {
    let (listed, refund) = seen::refund(tx, &caller.store, id)?;
    let status = refund.facts.status().unwrap_or(RefundStatus::Applied);
    if !decision.fits(status) {
        let detail = format!("the case is {}: this can no longer, or not yet, be decided", status.as_str());
        return Err(Problem::conflict("refund-stands", detail));
    }
    let decided = decision::decide(tx, &listed.known, &refund, decision)?;
    audit::done(tx, caller, &id.to_string())?;
    let (_, refund) = seen::refund(tx, &caller.store, id)?;
    let refund = RefundView::new(&refund, &listed.known);
    match decided {
        Decided::Done => Answer::json(StatusCode::OK, &DecidedView { refund, outbox_id: None }),
        Decided::Queued(outbox_id) => {
            Answer::json(StatusCode::ACCEPTED, &DecidedView { refund, outbox_id: Some(outbox_id) })
        }
    }
}
