//! Channels: where customers come from. Codes that are scanned, who receives the scanner, the welcome within its twenty seconds, friends who
//! bring friends, links that tell when they are read, tags that are kept at WeCom too, and which channel an order is owed to.

mod answered;
mod api;
mod arrive;
mod attribution;
mod booking;
mod chats;
mod code;
mod consume;
mod credit;
mod customer_tags;
mod fission;
mod follow_up;
mod helps;
mod hours;
mod link;
mod mistake;
mod picture;
mod place;
mod pull;
mod push;
mod radar;
mod ratio;
mod reception;
mod report;
mod settings;
mod state;
mod store;
mod tags;
mod touch;
mod transfer;
mod visits;
mod welcome;
mod welcomed;

pub use settings::variables;

use axum::Router;
use axum::extract::FromRef;
use kit::App;
use settings::Settings;
use std::sync::Arc;

/// The source of this function's events.
const SOURCE: &str = "/functions/channels";

/// What the handlers share.
#[derive(Clone)]
struct State {
    app: App,
    settings: Arc<Settings>,
}

impl State {
    /// Where the outside world reaches this application, where the variable is set.
    fn public_url(&self) -> Option<&str> {
        self.settings.public_url.as_deref().ok()
    }
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
