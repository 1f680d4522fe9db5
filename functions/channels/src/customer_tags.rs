//! Which tags customers have, followed by events: what contacts are to be marked with at WeCom.

use crate::store::{customer_tag, wecom_tag};
use crate::tags;
use domain::{CustomerId, CustomerMerged, CustomerSplit, TagEvent};
use kit::{DbError, Tx};

/// A customer got a tag, or lost one. `subject` is whom tagging has booked it on: the event may name an older id.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn changed(tx: &Tx<'_>, subject: &str, event: &TagEvent, present: bool) -> Result<(), DbError> {
    let customer = subject.parse().unwrap_or(event.customer_id);
    match (&event.by, present) {
        (Some(_), _) => customer_tag::word(tx, customer, event.tag_id, present, event.at)?,
        (None, true) => customer_tag::given(tx, customer, event.tag_id, event.at)?,
        (None, false) => customer_tag::taken(tx, customer, event.tag_id)?,
    }
    // Most tags are kept here only.
    if wecom_tag::tag(tx, event.tag_id)?.is_some() { tags::bring(tx, customer) } else { Ok(()) }
}

/// A person's word on a customer's tag counts no longer. What rules make of that follows in the log.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn released(tx: &Tx<'_>, subject: &str, event: &TagEvent) -> Result<(), DbError> {
    customer_tag::release(tx, subject.parse().unwrap_or(event.customer_id), event.tag_id)
}

/// Two customers are one: all contacts of both are marked with the tags of both.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn merged(tx: &Tx<'_>, event: &CustomerMerged) -> Result<(), DbError> {
    if event.customer_id == event.merged_id {
        return Ok(());
    }
    customer_tag::merged(tx, event.merged_id, event.customer_id)?;
    tags::bring(tx, event.customer_id)
}

/// A customer is one of its own again, with the tags that are its own.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn split(tx: &Tx<'_>, event: &CustomerSplit) -> Result<(), DbError> {
    customer_tag::split(tx, event.split_id)?;
    tags::bring(tx, event.customer_id)?;
    tags::bring(tx, event.split_id)
}

/// A person's data were erased.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forget(tx: &Tx<'_>, customer: CustomerId) -> Result<(), DbError> {
    customer_tag::forget(tx, &customer_tag::members(tx, customer)?)
}
