//! Group chats of customers, and who is in them.

use domain::{LeaveReason, UnixMs};
use kit::{DbError, Tx, params};
use std::collections::BTreeMap;

/// How many members each of these chats has; those that are gone or not known are left out.
///
/// # Errors
/// [`DbError`] of the query.
pub fn sizes(tx: &Tx<'_>, groups: &[String]) -> Result<BTreeMap<String, i64>, DbError> {
    let rows = tx.query(
        "select id, members from group_chat where gone_at is null and id in (select value from json_each(?1))",
        &params![super::json(&groups)?],
    )?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("members")?))).collect()
}

/// Which of these chats are gone.
///
/// # Errors
/// [`DbError`] of the query.
pub fn gone(tx: &Tx<'_>, groups: &[String]) -> Result<Vec<String>, DbError> {
    let rows = tx.query(
        "select id from group_chat where gone_at is not null and id in (select value from json_each(?1)) order by id",
        &params![super::json(&groups)?],
    )?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// A chat as WeCom tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its owner.
    pub owner: &'a str,
    /// How many are in it, staff among them.
    pub members: i64,
    /// The version of its members.
    pub version: Option<&'a str>,
}

/// Keeps what WeCom tells of a chat.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn told(tx: &Tx<'_>, told: Told<'_>) -> Result<(), DbError> {
    tx.run(
        "insert into group_chat (id, name, owner, members, version) values (?1, ?2, ?3, ?4, ?5)
         on conflict (id) do update
             set name = excluded.name, owner = excluded.owner, members = excluded.members, version = excluded.version",
        &params![told.id, told.name, told.owner, told.members, told.version],
    )
}

/// A chat was dismissed.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn dismissed(tx: &Tx<'_>, id: &str, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into group_chat (id, gone_at) values (?1, ?2) on conflict (id) do update set gone_at = excluded.gone_at",
        &params![id, at.millis()],
    )
}

/// Who of the customers is in a chat.
///
/// # Errors
/// [`DbError`] of the query.
pub fn members(tx: &Tx<'_>, group: &str) -> Result<Vec<String>, DbError> {
    let rows =
        tx.query("select member from group_chat_member where group_chat = ?1 order by member", &params![group])?;
    rows.iter().map(|row| row.get("member")).collect()
}

/// Somebody is in a chat now.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn join(tx: &Tx<'_>, group: &str, member: &str, code: Option<String>, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into group_chat_member (group_chat, member, code, joined_at) values (?1, ?2, ?3, ?4)
         on conflict do nothing",
        &params![group, member, code, at.millis()],
    )
}

/// Notes why members are about to be found gone. Who is not known as a member is passed over.
///
/// # Errors
/// [`DbError`] of the update.
pub fn leaving(tx: &Tx<'_>, group: &str, members: &[String], reason: LeaveReason) -> Result<(), DbError> {
    tx.run(
        "update group_chat_member set leaving = ?3
          where group_chat = ?1 and member in (select value from json_each(?2))",
        &params![group, super::json(&members)?, reason.as_str()],
    )
}

/// Somebody is no longer in a chat. Tells why, where that was noted.
///
/// # Errors
/// [`DbError`] of the delete.
pub fn leave(tx: &Tx<'_>, group: &str, member: &str) -> Result<Option<LeaveReason>, DbError> {
    let row = tx.query_one(
        "delete from group_chat_member where group_chat = ?1 and member = ?2 returning leaving",
        &params![group, member],
    )?;
    let noted = row.filter(|row| row.get::<Option<String>>("leaving").is_ok_and(|noted| noted.is_some()));
    noted.map(|row| row.parse("leaving")).transpose()
}
