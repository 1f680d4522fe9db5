//! What membership keeps of orders and refunds.

use crate::membership::levels::Spend;
use crate::membership::order::KeptOrder;
use domain::{CustomerId, Fen, OrderId, RefundClaim, RefundId, UnixMs};
use kit::{DbError, Tx, params};

/// An order as membership keeps it.
#[derive(Clone, Debug)]
pub struct OrderRow {
    /// The order in our books.
    pub id: OrderId,
    /// The customer that it is written for; none while nobody knows whose it is.
    pub customer: Option<CustomerId>,
    /// The place in the log of the newest event that told of it.
    pub seq: i64,
    /// When it was paid.
    pub paid_at: Option<UnixMs>,
    /// What points are computed from.
    pub kept: KeptOrder,
    /// The version of the rules under which it earns; 0 where there was none.
    pub rules: i64,
    /// The buyer's level when that was fixed.
    pub level: Option<String>,
    /// Points that stand credited.
    pub earned: i64,
    /// What was paid for goods less what was given back.
    pub spend: Fen,
}

/// An order, if it is known.
///
/// # Errors
/// [`DbError`] of the query.
pub fn order(tx: &Tx<'_>, id: OrderId) -> Result<Option<OrderRow>, DbError> {
    let row = tx.query_one(
        "select customer, seq, paid_at, body, rules, level, earned, spend from member_order where order_id = ?1",
        &params![id.to_string()],
    )?;
    row.map(|row| {
        let customer = row.get::<Option<String>>("customer")?;
        Ok(OrderRow {
            id,
            customer: customer.map(|_| row.parse("customer")).transpose()?,
            seq: row.get("seq")?,
            paid_at: row.optional_instant("paid_at")?,
            kept: row.json("body")?,
            rules: row.get("rules")?,
            level: row.get("level")?,
            earned: row.get("earned")?,
            spend: Fen::new(row.get("spend")?),
        })
    })
    .transpose()
}

/// Keeps an order.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save_order(tx: &Tx<'_>, order: &OrderRow) -> Result<(), DbError> {
    tx.run(
        "insert into member_order (order_id, customer, seq, paid_at, body, rules, level, earned, spend)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (order_id) do update
             set customer = excluded.customer, seq = excluded.seq, paid_at = excluded.paid_at, body = excluded.body,
                 rules = excluded.rules, level = excluded.level, earned = excluded.earned, spend = excluded.spend",
        &params![
            order.id.to_string(),
            order.customer.map(|id| id.to_string()),
            order.seq,
            order.paid_at.map(UnixMs::millis),
            serde_json::to_string(&order.kept).map_err(|error| DbError::Shape(error.to_string()))?,
            order.rules,
            order.level.as_deref(),
            order.earned,
            order.spend.get(),
        ],
    )
}

/// What a customer, with all that is merged into it, has spent since.
///
/// # Errors
/// [`DbError`] of the query.
pub fn spends(tx: &Tx<'_>, survivor: CustomerId, since: i64) -> Result<Vec<Spend>, DbError> {
    // By customer_by_survivor and member_order_by_customer.
    tx.query(
        "select member_order.paid_at, member_order.spend
           from customer
           join member_order on member_order.customer = customer.id
          where customer.survivor = ?1 and member_order.paid_at >= ?2 and member_order.spend > 0",
        &params![survivor.to_string(), since],
    )?
    .iter()
    .map(|row| Ok(Spend { at: row.instant("paid_at")?, amount: Fen::new(row.get("spend")?) }))
    .collect()
}

/// How far a refund has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// The goods are back.
    Received,
    /// The money is with the buyer.
    Refunded,
    /// It came to nothing.
    Failed,
}

/// Notes a refund. Money that went back is never undone; what is asked for is kept once it was told.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save_refund(
    tx: &Tx<'_>,
    id: RefundId,
    order: OrderId,
    state: RefundState,
    claim: Option<&RefundClaim>,
) -> Result<(), DbError> {
    let state = match state {
        RefundState::Received => "received",
        RefundState::Refunded => "refunded",
        RefundState::Failed => "failed",
    };
    let claim = claim.map(serde_json::to_string).transpose().map_err(|error| DbError::Shape(error.to_string()))?;
    tx.run(
        "insert into member_refund (refund_id, order_id, state, claim) values (?1, ?2, ?3, ?4)
         on conflict (refund_id) do update
             set state = case when member_refund.state = 'refunded' then 'refunded' else excluded.state end,
                 claim = coalesce(excluded.claim, member_refund.claim)",
        &params![id.to_string(), order.to_string(), state, claim],
    )
}

/// What has gone back of an order, as far as it is told.
///
/// # Errors
/// [`DbError`] of the query.
pub fn refunds(tx: &Tx<'_>, order: OrderId) -> Result<Vec<RefundClaim>, DbError> {
    tx.query(
        "select claim from member_refund
          where order_id = ?1 and state <> 'failed' and claim is not null
          order by refund_id",
        &params![order.to_string()],
    )?
    .iter()
    .map(|row| row.json("claim"))
    .collect()
}
