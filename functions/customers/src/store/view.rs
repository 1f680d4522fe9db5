//! Customers to read.

use crate::store::identity::IdentityRow;
use domain::{CustomerId, Fen, Stage, UnixMs};
use kit::db::{Row, Value};
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// A customer as lists show it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: CustomerId,
    /// The stage.
    pub stage: Stage,
    /// Since when.
    pub stage_since: UnixMs,
    /// The store.
    pub store: Option<String>,
    /// The member of staff.
    pub advisor: Option<String>,
    /// The name, sealed: the newest of the group.
    pub name: Option<Vec<u8>>,
    /// When it began.
    pub created_at: UnixMs,
    /// When its personal data were erased.
    pub erased_at: Option<UnixMs>,
}

impl Listed {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            stage: row.parse("stage")?,
            stage_since: row.instant("stage_since")?,
            store: row.get("store")?,
            advisor: row.get("advisor")?,
            name: row.get("shown_name")?,
            created_at: row.instant("created_at")?,
            erased_at: row.optional_instant("erased_at")?,
        })
    }
}

/// The columns of [`Listed`]. The name is the newest that any of those who are one was given.
const COLUMNS: &str = "customer.id, customer.stage, customer.stage_since, customer.store, customer.advisor,
    (select part.name from customer part where part.survivor = customer.id and part.name is not null
      order by part.name_at desc, part.id limit 1) as shown_name,
    customer.created_at, customer.erased_at";

/// The customer that an id names now.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: CustomerId) -> Result<Option<Listed>, DbError> {
    let row = tx.query_one(
        &format!("select {COLUMNS} from customer where id = (select survivor from customer where id = ?1)"),
        &params![id.to_string()],
    )?;
    row.as_ref().map(Listed::from_row).transpose()
}

/// Which customers to list. Conditions narrow each other.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In this stage.
    pub stage: Option<Stage>,
    /// Of this store and those below it.
    pub store: Option<String>,
    /// Of this member of staff.
    pub advisor: Option<String>,
    /// Who has an identity of this kind and value.
    pub identity: Option<(&'static str, String)>,
    /// Whose name begins so: its keyed hash.
    pub name_prefix: Option<String>,
    /// Who has this tag now.
    pub tag: Option<String>,
    /// Who is in this segment now.
    pub segment: Option<String>,
    /// The subtree that the caller sees, `/` for all.
    pub seen: String,
    /// The member of staff whose customers the caller sees; nobody where it sees all of its stores.
    pub pool: Option<String>,
    /// The last one of the page before.
    pub after: Option<Mark>,
}

/// A place in the list.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When the customer began.
    pub created_at: i64,
    /// Its id.
    pub id: CustomerId,
}

/// Customers, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, filter: &Filter, most: u32) -> Result<Vec<Listed>, DbError> {
    let mut sql = format!("select {COLUMNS} from customer where customer.survivor = customer.id");
    let mut values: Vec<Value> = Vec::new();
    let mut narrow = |condition: &str, value: Value| {
        values.push(value);
        sql.push_str(" and ");
        sql.push_str(&condition.replace('?', &format!("?{}", values.len())));
    };
    if let Some(stage) = filter.stage {
        narrow("customer.stage = ?", stage.as_str().into());
    }
    let subtrees = [filter.store.as_deref(), Some(filter.seen.as_str())];
    for store in subtrees.into_iter().flatten().filter(|store| *store != "/") {
        narrow("(customer.store = ? or customer.store like ? || '/%')", store.into());
    }
    if let Some(advisor) = &filter.advisor {
        narrow("customer.advisor = ?", advisor.into());
    }
    if let Some(staff) = &filter.pool {
        narrow(
            "customer.id in (select id from customer where advisor = ? and survivor = id
                              union
                             select member.survivor from relation join customer member on member.id = relation.customer
                              where relation.staff = ? and relation.state = 'added')",
            staff.into(),
        );
    }
    if let Some((kind, value)) = &filter.identity {
        narrow(
            "customer.id in (select customer from identity where kind = '{kind}' and value = ?)"
                .replace("{kind}", kind)
                .as_str(),
            value.into(),
        );
    }
    if let Some(hash) = &filter.name_prefix {
        narrow(
            "customer.id in (select named.survivor from customer_name_prefix prefix
                               join customer named on named.id = prefix.customer where prefix.hash = ?)",
            hash.into(),
        );
    }
    if let Some(tag) = &filter.tag {
        narrow(
            "customer.id in (select tagged.survivor from customer_tag
                               join customer tagged on tagged.id = customer_tag.customer where customer_tag.tag = ?
                              group by tagged.survivor having max(present) = 1 and min(rule <> '' or present) = 1)",
            tag.into(),
        );
    }
    if let Some(segment) = &filter.segment {
        narrow("customer.id in (select customer from segment_member where segment = ?)", segment.into());
    }
    if let Some(mark) = filter.after {
        values.push(mark.created_at.into());
        values.push(mark.id.to_string().into());
        let place = format!(" and (customer.created_at, customer.id) < (?{}, ?{})", values.len() - 1, values.len());
        sql.push_str(&place);
    }
    values.push(most.into());
    sql.push_str(&format!(" order by customer.created_at desc, customer.id desc limit ?{}", values.len()));
    tx.query(&sql, &values)?.iter().map(Listed::from_row).collect()
}

/// What a customer's orders come to.
#[derive(Clone, Debug)]
pub struct OrderFigures {
    /// Paid orders.
    pub orders: i64,
    /// What was paid for them.
    pub paid: Fen,
    /// What went back.
    pub refunded: Fen,
    /// When the first was paid.
    pub first_paid_at: Option<UnixMs>,
    /// When the last was paid.
    pub last_paid_at: Option<UnixMs>,
}

/// What a customer's orders come to.
///
/// # Errors
/// [`DbError`] of the query.
pub fn order_figures(tx: &Tx<'_>, id: CustomerId) -> Result<OrderFigures, DbError> {
    let row = tx.query_one(
        "select count(*) as orders, coalesce(sum(paid), 0) as paid, coalesce(sum(min(refunded, paid)), 0) as refunded,
                min(paid_at) as first_paid_at, max(paid_at) as last_paid_at
           from customer_order
           join identity on identity.id = customer_order.identity
          where identity.customer = ?1 and paid_at is not null",
        &params![id.to_string()],
    )?;
    let row = row.ok_or_else(|| DbError::Shape("an aggregate returned no row".to_owned()))?;
    Ok(OrderFigures {
        orders: row.get("orders")?,
        paid: Fen::new(row.get("paid")?),
        refunded: Fen::new(row.get("refunded")?),
        first_paid_at: row.optional_instant("first_paid_at")?,
        last_paid_at: row.optional_instant("last_paid_at")?,
    })
}

/// Ids of the orders that a customer has placed.
///
/// # Errors
/// [`DbError`] of the query.
pub fn order_ids(tx: &Tx<'_>, id: CustomerId) -> Result<Vec<domain::OrderId>, DbError> {
    tx.query(
        "select order_id from customer_order
           join identity on identity.id = customer_order.identity
          where identity.customer = ?1
          order by order_id",
        &params![id.to_string()],
    )?
    .iter()
    .map(|row| row.parse("order_id"))
    .collect()
}

/// The sealed clear value of an identity that is a hash: as sources have told it, or as an order has.
///
/// # Errors
/// [`DbError`] of the query.
pub fn clear_value(tx: &Tx<'_>, row: &IdentityRow) -> Result<Option<Sealed>, DbError> {
    let who = &row.identity;
    let told: Option<Vec<u8>> = tx.scalar(
        "select sealed from identity_clear where kind = ?1 and value = ?2",
        &params![who.kind.as_str(), who.value.as_str()],
    )?;
    if let Some(sealed) = told {
        return Ok(Some(Sealed::Told(sealed)));
    }
    let ordered: Option<Option<Vec<u8>>> = tx.scalar(
        "select phone from \"order\"
           join order_identity on order_identity.order_id = \"order\".id
          where order_identity.value = ?1 and order_identity.kind = ?2 and phone is not null
          limit 1",
        &params![who.value.as_str(), who.kind.as_str()],
    )?;
    Ok(ordered.flatten().map(Sealed::Ordered))
}

/// A sealed clear value, by whom it was sealed.
#[derive(Clone, Debug)]
pub enum Sealed {
    /// By the open door.
    Told(Vec<u8>),
    /// By orders.
    Ordered(Vec<u8>),
}

/// A value of the profile.
#[derive(Clone, Debug)]
pub struct AttributeRow {
    /// The field.
    pub field: String,
    /// The value as JSON, unless it is free text or was taken away.
    pub value: Option<String>,
    /// Free text, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Who told.
    pub source: String,
    /// When it was true.
    pub at: UnixMs,
}

/// The newest value of each field over a customer's group.
///
/// # Errors
/// [`DbError`] of the query.
pub fn attributes(tx: &Tx<'_>, id: CustomerId) -> Result<Vec<AttributeRow>, DbError> {
    let rows = tx.query(
        "select field, value, sealed, source, at from (
             select *, row_number() over (partition by field order by at desc, source desc) as place
               from customer_attribute
              where customer in (select id from customer where survivor = ?1))
          where place = 1 and (value is not null or sealed is not null)
          order by field",
        &params![id.to_string()],
    )?;
    let read = |row: &Row| {
        Ok(AttributeRow {
            field: row.get("field")?,
            value: row.get("value")?,
            sealed: row.get("sealed")?,
            source: row.get("source")?,
            at: row.instant("at")?,
        })
    };
    rows.iter().map(read).collect()
}

/// The newest consent for each purpose: purpose, whether granted, source, when.
///
/// # Errors
/// [`DbError`] of the query.
pub fn consents(tx: &Tx<'_>, id: CustomerId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select purpose, granted, source, at from (
             select *, row_number() over (partition by purpose order by at desc) as place
               from customer_consent
              where customer in (select id from customer where survivor = ?1))
          where place = 1
          order by purpose",
        &params![id.to_string()],
    )
}

/// The stages that a customer has been in, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn stages(tx: &Tx<'_>, id: CustomerId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select from_, to_, cause, at from customer_stage where customer = ?1 order by seq desc limit 50",
        &params![id.to_string()],
    )
}

/// Merges and splits that a customer has had a part in, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn merges(tx: &Tx<'_>, id: CustomerId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select customer, other, what, by, reason, at from customer_merge
          where customer = ?1 or other = ?1
          order by seq desc limit 50",
        &params![id.to_string()],
    )
}

/// Other customers who share what hints at a person: a number that nobody has proved, a name.
///
/// # Errors
/// [`DbError`] of the query.
pub fn suggestions(tx: &Tx<'_>, id: CustomerId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "with own (kind, value) as (
             select hint.kind, hint.value from identity_hint hint
               join identity on identity.id = hint.identity where identity.customer = ?1
              union select kind, value from identity where customer = ?1 and kind = 'phone_hash'),
         others (kind, customer) as (
             select own.kind, identity.customer from own
               join identity_hint hint on hint.kind = own.kind and hint.value = own.value
               join identity on identity.id = hint.identity
              union select own.kind, identity.customer from own
               join identity on identity.kind = own.kind and identity.value = own.value)
         select distinct customer, kind from others where customer <> ?1 order by customer, kind limit 20",
        &params![id.to_string()],
    )
}

/// A place in a timeline.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct TimelineMark {
    /// When it happened.
    pub at: i64,
    /// Its place in the log.
    pub seq: i64,
}

/// What a customer did, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn timeline(tx: &Tx<'_>, id: CustomerId, after: Option<TimelineMark>, most: u32) -> Result<Vec<Row>, DbError> {
    let mark = after.unwrap_or(TimelineMark { at: i64::MAX, seq: i64::MAX });
    tx.query(
        "select activity.at, activity.seq, activity.type, activity.summary, intake.sealed
           from identity
           join customer_activity activity on activity.identity = identity.id
           left join event on event.seq = activity.seq
           left join intake on intake.event_id = event.id
          where identity.customer = ?1 and (activity.at, activity.seq) < (?2, ?3)
          order by activity.at desc, activity.seq desc
          limit ?4",
        &params![id.to_string(), mark.at, mark.seq, most],
    )
}
