//! Groups of tags and tags as WeCom has them.

use domain::{TagGroupId, TagId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use std::collections::BTreeMap;

/// A group of tags that is kept at WeCom too.
#[derive(Clone, Debug)]
pub struct Group {
    /// The group.
    pub id: TagGroupId,
    /// What it is called here.
    pub name: String,
    /// Its id at WeCom, once that has told it.
    pub wecom_id: Option<String>,
    /// What WeCom calls it, or was asked to.
    pub wecom_name: Option<String>,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// Names of tags that only WeCom has.
    pub others: Vec<String>,
    /// When WeCom told its id.
    pub since: Option<UnixMs>,
}

impl Group {
    /// Reads a row of the table.
    ///
    /// # Errors
    /// [`DbError::Shape`] when it is none.
    pub fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("tag_group")?,
            name: row.get("name")?,
            wecom_id: row.get("wecom_id")?,
            wecom_name: row.get("wecom_name")?,
            trouble: row.get("trouble")?,
            others: row.json("others")?,
            since: row.optional_instant("since")?,
        })
    }
}

/// A tag of such a group.
#[derive(Clone, Debug)]
pub struct Tag {
    /// The tag.
    pub id: TagId,
    /// What it is called here.
    pub name: String,
    /// Its id at WeCom, once that has told it.
    pub wecom_id: Option<String>,
    /// What WeCom calls it, or was asked to.
    pub wecom_name: Option<String>,
    /// What is wrong with it.
    pub trouble: Option<String>,
    /// When WeCom told its id.
    pub since: Option<UnixMs>,
    /// WeCom says that it changed, and has not said how.
    pub doubted: bool,
    /// It was deleted at WeCom.
    pub deleted: bool,
}

impl Tag {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("tag")?,
            name: row.get("name")?,
            wecom_id: row.get("wecom_id")?,
            wecom_name: row.get("wecom_name")?,
            trouble: row.get("trouble")?,
            since: row.optional_instant("since")?,
            doubted: row.get("doubted")?,
            deleted: row.get("deleted")?,
        })
    }
}

/// Groups after a mark, by id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn groups(tx: &Tx<'_>, after: Option<&str>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select * from wecom_tag_group where tag_group > ?1 order by tag_group limit ?2",
        &params![after.unwrap_or_default(), most],
    )
}

/// All groups.
///
/// # Errors
/// [`DbError`] of the query.
pub fn all(tx: &Tx<'_>) -> Result<Vec<Group>, DbError> {
    groups(tx, None, u32::MAX)?.iter().map(Group::read).collect()
}

/// Whether any group is kept at WeCom.
///
/// # Errors
/// [`DbError`] of the query.
pub fn any(tx: &Tx<'_>) -> Result<bool, DbError> {
    Ok(tx.query_one("select 1 as found from wecom_tag_group limit 1", &[])?.is_some())
}

/// One group.
///
/// # Errors
/// [`DbError`] of the query.
pub fn group(tx: &Tx<'_>, id: TagGroupId) -> Result<Option<Group>, DbError> {
    let row = tx.query_one("select * from wecom_tag_group where tag_group = ?1", &params![id.to_string()])?;
    row.as_ref().map(Group::read).transpose()
}

/// The tags of a group, oldest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn tags(tx: &Tx<'_>, group: TagGroupId) -> Result<Vec<Tag>, DbError> {
    let rows = tx.query("select * from wecom_tag where tag_group = ?1 order by tag", &params![group.to_string()])?;
    rows.iter().map(Tag::read).collect()
}

/// A tag, if its group is kept at WeCom.
///
/// # Errors
/// [`DbError`] of the query.
pub fn tag(tx: &Tx<'_>, id: TagId) -> Result<Option<Tag>, DbError> {
    let row = tx.query_one("select * from wecom_tag where tag = ?1", &params![id.to_string()])?;
    row.as_ref().map(Tag::read).transpose()
}

/// The tags of these ids of WeCom's.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_wecom_ids(tx: &Tx<'_>, ids: &[String]) -> Result<BTreeMap<String, Tag>, DbError> {
    let rows = tx.query(
        "select * from wecom_tag where wecom_id in (select value from json_each(?1))",
        &params![super::json(&ids)?],
    )?;
    rows.iter().map(|row| Ok((row.get("wecom_id")?, Tag::read(row)?))).collect()
}

/// WeCom's ids of these tags; those that it does not know are left out.
///
/// # Errors
/// [`DbError`] of the query.
pub fn wecom_ids(tx: &Tx<'_>, tags: &[TagId]) -> Result<BTreeMap<TagId, String>, DbError> {
    let rows = tx.query(
        "select tag, wecom_id from wecom_tag
          where wecom_id is not null and tag in (select value from json_each(?1))",
        &params![super::json(&tags)?],
    )?;
    rows.iter().map(|row| Ok((row.parse("tag")?, row.get("wecom_id")?))).collect()
}

/// How many tags the groups but this one have at WeCom, as far as is known.
///
/// # Errors
/// [`DbError`] of the query.
pub fn count_besides(tx: &Tx<'_>, group: TagGroupId) -> Result<i64, DbError> {
    let counted = tx.scalar(
        "select (select count(*) from wecom_tag where tag_group <> ?1 and deleted = 0)
              + (select coalesce(sum(json_array_length(others)), 0) from wecom_tag_group)",
        &params![group.to_string()],
    )?;
    Ok(counted.unwrap_or(0))
}

/// A group is kept at WeCom from now on, or is looked at again: what was wrong with it is forgotten.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn begin(tx: &Tx<'_>, id: TagGroupId, name: &str) -> Result<(), DbError> {
    tx.run(
        "insert into wecom_tag_group (tag_group, name, created_at) values (?1, ?2, ?3)
         on conflict (tag_group) do update set name = excluded.name, trouble = null",
        &params![id.to_string(), name, tx.cx().now.millis()],
    )?;
    tx.run(
        // What was asked for and is not answered stays asked for.
        "update wecom_tag set deleted = 0, trouble = null,
                wecom_name = case when wecom_id is null and trouble is not null then null else wecom_name end
          where tag_group = ?1",
        &params![id.to_string()],
    )
}

/// A tag of a group that is kept at WeCom, and what it is called.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn define(tx: &Tx<'_>, group: TagGroupId, id: TagId, name: &str) -> Result<(), DbError> {
    tx.run(
        "insert into wecom_tag (tag, tag_group, name) values (?1, ?2, ?3)
         on conflict (tag) do update set name = excluded.name",
        &params![id.to_string(), group.to_string(), name],
    )
}

/// A tag is kept at WeCom no longer, nor are its marks.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget(tx: &Tx<'_>, id: TagId) -> Result<(), DbError> {
    tx.run("delete from wecom_tag where tag = ?1", &params![id.to_string()])
}

/// What a group is called here.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn rename_group(tx: &Tx<'_>, id: TagGroupId, name: &str) -> Result<(), DbError> {
    tx.run("update wecom_tag_group set name = ?2 where tag_group = ?1", &params![id.to_string(), name])
}

/// A group is kept at WeCom no longer. Tells whether it was.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn end(tx: &Tx<'_>, id: TagGroupId) -> Result<bool, DbError> {
    Ok(tx.execute("delete from wecom_tag_group where tag_group = ?1", &params![id.to_string()])? > 0)
}

/// Keeps what WeCom has of a group, or was asked to have.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save_group(tx: &Tx<'_>, group: &Group) -> Result<(), DbError> {
    tx.run(
        "update wecom_tag_group set wecom_id = ?2, wecom_name = ?3, trouble = ?4, others = ?5, since = ?6
          where tag_group = ?1",
        &params![
            group.id.to_string(),
            group.wecom_id.as_deref(),
            group.wecom_name.as_deref(),
            group.trouble.as_deref(),
            super::json(&group.others)?,
            group.since.map(UnixMs::millis),
        ],
    )
}

/// Keeps what WeCom has of a tag, or was asked to have.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save(tx: &Tx<'_>, tag: &Tag) -> Result<(), DbError> {
    tx.run(
        "update wecom_tag
            set wecom_id = ?2, wecom_name = ?3, trouble = ?4, since = ?5, doubted = ?6, deleted = ?7
          where tag = ?1",
        &params![
            tag.id.to_string(),
            tag.wecom_id.as_deref(),
            tag.wecom_name.as_deref(),
            tag.trouble.as_deref(),
            tag.since.map(UnixMs::millis),
            tag.doubted,
            tag.deleted,
        ],
    )
}

/// Doubts a tag, or all tags of a group, by WeCom's id. Tells whether there is such a one.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn doubt(tx: &Tx<'_>, wecom_id: &str) -> Result<bool, DbError> {
    let doubted = tx.execute(
        "update wecom_tag set doubted = 1
          where wecom_id = ?1 or tag_group = (select tag_group from wecom_tag_group where wecom_id = ?1)",
        &params![wecom_id],
    )?;
    Ok(doubted > 0)
}

/// Doubts nothing any more.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn trust(tx: &Tx<'_>) -> Result<(), DbError> {
    tx.run("update wecom_tag set doubted = 0 where doubted = 1", &[])
}

/// Notes what is wrong with tags, by WeCom's ids, where nothing else is; `trouble` begins with `about`. Without trouble, takes back what began so.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn in_trouble(tx: &Tx<'_>, ids: &[String], about: &str, trouble: Option<&str>) -> Result<(), DbError> {
    tx.run(
        "update wecom_tag set trouble = ?2
          where wecom_id in (select value from json_each(?1))
            and (trouble is null or substr(trouble, 1, length(?3)) = ?3) and trouble is not ?2",
        &params![super::json(&ids)?, trouble.map(|text| format!("{about}{text}")), about],
    )
}
