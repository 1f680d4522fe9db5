//! Follows who is who: identities that become a customer's, merges, splits, profiles.

use crate::engine::{Carried, Figures, Run, Touched, settle};
use crate::feature::Value;
use crate::rfm;
use crate::rule::condition::{STAGE, attribute_key, tag_key};
use crate::store::tag::Reason;
use crate::store::{customer, engine, subject};
use domain::{
    AttributeValue, CustomerAttributeChanged, CustomerErased, CustomerId, CustomerIdentified, CustomerMerged,
    CustomerSplit, CustomerStageChanged, TagEvent, TagId,
};
use kit::{DbError, Tx};
use std::collections::{BTreeMap, BTreeSet};

/// Figures of customers before something changed whose identities are.
type Before = BTreeMap<String, crate::feature::State>;

fn survivor(tx: &Tx<'_>, id: &str) -> Result<String, DbError> {
    Ok(customer::survivor(tx, id)?.unwrap_or_else(|| id.to_owned()))
}

fn before(tx: &Tx<'_>, run: &Run, ids: impl IntoIterator<Item = String>) -> Result<Before, DbError> {
    let ids: BTreeSet<String> = ids.into_iter().collect();
    let survivors = ids.iter().map(|id| survivor(tx, id)).collect::<Result<BTreeSet<_>, _>>()?;
    let before: Before = survivors
        .into_iter()
        .map(|id| Ok((id.clone(), subject::of_customer(tx, &id)?)))
        .collect::<Result<_, DbError>>()?;
    for id in ids.iter().chain(before.keys()).filter(|id| rfm::is_awaited(run, id)) {
        rfm::keep(tx, run, id, before.get(id))?;
    }
    Ok(before)
}

/// Asks all rules again of these customers, as they are now.
fn settle_all(
    tx: &Tx<'_>,
    run: &Run,
    mut before: Before,
    ids: impl IntoIterator<Item = String>,
) -> Result<(), DbError> {
    let survivors = ids.into_iter().map(|id| survivor(tx, &id)).collect::<Result<BTreeSet<_>, _>>()?;
    for id in survivors {
        let now = subject::of_customer(tx, &id)?;
        let before = before.remove(&id).unwrap_or_default();
        settle(tx, run, &id, Some(Figures { before, now }), &Touched::All)?;
    }
    Ok(())
}

/// Identities are a customer's from now on: their figures go with them.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn identified(tx: &Tx<'_>, run: &Run, event: &CustomerIdentified) -> Result<(), DbError> {
    let id = event.customer_id.to_string();
    customer::begin(tx, event.customer_id)?;
    let mut touched = subject::owners(tx, &event.identities)?;
    touched.insert(id.clone());
    let before = before(tx, run, touched.clone())?;
    subject::give(tx, &id, &event.identities)?;
    settle_all(tx, run, before, touched)
}

/// Two customers are one: segments have one member where they had two.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn merged(tx: &Tx<'_>, run: &Run, event: &CustomerMerged) -> Result<(), DbError> {
    let (into, merged) = (event.customer_id.to_string(), event.merged_id.to_string());
    if into == merged {
        return Ok(());
    }
    customer::begin(tx, event.customer_id)?;
    customer::begin(tx, event.merged_id)?;
    let touched = BTreeSet::from([into.clone(), merged.clone(), survivor(tx, &into)?, survivor(tx, &merged)?]);
    let before = before(tx, run, touched.clone())?;
    if survivor(tx, &into)? != into {
        customer::split(tx, &into)?;
    }
    leave_segments(tx, &merged)?;
    customer::merge(tx, &into, &merged)?;
    settle_all(tx, run, before, touched)
}

fn leave_segments(tx: &Tx<'_>, id: &str) -> Result<(), DbError> {
    let segments = engine::segments_of(tx, id)?;
    if segments.is_empty() {
        return Ok(());
    }
    let group = customer::group(tx, id)?;
    for segment in &segments {
        engine::leave(tx, segment, id)?;
    }
    for mut person in group {
        let known = person.matched.len();
        person.matched.retain(|rule, _| !segments.contains(rule));
        if person.matched.len() < known {
            customer::save(tx, &person.id, &person.matched, person.due)?;
        }
    }
    Ok(())
}

/// A customer is one of its own again. Its figures come with the identities that are told to be its own.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn split(tx: &Tx<'_>, run: &Run, event: &CustomerSplit) -> Result<(), DbError> {
    let id = event.split_id.to_string();
    customer::begin(tx, event.customer_id)?;
    customer::begin(tx, event.split_id)?;
    let touched = BTreeSet::from([event.customer_id.to_string(), id.clone(), survivor(tx, &id)?]);
    let before = before(tx, run, touched.clone())?;
    customer::split(tx, &id)?;
    settle_all(tx, run, before, touched)
}

/// Asks the rules again that mention a key; of a customer who is new, all.
fn settle_key(tx: &Tx<'_>, run: &Run, id: CustomerId, new: bool, key: String) -> Result<(), DbError> {
    let survivor = survivor(tx, &id.to_string())?;
    let touched = if new { Touched::All } else { Touched::Keys(BTreeSet::from([key])) };
    settle(tx, run, &survivor, None, &touched)
}

/// A customer moved to another stage.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn stage(tx: &Tx<'_>, run: &Run, event: &CustomerStageChanged) -> Result<(), DbError> {
    let new = customer::begin(tx, event.customer_id)?;
    customer::set_stage(tx, event.customer_id, event.to)?;
    settle_key(tx, run, event.customer_id, new, STAGE.to_owned())
}

/// A field of a profile changed. `seq` is the event's place in the log.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn attribute(tx: &Tx<'_>, run: &Run, seq: i64, event: &CustomerAttributeChanged) -> Result<(), DbError> {
    let value = event.value.clone().map(|value| match value {
        AttributeValue::Flag(flag) => Value::Flag(flag),
        AttributeValue::Number(number) => Value::Number(number),
        AttributeValue::Text(text) => Value::Text(text),
    });
    let new = customer::begin(tx, event.customer_id)?;
    customer::set_attribute(tx, event.customer_id, &event.field, &(seq, value))?;
    settle_key(tx, run, event.customer_id, new, attribute_key(&event.field))
}

/// A person's data were erased: the profile goes, figures stay.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn erased(tx: &Tx<'_>, run: &Run, event: &CustomerErased) -> Result<(), DbError> {
    let id = survivor(tx, &event.customer_id.to_string())?;
    customer::forget(tx, &id)?;
    settle(tx, run, &id, None, &Touched::All)
}

/// A person's word on a tag counts no longer.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn released(tx: &Tx<'_>, run: &Run, event: &TagEvent) -> Result<(), DbError> {
    let of_a_person = |reason: &Reason| reason.tag == event.tag_id && reason.rule.is_none();
    take(tx, run, &event.customer_id.to_string(), of_a_person)
}

/// A customer loses a tag that was retired.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn lose(tx: &Tx<'_>, run: &Run, id: &str, tag: TagId) -> Result<(), DbError> {
    take(tx, run, id, |reason| reason.tag == tag)
}

/// Takes reasons from a customer and all who are part of it, and asks the rules that mention the tags that change thereby.
fn take(tx: &Tx<'_>, run: &Run, id: &str, which: impl Fn(&Reason) -> bool) -> Result<(), DbError> {
    let id = survivor(tx, id)?;
    let group = customer::group(tx, &id)?;
    if group.is_empty() {
        return Ok(());
    }
    let group: Vec<&str> = group.iter().map(|person| person.id.as_str()).collect();
    let mut carried = Carried::load(tx, &group)?;
    let changed = carried.change(tx, run, None, None, |carried| carried.take(tx, which))?;
    settle(tx, run, &id, None, &Touched::Keys(changed.iter().map(|tag| tag_key(*tag)).collect()))
}

/// A person has given a customer a tag, or taken one away.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn word(tx: &Tx<'_>, run: &Run, event: &TagEvent, present: bool) -> Result<(), DbError> {
    let Some(by) = event.by.as_deref() else { return Ok(()) };
    let id = survivor(tx, &event.customer_id.to_string())?;
    let group = customer::group(tx, &id)?;
    if group.is_empty() {
        return Ok(());
    }
    let group: Vec<&str> = group.iter().map(|person| person.id.as_str()).collect();
    let mut carried = Carried::load(tx, &group)?;
    let before = carried.tags();
    carried.word(tx, run, event.tag_id, present, by)?;
    // The tag's own event is in the log already; what it replaced is told here.
    let after = carried.tags();
    let replaced = before.difference(&after).copied().filter(|tag| *tag != event.tag_id);
    for tag_id in replaced {
        let gone = TagEvent { tag_id, rule_id: None, by: None, at: run.at, ..event.clone() };
        kit::events::append(tx, crate::engine::SOURCE, &id, &domain::Event::TagRemoved(gone))?;
    }
    let keys: BTreeSet<String> = before.symmetric_difference(&after).map(|tag| tag_key(*tag)).collect();
    settle(tx, run, &id, None, &Touched::Keys(keys))
}
