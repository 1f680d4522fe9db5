//! Tagging: what each customer does becomes features; rules over features give tags, with reasons, within a second; segments are
//! saved conditions.

mod api;
mod booking;
mod consume;
mod engine;
mod feature;
mod past;
mod people;
mod rfm;
mod rounds;
mod rule;
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
    Vec::new()
}

kit::service!(crate::router, crate::variables);
