//! The audit table: every refused and every privileged call.

use crate::auth::Caller;
use crate::db::{DbError, Tx};
use crate::{host, params};
use domain::AuditId;

const MINUTE_MS: i64 = 60_000;

/// Records a privileged call, in the transaction of its effect.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn done<S>(tx: &Tx<'_>, caller: &Caller<S>, target: &str) -> Result<(), DbError> {
    write(tx, &caller.actor, &caller.action, target, "done", "")
}

/// Records a refused call. Equal refusals within a minute are counted in one row.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn refused(tx: &Tx<'_>, actor: &str, action: &str, reason: &str) -> Result<(), DbError> {
    write(tx, actor, action, "", "refused", reason)
}

fn write(tx: &Tx<'_>, actor: &str, action: &str, target: &str, outcome: &str, reason: &str) -> Result<(), DbError> {
    tx.execute(
        "insert into audit (id, minute, time, actor, action, target, outcome, reason, trace)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (minute, actor, action, target, reason) where outcome = 'refused'
             do update set count = count + 1",
        &params![
            AuditId::new(tx.cx().now, host::unique()).to_string(),
            tx.cx().now.millis().div_euclid(MINUTE_MS),
            tx.cx().now.millis(),
            actor,
            action,
            target,
            outcome,
            reason,
            tx.cx().trace.as_ref().map(ToString::to_string),
        ],
    )?;
    Ok(())
}
