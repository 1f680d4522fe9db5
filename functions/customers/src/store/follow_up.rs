//! Follow-ups of staff, read over the group of those who are one.

use domain::{CustomerId, FollowUpId, FollowUpOutcome, Stage, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A follow-up.
#[derive(Clone, Debug)]
pub struct FollowUp {
    /// Its id.
    pub id: FollowUpId,
    /// The customer, by the id of the time of writing.
    pub customer: CustomerId,
    /// The member of staff.
    pub staff: String,
    /// What was achieved.
    pub outcome: FollowUpOutcome,
    /// What was said, sealed.
    pub note: Option<Vec<u8>>,
    /// How far the customer had come.
    pub stage: Stage,
    /// When to get in touch again.
    pub next_at: Option<UnixMs>,
    /// Who wrote it (a token's id).
    pub actor: String,
    /// When.
    pub created_at: UnixMs,
    /// What became of it.
    pub done: Option<Done>,
}

/// What became of a follow-up.
#[derive(Clone, Debug)]
pub struct Done {
    /// When.
    pub at: UnixMs,
    /// What was achieved.
    pub outcome: FollowUpOutcome,
    /// What was said, sealed.
    pub note: Option<Vec<u8>>,
    /// How far the customer had come then.
    pub stage: Stage,
    /// Who wrote it (a token's id).
    pub actor: String,
}

const COLUMNS: &str = "follow_up.id, follow_up.customer, follow_up.staff, follow_up.outcome, follow_up.note,
    follow_up.stage, follow_up.next_at, follow_up.actor, follow_up.created_at, follow_up.done_at,
    follow_up.done_outcome, follow_up.done_note, follow_up.done_stage, follow_up.done_actor";

impl FollowUp {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let done = match row.optional_instant("done_at")? {
            None => None,
            Some(at) => Some(Done {
                at,
                outcome: outcome(row, "done_outcome")?,
                note: row.get("done_note")?,
                stage: row.parse("done_stage")?,
                actor: row.get("done_actor")?,
            }),
        };
        Ok(Self {
            id: row.parse("id")?,
            customer: row.parse("customer")?,
            staff: row.get("staff")?,
            outcome: outcome(row, "outcome")?,
            note: row.get("note")?,
            stage: row.parse("stage")?,
            next_at: row.optional_instant("next_at")?,
            actor: row.get("actor")?,
            created_at: row.instant("created_at")?,
            done,
        })
    }
}

fn outcome(row: &Row, column: &str) -> Result<FollowUpOutcome, DbError> {
    let word: String = row.get(column)?;
    serde_json::from_value(json!(word)).map_err(|error| DbError::Shape(error.to_string()))
}

/// Writes a follow-up.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn insert(tx: &Tx<'_>, new: &FollowUp) -> Result<(), DbError> {
    tx.run(
        "insert into follow_up (id, customer, staff, outcome, note, stage, next_at, actor, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &params![
            new.id.to_string(),
            new.customer.to_string(),
            new.staff.as_str(),
            new.outcome.as_str(),
            new.note.clone(),
            new.stage.as_str(),
            new.next_at.map(UnixMs::millis),
            new.actor.as_str(),
            new.created_at.millis(),
        ],
    )
}

/// A follow-up by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: FollowUpId) -> Result<Option<FollowUp>, DbError> {
    let row = tx.query_one(&format!("select {COLUMNS} from follow_up where id = ?1"), &params![id.to_string()])?;
    row.as_ref().map(FollowUp::from_row).transpose()
}

/// Moves the next date of an open follow-up. Tells whether it is open.
///
/// # Errors
/// [`DbError`] of the update.
pub fn set_next(tx: &Tx<'_>, id: FollowUpId, next_at: UnixMs) -> Result<bool, DbError> {
    let open = tx.execute(
        "update follow_up set next_at = ?2 where id = ?1 and done_at is null",
        &params![id.to_string(), next_at.millis()],
    )?;
    Ok(open > 0)
}

/// Writes what became of an open follow-up. Tells whether it was open.
///
/// # Errors
/// [`DbError`] of the update.
pub fn set_done(tx: &Tx<'_>, id: FollowUpId, done: &Done) -> Result<bool, DbError> {
    let open = tx.execute(
        "update follow_up set done_at = ?2, done_outcome = ?3, done_note = ?4, done_stage = ?5, done_actor = ?6
          where id = ?1 and done_at is null",
        &params![
            id.to_string(),
            done.at.millis(),
            done.outcome.as_str(),
            done.note.clone(),
            done.stage.as_str(),
            done.actor.as_str()
        ],
    )?;
    Ok(open > 0)
}

/// Gives what one member of staff has still to do with a customer to another. What that is, as it stands now.
///
/// # Errors
/// [`DbError`] of the update.
pub fn hand_over(tx: &Tx<'_>, customer: CustomerId, from: &str, to: &str) -> Result<Vec<FollowUp>, DbError> {
    let mut given = tx
        .query(
            &format!(
                "update follow_up set staff = ?3
                  where customer in (select id from customer where survivor = ?1) and staff = ?2
                    and next_at is not null and done_at is null
                 returning {}",
                COLUMNS.replace("follow_up.", "")
            ),
            &params![customer.to_string(), from, to],
        )?
        .iter()
        .map(FollowUp::from_row)
        .collect::<Result<Vec<_>, _>>()?;
    given.sort_by_key(|follow_up| follow_up.id);
    Ok(given)
}

/// A customer's follow-ups before this one, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_customer(
    tx: &Tx<'_>,
    customer: CustomerId,
    before: Option<FollowUpId>,
    most: u32,
) -> Result<Vec<FollowUp>, DbError> {
    // Ids sort by the time they were made.
    tx.query(
        &format!(
            "select {COLUMNS} from follow_up
              where customer in (select id from customer where survivor = ?1) and (?2 is null or id < ?2)
              order by id desc limit ?3"
        ),
        &params![customer.to_string(), before.map(|id| id.to_string()), most],
    )?
    .iter()
    .map(FollowUp::from_row)
    .collect()
}

/// Which open follow-ups to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this member of staff.
    pub staff: Option<String>,
    /// Due before then.
    pub due_before: Option<UnixMs>,
    /// The subtree that the caller sees, `/` for all.
    pub seen: String,
    /// The member of staff whose customers the caller sees.
    pub pool: Option<String>,
    /// The last one of the page before.
    pub after: Option<Mark>,
}

/// A place in the list.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When it is due.
    pub next_at: i64,
    /// Its id.
    pub id: FollowUpId,
}

/// Follow-ups with something still to be done, the most urgent first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn open(tx: &Tx<'_>, filter: &Filter, most: u32) -> Result<Vec<FollowUp>, DbError> {
    // Named by itself, so that the index by staff serves.
    let whose = if filter.staff.is_some() { "follow_up.staff = ?1" } else { "?1 is null" };
    let (next_at, id) = filter.after.map_or((None, None), |mark| (Some(mark.next_at), Some(mark.id.to_string())));
    tx.query(
        &format!(
            "select {COLUMNS} from follow_up
               join customer written on written.id = follow_up.customer
               join customer on customer.id = written.survivor
              where follow_up.next_at is not null and follow_up.done_at is null
                and {whose}
                and (?2 is null or follow_up.next_at < ?2)
                and (?3 = '/' or customer.store = ?3 or customer.store like ?3 || '/%')
                and (?4 is null or customer.advisor = ?4 or exists (
                     select 1 from relation join customer member on member.id = relation.customer
                      where member.survivor = customer.id and relation.staff = ?4 and relation.state = 'added'))
                and (?5 is null or (follow_up.next_at, follow_up.id) > (?5, ?6))
              order by follow_up.next_at, follow_up.id
              limit ?7"
        ),
        &params![
            filter.staff.as_deref(),
            filter.due_before.map(UnixMs::millis),
            filter.seen.as_str(),
            filter.pool.as_deref(),
            next_at,
            id,
            most
        ],
    )?
    .iter()
    .map(FollowUp::from_row)
    .collect()
}

/// Takes away what follow-ups of a customer say and what is still to be done. The ids of those that were open.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn erase(tx: &Tx<'_>, customer: CustomerId) -> Result<Vec<FollowUpId>, DbError> {
    let open = tx.query(
        "select id from follow_up
          where customer in (select id from customer where survivor = ?1) and next_at is not null and done_at is null",
        &params![customer.to_string()],
    )?;
    tx.run(
        "update follow_up set note = null, done_note = null, next_at = iif(done_at is null, null, next_at)
          where customer in (select id from customer where survivor = ?1)",
        &params![customer.to_string()],
    )?;
    open.iter().map(|row| row.parse("id")).collect()
}
