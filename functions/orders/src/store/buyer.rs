//! Who has bought what and when.

use domain::{Identity, OrderId, UnixMs};
use kit::db::{Row, Value};
use kit::{DbError, Tx, params};

/// What became of noting a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bought {
    /// It was known.
    Known,
    /// It is new; the buyer's purchases of the SKU next to it.
    New {
        /// The one before.
        before: Option<UnixMs>,
        /// The one after.
        after: Option<UnixMs>,
    },
}

/// Whether an order is the earliest of its buyer, as far as is known; notes it if so. False when that was known.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn is_first(tx: &Tx<'_>, buyer: &Identity, id: OrderId, paid_at: UnixMs) -> Result<bool, DbError> {
    let first = tx.query_one(
        "insert into buyer (kind, scope, value, order_id, paid_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (kind, scope, value) do update
             set order_id = excluded.order_id, paid_at = excluded.paid_at
           where (excluded.paid_at, excluded.order_id) < (buyer.paid_at, buyer.order_id)
         returning 1 as first",
        &[identity(buyer).as_slice(), &params![id.to_string(), paid_at.millis()]].concat(),
    )?;
    Ok(first.is_some())
}

/// Notes a purchase of a SKU.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn purchase(tx: &Tx<'_>, buyer: &Identity, sku: &str, id: OrderId, paid_at: UnixMs) -> Result<Bought, DbError> {
    let key = [identity(buyer).as_slice(), &params![sku, id.to_string(), paid_at.millis()]].concat();
    let added = tx.query_one(
        "insert into purchase (kind, scope, value, sku, order_id, paid_at) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict do nothing
         returning 1 as added",
        &key,
    )?;
    if added.is_none() {
        return Ok(Bought::Known);
    }
    let instant = |row: Option<Row>| row.map(|row| row.optional_instant("paid_at")).transpose().map(Option::flatten);
    let before = tx.query_one(
        "select paid_at from purchase
          where kind = ?1 and scope = ?2 and value = ?3 and sku = ?4 and (paid_at, order_id) < (?6, ?5)
          order by paid_at desc, order_id desc limit 1",
        &key,
    )?;
    let after = tx.query_one(
        "select paid_at from purchase
          where kind = ?1 and scope = ?2 and value = ?3 and sku = ?4 and (paid_at, order_id) > (?6, ?5)
          order by paid_at, order_id limit 1",
        &key,
    )?;
    Ok(Bought::New { before: instant(before)?, after: instant(after)? })
}

/// Counts one more repurchase of a SKU after so many days.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn add_interval(tx: &Tx<'_>, sku: &str, days: i64) -> Result<(), DbError> {
    tx.run(
        "insert into repurchase (sku, days, count) values (?1, ?2, 1)
         on conflict (sku, days) do update set count = count + 1",
        &params![sku, days],
    )
}

/// Takes a repurchase of a SKU after so many days back: it has become two.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn remove_interval(tx: &Tx<'_>, sku: &str, days: i64) -> Result<(), DbError> {
    tx.run("update repurchase set count = count - 1 where sku = ?1 and days = ?2", &params![sku, days])
}

/// The replenishment cycle of a SKU: the median of the days after which buyers have bought it again (the lower one of two),
/// and how many intervals that is of. Nothing before the first repurchase.
///
/// # Errors
/// [`DbError`] of the query.
pub fn cycle(tx: &Tx<'_>, sku: &str) -> Result<Option<(i64, i64)>, DbError> {
    let row = tx.query_one(
        "select days, total from (
             select days, sum(count) over (order by days) as so_far, sum(count) over () as total
               from repurchase where sku = ?1 and count > 0)
          where so_far * 2 >= total
          order by days limit 1",
        &params![sku],
    )?;
    row.map(|row| Ok((row.get("days")?, row.get("total")?))).transpose()
}

fn identity(buyer: &Identity) -> [Value; 3] {
    params![buyer.kind.as_str(), buyer.scope.as_deref().unwrap_or_default(), buyer.value.as_str()]
}
