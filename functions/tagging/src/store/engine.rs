//! The consumer's own day, the rules at work, and segments' members.

use super::rfm::{self, Gathering};
use crate::rule::{Kind, Rule, RuleSet};
use domain::day::Day;
use kit::db::Row;
use kit::{DbError, Tx, params};

/// How far the consumer's day has come, and a digest of the rules at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The day.
    pub day: Day,
    /// The digest.
    pub revision: String,
    /// The figures that are being gathered, if any are.
    pub gathering: Option<Gathering>,
}

/// Where the consumer stands. None before its first event.
///
/// # Errors
/// [`DbError`] of the query.
pub fn standing(tx: &Tx<'_>) -> Result<Option<Standing>, DbError> {
    let row = tx.query_one(
        "select day, revision,
                (select json_array(round, day, span, cursor) from tagging_rfm where phase = 'gather') as gathering
           from tagging_engine where id = 1",
        &[],
    )?;
    row.map(|row| {
        let day = Day::try_from(row.get::<i64>("day")?).map_err(|error| DbError::Shape(error.to_string()))?;
        Ok(Standing { day, revision: row.get("revision")?, gathering: Gathering::read(&row)? })
    })
    .transpose()
}

/// Keeps where the consumer stands.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn stand(tx: &Tx<'_>, day: Day, revision: &str) -> Result<(), DbError> {
    tx.run(
        "insert into tagging_engine (id, day, revision) values (1, ?1, ?2)
         on conflict (id) do update set day = excluded.day, revision = excluded.revision",
        &params![day, revision],
    )
}

/// The rules at work, and the limits between RFM scores.
///
/// # Errors
/// [`DbError`] of the query.
pub fn rules(tx: &Tx<'_>) -> Result<RuleSet, DbError> {
    let rows = tx.query(
        "select id, kind, version, definition from tagging_rule where definition is not null order by id",
        &[],
    )?;
    let rules = rows.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    Ok(RuleSet::new(rules).with_limits(rfm::in_force(tx)?.map(|own| own.limits)))
}

fn rule(row: &Row) -> Result<Rule, DbError> {
    Rule::new(row.get("id")?, kind(row)?, row.get("version")?, row.json("definition")?)
        .map_err(|error| DbError::Shape(error.to_string()))
}

fn kind(row: &Row) -> Result<Kind, DbError> {
    Ok(if row.get::<String>("kind")? == "rule" { Kind::Rule } else { Kind::Segment })
}

/// What people want at work under an id: version and definition. None when it was retired.
///
/// # Errors
/// [`DbError`] of the query.
pub fn wanted(tx: &Tx<'_>, kind: Kind, id: &str) -> Result<Option<(i64, String)>, DbError> {
    let row = match kind {
        Kind::Rule => tx.query_one(
            "select version, definition
               from tag_rule join tag_rule_version on rule = tag_rule.id and version = tag_rule.active
              where tag_rule.id = ?1",
            &params![id],
        )?,
        Kind::Segment => tx.query_one(
            "select revision as version, json_object('condition', json(condition)) as definition
               from segment where id = ?1 and retired_at is null",
            &params![id],
        )?,
    };
    row.map(|row| Ok((row.get("version")?, row.get("definition")?))).transpose()
}

/// What is at work under an id, and how far customers have been looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtWork {
    /// The version.
    pub version: i64,
    /// Whether it still is: none of it where it was retired.
    pub defined: bool,
    /// The last customer that was looked at.
    pub cursor: String,
    /// How many were.
    pub done: i64,
    /// How many there were when it began.
    pub total: i64,
    /// When it was finished, Unix ms.
    pub finished_at: Option<i64>,
    /// How many members a segment has.
    pub members: i64,
}

/// What is at work under an id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn at_work(tx: &Tx<'_>, id: &str) -> Result<Option<AtWork>, DbError> {
    let row = tx.query_one(
        "select version, definition is not null as defined, cursor, done, total, finished_at, members
           from tagging_rule where id = ?1",
        &params![id],
    )?;
    row.map(|row| {
        Ok(AtWork {
            version: row.get("version")?,
            defined: row.get("defined")?,
            cursor: row.get("cursor")?,
            done: row.get("done")?,
            total: row.get("total")?,
            finished_at: row.get("finished_at")?,
            members: row.get("members")?,
        })
    })
    .transpose()
}

/// The first of those for which customers are still being looked at.
///
/// # Errors
/// [`DbError`] of the query.
pub fn unfinished(tx: &Tx<'_>) -> Result<Option<(Kind, String)>, DbError> {
    let row = tx.query_one("select kind, id from tagging_rule where finished_at is null order by id limit 1", &[])?;
    row.map(|row| Ok((kind(&row)?, row.get("id")?))).transpose()
}

/// Puts a version to work (or, without a definition, none), and begins to look at all customers.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn put_to_work(
    tx: &Tx<'_>,
    kind: Kind,
    id: &str,
    version: i64,
    definition: Option<&str>,
    total: i64,
) -> Result<(), DbError> {
    let kind = if kind == Kind::Rule { "rule" } else { "segment" };
    tx.run(
        "insert into tagging_rule (id, kind, version, definition, total) values (?1, ?2, ?3, ?4, ?5)
         on conflict (id) do update
             set version = excluded.version, definition = excluded.definition, total = excluded.total,
                 cursor = '', done = 0, finished_at = null",
        &params![id, kind, version, definition, total],
    )
}

/// Notes how far customers have been looked at.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn progress(tx: &Tx<'_>, id: &str, cursor: &str, more: usize, finished_at: Option<i64>) -> Result<(), DbError> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    tx.run(
        "update tagging_rule set cursor = ?2, done = done + ?3, finished_at = ?4 where id = ?1",
        &params![id, cursor, more, finished_at],
    )
}

/// A customer is in a segment from now on.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn enter(tx: &Tx<'_>, segment: &str, customer: &str, since: i64) -> Result<(), DbError> {
    let entered = tx.execute(
        "insert into segment_member (segment, customer, since) values (?1, ?2, ?3) on conflict do nothing",
        &params![segment, customer, since],
    )?;
    count(tx, segment, i64::from(entered > 0))
}

/// A customer is in a segment no longer.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn leave(tx: &Tx<'_>, segment: &str, customer: &str) -> Result<(), DbError> {
    let left =
        tx.execute("delete from segment_member where segment = ?1 and customer = ?2", &params![segment, customer])?;
    count(tx, segment, -i64::from(left > 0))
}

fn count(tx: &Tx<'_>, segment: &str, by: i64) -> Result<(), DbError> {
    if by == 0 {
        return Ok(());
    }
    tx.run("update tagging_rule set members = members + ?2 where id = ?1", &params![segment, by])
}

/// The segments that a customer is in.
///
/// # Errors
/// [`DbError`] of the query.
pub fn segments_of(tx: &Tx<'_>, customer: &str) -> Result<Vec<String>, DbError> {
    tx.query("select segment as v from segment_member where customer = ?1", &params![customer])?
        .iter()
        .map(|row| row.get("v"))
        .collect()
}
