//! Handovers at WeCom (developer.work.weixin.qq.com 92125, 94081): WeCom is asked to hand contacts over, the contacts have 24 hours to refuse, and what
//! it tells of each is told to customers. Callbacks tell at once; who is not heard of by them is asked for when the day is over.

use crate::arrive::contact;
use crate::store::transfer::{self as store, Transfer};
use crate::store::{contact as contacts, customer_tag};
use crate::{SOURCE, push, settings, tags};
use domain::{
    CustomerId, Event, HandoverAnswer, HandoverAnswered, HandoverBegun, HandoverId, HandoverResultDue, OutboxFailed,
    RelationSide, UnixMs, Version,
};
use kit::{App, DbError, Tx, events};
use platforms::wecom::Ask;
use platforms::wecom::answer::{TransferStatus, Transferred, TransferredContact};
use std::collections::BTreeMap;

/// How many contacts one call hands over at the most.
const A_CALL: usize = 100;
/// When WeCom is asked for results: a moment after the 24 hours, in milliseconds.
const RESULT_MS: i64 = 24 * 3_600_000 + 300_000;
/// How long before the next question, in milliseconds: an hour.
const AGAIN_MS: i64 = 3_600_000;
/// After how long without a result nothing more is expected, in milliseconds: three days.
const GIVE_UP_MS: i64 = 3 * 86_400_000;
/// How far WeCom's clock may lie behind, in milliseconds.
const TOLERANCE_MS: i64 = 120_000;

/// Customers change hands: WeCom is asked to hand their contacts over.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn begun(app: &App, tx: &Tx<'_>, event: &HandoverBegun, at: UnixMs) -> Result<(), DbError> {
    let is_set_up = app.variables().optional(settings::WECOM_CORP_ID).is_some();
    let mut asked = Vec::new();
    for customer in &event.customer_ids {
        let theirs = if is_set_up { contacts_of(tx, *customer, &event.from)? } else { Vec::new() };
        if theirs.is_empty() {
            tell(tx, (event.handover_id, *customer), HandoverAnswer::NotThere, None, at)?;
        }
        for contact in theirs {
            let transfer = Transfer {
                handover: event.handover_id,
                customer: *customer,
                contact,
                from: event.from.clone(),
                to: event.to.clone(),
                resigned: event.resigned,
                asked_at: at,
            };
            store::insert(tx, &transfer)?;
            asked.push(transfer.contact);
        }
    }
    for contacts in asked.chunks(A_CALL) {
        // Each call is about others: none takes the place of one that waits.
        let subject = format!("{}/{}", event.handover_id, contacts.first().map_or("", String::as_str));
        let ask = Ask::Transfer {
            from: event.from.clone(),
            to: event.to.clone(),
            contacts: contacts.to_vec(),
            message: event.message.clone(),
            resigned: event.resigned,
        };
        push::ask_wecom(tx, &ask, &subject)?;
    }
    if asked.is_empty() { Ok(()) } else { look_again(tx, event.handover_id, at, RESULT_MS) }
}

/// The contacts of a customer with this member of staff.
fn contacts_of(tx: &Tx<'_>, customer: CustomerId, staff: &str) -> Result<Vec<String>, DbError> {
    let mut theirs = Vec::new();
    for contact in tags::contacts(tx, &customer_tag::members(tx, customer)?)? {
        if contacts::staff_of(tx, &contact)?.iter().any(|one| one == staff) {
            theirs.push(contact);
        }
    }
    Ok(theirs)
}

/// Sets the timer for the next question about a handover.
fn look_again(tx: &Tx<'_>, id: HandoverId, at: UnixMs, after_ms: i64) -> Result<(), DbError> {
    let due = at.try_add_millis(after_ms).unwrap_or(at);
    let event = Event::HandoverResultDue(HandoverResultDue { v: Version, handover_id: id });
    events::schedule(tx, due, &format!("channels.handover/{id}"), SOURCE, &id.to_string(), &event)
}

/// WeCom has begun to hand contacts over, or refused some.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn started(tx: &Tx<'_>, subject: &str, told: &Transferred, at: UnixMs) -> Result<(), DbError> {
    for transfer in open(tx, subject)? {
        let Some(refused) = told.refused.iter().find(|refused| refused.contact == transfer.contact) else { continue };
        if let Some(reason) = reason(refused.code) {
            settle(tx, &transfer, Some(reason), Some(&format!("WeCom's errcode {}", refused.code)), at)?;
        }
    }
    Ok(())
}

/// Why a contact is not handed over, by its code (developer.work.weixin.qq.com 90313). Nothing where that is under way: the call was repeated.
const fn reason(code: i64) -> Option<HandoverAnswer> {
    match code {
        40_100 | 40_129 => None,
        40_099 => Some(HandoverAnswer::ReceiverFull),
        40_128 => Some(HandoverAnswer::TooOften),
        40_096 | 40_131 => Some(HandoverAnswer::NotInPool),
        _ => Some(HandoverAnswer::ByPlatform),
    }
}

/// WeCom is asked how a handover fares, while anything of it is open. What it tells nothing of for three days will not come.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn due(tx: &Tx<'_>, id: HandoverId, at: UnixMs) -> Result<(), DbError> {
    let mut open = store::open(tx, id)?;
    let is_over = |transfer: &Transfer| at.millis().saturating_sub(transfer.asked_at.millis()) > GIVE_UP_MS;
    for transfer in open.extract_if(.., |transfer| is_over(transfer)) {
        let error = "WeCom has told no result for three days";
        settle(tx, &transfer, Some(HandoverAnswer::ByPlatform), Some(error), at)?;
    }
    let Some(Transfer { from, to, resigned, .. }) = open.into_iter().next() else { return Ok(()) };
    push::ask_wecom(tx, &Ask::TransferResult { from, to, resigned }, &id.to_string())?;
    look_again(tx, id, at, AGAIN_MS)
}

/// WeCom has told how the handovers between two members of staff fare. Of each contact its last row counts.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn results(tx: &Tx<'_>, subject: &str, told: &[TransferredContact], at: UnixMs) -> Result<(), DbError> {
    let rows: BTreeMap<&str, &TransferredContact> = told.iter().map(|row| (row.contact.as_str(), row)).collect();
    for transfer in open(tx, subject)? {
        let Some(row) = rows.get(transfer.contact.as_str()) else { continue };
        let is_older = row.at.is_some_and(|done| done.millis() < transfer.asked_at.millis() - TOLERANCE_MS);
        match row.status {
            TransferStatus::Done if !is_older => settle(tx, &transfer, None, None, at)?,
            TransferStatus::Refused => settle(tx, &transfer, Some(HandoverAnswer::ByCustomer), None, at)?,
            TransferStatus::Full => settle(tx, &transfer, Some(HandoverAnswer::ReceiverFull), None, at)?,
            _ => {}
        }
    }
    Ok(())
}

/// WeCom was asked in vain to hand contacts over.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn failed(tx: &Tx<'_>, event: &OutboxFailed, ask: &Ask) -> Result<(), DbError> {
    let Ask::Transfer { contacts, .. } = ask else { return Ok(()) };
    for transfer in open(tx, &event.subject)? {
        if contacts.contains(&transfer.contact) {
            settle(tx, &transfer, Some(HandoverAnswer::ByPlatform), Some(&event.error), event.at)?;
        }
    }
    Ok(())
}

/// WeCom tells that somebody did not go to this member of staff. Tells whether that was asked for here.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refused(tx: &Tx<'_>, to: &str, contact: &str, reason: &str, at: UnixMs) -> Result<bool, DbError> {
    let open = store::of_contact(tx, contact)?;
    let answer = match reason {
        "customer_refused" => HandoverAnswer::ByCustomer,
        "customer_limit_exceed" => HandoverAnswer::ReceiverFull,
        _ => HandoverAnswer::ByPlatform,
    };
    let error = (answer == HandoverAnswer::ByPlatform).then_some(reason);
    let mut ours = false;
    for transfer in open.iter().filter(|transfer| transfer.to == to) {
        settle(tx, transfer, Some(answer), error, at)?;
        ours = true;
    }
    Ok(ours)
}

/// WeCom tells that it has taken a contact from this member of staff.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn done(tx: &Tx<'_>, from: &str, contact: &str, at: UnixMs) -> Result<(), DbError> {
    let open = store::of_contact(tx, contact)?;
    open.iter().filter(|transfer| transfer.from == from).try_for_each(|transfer| settle(tx, transfer, None, None, at))
}

/// What is open of the handover that a call was about.
fn open(tx: &Tx<'_>, subject: &str) -> Result<Vec<Transfer>, DbError> {
    let id = subject.split('/').next().unwrap_or_default();
    id.parse().map_or(Ok(Vec::new()), |id| store::open(tx, id))
}

/// Writes WeCom's word on a contact, and tells of its customer when the last of its contacts has one.
fn settle(
    tx: &Tx<'_>,
    transfer: &Transfer,
    refused: Option<HandoverAnswer>,
    error: Option<&str>,
    at: UnixMs,
) -> Result<(), DbError> {
    if !store::settle(tx, transfer, refused, error)? {
        return Ok(());
    }
    if refused.is_none() {
        contact::removed(tx, &transfer.from, &transfer.contact, RelationSide::Handover, at)?;
        if !contacts::staff_of(tx, &transfer.contact)?.contains(&transfer.to) {
            contact::ask_about(tx, &transfer.contact)?;
        }
    }
    let of = (transfer.handover, transfer.customer);
    match store::word(tx, of.0, of.1)? {
        Some((answer, error)) => tell(tx, of, answer, error, at),
        None => Ok(()),
    }
}

fn tell(
    tx: &Tx<'_>,
    (handover_id, customer_id): (HandoverId, CustomerId),
    answer: HandoverAnswer,
    error: Option<String>,
    at: UnixMs,
) -> Result<(), DbError> {
    let event = HandoverAnswered { v: Version, handover_id, customer_id, answer, error, at };
    events::append(tx, SOURCE, &handover_id.to_string(), &Event::HandoverAnswered(event)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_single_contacts_have_reasons() {
        for (code, answer) in [
            (40_099, Some(HandoverAnswer::ReceiverFull)),
            (40_128, Some(HandoverAnswer::TooOften)),
            (40_131, Some(HandoverAnswer::NotInPool)),
            (40_096, Some(HandoverAnswer::NotInPool)),
            (40_129, None),
            (40_100, None),
            (-1, Some(HandoverAnswer::ByPlatform)),
        ] {
            assert_eq!(reason(code), answer, "{code}");
        }
    }
}
