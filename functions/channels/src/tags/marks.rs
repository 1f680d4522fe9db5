//! Marks on pairs of staff and contact, brought to what the customer's tags say.

use super::state::{State, difference};
use super::{MOST_MARKS, groups};
use crate::store::{contact, customer_tag, mark, person, wecom_tag};
use crate::{SOURCE, push};
use domain::{CustomerId, Event, IdentityKind, TagId, UnixMs, Version, WecomMarksDue};
use kit::{DbError, Tx, events};
use platforms::wecom::Ask;
use std::collections::{BTreeMap, BTreeSet};

/// What a tag's trouble begins with where marking with it failed.
const MARKING: &str = "marking: ";
/// How many customers one timer looks at.
const BATCH: u32 = 200;

/// Brings all contacts of a customer to the tags that it has.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn bring(tx: &Tx<'_>, customer: CustomerId) -> Result<(), DbError> {
    if !wecom_tag::any(tx)? {
        return Ok(());
    }
    let members = customer_tag::members(tx, customer)?;
    let contacts = contacts(tx, &members)?;
    if contacts.is_empty() {
        return Ok(());
    }
    let wanted = customer_tag::at_wecom(tx, &members)?;
    for contact in &contacts {
        for staff in contact::staff_of(tx, contact)? {
            bring_pair(tx, (&staff, contact), &wanted)?;
        }
    }
    Ok(())
}

/// The contacts of these customers, who are one.
pub fn contacts(tx: &Tx<'_>, members: &[CustomerId]) -> Result<Vec<String>, DbError> {
    let of = |member: &CustomerId| person::values_of(tx, *member, IdentityKind::WecomExternalUserId);
    Ok(members.iter().map(of).collect::<Result<Vec<_>, _>>()?.concat())
}

fn bring_pair(tx: &Tx<'_>, pair: (&str, &str), wanted: &BTreeSet<TagId>) -> Result<(), DbError> {
    let (staff, contact) = pair;
    let known: BTreeMap<TagId, State> =
        mark::of_pair(tx, staff, contact)?.into_iter().map(|(tag, mark)| (tag, mark.state)).collect();
    let (wanted, over) = within_limit(wanted, &known);
    let asks = difference(&wanted, &known);
    let now = tx.cx().now;
    for tag in &asks.forgiven {
        mark::set(tx, pair, *tag, State::Gone, now)?;
    }
    let all: Vec<TagId> = asks.add.iter().chain(&asks.remove).chain(&over).copied().collect();
    if all.is_empty() {
        return Ok(());
    }
    let ids = wecom_tag::wecom_ids(tx, &all)?;
    let named = |tags: &BTreeSet<TagId>| tags.iter().filter_map(|tag| ids.get(tag).cloned()).collect::<Vec<_>>();
    if !over.is_empty() {
        let trouble = format!("a contact may have {MOST_MARKS} tags and has them: this one is left out");
        wecom_tag::in_trouble(tx, &named(&over), MARKING, Some(&trouble))?;
    }
    if !asks.new {
        return Ok(());
    }
    for (tags, state) in [(&asks.add, State::Asked), (&asks.remove, State::Leaving)] {
        for tag in tags.iter().filter(|tag| known.get(tag) != Some(&state)) {
            mark::set(tx, pair, *tag, state, now)?;
        }
    }
    let (add, remove) = (named(&asks.add), named(&asks.remove));
    let ask = Ask::MarkTags { staff: staff.to_owned(), contact: contact.to_owned(), add, remove };
    push::ask_wecom(tx, &ask, &format!("{staff}/{contact}")).map(drop)
}

/// At most as many tags as a pair may have, those that it has first; and those that are left out.
fn within_limit(wanted: &BTreeSet<TagId>, known: &BTreeMap<TagId, State>) -> (BTreeSet<TagId>, BTreeSet<TagId>) {
    if wanted.len() <= MOST_MARKS {
        return (wanted.clone(), BTreeSet::new());
    }
    let there = |tag: &&TagId| matches!(known.get(*tag), Some(State::Marked | State::Asked | State::Untold));
    let (there, others): (Vec<TagId>, Vec<TagId>) = {
        let (there, others): (Vec<&TagId>, Vec<&TagId>) = wanted.iter().partition(there);
        (there.into_iter().copied().collect(), others.into_iter().copied().collect())
    };
    let mut kept: Vec<TagId> = there.into_iter().chain(others).collect();
    let over = kept.split_off(MOST_MARKS);
    (kept.into_iter().collect(), over.into_iter().collect())
}

/// WeCom has marked a pair as it was asked.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn marked(tx: &Tx<'_>, pair: (&str, &str), add: &[String], remove: &[String], at: UnixMs) -> Result<(), DbError> {
    mark::moved(tx, pair, add, (State::Asked, State::Marked), at)?;
    mark::moved(tx, pair, remove, (State::Leaving, State::Gone), at)?;
    wecom_tag::in_trouble(tx, add, MARKING, None)
}

/// WeCom has refused to mark a pair: it stands as before, and is asked again when something else of it changes.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn failed(
    tx: &Tx<'_>,
    pair: (&str, &str),
    (add, remove): (&[String], &[String]),
    error: &str,
    at: UnixMs,
) -> Result<(), DbError> {
    mark::moved(tx, pair, add, (State::Asked, State::Gone), at)?;
    mark::moved(tx, pair, remove, (State::Leaving, State::Marked), at)?;
    wecom_tag::in_trouble(tx, &[add, remove].concat(), MARKING, Some(error))?;
    // WeCom does not know a tag.
    if error.starts_with("40068") { groups::ask_for_all(tx) } else { Ok(()) }
}

/// Customers who have a tag that WeCom has now are looked at, a batch a timer.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn due(tx: &Tx<'_>, event: &WecomMarksDue) -> Result<(), DbError> {
    let holders = customer_tag::holders(tx, event.tag_id, event.after, BATCH)?;
    for customer in &holders {
        bring(tx, *customer)?;
    }
    let more = usize::try_from(BATCH).is_ok_and(|batch| holders.len() >= batch);
    if more { look_at_all(tx, event.tag_id, holders.last().copied()) } else { Ok(()) }
}

/// Has all customers who have a tag looked at.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn look_at_all(tx: &Tx<'_>, tag_id: TagId, after: Option<CustomerId>) -> Result<(), DbError> {
    let id = tag_id.to_string();
    let event = Event::WecomMarksDue(WecomMarksDue { v: Version, tag_id, after });
    events::schedule(tx, tx.cx().now, &format!("channels.marks/{id}"), SOURCE, &id, &event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_3000_tags_a_pair_and_what_is_there_stays() {
        let tag = |number: u16| {
            let mut bytes = [0; 10];
            bytes.split_at_mut(2).0.copy_from_slice(&number.to_be_bytes());
            TagId::new(UnixMs::EPOCH, bytes)
        };
        let wanted: BTreeSet<_> = (0..3002).map(tag).collect();
        let last = wanted.last().copied().unwrap();
        let (kept, over) = within_limit(&wanted, &BTreeMap::from([(last, State::Marked)]));
        assert_eq!((kept.len(), over.len()), (3000, 2));
        assert!(kept.contains(&last));
        let (kept, over) = within_limit(&kept, &BTreeMap::new());
        assert_eq!((kept.len(), over.len()), (3000, 0));
    }
}
