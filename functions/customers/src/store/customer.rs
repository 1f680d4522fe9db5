//! Customers: where they began, whose part they are, their conflicts and their stage.

use crate::stage::Signs;
use crate::store::relation;
use domain::{CustomerId, Stage, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;

/// A customer, as far as who is who needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its id, for ever.
    pub id: CustomerId,
    /// Itself, or the older customer whose part it is.
    pub survivor: CustomerId,
    /// The identity that it began with.
    pub home: i64,
    /// When it began, Unix milliseconds.
    pub created_at: i64,
}

/// Customers who began with one of these identities.
///
/// # Errors
/// [`DbError`] of the query.
pub fn with_homes(tx: &Tx<'_>, identities: impl Iterator<Item = i64>) -> Result<Vec<Placed>, DbError> {
    let rows = tx.query(
        "select id, survivor, home, created_at from customer where home in (select value from json_each(?1))",
        &params![json!(identities.collect::<Vec<_>>()).to_string()],
    )?;
    let placed = |row: &Row| {
        Ok(Placed {
            id: row.parse("id")?,
            survivor: row.parse("survivor")?,
            home: row.get("home")?,
            created_at: row.get("created_at")?,
        })
    };
    rows.iter().map(placed).collect()
}

/// A new customer.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn insert(tx: &Tx<'_>, id: CustomerId, home: i64, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into customer (id, survivor, home, created_at, stage_since) values (?1, ?1, ?2, ?3, ?3)",
        &params![id.to_string(), home, at.millis()],
    )
}

/// Makes a customer a part of another, or one of its own again.
///
/// # Errors
/// [`DbError`] of the update.
pub fn set_survivor(tx: &Tx<'_>, id: CustomerId, survivor: CustomerId) -> Result<(), DbError> {
    tx.run("update customer set survivor = ?2 where id = ?1", &params![id.to_string(), survivor.to_string()])
}

/// Writes down a merge or a split.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn note_merge(
    tx: &Tx<'_>,
    customer: CustomerId,
    other: CustomerId,
    split: bool,
    by: Option<(&str, &str)>,
    at: UnixMs,
) -> Result<(), DbError> {
    let (by, reason) = by.unzip();
    tx.run(
        "insert into customer_merge (customer, other, what, by, reason, at) values (?1, ?2, ?3, ?4, ?5, ?6)",
        &params![
            customer.to_string(),
            other.to_string(),
            if split { "split" } else { "merged" },
            by,
            reason,
            at.millis()
        ],
    )
}

/// Who an id names now: the customer itself, or the one whose part it is.
///
/// # Errors
/// [`DbError`] of the query.
pub fn survivor(tx: &Tx<'_>, id: CustomerId) -> Result<Option<CustomerId>, DbError> {
    let row = tx.query_one("select survivor from customer where id = ?1", &params![id.to_string()])?;
    row.map(|row| row.parse("survivor")).transpose()
}

/// The identity that a customer began with.
///
/// # Errors
/// [`DbError`] of the query.
pub fn home(tx: &Tx<'_>, id: CustomerId) -> Result<i64, DbError> {
    tx.scalar("select home from customer where id = ?1", &params![id.to_string()])?
        .ok_or_else(|| DbError::Shape("no such customer".to_owned()))
}

/// What follows from a customer's identities and orders, and what stands in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the stage follows from.
    pub signs: Signs,
    /// The stage in the row.
    pub stage: Stage,
    /// Store and advisor as the newest mention has them.
    pub belongs: Belongs,
    /// Store and advisor in the row.
    pub belonged: Belongs,
}

/// A customer's store and advisor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// The store's path.
    pub store: Option<String>,
    /// The member of staff.
    pub advisor: Option<String>,
}

/// How a customer stands; nothing for those who are part of another.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn standing(tx: &Tx<'_>, id: CustomerId) -> Result<Option<Standing>, DbError> {
    let row = tx.query_one(
        "select customer.stage, customer.store as own_store, customer.advisor as own_advisor,
                max(identity.lead_at) as lead_at, max(identity.contact_at) as contact_at, max(identity.lost_at) as lost_at,
                (select store from identity where customer = ?1 and store is not null
                  order by store_at desc, store limit 1) as store,
                (select advisor from identity where customer = ?1 and advisor is not null
                  order by advisor_at desc, advisor limit 1) as advisor
           from customer
           left join identity on identity.customer = customer.id
          where customer.id = ?1 and customer.survivor = ?1
          group by customer.id",
        &params![id.to_string()],
    )?;
    let Some(row) = row else { return Ok(None) };
    let (contact_at, lost_at): (Option<i64>, Option<i64>) = (row.get("contact_at")?, row.get("lost_at")?);
    // Whom a member of staff knows all the while is not lost, though another or an account was left.
    let lost_at = if lost_at.is_some() && contact_at <= lost_at && relation::any(tx, id)? { None } else { lost_at };
    let orders = tx.query(
        "select paid_at, count(*) over () as orders, sum(paid_at > coalesce(?2, -1)) over () as since_lost
           from customer_order
           join identity on identity.id = customer_order.identity
          where identity.customer = ?1 and paid_at is not null and paid > refunded
          order by paid_at desc
          limit 2",
        &params![id.to_string(), lost_at],
    )?;
    let newest = orders.first();
    let signs = Signs {
        lead_at: row.get("lead_at")?,
        contact_at,
        lost_at,
        orders: newest.map_or(Ok(0), |row| row.get("orders"))?,
        orders_since_lost: newest.map_or(Ok(0), |row| row.get("since_lost"))?,
        last_paid_at: newest.map(|row| row.get("paid_at")).transpose()?,
        earlier_paid_at: orders.get(1).map(|row| row.get("paid_at")).transpose()?,
    };
    Ok(Some(Standing {
        signs,
        stage: row.parse("stage")?,
        belongs: Belongs { store: row.get("store")?, advisor: row.get("advisor")? },
        belonged: Belongs { store: row.get("own_store")?, advisor: row.get("own_advisor")? },
    }))
}

/// Writes a customer's store and advisor.
///
/// # Errors
/// [`DbError`] of the update.
pub fn set_belongs(tx: &Tx<'_>, id: CustomerId, belongs: &Belongs) -> Result<(), DbError> {
    tx.run(
        "update customer set store = ?2, advisor = ?3 where id = ?1",
        &params![id.to_string(), belongs.store.as_deref(), belongs.advisor.as_deref()],
    )
}

/// Moves a customer to another stage, and writes that down.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn move_stage(
    tx: &Tx<'_>,
    id: CustomerId,
    (from, to): (Stage, Stage),
    at: UnixMs,
    cause: &str,
) -> Result<(), DbError> {
    tx.run(
        "update customer set stage = ?2, stage_since = ?3 where id = ?1",
        &params![id.to_string(), to.as_str(), at.millis()],
    )?;
    tx.run(
        "insert into customer_stage (customer, seq, at, from_, to_, cause)
         values (?1, (select coalesce(max(seq), 0) + 1 from customer_stage where customer = ?1), ?2, ?3, ?4, ?5)",
        &params![id.to_string(), at.millis(), from.as_str(), to.as_str(), cause],
    )
}
