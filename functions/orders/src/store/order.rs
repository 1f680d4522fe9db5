//! Orders: one row each, found by the platform's key or by ours.

use super::{json, millis};
use crate::announce::Announced;
use domain::{Order, OrderFacts, OrderId, OrderKey, OrderStatus, Platform, UnixMs};
use kit::db::{Row, Value};
use kit::{DbError, Tx, params, unique};
use serde::{Deserialize, Serialize};

/// An order as the database knows it.
#[derive(Clone, Debug)]
pub struct KnownOrder {
    /// Our id.
    pub id: OrderId,
    /// The platform's.
    pub key: OrderKey,
    /// All that deliveries have told.
    pub facts: OrderFacts,
    /// What the log holds of it.
    pub announced: Announced,
    /// Whether its full record was waited for in vain.
    pub overdue: bool,
    /// When it was placed; when first heard of, while that is unknown.
    pub placed_at: UnixMs,
    /// Whether the row is still to be made.
    pub is_new: bool,
}

impl KnownOrder {
    /// An order that is heard of for the first time.
    pub fn new(now: UnixMs, key: OrderKey) -> Self {
        Self {
            id: OrderId::new(now, unique()),
            key,
            facts: OrderFacts::default(),
            announced: Announced::default(),
            overdue: false,
            placed_at: now,
            is_new: true,
        }
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            key: OrderKey {
                platform: row.parse::<Platform>("platform")?,
                shop_id: row.get("shop")?,
                platform_order_id: row.get("platform_order_id")?,
            },
            facts: row.json("facts")?,
            announced: Announced { steps: row.json("announced")?, detailed: row.get("detailed")? },
            overdue: row.get("overdue")?,
            placed_at: row.instant("placed_at")?,
            is_new: false,
        })
    }
}

const COLUMNS: &str = "id, platform, shop, platform_order_id, facts, announced, detailed, overdue, placed_at, store";

/// The order of a platform's key, by its unique index.
///
/// # Errors
/// [`DbError`] of the query.
pub fn find_order(tx: &Tx<'_>, key: &OrderKey) -> Result<Option<KnownOrder>, DbError> {
    tx.query_one(
        &format!(r#"select {COLUMNS} from "order" where platform = ?1 and shop = ?2 and platform_order_id = ?3"#),
        &params![key.platform.as_str(), key.shop_id.as_str(), key.platform_order_id.as_str()],
    )?
    .as_ref()
    .map(KnownOrder::from_row)
    .transpose()
}

/// Our id of the order of a platform's key.
///
/// # Errors
/// [`DbError`] of the query.
pub fn id_of_order(tx: &Tx<'_>, key: &OrderKey) -> Result<Option<OrderId>, DbError> {
    tx.query_one(
        r#"select id from "order" where platform = ?1 and shop = ?2 and platform_order_id = ?3"#,
        &params![key.platform.as_str(), key.shop_id.as_str(), key.platform_order_id.as_str()],
    )?
    .map(|row| row.parse("id"))
    .transpose()
}

/// The order of our id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn order_by_id(tx: &Tx<'_>, id: OrderId) -> Result<Option<KnownOrder>, DbError> {
    Ok(listed_by_id(tx, id)?.map(|listed| listed.known))
}

/// Writes an order down: its facts and the columns that follow from them.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn save_order(tx: &Tx<'_>, known: &KnownOrder, order: &Order, phone: Option<Vec<u8>>) -> Result<(), DbError> {
    let now = tx.cx().now;
    tx.run(
        r#"insert into "order" (id, platform, shop, platform_order_id, facts, status, raw_status, flags, complete, payable,
                                paid, store, placed_at, updated_at, announced, detailed, overdue, phone)
           values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
           on conflict (id) do update
               set facts = excluded.facts, status = excluded.status, raw_status = excluded.raw_status,
                   flags = excluded.flags, complete = excluded.complete, payable = excluded.payable, paid = excluded.paid,
                   store = coalesce(excluded.store, store), placed_at = excluded.placed_at,
                   updated_at = excluded.updated_at, announced = excluded.announced, detailed = excluded.detailed,
                   overdue = excluded.overdue, phone = coalesce(excluded.phone, phone)"#,
        &params![
            known.id.to_string(),
            known.key.platform.as_str(),
            known.key.shop_id.as_str(),
            known.key.platform_order_id.as_str(),
            json(&known.facts)?,
            order.status.as_str(),
            order.raw_status.as_deref(),
            json(&order.flags)?,
            order.complete,
            order.amounts.as_ref().map(|amounts| amounts.payable.get()),
            order.paid.map(domain::Fen::get),
            store(order),
            millis(order.times.created_at).unwrap_or(known.placed_at.millis()),
            now.millis(),
            json(&known.announced.steps)?,
            known.announced.detailed,
            known.overdue,
            phone,
        ],
    )?;
    for identity in &order.identities {
        tx.run(
            "insert into order_identity (order_id, kind, scope, value) values (?1, ?2, ?3, ?4)
             on conflict do nothing",
            &params![
                known.id.to_string(),
                identity.kind.as_str(),
                identity.scope.as_deref().unwrap_or_default(),
                identity.value.as_str(),
            ],
        )?;
    }
    Ok(())
}

/// The store that an order belongs to, as a path of the merchant's tree: the guide's store code, with a slash in front.
fn store(order: &Order) -> Option<String> {
    let code = order.guide.as_ref()?.store_code.as_deref()?.trim_matches('/');
    (!code.is_empty()).then(|| format!("/{code}"))
}

/// An order in a list, with the store that it belongs to.
pub struct Listed {
    /// The order.
    pub known: KnownOrder,
    /// Its store, for the caller's rights.
    pub store: Option<String>,
}

/// The order of our id, with its store.
///
/// # Errors
/// [`DbError`] of the query.
pub fn listed_by_id(tx: &Tx<'_>, id: OrderId) -> Result<Option<Listed>, DbError> {
    tx.query_one(&format!(r#"select {COLUMNS} from "order" where id = ?1"#), &params![id.to_string()])?
        .as_ref()
        .map(listed)
        .transpose()
}

fn listed(row: &Row) -> Result<Listed, DbError> {
    Ok(Listed { known: KnownOrder::from_row(row)?, store: row.get("store")? })
}

/// Which orders a list shall hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this platform.
    pub platform: Option<Platform>,
    /// Of this shop.
    pub shop: Option<String>,
    /// In this status.
    pub status: Option<OrderStatus>,
    /// Placed at or after.
    pub from: Option<UnixMs>,
    /// Placed before.
    pub to: Option<UnixMs>,
    /// Bought by this identity's value.
    pub identity: Option<String>,
    /// Of the stores at or below this path; `/` for all orders.
    pub store: String,
    /// After this order of the list.
    pub after: Option<Mark>,
}

/// The place of an order in the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When it was placed, Unix milliseconds.
    pub placed_at: i64,
    /// Its id.
    pub id: OrderId,
}

/// Orders, newest first, by the index `order_by_time` (or `order_by_status`, `order_identity_by_value`).
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, filter: &Filter, limit: u32) -> Result<Vec<Listed>, DbError> {
    let mut conditions = Conditions::default();
    conditions.add("platform = ?", filter.platform.map(Platform::as_str));
    conditions.add("shop = ?", filter.shop.as_deref());
    conditions.add("status = ?", filter.status.map(OrderStatus::as_str));
    conditions.add("placed_at >= ?", millis(filter.from));
    conditions.add("placed_at < ?", millis(filter.to));
    conditions.add("id in (select order_id from order_identity where value = ?)", filter.identity.as_deref());
    if filter.store != "/" {
        conditions.add("(store || '/') like (? || '/%')", Some(filter.store.as_str()));
    }
    if let Some(mark) = &filter.after {
        conditions.add("placed_at <= ?", Some(mark.placed_at));
        conditions.add("(placed_at, id) < (?", Some(mark.placed_at));
        conditions.join(", ?)", mark.id.to_string());
    }
    let (text, mut values) = conditions.finish();
    values.push(Value::from(limit));
    tx.query(
        &format!(r#"select {COLUMNS} from "order" where {text} order by placed_at desc, id desc limit ?"#),
        &values,
    )?
    .iter()
    .map(listed)
    .collect()
}

/// Conditions joined by `and`, with their values in order.
#[derive(Default)]
struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
    fn add(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            if !self.text.is_empty() {
                self.text.push_str(" and ");
            }
            self.text.push_str(condition);
            self.values.push(value.into());
        }
    }

    /// Continues the last condition.
    fn join(&mut self, rest: &str, value: impl Into<Value>) {
        self.text.push_str(rest);
        self.values.push(value.into());
    }

    fn finish(self) -> (String, Vec<Value>) {
        (if self.text.is_empty() { "true".to_owned() } else { self.text }, self.values)
    }
}

/// What has been announced of an order and its refunds, oldest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn history(tx: &Tx<'_>, id: OrderId) -> Result<Vec<kit::events::Logged>, DbError> {
    tx.query(
        "select seq, id, type, subject, source, time, data, trace
           from event
          where subject = ?1 or subject in (select id from refund where order_id = ?1)
          order by seq",
        &params![id.to_string()],
    )?
    .iter()
    .map(kit::events::Logged::from_row)
    .collect()
}

/// Forgets the phones of these orders' buyers.
///
/// # Errors
/// [`DbError`] of the update.
pub fn forget_phones(tx: &Tx<'_>, orders: &[OrderId]) -> Result<(), DbError> {
    tx.run("update \"order\" set phone = null where id in (select value from json_each(?1))", &params![json(&orders)?])
}
