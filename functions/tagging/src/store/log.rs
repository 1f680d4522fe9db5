//! The log read again: what was told of some customers, in its order.

use kit::db::Row;
use kit::events::Logged;
use kit::{DbError, Tx, params};

/// The oldest event that the log still has: its place, and when it was told, Unix ms.
///
/// # Errors
/// [`DbError`] of the query.
pub fn oldest(tx: &Tx<'_>) -> Result<Option<(i64, i64)>, DbError> {
    let row = tx.query_one("select seq, time from event order by seq limit 1", &[])?;
    row.map(|row| Ok((row.get("seq")?, row.get("time")?))).transpose()
}

/// How an identity is written where SQL compares it.
const IDENTITY: &str =
    "(told.value ->> 'kind') || char(9) || coalesce(told.value ->> 'scope', '') || char(9) || (told.value ->> 'value')";

/// What was told of who is who, of any of these customers (a JSON list) or identities (a JSON list of kind, scope and value with tabs between).
///
/// # Errors
/// [`DbError`] of the query.
pub fn who_is_who(tx: &Tx<'_>, customers: &str, identities: &str) -> Result<Vec<Logged>, DbError> {
    let sql = format!(
        "with own as materialized (select value from json_each(?1)), shown as materialized (select value from json_each(?2))
         select seq, id, type, subject, source, time, data, trace from event
          where type = 'customer.identified'
            and (data ->> 'customer_id' in (select value from own)
                 or exists (select 1 from json_each(event.data, '$.identities') as told where {IDENTITY} in (select value from shown)))
         union all
         select seq, id, type, subject, source, time, data, trace from event
          where type in ('customer.merged', 'customer.split')
            and (data ->> 'customer_id' in (select value from own)
                 or data ->> 'merged_id' in (select value from own)
                 or data ->> 'split_id' in (select value from own))"
    );
    logged(&tx.query(&sql, &params![customers, identities])?)
}

/// Events after a place in the log, of these types (a JSON list). Of activities only those of one of these identities.
///
/// # Errors
/// [`DbError`] of the query.
pub fn after(tx: &Tx<'_>, seq: i64, types: &str, identities: &str, most: u32) -> Result<Vec<Logged>, DbError> {
    let sql = format!(
        "with shown as materialized (select value from json_each(?3))
         select seq, id, type, subject, source, time, data, trace from event not indexed
          where seq > ?1 and type in (select value from json_each(?2))
            and (type <> 'activity.recorded'
                 or exists (select 1 from json_each(event.data, '$.identities') as told where {IDENTITY} in (select value from shown)))
          order by seq limit ?4"
    );
    logged(&tx.query(&sql, &params![seq, types, identities, most])?)
}

fn logged(rows: &[Row]) -> Result<Vec<Logged>, DbError> {
    rows.iter().map(Logged::from_row).collect()
}

/// Customers who are now part of these (a JSON list), they themselves among them.
///
/// # Errors
/// [`DbError`] of the query.
pub fn parts(tx: &Tx<'_>, survivors: &str) -> Result<Vec<String>, DbError> {
    tx.query(
        "select id from tagging_customer where survivor in (select value from json_each(?1))",
        &params![survivors],
    )?
    .iter()
    .map(|row| row.get("id"))
    .collect()
}
