//! Versions of rules. Each remembers where the log stood when it was written, so that the consumer goes by the rules that held then,
//! however late it reads an event.

use domain::UnixMs;
use kit::{DbError, Tx, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Which rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// How points are earned.
    Points,
    /// The levels of membership.
    Levels,
}

impl Rules {
    const fn table(self) -> &'static str {
        match self {
            Self::Points => "point_rules",
            Self::Levels => "member_levels",
        }
    }
}

/// A version of rules.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// Its number, from 1.
    pub version: i64,
    /// The rules.
    pub rules: T,
    /// Who wrote it.
    pub by: String,
    /// When, UTC.
    pub created_at: UnixMs,
}

/// Which version.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// The newest.
    Newest,
    /// The one that holds for the event at this place of the log.
    At(i64),
    /// By its number.
    Number(i64),
}

/// A version of rules, if there is such a one.
///
/// # Errors
/// [`DbError`] of the query.
pub fn rules<T: DeserializeOwned>(tx: &Tx<'_>, which: Rules, version: Which) -> Result<Option<Versioned<T>>, DbError> {
    let (condition, value) = match version {
        Which::Newest => ("after_seq <= ?1", i64::MAX),
        Which::At(seq) => ("after_seq < ?1", seq),
        Which::Number(number) => ("version = ?1", number),
    };
    let table = which.table();
    let row = tx.query_one(
        &format!("select version, body, by, created_at from {table} where {condition} order by version desc limit 1"),
        &params![value],
    )?;
    row.map(|row| {
        Ok(Versioned {
            version: row.get("version")?,
            rules: row.json("body")?,
            by: row.get("by")?,
            created_at: row.instant("created_at")?,
        })
    })
    .transpose()
}

/// Adds a version and tells its number.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add_rules(tx: &Tx<'_>, which: Rules, rules: &impl Serialize, by: &str) -> Result<i64, DbError> {
    let body = serde_json::to_string(rules).map_err(|error| DbError::Shape(error.to_string()))?;
    let table = which.table();
    let version = tx.scalar(
        &format!(
            "insert into {table} (version, after_seq, body, by, created_at)
             select coalesce((select max(version) from {table}), 0) + 1, coalesce((select max(seq) from event), 0), ?1, ?2, ?3
             returning version"
        ),
        &params![body, by, tx.cx().now.millis()],
    )?;
    version.ok_or_else(|| DbError::Shape("an insert returned no row".to_owned()))
}
