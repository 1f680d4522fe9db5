//! The welcome of who has just come.

use super::contact::Added;
use super::external_user;
use crate::push::{ask_account_at, ask_wecom};
use crate::store::code::Code;
use crate::store::known;
use crate::store::welcome::{self, NewWelcome, Which};
use crate::welcome::{self as welcome_plan, Facts, Familiarity, Variables, fill};
use crate::welcomed;
use domain::{Identity, UnixMs, WelcomeOutcome};
use kit::{DbError, Tx};
use platforms::official_account::{self, Content};
use platforms::wecom::{self, Attachment};

/// How long a welcome code lives, in milliseconds (developer.work.weixin.qq.com 92137).
const LIFE_MS: i64 = 20_000;

/// For how long after the contact a message may take the welcome's place, in milliseconds.
const FRESH_MS: i64 = 600_000;

/// A platform's clock that is ahead makes no code live longer.
fn lives_until(at: UnixMs, now: UnixMs) -> UnixMs {
    at.min(now).try_add_millis(LIFE_MS).unwrap_or(now)
}

/// Whether a contact brought a welcome code that is still good.
pub fn is_alive(added: &Added<'_>, now: UnixMs) -> bool {
    added.welcome_code.is_some() && lives_until(added.at, now) > now
}

/// Welcomes a contact, or notes why not. `text` is the callback, `returning` whether the contact was one before.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn contact(
    tx: &Tx<'_>,
    text: &str,
    added: &Added<'_>,
    code: Option<&Code>,
    returning: bool,
) -> Result<(), DbError> {
    let Added { staff, contact, at, welcome_code, .. } = added;
    let token = welcome_code.map_or_else(|| text.to_owned(), |code| format!("welcome code {code}"));
    let code_id = code.map(|code| code.id);
    let who = external_user(contact);
    let new = NewWelcome { token: &token, code: code_id, staff: Some(staff), who: &who, added_at: *at };
    // The half of a contact and the whole may carry the same code: it is good once.
    let Some(id) = welcome::begin(tx, &new)? else { return Ok(()) };
    let message = match code {
        Some(code) => said(tx, code, &who, staff, returning)?,
        None => None,
    };
    let now = tx.cx().now;
    let by_message = code.is_some_and(|code| code.plan.welcome_by_message);
    let outcome = match (message, *welcome_code) {
        (None, _) => WelcomeOutcome::Nothing,
        (Some(message), Some(welcome_code)) if is_alive(added, now) => {
            let ask = wecom::Ask::Welcome {
                welcome_code: welcome_code.to_owned(),
                contact: contact.clone(),
                staff: staff.clone(),
                until: lives_until(*at, now),
                message,
            };
            let call = ask_wecom(tx, &ask, &format!("welcome/{id}"))?;
            return welcome::goes_by(tx, id, call);
        }
        // Who is heard of late was not waiting for it.
        (Some(message), _) if by_message && now.millis().saturating_sub(at.millis()) <= FRESH_MS => {
            let ask =
                wecom::Ask::MessageContacts { contacts: vec![contact.clone()], sender: Some(staff.clone()), message };
            let call = ask_wecom(tx, &ask, &format!("welcome/{id}"))?;
            return welcome::goes_by(tx, id, call);
        }
        (Some(_), Some(_)) => WelcomeOutcome::Missed,
        (Some(_), None) => WelcomeOutcome::NoCode,
    };
    welcomed::ended(tx, Which::Key(id), outcome, now)
}

/// Welcomes who follows the Official Account, or scans a code of it again, by customer-service messages, which may follow on both.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn follower(tx: &Tx<'_>, text: &str, who: &Identity, code: Option<&Code>, at: UnixMs) -> Result<(), DbError> {
    let Some(code) = code else { return Ok(()) };
    let new = NewWelcome { token: text, code: Some(code.id), staff: None, who, added_at: at };
    let Some(id) = welcome::begin(tx, &new)? else { return Ok(()) };
    let returning = known::stage(tx, who)?.is_some();
    let Some(message) = said(tx, code, who, "", returning)? else {
        return welcomed::ended(tx, Which::Key(id), WelcomeOutcome::Nothing, tx.cx().now);
    };
    let mut call = None;
    for (place, content) in (0_i64..).zip(contents(message)) {
        let ask = official_account::Ask::ServiceMessage { open_id: who.value.clone(), message: content };
        // One after the other: the platform shows them in the order in which they come in.
        let due = tx.cx().now.try_add_millis(place * 1000).unwrap_or(tx.cx().now);
        let asked = ask_account_at(tx, &ask, &format!("welcome/{id}/{place}"), due)?;
        call.get_or_insert(asked);
    }
    match call {
        Some(call) => welcome::goes_by(tx, id, call),
        // Of a plan that was written before pictures by address were refused for accounts.
        None => welcomed::ended(tx, Which::Key(id), WelcomeOutcome::Nothing, tx.cx().now),
    }
}

/// A message as the single ones that an account can send. The account does not know its followers' names.
fn contents(message: wecom::Message) -> Vec<Content> {
    let nameless = |text: String| text.replace(wecom::CUSTOMER, "");
    let text = message.text.map(|text| Content::Text { text: nameless(text) });
    let attached = message.attachments.into_iter().filter_map(|one| match one {
        Attachment::Image { media_id, .. } => media_id.map(|media_id| Content::Image { media_id }),
        Attachment::Link { title, url, picture_url, description } => {
            Some(Content::Link { title, description, url, picture_url })
        }
        Attachment::MiniProgram { title, app_id, page, picture_media_id } => {
            Some(Content::MiniProgram { title, app_id, page, picture_media_id })
        }
    });
    text.into_iter().chain(attached).collect()
}

/// What the code's plan has to say to this person now.
fn said(
    tx: &Tx<'_>,
    code: &Code,
    who: &Identity,
    staff: &str,
    returning: bool,
) -> Result<Option<wecom::Message>, DbError> {
    let Some(plan) = &code.plan.welcome else { return Ok(None) };
    let customer = if returning { Familiarity::Returning } else { Familiarity::New };
    let stage = known::stage(tx, who)?;
    let facts = Facts { at: tx.cx().now, customer, stage, store: Some(&code.store) };
    let chosen = plan.choose(facts).map_err(|error| DbError::Shape(error.to_string()))?;
    let staff = code.plan.reception.as_ref().map_or(staff, |reception| reception.name_of(staff));
    let variables = Variables { staff, store: code.store_name(), code: &code.name };
    Ok(chosen.map(|message| platform_message(message, variables)))
}

/// A message in the form that goes out; the contact's name is filled in on the way.
fn platform_message(message: &welcome_plan::Message, variables: Variables<'_>) -> wecom::Message {
    let attachment = |one: &welcome_plan::Attachment| match one.clone() {
        welcome_plan::Attachment::Image { url } => Attachment::Image { media_id: None, pic_url: Some(url) },
        welcome_plan::Attachment::Link { title, description, picture, url } => {
            Attachment::Link { title, url, picture_url: picture, description }
        }
        welcome_plan::Attachment::MiniProgram { title, app_id, page, picture_media_id } => {
            Attachment::MiniProgram { title, app_id, page, picture_media_id }
        }
        welcome_plan::Attachment::CouponLink { title, url } => {
            Attachment::Link { title, url, picture_url: None, description: None }
        }
    };
    wecom::Message {
        text: Some(fill(&message.text, variables)).filter(|text| !text.is_empty()),
        attachments: message.attachments.iter().map(attachment).collect(),
    }
}
