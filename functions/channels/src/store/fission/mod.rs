//! Fission campaigns, who takes part, who helped.

pub mod device;
pub mod help;
pub mod known;
pub mod participant;
pub mod reward;
pub mod tree;

use super::json;
use crate::fission::FissionRules;
use domain::{ChannelCodeId, FissionId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// A campaign as it is kept.
#[derive(Clone, Debug)]
pub struct Fission {
    /// Its id.
    pub id: FissionId,
    /// Its name.
    pub name: String,
    /// The code whose plan the inviters' own codes copy.
    pub code: ChannelCodeId,
    /// The store of that code: who sees the campaign.
    pub store: String,
    /// Its rules.
    pub rules: FissionRules,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was ended before its time.
    pub ended_at: Option<UnixMs>,
}

impl Fission {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            name: row.get("name")?,
            code: row.parse("code")?,
            store: row.get("store")?,
            rules: row.json("rules")?,
            created_at: row.instant("created_at")?,
            ended_at: row.optional_instant("ended_at")?,
        })
    }

    /// The rules as they hold: a campaign that was ended is over from that instant on.
    pub fn rules(&self) -> FissionRules {
        let ends = self.ended_at.map_or(self.rules.ends, |ended| ended.min(self.rules.ends));
        FissionRules { ends, ..self.rules.clone() }
    }
}

/// Writes a new campaign.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add(tx: &Tx<'_>, fission: &Fission) -> Result<(), DbError> {
    tx.run(
        "insert into fission (id, name, code, rules, created_at) values (?1, ?2, ?3, ?4, ?5)",
        &params![
            fission.id.to_string(),
            fission.name.as_str(),
            fission.code.to_string(),
            json(&fission.rules)?,
            fission.created_at.millis(),
        ],
    )
}

/// Changes what people have written.
///
/// # Errors
/// [`DbError`] of the update.
pub fn change(tx: &Tx<'_>, fission: &Fission) -> Result<(), DbError> {
    tx.run(
        "update fission set name = ?2, code = ?3, rules = ?4 where id = ?1",
        &params![fission.id.to_string(), fission.name.as_str(), fission.code.to_string(), json(&fission.rules)?],
    )
}

/// Ends a campaign now. Tells whether it had not been ended before.
///
/// # Errors
/// [`DbError`] of the update.
pub fn end(tx: &Tx<'_>, id: FissionId) -> Result<bool, DbError> {
    let sql = "update fission set ended_at = ?2 where id = ?1 and ended_at is null";
    Ok(tx.execute(sql, &params![id.to_string(), tx.cx().now.millis()])? > 0)
}

/// A campaign by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: FissionId) -> Result<Option<Fission>, DbError> {
    let row = tx.query_one(
        "select fission.*, channel_code.store from fission
           join channel_code on channel_code.id = fission.code
          where fission.id = ?1",
        &params![id.to_string()],
    )?;
    row.as_ref().map(Fission::from_row).transpose()
}

/// A place in the list of campaigns.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When the campaign was made.
    pub created_at: i64,
    /// Its id.
    pub id: FissionId,
}

/// Campaigns of a subtree of stores, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, store: &str, after: Option<Mark>, most: u32) -> Result<Vec<Fission>, DbError> {
    let (at, id) = after.map_or((i64::MAX, String::new()), |mark| (mark.created_at, mark.id.to_string()));
    let rows = tx.query(
        "select fission.*, channel_code.store from fission
           join channel_code on channel_code.id = fission.code
          where (?1 = '/' or store = ?1 or substr(store, 1, length(?1) + 1) = ?1 || '/')
            and (fission.created_at, fission.id) < (?2, ?3)
          order by fission.created_at desc, fission.id desc
          limit ?4",
        &params![store, at, id, most],
    )?;
    rows.iter().map(Fission::from_row).collect()
}
