//! The routes, and their description.

mod decisions;
mod hooks;
mod listings;
mod orders;
mod pickups;
mod refunds;
mod seen;
mod stock;
mod view;

use crate::State;
use axum::Router;
use axum::routing::{get, post};
#[cfg(test)]
use utoipa::OpenApi;

kit::scopes! {
    /// Read orders and refunds.
    OrdersRead = "orders:read";
    /// Enter refunds.
    OrdersWrite = "orders:write";
    /// Read stock.
    StockRead = "stock:read";
    /// Count stock.
    StockWrite = "stock:write";
}

pub fn routes() -> Router<State> {
    Router::new()
        .route("/hooks/{platform}", get(hooks::marketplace::push).post(hooks::marketplace::push))
        .route("/hooks/{platform}/{secret}", post(hooks::marketplace::push))
        .route("/hooks/orders", post(hooks::own::own))
        .route("/hooks/stock", post(hooks::stock::document))
        .route("/hooks/kuaidi100", post(hooks::kuaidi100::push))
        .route("/v1/orders", get(orders::list))
        .route("/v1/orders/{id}", get(orders::show))
        .route("/v1/orders/{id}/refunds", post(refunds::create))
        .route("/v1/refunds/{id}/agree", post(decisions::agree))
        .route("/v1/refunds/{id}/refuse", post(decisions::refuse))
        .route("/v1/refunds/{id}/confirm-receipt", post(decisions::confirm_receipt))
        .route("/v1/refunds/{id}/pickup", get(pickups::show).put(pickups::want).delete(pickups::withdraw))
        .route("/v1/stock/{sku}", get(stock::show).put(stock::count))
        .route("/v1/stock/{sku}/listings", get(listings::show).put(listings::replace))
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(
    info(title = "Siyu: orders", description = "Orders, refunds and stock. Money is integer fen, times are RFC 3339."),
    paths(
        hooks::marketplace::push,
        hooks::own::own,
        hooks::stock::document,
        hooks::kuaidi100::push,
        orders::list,
        orders::show,
        refunds::create,
        decisions::agree,
        decisions::refuse,
        decisions::confirm_receipt,
        pickups::show,
        pickups::want,
        pickups::withdraw,
        stock::show,
        stock::count,
        listings::show,
        listings::replace
    )
)]
struct Document;

#[test]
fn the_description_is_current() {
    kit::openapi::is_current(Document::openapi(), "openapi.json".as_ref()).unwrap();
}
