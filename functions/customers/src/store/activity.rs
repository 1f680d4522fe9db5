//! What identities did: the timeline, signs of interest and bonds, paid orders and refunds.

use domain::{Fen, OrderId, RefundId, UnixMs};
use kit::events::Logged;
use kit::{DbError, Tx, params};
use serde_json::Value;

/// Writes an event into the timeline of an identity.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn note(tx: &Tx<'_>, identity: i64, at: UnixMs, logged: &Logged, summary: &Value) -> Result<(), DbError> {
    tx.run(
        "insert into customer_activity (identity, at, seq, type, summary) values (?1, ?2, ?3, ?4, ?5)
         on conflict do nothing",
        &params![identity, at.millis(), logged.seq, logged.type_name.as_str(), summary.to_string()],
    )
}

/// What an activity says of the bond with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Interest.
    Lead,
    /// A bond with a member of staff or a card.
    Contact,
    /// The end of a bond.
    Lost,
}

/// Keeps the newest of each sign. Tells whether this is it.
///
/// # Errors
/// [`DbError`] of the update.
pub fn sign(tx: &Tx<'_>, identity: i64, sign: Sign, at: UnixMs) -> Result<bool, DbError> {
    let column = match sign {
        Sign::Lead => "lead_at",
        Sign::Contact => "contact_at",
        Sign::Lost => "lost_at",
    };
    let sql = format!(
        "update identity set {column} = ?2 where id = ?1 and ({column} is null or {column} < ?2) returning 1 as newest"
    );
    Ok(tx.query_one(&sql, &params![identity, at.millis()])?.is_some())
}

/// Keeps where and with whom an identity was last. Tells whether that changed.
///
/// # Errors
/// [`DbError`] of the updates.
pub fn belongs(
    tx: &Tx<'_>,
    identity: i64,
    store: Option<&str>,
    advisor: Option<&str>,
    at: UnixMs,
) -> Result<bool, DbError> {
    let mut changed = false;
    for (column, value) in [("store", store), ("advisor", advisor)] {
        let Some(value) = value else { continue };
        let sql = format!(
            "update identity set {column} = ?2, {column}_at = ?3
              where id = ?1 and ({column}_at is null or ({column}_at, {column}) < (?3, ?2))
             returning 1 as newest"
        );
        changed |= tx.query_one(&sql, &params![identity, value, at.millis()])?.is_some();
    }
    Ok(changed)
}

/// Keeps where and with whom a customer is as a person has decided it, at its home identity. It comes after what was said within the same second. Tells
/// whether that changed.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn decide_belongs(
    tx: &Tx<'_>,
    customer: domain::CustomerId,
    store: Option<&str>,
    advisor: Option<&str>,
    at: UnixMs,
) -> Result<bool, DbError> {
    let row = tx.query_one(
        "select home, (select max(max(coalesce(store_at, 0), coalesce(advisor_at, 0))) from identity
                        where identity.customer = customer.id) as newest
           from customer where id = ?1",
        &params![customer.to_string()],
    )?;
    let row = row.ok_or_else(|| DbError::Shape("no such customer".to_owned()))?;
    let newest = row.get::<Option<i64>>("newest")?.unwrap_or(0);
    let same_second = (0..1000).contains(&newest.saturating_sub(at.millis()));
    let at = if same_second { UnixMs::from_millis(newest.saturating_add(1)).unwrap_or(at) } else { at };
    belongs(tx, row.get("home")?, store, advisor, at)
}

/// What is known of an order's payment; the identity that it was booked on first keeps it. Tells whether that changed anything.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn order(
    tx: &Tx<'_>,
    id: OrderId,
    identity: i64,
    paid_at: Option<UnixMs>,
    paid: Option<Fen>,
) -> Result<bool, DbError> {
    let changed = tx.query_one(
        "insert into customer_order (order_id, identity, paid_at, paid, refunded)
         values (?1, ?2, ?3, coalesce(?4, 0),
                 (select coalesce(sum(amount), 0) from customer_refund where order_id = ?1))
         on conflict (order_id) do update
             set paid_at = coalesce(excluded.paid_at, paid_at), paid = coalesce(?4, paid)
           where paid_at is not coalesce(excluded.paid_at, paid_at) or paid <> coalesce(?4, paid)
         returning 1 as changed",
        &params![id.to_string(), identity, paid_at.map(UnixMs::millis), paid.map(Fen::get)],
    )?;
    Ok(changed.is_some())
}

/// The identity that an order was booked on.
///
/// # Errors
/// [`DbError`] of the query.
pub fn identity_of_order(tx: &Tx<'_>, id: OrderId) -> Result<Option<i64>, DbError> {
    tx.scalar("select identity from customer_order where order_id = ?1", &params![id.to_string()])
}

/// Counts a refund once.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refund(tx: &Tx<'_>, id: RefundId, order: OrderId, amount: Fen) -> Result<(), DbError> {
    let added = tx.query_one(
        "insert into customer_refund (refund_id, order_id, amount) values (?1, ?2, ?3)
         on conflict do nothing returning 1 as added",
        &params![id.to_string(), order.to_string(), amount.get()],
    )?;
    if added.is_some() {
        tx.run(
            "update customer_order set refunded = refunded + ?2 where order_id = ?1",
            &params![order.to_string(), amount.get()],
        )?;
    }
    Ok(())
}

/// Whose an identity is, as text of the id; nobody's where there is no such identity.
///
/// # Errors
/// [`DbError`] of the query.
pub fn customer_of(tx: &Tx<'_>, identity: i64) -> Result<Option<domain::CustomerId>, DbError> {
    let row = tx.query_one("select customer from identity where id = ?1", &params![identity])?;
    row.map(|row| row.parse("customer")).transpose()
}
