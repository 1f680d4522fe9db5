//! Segments' members and their snapshots.

use domain::SegmentId;
use kit::db::Row;
use kit::{DbError, Tx, params};

/// Members after a mark, by customer.
///
/// # Errors
/// [`DbError`] of the query.
pub fn members(tx: &Tx<'_>, id: SegmentId, after: Option<&str>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select customer, since from segment_member where segment = ?1 and customer > ?2 order by customer limit ?3",
        &params![id.to_string(), after.unwrap_or_default(), most],
    )
}

/// Keeps the members as they are now, for sending: nobody is in it twice. Tells number and count.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn take_snapshot(tx: &Tx<'_>, id: SegmentId) -> Result<(i64, i64), DbError> {
    let id = id.to_string();
    let row = tx.query_one(
        "insert into segment_snapshot (segment, number, revision, members, taken_at)
         select segment.id, 1 + coalesce((select max(number) from segment_snapshot where segment = ?1), 0),
                coalesce(at_work.version, segment.revision), coalesce(at_work.members, 0), ?2
           from segment left join tagging_rule as at_work on at_work.id = segment.id
          where segment.id = ?1
         returning number, members",
        &params![id.as_str(), tx.cx().now.millis()],
    )?;
    let row = row.ok_or_else(|| DbError::Shape("no such segment".to_owned()))?;
    let number: i64 = row.get("number")?;
    tx.run(
        "insert into segment_snapshot_member (segment, number, customer)
         select segment, ?2, customer from segment_member where segment = ?1",
        &params![id.as_str(), number],
    )?;
    Ok((number, row.get("members")?))
}

/// Whether there is such a snapshot.
///
/// # Errors
/// [`DbError`] of the query.
pub fn has_snapshot(tx: &Tx<'_>, id: SegmentId, number: i64) -> Result<bool, DbError> {
    let found = tx.query_one(
        "select 1 as v from segment_snapshot where segment = ?1 and number = ?2",
        &params![id.to_string(), number],
    )?;
    Ok(found.is_some())
}

/// Members of a snapshot after a mark, by customer.
///
/// # Errors
/// [`DbError`] of the query.
pub fn snapshot(tx: &Tx<'_>, id: SegmentId, number: i64, after: Option<&str>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select customer from segment_snapshot_member
          where segment = ?1 and number = ?2 and customer > ?3 order by customer limit ?4",
        &params![id.to_string(), number, after.unwrap_or_default(), most],
    )
}

/// Who has entered since a snapshot and who has left, after a mark, by customer.
///
/// # Errors
/// [`DbError`] of the query.
pub fn difference(
    tx: &Tx<'_>,
    id: SegmentId,
    number: i64,
    after: Option<&str>,
    most: u32,
) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select customer, 1 as entered from segment_member
          where segment = ?1 and customer > ?3 and not exists (
                select 1 from segment_snapshot_member as old
                 where old.segment = ?1 and old.number = ?2 and old.customer = segment_member.customer)
         union all
         select customer, 0 from segment_snapshot_member
          where segment = ?1 and number = ?2 and customer > ?3 and not exists (
                select 1 from segment_member as new
                 where new.segment = ?1 and new.customer = segment_snapshot_member.customer)
          order by customer limit ?4",
        &params![id.to_string(), number, after.unwrap_or_default(), most],
    )
}
