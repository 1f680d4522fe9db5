//! Which devices people asked from: keyed hashes. Whose device it is goes by the person, not by the identity that was shown.

use crate::store::who;
use domain::{FissionId, Identity};
use kit::{DbError, Tx, params};

/// The identities of all who asked from one of the devices (`?2`, a JSON list), but for one person's (`?3`).
const OTHERS: &str = "others (kind, scope, value) as (
     select device.kind, device.scope, device.value from fission_device device
      where device.fission = ?1 and device.device in (select value from json_each(?2))
        and (device.kind, device.scope, device.value)
            not in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?3))
     union
     select other.kind, other.scope, other.value from fission_device device
       join channel_person own on (own.kind, own.scope, own.value) = (device.kind, device.scope, device.value)
       join channel_person other on other.customer = own.customer
      where device.fission = ?1 and device.device in (select value from json_each(?2))
        and (device.kind, device.scope, device.value)
            not in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?3)))";

/// Notes that somebody asked from a device. Tells whether that is new.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn seen(tx: &Tx<'_>, fission: FissionId, device: &str, who: &Identity) -> Result<bool, DbError> {
    let [kind, scope, value] = who::columns(who);
    let new = tx.execute(
        "insert into fission_device (fission, device, kind, scope, value) values (?1, ?2, ?3, ?4, ?5)
         on conflict do nothing",
        &params![fission.to_string(), device, kind, scope, value],
    )?;
    Ok(new > 0)
}

/// Whether somebody is known to have asked from a device.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_known(tx: &Tx<'_>, fission: FissionId, device: &str, who: &Identity) -> Result<bool, DbError> {
    let [kind, scope, value] = who::columns(who);
    let sql = "select 1 as found from fission_device
                where (fission, device, kind, scope, value) = (?1, ?2, ?3, ?4, ?5)";
    Ok(tx.query_one(sql, &params![fission.to_string(), device, kind, scope, value])?.is_some())
}

/// The devices that a person asked from, by all its identities.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_person(tx: &Tx<'_>, fission: FissionId, person: &[Identity]) -> Result<Vec<String>, DbError> {
    let rows = tx.query(
        "select distinct device from fission_device
          where fission = ?1
            and (kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?2))
          order by device",
        &params![fission.to_string(), who::keys(person)],
    )?;
    rows.iter().map(|row| row.get("device")).collect()
}

/// How many helps of others than this person count that came from one of these devices.
///
/// # Errors
/// [`DbError`] of the query.
pub fn others(tx: &Tx<'_>, fission: FissionId, devices: &[String], person: &[Identity]) -> Result<u32, DbError> {
    if devices.is_empty() {
        return Ok(0);
    }
    let found: Option<i64> = tx.scalar(
        &format!(
            "with {OTHERS}
             select count(*) from others
               join fission_help help on (help.kind, help.scope, help.value) = (others.kind, others.scope, others.value)
              where help.fission = ?1 and help.state = 'counted'"
        ),
        &params![fission.to_string(), super::super::json(&devices)?, who::keys(person)],
    )?;
    Ok(u32::try_from(found.unwrap_or(0)).unwrap_or(u32::MAX))
}

/// The friends whose helps for a person count and came from one of these devices.
///
/// # Errors
/// [`DbError`] of the query.
pub fn helps_for(
    tx: &Tx<'_>,
    fission: FissionId,
    devices: &[String],
    person: &[Identity],
) -> Result<Vec<Identity>, DbError> {
    let rows = tx.query(
        &format!(
            "with {OTHERS}
             select help.kind, help.scope, help.value from others
               join fission_help help on (help.kind, help.scope, help.value) = (others.kind, others.scope, others.value)
               join fission_participant inviter on inviter.id = help.participant
              where help.fission = ?1 and help.state = 'counted'
                and (inviter.kind, inviter.scope, inviter.value)
                    in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?3))
              order by help.id"
        ),
        &params![fission.to_string(), super::super::json(&devices)?, who::keys(person)],
    )?;
    rows.iter().map(who::of).collect()
}

/// Forgets from which devices these identities asked.
///
/// # Errors
/// [`DbError`] of the delete.
pub fn forget(tx: &Tx<'_>, person: &[Identity]) -> Result<(), DbError> {
    tx.run(
        "delete from fission_device
          where (kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?1))",
        &params![who::keys(person)],
    )
}
