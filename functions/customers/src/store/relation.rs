//! Relations of staff with customers, read over the group of those who are one.

use crate::relation::{Cause, Known};
use domain::{CustomerId, RelationChange, RelationSide, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// What is known of a relation over a customer's group.
///
/// # Errors
/// [`DbError`] of the query.
pub fn known(tx: &Tx<'_>, id: CustomerId, staff: &str) -> Result<Known, DbError> {
    let active: Option<Option<i64>> = tx.scalar(
        "select max(state = 'added') from relation
          where customer in (select id from customer where survivor = ?1) and staff = ?2",
        &params![id.to_string(), staff],
    )?;
    Ok(match active.flatten() {
        None => Known::Never,
        Some(0) => Known::Ended,
        Some(_) => Known::Active,
    })
}

/// When a relation ended last; nothing where it stands or never began.
///
/// # Errors
/// [`DbError`] of the query.
pub fn ended_at(tx: &Tx<'_>, id: CustomerId, staff: &str) -> Result<Option<UnixMs>, DbError> {
    let row = tx.query_one(
        "select max(ended) as ended from relation
          where customer in (select id from customer where survivor = ?1) and staff = ?2",
        &params![id.to_string(), staff],
    )?;
    row.map_or(Ok(None), |row| row.optional_instant("ended"))
}

/// Since when a relation stands; nothing where it does not.
///
/// # Errors
/// [`DbError`] of the query.
pub fn stands_since(tx: &Tx<'_>, id: CustomerId, staff: &str) -> Result<Option<UnixMs>, DbError> {
    let row = tx.query_one(
        "select min(since) as since from relation
          where customer in (select id from customer where survivor = ?1) and staff = ?2 and state = 'added'",
        &params![id.to_string(), staff],
    )?;
    row.map_or(Ok(None), |row| row.optional_instant("since"))
}

/// Whether any member of staff has a relation with a customer.
///
/// # Errors
/// [`DbError`] of the query.
pub fn any(tx: &Tx<'_>, id: CustomerId) -> Result<bool, DbError> {
    let found: Option<i64> = tx.scalar(
        "select 1 from relation
          where customer in (select id from customer where survivor = ?1) and state = 'added' limit 1",
        &params![id.to_string()],
    )?;
    Ok(found.is_some())
}

/// Writes that a relation stands from `at` on.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn add(tx: &Tx<'_>, id: CustomerId, staff: &str, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into relation (customer, staff, state, since) values (?1, ?2, 'added', ?3)
         on conflict (customer, staff) do update
             set state = 'added', since = excluded.since, ended = null, ended_by = null",
        &params![id.to_string(), staff, at.millis()],
    )
}

/// Writes that a relation has ended, over the whole group.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn end(tx: &Tx<'_>, id: CustomerId, staff: &str, by: RelationSide, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "update relation set state = 'lost', ended = ?3, ended_by = ?4
          where customer in (select id from customer where survivor = ?1) and staff = ?2 and state = 'added'",
        &params![id.to_string(), staff, at.millis(), by.as_str()],
    )
}

/// Writes that a relation which does not stand was told to end at `at`, so that older news of its beginning comes too late. Where nothing is known of its
/// beginning, it begins and ends at once.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn ended(tx: &Tx<'_>, id: CustomerId, staff: &str, by: RelationSide, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into relation (customer, staff, state, since, ended, ended_by) values (?1, ?2, 'lost', ?3, ?3, ?4)
         on conflict (customer, staff) do update
             set ended = excluded.ended, ended_by = excluded.ended_by
           where ended < excluded.ended",
        &params![id.to_string(), staff, at.millis(), by.as_str()],
    )
}

/// Writes down what happened to a relation.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn note(
    tx: &Tx<'_>,
    id: CustomerId,
    staff: &str,
    change: RelationChange,
    cause: &Cause<'_>,
) -> Result<(), DbError> {
    tx.run(
        "insert into relation_change (customer, staff, change, by, at, actor, handover)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &params![
            id.to_string(),
            staff,
            change.as_str(),
            cause.by.as_str(),
            cause.at.millis(),
            cause.actor,
            cause.handover.map(|id| id.to_string()),
        ],
    )
}

/// Who advises a customer, by the newest word over its identities.
///
/// # Errors
/// [`DbError`] of the query.
pub fn advisor(tx: &Tx<'_>, id: CustomerId) -> Result<Option<String>, DbError> {
    tx.scalar(
        "select advisor from identity where customer = ?1 and advisor is not null
          order by advisor_at desc, advisor limit 1",
        &params![id.to_string()],
    )
}

/// Whether a customer's personal data were erased.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_erased(tx: &Tx<'_>, id: CustomerId) -> Result<bool, DbError> {
    let erased: Option<bool> =
        tx.scalar("select erased_at is not null from customer where id = ?1", &params![id.to_string()])?;
    Ok(erased.unwrap_or(false))
}

/// The relations of a customer, one a member of staff, those that stand first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_customer(tx: &Tx<'_>, id: CustomerId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select staff, state, since, ended, ended_by from (
             select *, row_number() over (partition by staff order by state = 'added' desc, since desc) as place
               from relation
              where customer in (select id from customer where survivor = ?1))
          where place = 1
          order by state, since desc, staff
          limit 200",
        &params![id.to_string()],
    )
}

/// What happened to a customer's relations, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn history(tx: &Tx<'_>, id: CustomerId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select staff, change, by, at, actor, handover from relation_change
          where customer in (select id from customer where survivor = ?1)
          order by at desc, seq desc
          limit 200",
        &params![id.to_string()],
    )
}

/// The last time that a member of staff did something about a customer: `staff`, `at`, `what`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn last_touch(tx: &Tx<'_>, id: CustomerId) -> Result<Option<Row>, DbError> {
    tx.query_one(
        "with own (id) as (select id from customer where survivor = ?1),
         told (staff, at, what) as (
             select summary ->> 'staff', at, summary ->> 'kind' from (
                 select activity.type, activity.summary, activity.at
                   from identity join customer_activity activity on activity.identity = identity.id
                  where identity.customer = ?1 order by activity.at desc limit 100)
              where type = 'activity.recorded' and summary ->> 'staff' is not null)
         select staff, at, what from (
             select staff, created_at as at, 'follow_up_recorded' as what from follow_up where customer in own
             union all
             select staff, done_at, 'follow_up_done' from follow_up where customer in own and done_at is not null
             union all
             select staff, at, 'relation_' || change from relation_change
              where customer in own and change in ('added', 're_added')
             union all
             select staff, at, what from told)
          order by at desc, what limit 1",
        &params![id.to_string()],
    )
}
