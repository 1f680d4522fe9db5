//! The routes, and their description. `/deliver` has no public route: only functions of the application reach it.

use crate::State as Shared;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use kit::{Cx, Problem};
use serde::Serialize;
#[cfg(test)]
use utoipa::OpenApi;

pub fn routes() -> Router<Shared> {
    Router::new().route("/deliver", post(deliver))
}

/// What a call of `/deliver` did.
#[derive(Debug, Serialize)]
struct Delivering {
    /// How many calls are on their way now because of it.
    claimed: usize,
}

async fn deliver(State(shared): State<Shared>, cx: Cx) -> Result<Json<Delivering>, Problem> {
    let claimed = shared.courier.deliver(&cx).await?;
    Ok(Json(Delivering { claimed }))
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(info(title = "Siyu: courier", description = "Sends what the outbox holds. It has no public routes."))]
struct Document;

#[test]
fn the_description_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    kit::openapi::is_current(Document::openapi(), file.as_ref()).unwrap();
}
