//! The routes, and their description. `/deliver` has no public route: only functions of the application reach it.

mod shops;

use crate::State as Shared;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use kit::{Cx, Problem};
use serde::Serialize;
#[cfg(test)]
use utoipa::OpenApi;

kit::scopes! {
    /// Read which shops are connected.
    ShopsRead = "shops:read";
    /// Connect and disconnect shops.
    ShopsWrite = "shops:write";
}

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/deliver", post(deliver))
        .route("/v1/shops", get(shops::list))
        .route("/v1/shops/{platform}/{shop_id}", get(shops::show).put(shops::connect).delete(shops::disconnect))
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
#[openapi(
    info(title = "Siyu: courier", description = "Shops on marketplaces, and the calls to them that the outbox holds."),
    paths(shops::list, shops::show, shops::connect, shops::disconnect)
)]
struct Document;

#[test]
fn the_description_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    kit::openapi::is_current(Document::openapi(), file.as_ref()).unwrap();
}
