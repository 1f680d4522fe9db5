//! Who is whose contact at WeCom.

use super::code::Code;
use domain::day::Day;
use domain::{ChannelCodeId, RelationSide, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// Whether somebody has been a contact of anybody here, but for what is only half with this member of staff: that is about to begin.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_known(tx: &Tx<'_>, staff: &str, contact: &str) -> Result<bool, DbError> {
    let row = tx.query_one(
        "select 1 as found from contact
          where contact = ?1 and not (staff = ?2 and half = 1 and removed_at is null) limit 1",
        &params![contact, staff],
    )?;
    Ok(row.is_some())
}

/// Notes that somebody added a member of staff at `at`. News that is not newer than the end of the relation that is known changes nothing: of one
/// second's news the end is the later.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn added(
    tx: &Tx<'_>,
    staff: &str,
    contact: &str,
    at: UnixMs,
    half: bool,
    code: Option<ChannelCodeId>,
) -> Result<(), DbError> {
    tx.run(
        "insert into contact (staff, contact, since, half, code) values (?1, ?2, ?3, ?4, ?5)
         on conflict (contact, staff) do update
             set since = excluded.since,
                 -- The half comes first by nature: a whole one of the same time stays whole.
                 half = case when contact.removed_at is null then min(contact.half, excluded.half) else excluded.half end,
                 code = coalesce(excluded.code, contact.code), removed_at = null, removed_by = null
           where excluded.since > contact.removed_at or (contact.removed_at is null and excluded.since >= contact.since)",
        &params![staff, contact, at.millis(), i64::from(half), code.map(|id| id.to_string())],
    )
}

/// Whose contact somebody is now, by who has confirmed it.
///
/// # Errors
/// [`DbError`] of the query.
pub fn staff_of(tx: &Tx<'_>, contact: &str) -> Result<Vec<String>, DbError> {
    let rows = tx.query(
        "select staff from contact where contact = ?1 and removed_at is null and half = 0 order by staff",
        &params![contact],
    )?;
    rows.iter().map(|row| row.get("staff")).collect()
}

/// Notes that the relation ended at `at`. Tells whether it stood.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn removed(tx: &Tx<'_>, staff: &str, contact: &str, at: UnixMs, by: RelationSide) -> Result<bool, DbError> {
    let ended = tx.execute(
        "insert into contact (staff, contact, since, removed_at, removed_by) values (?1, ?2, ?3, ?3, ?4)
         on conflict (contact, staff) do update set removed_at = excluded.removed_at, removed_by = excluded.removed_by
           where contact.removed_at is null and excluded.removed_at >= contact.since",
        &params![staff, contact, at.millis(), by.as_str()],
    )?;
    Ok(ended > 0)
}

/// Counts a contact for a code and a member of staff. Tells whether it is the first time.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn count(tx: &Tx<'_>, code: &Code, staff: &str, contact: &str, day: Day, at: UnixMs) -> Result<bool, DbError> {
    let first = tx.execute(
        "insert into code_contact (code, caps_of, staff, contact, day, at) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict do nothing",
        &params![code.id.to_string(), code.caps().to_string(), staff, contact, day, at.millis()],
    )?;
    Ok(first > 0)
}

/// A contact that is known of a member of staff.
#[derive(Clone, Debug)]
pub struct Known {
    /// WeCom's external_userid.
    pub contact: String,
    /// When it began last.
    pub since: UnixMs,
    /// Whether it stands; else the customer has ended it, which WeCom's list does not show.
    pub stands: bool,
    /// Whether WeCom has told who it is, and of a half contact, that it is whole.
    pub is_told: bool,
}

/// The contacts whom a member of staff still has in WeCom's list, as far as is known.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_staff(tx: &Tx<'_>, staff: &str) -> Result<Vec<Known>, DbError> {
    let rows = tx.query(
        "select contact.contact, since, removed_at is null as stands, detail.contact is not null and half = 0 as is_told
           from contact left join contact_detail detail on detail.contact = contact.contact
          where staff = ?1 and (removed_at is null or removed_by = 'customer')
          order by contact.contact",
        &params![staff],
    )?;
    let known = |row: &Row| {
        let (contact, since) = (row.get("contact")?, row.instant("since")?);
        Ok(Known { contact, since, stands: row.get("stands")?, is_told: row.get("is_told")? })
    };
    rows.iter().map(known).collect()
}

/// Whether it is known that somebody added a member of staff at `at`, or what became of that since. A relation that stands is the same when it began up to
/// `tolerance_ms` earlier. Of one whose end alone was told nothing of the kind is known.
///
/// # Errors
/// [`DbError`] of the query.
pub fn knows(tx: &Tx<'_>, staff: &str, contact: &str, at: UnixMs, tolerance_ms: i64) -> Result<bool, DbError> {
    let row = tx.query_one(
        "select 1 as found from contact
          where contact = ?1 and staff = ?2
            and (removed_at is null and since >= ?3 - ?4 or since < removed_at and removed_at >= ?3)",
        &params![contact, staff, at.millis(), tolerance_ms],
    )?;
    Ok(row.is_some())
}

/// Since when somebody is a contact whom the member of staff has not confirmed; nothing where that is not so.
///
/// # Errors
/// [`DbError`] of the query.
pub fn half_since(tx: &Tx<'_>, staff: &str, contact: &str) -> Result<Option<UnixMs>, DbError> {
    let sql = "select since from contact where contact = ?1 and staff = ?2 and half = 1 and removed_at is null";
    tx.query_one(sql, &params![contact, staff])?.map(|row| row.instant("since")).transpose()
}

/// Keeps what WeCom knows of a contact: its unionid, and its name, sealed.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn detail(
    tx: &Tx<'_>,
    contact: &str,
    union_id: Option<&str>,
    name: Option<Vec<u8>>,
    at: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "insert into contact_detail (contact, union_id, name, asked_at) values (?1, ?2, ?3, ?4)
         on conflict (contact) do update
             set union_id = coalesce(excluded.union_id, contact_detail.union_id),
                 name = coalesce(excluded.name, contact_detail.name), asked_at = excluded.asked_at
           where excluded.asked_at >= contact_detail.asked_at",
        &params![contact, union_id, name, at.millis()],
    )
}

/// Forgets what is personal of a contact.
///
/// # Errors
/// [`DbError`] of the update.
pub fn forget(tx: &Tx<'_>, contact: &str) -> Result<(), DbError> {
    tx.run("update contact_detail set name = null, union_id = null where contact = ?1", &params![contact])
}
