//! The pump: moves the event log. A nudge or the tick makes it fire due timers, call consumers until all cursors stand
//! at the head, and call the courier while calls are due. It also serves the log, its dead letters, figures for alerts, and the
//! clock.
//!
//! It holds nothing that must be true: what it does not get to, the next nudge or tick does.

mod api;
mod drive;
mod flight;
mod metrics;
mod retention;
mod store;

use axum::Router;
use axum::extract::FromRef;
use drive::Pump;
use kit::App;

/// What the handlers share.
#[derive(Clone)]
struct State {
    app: App,
    pump: Pump,
}

impl FromRef<State> for App {
    fn from_ref(state: &State) -> Self {
        state.app.clone()
    }
}

/// The function's routes.
pub fn router(app: App) -> Router {
    let pump = Pump::new(app.clone());
    kit::complete(api::routes().merge(kit::description(include_str!("../openapi.json"))))
        .with_state(State { app, pump })
}

/// The variables that this function reads.
pub fn variables() -> Vec<String> {
    vec![retention::KEEP_DAYS.to_owned()]
}

kit::service!(crate::router, crate::variables);
