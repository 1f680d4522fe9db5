//! Stock goes to every platform that offers the SKU: by difference, soon, and no more often than once a second.

use crate::deliver::{self, SOURCE};
use crate::store::{self, ListingRow};
use domain::{Event, Platform, StockPushDue, UnixMs, Version};
use kit::{DbError, Tx, events};
use platforms::marketplace::{Ask, Shelf};

/// Changes within this time go out together, in milliseconds.
const GATHER_MS: i64 = 1_000;
/// After a platform has refused, stock is told again, in milliseconds.
const AGAIN_MS: i64 = 600_000;

/// The stock of a SKU has changed: platforms are told soon.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn changed(tx: &Tx<'_>, sku: &str) -> Result<(), DbError> {
    if store::listings(tx, sku)?.is_empty() {
        return Ok(());
    }
    schedule(tx, sku, GATHER_MS)
}

/// A platform has refused to hear: it is told again later.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refused(tx: &Tx<'_>, platform: Platform, shop_id: &str, shelf: &Shelf) -> Result<(), DbError> {
    store::listing_asked(tx, platform, shop_id, shelf, None)?;
    match store::listed_sku(tx, platform, shop_id, shelf)? {
        Some(sku) => schedule(tx, &sku, AGAIN_MS),
        None => Ok(()),
    }
}

/// Tells each platform what differs from what it was told last.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn push(tx: &Tx<'_>, sku: &str) -> Result<(), DbError> {
    let Some(row) = store::stock(tx, sku)? else { return Ok(()) };
    for listing in store::listings(tx, sku)? {
        let quantity = offered(&listing, row.stock.available());
        // Compared with what was asked, not with what was taken: a call that still waits must not undo this one.
        if listing.asked != Some(quantity) {
            store::listing_asked(tx, listing.platform, &listing.shop_id, &listing.shelf, Some(quantity))?;
            let ask = Ask::SetStock { shelf: listing.shelf, quantity };
            deliver::ask(tx, listing.platform, &listing.shop_id, &ask)?;
        }
    }
    Ok(())
}

/// What a platform may sell: what is free, less what is kept back from it.
fn offered(listing: &ListingRow, available: i64) -> i64 {
    available.saturating_sub(listing.safety).max(0)
}

fn schedule(tx: &Tx<'_>, sku: &str, pause_ms: i64) -> Result<(), DbError> {
    let due: UnixMs = tx.cx().now.try_add_millis(pause_ms).unwrap_or(tx.cx().now);
    let event = Event::StockPushDue(StockPushDue { v: Version, sku: sku.to_owned() });
    events::schedule_by(tx, due, &format!("stock.push:{sku}"), SOURCE, sku, &event)
}
