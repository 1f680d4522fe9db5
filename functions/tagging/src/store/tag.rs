//! Why customers carry tags.

use super::json;
use crate::rule::Seen;
use domain::day::Day;
use domain::{EventId, TagId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// Why a customer has a tag, or a person's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The customer that it was written for.
    pub customer: String,
    /// The tag.
    pub tag: TagId,
    /// The tag's group, where that allows one tag only.
    pub single: Option<String>,
    /// The rule; none for a person's word.
    pub rule: Option<String>,
    /// Whether it speaks for the tag: a person's no speaks against.
    pub present: bool,
    /// When, Unix ms.
    pub since: i64,
    /// The first day on which it is gone.
    pub until: Option<Day>,
    /// Whether it goes with its rule's condition.
    pub lasting: bool,
}

fn read(row: &Row) -> Result<Reason, DbError> {
    let rule: String = row.get("rule")?;
    Ok(Reason {
        customer: row.get("customer")?,
        tag: row.parse("tag")?,
        single: row.get("single_group")?,
        rule: Some(rule).filter(|rule| !rule.is_empty()),
        present: row.get("present")?,
        since: row.get("since")?,
        until: row.get::<Option<i64>>("until")?.and_then(|day| Day::try_from(day).ok()),
        lasting: row.get("lasting")?,
    })
}

/// All reasons of these customers, together one.
///
/// # Errors
/// [`DbError`] of the query.
pub fn reasons(tx: &Tx<'_>, customers: &[&str]) -> Result<Vec<Reason>, DbError> {
    tx.query(
        "select customer, tag, rule, present, since, until, lasting, iif(tag_group.single, tag_group.id, null) as single_group
           from customer_tag
           join tag on tag.id = customer_tag.tag
           join tag_group on tag_group.id = tag.tag_group
          where customer in (select value from json_each(?1))
          order by customer, tag, rule",
        &params![serde_json::json!(customers).to_string()],
    )?
    .iter()
    .map(read)
    .collect()
}

/// The group of a tag where that allows one tag only. None also where there is no such tag (any more).
///
/// # Errors
/// [`DbError`] of the query.
pub fn single_group(tx: &Tx<'_>, tag: TagId) -> Result<Option<Option<String>>, DbError> {
    tx.query_one(
        "select iif(tag_group.single, tag_group.id, null) as v
           from tag join tag_group on tag_group.id = tag.tag_group
          where tag.id = ?1 and not tag.closed",
        &params![tag.to_string()],
    )?
    .map(|row| row.get("v"))
    .transpose()
}

/// Where a reason comes from.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// The rule's version.
    pub version: Option<i64>,
    /// The event.
    pub event: EventId,
    /// The person.
    pub by: Option<&'a str>,
    /// What was asked, and what was seen.
    pub seen: &'a [Seen],
}

/// Writes a reason, in place of the same rule's (or of an earlier word of a person).
///
/// # Errors
/// [`DbError`] of the statement.
pub fn give(tx: &Tx<'_>, reason: &Reason, origin: &Origin<'_>) -> Result<(), DbError> {
    tx.run(
        "insert into customer_tag (customer, tag, rule, present, version, event, by, since, until, lasting, seen)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         on conflict (customer, tag, rule) do update
             set present = excluded.present, version = excluded.version, event = excluded.event, by = excluded.by,
                 since = excluded.since, until = excluded.until, lasting = excluded.lasting, seen = excluded.seen",
        &params![
            reason.customer.as_str(),
            reason.tag.to_string(),
            reason.rule.as_deref().unwrap_or_default(),
            reason.present,
            origin.version,
            origin.event.to_string(),
            origin.by,
            reason.since,
            reason.until,
            reason.lasting,
            json(&origin.seen)?,
        ],
    )
}

/// Takes a reason away.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn take(tx: &Tx<'_>, reason: &Reason) -> Result<(), DbError> {
    tx.run(
        "delete from customer_tag where customer = ?1 and tag = ?2 and rule = ?3",
        &params![reason.customer.as_str(), reason.tag.to_string(), reason.rule.as_deref().unwrap_or_default()],
    )
}

/// From this place in the log on nobody gets the tag.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn close(tx: &Tx<'_>, tag: TagId) -> Result<(), DbError> {
    tx.run("update tag set closed = 1 where id = ?1", &params![tag.to_string()])
}

/// Some of the customers for whom there is a reason for a tag, or against it.
///
/// # Errors
/// [`DbError`] of the query.
pub fn carriers(tx: &Tx<'_>, tag: TagId, most: u32) -> Result<Vec<String>, DbError> {
    let sql = "select distinct customer from customer_tag where tag = ?1 order by customer limit ?2";
    tx.query(sql, &params![tag.to_string(), most])?.iter().map(|row| row.get("customer")).collect()
}

/// An instant as rows keep it.
pub fn since(at: UnixMs) -> i64 {
    at.millis()
}

/// The other tags of a tag's group, where that allows one only.
///
/// # Errors
/// [`DbError`] of the query.
pub fn rivals(tx: &Tx<'_>, tag: TagId) -> Result<Vec<TagId>, DbError> {
    tx.query(
        "select other.id
           from tag
           join tag_group on tag_group.id = tag.tag_group and tag_group.single
           join tag as other on other.tag_group = tag_group.id and other.id <> tag.id
          where tag.id = ?1",
        &params![tag.to_string()],
    )?
    .iter()
    .map(|row| row.parse("id"))
    .collect()
}
