//! What of membership is personal, and goes when a person is erased. Figures stay.

use domain::CustomerId;
use kit::{DbError, Tx, params};

/// Erases what is personal of a customer, with all that is merged into it: what people wrote, who claimed cards, levels elsewhere.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn erase(tx: &Tx<'_>, survivor: CustomerId) -> Result<(), DbError> {
    let who = params![survivor.to_string()];
    for sql in [
        "update point_entry set reason = null
          where customer in (select id from customer where survivor = ?1) and reason is not null",
        "update redemption set reason = '' where customer in (select id from customer where survivor = ?1)",
        "update member_card set claim = 'erased ' || card where customer in (select id from customer where survivor = ?1)",
        "delete from member_program where customer in (select id from customer where survivor = ?1)",
    ] {
        tx.run(sql, &who)?;
    }
    Ok(())
}
