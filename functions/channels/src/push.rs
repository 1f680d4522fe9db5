//! What the platforms are to have for a code, worked out anew when something that it depends on changes, and asked for only when it differs from
//! what was asked last.

use crate::SOURCE;
use crate::code::CodeKind;
use crate::reception::{self, Receivers, Reception};
use crate::state::short_state;
use crate::store::code::{self, Code};
use crate::store::way::Way;
use crate::store::{group, json, turn, way};
use crate::{arrive, pull};
use domain::{ChannelCodeId, Event, OutboxId, ReceptionDue, UnixMs, Version, day};
use kit::outbox::{self, Call};
use kit::{DbError, Tx, events};
use platforms::official_account;
use platforms::wecom::{self, ContactWay, JoinWay};
use std::collections::{BTreeMap, BTreeSet};

/// After how long what a platform has refused is asked again, and who is in the chats of a chain: an hour, in milliseconds.
const AGAIN_MS: i64 = 3_600_000;
/// How many codes that share daily caps are looked at for one event.
const MOST: u32 = 100;

/// Brings the platform up to what a code's plan says now.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refresh(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    if code.retired_at.is_some() {
        return Ok(());
    }
    match (code.kind, &code.plan.reception) {
        (CodeKind::ContactWay, Some(plan)) => contact_way(tx, code, plan),
        (CodeKind::Assigned, Some(plan)) => single_ways(tx, code, plan),
        (CodeKind::GroupWay, _) => join_way(tx, code),
        (CodeKind::Account | CodeKind::AccountTemporary, _) => account(tx, code),
        _ => Ok(()),
    }
}

/// The same of a code that was changed, by its id.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refresh_by_id(tx: &Tx<'_>, id: ChannelCodeId) -> Result<(), DbError> {
    code::by_id(tx, id)?.map_or(Ok(()), |code| refresh(tx, &code))
}

/// The same of a code that was just made or changed. How full the chats of a chain are is asked for.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn begin(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    refresh(tx, code)?;
    ask_about_groups(tx, code)
}

/// The same of a code by which somebody has come, and where that changes who receives, of all that share its daily caps.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refresh_all(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    refresh(tx, code)?;
    let is_changed = code::by_id(tx, code.id)?.is_some_and(|now| now.asked != code.asked);
    if is_changed { look_at_sharing(tx, code.caps(), String::new()) } else { Ok(()) }
}

/// A code's plan changes by the hour, or what has gone from daily caps that it shares, or what goes on in the chats of its chain.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn due(tx: &Tx<'_>, due: &ReceptionDue) -> Result<(), DbError> {
    match &due.sharing_after {
        None => code::by_id(tx, due.code_id)?.map_or(Ok(()), |code| begin(tx, &code)),
        Some(after) => refresh_sharing(tx, due.code_id, after),
    }
}

/// The same of codes that share the daily caps of one, and of that one, a batch an event: those after `after`.
fn refresh_sharing(tx: &Tx<'_>, caps_of: ChannelCodeId, after: &str) -> Result<(), DbError> {
    if after.is_empty() {
        refresh_by_id(tx, caps_of)?;
    }
    let sharing = code::sharing(tx, caps_of, after, MOST)?;
    sharing.iter().try_for_each(|code| refresh(tx, code))?;
    sharing.last().map_or(Ok(()), |last| look_at_sharing(tx, caps_of, last.id.to_string()))
}

fn look_at_sharing(tx: &Tx<'_>, caps_of: ChannelCodeId, after: String) -> Result<(), DbError> {
    if code::sharing(tx, caps_of, &after, 1)?.is_empty() {
        return Ok(());
    }
    let id = caps_of.to_string();
    let event = Event::ReceptionDue(ReceptionDue { v: Version, code_id: caps_of, sharing_after: Some(after) });
    events::schedule(tx, tx.cx().now, &format!("channels.sharing/{id}"), SOURCE, &id, &event)
}

/// Takes from the platform what it has for a code that was retired.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn withdraw(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    let mut asks = Vec::new();
    if let Some(config_id) = code.config_id.clone() {
        asks.push(match code.kind {
            CodeKind::GroupWay => wecom::Ask::DeleteJoinWay { config_id },
            _ => wecom::Ask::DeleteContactWay { config_id },
        });
    }
    if code.kind == CodeKind::Assigned {
        let ways = way::of_code(tx, code.id)?;
        asks.extend(
            ways.into_iter()
                .filter_map(|way| way.config_id.map(|config_id| wecom::Ask::DeleteContactWay { config_id })),
        );
    }
    for ask in asks {
        let subject = match &ask {
            wecom::Ask::DeleteContactWay { config_id } | wecom::Ask::DeleteJoinWay { config_id } => config_id.clone(),
            _ => code.id.to_string(),
        };
        ask_wecom(tx, &ask, &subject)?;
    }
    Ok(())
}

/// Queues what WeCom is asked.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn ask_wecom(tx: &Tx<'_>, ask: &wecom::Ask, subject: &str) -> Result<OutboxId, DbError> {
    let request = serde_json::to_value(ask).map_err(|error| DbError::Shape(error.to_string()))?;
    let call = Call { destination: ask.destination(), operation: ask.operation(), subject, request };
    outbox::enqueue(tx, &call)
}

/// Queues what the Official Account's platform is asked.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn ask_account(tx: &Tx<'_>, ask: &official_account::Ask, subject: &str) -> Result<OutboxId, DbError> {
    ask_account_at(tx, ask, subject, tx.cx().now)
}

/// The same, not before `due`.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn ask_account_at(
    tx: &Tx<'_>,
    ask: &official_account::Ask,
    subject: &str,
    due: UnixMs,
) -> Result<OutboxId, DbError> {
    let request = serde_json::to_value(ask).map_err(|error| DbError::Shape(error.to_string()))?;
    let call = Call { destination: ask.destination(), operation: ask.operation(), subject, request };
    outbox::enqueue_at(tx, &call, due)
}

fn contact_way(tx: &Tx<'_>, code: &Code, plan: &Reception) -> Result<(), DbError> {
    let now = tx.cx().now;
    let taken = turn::taken(tx, code, day::of(now))?;
    remind(tx, code, plan, now)?;
    for member in plan.named() {
        pull::remind(tx, &member.staff, now)?;
    }
    let staff = match reception::receivers(plan, now, &taken).map_err(shape)? {
        Receivers::Staff { staff, .. } => staff,
        Receivers::Full => full(code, plan, now).map_err(shape)?,
        Receivers::Nobody => return Ok(()),
    };
    let way = ContactWay {
        staff,
        state: code.state.clone(),
        remark: note(&code.name),
        skip_verify: !code.plan.confirm,
        exclusive: plan.exclusive,
        several: true,
    };
    let wanted = json(&way)?;
    bring(tx, code, &wanted, |config_id| match config_id {
        Some(config_id) => wecom::Ask::UpdateContactWay { config_id, way },
        None => wecom::Ask::AddContactWay { way },
    })
}

/// Who is in a way's list while everybody is full, for it cannot be empty: the last list stays as long as the plan has nobody else in their place.
fn full(code: &Code, plan: &Reception, now: UnixMs) -> Result<Vec<String>, domain::TimeError> {
    let wanted = reception::above_caps(plan, now)?;
    let last = code.asked.as_deref().and_then(|asked| serde_json::from_str::<ContactWay>(asked).ok());
    let is_named = |staff: &String| wanted.contains(staff) || plan.backup.iter().any(|member| member.staff == *staff);
    let kept = last.map(|way| way.staff).filter(|staff| staff.iter().all(is_named));
    Ok(kept.unwrap_or(wanted))
}

/// Sets the timer for when a plan has to be looked at again.
fn remind(tx: &Tx<'_>, code: &Code, plan: &Reception, now: UnixMs) -> Result<(), DbError> {
    let Some(next) = reception::next_change(plan, now).map_err(shape)? else { return Ok(()) };
    let event = Event::ReceptionDue(ReceptionDue { v: Version, code_id: code.id, sharing_after: None });
    let id = code.id.to_string();
    events::schedule(tx, next, &format!("channels.reception/{id}"), SOURCE, &id, &event)
}

/// Sets the timer for another look at a code, an hour after `now`.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn look_again(tx: &Tx<'_>, id: ChannelCodeId, now: UnixMs) -> Result<(), DbError> {
    let due = now.try_add_millis(AGAIN_MS).unwrap_or(now);
    let event = Event::ReceptionDue(ReceptionDue { v: Version, code_id: id, sharing_after: None });
    events::schedule_by(tx, due, &format!("channels.reception/{id}"), SOURCE, &id.to_string(), &event)
}

/// One contact way for each whom the plan names, and none for others. One that is being made is looked at when it is.
fn single_ways(tx: &Tx<'_>, code: &Code, plan: &Reception) -> Result<(), DbError> {
    let named: BTreeSet<&str> = plan.named().map(|member| member.staff.as_str()).collect();
    let mut known: BTreeMap<String, Way> =
        way::of_code(tx, code.id)?.into_iter().map(|way| (way.staff.clone(), way)).collect();
    for staff in named {
        pull::remind(tx, staff, tx.cx().now)?;
        let found = known.remove(staff);
        let wanted = ContactWay {
            staff: vec![staff.to_owned()],
            state: found.as_ref().map_or_else(short_state, |way| way.state.clone()),
            remark: note(&code.name),
            skip_verify: !code.plan.confirm,
            exclusive: false,
            several: false,
        };
        single_way(tx, code, found, wanted)?;
    }
    for way in known.into_values() {
        if let Some(config_id) = way.config_id {
            way::retire(tx, &way.state)?;
            ask_wecom(tx, &wecom::Ask::DeleteContactWay { config_id: config_id.clone() }, &config_id)?;
        }
    }
    Ok(())
}

fn single_way(tx: &Tx<'_>, code: &Code, found: Option<Way>, wanted: ContactWay) -> Result<(), DbError> {
    let (staff, state, text) = (wanted.staff.concat(), wanted.state.clone(), json(&wanted)?);
    let ask = match found {
        Some(Way { retired: false, config_id: None, .. }) => return Ok(()),
        Some(Way { wanted: Some(asked), retired: false, .. }) if asked == text => return Ok(()),
        Some(Way { config_id: Some(config_id), .. }) => {
            way::change(tx, &state, &text)?;
            wecom::Ask::UpdateContactWay { config_id, way: wanted }
        }
        _ => {
            way::make(tx, code.id, &staff, &state, &text)?;
            wecom::Ask::AddContactWay { way: wanted }
        }
    };
    ask_wecom(tx, &ask, &state).map(drop)
}

fn join_way(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    // Callbacks about its chats may be lost: they are asked about again by then.
    look_again(tx, code.id, tx.cx().now)?;
    let groups = open_groups(tx, code)?;
    if groups.is_empty() {
        return code::in_trouble(tx, code.id, "all group chats of the chain are full: add one");
    }
    let way = JoinWay {
        groups,
        state: code.state.clone(),
        remark: note(&code.name),
        auto_create: false,
        base_name: None,
        base_id: None,
    };
    let wanted = json(&way)?;
    bring(tx, code, &wanted, |config_id| match config_id {
        Some(config_id) => wecom::Ask::UpdateJoinWay { config_id, way },
        None => wecom::Ask::AddJoinWay { way },
    })
}

/// Asks WeCom who is in the chats of a chain.
fn ask_about_groups(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    if code.kind != CodeKind::GroupWay || code.retired_at.is_some() {
        return Ok(());
    }
    let chain = &code.plan.groups;
    let gone = group::gone(tx, chain)?;
    chain.iter().filter(|id| !gone.contains(id)).try_for_each(|id| arrive::group::ask_about(tx, id))
}

/// The chats of the chain that are neither full nor gone, in its order; WeCom takes five.
fn open_groups(tx: &Tx<'_>, code: &Code) -> Result<Vec<String>, DbError> {
    let chain = &code.plan.groups;
    let (sizes, gone) = (group::sizes(tx, chain)?, group::gone(tx, chain)?);
    let open = chain
        .iter()
        .filter(|id| !gone.contains(id) && sizes.get(*id).is_none_or(|members| *members < code.plan.group_size()));
    Ok(open.take(5).cloned().collect())
}

fn account(tx: &Tx<'_>, code: &Code) -> Result<(), DbError> {
    let permanent = code.kind == CodeKind::Account;
    let ask = official_account::Ask::CreateCode {
        scene: code.state.clone(),
        permanent,
        seconds: (!permanent).then(|| code.plan.seconds()),
    };
    let wanted = json(&ask)?;
    if code.asked.as_ref() == Some(&wanted) {
        return Ok(());
    }
    code::ask(tx, code.id, &wanted)?;
    ask_account(tx, &ask, &code.id.to_string()).map(drop)
}

/// Asks WeCom for what is wanted, unless that was asked last. While the first request is under way, what has changed since waits for its answer.
fn bring(
    tx: &Tx<'_>,
    code: &Code,
    wanted: &str,
    ask: impl FnOnce(Option<String>) -> wecom::Ask,
) -> Result<(), DbError> {
    let is_being_made = code.asked.is_some() && code.config_id.is_none();
    if is_being_made || code.asked.as_deref() == Some(wanted) {
        return Ok(());
    }
    code::ask(tx, code.id, wanted)?;
    ask_wecom(tx, &ask(code.config_id.clone()), &code.id.to_string()).map(drop)
}

/// A note for ourselves at the platform: the beginning of the name.
fn note(name: &str) -> String {
    name.chars().take(30).collect()
}

fn shape(error: domain::TimeError) -> DbError {
    DbError::Shape(error.to_string())
}
