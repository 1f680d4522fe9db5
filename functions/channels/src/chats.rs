//! Who is in a group chat, held against who was: those who joined and left since are told.

use crate::SOURCE;
use crate::arrive::{WECOM, external_user};
use crate::push;
use crate::store::{code, group};
use domain::{Activity, ActivityRecorded, Event, UnixMs, Version};
use kit::{DbError, Tx, events};
use platforms::wecom::answer::Group;

/// WeCom has told who is in a chat.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn told(tx: &Tx<'_>, told: &Group, at: UnixMs) -> Result<(), DbError> {
    let members = i64::try_from(told.members.len()).unwrap_or(i64::MAX);
    let (name, owner) = (told.name.as_deref().unwrap_or_default(), told.owner.as_str());
    group::told(tx, group::Told { id: &told.group, name, owner, members, version: told.version.as_deref() })?;
    let known = group::members(tx, &told.group)?;
    for member in told.members.iter().filter(|member| !member.is_staff && !known.contains(&member.id)) {
        let by = member.state.as_deref().map_or(Ok(None), |state| code::by_state(tx, state))?;
        let code = by.as_ref().map(|code| code.id.to_string());
        let since = member.joined_at.unwrap_or(at);
        group::join(tx, &told.group, &member.id, code.clone(), since)?;
        let activity = Activity::GroupJoined { group: told.group.clone(), code };
        let place = by.map(|code| (code.channel, code.store));
        tell(tx, &member.id, place, since, activity)?;
    }
    for gone in known.iter().filter(|id| told.members.iter().all(|member| member.id != **id)) {
        group::leave(tx, &told.group, gone)?;
        tell(tx, gone, None, at, Activity::GroupLeft { group: told.group.clone() })?;
    }
    code::of_group(tx, &told.group)?.iter().try_for_each(|code| push::refresh(tx, code))
}

fn tell(
    tx: &Tx<'_>,
    member: &str,
    place: Option<(String, String)>,
    at: UnixMs,
    activity: Activity,
) -> Result<(), DbError> {
    let (channel, store) = place.unzip();
    let kind = activity.kind();
    let event = ActivityRecorded {
        v: Version,
        source: WECOM.to_owned(),
        identities: vec![external_user(member)],
        hints: Vec::new(),
        channel,
        store,
        staff: None,
        at,
        activity,
    };
    events::append(tx, SOURCE, kind, &Event::ActivityRecorded(event)).map(drop)
}
