//! How often contacts are written to: the merchant's rule, what was sent, and what calls on their way have taken.

use domain::{Calendar, CalendarConfig, OutboxId, TimeError, UnixMs};
use jiff::ToSpan;
use kit::{DbError, Tx, params};
use std::collections::BTreeSet;

/// How many messages a contact may have at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRule {
    /// In a calendar month; none: as many as the month has days.
    pub per_month: Option<u32>,
    /// In seven days, today and the six before; none: no limit.
    pub per_week: Option<u32>,
    /// In a day; none: no limit.
    pub per_day: Option<u32>,
    /// When it was changed; none while it is as it came.
    pub changed_at: Option<UnixMs>,
}

/// The rule.
///
/// # Errors
/// [`DbError`] of the query.
pub fn message_rule(tx: &Tx<'_>) -> Result<MessageRule, DbError> {
    let row = tx.query_one("select per_month, per_week, per_day, changed_at from message_rule where one = 1", &[])?;
    let row = row.ok_or_else(|| DbError::Shape("the message rule is gone".to_owned()))?;
    let number = |name| Ok::<_, DbError>(row.get::<Option<i64>>(name)?.and_then(|number| u32::try_from(number).ok()));
    Ok(MessageRule {
        per_month: number("per_month")?,
        per_week: number("per_week")?,
        per_day: number("per_day")?,
        changed_at: row.optional_instant("changed_at")?,
    })
}

/// Changes the rule.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn change_message_rule(tx: &Tx<'_>, rule: &MessageRule) -> Result<(), DbError> {
    tx.run(
        "update message_rule set per_month = ?1, per_week = ?2, per_day = ?3, changed_at = ?4 where one = 1",
        &params![
            rule.per_month.map(i64::from),
            rule.per_week.map(i64::from),
            rule.per_day.map(i64::from),
            tx.cx().now.millis()
        ],
    )
}

/// Days of the merchant's calendar as SQL has them: today, the first of the month, the first of seven days; and how many days the month has.
struct Days {
    today: String,
    month: String,
    week: String,
    in_month: i64,
}

impl Days {
    fn at(now: UnixMs) -> Result<Self, TimeError> {
        let calendar = Calendar::new(CalendarConfig::default()).map_err(|_| TimeError::OutOfRange)?;
        let today = calendar.day(now)?;
        let week = today.checked_sub(6.days()).map_err(|_| TimeError::OutOfRange)?;
        Ok(Self {
            today: today.to_string(),
            month: today.first_of_month().to_string(),
            week: week.to_string(),
            in_month: i64::from(today.days_in_month()),
        })
    }
}

/// Takes one message of each contact's quota for a call, as far as the rule allows. Tells who may have it. What the call has
/// taken in an earlier try counts once, and what it took for contacts whom it no longer names is given back.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn claim_messages(tx: &Tx<'_>, call: OutboxId, contacts: &[String]) -> Result<BTreeSet<String>, DbError> {
    let days = Days::at(tx.cx().now).map_err(|error| DbError::Shape(error.to_string()))?;
    let rule = message_rule(tx)?;
    let asked = serde_json::to_string(contacts).map_err(|error| DbError::Shape(error.to_string()))?;
    let id = call.to_string();
    give_back(
        tx,
        "call = ?1 and contact not in (select value from json_each(?2))",
        &params![id.as_str(), asked.as_str()],
    )?;
    // Days that no rule looks at any more.
    tx.execute(
        "delete from message_sent where contact in (select value from json_each(?1)) and day < min(?2, ?3)",
        &params![asked.as_str(), days.month.as_str(), days.week.as_str()],
    )?;
    let taken = tx.query(
        "insert into message_claim (call, contact, day)
         select ?1, asked.value, ?2
           from (select distinct value from json_each(?3)) asked
          where not exists (select 1 from message_claim where call = ?1 and contact = asked.value)
            and (select coalesce(sum(count), 0) from message_sent
                  where contact = asked.value and day >= ?4) < ?5
            and (?7 is null or (select coalesce(sum(count), 0) from message_sent
                                 where contact = asked.value and day >= ?6) < ?7)
            and (?8 is null or (select coalesce(sum(count), 0) from message_sent
                                 where contact = asked.value and day = ?2) < ?8)
         returning contact",
        &params![
            id.as_str(),
            days.today.as_str(),
            asked.as_str(),
            days.month.as_str(),
            rule.per_month.map_or(days.in_month, i64::from),
            days.week.as_str(),
            rule.per_week.map(i64::from),
            rule.per_day.map(i64::from),
        ],
    )?;
    let taken = taken.iter().map(|row| row.get("contact")).collect::<Result<Vec<String>, _>>()?;
    let taken = serde_json::to_string(&taken).map_err(|error| DbError::Shape(error.to_string()))?;
    tx.execute(
        "insert into message_sent (contact, day, count) select value, ?1, 1 from json_each(?2) where true
         on conflict (contact, day) do update set count = count + 1",
        &params![days.today.as_str(), taken],
    )?;
    let allowed = tx.query("select contact from message_claim where call = ?1", &params![id])?;
    allowed.iter().map(|row| row.get("contact")).collect()
}

/// A call has ended, or may have: what it has taken stays counted, but for contacts who were left out.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn settle_messages(tx: &Tx<'_>, call: OutboxId, left_out: &[String]) -> Result<(), DbError> {
    let id = call.to_string();
    if !left_out.is_empty() {
        let left_out = serde_json::to_string(left_out).map_err(|error| DbError::Shape(error.to_string()))?;
        give_back(tx, "call = ?1 and contact in (select value from json_each(?2))", &params![id.as_str(), left_out])?;
    }
    tx.run("delete from message_claim where call = ?1", &params![id])
}

/// Gives back what failed calls have taken.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn give_back_failed(tx: &Tx<'_>) -> Result<(), DbError> {
    give_back(tx, "call in (select id from outbox where state = 'failed' and id = message_claim.call)", &[])
}

fn give_back(tx: &Tx<'_>, claims: &str, params: &[kit::db::Value]) -> Result<(), DbError> {
    let sql = format!("delete from message_claim where {claims} returning contact, day");
    for row in tx.query(&sql, params)? {
        let (contact, day): (String, String) = (row.get("contact")?, row.get("day")?);
        tx.execute(
            "update message_sent set count = count - 1 where contact = ?1 and day = ?2 and count > 0",
            &params![contact, day],
        )?;
    }
    Ok(())
}
