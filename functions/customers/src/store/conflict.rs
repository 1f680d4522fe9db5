//! The queue of conflicts.

use domain::{ConflictId, CustomerId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Where a conflict stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A person is to settle it.
    Open,
    /// A person has said that the two are one.
    Merged,
    /// A person has said that they are two.
    Apart,
    /// What became known later has settled it.
    Gone,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Apart => "apart",
            Self::Gone => "gone",
        }
    }
}

/// A conflict.
#[derive(Clone, Debug)]
pub struct ConflictRow {
    /// Its id.
    pub id: ConflictId,
    /// The two, as they are named now.
    pub customers: [CustomerId; 2],
    /// Where it stands.
    pub state: State,
    /// When it became known.
    pub opened_at: UnixMs,
    /// When it was settled.
    pub settled_at: Option<UnixMs>,
    /// Who settled it.
    pub by: Option<String>,
}

const SELECT: &str =
    "select conflict.id, one.survivor as one, other.survivor as other, state, opened_at, settled_at, by
   from customer_conflict conflict
   join customer one on one.home = left_home
   join customer other on other.home = right_home";

fn row(row: &Row) -> Result<ConflictRow, DbError> {
    let state: String = row.get("state")?;
    let state = [State::Open, State::Merged, State::Apart, State::Gone].into_iter().find(|one| one.as_str() == state);
    Ok(ConflictRow {
        id: row.parse("id")?,
        customers: [row.parse("one")?, row.parse("other")?],
        state: state.ok_or_else(|| DbError::Shape("no state of a conflict".to_owned()))?,
        opened_at: row.instant("opened_at")?,
        settled_at: row.optional_instant("settled_at")?,
        by: row.get("by")?,
    })
}

/// A conflict by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: ConflictId) -> Result<Option<ConflictRow>, DbError> {
    let found = tx.query_one(&format!("{SELECT} where conflict.id = ?1"), &params![id.to_string()])?;
    found.as_ref().map(row).transpose()
}

/// Conflicts in a state, the oldest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, state: State, after: Option<ConflictId>, most: u32) -> Result<Vec<ConflictRow>, DbError> {
    let after = after.map_or_else(String::new, |id| id.to_string());
    tx.query(
        &format!("{SELECT} where state = ?1 and conflict.id > ?2 order by conflict.id limit ?3"),
        &params![state.as_str(), after, most],
    )?
    .iter()
    .map(row)
    .collect()
}

/// The open conflicts in which customers who began with one of these identities have a part, the oldest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn open_ones(tx: &Tx<'_>, homes: &[i64]) -> Result<Vec<ConflictRow>, DbError> {
    tx.query(
        &format!(
            "{SELECT} where state = 'open' and (left_home in (select value from json_each(?1))
                                            or right_home in (select value from json_each(?1)))
              order by conflict.id"
        ),
        &params![json!(homes).to_string()],
    )?
    .iter()
    .map(row)
    .collect()
}

/// Opens a conflict between two customers.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn open(tx: &Tx<'_>, id: ConflictId, one: CustomerId, other: CustomerId, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into customer_conflict (id, left_home, right_home, opened_at)
         select ?1, one.home, other.home, ?4 from customer one, customer other where one.id = ?2 and other.id = ?3",
        &params![id.to_string(), one.to_string(), other.to_string(), at.millis()],
    )
}

/// Settles an open conflict.
///
/// # Errors
/// [`DbError`] of the update.
pub fn settle(tx: &Tx<'_>, id: ConflictId, state: State, by: Option<&str>, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "update customer_conflict set state = ?2, settled_at = ?3, by = ?4 where id = ?1 and state = 'open'",
        &params![id.to_string(), state.as_str(), at.millis(), by],
    )
}
