//! Where SKUs are offered, and what each platform was told of their stock.

use domain::Platform;
use kit::db::Row;
use kit::{DbError, Tx, params};
use platforms::marketplace::Shelf;

/// One offer of a SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingRow {
    /// The platform.
    pub platform: Platform,
    /// The shop's id there.
    pub shop_id: String,
    /// The platform's ids of what is offered.
    pub shelf: Shelf,
    /// Pieces that are kept back from it.
    pub safety: i64,
    /// The pieces that the platform was asked to show last; none where it has refused.
    pub asked: Option<i64>,
    /// The pieces that the platform has taken last.
    pub told: Option<i64>,
}

impl ListingRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let sku_id: String = row.get("platform_sku")?;
        Ok(Self {
            platform: row.parse("platform")?,
            shop_id: row.get("shop")?,
            shelf: Shelf { product_id: row.get("product")?, sku_id: Some(sku_id).filter(|id| !id.is_empty()) },
            safety: row.get("safety")?,
            asked: row.get("asked")?,
            told: row.get("told")?,
        })
    }
}

/// All offers of a SKU.
///
/// # Errors
/// [`DbError`] of the query.
pub fn listings(tx: &Tx<'_>, sku: &str) -> Result<Vec<ListingRow>, DbError> {
    tx.query(
        "select platform, shop, product, platform_sku, safety, asked, told from listing
          where sku = ?1
          order by platform, shop, product, platform_sku",
        &params![sku],
    )?
    .iter()
    .map(ListingRow::from_row)
    .collect()
}

/// Replaces the offers of a SKU. What a platform was told stays known for offers that stay; an offer of another SKU
/// becomes this one's, and is told anew.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn replace_listings(tx: &Tx<'_>, sku: &str, wanted: &[ListingRow]) -> Result<(), DbError> {
    for gone in listings(tx, sku)? {
        if !wanted.iter().any(|row| same(row, &gone)) {
            tx.run(
                "delete from listing where platform = ?1 and shop = ?2 and product = ?3 and platform_sku = ?4",
                &params![gone.platform.as_str(), gone.shop_id, gone.shelf.product_id, text(gone.shelf.sku_id)],
            )?;
        }
    }
    for row in wanted {
        tx.run(
            "insert into listing (platform, shop, product, platform_sku, sku, safety) values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (platform, shop, product, platform_sku) do update
                 set asked = case when sku = excluded.sku then asked end,
                     told = case when sku = excluded.sku then told end,
                     sku = excluded.sku, safety = excluded.safety",
            &params![
                row.platform.as_str(),
                row.shop_id.as_str(),
                row.shelf.product_id.as_str(),
                text(row.shelf.sku_id.clone()),
                sku,
                row.safety,
            ],
        )?;
    }
    Ok(())
}

/// A platform is asked to show so many pieces of an offer; none forgets what it was asked.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn listing_asked(
    tx: &Tx<'_>,
    platform: Platform,
    shop_id: &str,
    shelf: &Shelf,
    quantity: Option<i64>,
) -> Result<(), DbError> {
    tx.run(
        "update listing set asked = ?5 where platform = ?1 and shop = ?2 and product = ?3 and platform_sku = ?4",
        &params![platform.as_str(), shop_id, shelf.product_id.as_str(), text(shelf.sku_id.clone()), quantity],
    )
}

/// A platform has taken so many pieces of an offer.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn listing_told(
    tx: &Tx<'_>,
    platform: Platform,
    shop_id: &str,
    shelf: &Shelf,
    quantity: i64,
) -> Result<(), DbError> {
    tx.run(
        "update listing set told = ?5 where platform = ?1 and shop = ?2 and product = ?3 and platform_sku = ?4",
        &params![platform.as_str(), shop_id, shelf.product_id.as_str(), text(shelf.sku_id.clone()), quantity],
    )
}

/// The SKU of an offer.
///
/// # Errors
/// [`DbError`] of the query.
pub fn listed_sku(tx: &Tx<'_>, platform: Platform, shop_id: &str, shelf: &Shelf) -> Result<Option<String>, DbError> {
    tx.scalar(
        "select sku from listing where platform = ?1 and shop = ?2 and product = ?3 and platform_sku = ?4",
        &params![platform.as_str(), shop_id, shelf.product_id.as_str(), text(shelf.sku_id.clone())],
    )
}

fn same(one: &ListingRow, other: &ListingRow) -> bool {
    one.platform == other.platform && one.shop_id == other.shop_id && one.shelf == other.shelf
}

fn text(sku_id: Option<String>) -> String {
    sku_id.unwrap_or_default()
}
