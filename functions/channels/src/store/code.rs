//! Channel codes.

use super::json;
use crate::code::{CodeKind, Plan};
use domain::{ChannelCodeId, TagId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// A channel code as it is kept.
#[derive(Clone, Debug)]
pub struct Code {
    /// Its id.
    pub id: ChannelCodeId,
    /// The channel that it belongs to.
    pub channel: String,
    /// What it is.
    pub kind: CodeKind,
    /// Its name.
    pub name: String,
    /// What comes back with who came by it.
    pub state: String,
    /// The store that it hangs in.
    pub store: String,
    /// What people have written.
    pub plan: Plan,
    /// The code whose daily caps hold for this one too; its own where there is none.
    pub caps_of: Option<ChannelCodeId>,
    /// How often it was changed, from 1.
    pub version: i64,
    /// What the platform was asked to have last, JSON.
    pub asked: Option<String>,
    /// The platform's id of it.
    pub config_id: Option<String>,
    /// What its picture says: an address.
    pub url: Option<String>,
    /// Why the platform does not have it.
    pub trouble: Option<String>,
    /// Until when a temporary one works.
    pub expires_at: Option<UnixMs>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was changed last.
    pub changed_at: UnixMs,
    /// When it was retired.
    pub retired_at: Option<UnixMs>,
}

impl Code {
    /// The code whose daily caps hold.
    pub fn caps(&self) -> ChannelCodeId {
        self.caps_of.unwrap_or(self.id)
    }

    /// What customers are told that the store is called.
    pub fn store_name(&self) -> &str {
        let last = || self.store.rsplit('/').find(|part| !part.is_empty());
        self.plan.store_name.as_deref().or_else(last).unwrap_or(&self.store)
    }

    /// Whether it is a temporary one whose time is over.
    pub fn is_expired(&self, now: UnixMs) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            channel: row.get("channel")?,
            kind: row.parse("kind")?,
            name: row.get("name")?,
            state: row.get("state")?,
            store: row.get("store")?,
            plan: row.json("plan")?,
            caps_of: row.get::<Option<String>>("caps_of")?.map(|_| row.parse("caps_of")).transpose()?,
            version: row.get("version")?,
            asked: row.get("asked")?,
            config_id: row.get("config_id")?,
            url: row.get("url")?,
            trouble: row.get("trouble")?,
            expires_at: row.optional_instant("expires_at")?,
            created_at: row.instant("created_at")?,
            changed_at: row.instant("changed_at")?,
            retired_at: row.optional_instant("retired_at")?,
        })
    }
}

/// Writes a new code.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    tx.run(
        "insert into channel_code (id, channel, kind, name, state, store, plan, created_at, changed_at, caps_of)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)",
        &params![
            code.id.to_string(),
            code.channel.as_str(),
            code.kind.as_str(),
            code.name.as_str(),
            code.state.as_str(),
            code.store.as_str(),
            json(&code.plan)?,
            code.created_at.millis(),
            code.caps_of.map(|id| id.to_string()),
        ],
    )
}

/// Codes in use that take from another's places, by id, those after `after`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn sharing(tx: &Tx<'_>, caps_of: ChannelCodeId, after: &str, most: u32) -> Result<Vec<Code>, DbError> {
    let rows = tx.query(
        "select * from channel_code where caps_of = ?1 and id > ?2 and retired_at is null order by id limit ?3",
        &params![caps_of.to_string(), after, most],
    )?;
    rows.iter().map(Code::from_row).collect()
}

/// A code by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: ChannelCodeId) -> Result<Option<Code>, DbError> {
    let row = tx.query_one("select * from channel_code where id = ?1", &params![id.to_string()])?;
    row.as_ref().map(Code::from_row).transpose()
}

/// A code by what came back with who came by it: its own state, or that of the way of one of its receivers.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_state(tx: &Tx<'_>, state: &str) -> Result<Option<Code>, DbError> {
    let row = tx.query_one(
        "select * from channel_code
          where id = coalesce((select id from channel_code where state = ?1),
                              (select code from channel_code_way where state = ?1))",
        &params![state],
    )?;
    row.as_ref().map(Code::from_row).transpose()
}

/// A place in the list of codes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When the code was made.
    pub created_at: i64,
    /// Its id.
    pub id: ChannelCodeId,
}

/// Codes of a subtree of stores, newest first; of one channel where it is given.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(
    tx: &Tx<'_>,
    channel: Option<&str>,
    store: &str,
    after: Option<Mark>,
    most: u32,
) -> Result<Vec<Code>, DbError> {
    let (at, id) = after.map_or((i64::MAX, String::new()), |mark| (mark.created_at, mark.id.to_string()));
    let rows = tx.query(
        "select * from channel_code
          where (?1 is null or channel = ?1)
            and (?2 = '/' or store = ?2 or substr(store, 1, length(?2) + 1) = ?2 || '/')
            and (created_at, id) < (?3, ?4)
          order by created_at desc, id desc
          limit ?5",
        &params![channel, store, at, id, most],
    )?;
    rows.iter().map(Code::from_row).collect()
}

/// Codes whose plans give a tag.
///
/// # Errors
/// [`DbError`] of the query.
pub fn giving(tx: &Tx<'_>, tag: TagId) -> Result<Vec<Code>, DbError> {
    let sql = "select * from channel_code
                where exists (select 1 from json_each(plan, '$.tags') as own where own.value = ?1)";
    tx.query(sql, &params![tag.to_string()])?.iter().map(Code::from_row).collect()
}

/// Changes what people have written.
///
/// # Errors
/// [`DbError`] of the update.
pub fn change(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    tx.run(
        "update channel_code
            set channel = ?2, name = ?3, store = ?4, plan = ?5, version = version + 1, changed_at = ?6
          where id = ?1",
        &params![
            code.id.to_string(),
            code.channel.as_str(),
            code.name.as_str(),
            code.store.as_str(),
            json(&code.plan)?,
            tx.cx().now.millis(),
        ],
    )
}

/// Notes what the platform is asked to have now.
///
/// # Errors
/// [`DbError`] of the update.
pub fn ask(tx: &Tx<'_>, id: ChannelCodeId, wanted: &str) -> Result<(), DbError> {
    tx.run("update channel_code set asked = ?2, trouble = null where id = ?1", &params![id.to_string(), wanted])
}

/// Keeps what the platform has made of a code.
///
/// # Errors
/// [`DbError`] of the update.
pub fn made(
    tx: &Tx<'_>,
    id: ChannelCodeId,
    config_id: Option<&str>,
    url: &str,
    expires_at: Option<UnixMs>,
) -> Result<(), DbError> {
    tx.run(
        "update channel_code set config_id = ?2, url = ?3, expires_at = ?4, trouble = null where id = ?1",
        &params![id.to_string(), config_id, url, expires_at.map(UnixMs::millis)],
    )
}

/// Notes why the platform does not have a code as it is wanted. What is wanted next is asked for again, even if it is the same.
///
/// # Errors
/// [`DbError`] of the update.
pub fn in_trouble(tx: &Tx<'_>, id: ChannelCodeId, why: &str) -> Result<(), DbError> {
    tx.run("update channel_code set asked = null, trouble = ?2 where id = ?1", &params![id.to_string(), why])
}

/// Retires a code. Tells whether it was in use.
///
/// # Errors
/// [`DbError`] of the update.
pub fn retire(tx: &Tx<'_>, id: ChannelCodeId) -> Result<bool, DbError> {
    let sql = "update channel_code set retired_at = ?2 where id = ?1 and retired_at is null";
    Ok(tx.execute(sql, &params![id.to_string(), tx.cx().now.millis()])? > 0)
}

/// Counts one who opened the code's address.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn count_scan(tx: &Tx<'_>, id: ChannelCodeId, day: i32) -> Result<(), DbError> {
    tx.run(
        "insert into code_scan (code, day, scans) values (?1, ?2, 1)
         on conflict (code, day) do update set scans = scans + 1",
        &params![id.to_string(), day],
    )?;
    // For the report, with the channel and the store that the code has now.
    tx.run(
        "insert into channel_scan (day, channel, code, store, scans)
         select ?2, channel, id, store, 1 from channel_code where id = ?1
         on conflict (day, channel, code, store) do update set scans = scans + 1",
        &params![id.to_string(), day],
    )
}

/// Codes whose groups a chat is one of.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_group(tx: &Tx<'_>, group: &str) -> Result<Vec<Code>, DbError> {
    let rows = tx.query(
        "select * from channel_code
          where kind = 'group_way' and retired_at is null
            and exists (select 1 from json_each(plan, '$.groups') chained where chained.value = ?1)
          order by id",
        &params![group],
    )?;
    rows.iter().map(Code::from_row).collect()
}
