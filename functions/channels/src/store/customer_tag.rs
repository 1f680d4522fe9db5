//! Which tags customers have, and who is part of whom, as events tell. A customer who was merged keeps what was its own.

use domain::{CustomerId, TagId, UnixMs};
use kit::{DbError, Tx, params};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// One customer is part of another from now on.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn merged(tx: &Tx<'_>, merged: CustomerId, survivor: CustomerId) -> Result<(), DbError> {
    tx.run(
        "insert into channel_merge (customer, survivor) values (?1, ?2)
         on conflict (customer) do update set survivor = excluded.survivor",
        &params![merged.to_string(), survivor.to_string()],
    )?;
    tx.run("delete from channel_merge where customer = ?1", &params![survivor.to_string()])
}

/// A customer is one of its own again.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn split(tx: &Tx<'_>, customer: CustomerId) -> Result<(), DbError> {
    tx.run("delete from channel_merge where customer = ?1", &params![customer.to_string()])
}

/// The customer that a customer is now part of, or itself.
///
/// # Errors
/// [`DbError`] of the query.
pub fn survivor(tx: &Tx<'_>, customer: CustomerId) -> Result<CustomerId, DbError> {
    let row = tx.query_one("select survivor from channel_merge where customer = ?1", &params![customer.to_string()])?;
    row.map_or(Ok(customer), |row| row.parse("survivor"))
}

/// All who are one with a customer, the one who stayed first.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn members(tx: &Tx<'_>, customer: CustomerId) -> Result<Vec<CustomerId>, DbError> {
    let survivor = survivor(tx, customer)?;
    let rows = tx.query(
        "select customer from channel_merge where survivor = ?1 order by customer",
        &params![survivor.to_string()],
    )?;
    let parts = rows.iter().map(|row| row.parse("customer")).collect::<Result<Vec<_>, _>>()?;
    Ok(std::iter::once(survivor).chain(parts).collect())
}

/// A person has given a customer a tag, or taken it away: in place of earlier words.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn word(tx: &Tx<'_>, customer: CustomerId, tag: TagId, present: bool, at: UnixMs) -> Result<(), DbError> {
    let members = members(tx, customer)?;
    tx.run(
        "delete from channel_customer_tag
          where tag = ?1 and word = 1 and customer in (select value from json_each(?2))",
        &params![tag.to_string(), json!(members).to_string()],
    )?;
    let survivor = members.first().copied().unwrap_or(customer);
    put(tx, survivor, tag, (present, true), at)
}

/// What a person has said of a customer's tag is forgotten: a yes stands as a rule's would, until the log tells otherwise.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn release(tx: &Tx<'_>, customer: CustomerId, tag: TagId) -> Result<(), DbError> {
    let members = json!(members(tx, customer)?).to_string();
    let of_it = "tag = ?1 and word = 1 and customer in (select value from json_each(?2))";
    let no = format!("delete from channel_customer_tag where present = 0 and {of_it}");
    tx.run(&no, &params![tag.to_string(), members.as_str()])?;
    tx.run(&format!("update channel_customer_tag set word = 0 where {of_it}"), &params![tag.to_string(), members])
}

/// A tag was retired: nobody has it.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget_tag(tx: &Tx<'_>, tag: TagId) -> Result<(), DbError> {
    tx.run("delete from channel_customer_tag where tag = ?1", &params![tag.to_string()])
}

/// A rule has given a customer a tag.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn given(tx: &Tx<'_>, customer: CustomerId, tag: TagId, at: UnixMs) -> Result<(), DbError> {
    put(tx, customer, tag, (true, false), at)
}

fn put(
    tx: &Tx<'_>,
    customer: CustomerId,
    tag: TagId,
    (present, word): (bool, bool),
    at: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "insert into channel_customer_tag (customer, tag, present, word, at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (customer, tag) do update
             set present = excluded.present, word = excluded.word, at = excluded.at",
        &params![customer.to_string(), tag.to_string(), present, word, at.millis()],
    )
}

/// The last reason for a tag is gone: of a customer and all who are part of it, or of one who is part of another by now.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn taken(tx: &Tx<'_>, customer: CustomerId, tag: TagId) -> Result<(), DbError> {
    let members = if survivor(tx, customer)? == customer { members(tx, customer)? } else { vec![customer] };
    tx.run(
        "delete from channel_customer_tag
          where tag = ?1 and present = 1 and customer in (select value from json_each(?2))",
        &params![tag.to_string(), json!(members).to_string()],
    )
}

/// The tags that these customers, who are one, have and that WeCom knows, each with WeCom's id. A person's newest word decides; without
/// one, any reason does.
///
/// # Errors
/// [`DbError`] of the query.
pub fn at_wecom(tx: &Tx<'_>, members: &[CustomerId]) -> Result<BTreeSet<TagId>, DbError> {
    let rows = tx.query(
        "select held.tag, held.present, held.word from channel_customer_tag held
           join wecom_tag on wecom_tag.tag = held.tag
          where wecom_tag.wecom_id is not null and held.customer in (select value from json_each(?1))
          order by held.tag, held.word, held.at, held.customer",
        &params![json!(members).to_string()],
    )?;
    let mut held: BTreeMap<TagId, bool> = BTreeMap::new();
    for row in &rows {
        let (tag, present, word): (TagId, bool, bool) = (row.parse("tag")?, row.get("present")?, row.get("word")?);
        // Words come last, the newest of them last of all.
        let known = held.entry(tag).or_default();
        *known = if word { present } else { *known || present };
    }
    Ok(held.into_iter().filter_map(|(tag, present)| present.then_some(tag)).collect())
}

/// The next customers after `after` who have a tag, by id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn holders(tx: &Tx<'_>, tag: TagId, after: Option<CustomerId>, most: u32) -> Result<Vec<CustomerId>, DbError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = tx.query(
        "select customer from channel_customer_tag
          where tag = ?1 and present = 1 and customer > ?2 order by customer limit ?3",
        &params![tag.to_string(), after, most],
    )?;
    rows.iter().map(|row| row.parse("customer")).collect()
}

/// Forgets the tags of these customers.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget(tx: &Tx<'_>, members: &[CustomerId]) -> Result<(), DbError> {
    tx.run(
        "delete from channel_customer_tag where customer in (select value from json_each(?1))",
        &params![json!(members).to_string()],
    )
}
