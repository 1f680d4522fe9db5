//! Rules and segments as people write them.

use domain::{RuleId, SegmentId};
use kit::db::Row;
use kit::{DbError, Tx, params};

const RULE: &str =
    "select tag_rule.id, name, draft, active, created_at, updated_at, retired_at, at_work.version as at_work,
        at_work.definition is not null as defined, at_work.done, at_work.total, at_work.finished_at,
        (select definition from tag_rule_version where rule = tag_rule.id and version = active) as active_definition,
        (select definition from tag_rule_version where rule = tag_rule.id and version = draft) as draft_definition
   from tag_rule left join tagging_rule as at_work on at_work.id = tag_rule.id";

/// Rules after a mark, by id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn rules(tx: &Tx<'_>, after: Option<&str>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        &format!("{RULE} where tag_rule.id > ?1 order by tag_rule.id limit ?2"),
        &params![after.unwrap_or_default(), most],
    )
}

/// One rule.
///
/// # Errors
/// [`DbError`] of the query.
pub fn rule(tx: &Tx<'_>, id: RuleId) -> Result<Option<Row>, DbError> {
    tx.query_one(&format!("{RULE} where tag_rule.id = ?1"), &params![id.to_string()])
}

/// Adds a rule without a version. False when the name is taken.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn add_rule(tx: &Tx<'_>, id: RuleId, name: &str) -> Result<bool, DbError> {
    let now = tx.cx().now.millis();
    let added = tx.execute(
        "insert into tag_rule (id, name, created_at, updated_at) values (?1, ?2, ?3, ?3) on conflict (name) do nothing",
        &params![id.to_string(), name, now],
    )?;
    Ok(added > 0)
}

/// Writes the draft of a rule: the version that is drafted, or a new one.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn draft(tx: &Tx<'_>, id: RuleId, definition: &str, by: &str) -> Result<(), DbError> {
    let now = tx.cx().now.millis();
    tx.run(
        "insert into tag_rule_version (rule, version, definition, by, created_at)
         select id, coalesce(draft, 1 + coalesce((select max(version) from tag_rule_version where rule = id), 0)), ?2, ?3, ?4
           from tag_rule where id = ?1
         on conflict (rule, version) do update
             set definition = excluded.definition, by = excluded.by, created_at = excluded.created_at",
        &params![id.to_string(), definition, by, now],
    )?;
    tx.run(
        "update tag_rule set draft = (select max(version) from tag_rule_version where rule = id), updated_at = ?2 where id = ?1",
        &params![id.to_string(), now],
    )
}

/// Renames a rule. False when the name is another's.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn rename(tx: &Tx<'_>, id: RuleId, name: &str) -> Result<bool, DbError> {
    let changed = tx.execute(
        "update tag_rule set name = ?2 where id = ?1 and not exists (select 1 from tag_rule where name = ?2 and id <> ?1)",
        &params![id.to_string(), name],
    )?;
    Ok(changed > 0)
}

/// Makes the draft active. False when there is none.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn activate(tx: &Tx<'_>, id: RuleId) -> Result<bool, DbError> {
    let activated = tx.execute(
        "update tag_rule set active = draft, draft = null, retired_at = null, updated_at = ?2
          where id = ?1 and draft is not null",
        &params![id.to_string(), tx.cx().now.millis()],
    )?;
    Ok(activated > 0)
}

/// Retires a rule. False when it is not active.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn retire(tx: &Tx<'_>, id: RuleId) -> Result<bool, DbError> {
    let retired = tx.execute(
        "update tag_rule set active = null, retired_at = ?2, updated_at = ?2 where id = ?1 and active is not null",
        &params![id.to_string(), tx.cx().now.millis()],
    )?;
    Ok(retired > 0)
}

/// The definitions of all active rules but one: id, name and definition.
///
/// # Errors
/// [`DbError`] of the query.
pub fn active_but(tx: &Tx<'_>, id: RuleId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select tag_rule.name, definition
           from tag_rule join tag_rule_version on rule = tag_rule.id and version = tag_rule.active
          where tag_rule.id <> ?1 order by tag_rule.id",
        &params![id.to_string()],
    )
}

const SEGMENT: &str = "select segment.id, name, condition, revision, created_at, updated_at, retired_at,
        at_work.version as at_work, coalesce(at_work.members, 0) as members, at_work.definition is not null as defined,
        at_work.done, at_work.total, at_work.finished_at
   from segment left join tagging_rule as at_work on at_work.id = segment.id";

/// Segments after a mark, by id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn segments(tx: &Tx<'_>, after: Option<&str>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        &format!("{SEGMENT} where segment.id > ?1 order by segment.id limit ?2"),
        &params![after.unwrap_or_default(), most],
    )
}

/// One segment.
///
/// # Errors
/// [`DbError`] of the query.
pub fn segment(tx: &Tx<'_>, id: SegmentId) -> Result<Option<Row>, DbError> {
    tx.query_one(&format!("{SEGMENT} where segment.id = ?1"), &params![id.to_string()])
}

/// Adds a segment. False when the name is taken.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn add_segment(tx: &Tx<'_>, id: SegmentId, name: &str, condition: &str) -> Result<bool, DbError> {
    let added = tx.execute(
        "insert into segment (id, name, condition, revision, created_at, updated_at) values (?1, ?2, ?3, 1, ?4, ?4)
         on conflict (name) do nothing",
        &params![id.to_string(), name, condition, tx.cx().now.millis()],
    )?;
    Ok(added > 0)
}

/// Changes a segment, which makes a new revision. False when the name is another's.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn change_segment(tx: &Tx<'_>, id: SegmentId, name: &str, condition: &str) -> Result<bool, DbError> {
    let changed = tx.execute(
        "update segment set name = ?2, condition = ?3, revision = revision + 1, updated_at = ?4, retired_at = null
          where id = ?1 and not exists (select 1 from segment where name = ?2 and id <> ?1)",
        &params![id.to_string(), name, condition, tx.cx().now.millis()],
    )?;
    Ok(changed > 0)
}

/// Retires a segment. False when it is retired already.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn retire_segment(tx: &Tx<'_>, id: SegmentId) -> Result<bool, DbError> {
    let retired = tx.execute(
        "update segment set retired_at = ?2, updated_at = ?2 where id = ?1 and retired_at is null",
        &params![id.to_string(), tx.cx().now.millis()],
    )?;
    Ok(retired > 0)
}
