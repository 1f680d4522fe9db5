//! Who is in a group chat, held against who was: those who joined and left since are told. WeCom is asked when a callback tells of a change, and once an hour
//! for the chats of chains, since callbacks may be lost.

use crate::SOURCE;
use crate::arrive::{WECOM, external_user};
use crate::push;
use crate::store::{code, group};
use domain::{Activity, ActivityRecorded, Event, Identity, IdentityKind, JoinScene, LeaveReason, UnixMs, Version};
use kit::{DbError, Tx, events};
use platforms::wecom::answer::{Group, GroupMember};

/// WeCom has told who is in a chat. Of one that was dismissed since, that is no longer so.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn told(tx: &Tx<'_>, told: &Group, at: UnixMs) -> Result<(), DbError> {
    if !group::gone(tx, std::slice::from_ref(&told.group))?.is_empty() {
        return Ok(());
    }
    let members = i64::try_from(told.members.len()).unwrap_or(i64::MAX);
    let (name, owner) = (told.name.as_deref().unwrap_or_default(), told.owner.as_str());
    group::told(tx, group::Told { id: &told.group, name, owner, members, version: told.version.as_deref() })?;
    let known = group::members(tx, &told.group)?;
    for member in told.members.iter().filter(|member| !member.is_staff && !known.contains(&member.id)) {
        joined(tx, &told.group, member, at)?;
    }
    for gone in known.iter().filter(|id| told.members.iter().all(|member| member.id != **id)) {
        let reason = group::leave(tx, &told.group, gone)?;
        left(tx, &told.group, gone, reason, at)?;
    }
    code::of_group(tx, &told.group)?.iter().try_for_each(|code| push::refresh(tx, code))
}

/// A chat was dismissed: all who were in it left.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn dismissed(tx: &Tx<'_>, id: &str, at: UnixMs) -> Result<(), DbError> {
    for member in group::members(tx, id)? {
        group::leave(tx, id, &member)?;
        left(tx, id, &member, Some(LeaveReason::Dismissed), at)?;
    }
    Ok(())
}

fn joined(tx: &Tx<'_>, id: &str, member: &GroupMember, at: UnixMs) -> Result<(), DbError> {
    let by = member.state.as_deref().map_or(Ok(None), |state| code::by_state(tx, state))?;
    let code = by.as_ref().map(|code| code.id.to_string());
    let since = member.joined_at.unwrap_or(at);
    group::join(tx, id, &member.id, code.clone(), since)?;
    let scene = match member.join_scene {
        Some(1) => Some(JoinScene::Invitation),
        Some(2) => Some(JoinScene::InvitationLink),
        Some(3) => Some(JoinScene::Code),
        _ => None,
    };
    let union = member.union_id.clone();
    let union = union.map(|value| Identity { kind: IdentityKind::WechatUnionId, scope: None, value });
    let identities = union.into_iter().chain([external_user(&member.id)]).collect();
    let place = by.map(|code| (code.channel, code.store));
    tell(tx, identities, place, since, Activity::GroupJoined { group: id.to_owned(), code, scene })
}

fn left(tx: &Tx<'_>, id: &str, member: &str, reason: Option<LeaveReason>, at: UnixMs) -> Result<(), DbError> {
    tell(tx, vec![external_user(member)], None, at, Activity::GroupLeft { group: id.to_owned(), reason })
}

fn tell(
    tx: &Tx<'_>,
    mut identities: Vec<Identity>,
    place: Option<(String, String)>,
    at: UnixMs,
    activity: Activity,
) -> Result<(), DbError> {
    identities.sort();
    let (channel, store) = place.unzip();
    let kind = activity.kind();
    let event = ActivityRecorded {
        v: Version,
        source: WECOM.to_owned(),
        identities,
        hints: Vec::new(),
        channel,
        store,
        staff: None,
        at,
        activity,
    };
    events::append(tx, SOURCE, kind, &Event::ActivityRecorded(event)).map(drop)
}
