//! Entries of the ledger of points, and balances.

use domain::{CustomerId, OrderId, RedemptionId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// An order earned points.
    Earn,
    /// Points were given for something.
    Spend,
    /// A redemption was cancelled.
    Return,
    /// Points expired.
    Expire,
    /// What an order had earned was reversed.
    Reverse,
    /// A person or a system of the merchant's set points right.
    Adjust,
}

impl EntryKind {
    const ALL: [Self; 6] = [Self::Earn, Self::Spend, Self::Return, Self::Expire, Self::Reverse, Self::Adjust];

    /// Its name in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Earn => "earn",
            Self::Spend => "spend",
            Self::Return => "return",
            Self::Expire => "expire",
            Self::Reverse => "reverse",
            Self::Adjust => "adjust",
        }
    }
}

/// An entry of the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The customer that it is written for.
    pub customer: CustomerId,
    /// What it is.
    pub kind: EntryKind,
    /// Points that came in, or went (negative); never 0.
    pub points: i64,
    /// When.
    pub at: UnixMs,
    /// The order that caused it.
    pub order: Option<OrderId>,
    /// The redemption that caused it.
    pub redemption: Option<RedemptionId>,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// Who did it (a token's id).
    pub by: Option<String>,
}

/// Adds an entry and tells its place.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add_entry(tx: &Tx<'_>, entry: &Entry) -> Result<i64, DbError> {
    let seq = tx.scalar(
        "insert into point_entry (customer, kind, points, at, order_id, redemption, reason, by)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         returning seq",
        &params![
            entry.customer.to_string(),
            entry.kind.as_str(),
            entry.points,
            entry.at.millis(),
            entry.order.map(|id| id.to_string()),
            entry.redemption.map(|id| id.to_string()),
            entry.reason.as_deref(),
            entry.by.as_deref(),
        ],
    )?;
    seq.ok_or_else(|| DbError::Shape("an insert returned no row".to_owned()))
}

/// Entries of a customer, with all that is merged into it, newest first, each with its place.
///
/// # Errors
/// [`DbError`] of the query.
pub fn entries(
    tx: &Tx<'_>,
    survivor: CustomerId,
    before: Option<i64>,
    most: u32,
) -> Result<Vec<(i64, Entry)>, DbError> {
    tx.query(
        "select seq, customer, kind, points, at, order_id, redemption, reason, by from point_entry
          where customer in (select id from customer where survivor = ?1) and seq < ?2
          order by seq desc
          limit ?3",
        &params![survivor.to_string(), before.unwrap_or(i64::MAX), most],
    )?
    .iter()
    .map(|row| Ok((row.get("seq")?, entry(row)?)))
    .collect()
}

fn entry(row: &Row) -> Result<Entry, DbError> {
    let kind: String = row.get("kind")?;
    let optional = |column: &str| row.get::<Option<String>>(column);
    Ok(Entry {
        customer: row.parse("customer")?,
        kind: EntryKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(|| DbError::Shape(format!("there is no kind of entry {kind:?}")))?,
        points: row.get("points")?,
        at: row.instant("at")?,
        order: optional("order_id")?.map(|_| row.parse("order_id")).transpose()?,
        redemption: optional("redemption")?.map(|_| row.parse("redemption")).transpose()?,
        reason: optional("reason")?,
        by: optional("by")?,
    })
}

/// What a customer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What can be spent now, never negative.
    pub points: i64,
    /// What is owed beyond that: points that come in pay it first.
    pub owed: i64,
    /// What expires next: when, and how many.
    pub next: Option<(UnixMs, i64)>,
}

/// What a customer, with all that is merged into it, has at `now`.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn balance(tx: &Tx<'_>, survivor: CustomerId, now: UnixMs) -> Result<Balance, DbError> {
    let who = params![survivor.to_string(), now.millis()];
    let worth: i64 = tx
        .scalar(
            "select coalesce(sum(remains), 0) from point_lot
              where customer in (select id from customer where survivor = ?1) and remains > 0 and expires_at > ?2",
            &who,
        )?
        .unwrap_or(0);
    let owed: i64 = tx
        .scalar(
            "select coalesce(sum(points - paid), 0) from point_debt
              where customer in (select id from customer where survivor = ?1) and paid < points",
            &params![survivor.to_string()],
        )?
        .unwrap_or(0);
    let next = tx.query_one(
        "select expires_at, sum(remains) as points from point_lot
          where customer in (select id from customer where survivor = ?1) and remains > 0 and expires_at > ?2
          group by expires_at
          order by expires_at
          limit 1",
        &who,
    )?;
    Ok(Balance {
        points: worth.saturating_sub(owed).max(0),
        owed: owed.saturating_sub(worth).max(0),
        next: next.map(|row| Ok::<_, DbError>((row.instant("expires_at")?, row.get("points")?))).transpose()?,
    })
}
