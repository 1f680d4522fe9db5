//! Groups of tags and tags at WeCom: made, renamed, and looked at when they changed there.

use super::{LONGEST_NAME, marks};
use crate::push;
use crate::store::wecom_tag::{self as store, Group, Tag};
use crate::store::{code, customer_tag, mark};
use domain::{TagDefined, TagGroupId, TagId, TagRetired, UnixMs, WecomTagsChanged};
use kit::{DbError, Tx};
use platforms::wecom::{Ask, answer};
use std::collections::{BTreeMap, BTreeSet};

/// How many tags one call makes.
const A_CALL: usize = 100;

/// Keeps a group at WeCom from now on, with these tags; or looks at it again, and brings the names back that are ours.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn start(tx: &Tx<'_>, id: TagGroupId, name: &str, tags: &[(TagId, String)]) -> Result<(), DbError> {
    store::begin(tx, id, name)?;
    for (tag, name) in tags {
        store::define(tx, id, *tag, name)?;
    }
    rename_group(tx, id)?;
    for tag in store::tags(tx, id)? {
        rename(tx, &tag)?;
        if tag.wecom_id.is_some() {
            marks::look_at_all(tx, tag.id, None)?;
        }
    }
    push(tx, id)
}

/// A tag was made or renamed here, or a group was renamed.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn defined(tx: &Tx<'_>, event: &TagDefined) -> Result<(), DbError> {
    let group = event.tag_group_id;
    if store::group(tx, group)?.is_none() {
        return Ok(());
    }
    let (Some(tag), Some(name)) = (event.tag_id, &event.name) else {
        store::rename_group(tx, group, &event.group_name)?;
        return rename_group(tx, group);
    };
    store::define(tx, group, tag, name)?;
    if let Some(tag) = store::tag(tx, tag)? {
        rename(tx, &tag)?;
    }
    push(tx, group)
}

/// A tag was retired here: it goes at WeCom too, with its marks, and codes give it no longer.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn retired(tx: &Tx<'_>, event: &TagRetired) -> Result<(), DbError> {
    customer_tag::forget_tag(tx, event.tag_id)?;
    for mut code in code::giving(tx, event.tag_id)? {
        code.plan.tags.retain(|tag| *tag != event.tag_id);
        code::change(tx, &code)?;
    }
    let Some(tag) = store::tag(tx, event.tag_id)? else { return Ok(()) };
    store::forget(tx, tag.id)?;
    let Some(id) = tag.wecom_id else { return Ok(()) };
    push::ask_wecom(tx, &Ask::DeleteTags { tags: vec![id.clone()], groups: Vec::new() }, &id).map(drop)
}

fn fits(name: &str) -> bool {
    name.chars().count() <= LONGEST_NAME
}

fn too_long() -> Option<String> {
    Some(format!("the name has more than {LONGEST_NAME} characters: WeCom takes no longer ones"))
}

/// Asks for the tags that WeCom has not told the ids of. A waiting call is replaced, so each names all that fit in one.
fn push(tx: &Tx<'_>, id: TagGroupId) -> Result<(), DbError> {
    let Some(mut group) = store::group(tx, id)? else { return Ok(()) };
    let mut missing: Vec<Tag> =
        store::tags(tx, id)?.into_iter().filter(|tag| tag.wecom_id.is_none() && !tag.deleted).collect();
    for tag in missing.iter_mut().filter(|tag| tag.wecom_name.is_none() && !fits(&tag.name)) {
        tag.trouble = too_long();
        store::save(tx, tag)?;
    }
    missing.retain(|tag| tag.wecom_name.is_some() || fits(&tag.name));
    if group.wecom_id.is_none() && !fits(&group.name) {
        group.trouble = too_long();
        return store::save_group(tx, &group);
    }
    // Those that were asked for come first.
    missing.sort_by_key(|tag| tag.wecom_name.is_none());
    let mut names = BTreeSet::new();
    let mut new = false;
    for tag in missing.iter_mut().take(A_CALL) {
        let asked = tag.wecom_name.clone();
        let name = asked.clone().unwrap_or_else(|| tag.name.clone());
        if names.insert(name.clone()) && asked.is_none() {
            new = true;
            tag.wecom_name = Some(name);
            tag.trouble = None;
            store::save(tx, tag)?;
        }
    }
    if !new {
        return Ok(());
    }
    if group.wecom_id.is_none() && group.wecom_name.is_none() {
        group.wecom_name = Some(group.name.clone());
        store::save_group(tx, &group)?;
    }
    let group_name = if group.wecom_id.is_none() { group.wecom_name } else { None };
    let ask = Ask::AddTags { group_id: group.wecom_id, group_name, names: names.into_iter().collect() };
    push::ask_wecom(tx, &ask, &id.to_string()).map(drop)
}

fn rename(tx: &Tx<'_>, tag: &Tag) -> Result<(), DbError> {
    let Some(id) = tag.wecom_id.clone() else { return Ok(()) };
    if tag.wecom_name.as_ref() == Some(&tag.name) {
        return Ok(());
    }
    if !fits(&tag.name) {
        return store::save(tx, &Tag { trouble: too_long(), ..tag.clone() });
    }
    store::save(tx, &Tag { wecom_name: Some(tag.name.clone()), trouble: None, ..tag.clone() })?;
    push::ask_wecom(tx, &Ask::EditTag { id: id.clone(), name: tag.name.clone() }, &id).map(drop)
}

fn rename_group(tx: &Tx<'_>, id: TagGroupId) -> Result<(), DbError> {
    let Some(mut group) = store::group(tx, id)? else { return Ok(()) };
    let Some(wecom_id) = group.wecom_id.clone() else { return Ok(()) };
    if group.wecom_name.as_ref() == Some(&group.name) {
        return Ok(());
    }
    if !fits(&group.name) {
        group.trouble = too_long();
        return store::save_group(tx, &group);
    }
    group.wecom_name = Some(group.name.clone());
    group.trouble = None;
    store::save_group(tx, &group)?;
    push::ask_wecom(tx, &Ask::EditTag { id: wecom_id.clone(), name: group.name }, &wecom_id).map(drop)
}

/// WeCom has made tags: their ids are kept, and customers who have them are marked.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn added(
    tx: &Tx<'_>,
    subject: &str,
    asked: &[String],
    answer: &answer::TagGroup,
    at: UnixMs,
) -> Result<(), DbError> {
    let Ok(id) = subject.parse() else { return Ok(()) };
    let Some(group) = store::group(tx, id)? else { return Ok(()) };
    let since = group.since.unwrap_or(at);
    let told = Group {
        wecom_id: Some(answer.id.clone()),
        wecom_name: Some(answer.name.clone()),
        trouble: None,
        since: Some(since),
        ..group
    };
    store::save_group(tx, &told)?;
    let ids: Vec<String> = answer.tags.iter().map(|tag| tag.id.clone()).collect();
    let mut taken: BTreeSet<String> = store::by_wecom_ids(tx, &ids)?.into_keys().collect();
    for mut tag in store::tags(tx, id)? {
        let name = tag.wecom_name.clone().unwrap_or_else(|| tag.name.clone());
        if tag.wecom_id.is_some() || tag.deleted || !asked.contains(&name) {
            continue;
        }
        let made = answer.tags.iter().find(|made| made.name == name && !taken.contains(&made.id));
        tag.trouble = match made {
            Some(_) => None,
            None => Some("WeCom has this name for another tag, or none of it: choose another name".to_owned()),
        };
        tag.wecom_name = Some(name);
        if let Some(made) = made {
            taken.insert(made.id.clone());
            tag.wecom_id = Some(made.id.clone());
            tag.since = Some(at);
            marks::look_at_all(tx, tag.id, None)?;
        }
        store::save(tx, &tag)?;
        // Renamed here while WeCom made it.
        rename(tx, &tag)?;
    }
    rename_group(tx, id)?;
    push(tx, id)
}

/// WeCom has renamed a tag or a group.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn edited(tx: &Tx<'_>, wecom_id: &str) -> Result<(), DbError> {
    noted(tx, wecom_id, None, false)
}

/// Notes what is wrong with a tag or group, by WeCom's id. `unknown`: nobody knows what WeCom calls it.
fn noted(tx: &Tx<'_>, wecom_id: &str, trouble: Option<&str>, unknown: bool) -> Result<(), DbError> {
    let trouble = trouble.map(str::to_owned);
    if let Some(tag) = store::by_wecom_ids(tx, &[wecom_id.to_owned()])?.into_values().next() {
        let wecom_name = tag.wecom_name.clone().filter(|_| !unknown);
        return store::save(tx, &Tag { trouble, wecom_name, ..tag });
    }
    let Some(group) = store::all(tx)?.into_iter().find(|group| group.wecom_id.as_deref() == Some(wecom_id)) else {
        return Ok(());
    };
    let wecom_name = group.wecom_name.clone().filter(|_| !unknown);
    store::save_group(tx, &Group { trouble, wecom_name, ..group })
}

/// WeCom was asked in vain to make, rename or list tags.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn failed(tx: &Tx<'_>, subject: &str, ask: &Ask, error: &str) -> Result<(), DbError> {
    match ask {
        Ask::AddTags { names, .. } => {
            let Some(mut group) = subject.parse().map_or(Ok(None), |id| store::group(tx, id))? else { return Ok(()) };
            group.trouble = Some(error.to_owned());
            if group.wecom_id.is_none() {
                group.wecom_name = None;
            }
            store::save_group(tx, &group)?;
            for mut tag in store::tags(tx, group.id)? {
                if tag.wecom_id.is_none() && tag.wecom_name.as_ref().is_some_and(|name| names.contains(name)) {
                    tag.wecom_name = None;
                    store::save(tx, &tag)?;
                }
            }
            if group.wecom_id.is_some() { ask_for_all(tx) } else { Ok(()) }
        }
        Ask::EditTag { id, .. } => {
            noted(tx, id, Some(error), true)?;
            ask_for_all(tx)
        }
        Ask::ListTags { .. } => store::trust(tx),
        _ => Ok(()),
    }
}

/// Tags changed at WeCom: it is asked for all of them, since what was deleted can be named no longer.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn changed(tx: &Tx<'_>, event: &WecomTagsChanged) -> Result<(), DbError> {
    // Without an id only the order of groups changed.
    let Some(id) = event.id.as_deref() else { return Ok(()) };
    if !store::any(tx)? {
        return Ok(());
    }
    let known = store::doubt(tx, id)?;
    let ours = known || store::all(tx)?.iter().any(|group| group.wecom_id.as_deref() == Some(id));
    // A new tag's group is not told.
    if ours || !event.group { ask_for_all(tx) } else { Ok(()) }
}

/// Asks WeCom for all of its tags.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn ask_for_all(tx: &Tx<'_>) -> Result<(), DbError> {
    push::ask_wecom(tx, &Ask::ListTags { tags: Vec::new(), groups: Vec::new() }, "tags").map(drop)
}

/// WeCom has told all of its tags, when it was asked at `queued_at`.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn listed(tx: &Tx<'_>, told: &[answer::TagGroup], queued_at: UnixMs) -> Result<(), DbError> {
    store::trust(tx)?;
    let names: BTreeMap<&str, &str> =
        told.iter().flat_map(|group| &group.tags).map(|tag| (tag.id.as_str(), tag.name.as_str())).collect();
    let mut stale = false;
    for mut group in store::all(tx)? {
        let (Some(wecom_id), Some(since)) = (group.wecom_id.clone(), group.since) else { continue };
        let tags = store::tags(tx, group.id)?;
        match told.iter().find(|told| told.id == wecom_id) {
            Some(found) => {
                group.wecom_name = Some(found.name.clone());
                let ours = |other: &&answer::Tag| {
                    tags.iter().any(|tag| match &tag.wecom_id {
                        Some(id) => *id == other.id,
                        None => tag.wecom_name.as_ref() == Some(&other.name) && !tag.deleted,
                    })
                };
                group.others = found.tags.iter().filter(|tag| !ours(tag)).map(|tag| tag.name.clone()).collect();
            }
            None if since > queued_at => stale = true,
            None => {
                let trouble = Some("deleted at WeCom: PUT it again to make it anew".to_owned());
                group = Group { wecom_id: None, wecom_name: None, since: None, trouble, others: Vec::new(), ..group };
            }
        }
        store::save_group(tx, &group)?;
        for tag in tags {
            stale |= look(tx, tag, &names, queued_at)?;
        }
    }
    if stale { ask_for_all(tx) } else { Ok(()) }
}

/// Compares a tag with what WeCom told. Tells whether that is too old to say.
fn look(tx: &Tx<'_>, tag: Tag, names: &BTreeMap<&str, &str>, queued_at: UnixMs) -> Result<bool, DbError> {
    let (Some(wecom_id), Some(since)) = (&tag.wecom_id, tag.since) else { return Ok(false) };
    match names.get(wecom_id.as_str()) {
        Some(name) => {
            let wecom_name = Some((*name).to_owned());
            store::save(tx, &Tag { wecom_name, ..tag })?;
        }
        None if since > queued_at => return Ok(true),
        None => {
            mark::forget_tag(tx, tag.id)?;
            let trouble = Some("deleted at WeCom: PUT the group again to make it anew".to_owned());
            store::save(tx, &Tag { wecom_id: None, wecom_name: None, since: None, deleted: true, trouble, ..tag })?;
        }
    }
    Ok(false)
}
