//! Where SKUs are offered.

use super::{StockRead, StockWrite};
use crate::listing;
use crate::store::{self, ListingRow};
use axum::Json;
use axum::extract::State;
use domain::Platform;
use kit::auth::Caller;
use kit::extract::{self, Path};
use kit::{App, Cx, DbError, Problem, audit};
use platforms::marketplace::Shelf;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An offer of a SKU on a marketplace.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// The platform.
    platform: Platform,
    /// The shop's id on the platform.
    shop_id: String,
    /// The platform's id of the product.
    product_id: String,
    /// The platform's id of the SKU; absent for a product without variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform_sku_id: Option<String>,
    /// Pieces that are kept back from this platform (safety stock).
    #[serde(default)]
    #[schema(minimum = 0)]
    safety: i64,
    /// The pieces that the platform has taken last; absent before the first time. Read only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<i64>,
}

/// All offers of a SKU.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Listings {
    /// The offers.
    listings: Vec<Listing>,
}

impl From<ListingRow> for Listing {
    fn from(row: ListingRow) -> Self {
        let ListingRow { platform, shop_id, shelf: Shelf { product_id, sku_id }, safety, told, .. } = row;
        Self { platform, shop_id, product_id, platform_sku_id: sku_id, safety, told }
    }
}

impl From<Listing> for ListingRow {
    fn from(listing: Listing) -> Self {
        let Listing { platform, shop_id, product_id, platform_sku_id, safety, .. } = listing;
        Self {
            platform,
            shop_id,
            shelf: Shelf { product_id, sku_id: platform_sku_id },
            safety,
            asked: None,
            told: None,
        }
    }
}

/// Where a SKU is offered.
#[utoipa::path(get, path = "/v1/stock/{sku}/listings",
    params(("sku" = String, Path, description = "The merchant's SKU code")),
    security(("token" = ["stock:read"])), responses(
    (status = 200, description = "Its offers; none is no error", body = Listings),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<StockRead>,
    Path(sku): Path<String>,
) -> Result<Json<Listings>, Problem> {
    let rows = app.db().read(&cx, |tx| store::listings(tx, &sku)).await;
    let rows = rows.map_err(|error: DbError| Problem::from(error))?;
    Ok(Json(Listings { listings: rows.into_iter().map(Listing::from).collect() }))
}

/// Replaces the offers of a SKU. Each platform is told the stock within seconds, and again after each change.
#[utoipa::path(put, path = "/v1/stock/{sku}/listings", request_body = Listings,
    params(("sku" = String, Path, description = "The merchant's SKU code")),
    security(("token" = ["stock:write"])), responses(
    (status = 200, description = "Its offers now", body = Listings),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 422, description = "Not a marketplace, no product, or a negative safety stock", body = Problem),
))]
pub async fn replace(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<StockWrite>,
    Path(sku): Path<String>,
    extract::Json(asked): extract::Json<Listings>,
) -> Result<Json<Listings>, Problem> {
    for Listing { platform, product_id, safety, .. } in &asked.listings {
        let unusable = |detail: String| Err(Problem::unprocessable("listing-unusable", detail));
        if platforms::source(*platform).is_none() {
            return unusable(format!("{platform} is no marketplace that can be told"));
        }
        if product_id.is_empty() || *safety < 0 {
            return unusable("an offer has a product_id, and a safety stock of 0 or more".to_owned());
        }
    }
    let rows: Vec<ListingRow> = asked.listings.into_iter().map(ListingRow::from).collect();
    app.db()
        .write(&cx, move |tx| {
            store::replace_listings(tx, &sku, &rows)?;
            listing::changed(tx, &sku)?;
            audit::done(tx, &caller, &sku)?;
            let rows = store::listings(tx, &sku)?;
            Ok(Json(Listings { listings: rows.into_iter().map(Listing::from).collect() }))
        })
        .await
}
