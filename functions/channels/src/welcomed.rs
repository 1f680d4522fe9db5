//! How welcomes ended. A message in a welcome's place is a task at WeCom: whether the member of staff has pressed send is asked for a day long.

use crate::store::welcome::{self, Which};
use crate::{SOURCE, push};
use domain::{Event, OutboxId, UnixMs, Version, WelcomeEnded, WelcomeOutcome, WelcomeResultDue};
use kit::{DbError, Tx, events};
use platforms::wecom::Ask;
use platforms::wecom::answer::{MessageResults, MessageTask, ReceiptStatus};

/// When WeCom is asked first, in milliseconds: ten minutes after.
const FIRST_MS: i64 = 600_000;
/// When it is asked again, in milliseconds: an hour after.
const AGAIN_MS: i64 = 3_600_000;
/// After how long nobody sends it any more, in milliseconds: a day.
const GIVE_UP_MS: i64 = 86_400_000;

/// WeCom has handed a message in a welcome's place to a member of staff.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn handed(tx: &Tx<'_>, call: OutboxId, task: &MessageTask, at: UnixMs) -> Result<(), DbError> {
    match &task.message_id {
        Some(id) if task.failed.is_empty() && task.over_limit.is_empty() => {
            welcome::is_message(tx, call, id)?;
            look_again(tx, call, at, FIRST_MS)
        }
        _ => ended(tx, Which::Call(call), WelcomeOutcome::Refused, at),
    }
}

fn look_again(tx: &Tx<'_>, outbox_id: OutboxId, at: UnixMs, after_ms: i64) -> Result<(), DbError> {
    let due = at.try_add_millis(after_ms).unwrap_or(at);
    let event = Event::WelcomeResultDue(WelcomeResultDue { v: Version, outbox_id });
    let id = outbox_id.to_string();
    events::schedule(tx, due, &format!("channels.welcome/{id}"), SOURCE, &id, &event)
}

/// WeCom is asked whether a message was sent, while that is open.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn due(tx: &Tx<'_>, call: OutboxId, at: UnixMs) -> Result<(), DbError> {
    let Some(open) = welcome::message(tx, call)? else { return Ok(()) };
    if at.millis().saturating_sub(open.came_at.millis()) > GIVE_UP_MS {
        return ended(tx, Which::Call(call), WelcomeOutcome::Missed, at);
    }
    push::ask_wecom(tx, &Ask::MessageResults { message_id: open.message_id }, &call.to_string())?;
    look_again(tx, call, at, AGAIN_MS)
}

/// WeCom has told what became of a message.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn told(tx: &Tx<'_>, subject: &str, results: &MessageResults, at: UnixMs) -> Result<(), DbError> {
    let Ok(call) = subject.parse() else { return Ok(()) };
    let Some(open) = welcome::message(tx, call)? else { return Ok(()) };
    let Some(receipt) = results.receipts.iter().find(|receipt| receipt.contact == open.contact) else { return Ok(()) };
    match receipt.status {
        ReceiptStatus::Sent => {
            ended(tx, Which::Call(call), WelcomeOutcome::SentAsMessage, receipt.sent_at.unwrap_or(at))
        }
        ReceiptStatus::NotAContact | ReceiptStatus::OverLimit => {
            ended(tx, Which::Call(call), WelcomeOutcome::Refused, at)
        }
        ReceiptStatus::Waiting | ReceiptStatus::Unknown => Ok(()),
    }
}

/// Notes how a welcome ended, and tells it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn ended(tx: &Tx<'_>, which: Which, outcome: WelcomeOutcome, at: UnixMs) -> Result<(), DbError> {
    let Some(ended) = welcome::end(tx, which, outcome, at)? else { return Ok(()) };
    let was_sent = matches!(outcome, WelcomeOutcome::Sent | WelcomeOutcome::SentAsMessage);
    let took = u32::try_from(at.millis().saturating_sub(ended.came_at.millis())).ok();
    let subject = ended.code.map_or_else(|| ended.who.value.clone(), |id| id.to_string());
    let event = WelcomeEnded {
        v: Version,
        code_id: ended.code,
        identities: vec![ended.who],
        staff: ended.staff,
        outcome,
        took_ms: took.filter(|_| was_sent),
        at,
    };
    events::append(tx, SOURCE, &subject, &Event::WelcomeEnded(event)).map(drop)
}
