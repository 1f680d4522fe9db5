//! What a caller may see: customers of its stores, and of a member of staff that one's customers only. What it may not see is as if it were not
//! there.

use crate::relation::Known;
use crate::store::relation;
use crate::store::view::{self, Listed};
use domain::CustomerId;
use kit::auth::Caller;
use kit::{DbError, Problem, Tx};

/// The customer that an id names, if the caller may see it.
///
/// # Errors
/// 404, or 503 when the database is busy.
pub fn customer<S>(tx: &Tx<'_>, caller: &Caller<S>, id: CustomerId) -> Result<Listed, Problem> {
    if let Some(listed) = view::by_id(tx, id)?
        && sees(tx, caller, &listed)?
    {
        return Ok(listed);
    }
    Err(Problem::not_found(format!("there is no customer {id}")))
}

/// Whether the caller may see a customer. A member of staff sees whom it advises or has a relation with.
///
/// # Errors
/// [`DbError`] of the query.
pub fn sees<S>(tx: &Tx<'_>, caller: &Caller<S>, listed: &Listed) -> Result<bool, DbError> {
    if !caller.store.contains(listed.store.as_deref()) {
        return Ok(false);
    }
    match &caller.staff {
        None => Ok(true),
        Some(staff) if listed.advisor.as_ref() == Some(staff) => Ok(true),
        Some(staff) => Ok(relation::known(tx, listed.id, staff)? == Known::Active),
    }
}

/// Refuses what a member of staff would do in another's name.
///
/// # Errors
/// 403.
pub fn acts_as<S>(caller: &Caller<S>, staff: &str) -> Result<(), Problem> {
    match &caller.staff {
        Some(own) if own != staff => {
            Err(Problem::forbidden(format!("staff: the token is for {own}, who cannot act as another")))
        }
        _ => Ok(()),
    }
}

/// Checks the merchant's number of a member of staff.
///
/// # Errors
/// 422.
pub fn staff(number: &str) -> Result<(), Problem> {
    if number.trim().is_empty() || number.len() > 64 {
        return Err(Problem::unprocessable("staff-unusable", "staff: the merchant's number, of 1 to 64 bytes"));
    }
    Ok(())
}
