//! Handovers and their customers.

use crate::handover::{Kind, Outcome, Refusal};
use domain::{CustomerId, HandoverId, IdentityKind, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;

/// A handover.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its id.
    pub id: HandoverId,
    /// The member of staff who gives.
    pub from: String,
    /// The member of staff who receives.
    pub to: String,
    /// Why.
    pub kind: Kind,
    /// In words.
    pub reason: String,
    /// Who asked for it (a token's id).
    pub actor: String,
    /// The store subtree that its maker sees.
    pub store: String,
    /// When it was asked for.
    pub created_at: UnixMs,
    /// When it takes effect.
    pub due: UnixMs,
    /// When the last customer was dealt with.
    pub ended_at: Option<UnixMs>,
}

/// Writes a handover.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn insert(tx: &Tx<'_>, item: &Item) -> Result<(), DbError> {
    tx.run(
        "insert into handover (id, from_, to_, kind, reason, actor, store, created_at, due)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &params![
            item.id.to_string(),
            item.from.as_str(),
            item.to.as_str(),
            item.kind.as_str(),
            item.reason.as_str(),
            item.actor.as_str(),
            item.store.as_str(),
            item.created_at.millis(),
            item.due.millis(),
        ],
    )
}

/// Puts customers into a handover, each once.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add(tx: &Tx<'_>, id: HandoverId, customers: &[CustomerId]) -> Result<(), DbError> {
    tx.run(
        "insert into handover_item (handover, customer) select ?1, value from json_each(?2) where true
         on conflict do nothing",
        &params![id.to_string(), json!(customers).to_string()],
    )
}

/// Puts a member's whole pool into a handover, as far as it is of this store subtree: whom the member advises or has a relation with.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add_pool(tx: &Tx<'_>, id: HandoverId, staff: &str, store: &str) -> Result<(), DbError> {
    tx.run(
        "insert into handover_item (handover, customer)
         select ?1, customer.id from customer
          where survivor = id and erased_at is null
            and (?3 = '/' or store = ?3 or store like ?3 || '/%')
            and id in (select id from customer where advisor = ?2 and survivor = id
                        union
                       select member.survivor from relation join customer member on member.id = relation.customer
                        where relation.staff = ?2 and relation.state = 'added')",
        &params![id.to_string(), staff, store],
    )
}

/// A handover by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: HandoverId) -> Result<Option<Item>, DbError> {
    let row = tx.query_one(
        "select id, from_, to_, kind, reason, actor, store, created_at, due, ended_at from handover where id = ?1",
        &params![id.to_string()],
    )?;
    let read = |row: Row| {
        Ok(Item {
            id: row.parse("id")?,
            from: row.get("from_")?,
            to: row.get("to_")?,
            kind: word(&row.get::<String>("kind")?)?,
            reason: row.get("reason")?,
            actor: row.get("actor")?,
            store: row.get("store")?,
            created_at: row.instant("created_at")?,
            due: row.instant("due")?,
            ended_at: row.optional_instant("ended_at")?,
        })
    };
    row.map(read).transpose()
}

fn word<T: serde::de::DeserializeOwned>(name: &str) -> Result<T, DbError> {
    serde_json::from_value(json!(name)).map_err(|error| DbError::Shape(error.to_string()))
}

/// Has those customers of a handover who are contacts of the one who gives at WeCom wait for WeCom's word, and names them.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn ask(tx: &Tx<'_>, id: HandoverId, from: &str) -> Result<Vec<CustomerId>, DbError> {
    let rows = tx.query(
        "update handover_item set state = 'asked'
          where handover = ?1
            and exists (select 1 from customer item
                          join customer member on member.survivor = item.survivor
                          join relation on relation.customer = member.id
                         where item.id = handover_item.customer and relation.staff = ?2 and relation.state = 'added')
            and exists (select 1 from customer item
                          join identity on identity.customer = item.survivor
                         where item.id = handover_item.customer and identity.kind = ?3)
         returning customer",
        &params![id.to_string(), from, IdentityKind::WecomExternalUserId.as_str()],
    )?;
    let mut asked = rows.iter().map(|row| row.parse("customer")).collect::<Result<Vec<_>, _>>()?;
    asked.sort_unstable();
    Ok(asked)
}

/// Whether a customer of a handover waits for WeCom's word.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_asked(tx: &Tx<'_>, id: HandoverId, customer: CustomerId) -> Result<bool, DbError> {
    let found: Option<i64> = tx.scalar(
        "select 1 from handover_item where handover = ?1 and customer = ?2 and state = 'asked'",
        &params![id.to_string(), customer.to_string()],
    )?;
    Ok(found.is_some())
}

/// Whether WeCom is giving a customer (a survivor) to this member of staff.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_asked_for(tx: &Tx<'_>, customer: CustomerId, to: &str) -> Result<bool, DbError> {
    let found: Option<i64> = tx.scalar(
        "select 1 from handover_item item join handover on handover.id = item.handover
          where item.customer in (select id from customer where survivor = ?1) and item.state = 'asked'
            and handover.to_ = ?2
          limit 1",
        &params![customer.to_string(), to],
    )?;
    Ok(found.is_some())
}

/// A customer waits for no word of WeCom any more, but for the day that the handover takes effect.
///
/// # Errors
/// [`DbError`] of the update.
pub fn wait(tx: &Tx<'_>, id: HandoverId, customer: CustomerId) -> Result<(), DbError> {
    tx.run(
        "update handover_item set state = 'waiting' where handover = ?1 and customer = ?2 and state = 'asked'",
        &params![id.to_string(), customer.to_string()],
    )
}

/// Whether any customer of a handover is yet to be dealt with.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_open(tx: &Tx<'_>, id: HandoverId) -> Result<bool, DbError> {
    let found: Option<i64> = tx.scalar(
        "select 1 from handover_item where handover = ?1 and state in ('waiting', 'asked') limit 1",
        &params![id.to_string()],
    )?;
    Ok(found.is_some())
}

/// Customers of a handover who wait.
///
/// # Errors
/// [`DbError`] of the query.
pub fn waiting(tx: &Tx<'_>, id: HandoverId, most: u32) -> Result<Vec<CustomerId>, DbError> {
    // By the index of those who wait: those who went before need no second look.
    tx.query(
        "select customer from handover_item indexed by handover_item_waiting
          where handover = ?1 and state = 'waiting' order by customer limit ?2",
        &params![id.to_string(), most],
    )?
    .iter()
    .map(|row| row.parse("customer"))
    .collect()
}

/// Whether a customer is one of a handover.
///
/// # Errors
/// [`DbError`] of the query.
pub fn has(tx: &Tx<'_>, id: HandoverId, customer: CustomerId) -> Result<bool, DbError> {
    let found: Option<i64> = tx.scalar(
        "select 1 from handover_item where handover = ?1 and customer = ?2",
        &params![id.to_string(), customer.to_string()],
    )?;
    Ok(found.is_some())
}

/// Writes what became of a customer who waited, and WeCom's error where it was WeCom's word. Tells whether it did.
///
/// # Errors
/// [`DbError`] of the update.
pub fn settle(
    tx: &Tx<'_>,
    id: HandoverId,
    customer: CustomerId,
    outcome: Outcome,
    error: Option<&str>,
    at: UnixMs,
) -> Result<bool, DbError> {
    let settled = tx.execute(
        "update handover_item set state = ?3, reason = ?4, error = ?5, at = ?6
          where handover = ?1 and customer = ?2 and state in ('waiting', 'asked')",
        &params![
            id.to_string(),
            customer.to_string(),
            outcome.as_str(),
            outcome.reason().map(Refusal::as_str),
            error,
            at.millis(),
        ],
    )?;
    Ok(settled > 0)
}

/// Writes that a handover is through.
///
/// # Errors
/// [`DbError`] of the update.
pub fn end(tx: &Tx<'_>, id: HandoverId, at: UnixMs) -> Result<(), DbError> {
    tx.run("update handover set ended_at = coalesce(ended_at, ?2) where id = ?1", &params![id.to_string(), at.millis()])
}

/// How often a customer was passed on since then while both stayed.
///
/// # Errors
/// [`DbError`] of the query.
pub fn passed(tx: &Tx<'_>, customer: CustomerId, since: i64) -> Result<i64, DbError> {
    let count = tx.scalar(
        "select count(*) from handover_item item join handover on handover.id = item.handover
          where item.customer in (select id from customer where survivor = ?1) and item.state = 'moved'
            and item.at > ?2 and handover.kind = 'on_the_job'",
        &params![customer.to_string(), since],
    )?;
    Ok(count.unwrap_or(0))
}

/// How many customers of a handover are in each state: `state`, `count`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn counts(tx: &Tx<'_>, id: HandoverId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select state, count(*) as count from handover_item where handover = ?1 group by state",
        &params![id.to_string()],
    )
}

/// Customers of a handover after this one.
///
/// # Errors
/// [`DbError`] of the query.
pub fn items(tx: &Tx<'_>, id: HandoverId, after: Option<CustomerId>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select customer, state, reason, error, at from handover_item
          where handover = ?1 and customer > ?2
          order by customer limit ?3",
        &params![id.to_string(), after.map(|id| id.to_string()).unwrap_or_default(), most],
    )
}
