//! Stock and what orders hold of it. Every change is one conditional statement: nothing is read, computed and written back.

use crate::deliver::SOURCE;
use crate::reservation::{Held, Target};
use domain::{Event, OrderId, Stock, StockCause, StockChanged, StockShort, UnixMs, Version};
use kit::db::Row;
use kit::{DbError, Tx, events, params};
use std::collections::BTreeMap;

/// Why stock changes.
#[derive(Clone, Copy, Debug)]
pub struct Reason<'a> {
    /// The kind of reason.
    pub cause: StockCause,
    /// The order behind it.
    pub order_id: Option<OrderId>,
    /// The warehouse's document behind it.
    pub document_id: Option<&'a str>,
}

impl Reason<'_> {
    /// An order's reason.
    pub fn order(cause: StockCause, id: OrderId) -> Self {
        Self { cause, order_id: Some(id), document_id: None }
    }
}

/// Stock of a SKU with the time of its last change.
#[derive(Clone, Copy, Debug)]
pub struct StockRow {
    /// Pieces.
    pub stock: Stock,
    /// Pieces that orders lack.
    pub short: i64,
    /// Last change.
    pub updated_at: UnixMs,
}

/// Where an order's hold of a SKU stands; nothing where none was kept of it.
///
/// # Errors
/// [`DbError`] of the query.
pub fn held(tx: &Tx<'_>, id: OrderId, sku: &str) -> Result<Option<Held>, DbError> {
    let query = "select state from stock_reservation where order_id = ?1 and sku = ?2";
    tx.query_one(query, &params![id.to_string(), sku])?.map(|row| state(&row)).transpose()
}

fn state(row: &Row) -> Result<Held, DbError> {
    let state: String = row.get("state")?;
    Held::parse(&state).ok_or_else(|| DbError::Shape(format!("reservation state {state}")))
}

/// Stock of a SKU, if it is kept.
///
/// # Errors
/// [`DbError`] of the query.
pub fn stock(tx: &Tx<'_>, sku: &str) -> Result<Option<StockRow>, DbError> {
    let query = "select on_hand, reserved, updated_at,
                        (select coalesce(sum(quantity), 0) from stock_reservation
                          where stock_reservation.sku = stock.sku and state = 'short') as short
                   from stock where sku = ?1";
    tx.query_one(query, &params![sku])?
        .map(|row| {
            Ok(StockRow { stock: pieces(&row)?, short: row.get("short")?, updated_at: row.instant("updated_at")? })
        })
        .transpose()
}

/// Sets what was counted. Tells the new stock, or nothing when fewer were counted than are promised to orders. Orders
/// that had been sold short get what there is now, the oldest first.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn count(tx: &Tx<'_>, sku: &str, on_hand: i64) -> Result<Option<StockRow>, DbError> {
    let before = stock(tx, sku)?.map(|row| row.stock).unwrap_or_default();
    let counted = tx.query_one(
        "insert into stock (sku, on_hand, updated_at) values (?1, ?2, ?3)
         on conflict (sku) do update
             set on_hand = excluded.on_hand, updated_at = excluded.updated_at
           where stock.reserved <= excluded.on_hand
         returning on_hand, reserved",
        &params![sku, on_hand, tx.cx().now.millis()],
    )?;
    let Some(after) = counted.as_ref().map(pieces).transpose()? else { return Ok(None) };
    if after != before {
        let reason = Reason { cause: StockCause::Counted, order_id: None, document_id: None };
        tell(tx, sku, before, after, reason)?;
    }
    serve_short(tx, sku)?;
    stock(tx, sku)
}

/// Adds pieces to what is in the store, or takes some away. Nothing when the SKU's stock is not kept, or when fewer would
/// be left than are promised to orders. Orders that had been sold short get what there is now, the oldest first.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn move_stock(tx: &Tx<'_>, sku: &str, pieces_in: i64, reason: Reason<'_>) -> Result<Option<StockRow>, DbError> {
    let moved = tx.query_one(
        "update stock set on_hand = on_hand + ?2, updated_at = ?3
          where sku = ?1 and on_hand + ?2 >= reserved
         returning on_hand, reserved",
        &params![sku, pieces_in, tx.cx().now.millis()],
    )?;
    let Some(after) = moved.as_ref().map(pieces).transpose()? else { return Ok(None) };
    tell(tx, sku, rebuilt(after.on_hand() - pieces_in, after.reserved())?, after, reason)?;
    serve_short(tx, sku)?;
    stock(tx, sku)
}

/// Brings what an order holds of each SKU to what it should hold. SKUs whose stock is not kept are passed by.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn reserve(tx: &Tx<'_>, id: OrderId, target: Target, demand: &BTreeMap<&str, i64>) -> Result<(), DbError> {
    let mut held = BTreeMap::new();
    for row in
        tx.query("select sku, quantity, state from stock_reservation where order_id = ?1", &params![id.to_string()])?
    {
        held.insert(row.get::<String>("sku")?, (row.get::<i64>("quantity")?, state(&row)?));
    }
    // What the order no longer has, or has in another number, is given back first.
    for (sku, (quantity, state)) in &held {
        match state {
            _ if demand.get(sku.as_str()) == Some(quantity) => {}
            Held::Reserved => release(tx, id, sku, *quantity)?,
            Held::Short => mark(tx, id, sku, *quantity, Held::Released)?,
            Held::Committed | Held::Released => {}
        }
    }
    for (sku, quantity) in demand {
        let stands = |(had, state): &&(i64, Held)| had == quantity || !matches!(state, Held::Reserved | Held::Short);
        let now = held.get(*sku).filter(stands).map(|(_, state)| *state);
        match (now, target) {
            (None | Some(Held::Released), Target::Hold) => {
                let taken = take(tx, id, sku, *quantity)?;
                if taken == Some(Held::Short) {
                    tell_short(tx, id, sku, *quantity)?;
                }
            }
            (None | Some(Held::Released | Held::Short), Target::Leave) => match take(tx, id, sku, *quantity)? {
                Some(Held::Reserved) => commit(tx, id, sku, *quantity)?,
                // They have left though we knew of none: there is nothing to take, now or when stock comes.
                Some(_) => mark(tx, id, sku, *quantity, Held::Committed)?,
                None => {}
            },
            (Some(Held::Reserved), Target::Leave) => commit(tx, id, sku, *quantity)?,
            (Some(Held::Reserved), Target::Free) => release(tx, id, sku, *quantity)?,
            (Some(Held::Short), Target::Free) => mark(tx, id, sku, *quantity, Held::Released)?,
            _ => {}
        }
    }
    Ok(())
}

/// Promises pieces to an order, or notes that it was sold short. Nothing when the SKU's stock is not kept.
fn take(tx: &Tx<'_>, id: OrderId, sku: &str, quantity: i64) -> Result<Option<Held>, DbError> {
    let taken = tx.query_one(
        "update stock set reserved = reserved + ?2, updated_at = ?3
          where sku = ?1 and on_hand - reserved >= ?2
         returning on_hand, reserved",
        &params![sku, quantity, tx.cx().now.millis()],
    )?;
    let state = match taken {
        Some(row) => {
            let after = pieces(&row)?;
            let before = rebuilt(after.on_hand(), after.reserved() - quantity)?;
            tell(tx, sku, before, after, Reason::order(StockCause::Reserved, id))?;
            Held::Reserved
        }
        None if stock(tx, sku)?.is_some() => Held::Short,
        None => return Ok(None),
    };
    mark(tx, id, sku, quantity, state)?;
    Ok(Some(state))
}

fn commit(tx: &Tx<'_>, id: OrderId, sku: &str, quantity: i64) -> Result<(), DbError> {
    let row = tx.query_one(
        "update stock set on_hand = on_hand - ?2, reserved = reserved - ?2, updated_at = ?3
          where sku = ?1
         returning on_hand, reserved",
        &params![sku, quantity, tx.cx().now.millis()],
    )?;
    if let Some(after) = row.as_ref().map(pieces).transpose()? {
        let before = rebuilt(after.on_hand() + quantity, after.reserved() + quantity)?;
        tell(tx, sku, before, after, Reason::order(StockCause::Committed, id))?;
    }
    mark(tx, id, sku, quantity, Held::Committed)
}

fn release(tx: &Tx<'_>, id: OrderId, sku: &str, quantity: i64) -> Result<(), DbError> {
    free(tx, id, sku, quantity, Held::Released)?;
    serve_short(tx, sku)
}

/// Takes promised pieces back from an order.
fn free(tx: &Tx<'_>, id: OrderId, sku: &str, quantity: i64, state: Held) -> Result<(), DbError> {
    let row = tx.query_one(
        "update stock set reserved = reserved - ?2, updated_at = ?3
          where sku = ?1
         returning on_hand, reserved",
        &params![sku, quantity, tx.cx().now.millis()],
    )?;
    if let Some(after) = row.as_ref().map(pieces).transpose()? {
        let before = rebuilt(after.on_hand(), after.reserved() + quantity)?;
        tell(tx, sku, before, after, Reason::order(StockCause::Released, id))?;
    }
    mark(tx, id, sku, quantity, state)
}

/// Takes promises back, of the newest orders first, until so many pieces are free; these orders count as sold short. For goods
/// that are not there any more, whatever was promised.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn break_promises(tx: &Tx<'_>, sku: &str, wanted: i64) -> Result<(), DbError> {
    while stock(tx, sku)?.is_some_and(|row| row.stock.available() < wanted) {
        let newest = tx.query_one(
            r#"select order_id, quantity from stock_reservation join "order" on "order".id = order_id
                where "order".status in ('created', 'paid', 'partly_shipped') and sku = ?1 and state = 'reserved'
                order by placed_at desc, id desc limit 1"#,
            &params![sku],
        )?;
        let Some(row) = newest else { break };
        let (id, quantity) = (row.parse("order_id")?, row.get("quantity")?);
        free(tx, id, sku, quantity, Held::Short)?;
        tell_short(tx, id, sku, quantity)?;
    }
    Ok(())
}

fn tell_short(tx: &Tx<'_>, order_id: OrderId, sku: &str, quantity: i64) -> Result<(), DbError> {
    let available = stock(tx, sku)?.map(|row| row.stock.available()).unwrap_or_default();
    let short = StockShort { v: Version, sku: sku.to_owned(), order_id, quantity, available, at: tx.cx().now };
    events::append(tx, SOURCE, sku, &Event::StockShort(short)).map(drop)
}

/// Gives free pieces to orders that were sold short, in the order of sale, as long as they suffice for the next one.
fn serve_short(tx: &Tx<'_>, sku: &str) -> Result<(), DbError> {
    let short = tx.query(
        r#"select order_id, quantity from stock_reservation join "order" on id = order_id
            where sku = ?1 and state = 'short' order by placed_at, order_id"#,
        &params![sku],
    )?;
    for row in short {
        let id: OrderId = row.parse("order_id")?;
        if take(tx, id, sku, row.get("quantity")?)? != Some(Held::Reserved) {
            break;
        }
    }
    Ok(())
}

fn mark(tx: &Tx<'_>, id: OrderId, sku: &str, quantity: i64, state: Held) -> Result<(), DbError> {
    tx.execute(
        "insert into stock_reservation (order_id, sku, quantity, state) values (?1, ?2, ?3, ?4)
         on conflict (order_id, sku) do update set quantity = excluded.quantity, state = excluded.state",
        &params![id.to_string(), sku, quantity, state.as_str()],
    )?;
    Ok(())
}

fn tell(tx: &Tx<'_>, sku: &str, before: Stock, after: Stock, reason: Reason<'_>) -> Result<(), DbError> {
    let Reason { cause, order_id, document_id } = reason;
    let (sku_of, document_id) = (sku.to_owned(), document_id.map(ToOwned::to_owned));
    let at = tx.cx().now;
    let changed = StockChanged { v: Version, sku: sku_of, before, after, cause, order_id, document_id, at };
    events::append(tx, SOURCE, sku, &Event::StockChanged(changed))?;
    Ok(())
}

fn pieces(row: &Row) -> Result<Stock, DbError> {
    rebuilt(row.get("on_hand")?, row.get("reserved")?)
}

fn rebuilt(on_hand: i64, reserved: i64) -> Result<Stock, DbError> {
    Stock::new(on_hand, reserved).map_err(|error| DbError::Shape(error.to_string()))
}
