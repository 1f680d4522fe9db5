//! The routes, and their description. `/deliver` has no public route: only functions of the application reach it.

mod message_rule;
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
    /// Read how often contacts may be messaged.
    MessagesRead = "messages:read";
    /// Change how often contacts may be messaged.
    MessagesWrite = "messages:write";
}

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/deliver", post(deliver))
        .route("/v1/message-rule", get(message_rule::show).put(message_rule::change))
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
    info(
        title = "Siyu: courier",
        description = "Shops on marketplaces, how often contacts are messaged, and the calls to other systems that the outbox holds."
    ),
    paths(shops::list, shops::show, shops::connect, shops::disconnect, message_rule::show, message_rule::change)
)]
struct Document;

#[test]
fn the_description_is_current() {
    kit::openapi::is_current(Document::openapi(), "openapi.json".as_ref()).unwrap();
}
