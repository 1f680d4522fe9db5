//! Parcels: one row each, and the orders whose goods are in them.

use super::json;
use domain::{OrderId, ParcelFacts, ParcelStatus};
use kit::{DbError, Tx, params};
use std::collections::BTreeSet;

/// A parcel as the database knows it.
#[derive(Clone, Debug)]
pub struct KnownParcel {
    /// The carrier's number.
    pub tracking_number: String,
    /// All that the watcher has told.
    pub facts: ParcelFacts,
    /// The steps of which there is an event.
    pub announced: BTreeSet<ParcelStatus>,
    /// When it was first heard of, Unix milliseconds.
    pub noted_at: i64,
}

/// Notes that an order's goods are in a parcel. Tells whether the parcel is new.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn note_parcel(tx: &Tx<'_>, tracking_number: &str, order_id: OrderId) -> Result<bool, DbError> {
    let added = tx.execute(
        "insert into parcel (tracking_number, facts, watched_at) values (?1, ?2, ?3) on conflict do nothing",
        &params![tracking_number, json(&ParcelFacts::default())?, tx.cx().now.millis()],
    )?;
    tx.run(
        "insert into parcel_order (tracking_number, order_id) values (?1, ?2) on conflict do nothing",
        &params![tracking_number, order_id.to_string()],
    )?;
    Ok(added > 0)
}

/// A parcel, if it is watched.
///
/// # Errors
/// [`DbError`] of the query.
pub fn parcel(tx: &Tx<'_>, tracking_number: &str) -> Result<Option<KnownParcel>, DbError> {
    let row = tx.query_one(
        "select facts, announced, watched_at from parcel where tracking_number = ?1",
        &params![tracking_number],
    )?;
    row.map(|row| {
        let tracking_number = tracking_number.to_owned();
        let (facts, announced) = (row.json("facts")?, row.json("announced")?);
        Ok(KnownParcel { tracking_number, facts, announced, noted_at: row.get("watched_at")? })
    })
    .transpose()
}

/// Writes a parcel down.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save_parcel(tx: &Tx<'_>, known: &KnownParcel) -> Result<(), DbError> {
    tx.run(
        "update parcel set facts = ?2, status = ?3, announced = ?4 where tracking_number = ?1",
        &params![
            known.tracking_number.as_str(),
            json(&known.facts)?,
            known.facts.status().map(ParcelStatus::as_str),
            json(&known.announced)?,
        ],
    )
}

/// The orders whose goods are in a parcel.
///
/// # Errors
/// [`DbError`] of the query.
pub fn orders_in_parcel(tx: &Tx<'_>, tracking_number: &str) -> Result<Vec<OrderId>, DbError> {
    let rows = tx.query(
        "select order_id from parcel_order where tracking_number = ?1 order by order_id",
        &params![tracking_number],
    )?;
    rows.iter().map(|row| row.parse("order_id")).collect()
}
