//! Refunds: one row each.

use super::json;
use super::order::{KnownOrder, order_by_id};
use domain::{Fen, OrderId, Platform, Refund, RefundFacts, RefundId, RefundStatus, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params, unique};
use std::collections::BTreeSet;

/// A refund as the database knows it.
#[derive(Clone, Debug)]
pub struct KnownRefund {
    /// Our id.
    pub id: RefundId,
    /// The order it belongs to.
    pub order_id: OrderId,
    /// The platform's id of the case.
    pub after_sale_id: String,
    /// All that deliveries have told.
    pub facts: RefundFacts,
    /// The steps of which there is an event.
    pub announced: BTreeSet<RefundStatus>,
    /// Whether its record was waited for in vain.
    pub overdue: bool,
    /// When it was asked for; when first heard of, while that is unknown.
    pub applied_at: UnixMs,
    /// Whether the row is still to be made.
    pub is_new: bool,
}

impl KnownRefund {
    /// A refund that is heard of for the first time.
    pub fn new(now: UnixMs, order_id: OrderId, after_sale_id: &str) -> Self {
        Self {
            id: RefundId::new(now, unique()),
            order_id,
            after_sale_id: after_sale_id.to_owned(),
            facts: RefundFacts::default(),
            announced: BTreeSet::new(),
            overdue: false,
            applied_at: now,
            is_new: true,
        }
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            order_id: row.parse("order_id")?,
            after_sale_id: row.get("after_sale_id")?,
            facts: row.json("facts")?,
            announced: row.json("announced")?,
            overdue: row.get("overdue")?,
            applied_at: row.instant("applied_at")?,
            is_new: false,
        })
    }
}

/// The refund of a platform's id, by its unique index.
///
/// # Errors
/// [`DbError`] of the query.
pub fn find_refund(tx: &Tx<'_>, order_id: OrderId, after_sale_id: &str) -> Result<Option<KnownRefund>, DbError> {
    tx.query_one(
        "select id, order_id, after_sale_id, facts, announced, overdue, applied_at
           from refund
          where order_id = ?1 and after_sale_id = ?2",
        &params![order_id.to_string(), after_sale_id],
    )?
    .as_ref()
    .map(KnownRefund::from_row)
    .transpose()
}

/// The refund of our id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn refund_by_id(tx: &Tx<'_>, id: RefundId) -> Result<Option<KnownRefund>, DbError> {
    tx.query_one(
        "select id, order_id, after_sale_id, facts, announced, overdue, applied_at from refund where id = ?1",
        &params![id.to_string()],
    )?
    .as_ref()
    .map(KnownRefund::from_row)
    .transpose()
}

/// Notes that a refund's goods have come back. False when that was known.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn mark_received(tx: &Tx<'_>, id: RefundId) -> Result<bool, DbError> {
    let noted = tx.execute(
        "update refund set received_at = ?2 where id = ?1 and received_at is null",
        &params![id.to_string(), tx.cx().now.millis()],
    )?;
    Ok(noted > 0)
}

/// All refunds of an order, oldest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn refunds(tx: &Tx<'_>, order_id: OrderId) -> Result<Vec<KnownRefund>, DbError> {
    tx.query(
        "select id, order_id, after_sale_id, facts, announced, overdue, applied_at
           from refund
          where order_id = ?1
          order by applied_at, id",
        &params![order_id.to_string()],
    )?
    .iter()
    .map(KnownRefund::from_row)
    .collect()
}

/// Writes a refund down.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save_refund(tx: &Tx<'_>, known: &KnownRefund, refund: &Refund) -> Result<(), DbError> {
    let applied_at = refund.times.get(&RefundStatus::Applied).copied().unwrap_or(known.applied_at);
    tx.run(
        "insert into refund (id, order_id, after_sale_id, facts, status, amount, applied_at, announced, overdue)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (id) do update
             set facts = excluded.facts, status = excluded.status, amount = excluded.amount,
                 applied_at = excluded.applied_at, announced = excluded.announced, overdue = excluded.overdue",
        &params![
            known.id.to_string(),
            known.order_id.to_string(),
            known.after_sale_id.as_str(),
            json(&known.facts)?,
            refund.status.as_str(),
            refund.claim.as_ref().map(|claim| Fen::get(claim.amount)),
            applied_at.millis(),
            json(&known.announced)?,
            known.overdue,
        ],
    )
}

/// The refund of a platform's case whose order is not told.
///
/// # Errors
/// [`DbError`] of the query.
pub fn refund_by_case(
    tx: &Tx<'_>,
    platform: Platform,
    shop_id: &str,
    after_sale_id: &str,
) -> Result<Option<RefundId>, DbError> {
    tx.query_one(
        r#"select refund.id from refund join "order" on "order".id = refund.order_id
            where refund.after_sale_id = ?3 and "order".platform = ?1 and "order".shop = ?2"#,
        &params![platform.as_str(), shop_id, after_sale_id],
    )?
    .map(|row| row.parse("id"))
    .transpose()
}

/// A platform's case with its order, if it is known.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn case(
    tx: &Tx<'_>,
    platform: Platform,
    shop_id: &str,
    after_sale_id: &str,
) -> Result<Option<(KnownOrder, KnownRefund)>, DbError> {
    let Some(id) = refund_by_case(tx, platform, shop_id, after_sale_id)? else { return Ok(None) };
    let Some(refund) = refund_by_id(tx, id)? else { return Ok(None) };
    Ok(order_by_id(tx, refund.order_id)?.map(|order| (order, refund)))
}

/// The order of a refund.
///
/// # Errors
/// [`DbError`] of the query.
pub fn order_of_refund(tx: &Tx<'_>, refund_id: &str) -> Result<Option<OrderId>, DbError> {
    tx.query_one("select order_id from refund where id = ?1", &params![refund_id])?
        .map(|row| row.parse("order_id"))
        .transpose()
}
