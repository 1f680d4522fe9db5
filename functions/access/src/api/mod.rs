//! The routes, and their description.

mod audit;
mod tokens;

use crate::describe;
use axum::Router;
use axum::routing::{delete, get};
use kit::App;
#[cfg(test)]
use utoipa::OpenApi;

kit::scopes! {
    /// Make and revoke tokens.
    TokensWrite = "tokens:write";
    /// Read the audit.
    AuditRead = "audit:read";
}

pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/tokens", get(tokens::list).post(tokens::create))
        .route("/v1/tokens/{id}", delete(tokens::revoke))
        .route("/v1/audit", get(audit::list))
        .route("/v1/openapi.json", get(describe::whole))
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(
    info(title = "Siyu: access", description = "Bearer tokens and the audit."),
    paths(tokens::list, tokens::create, tokens::revoke, audit::list)
)]
struct Document;

#[test]
fn the_description_is_current() {
    kit::openapi::is_current(Document::openapi(), "openapi.json".as_ref()).unwrap();
}
