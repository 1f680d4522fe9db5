//! What the platforms answered to what they were asked.

use crate::arrive::external_user;
use crate::code::CodeKind;
use crate::store::code::{self, Code};
use crate::store::welcome::Which;
use crate::store::{contact, way};
use crate::{SOURCE, arrive, chats, consume, pull, push, settings, tags, transfer, welcomed};
use domain::{
    ChannelCodeId, ContactDetailed, ContactFollow, Event, Identity, IdentityKind, OutboxFailed, OutboxSucceeded,
    UnixMs, Version, WelcomeOutcome,
};
use kit::consume::ConsumeError;
use kit::{App, DbError, Tx, Vault, events, outbox};
use platforms::wecom::answer::{Contact, WayAdded};
use platforms::{official_account, wecom};
use serde::de::DeserializeOwned;

/// The purpose under which contacts' names are sealed; customers open them.
pub const NAME: &str = "contact.name";

/// A platform has answered.
///
/// # Errors
/// Where the answer cannot be opened or read, and [`DbError`] of the statements.
pub fn succeeded(app: &App, tx: &Tx<'_>, event: &OutboxSucceeded) -> Result<(), ConsumeError> {
    if consume::is_wecom(&event.destination) {
        let vault = vault(app)?;
        let Exchanged { ask, answer, queued_at } = exchanged(tx, &vault, event)?;
        if let wecom::Answer::Contact(told) = answer {
            return Ok(contact_told(tx, &vault, told, queued_at, event.at)?);
        }
        if let wecom::Answer::Tags { groups } = answer {
            return Ok(tags::listed(tx, &groups, queued_at)?);
        }
        return wecom_answered(tx, event, ask, answer);
    }
    if event.destination == official_account::DESTINATION {
        let Exchanged { ask, answer, .. } = exchanged(tx, &vault(app)?, event)?;
        return account_answered(app, tx, event, ask, answer);
    }
    Ok(())
}

fn wecom_answered(
    tx: &Tx<'_>,
    event: &OutboxSucceeded,
    ask: wecom::Ask,
    answer: wecom::Answer,
) -> Result<(), ConsumeError> {
    use wecom::{Answer, Ask};
    match (ask, answer) {
        (Ask::AddContactWay { way }, Answer::ContactWayAdded(added)) => way_added(tx, event, &way.state, &added),
        (Ask::AddJoinWay { way }, Answer::JoinWayAdded(added)) => {
            if added.qr_code.is_none() {
                let ask = Ask::GetJoinWay { config_id: added.config_id.clone() };
                push::ask_wecom(tx, &ask, &event.subject)?;
            }
            way_added(tx, event, &way.state, &added)
        }
        (Ask::GetJoinWay { .. }, Answer::JoinWay(found)) => {
            let added = WayAdded { config_id: found.config_id, qr_code: found.qr_code };
            way_added(tx, event, found.state.as_deref().unwrap_or_default(), &added)
        }
        (Ask::Welcome { .. }, Answer::WelcomeSent { outcome }) => {
            Ok(welcomed::ended(tx, Which::Call(event.outbox_id), outcome, event.at)?)
        }
        (Ask::MessageContacts { .. }, Answer::MessageTask(task)) => {
            Ok(welcomed::handed(tx, event.outbox_id, &task, event.at)?)
        }
        (Ask::MessageResults { .. }, Answer::MessageResults(results)) => {
            Ok(welcomed::told(tx, &event.subject, &results, event.at)?)
        }
        (Ask::AddTags { names, .. }, Answer::TagsAdded(made)) => {
            Ok(tags::added(tx, &event.subject, &names, &made, event.at)?)
        }
        (Ask::Transfer { .. }, Answer::Transferred(told)) => {
            Ok(transfer::started(tx, &event.subject, &told, event.at)?)
        }
        (Ask::TransferResult { .. }, Answer::TransferState { contacts }) => {
            Ok(transfer::results(tx, &event.subject, &contacts, event.at)?)
        }
        (Ask::EditTag { id, .. }, _) => Ok(tags::edited(tx, &id)?),
        (Ask::MarkTags { staff, contact, add, remove }, _) => {
            Ok(tags::marked(tx, (&staff, &contact), &add, &remove, event.at)?)
        }
        (Ask::ListContacts { staff }, Answer::Contacts { contacts }) => {
            Ok(pull::told(tx, &staff, &contacts, event.at)?)
        }
        (Ask::GetGroup { .. }, Answer::Group(told)) => Ok(chats::told(tx, &told, event.at)?),
        _ => Ok(()),
    }
}

/// A way was made: of a code, or of one receiver of a code.
fn way_added(tx: &Tx<'_>, event: &OutboxSucceeded, state: &str, added: &WayAdded) -> Result<(), ConsumeError> {
    let url = added.qr_code.as_deref().unwrap_or_default();
    let of_receiver = way::by_state(tx, state)?;
    if let Some(of_receiver) = of_receiver {
        way::made(tx, state, &added.config_id, url)?;
        withdraw_if_retired(tx, of_receiver.code)?;
        return Ok(push::refresh_by_id(tx, of_receiver.code)?);
    }
    let Ok(id) = event.subject.parse::<ChannelCodeId>() else { return Ok(()) };
    code::made(tx, id, Some(&added.config_id), url, None)?;
    withdraw_if_retired(tx, id)?;
    // What has changed since it was asked for.
    Ok(push::refresh_by_id(tx, id)?)
}

/// A code that was retired while the platform made it goes at once.
fn withdraw_if_retired(tx: &Tx<'_>, id: ChannelCodeId) -> Result<(), DbError> {
    match code::by_id(tx, id)? {
        Some(code) if code.retired_at.is_some() => push::withdraw(tx, &code),
        _ => Ok(()),
    }
}

fn contact_told(tx: &Tx<'_>, vault: &Vault, told: Contact, queued_at: UnixMs, at: UnixMs) -> Result<(), DbError> {
    let seal = |name: &domain::Secret<String>| vault.seal(NAME, name.expose().as_bytes());
    let name = told.name.as_ref().map(seal).transpose().map_err(|error| DbError::Shape(error.to_string()))?;
    contact::detail(tx, &told.contact, told.union_id.as_deref(), name, at)?;
    for follow in &told.follows {
        arrive::followed(tx, &told.contact, follow, queued_at)?;
    }
    let mut follows = told
        .follows
        .into_iter()
        .map(|follow| {
            let mut tags: Vec<String> = follow.tags.into_iter().map(|tag| tag.id).collect();
            tags.sort();
            ContactFollow { staff: follow.staff, since: follow.since, tags }
        })
        .collect::<Vec<_>>();
    follows.sort();
    tags::told(tx, &told.contact, &follows, queued_at, at)?;
    detailed(tx, external_user(&told.contact), told.union_id, follows, at)
}

fn detailed(
    tx: &Tx<'_>,
    who: Identity,
    union_id: Option<String>,
    follows: Vec<ContactFollow>,
    at: UnixMs,
) -> Result<(), DbError> {
    let union = union_id.map(|value| Identity { kind: IdentityKind::WechatUnionId, scope: None, value });
    let subject = who.value.clone();
    let mut identities: Vec<_> = union.into_iter().chain([who]).collect();
    identities.sort();
    let event = Event::ContactDetailed(ContactDetailed { v: Version, identities, follows, at });
    events::append(tx, SOURCE, &subject, &event).map(drop)
}

fn account_answered(
    app: &App,
    tx: &Tx<'_>,
    event: &OutboxSucceeded,
    ask: official_account::Ask,
    answer: official_account::Answer,
) -> Result<(), ConsumeError> {
    use official_account::{Answer, Ask};
    match (ask, answer) {
        (Ask::CreateCode { .. }, Answer::CodeCreated { url, expires_in, .. }) => {
            let Ok(id) = event.subject.parse() else { return Ok(()) };
            let life = expires_in.map(|seconds| event.at.try_add_millis(seconds.saturating_mul(1000)));
            Ok(code::made(tx, id, None, &url, life.and_then(Result::ok))?)
        }
        (Ask::GetPerson { .. }, Answer::Person { open_id, union_id, .. }) => {
            let account = app.variables().optional(settings::OFFICIAL_ACCOUNT_APP_ID).map(str::to_owned);
            let who = Identity { kind: IdentityKind::WechatOpenId, scope: account, value: open_id };
            Ok(detailed(tx, who, union_id, Vec::new(), event.at)?)
        }
        (Ask::ServiceMessage { .. }, Answer::Sent { .. }) => {
            Ok(welcomed::ended(tx, Which::Call(event.outbox_id), WelcomeOutcome::SentAsMessage, event.at)?)
        }
        _ => Ok(()),
    }
}

/// A platform was asked in vain.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn failed(tx: &Tx<'_>, event: &OutboxFailed) -> Result<(), ConsumeError> {
    let ours = consume::is_wecom(&event.destination) || event.destination == official_account::DESTINATION;
    if !ours {
        return Ok(());
    }
    if asked_in_vain(tx, event)? {
        return Ok(());
    }
    welcomed::ended(tx, Which::Call(event.outbox_id), WelcomeOutcome::Refused, event.at)?;
    let code: Option<Code> = match event.operation.as_str() {
        "add_contact_way" | "update_contact_way" | "add_join_way" | "update_join_way" | "create_code" => {
            let by_id = event.subject.parse().ok().map_or(Ok(None), |id| code::by_id(tx, id))?;
            by_id.map_or_else(|| code::by_state(tx, &event.subject), |code| Ok(Some(code)))?
        }
        _ => None,
    };
    let Some(code) = code else { return Ok(()) };
    if code.kind == CodeKind::Assigned {
        way::refused(tx, &event.subject)?;
    }
    code::in_trouble(tx, code.id, &event.error)?;
    // What the operator mends at the platform is noticed without a change of the plan.
    Ok(push::look_again(tx, code.id, event.at)?)
}

/// WeCom was asked in vain for something about tags, or to hand contacts over. Tells whether it was about that.
fn asked_in_vain(tx: &Tx<'_>, event: &OutboxFailed) -> Result<bool, ConsumeError> {
    if !matches!(event.operation.as_str(), "add_tags" | "edit_tag" | "list_tags" | "mark_tags" | "transfer") {
        return Ok(false);
    }
    let Some(call) = outbox::finished(tx, event.outbox_id)? else { return Ok(true) };
    let ask = serde_json::from_str(&call.request);
    match ask.map_err(|error| ConsumeError::Refused(format!("call {}: {error}", event.outbox_id)))? {
        wecom::Ask::MarkTags { staff, contact, add, remove } => {
            tags::marking_failed(tx, (&staff, &contact), (&add, &remove), &event.error, event.at)?;
        }
        ask @ wecom::Ask::Transfer { .. } => transfer::failed(tx, event, &ask)?,
        ask => tags::failed(tx, &event.subject, &ask, &event.error)?,
    }
    Ok(true)
}

fn vault(app: &App) -> Result<Vault, ConsumeError> {
    Vault::new(app.variables()).map_err(|error| ConsumeError::Refused(error.to_string()))
}

/// A call that was answered.
struct Exchanged<Q, A> {
    ask: Q,
    answer: A,
    /// When it was queued: the answer is not older.
    queued_at: UnixMs,
}

/// What was asked, and what was answered.
fn exchanged<Q: DeserializeOwned, A: DeserializeOwned>(
    tx: &Tx<'_>,
    vault: &Vault,
    event: &OutboxSucceeded,
) -> Result<Exchanged<Q, A>, ConsumeError> {
    let refusal = |error: &dyn std::fmt::Display| ConsumeError::Refused(format!("call {}: {error}", event.outbox_id));
    let call = outbox::finished(tx, event.outbox_id)?.ok_or_else(|| refusal(&"there is none"))?;
    let sealed = call.response.ok_or_else(|| refusal(&"it has no answer"))?;
    let body = vault.open(outbox::RESPONSE_PURPOSE, &sealed).map_err(|error| refusal(&error))?;
    let ask = serde_json::from_str(&call.request).map_err(|error| refusal(&error))?;
    let answer = serde_json::from_slice(&body).map_err(|error| refusal(&error))?;
    Ok(Exchanged { ask, answer, queued_at: call.queued_at })
}
