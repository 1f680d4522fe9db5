//! What a caller may see: customers of its stores. What it may not see is as if it were not there.

use crate::store::view::{self, Listed};
use domain::CustomerId;
use kit::auth::StorePath;
use kit::{Problem, Tx};

/// The customer that an id names, if the caller may see it.
///
/// # Errors
/// 404, or 503 when the database is busy.
pub fn customer(tx: &Tx<'_>, stores: &StorePath, id: CustomerId) -> Result<Listed, Problem> {
    view::by_id(tx, id)?
        .filter(|listed| stores.contains(listed.store.as_deref()))
        .ok_or_else(|| Problem::not_found(format!("there is no customer {id}")))
}
