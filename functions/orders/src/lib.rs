//! Orders: whatever a merchant sells on, its orders, refunds and stock meet here in one canonical form.
//!
//! Webhooks of the platforms and of own shops bring facts; facts merge in any order and any number of times to the same
//! order ([`domain::OrderFacts`]). A push that tells little makes the courier fetch the full record. Each step of an order or a
//! refund is announced once in the event log, with the full record where it is known, and without it when it stays away.
//! Stock is kept per SKU: reserved by orders, committed when they leave, released when they fall through.

mod announce;
mod api;
mod buyers;
mod consume;
mod decision;
mod deliver;
mod listing;
mod parcels;
mod pickup;
mod pull;
mod receive;
mod reservation;
mod settings;
mod store;
mod warehouse;

pub use settings::variables;

use axum::Router;
use axum::extract::FromRef;
use kit::App;
use settings::Settings;
use std::sync::Arc;

/// What the handlers share.
#[derive(Clone)]
struct State {
    app: App,
    settings: Arc<Settings>,
}

impl FromRef<State> for App {
    fn from_ref(state: &State) -> Self {
        state.app.clone()
    }
}

/// The function's routes.
pub fn router(app: App) -> Router {
    let settings = Arc::new(Settings::new(app.variables()));
    let routes = api::routes()
        .merge(kit::consume::routes(consume::CONSUMER))
        .merge(kit::description(include_str!("../openapi.json")));
    kit::complete(routes).with_state(State { app, settings })
}

kit::service!(crate::router, crate::variables);
