//! The routes, and their description.

mod clock;
mod dead_letters;
mod events;
mod inside;
mod metrics;

use crate::State;
use axum::Router;
use axum::routing::{get, post};
#[cfg(test)]
use utoipa::OpenApi;

kit::scopes! {
    /// Read the event log, its dead letters and figures.
    EventsRead = "events:read";
    /// Replay dead letters, tick.
    EventsWrite = "events:write";
    /// Move the virtual clock.
    ClockWrite = "clock:write";
}

pub fn routes() -> Router<State> {
    Router::new()
        .route("/nudge", post(inside::nudge))
        .route("/tick", post(inside::tick))
        .route("/v1/tick", post(inside::tick_from_outside))
        .route("/v1/events", get(events::list))
        .route("/v1/events/dead-letters", get(dead_letters::list))
        .route("/v1/events/dead-letters/{id}/replay", post(dead_letters::replay))
        .route("/v1/metrics", get(metrics::show))
        .route("/v1/clock", get(clock::show).post(clock::set))
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(
    info(title = "Siyu: events", description = "The event log, its dead letters, figures for alerts, and the clock."),
    paths(
        events::list,
        dead_letters::list,
        dead_letters::replay,
        clock::show,
        clock::set,
        metrics::show,
        inside::tick_from_outside
    )
)]
struct Document;

#[test]
fn the_description_is_current() {
    kit::openapi::is_current(Document::openapi(), "openapi.json".as_ref()).unwrap();
}
