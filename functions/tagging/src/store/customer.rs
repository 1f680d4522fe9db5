//! Customers as the log tells of them.

use super::json;
use crate::feature::Value;
use domain::day::Day;
use domain::{CustomerId, Stage};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A rule that holds for a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The rule's version.
    #[serde(rename = "v")]
    pub version: i64,
    /// Since when, Unix ms.
    #[serde(rename = "s")]
    pub since: i64,
}

/// A field of the profile: the place in the log that told it, and the value, absent where it was taken away.
pub type Attribute = (i64, Option<Value>);

/// A customer's row.
#[derive(Clone, Debug)]
pub struct Person {
    /// The id.
    pub id: String,
    /// The stage, as far as was told.
    pub stage: Option<Stage>,
    /// The profile, by field.
    pub attributes: BTreeMap<String, Attribute>,
    /// The rules that hold, by id.
    pub matched: BTreeMap<String, Matched>,
    /// The day on which a rule may change with no event.
    pub due: Option<Day>,
}

impl Person {
    fn read(row: &Row) -> Result<Self, DbError> {
        let stage: Option<String> = row.get("stage")?;
        Ok(Self {
            id: row.get("id")?,
            stage: stage.and_then(|stage| stage.parse().ok()),
            attributes: row.json("attributes")?,
            matched: row.json("matched")?,
            due: row.get::<Option<i64>>("due")?.and_then(|due| Day::try_from(due).ok()),
        })
    }
}

/// A customer and all who are part of it, the customer first. Empty when there is none.
///
/// # Errors
/// [`DbError`] of the query.
pub fn group(tx: &Tx<'_>, survivor: &str) -> Result<Vec<Person>, DbError> {
    tx.query(
        "select id, stage, attributes, matched, due from tagging_customer where survivor = ?1 order by id <> ?1, id",
        &params![survivor],
    )?
    .iter()
    .map(Person::read)
    .collect()
}

/// Keeps the rules that hold for a customer, and the day on which one may change.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save(tx: &Tx<'_>, id: &str, matched: &BTreeMap<String, Matched>, due: Option<Day>) -> Result<(), DbError> {
    tx.run("update tagging_customer set matched = ?2, due = ?3 where id = ?1", &params![id, json(matched)?, due])
}

/// Makes the row of a customer if there is none. Tells whether there was none.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn begin(tx: &Tx<'_>, id: CustomerId) -> Result<bool, DbError> {
    let begun = tx.execute(
        "insert into tagging_customer (id, survivor) values (?1, ?1) on conflict do nothing",
        &params![id.to_string()],
    )?;
    Ok(begun > 0)
}

/// The customer that a customer is now part of, or itself. None when it is not known.
///
/// # Errors
/// [`DbError`] of the query.
pub fn survivor(tx: &Tx<'_>, id: &str) -> Result<Option<String>, DbError> {
    tx.scalar("select survivor from tagging_customer where id = ?1", &params![id])
}

/// Notes a stage.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn set_stage(tx: &Tx<'_>, id: CustomerId, stage: Stage) -> Result<(), DbError> {
    tx.run("update tagging_customer set stage = ?2 where id = ?1", &params![id.to_string(), stage.as_str()])
}

/// Notes a field of the profile, told at `seq` of the log.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn set_attribute(tx: &Tx<'_>, id: CustomerId, field: &str, told: &Attribute) -> Result<(), DbError> {
    let mut attributes: BTreeMap<String, Attribute> = tx
        .query_one("select attributes from tagging_customer where id = ?1", &params![id.to_string()])?
        .map(|row| row.json("attributes"))
        .transpose()?
        .unwrap_or_default();
    attributes.insert(field.to_owned(), told.clone());
    tx.run("update tagging_customer set attributes = ?2 where id = ?1", &params![id.to_string(), json(&attributes)?])
}

/// Forgets the profile of a customer and of all who are part of it, and by which identities they were known: who comes again is somebody else,
/// and their figures stay here.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forget(tx: &Tx<'_>, survivor: &str) -> Result<(), DbError> {
    tx.run("update tagging_customer set attributes = '{}' where survivor = ?1", &params![survivor])?;
    tx.run("update subject set value = 'erased ' || id where customer = ?1", &params![survivor])
}

/// One customer is part of another from now on, with all that are part of it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn merge(tx: &Tx<'_>, into: &str, merged: &str) -> Result<(), DbError> {
    tx.run(
        "update tagging_customer
            set survivor = ?1, due = null, part_of = case id when ?2 then ?1 else part_of end
          where id in (
                with recursive part (id) as (
                    select ?2 union select below.id from part join tagging_customer below on below.part_of = part.id)
                select id from part)",
        &params![into, merged],
    )
}

/// A customer is one of its own again, with all that are part of it.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn split(tx: &Tx<'_>, id: &str) -> Result<(), DbError> {
    tx.run(
        "update tagging_customer
            set survivor = ?1, part_of = case id when ?1 then null else part_of end
          where id in (
                with recursive part (id) as (
                    select ?1 union select below.id from part join tagging_customer below on below.part_of = part.id)
                select id from part)",
        &params![id],
    )
}

/// Customers whose day has come, the longest due first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn due(tx: &Tx<'_>, today: Day, most: u32) -> Result<Vec<String>, DbError> {
    // Index tagging_customer_by_due.
    tx.query(
        "select id from tagging_customer where due <= ?1 and part_of is null order by due, id limit ?2",
        &params![today, most],
    )?
    .iter()
    .map(|row| row.get("id"))
    .collect()
}

/// The next customers after `cursor`, by id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn after(tx: &Tx<'_>, cursor: &str, most: u32) -> Result<Vec<String>, DbError> {
    tx.query(
        "select id from tagging_customer where part_of is null and id > ?1 order by id limit ?2",
        &params![cursor, most],
    )?
    .iter()
    .map(|row| row.get("id"))
    .collect()
}

/// How many customers there are, those who are part of another not counted.
///
/// # Errors
/// [`DbError`] of the query.
pub fn count(tx: &Tx<'_>) -> Result<i64, DbError> {
    Ok(tx.scalar("select count(*) from tagging_customer where part_of is null", &[])?.unwrap_or(0))
}
