//! Each time that a link is opened.

use crate::radar::TELLING;
use crate::store::who;
use domain::{ContentId, CustomerId, Identity, UnixMs};
use kit::db::{Row, Value};
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// One time that a link was opened.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Its id, which only the page that was opened knows.
    pub id: String,
    /// The link's token.
    pub share: String,
    /// The browser: the hash of its cookie.
    pub visitor: String,
    /// Who, where it is known.
    pub who: Option<Identity>,
    /// When, UTC.
    pub opened_at: UnixMs,
    /// For how long, in milliseconds.
    pub dwell_ms: i64,
    /// How much was seen, in percent.
    pub depth_percent: Option<i64>,
    /// When it is told to the log what was read.
    pub tell_at: Option<UnixMs>,
}

impl Visit {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            share: row.get("share")?,
            visitor: row.get("visitor")?,
            who: who::some(row)?,
            opened_at: row.instant("opened_at")?,
            dwell_ms: row.get("dwell_ms")?,
            depth_percent: row.get("depth_percent")?,
            tell_at: row.optional_instant("tell_at")?,
        })
    }
}

/// Whose browser this is, where it was the first to open a link that was made for one customer.
///
/// # Errors
/// [`DbError`] of the query.
pub fn visitor(tx: &Tx<'_>, visitor: &str) -> Result<Option<Identity>, DbError> {
    let row = tx.query_one("select kind, scope, value from content_visitor where visitor = ?1", &params![visitor])?;
    row.as_ref().map(who::of).transpose()
}

/// A link that was made for one customer was opened: the first browser to do so is taken for that customer's.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn bind(tx: &Tx<'_>, visitor: &str, share: &str, who: &Identity) -> Result<(), DbError> {
    let [kind, scope, value] = who::columns(who);
    tx.run(
        "insert into content_visitor (visitor, share, kind, scope, value, since) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict do nothing",
        &params![visitor, share, kind, scope, value, tx.cx().now.millis()],
    )
}

/// Writes down that a link was opened.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add(tx: &Tx<'_>, content: ContentId, visit: &Visit) -> Result<(), DbError> {
    let [kind, scope, value] = visit.who.as_ref().map_or([Value::Null, Value::from(""), Value::Null], who::columns);
    tx.run(
        "insert into content_visit (id, content, share, visitor, kind, scope, value, opened_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &params![
            visit.id.as_str(),
            content.to_string(),
            visit.share.as_str(),
            visit.visitor.as_str(),
            kind,
            scope,
            value,
            visit.opened_at.millis(),
        ],
    )
}

/// A visit by a link.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of(tx: &Tx<'_>, share: &str, id: &str) -> Result<Option<Visit>, DbError> {
    let row = tx.query_one("select * from content_visit where id = ?1 and share = ?2", &params![id, share])?;
    row.as_ref().map(Visit::from_row).transpose()
}

/// What was read of a visit grows. Tells whether it did.
///
/// # Errors
/// [`DbError`] of the update.
pub fn grow(tx: &Tx<'_>, id: &str, dwell_ms: i64, depth_percent: Option<u8>) -> Result<bool, DbError> {
    let grown = tx.execute(
        "update content_visit
            set dwell_ms = max(dwell_ms, ?2),
                depth_percent = iif(?3 is null, depth_percent, max(coalesce(depth_percent, 0), ?3))
          where id = ?1 and (dwell_ms < ?2 or coalesce(depth_percent, -1) < coalesce(?3, -1))",
        &params![id, dwell_ms, depth_percent.map(i64::from)],
    )?;
    Ok(grown > 0)
}

/// Notes when it is told to the log what was read.
///
/// # Errors
/// [`DbError`] of the update.
pub fn tell_at(tx: &Tx<'_>, id: &str, at: UnixMs) -> Result<(), DbError> {
    tx.run("update content_visit set tell_at = ?2 where id = ?1", &params![id, at.millis()])
}

/// How often a person has opened a content by now, where that is often enough to be told and nobody has been told yet: then it counts as told.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn revisited(tx: &Tx<'_>, content: ContentId, person: &[Identity]) -> Result<Option<u32>, DbError> {
    let (content, keys) = (content.to_string(), who::keys(person));
    let found: Option<i64> = tx.scalar(
        "select count(*) from content_visit
          where content = ?1 and kind is not null
            and (kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?2))",
        &params![content.as_str(), keys.as_str()],
    )?;
    let times = u32::try_from(found.unwrap_or(0)).unwrap_or(u32::MAX);
    let Some(who) = person.first().filter(|_| times >= TELLING) else { return Ok(None) };
    let [kind, scope, value] = who::columns(who);
    let first = tx.execute(
        "insert into content_revisit (content, kind, scope, value, at)
         select ?1, ?3, ?4, ?5, ?6
          where not exists (select 1 from content_revisit
                             where content = ?1
                               and (kind, scope, value)
                                   in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?2)))",
        &params![content, keys, kind, scope, value, tx.cx().now.millis()],
    )?;
    Ok((first > 0).then_some(times))
}

/// A visit as it is listed.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The visit.
    pub visit: Visit,
    /// The member of staff who shared the link.
    pub staff: Option<String>,
    /// The customer, where it is known.
    pub customer: Option<CustomerId>,
}

/// A place in the list of visits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When the visit began.
    pub at: i64,
    /// Its id.
    pub id: String,
}

/// Visits to a content, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, content: ContentId, after: Option<&Mark>, most: u32) -> Result<Vec<Listed>, DbError> {
    let (at, id) = after.map_or((i64::MAX, ""), |mark| (mark.at, mark.id.as_str()));
    let rows = tx.query(
        "select visit.*, share.staff, person.customer from content_visit visit
           join content_share share on share.token = visit.share
           left join channel_person person
                  on (person.kind, person.scope, person.value) = (visit.kind, visit.scope, visit.value)
          where visit.content = ?1 and (visit.opened_at, visit.id) < (?2, ?3)
          order by visit.opened_at desc, visit.id desc
          limit ?4",
        &params![content.to_string(), at, id, most],
    )?;
    let listed = |row: &Row| {
        Ok(Listed { visit: Visit::from_row(row)?, staff: row.get("staff")?, customer: who::customer(row)? })
    };
    rows.iter().map(listed).collect()
}

/// Forgets that these identities were visitors, and which links were made for them; visits and links stay, as figures.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forget(tx: &Tx<'_>, person: &[Identity]) -> Result<(), DbError> {
    let keys = who::keys(person);
    for sql in [
        "delete from content_visitor
          where (kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?1))",
        "delete from content_revisit
          where (kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?1))",
        "update content_share set kind = null, scope = '', value = null
          where kind is not null
            and (kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?1))",
        "update content_visit set kind = null, scope = '', value = null
          where kind is not null
            and (kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?1))",
    ] {
        tx.run(sql, &params![keys.as_str()])?;
    }
    Ok(())
}
