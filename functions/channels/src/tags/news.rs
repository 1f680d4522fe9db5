//! What staff change in WeCom, told from what we asked for ourselves.
//!
//! An answer about a contact is as old as its question: what has changed since the question was queued is not judged by it, but asked for again.

use super::{State, marks};
use crate::SOURCE;
use crate::arrive::{self, WECOM, external_user};
use crate::store::mark::{self, Mark};
use crate::store::{customer_tag, person, wecom_tag};
use domain::{ContactFollow, CustomerId, Event, Identity, IdentityKind, TagEvent, TagId, UnixMs, Version};
use kit::{DbError, Tx, events};
use std::collections::BTreeSet;

/// Whose contact it is, and what it has.
struct Whose {
    customer: CustomerId,
    contacts: Vec<String>,
    tags: BTreeSet<TagId>,
}

fn whose(tx: &Tx<'_>, contact: &str) -> Result<Option<Whose>, DbError> {
    let Some(customer) = person::customer_of(tx, &external_user(contact))? else { return Ok(None) };
    let members = customer_tag::members(tx, customer)?;
    let contacts = marks::contacts(tx, &members)?;
    let tags = customer_tag::at_wecom(tx, &members)?;
    let customer = members.first().copied().unwrap_or(customer);
    Ok(Some(Whose { customer, contacts, tags }))
}

/// WeCom has told what a contact is marked with, when it was asked at `queued_at`.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn told(
    tx: &Tx<'_>,
    contact: &str,
    follows: &[ContactFollow],
    queued_at: UnixMs,
    at: UnixMs,
) -> Result<(), DbError> {
    if !wecom_tag::any(tx)? {
        return Ok(());
    }
    let mut whose = whose(tx, contact)?;
    let mut stale = false;
    let mut gone = BTreeSet::new();
    for follow in follows {
        let pair = (follow.staff.as_str(), contact);
        let known = mark::of_pair(tx, &follow.staff, contact)?;
        let there: BTreeSet<TagId> =
            wecom_tag::by_wecom_ids(tx, &follow.tags)?.into_values().map(|tag| tag.id).collect();
        for tag in &there {
            match known.get(tag) {
                Some(Mark { state: State::Gone | State::Declined, changed_at }) if *changed_at > queued_at => {
                    stale = true
                }
                None | Some(Mark { state: State::Gone | State::Declined, .. }) => {
                    found(tx, pair, *tag, whose.as_mut(), at)?;
                }
                Some(_) => {}
            }
        }
        for (tag, mark) in known.iter().filter(|(tag, _)| !there.contains(tag)) {
            match mark.state {
                State::Marked if mark.changed_at > queued_at => stale = true,
                State::Marked if is_doubted(tx, *tag)? => {}
                State::Marked => {
                    mark::set(tx, pair, *tag, State::Declined, at)?;
                    gone.insert((*tag, follow.staff.as_str()));
                }
                State::Untold => mark::forget(tx, pair, *tag)?,
                _ => {}
            }
        }
    }
    if let Some(whose) = &mut whose {
        for (tag, staff) in gone {
            if whose.tags.contains(&tag) && !mark::is_on_any(tx, &whose.contacts, tag)? {
                whose.tags.remove(&tag);
                tell(tx, whose.customer, tag, staff, false, at)?;
            }
        }
    }
    if stale { arrive::contact::ask_about(tx, contact) } else { Ok(()) }
}

fn is_doubted(tx: &Tx<'_>, tag: TagId) -> Result<bool, DbError> {
    Ok(wecom_tag::tag(tx, tag)?.is_some_and(|tag| tag.doubted))
}

/// A mark is there that nobody asked for.
fn found(tx: &Tx<'_>, pair: (&str, &str), tag: TagId, whose: Option<&mut Whose>, at: UnixMs) -> Result<(), DbError> {
    let Some(whose) = whose else { return mark::set(tx, pair, tag, State::Untold, at) };
    mark::set(tx, pair, tag, State::Marked, at)?;
    if whose.tags.insert(tag) { tell(tx, whose.customer, tag, pair.0, true, at) } else { Ok(()) }
}

/// Tells a member of staff's word on a tag. It stands here at once: what comes before its place in the log must not undo it at WeCom.
fn tell(
    tx: &Tx<'_>,
    customer_id: CustomerId,
    tag_id: TagId,
    staff: &str,
    present: bool,
    at: UnixMs,
) -> Result<(), DbError> {
    customer_tag::word(tx, customer_id, tag_id, present, at)?;
    let word = TagEvent { v: Version, customer_id, tag_id, rule_id: None, by: Some(format!("{WECOM} {staff}")), at };
    let event = if present { Event::TagAdded(word) } else { Event::TagRemoved(word) };
    events::append(tx, SOURCE, &customer_id.to_string(), &event).map(drop)
}

/// It is known whose these contacts are: what was seen on them before is told.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn identified(tx: &Tx<'_>, identities: &[Identity], at: UnixMs) -> Result<(), DbError> {
    for who in identities.iter().filter(|who| who.kind == IdentityKind::WecomExternalUserId) {
        let untold = mark::untold(tx, &who.value)?;
        if untold.is_empty() {
            continue;
        }
        let mut whose = whose(tx, &who.value)?;
        for (staff, tag) in untold {
            found(tx, (&staff, &who.value), tag, whose.as_mut(), at)?;
        }
    }
    Ok(())
}
