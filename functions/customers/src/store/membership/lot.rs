//! Lots of points, what was taken from them, and what is owed.

use crate::membership::lots::{Lot, Taken};
use domain::{CustomerId, OrderId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use std::collections::BTreeSet;

/// A lot to be added for an entry.
#[derive(Clone, Copy, Debug)]
pub struct NewLot {
    /// The entry.
    pub entry: i64,
    /// The customer that it is written for.
    pub customer: CustomerId,
    /// The order that earned it.
    pub order: Option<OrderId>,
    /// How many points.
    pub points: i64,
    /// From when on they are worth nothing.
    pub expires_at: UnixMs,
    /// When the customer is to be reminded of that.
    pub remind_at: Option<UnixMs>,
}

/// Adds a lot.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add_lot(tx: &Tx<'_>, lot: &NewLot) -> Result<(), DbError> {
    tx.run(
        "insert into point_lot (entry, customer, order_id, points, remains, expires_at, remind_at)
         values (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
        &params![
            lot.entry,
            lot.customer.to_string(),
            lot.order.map(|id| id.to_string()),
            lot.points,
            lot.expires_at.millis(),
            lot.remind_at.map(UnixMs::millis),
        ],
    )
}

/// What a customer, with all that is merged into it, can spend: what expires first first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn lots(tx: &Tx<'_>, survivor: CustomerId, now: UnixMs) -> Result<Vec<Lot>, DbError> {
    // By customer_by_survivor and point_lot_by_customer.
    read(tx.query(
        "select entry, remains, expired, expires_at from point_lot
          where customer in (select id from customer where survivor = ?1) and remains > 0 and expires_at > ?2
          order by expires_at, entry",
        &params![survivor.to_string(), now.millis()],
    )?)
}

/// What an order has earned, by entry.
///
/// # Errors
/// [`DbError`] of the query.
pub fn lots_of_order(tx: &Tx<'_>, order: OrderId) -> Result<Vec<Lot>, DbError> {
    read(tx.query(
        "select entry, remains, expired, expires_at from point_lot where order_id = ?1 order by entry",
        &params![order.to_string()],
    )?)
}

/// What has expired by now of what was written for a customer, at most so many lots.
///
/// # Errors
/// [`DbError`] of the query.
pub fn expired_lots(tx: &Tx<'_>, customer: CustomerId, now: UnixMs, most: u32) -> Result<Vec<Lot>, DbError> {
    read(tx.query(
        "select entry, remains, expired, expires_at from point_lot
          where customer = ?1 and remains > 0 and expires_at <= ?2
          order by expires_at, entry
          limit ?3",
        &params![customer.to_string(), now.millis(), most],
    )?)
}

fn read(rows: Vec<Row>) -> Result<Vec<Lot>, DbError> {
    rows.iter()
        .map(|row| {
            Ok(Lot {
                entry: row.get("entry")?,
                remains: row.get("remains")?,
                expired: row.get("expired")?,
                expires_at: row.instant("expires_at")?,
            })
        })
        .collect()
}

/// Takes points from lots for an entry. The table refuses to give more than remains.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn take(tx: &Tx<'_>, entry: i64, taken: &[Taken]) -> Result<(), DbError> {
    for part in taken {
        tx.run("update point_lot set remains = remains - ?2 where entry = ?1", &params![part.lot, part.points])?;
        allocate(tx, entry, part.lot, part.points)?;
    }
    Ok(())
}

/// Writes off what has expired.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn write_off(tx: &Tx<'_>, entry: i64, taken: &[Taken]) -> Result<(), DbError> {
    for part in taken {
        tx.run(
            "update point_lot set remains = remains - ?2, expired = expired + ?2 where entry = ?1",
            &params![part.lot, part.points],
        )?;
        allocate(tx, entry, part.lot, part.points)?;
    }
    Ok(())
}

/// Counts what had expired as reversed from now on. It was gone before, so the ledger stays as it is.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn reverse_expired(tx: &Tx<'_>, taken: &[Taken]) -> Result<(), DbError> {
    for part in taken {
        tx.run("update point_lot set expired = expired - ?2 where entry = ?1", &params![part.lot, part.points])?;
    }
    Ok(())
}

/// Gives back to the lots what an entry took from them, for another entry. Tells for which customers those lots are written.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn give_back(tx: &Tx<'_>, spent: i64, entry: i64) -> Result<BTreeSet<CustomerId>, DbError> {
    let rows = tx.query("select lot, points from point_allocation where entry = ?1 and points > 0", &params![spent])?;
    let mut customers = BTreeSet::new();
    for row in rows {
        let (lot, points): (i64, i64) = (row.get("lot")?, row.get("points")?);
        let changed = tx.query_one(
            "update point_lot set remains = remains + ?2 where entry = ?1 returning customer",
            &params![lot, points],
        )?;
        customers.extend(changed.map(|row| row.parse::<CustomerId>("customer")).transpose()?);
        allocate(tx, entry, lot, -points)?;
    }
    Ok(customers)
}

fn allocate(tx: &Tx<'_>, entry: i64, lot: i64, points: i64) -> Result<(), DbError> {
    tx.run(
        "insert into point_allocation (entry, lot, points) values (?1, ?2, ?3)
         on conflict (entry, lot) do update set points = point_allocation.points + excluded.points",
        &params![entry, lot, points],
    )
}

/// Notes what an entry could not take.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn owe(tx: &Tx<'_>, entry: i64, customer: CustomerId, points: i64) -> Result<(), DbError> {
    tx.run(
        "insert into point_debt (entry, customer, points) values (?1, ?2, ?3)",
        &params![entry, customer.to_string(), points],
    )
}

/// What a customer, with all that is merged into it, owes, the oldest first: entry and points.
///
/// # Errors
/// [`DbError`] of the query.
pub fn debts(tx: &Tx<'_>, survivor: CustomerId) -> Result<Vec<(i64, i64)>, DbError> {
    tx.query(
        "select entry, points - paid as owed from point_debt
          where customer in (select id from customer where survivor = ?1) and paid < points
          order by entry",
        &params![survivor.to_string()],
    )?
    .iter()
    .map(|row| Ok((row.get("entry")?, row.get("owed")?)))
    .collect()
}

/// Notes that so much of a debt was paid.
///
/// # Errors
/// [`DbError`] of the update.
pub fn pay(tx: &Tx<'_>, entry: i64, points: i64) -> Result<(), DbError> {
    tx.run("update point_debt set paid = paid + ?2 where entry = ?1", &params![entry, points])
}

/// Points that expire together and of which a reminder is due, by instant; each is told once.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn reminders(tx: &Tx<'_>, customer: CustomerId, now: UnixMs) -> Result<Vec<(UnixMs, i64)>, DbError> {
    let due = params![customer.to_string(), now.millis()];
    let rows = tx.query(
        "select expires_at, sum(remains) as points from point_lot
          where customer = ?1 and remains > 0 and remind_at <= ?2 and expires_at > ?2
          group by expires_at
          order by expires_at",
        &due,
    )?;
    tx.run("update point_lot set remind_at = null where customer = ?1 and remains > 0 and remind_at <= ?2", &due)?;
    rows.iter().map(|row| Ok((row.instant("expires_at")?, row.get("points")?))).collect()
}

/// When next something expires, or is to be reminded of, that was written for a customer.
///
/// # Errors
/// [`DbError`] of the query.
pub fn next_expiry(tx: &Tx<'_>, customer: CustomerId) -> Result<Option<UnixMs>, DbError> {
    let row = tx.query_one(
        "select min(min(expires_at, coalesce(remind_at, expires_at))) as due from point_lot
          where customer = ?1 and remains > 0",
        &params![customer.to_string()],
    )?;
    row.map(|row| row.optional_instant("due")).transpose().map(Option::flatten)
}
