//! Customers: one person across all platforms (OneID).
//!
//! Orders, and whatever sources tell through the open door, show identities together. Who is who follows from all such facts and from
//! people's decisions, in whatever order they arrive. A customer has a profile, a stage and a timeline.

mod api;
mod consume;
mod membership;
mod store;

use axum::Router;
use axum::extract::FromRef;
use kit::App;

/// What the handlers share.
#[derive(Clone)]
struct State {
    app: App,
}

impl FromRef<State> for App {
    fn from_ref(state: &State) -> Self {
        state.app.clone()
    }
}

/// The function's routes.
pub fn router(app: App) -> Router {
    let routes = api::routes()
        .merge(kit::consume::routes(consume::CONSUMER))
        .merge(kit::description(include_str!("../openapi.json")));
    kit::complete(routes).with_state(State { app })
}

/// The variables that this function reads.
pub fn variables() -> Vec<String> {
    vec![kit::DATA_KEY.to_owned(), "public_url".to_owned(), "webhook_secret".to_owned()]
}

kit::service!(crate::router, crate::variables);
