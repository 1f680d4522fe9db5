//! The courier: sends the calls that others have queued in the outbox, and says in the log how each ended.
//!
//! Each destination has a rate limit and a circuit breaker, kept in rows so that all instances share them. A call is claimed
//! under a lease, sent, and finished; a courier that does not come back loses the lease and the call is sent again
//! with the same idempotency key. Failures that may pass are repeated with growing, jittered pauses; the rest end as `outbox.failed`.

mod api;
mod breaker;
mod budget;
mod deliver;
mod destination;
mod retry;
mod settings;
mod store;

pub use settings::variables;

use axum::Router;
use axum::extract::FromRef;
use deliver::Courier;
use kit::App;

/// What the handlers share.
#[derive(Clone)]
struct State {
    app: App,
    courier: Courier,
}

impl FromRef<State> for App {
    fn from_ref(state: &State) -> Self {
        state.app.clone()
    }
}

/// The function's routes.
pub fn router(app: App) -> Router {
    let courier = Courier::new(app.clone());
    kit::complete(api::routes().merge(kit::description(include_str!("../openapi.json"))))
        .with_state(State { app, courier })
}

kit::service!(crate::router, crate::variables);
