//! The relation of a member of staff with a customer: it begins, ends and begins again, and all of that is kept.

use crate::store::activity::{self, Sign};
use crate::store::{customer, relation};
use crate::{SOURCE, stage};
use domain::{CustomerId, Event, HandoverId, RelationChange, RelationChanged, RelationSide, UnixMs, Version};
use kit::{DbError, Tx, events};

/// The word for a relation's change where it moves a customer to another stage.
const CHANGED: &str = "relation.changed";

/// What a change of a relation comes from.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// Whose doing it is.
    pub by: RelationSide,
    /// When it happened.
    pub at: UnixMs,
    /// Who told of it (a token's id).
    pub actor: Option<&'a str>,
    /// The handover that it is part of.
    pub handover: Option<HandoverId>,
}

/// What is known of a relation over a customer's group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing.
    Never,
    /// It stands.
    Active,
    /// It has ended.
    Ended,
}

impl Known {
    /// What it is when such a relation begins; nothing where it stands.
    const fn begins(self) -> Option<RelationChange> {
        match self {
            Self::Never => Some(RelationChange::Added),
            Self::Active => None,
            Self::Ended => Some(RelationChange::ReAdded),
        }
    }
}

/// Begins a relation with the customer that `id` stands for (a survivor). Who is the first to know a customer becomes its advisor. Tells what changed;
/// nothing where the relation stands.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn begin(tx: &Tx<'_>, id: CustomerId, staff: &str, cause: Cause<'_>) -> Result<Option<RelationChange>, DbError> {
    let Some(change) = relation::known(tx, id, staff)?.begins() else { return Ok(None) };
    relation::add(tx, id, staff, cause.at)?;
    note(tx, id, staff, change, cause)?;
    // A handover is the merchant's doing and no sign of the customer's.
    if cause.by != RelationSide::Handover {
        let home = customer::home(tx, id)?;
        let mut changed = activity::sign(tx, home, Sign::Contact, cause.at)?;
        if relation::advisor(tx, id)?.is_none() {
            changed |= activity::belongs(tx, home, None, Some(staff), cause.at)?;
        }
        if changed {
            stage::refresh(tx, id, cause.at, CHANGED)?;
        }
    }
    Ok(Some(change))
}

/// Whether a relation with the customer that `id` stands for has ended at `at` or later: older news of its beginning changes nothing.
///
/// # Errors
/// [`DbError`] of the query.
pub fn has_ended_since(tx: &Tx<'_>, id: CustomerId, staff: &str, at: UnixMs) -> Result<bool, DbError> {
    Ok(relation::ended_at(tx, id, staff)?.is_some_and(|ended| ended >= at))
}

/// Ends a relation with the customer that `id` stands for (a survivor). A customer whom nobody knows any more is lost. Tells whether it stood.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn end(tx: &Tx<'_>, id: CustomerId, staff: &str, cause: Cause<'_>) -> Result<bool, DbError> {
    if relation::known(tx, id, staff)? != Known::Active {
        return Ok(false);
    }
    relation::end(tx, id, staff, cause.by, cause.at)?;
    let change = match cause.by {
        RelationSide::Handover => RelationChange::HandedOver,
        RelationSide::Customer | RelationSide::Staff => RelationChange::Lost,
    };
    note(tx, id, staff, change, cause)?;
    if change == RelationChange::Lost
        && !relation::any(tx, id)?
        && activity::sign(tx, customer::home(tx, id)?, Sign::Lost, cause.at)?
    {
        stage::refresh(tx, id, cause.at, CHANGED)?;
    }
    Ok(true)
}

fn note(tx: &Tx<'_>, id: CustomerId, staff: &str, change: RelationChange, cause: Cause<'_>) -> Result<(), DbError> {
    relation::note(tx, id, staff, change, &cause)?;
    let event =
        RelationChanged { v: Version, customer_id: id, staff: staff.to_owned(), change, by: cause.by, at: cause.at };
    events::append(tx, SOURCE, &id.to_string(), &Event::RelationChanged(event)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_that_stands_does_not_begin_again() {
        assert_eq!(Known::Never.begins(), Some(RelationChange::Added));
        assert_eq!(Known::Active.begins(), None);
        assert_eq!(Known::Ended.begins(), Some(RelationChange::ReAdded));
    }
}
