//! Who takes part in a fission, with a code of one's own.

use crate::store::who;
use domain::{ChannelCodeId, CustomerId, FissionId, Identity, ParticipantId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// Somebody's part in a campaign.
#[derive(Clone, Debug)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// The campaign.
    pub fission: FissionId,
    /// Who.
    pub who: Identity,
    /// The customer, where it is known.
    pub customer: Option<CustomerId>,
    /// The code of one's own.
    pub code: ChannelCodeId,
    /// Who brought this one.
    pub parent: Option<ParticipantId>,
    /// How far below the first inviter: 0 for that one.
    pub depth: u32,
    /// How many helps count now.
    pub helps: u32,
    /// When this one asked.
    pub joined_at: UnixMs,
}

/// What every query of participants reads.
const SELECT: &str = "select one.*, person.customer from fission_participant one
    left join channel_person person on (person.kind, person.scope, person.value) = (one.kind, one.scope, one.value)";

impl Participant {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let number = |column: &str| Ok::<_, DbError>(u32::try_from(row.get::<i64>(column)?).unwrap_or(u32::MAX));
        let parent: Option<String> = row.get("parent")?;
        Ok(Self {
            id: row.parse("id")?,
            fission: row.parse("fission")?,
            who: who::of(row)?,
            customer: who::customer(row)?,
            code: row.parse("code")?,
            parent: parent.map(|_| row.parse("parent")).transpose()?,
            depth: number("depth")?,
            helps: number("helps")?,
            joined_at: row.instant("joined_at")?,
        })
    }
}

/// Writes a new participant.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add(tx: &Tx<'_>, one: &Participant) -> Result<(), DbError> {
    let [kind, scope, value] = who::columns(&one.who);
    tx.run(
        "insert into fission_participant (id, fission, kind, scope, value, code, joined_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &params![
            one.id.to_string(),
            one.fission.to_string(),
            kind,
            scope,
            value,
            one.code.to_string(),
            one.joined_at.millis(),
        ],
    )
}

/// A participant by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: ParticipantId) -> Result<Option<Participant>, DbError> {
    let row = tx.query_one(&format!("{SELECT} where one.id = ?1"), &params![id.to_string()])?;
    row.as_ref().map(Participant::from_row).transpose()
}

/// The participant whose own code this is.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_code(tx: &Tx<'_>, code: &str) -> Result<Option<Participant>, DbError> {
    let row = tx.query_one(&format!("{SELECT} where one.code = ?1"), &params![code])?;
    row.as_ref().map(Participant::from_row).transpose()
}

/// How a person takes part, by all its identities; the earliest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_person(tx: &Tx<'_>, fission: FissionId, person: &[Identity]) -> Result<Vec<Participant>, DbError> {
    let rows = tx.query(
        &format!(
            "{SELECT}
              where one.fission = ?1
                and (one.kind, one.scope, one.value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?2))
              order by one.joined_at, one.id"
        ),
        &params![fission.to_string(), who::keys(person)],
    )?;
    rows.iter().map(Participant::from_row).collect()
}

/// A participant and those by whom it came, the nearest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn line(tx: &Tx<'_>, id: ParticipantId) -> Result<Vec<Participant>, DbError> {
    let rows = tx.query(
        &format!(
            "with recursive line (id, parent, up) as (
                 select id, parent, 0 from fission_participant where id = ?1
                 union
                 select above.id, above.parent, line.up + 1 from line
                   join fission_participant above on above.id = line.parent)
             {SELECT} join line on line.id = one.id order by line.up"
        ),
        &params![id.to_string()],
    )?;
    rows.iter().map(Participant::from_row).collect()
}

/// Puts a participant below another, or at the top, with all who stand below it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn place(tx: &Tx<'_>, id: ParticipantId, parent: Option<ParticipantId>) -> Result<(), DbError> {
    let (id, parent) = (id.to_string(), parent.map(|parent| parent.to_string()));
    tx.run("update fission_participant set parent = ?2 where id = ?1", &params![id.as_str(), parent.as_deref()])?;
    tx.run(
        "with recursive below (id, depth) as (
             select ?1, coalesce((select depth + 1 from fission_participant where id = ?2), 0)
             union
             select one.id, below.depth + 1 from below join fission_participant one on one.parent = below.id)
         update fission_participant set depth = (select depth from below where below.id = fission_participant.id)
          where id in (select id from below)",
        &params![id, parent],
    )
}

/// How many helps of a participant count now.
///
/// # Errors
/// [`DbError`] of the query.
pub fn helps(tx: &Tx<'_>, id: ParticipantId) -> Result<u32, DbError> {
    let helps: Option<i64> =
        tx.scalar("select helps from fission_participant where id = ?1", &params![id.to_string()])?;
    Ok(u32::try_from(helps.unwrap_or(0)).unwrap_or(u32::MAX))
}

/// Whether anybody takes part in a campaign.
///
/// # Errors
/// [`DbError`] of the query.
pub fn any(tx: &Tx<'_>, fission: FissionId) -> Result<bool, DbError> {
    let sql = "select 1 as found from fission_participant where fission = ?1 limit 1";
    Ok(tx.query_one(sql, &params![fission.to_string()])?.is_some())
}

/// A place in the list of participants.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When the participant asked.
    pub joined_at: i64,
    /// Its id.
    pub id: ParticipantId,
}

/// Participants of a campaign, the earliest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, fission: FissionId, after: Option<Mark>, most: u32) -> Result<Vec<Participant>, DbError> {
    let (at, id) = after.map_or((i64::MIN, String::new()), |mark| (mark.joined_at, mark.id.to_string()));
    let rows = tx.query(
        &format!(
            "{SELECT} where one.fission = ?1 and (one.joined_at, one.id) > (?2, ?3)
             order by one.joined_at, one.id limit ?4"
        ),
        &params![fission.to_string(), at, id, most],
    )?;
    rows.iter().map(Participant::from_row).collect()
}
