//! Friends who came by inviters' codes.

use crate::store::who;
use domain::{CustomerId, FissionHelpState, FissionId, Identity, ParticipantId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// The reason of a help that no longer counts because the friend has left.
pub const LEFT: &str = "left";

/// A help as it is kept.
#[derive(Clone, Debug)]
pub struct Help {
    /// Its number, in the order in which the log told.
    pub id: i64,
    /// The campaign.
    pub fission: FissionId,
    /// The inviter's participation.
    pub participant: ParticipantId,
    /// The friend.
    pub friend: Identity,
    /// The friend as a customer, where it is known.
    pub customer: Option<CustomerId>,
    /// When the friend came.
    pub at: UnixMs,
    /// What became of it.
    pub state: FissionHelpState,
    /// Why it does not count.
    pub reason: Option<String>,
    /// The friend's own participation.
    pub became: Option<ParticipantId>,
}

const SELECT: &str = "select help.*, person.customer from fission_help help
    left join channel_person person on (person.kind, person.scope, person.value) = (help.kind, help.scope, help.value)";

impl Help {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let became: Option<String> = row.get("became")?;
        let state: String = row.get("state")?;
        Ok(Self {
            id: row.get("id")?,
            fission: row.parse("fission")?,
            participant: row.parse("participant")?,
            friend: who::of(row)?,
            customer: who::customer(row)?,
            at: row.instant("at")?,
            state: match state.as_str() {
                "counted" => FissionHelpState::Counted,
                "refused" => FissionHelpState::Refused,
                _ => FissionHelpState::Voided,
            },
            reason: row.get("reason")?,
            became: became.map(|_| row.parse("became")).transpose()?,
        })
    }

    /// Whether it counts.
    pub fn counts(&self) -> bool {
        self.state == FissionHelpState::Counted
    }

    /// Whether it counts, or would if the friend had not left: the inviter has brought the friend.
    pub fn brought(&self) -> bool {
        self.counts() || self.reason.as_deref() == Some(LEFT)
    }
}

/// The name of a state in SQL.
const fn name(state: FissionHelpState) -> &'static str {
    match state {
        FissionHelpState::Counted => "counted",
        FissionHelpState::Refused => "refused",
        FissionHelpState::Voided => "voided",
    }
}

/// A help to write.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// The campaign.
    pub fission: FissionId,
    /// The inviter's participation.
    pub participant: ParticipantId,
    /// The friend.
    pub friend: &'a Identity,
    /// Whom the friend added; empty where the friend follows an account.
    pub staff: &'a str,
    /// When the friend came.
    pub at: UnixMs,
    /// What became of it.
    pub state: FissionHelpState,
    /// Why it does not count.
    pub reason: Option<&'a str>,
}

/// Writes what became of a friend's help for an inviter: the first time, or anew. The inviter's count moves with it.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn put(tx: &Tx<'_>, new: New<'_>) -> Result<(), DbError> {
    let [kind, scope, value] = who::columns(new.friend);
    tx.run(
        "insert into fission_help (fission, participant, kind, scope, value, staff, at, state, reason)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (participant, kind, scope, value) do update
             set staff = excluded.staff, at = excluded.at, state = excluded.state, reason = excluded.reason",
        &params![
            new.fission.to_string(),
            new.participant.to_string(),
            kind,
            scope,
            value,
            new.staff,
            new.at.millis(),
            name(new.state),
            new.reason,
        ],
    )
}

/// A help that counted no longer does. The inviter's count moves with it. Tells whether it counted until now.
///
/// # Errors
/// [`DbError`] of the update.
pub fn void(tx: &Tx<'_>, id: i64, reason: &str) -> Result<bool, DbError> {
    let sql = "update fission_help set state = 'voided', reason = ?2 where id = ?1 and state = 'counted'";
    Ok(tx.execute(sql, &params![id, reason])? > 0)
}

/// Notes which participation a friend has, or that it is no longer this help that led to it.
///
/// # Errors
/// [`DbError`] of the update.
pub fn became(tx: &Tx<'_>, id: i64, participant: Option<ParticipantId>) -> Result<(), DbError> {
    let participant = participant.map(|id| id.to_string());
    tx.run("update fission_help set became = ?2 where id = ?1", &params![id, participant])
}

/// A friend's help for an inviter.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of(tx: &Tx<'_>, participant: ParticipantId, friend: &Identity) -> Result<Option<Help>, DbError> {
    let [kind, scope, value] = who::columns(friend);
    let row = tx.query_one(
        &format!("{SELECT} where help.participant = ?1 and (help.kind, help.scope, help.value) = (?2, ?3, ?4)"),
        &params![participant.to_string(), kind, scope, value],
    )?;
    row.as_ref().map(Help::from_row).transpose()
}

/// A person's helps, by all its identities; of one campaign where it is given. By campaign, then in time order.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_person(tx: &Tx<'_>, fission: Option<FissionId>, person: &[Identity]) -> Result<Vec<Help>, DbError> {
    let rows = tx.query(
        &format!(
            "{SELECT}
              where (help.kind, help.scope, help.value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?2))
                and (?1 is null or help.fission = ?1)
              order by help.fission, help.at, help.id"
        ),
        &params![fission.map(|id| id.to_string()), who::keys(person)],
    )?;
    rows.iter().map(Help::from_row).collect()
}

/// The helps of a friend that count although the friend has left the member of staff, or the account, since.
///
/// # Errors
/// [`DbError`] of the query.
pub fn left_behind(tx: &Tx<'_>, friend: &Identity, staff: &str, left_at: UnixMs) -> Result<Vec<Help>, DbError> {
    let [kind, scope, value] = who::columns(friend);
    let rows = tx.query(
        &format!(
            "{SELECT}
              where (help.kind, help.scope, help.value) = (?1, ?2, ?3) and help.staff = ?4
                and help.state = 'counted' and help.at <= ?5
              order by help.id"
        ),
        &params![kind, scope, value, staff, left_at.millis()],
    )?;
    rows.iter().map(Help::from_row).collect()
}

/// How many helps of an inviter have counted (those that no longer do among them) after `since` and until `until`, `since` in Unix milliseconds.
///
/// # Errors
/// [`DbError`] of the query.
pub fn recent(tx: &Tx<'_>, participant: ParticipantId, since: i64, until: UnixMs) -> Result<u32, DbError> {
    let found: Option<i64> = tx.scalar(
        "select count(*) from fission_help
          where participant = ?1 and state in ('counted', 'voided') and at > ?2 and at <= ?3",
        &params![participant.to_string(), since, until.millis()],
    )?;
    Ok(u32::try_from(found.unwrap_or(0)).unwrap_or(u32::MAX))
}

/// A place in the list of an inviter's helps.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When the friend came.
    pub at: i64,
    /// The help's number.
    pub id: i64,
}

/// Helps of an inviter, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, participant: ParticipantId, after: Option<Mark>, most: u32) -> Result<Vec<Help>, DbError> {
    let (at, id) = after.map_or((i64::MAX, i64::MAX), |mark| (mark.at, mark.id));
    let rows = tx.query(
        &format!(
            "{SELECT} where help.participant = ?1 and (help.at, help.id) < (?2, ?3)
             order by help.at desc, help.id desc limit ?4"
        ),
        &params![participant.to_string(), at, id, most],
    )?;
    rows.iter().map(Help::from_row).collect()
}
