//! Leases: who may do what only one should do at a time, over all instances and machines.

use crate::db::{DbError, Tx};
use crate::params;
use domain::UnixMs;

/// Takes the lease `name` for `holder` until `until`, if nobody else holds it. One conditional statement.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn take(tx: &Tx<'_>, name: &str, holder: &str, until: UnixMs) -> Result<bool, DbError> {
    let taken = tx.execute(
        "insert into lease (name, holder, until) values (?1, ?2, ?3)
         on conflict (name) do update
             set holder = excluded.holder, until = excluded.until
           where lease.holder = excluded.holder or lease.until <= ?4",
        &params![name, holder, until.millis(), tx.cx().now.millis()],
    )?;
    Ok(taken > 0)
}

/// Gives a lease back, if `holder` still has it.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn release(tx: &Tx<'_>, name: &str, holder: &str) -> Result<(), DbError> {
    tx.execute("delete from lease where name = ?1 and holder = ?2", &params![name, holder])?;
    Ok(())
}
