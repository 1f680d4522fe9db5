//! The routes, and their description.

mod membership;

use crate::State;
use axum::Router;
#[cfg(test)]
use utoipa::OpenApi;

pub fn routes() -> Router<State> {
    Router::new().merge(membership::routes())
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
    let document = Document::openapi().merge_from(membership::Document::openapi());
    kit::openapi::is_current(document, file.as_ref()).unwrap();
}
