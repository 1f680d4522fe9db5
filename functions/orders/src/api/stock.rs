//! Stock to read and to count.

use super::{StockRead, StockWrite};
use crate::store::{self, StockRow};
use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use kit::auth::Caller;
use kit::extract::{self, Path};
use kit::{App, Cx, Problem, audit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Stock of one SKU, in pieces.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockView {
    /// The merchant's SKU code.
    sku: String,
    /// Pieces in the store, promised ones included.
    on_hand: i64,
    /// Pieces promised to orders that have not left yet.
    reserved: i64,
    /// Pieces that can still be sold.
    available: i64,
    /// Pieces that orders lack: sold by platforms though there were too few. The oldest order gets its pieces first.
    short: i64,
    /// The last change.
    updated_at: UnixMs,
}

impl StockView {
    fn new(sku: String, row: StockRow) -> Self {
        Self {
            sku,
            on_hand: row.stock.on_hand(),
            reserved: row.stock.reserved(),
            available: row.stock.available(),
            short: row.short,
            updated_at: row.updated_at,
        }
    }
}

/// What was counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Pieces in the store, promised ones included; 0 to 10^12.
    #[schema(minimum = 0)]
    on_hand: i64,
}

const MOST: i64 = 1_000_000_000_000;

/// Stock of a SKU.
#[utoipa::path(get, path = "/v1/stock/{sku}", params(("sku" = String, Path, description = "The merchant's SKU code")),
    security(("token" = ["stock:read"])), responses(
    (status = 200, description = "Its stock", body = StockView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No stock is kept of this SKU", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<StockRead>,
    Path(sku): Path<String>,
) -> Result<Json<StockView>, Problem> {
    let row = app.db().read(&cx, |tx| store::stock(tx, &sku)).await.map_err(Problem::from)?;
    row.map(|row| Json(StockView::new(sku, row)))
        .ok_or_else(|| Problem::not_found("no stock is kept of this SKU: PUT what you count"))
}

/// Sets what was counted, and keeps stock of the SKU from then on. The same call twice is the same as once.
#[utoipa::path(put, path = "/v1/stock/{sku}", request_body = Count,
    params(("sku" = String, Path, description = "The merchant's SKU code")),
    security(("token" = ["stock:write"])), responses(
    (status = 200, description = "The stock now; orders sold short have got their pieces", body = StockView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 409, description = "Fewer than are promised to orders", body = Problem),
))]
pub async fn count(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<StockWrite>,
    Path(sku): Path<String>,
    extract::Json(count): extract::Json<Count>,
) -> Result<Json<StockView>, Problem> {
    if !(0..=MOST).contains(&count.on_hand) {
        return Err(Problem::bad_request(format!("on_hand is {}: count 0 to {MOST} pieces", count.on_hand)));
    }
    app.db()
        .write(&cx, move |tx| {
            let row = store::count(tx, &sku, count.on_hand)?.ok_or_else(|| {
                Problem::conflict("stock-promised", "fewer pieces than are promised to orders: close orders first")
            })?;
            audit::done(tx, &caller, &sku)?;
            Ok(Json(StockView::new(sku, row)))
        })
        .await
}
