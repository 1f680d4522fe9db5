//! The merchant's catalogue: what a SKU is.

use crate::feature::order::Product;
use kit::db::Row;
use kit::{DbError, Tx, params};

/// One SKU.
///
/// # Errors
/// [`DbError`] of the query.
pub fn product(tx: &Tx<'_>, sku: &str) -> Result<Option<Row>, DbError> {
    tx.query_one("select sku, category, brand, flavour, updated_at from product where sku = ?1", &params![sku])
}

/// Sets what a SKU is.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn set(tx: &Tx<'_>, sku: &str, product: &Product) -> Result<(), DbError> {
    tx.run(
        "insert into product (sku, category, brand, flavour, updated_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (sku) do update
             set category = excluded.category, brand = excluded.brand, flavour = excluded.flavour,
                 updated_at = excluded.updated_at",
        &params![
            sku,
            product.category.as_deref(),
            product.brand.as_deref(),
            product.flavour.as_deref(),
            tx.cx().now.millis(),
        ],
    )
}
