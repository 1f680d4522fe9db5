//! What other functions know and this one reads: customers' keywords, stages and follow-ups, tags.

use domain::{FollowUpDue, Identity, Stage, TagGroupId, TagId};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;

/// The words that the merchant listens for.
///
/// # Errors
/// [`DbError`] of the query.
pub fn keywords(tx: &Tx<'_>) -> Result<Vec<String>, DbError> {
    tx.query("select word from keyword order by word", &[])?.iter().map(|row| row.get("word")).collect()
}

/// How far the person has come whose identity this is; nothing where nobody has heard of it.
///
/// # Errors
/// [`DbError`] of the query.
pub fn stage(tx: &Tx<'_>, who: &Identity) -> Result<Option<Stage>, DbError> {
    let row = tx.query_one(
        "select customer.stage from identity
           join customer on customer.id = identity.customer
          where identity.kind = ?1 and identity.scope = ?2 and identity.value = ?3",
        &params![who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value.as_str()],
    )?;
    row.map(|row| row.parse("stage")).transpose()
}

/// Which of these tags there are none of.
///
/// # Errors
/// [`DbError`] of the query.
pub fn missing_tags(tx: &Tx<'_>, tags: &[TagId]) -> Result<Vec<String>, DbError> {
    let rows = tx.query(
        "select asked.value as id from json_each(?1) asked
          where not exists (select 1 from tag where tag.id = asked.value and tag.retired_at is null)
          order by asked.key",
        &params![json!(tags).to_string()],
    )?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// The member of staff who advises the person whose identity this is.
///
/// # Errors
/// [`DbError`] of the query.
pub fn advisor(tx: &Tx<'_>, who: &Identity) -> Result<Option<String>, DbError> {
    let row = tx.query_one(
        "select one.advisor from identity
           join customer own on own.id = identity.customer
           join customer one on one.id = own.survivor
          where identity.kind = ?1 and identity.scope = ?2 and identity.value = ?3",
        &super::who::columns(who),
    )?;
    row.map_or(Ok(None), |row| row.get("advisor"))
}

/// A group of tags: its name, and its tags with theirs.
#[derive(Debug)]
pub struct TagGroup {
    /// Its name.
    pub name: String,
    /// Its tags, oldest first.
    pub tags: Vec<(TagId, String)>,
}

/// A group of tags by its id.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn tag_group(tx: &Tx<'_>, id: TagGroupId) -> Result<Option<TagGroup>, DbError> {
    let Some(row) = tx.query_one("select name from tag_group where id = ?1", &params![id.to_string()])? else {
        return Ok(None);
    };
    let tag = |row: &Row| Ok((row.parse("id")?, row.get("name")?));
    let rows = tx.query(
        "select id, name from tag where tag_group = ?1 and retired_at is null order by id",
        &params![id.to_string()],
    )?;
    let tags = rows.iter().map(tag).collect::<Result<_, DbError>>()?;
    Ok(Some(TagGroup { name: row.get("name")?, tags }))
}

/// How many customers a member of staff is to get in touch with by now; nothing where this one is done, moved or handed over.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn follow_ups_due(tx: &Tx<'_>, due: &FollowUpDue) -> Result<Option<i64>, DbError> {
    let (staff, next_at) = (due.staff.as_str(), due.next_at.millis());
    let open = tx.query_one(
        "select 1 as found from follow_up where id = ?1 and staff = ?2 and next_at = ?3 and done_at is null",
        &params![due.follow_up_id.to_string(), staff, next_at],
    )?;
    if open.is_none() {
        return Ok(None);
    }
    tx.scalar(
        "select count(*) from follow_up where staff = ?1 and next_at <= ?2 and next_at is not null and done_at is null",
        &params![staff, tx.cx().now.millis().max(next_at)],
    )
}
