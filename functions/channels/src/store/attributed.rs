//! Orders, what they are worth, and whom they are owed to.

use crate::credit::{Setting, Share};
use domain::day;
use domain::{CustomerId, Fen, Identity, OrderId, RefundId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;

/// An order as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Whose it is; absent while it shows nobody.
    pub person: Option<String>,
    /// When it was paid.
    pub paid_at: UnixMs,
    /// What of the payment has not gone back.
    pub worth: Fen,
}

impl Order {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("order_id")?,
            person: row.get("person")?,
            paid_at: row.instant("paid_at")?,
            worth: Fen::new(row.get("worth")?),
        })
    }
}

/// An order by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: OrderId) -> Result<Option<Order>, DbError> {
    let row = tx.query_one("select * from attributed_order where order_id = ?1", &params![id.to_string()])?;
    row.as_ref().map(Order::from_row).transpose()
}

/// Notes a paid order, in place of what was known of it. It stays with the identity with which it was first told. Tells whether something changed.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn paid(
    tx: &Tx<'_>,
    id: OrderId,
    who: Option<(&Identity, &str)>,
    paid_at: UnixMs,
    amount: Fen,
) -> Result<bool, DbError> {
    let (identity, person) = who.unzip();
    let changed = tx.execute(
        "insert into attributed_order (order_id, kind, scope, value, person, paid_at, day, paid, refunded, worth)
         select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, back.amount, max(?8 - back.amount, 0)
           from (select coalesce(sum(amount), 0) as amount from attributed_refund where order_id = ?1) back
          where true
         on conflict (order_id) do update
             set kind = coalesce(attributed_order.kind, excluded.kind),
                 scope = coalesce(attributed_order.scope, excluded.scope),
                 value = coalesce(attributed_order.value, excluded.value),
                 person = coalesce(attributed_order.person, excluded.person),
                 paid_at = excluded.paid_at, day = excluded.day, paid = excluded.paid, worth = excluded.worth
           where attributed_order.paid_at <> excluded.paid_at or attributed_order.paid <> excluded.paid
              or (attributed_order.kind is null and excluded.kind is not null)",
        &params![
            id.to_string(),
            identity.map(|who| who.kind.as_str()),
            identity.map(|who| who.scope.as_deref().unwrap_or_default()),
            identity.map(|who| who.value.as_str()),
            person,
            paid_at.millis(),
            day::of(paid_at),
            amount.get(),
        ],
    )?;
    Ok(changed > 0)
}

/// Notes money that went back. The order that it is news of: a refund stays with the order that it was first told of.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refunded(tx: &Tx<'_>, refund: RefundId, order: OrderId, amount: Fen) -> Result<Option<OrderId>, DbError> {
    let changed = tx.query_one(
        "insert into attributed_refund (refund_id, order_id, amount) values (?1, ?2, ?3)
         on conflict (refund_id) do update set amount = excluded.amount where attributed_refund.amount <> excluded.amount
         returning order_id",
        &params![refund.to_string(), order.to_string(), amount.get()],
    )?;
    let Some(order) = changed.map(|row| row.parse::<OrderId>("order_id")).transpose()? else { return Ok(None) };
    tx.run(
        "update attributed_order set refunded = back.amount, worth = max(paid - back.amount, 0)
           from (select sum(amount) as amount from attributed_refund where order_id = ?1) back
          where order_id = ?1",
        &params![order.to_string()],
    )?;
    Ok(Some(order))
}

/// A person's orders that were paid in a stretch of time, both ends included.
///
/// # Errors
/// [`DbError`] of the query.
pub fn between(tx: &Tx<'_>, person: &str, from: i64, to: i64) -> Result<Vec<Order>, DbError> {
    let rows = tx.query(
        "select order_id, person, paid_at, worth from attributed_order
          where person = ?1 and paid_at between ?2 and ?3 order by paid_at, order_id",
        &params![person, from, to],
    )?;
    rows.iter().map(Order::from_row).collect()
}

/// Orders after an id, by id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn after(tx: &Tx<'_>, id: Option<OrderId>, most: u32) -> Result<Vec<Order>, DbError> {
    let rows = tx.query(
        "select order_id, person, paid_at, worth from attributed_order where order_id > ?1 order by order_id limit ?2",
        &params![id.map(|id| id.to_string()).unwrap_or_default(), most],
    )?;
    rows.iter().map(Order::from_row).collect()
}

/// Brings up to date which order is a person's first. By `attributed_order_by_person` and `attributed_order_first`, so that it costs the same however many
/// orders a person has.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refresh_first(tx: &Tx<'_>, person: &str) -> Result<(), DbError> {
    let first: Option<String> = tx
        .query_one(
            "select order_id from attributed_order where person = ?1 and worth > 0 order by paid_at, order_id limit 1",
            &params![person],
        )?
        .map(|row| row.get("order_id"))
        .transpose()?;
    tx.run(
        "update attributed_order set is_first = 0 where person = ?1 and is_first = 1 and order_id is not ?2",
        &params![person, first.as_deref()],
    )?;
    tx.run("update attributed_order set is_first = 1 where order_id = ?1 and is_first = 0", &params![first])
}

/// Writes whom an order is owed to, in place of what stood there.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn owe(tx: &Tx<'_>, order: &Order, shares: &[Share]) -> Result<(), DbError> {
    let id = order.id.to_string();
    tx.run("delete from attribution where order_id = ?1", &params![id.as_str()])?;
    let rows = shares.iter().enumerate().map(|(part, share)| {
        let way = share.way.as_ref();
        json!([
            share.model.as_str(),
            part,
            way.map(|way| &way.channel),
            way.and_then(|way| way.code.as_ref()),
            way.and_then(|way| way.store.as_ref()),
            way.and_then(|way| way.staff.as_ref()),
            share.amount,
            i64::from(share.leads),
        ])
    });
    tx.run(
        "insert into attribution (order_id, model, part, channel, code, store, staff, day, amount, leads)
         select ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?3, value ->> 6, value ->> 7
           from json_each(?2)",
        &params![id, json!(rows.collect::<Vec<_>>()).to_string(), day::of(order.paid_at)],
    )
}

/// What moved with identities that are a customer's from now on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Persons who lost something, sorted.
    pub from: Vec<String>,
    /// Orders that moved.
    pub orders: Vec<OrderId>,
    /// The first and the last touch that moved, Unix milliseconds.
    pub touches: Option<(i64, i64)>,
}

/// Identities are a customer's from now on: their touches, messages and orders go with them.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn identified(tx: &Tx<'_>, customer: CustomerId, identities: &[Identity]) -> Result<Moved, DbError> {
    let keys: Vec<_> = identities
        .iter()
        .map(|who| json!([who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value]))
        .collect();
    let params = params![json!(keys).to_string(), customer.to_string()];
    let mine =
        "(kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?1)) and person <> ?2";
    let from = tx.query(
        &format!(
            "select person from touch where {mine} union select person from touch_message where {mine}
             union select person from attributed_order where {mine} order by 1"
        ),
        &params,
    )?;
    let from: Vec<String> = from.iter().map(|row| row.get("person")).collect::<Result<_, _>>()?;
    if from.is_empty() {
        return Ok(Moved::default());
    }
    let orders = tx.query(&format!("select order_id from attributed_order where {mine} order by order_id"), &params)?;
    let orders = orders.iter().map(|row| row.parse("order_id")).collect::<Result<_, _>>()?;
    let span = format!(
        "select min(touch_time.at) as first, max(touch_time.at) as last
           from touch join touch_time on touch_time.touch = touch.id where {mine}"
    );
    let span = tx.query_one(&span, &params)?;
    let span = span.map(|row| Ok::<_, DbError>((row.get::<Option<i64>>("first")?, row.get::<Option<i64>>("last")?)));
    let touches = span.transpose()?.and_then(|(first, last)| first.zip(last));
    for table in ["touch", "touch_message", "attributed_order"] {
        tx.run(&format!("update {table} set person = ?2 where {mine}"), &params)?;
    }
    Ok(Moved { from, orders, touches })
}

/// What attribution goes by, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// In force.
    pub setting: Setting,
    /// The number of the change that is in force, from 0.
    pub revision: i64,
    /// What people have set.
    pub wanted: Setting,
    /// The number of that change.
    pub wanted_revision: i64,
    /// Whether every order has been worked out anew since the change that is in force.
    pub finished: bool,
}

/// The settings.
///
/// # Errors
/// [`DbError`] of the query.
pub fn settings(tx: &Tx<'_>) -> Result<Settings, DbError> {
    let row = tx.query_one("select * from attribution_setting", &[])?;
    let row = row.ok_or_else(|| DbError::Shape("no attribution_setting".to_owned()))?;
    let setting = |window: &str, half_life: &str| {
        let shape = |_| DbError::Shape("attribution_setting holds too much".to_owned());
        let window_days = u32::try_from(row.get::<i64>(window)?).map_err(shape)?;
        Ok::<_, DbError>(Setting {
            window_days,
            half_life_days: u16::try_from(row.get::<i64>(half_life)?).map_err(shape)?,
        })
    };
    Ok(Settings {
        setting: setting("window_days", "half_life_days")?,
        revision: row.get("revision")?,
        wanted: setting("wanted_window_days", "wanted_half_life_days")?,
        wanted_revision: row.get("wanted_revision")?,
        finished: row.get("finished")?,
    })
}

/// Notes what people set. The number of the change.
///
/// # Errors
/// [`DbError`] of the update.
pub fn want(tx: &Tx<'_>, wanted: Setting) -> Result<i64, DbError> {
    let row = tx.query_one(
        "update attribution_setting
            set wanted_window_days = ?1, wanted_half_life_days = ?2, wanted_revision = wanted_revision + 1
         returning wanted_revision",
        &params![wanted.window_days, wanted.half_life_days],
    )?;
    row.map_or_else(|| Err(DbError::Shape("no attribution_setting".to_owned())), |row| row.get("wanted_revision"))
}

/// Puts settings into force.
///
/// # Errors
/// [`DbError`] of the update.
pub fn put_to_work(tx: &Tx<'_>, setting: Setting, revision: i64) -> Result<(), DbError> {
    tx.run(
        "update attribution_setting set window_days = ?1, half_life_days = ?2, revision = ?3, finished = 0",
        &params![setting.window_days, setting.half_life_days, revision],
    )
}

/// Every order has been worked out by what is in force.
///
/// # Errors
/// [`DbError`] of the update.
pub fn finish(tx: &Tx<'_>) -> Result<(), DbError> {
    tx.run("update attribution_setting set finished = 1", &[])
}
