//! Documents of warehouses that have been taken.

use super::json;
use kit::{DbError, Tx, params};
use platforms::warehouse::Document;

/// What is known of a document that comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is new, and noted now.
    New,
    /// It was taken before.
    Before,
    /// Another was taken under its number.
    Another,
}

/// Notes a document.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn take_document(tx: &Tx<'_>, document: &Document) -> Result<Taken, DbError> {
    let (warehouse, number, content) = (&*document.warehouse, &*document.document_id, json(document)?);
    let added = tx.execute(
        "insert into stock_document (warehouse, document_id, content, moved_at, taken_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict do nothing",
        &params![warehouse, number, &*content, document.at.millis(), tx.cx().now.millis()],
    )?;
    if added > 0 {
        return Ok(Taken::New);
    }
    let query = "select content from stock_document where warehouse = ?1 and document_id = ?2";
    let known =
        tx.query_one(query, &params![warehouse, number])?.map(|row| row.get::<String>("content")).transpose()?;
    Ok(if known == Some(content) { Taken::Before } else { Taken::Another })
}
