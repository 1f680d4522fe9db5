//! Customers: one person across all platforms (OneID).
//!
//! Orders, and whatever sources tell through the open door, show identities together. Who is who follows from all such facts and from
//! people's decisions, in whatever order they arrive. A customer has a profile, a stage and a timeline; relations with members of staff, who
//! write down their contacts; and a membership with points, levels and a card. Files of customers, members and points come in as imports.

mod api;
mod consume;
mod follow_up;
mod handover;
mod import;
mod intake;
mod membership;
mod partition;
mod portrait;
mod profile;
mod relation;
mod settings;
mod stage;
mod store;
mod tagging;
mod who;

pub use settings::variables;

use axum::Router;
use axum::extract::FromRef;
use kit::App;
use settings::Settings;
use std::sync::Arc;

/// The source of this function's events.
const SOURCE: &str = "/functions/customers";

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
