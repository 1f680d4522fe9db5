//! The merchant's catalogue, as far as figures are counted by it.

use super::{TagsRead, TagsWrite};
use crate::feature::order::Product;
use crate::store::product as store;
use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use kit::auth::Caller;
use kit::extract::{self, Path};
use kit::{App, Cx, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a SKU is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductBody {
    /// The category, as the merchant names it.
    category: Option<String>,
    /// The brand.
    brand: Option<String>,
    /// The taste: `strawberry`.
    flavour: Option<String>,
}

/// What a SKU is, with the time at which that was set.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductView {
    /// The merchant's SKU code.
    sku: String,
    /// The category, as the merchant names it.
    category: Option<String>,
    /// The brand.
    brand: Option<String>,
    /// The taste: `strawberry`.
    flavour: Option<String>,
    /// When that was set.
    updated_at: UnixMs,
}

fn read(tx: &Tx<'_>, sku: &str) -> Result<ProductView, Problem> {
    let row = store::product(tx, sku)?;
    let row = row.ok_or_else(|| Problem::not_found("the catalogue says nothing of this SKU: PUT what it is"))?;
    Ok(ProductView {
        sku: row.get("sku")?,
        category: row.get("category")?,
        brand: row.get("brand")?,
        flavour: row.get("flavour")?,
        updated_at: row.instant("updated_at")?,
    })
}

/// What a SKU is.
#[utoipa::path(get, path = "/v1/products/{sku}", params(("sku" = String, Path, description = "The merchant's SKU code")),
    security(("token" = ["tags:read"])), responses(
    (status = 200, description = "What it is", body = ProductView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "The catalogue says nothing of it", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<TagsRead>,
    Path(sku): Path<String>,
) -> Result<Json<ProductView>, Problem> {
    app.db().read(&cx, |tx| read(tx, &sku)).await.map(Json)
}

/// Sets what a SKU is. Orders that are told from then on count by it; what was counted stays.
#[utoipa::path(put, path = "/v1/products/{sku}", request_body = ProductBody, params(("sku" = String, Path, description = "The merchant's SKU code")),
    security(("token" = ["tags:write"])), responses(
    (status = 200, description = "What it is now", body = ProductView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 422, description = "A name is too long", body = Problem),
))]
pub async fn set(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    Path(sku): Path<String>,
    extract::Json(body): extract::Json<ProductBody>,
) -> Result<Json<ProductView>, Problem> {
    let name = |text: Option<String>| text.map(|text| super::seen::name(&text)).transpose();
    let product = Product { category: name(body.category)?, brand: name(body.brand)?, flavour: name(body.flavour)? };
    super::seen::name(&sku)?;
    app.db()
        .write(&cx, move |tx| {
            store::set(tx, &sku, &product)?;
            audit::done(tx, &caller, &sku)?;
            read(tx, &sku).map(Json)
        })
        .await
}
