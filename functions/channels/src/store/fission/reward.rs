//! What inviters are owed.

use domain::{ParticipantId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// A level that was reached.
#[derive(Clone, Debug)]
pub struct Reward {
    /// The level, from 1.
    pub level: u32,
    /// Whether the reward is owed; else the inviter has fallen below the level again.
    pub owed: bool,
    /// Since when.
    pub at: UnixMs,
}

impl Reward {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            level: u32::try_from(row.get::<i64>("level")?).unwrap_or(u32::MAX),
            owed: row.get::<String>("state")? == "owed",
            at: row.instant("at")?,
        })
    }
}

/// A level is reached, or no longer. Tells whether that changes anything.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn set(tx: &Tx<'_>, participant: ParticipantId, level: u32, owed: bool, at: UnixMs) -> Result<bool, DbError> {
    let changed = tx.execute(
        "insert into fission_reward (participant, level, state, at) values (?1, ?2, ?3, ?4)
         on conflict (participant, level) do update set state = excluded.state, at = excluded.at
           where state <> excluded.state",
        &params![participant.to_string(), level, if owed { "owed" } else { "voided" }, at.millis()],
    )?;
    Ok(changed > 0)
}

/// The levels that an inviter has reached, the least first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of(tx: &Tx<'_>, participant: ParticipantId) -> Result<Vec<Reward>, DbError> {
    let sql = "select level, state, at from fission_reward where participant = ?1 order by level";
    tx.query(sql, &params![participant.to_string()])?.iter().map(Reward::from_row).collect()
}
