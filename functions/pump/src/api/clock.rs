//! The clock, which tests move.

use super::{ClockWrite, EventsRead};
use crate::State as Shared;
use axum::Json;
use axum::extract::State;
use domain::{ClockMoved, Event, UnixMs, Version};
use kit::auth::Caller;
use kit::{Cx, Problem, audit, events, extract};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The time by which the application goes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockView {
    /// RFC 3339.
    now: UnixMs,
}

/// The time by which the application goes.
#[utoipa::path(get, path = "/v1/clock", security(("token" = ["events:read"])), responses(
    (status = 200, description = "The time", body = ClockView),
    (status = 401, description = "No valid token", body = Problem),
))]
pub async fn show(cx: Cx, _caller: Caller<EventsRead>) -> Json<ClockView> {
    Json(ClockView { now: cx.now })
}

/// Moves the virtual clock forward, fires what comes due and drives the consumers to the head before it answers; only a consumer
/// that keeps failing stays behind.
#[utoipa::path(post, path = "/v1/clock", request_body = ClockView, security(("token" = ["clock:write"])), responses(
    (status = 200, description = "The time now", body = ClockView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 409, description = "The clock is the host's, or it would go backward", body = Problem),
    (status = 503, description = "The clock may have moved, the consumers are not at the head: repeat the call", body = Problem),
))]
pub async fn set(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ClockWrite>,
    extract::Json(asked): extract::Json<ClockView>,
) -> Result<Json<ClockView>, Problem> {
    if asked.now < cx.now {
        return Err(Problem::conflict(
            "clock-backward",
            format!("the clock stands at {}: it goes forward only", cx.now),
        ));
    }
    shared.app.clock().set(asked.now).await?;
    let moved = Cx { now: asked.now, ..cx.clone() };
    shared
        .app
        .db()
        .write(&moved, move |tx| {
            let event = Event::ClockMoved(ClockMoved { v: Version, from: cx.now, to: asked.now });
            events::append(tx, "/functions/pump", "clock", &event)?;
            audit::done(tx, &caller, &asked.now.to_string())
        })
        .await
        .map_err(Problem::from)?;
    shared.pump.settle(&moved).await?;
    Ok(Json(ClockView { now: asked.now }))
}
