//! What drives the pump. `/nudge` and `/tick` have no public route: only functions of the application and the host reach them.

use super::EventsWrite;
use crate::State as Shared;
use axum::extract::State;
use http::StatusCode;
use kit::auth::Caller;
use kit::{Cx, Problem};

/// The log or the outbox has grown.
pub async fn nudge(State(shared): State<Shared>) -> StatusCode {
    shared.pump.nudge();
    StatusCode::ACCEPTED
}

/// Time has passed.
pub async fn tick(State(shared): State<Shared>, cx: Cx) -> Result<StatusCode, Problem> {
    shared.pump.tick(&cx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The tick, for hosts that have no clock of their own (Spin): call it once a second.
#[utoipa::path(post, path = "/v1/tick", security(("token" = ["events:write"])), responses(
    (status = 204, description = "Timers due have fired and consumers stand at the head, or a run under way sees to it"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 503, description = "The database is busy: the next tick does the same. Or `keep_days` is wrong: nothing is forgotten",
        body = Problem),
))]
pub async fn tick_from_outside(
    State(shared): State<Shared>,
    cx: Cx,
    _caller: Caller<EventsWrite>,
) -> Result<StatusCode, Problem> {
    shared.pump.tick(&cx).await?;
    Ok(StatusCode::NO_CONTENT)
}
