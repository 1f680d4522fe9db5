//! Access: bearer tokens with scopes and a store subtree, the audit of refused and privileged calls, and the API's
//! description as a whole, put together from what each function says of itself.

mod api;
pub mod describe;
mod store;

use axum::Router;
use kit::App;

/// The function's routes.
pub fn router(app: App) -> Router {
    kit::complete(api::routes()).with_state(app)
}

kit::service!(crate::router, Vec::new);
