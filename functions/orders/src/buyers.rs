//! What orders tell of their buyers: whose first it is, and after how long a SKU is bought again.
//!
//! A buyer here is the first of an order's identities, in the order of their kinds. Who is the same person on two platforms
//! is for customers to know. Both facts are the same whatever the order in which orders become known.

use crate::deliver::SOURCE;
use crate::store::{self, Bought};
use domain::{BuyerFirstOrder, Event, Identity, Order, OrderId, SkuCycle, UnixMs, Version};
use kit::{DbError, Tx, events};
use std::collections::BTreeSet;

const DAY_MS: i64 = 86_400_000;

/// An order is paid, and what is in it is known.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn bought(tx: &Tx<'_>, id: OrderId, order: &Order) -> Result<(), DbError> {
    let (Some(paid_at), Some(buyer)) = (order.times.paid_at, order.identities.first()) else { return Ok(()) };
    if store::is_first(tx, buyer, id, paid_at)? {
        let event = BuyerFirstOrder { v: Version, order_id: id, identity: buyer.clone(), at: paid_at };
        events::append(tx, SOURCE, &id.to_string(), &Event::BuyerFirstOrder(event))?;
    }
    // Two lines of one SKU are one purchase of it.
    let skus: BTreeSet<&str> = order.lines.iter().map(|line| line.sku.as_str()).collect();
    for sku in skus {
        measure(tx, buyer, sku, id, paid_at)?;
    }
    Ok(())
}

/// Puts a purchase between those before and after it: the interval between them becomes two.
fn measure(tx: &Tx<'_>, buyer: &Identity, sku: &str, id: OrderId, paid_at: UnixMs) -> Result<(), DbError> {
    let Bought::New { before, after } = store::purchase(tx, buyer, sku, id, paid_at)? else { return Ok(()) };
    let was = store::cycle(tx, sku)?;
    if let (Some(before), Some(after)) = (before, after) {
        store::remove_interval(tx, sku, whole_days(before, after))?;
    }
    if let Some(before) = before {
        store::add_interval(tx, sku, whole_days(before, paid_at))?;
    }
    if let Some(after) = after {
        store::add_interval(tx, sku, whole_days(paid_at, after))?;
    }
    let now = store::cycle(tx, sku)?;
    if let Some((days, intervals)) = now
        && was.map(|(days, _)| days) != Some(days)
    {
        let event = SkuCycle { v: Version, sku: sku.to_owned(), days, intervals, at: tx.cx().now };
        events::append(tx, SOURCE, sku, &Event::SkuCycle(event))?;
    }
    Ok(())
}

/// The days between two purchases, to the nearest: one in the morning and one in the evening of the next day are a day apart.
fn whole_days(from: UnixMs, to: UnixMs) -> i64 {
    to.millis().saturating_sub(from.millis()).saturating_add(DAY_MS / 2).div_euclid(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::whole_days;
    use domain::UnixMs;

    #[test]
    fn days_are_to_the_nearest() {
        let at = |hours: i64| UnixMs::from_seconds(hours * 3600).unwrap();
        for (hours, days) in [(0, 0), (11, 0), (12, 1), (24, 1), (35, 1), (36, 2), (30 * 24, 30)] {
            assert_eq!(whole_days(at(0), at(hours)), days, "{hours} h");
        }
    }
}
