//! Who brought whom in a campaign, and what it comes to.

use domain::FissionId;
use kit::{DbError, Tx, params};

/// Pairs of who brought whom, in the order in which the log told: participants by their ids, friends who do not take part by `kind:scope:value`. Friends who
/// have left since are among them. At most `most`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn pairs(tx: &Tx<'_>, fission: FissionId, most: u32) -> Result<Vec<(String, String)>, DbError> {
    let rows = tx.query(
        "select participant, coalesce(became, kind || ':' || scope || ':' || value) as friend from fission_help
          where fission = ?1 and (state = 'counted' or reason = 'left')
          order by id limit ?2",
        &params![fission.to_string(), most],
    )?;
    rows.iter().map(|row| Ok((row.get("participant")?, row.get("friend")?))).collect()
}

/// All who take part, by their ids. At most `most`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn participants(tx: &Tx<'_>, fission: FissionId, most: u32) -> Result<Vec<(String, i64)>, DbError> {
    let rows = tx.query(
        "select id, helps from fission_participant where fission = ?1 order by joined_at, id limit ?2",
        &params![fission.to_string(), most],
    )?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("helps")?))).collect()
}

/// How many helps there are of each state and reason.
///
/// # Errors
/// [`DbError`] of the query.
pub fn outcomes(tx: &Tx<'_>, fission: FissionId) -> Result<Vec<(String, Option<String>, i64)>, DbError> {
    let rows = tx.query(
        "select state, reason, count(*) as helps from fission_help where fission = ?1
          group by state, reason order by state, reason",
        &params![fission.to_string()],
    )?;
    rows.iter().map(|row| Ok((row.get("state")?, row.get("reason")?, row.get("helps")?))).collect()
}

/// How many rewards of each level are owed.
///
/// # Errors
/// [`DbError`] of the query.
pub fn rewards(tx: &Tx<'_>, fission: FissionId) -> Result<Vec<(i64, i64)>, DbError> {
    let rows = tx.query(
        "select reward.level, count(*) as owed from fission_participant one
           join fission_reward reward on reward.participant = one.id
          where one.fission = ?1 and reward.state = 'owed'
          group by reward.level order by reward.level",
        &params![fission.to_string()],
    )?;
    rows.iter().map(|row| Ok((row.get("level")?, row.get("owed")?))).collect()
}
