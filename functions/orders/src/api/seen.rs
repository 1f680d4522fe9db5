//! What a caller may see: orders and refunds of its stores. What it may not see is as if it were not there.

use crate::store::{self, KnownRefund, Listed};
use domain::{OrderId, RefundId};
use kit::auth::StorePath;
use kit::{Problem, Tx};

/// An order that the caller may see.
///
/// # Errors
/// 404, or 503 when the database is busy.
pub fn order(tx: &Tx<'_>, stores: &StorePath, id: OrderId) -> Result<Listed, Problem> {
    store::listed_by_id(tx, id)?
        .filter(|listed| stores.contains(listed.store.as_deref()))
        .ok_or_else(|| Problem::not_found(format!("there is no order {id}")))
}

/// A refund that the caller may see, and its order.
///
/// # Errors
/// As for [`order`].
pub fn refund(tx: &Tx<'_>, stores: &StorePath, id: RefundId) -> Result<(Listed, KnownRefund), Problem> {
    let unknown = || Problem::not_found(format!("there is no refund {id}"));
    let refund = store::refund_by_id(tx, id)?.ok_or_else(unknown)?;
    let listed = store::listed_by_id(tx, refund.order_id)?.filter(|listed| stores.contains(listed.store.as_deref()));
    Ok((listed.ok_or_else(unknown)?, refund))
}
