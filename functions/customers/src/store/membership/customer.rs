//! Whose something is. Reads what identities and merges have made of customers.

use domain::{CustomerId, Identity};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// A customer in two senses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The id that rows are written for: it stays so when customers are merged, and split.
    pub id: CustomerId,
    /// Whose part that is now: itself, or the customer that it was merged into.
    pub survivor: CustomerId,
}

/// Whose the smallest known one of these identities is. What is written is written for the customer that began with it, if there is
/// one, so that it goes with the identity when a merge is undone.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn customer_of(tx: &Tx<'_>, identities: &[Identity]) -> Result<Option<Owner>, DbError> {
    let mut sorted: Vec<&Identity> = identities.iter().collect();
    sorted.sort_unstable();
    for identity in sorted {
        let row = tx.query_one(
            "select coalesce((select customer.id from customer where customer.home = identity.id), identity.customer) as id,
                    identity.customer as survivor
               from identity
              where kind = ?1 and scope = ?2 and value = ?3",
            &params![identity.kind.as_str(), identity.scope.as_deref().unwrap_or_default(), identity.value.as_str()],
        )?;
        if let Some(row) = row {
            return owner(&row).map(Some);
        }
    }
    Ok(None)
}

/// A customer by any id that it has or had.
///
/// # Errors
/// [`DbError`] of the query.
pub fn owner_of(tx: &Tx<'_>, id: CustomerId) -> Result<Option<Owner>, DbError> {
    let row = tx.query_one("select id, survivor from customer where id = ?1", &params![id.to_string()])?;
    row.as_ref().map(owner).transpose()
}

fn owner(row: &Row) -> Result<Owner, DbError> {
    Ok(Owner { id: row.parse("id")?, survivor: row.parse("survivor")? })
}
