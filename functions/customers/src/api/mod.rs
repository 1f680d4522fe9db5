//! The routes, and their description.

use crate::State;
use axum::Router;
#[cfg(test)]
use utoipa::OpenApi;

pub fn routes() -> Router<State> {
    Router::new()
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(
    info(title = "Siyu: customers", description = "Customers, their profiles and timelines. Times are RFC 3339."),
    paths()
)]
struct Document;

#[test]
fn the_description_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    kit::openapi::is_current(Document::openapi(), file.as_ref()).unwrap();
}
