//! Scanners who were sent to a member of staff: each holds a place under the daily cap until it has added or its time is over.

use super::code::Code;
use crate::reception::Counts;
use domain::ChannelCodeId;
use domain::day::Day;
use kit::db::Row;
use kit::{DbError, Tx, params};

/// How many places under its daily cap each receiver of a code has given away on a day: who has added, by this code or one that shares its caps, and who may
/// still. A place that was given before midnight may be taken after it.
///
/// # Errors
/// [`DbError`] of the query.
pub fn taken(tx: &Tx<'_>, code: &Code, day: Day) -> Result<Counts, DbError> {
    let rows = tx.query(
        "select staff, count(*) as places from (
             select staff from code_contact where caps_of = ?1 and day = ?2
             union all
             select staff from reception_turn where code = ?4 and added = 0 and until > ?3)
          group by staff",
        &params![code.caps().to_string(), day, tx.cx().now.millis(), code.id.to_string()],
    )?;
    counts(&rows, "places")
}

/// How many each receiver of a code was given in all on a day, whatever became of it: what turns go by.
///
/// # Errors
/// [`DbError`] of the query.
pub fn given(tx: &Tx<'_>, code: ChannelCodeId, day: Day) -> Result<Counts, DbError> {
    let rows = tx.query(
        "select staff, count(*) as turns from reception_turn where code = ?1 and day = ?2 group by staff",
        &params![code.to_string(), day],
    )?;
    counts(&rows, "turns")
}

fn counts(rows: &[Row], column: &str) -> Result<Counts, DbError> {
    let count = |row: &Row| Ok((row.get("staff")?, u32::try_from(row.get::<i64>(column)?).unwrap_or(u32::MAX)));
    rows.iter().map(count).collect()
}

/// Sends a visitor to a member of staff until `until` (Unix milliseconds).
///
/// # Errors
/// [`DbError`] of the insert.
pub fn give(tx: &Tx<'_>, code: ChannelCodeId, staff: &str, day: Day, visitor: &str, until: i64) -> Result<(), DbError> {
    tx.run(
        "insert into reception_turn (code, staff, day, visitor, until) values (?1, ?2, ?3, ?4, ?5)",
        &params![code.to_string(), staff, day, visitor, until],
    )
}

/// The member of staff whom a visitor was sent to by a code.
#[derive(Clone, Debug)]
pub enum Last {
    /// The place is still held.
    Held(String),
    /// The place became a contact.
    Added(String),
}

/// The member of staff whose place a visitor holds; else whom it has added last. A place whose time is over without that binds nobody.
///
/// # Errors
/// [`DbError`] of the query.
pub fn last(tx: &Tx<'_>, code: ChannelCodeId, visitor: &str) -> Result<Option<Last>, DbError> {
    let row = tx.query_one(
        "select staff, added from reception_turn
          where visitor = ?2 and code = ?1 and (added = 1 or until > ?3) order by added, id desc limit 1",
        &params![code.to_string(), visitor, tx.cx().now.millis()],
    )?;
    let last = |row: Row| {
        let (staff, added) = (row.get("staff")?, row.get("added")?);
        Ok(if added { Last::Added(staff) } else { Last::Held(staff) })
    };
    row.map(last).transpose()
}

/// Somebody has added the member of staff: the oldest place that was held for that becomes a contact. WeCom does not tell which scanner it was; who adds when
/// the own place's time is over comes on top.
///
/// # Errors
/// [`DbError`] of the update.
pub fn fulfil(tx: &Tx<'_>, code: ChannelCodeId, staff: &str) -> Result<(), DbError> {
    tx.run(
        "update reception_turn set added = 1
          where id = (select min(id) from reception_turn
                       where code = ?1 and staff = ?2 and added = 0 and until > ?3)",
        &params![code.to_string(), staff, tx.cx().now.millis()],
    )
}
