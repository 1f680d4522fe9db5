//! What orders have added to the figures.

use super::json;
use crate::feature::Booking;
use crate::feature::order::{Product, Products};
use domain::OrderId;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an order and its refunds have added.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Booked {
    /// The order itself, once it was told as paid.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Booking>,
    /// Refunds and returns, by what and the refund's id.
    #[serde(rename = "r", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<String, Booking>,
}

/// What is booked of an order, and on which identity.
///
/// # Errors
/// [`DbError`] of the query.
pub fn booked(tx: &Tx<'_>, id: OrderId) -> Result<(Option<i64>, Booked), DbError> {
    let row =
        tx.query_one("select subject, booked from tagging_order where order_id = ?1", &params![id.to_string()])?;
    row.map_or_else(|| Ok((None, Booked::default())), |row| Ok((row.get("subject")?, row.json("booked")?)))
}

/// Keeps what is booked of an order.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save(tx: &Tx<'_>, id: OrderId, subject: Option<i64>, booked: &Booked) -> Result<(), DbError> {
    tx.run(
        "insert into tagging_order (order_id, subject, booked) values (?1, ?2, ?3)
         on conflict (order_id) do update set subject = excluded.subject, booked = excluded.booked",
        &params![id.to_string(), subject, json(booked)?],
    )
}

/// What the catalogue says of these SKUs.
///
/// # Errors
/// [`DbError`] of the query.
pub fn products(tx: &Tx<'_>, skus: &[&str]) -> Result<Products, DbError> {
    tx.query(
        "select sku, category, brand, flavour from product where sku in (select value from json_each(?1))",
        &params![serde_json::json!(skus).to_string()],
    )?
    .iter()
    .map(|row| {
        let product =
            Product { category: row.get("category")?, brand: row.get("brand")?, flavour: row.get("flavour")? };
        Ok((row.get("sku")?, product))
    })
    .collect()
}
