//! What pairs of staff and contact are marked with at WeCom.

use crate::tags::State;
use domain::{TagId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use std::collections::BTreeMap;

/// A mark, or what became of it.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// How far it is.
    pub state: State,
    /// When WeCom answered or told last.
    pub changed_at: UnixMs,
}

fn read(row: &Row) -> Result<(TagId, Mark), DbError> {
    Ok((row.parse("tag")?, Mark { state: row.parse("state")?, changed_at: row.instant("changed_at")? }))
}

/// The marks of a pair.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_pair(tx: &Tx<'_>, staff: &str, contact: &str) -> Result<BTreeMap<TagId, Mark>, DbError> {
    let rows = tx.query(
        "select tag, state, changed_at from wecom_mark where contact = ?2 and staff = ?1",
        &params![staff, contact],
    )?;
    rows.iter().map(read).collect()
}

/// Marks that were seen on a contact before anybody knew whose customer it is: who marked it, and the tag.
///
/// # Errors
/// [`DbError`] of the query.
pub fn untold(tx: &Tx<'_>, contact: &str) -> Result<Vec<(String, TagId)>, DbError> {
    let rows = tx.query(
        "select staff, tag from wecom_mark where contact = ?1 and state = 'untold' order by staff, tag",
        &params![contact],
    )?;
    rows.iter().map(|row| Ok((row.get("staff")?, row.parse("tag")?))).collect()
}

/// Whether any of these contacts has a tag at WeCom, or was asked to be given it.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_on_any(tx: &Tx<'_>, contacts: &[String], tag: TagId) -> Result<bool, DbError> {
    let found = tx.query_one(
        "select 1 as found from wecom_mark
          where contact in (select value from json_each(?1)) and tag = ?2 and state in ('asked', 'marked', 'untold')
          limit 1",
        &params![super::json(&contacts)?, tag.to_string()],
    )?;
    Ok(found.is_some())
}

/// Notes how far a mark is.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn set(tx: &Tx<'_>, (staff, contact): (&str, &str), tag: TagId, state: State, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into wecom_mark (staff, contact, tag, state, changed_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (contact, staff, tag) do update set state = excluded.state, changed_at = excluded.changed_at",
        &params![staff, contact, tag.to_string(), state.as_str(), at.millis()],
    )
}

/// A mark moves from one state to another, where it is in that. `ids` are WeCom's.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn moved(
    tx: &Tx<'_>,
    (staff, contact): (&str, &str),
    ids: &[String],
    (from, to): (State, State),
    at: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "update wecom_mark set state = ?5, changed_at = ?6
          where contact = ?2 and staff = ?1 and state = ?4
            and tag in (select tag from wecom_tag where wecom_id in (select value from json_each(?3)))",
        &params![staff, contact, super::json(&ids)?, from.as_str(), to.as_str(), at.millis()],
    )
}

/// Forgets a mark.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget(tx: &Tx<'_>, (staff, contact): (&str, &str), tag: TagId) -> Result<(), DbError> {
    tx.run(
        "delete from wecom_mark where contact = ?2 and staff = ?1 and tag = ?3",
        &params![staff, contact, tag.to_string()],
    )
}

/// Forgets the marks of a pair: the relation ended, and its marks with it.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget_pair(tx: &Tx<'_>, staff: &str, contact: &str) -> Result<(), DbError> {
    tx.run("delete from wecom_mark where contact = ?2 and staff = ?1", &params![staff, contact])
}

/// Forgets the marks of a contact.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget_contact(tx: &Tx<'_>, contact: &str) -> Result<(), DbError> {
    tx.run("delete from wecom_mark where contact = ?1", &params![contact])
}

/// Forgets all marks of a tag.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget_tag(tx: &Tx<'_>, tag: TagId) -> Result<(), DbError> {
    tx.run("delete from wecom_mark where tag = ?1", &params![tag.to_string()])
}
