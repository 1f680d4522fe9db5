//! Groups of tags, and tags.

use domain::{TagGroupId, TagId};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// Groups after a mark, by id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn groups(tx: &Tx<'_>, after: Option<&str>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select id, name, single, colour, owner, created_at,
                (select json_group_array(json_object('id', tag.id, 'name', tag.name) order by tag.id)
                   from tag where tag.tag_group = tag_group.id and tag.retired_at is null) as tags
           from tag_group where id > ?1 order by id limit ?2",
        &params![after.unwrap_or_default(), most],
    )
}

/// One group.
///
/// # Errors
/// [`DbError`] of the query.
pub fn group(tx: &Tx<'_>, id: TagGroupId) -> Result<Option<Row>, DbError> {
    tx.query_one(
        "select id, name, single, colour, owner, created_at,
                (select json_group_array(json_object('id', tag.id, 'name', tag.name) order by tag.id)
                   from tag where tag.tag_group = tag_group.id and tag.retired_at is null) as tags
           from tag_group where id = ?1",
        &params![id.to_string()],
    )
}

/// The group of a name.
///
/// # Errors
/// [`DbError`] of the query.
pub fn group_named(tx: &Tx<'_>, name: &str) -> Result<Option<TagGroupId>, DbError> {
    tx.query_one("select id from tag_group where name = ?1", &params![name])?.map(|row| row.parse("id")).transpose()
}

/// A group to be.
pub struct NewGroup<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether a customer has one tag of it only.
    pub single: bool,
    /// Its colour, `#rrggbb`.
    pub colour: Option<&'a str>,
    /// Whose it is: a place in the tree of stores.
    pub owner: &'a str,
}

/// Adds a group. False when the name is taken.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn add_group(tx: &Tx<'_>, id: TagGroupId, new: &NewGroup<'_>) -> Result<bool, DbError> {
    let added = tx.execute(
        "insert into tag_group (id, name, single, colour, owner, created_at) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (name) do nothing",
        &params![id.to_string(), new.name, new.single, new.colour, new.owner, tx.cx().now.millis()],
    )?;
    Ok(added > 0)
}

/// Renames and recolours a group. False when the name is another's.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn change_group(tx: &Tx<'_>, id: TagGroupId, name: &str, colour: Option<&str>) -> Result<bool, DbError> {
    let changed = tx.execute(
        "update tag_group set name = ?2, colour = ?3
          where id = ?1 and not exists (select 1 from tag_group where name = ?2 and id <> ?1)",
        &params![id.to_string(), name, colour],
    )?;
    Ok(changed > 0)
}

/// The tag of a name in a group.
///
/// # Errors
/// [`DbError`] of the query.
pub fn tag_named(tx: &Tx<'_>, group: TagGroupId, name: &str) -> Result<Option<TagId>, DbError> {
    let row =
        tx.query_one("select id from tag where tag_group = ?1 and name = ?2", &params![group.to_string(), name])?;
    row.map(|row| row.parse("id")).transpose()
}

/// Adds a tag. False when the group has that name, or there are `most` tags already.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn add_tag(tx: &Tx<'_>, id: TagId, group: TagGroupId, name: &str, most: i64) -> Result<bool, DbError> {
    let added = tx.execute(
        "insert into tag (id, tag_group, name, created_at)
         select ?1, ?2, ?3, ?4 where (select count(*) from tag where retired_at is null) < ?5
         on conflict (tag_group, name) do nothing",
        &params![id.to_string(), group.to_string(), name, tx.cx().now.millis(), most],
    )?;
    Ok(added > 0)
}

/// Renames a tag. False when the name is another's of the group.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn rename_tag(tx: &Tx<'_>, id: TagId, name: &str) -> Result<bool, DbError> {
    let changed = tx.execute(
        "update tag set name = ?2
          where id = ?1 and not exists (
                select 1 from tag as other where other.tag_group = tag.tag_group and other.name = ?2 and other.id <> ?1)",
        &params![id.to_string(), name],
    )?;
    Ok(changed > 0)
}

/// One tag with its group and how many reasons for it there are.
///
/// # Errors
/// [`DbError`] of the query.
pub fn tag(tx: &Tx<'_>, id: TagId) -> Result<Option<Row>, DbError> {
    tx.query_one(
        "select tag.id, tag.name, tag_group.id as group_id, tag_group.name as group_name, tag_group.owner,
                (select count(distinct customer) from customer_tag where tag = tag.id and present = 1) as customers
           from tag join tag_group on tag_group.id = tag.tag_group
          where tag.id = ?1 and tag.retired_at is null",
        &params![id.to_string()],
    )
}

/// Retires a tag. Its name is free again.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn retire_tag(tx: &Tx<'_>, id: TagId) -> Result<(), DbError> {
    tx.run(
        "update tag set retired_at = ?2, retired_name = name, name = id where id = ?1 and retired_at is null",
        &params![id.to_string(), tx.cx().now.millis()],
    )
}

/// The names of rules and segments that ask for a tag, or give or take it: drafts among them, retired ones not.
///
/// # Errors
/// [`DbError`] of the query.
pub fn users(tx: &Tx<'_>, id: TagId) -> Result<Vec<String>, DbError> {
    tx.query(
        "select name from tag_rule
           join tag_rule_version on rule = tag_rule.id and version in (draft, active)
          where retired_at is null and instr(definition, ?1)
          union
         select name from segment where retired_at is null and instr(condition, ?1)
          order by name",
        &params![id.to_string()],
    )?
    .iter()
    .map(|row| row.get("name"))
    .collect()
}

/// Why customers, together one, have their tags: for people to read.
///
/// # Errors
/// [`DbError`] of the query.
pub fn explained(tx: &Tx<'_>, customers: &[&str]) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select customer_tag.tag, coalesce(tag.retired_name, tag.name) as name, tag_group.id as group_id, tag_group.name as group_name, tag_group.colour,
                customer_tag.rule, tag_rule.name as rule_name, customer_tag.version, customer_tag.event, customer_tag.by,
                customer_tag.since, customer_tag.until, customer_tag.present, customer_tag.seen
           from customer_tag
           join tag on tag.id = customer_tag.tag
           join tag_group on tag_group.id = tag.tag_group
           left join tag_rule on tag_rule.id = customer_tag.rule
          where customer_tag.customer in (select value from json_each(?1))
          order by tag_group.id, customer_tag.tag, customer_tag.since, customer_tag.rule",
        &params![serde_json::json!(customers).to_string()],
    )
}

/// The store of a customer, as customers' own books have it; none where it belongs to none.
///
/// # Errors
/// [`DbError`] of the query.
pub fn store_of(tx: &Tx<'_>, customer: &str) -> Result<Option<String>, DbError> {
    let row = tx.query_one("select store as v from customer where id = ?1", &params![customer])?;
    row.map_or(Ok(None), |row| row.get("v"))
}

/// Whether a customer is one of a member of staff's: it advises it, or a relation stands.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_customer_of(tx: &Tx<'_>, customer: &str, staff: &str) -> Result<bool, DbError> {
    let found: Option<i64> = tx.scalar(
        "select 1 from customer where id = ?1 and advisor = ?2
         union
         select 1 from relation
          where customer in (select id from customer where survivor = ?1) and staff = ?2 and state = 'added'",
        &params![customer, staff],
    )?;
    Ok(found.is_some())
}
