//! Who an event is about: identities become rows, facts are noted, and where they change who is who, customers are made, merged and split.

use crate::partition::{ordered, partition};
use crate::store::conflict::{self, State};
use crate::store::customer::{self, Placed};
use crate::store::identity::{self, IdentityRow, Noted};
use crate::{SOURCE, stage};
use domain::{
    ConflictId, CustomerConflict, CustomerId, CustomerIdentified, CustomerMerged, CustomerSplit, Event, Identity,
    UnixMs, Version,
};
use kit::events::{self, Logged};
use kit::{DbError, Tx};
use std::collections::{BTreeMap, BTreeSet};

/// Whom an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The identity that it is booked on: the first of those it shows.
    pub anchor: i64,
    /// Whose that is.
    pub customer: CustomerId,
}

/// What a change of who is who comes from.
#[derive(Clone, Copy)]
pub struct Cause<'a> {
    /// Makes the ids that are needed, the same ones when the cause is the same.
    pub derive: &'a dyn Fn(&str) -> [u8; 10],
    /// When it happened.
    pub at: UnixMs,
    /// When it is looked at: the time of the log, which never goes back.
    pub now: UnixMs,
    /// What it is called where it moves a customer to another stage: the type of an event.
    pub name: &'a str,
    /// The person who decided it, and why.
    pub by: Option<(&'a str, &'a str)>,
}

/// Takes note of the identities that an event shows together at `at`. Nobody where none proves anything.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn see(tx: &Tx<'_>, logged: &Logged, at: UnixMs, shown: &BTreeSet<Identity>) -> Result<Option<Seen>, DbError> {
    let shown: BTreeSet<_> = shown.iter().filter(|who| who.kind.proves()).collect();
    let mut rows = identity::find(tx, shown.iter().copied())?;
    let mut changed = false;
    if rows.len() < shown.len() {
        let missing: Vec<_> = shown.iter().filter(|who| rows.iter().all(|row| row.identity != ***who)).collect();
        for who in missing {
            rows.push(identity::add(tx, who, at.millis())?);
        }
        rows.sort_by(|one, other| one.identity.cmp(&other.identity));
        changed = true;
    }
    let Some(first) = rows.first() else { return Ok(None) };
    let anchor = first.id;
    if rows.len() > 1 {
        changed |= identity::note_fact(tx, &rows, at.millis())? == Noted::Changed;
    }
    let customer = match first.customer {
        Some(customer) if !changed => customer,
        _ => {
            let derive = |purpose: &str| logged.derived(purpose);
            let cause = Cause { derive: &derive, at, now: logged.time, name: &logged.type_name, by: None };
            let placed = place(tx, &rows, cause)?;
            *placed.get(&anchor).ok_or_else(|| DbError::Shape("an identity was not placed".to_owned()))?
        }
    };
    Ok(Some(Seen { anchor, customer }))
}

/// Works out anew who is who among these identities and all that they reach. Whose each of them is, by its key.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn place(tx: &Tx<'_>, rows: &[IdentityRow], cause: Cause<'_>) -> Result<BTreeMap<i64, CustomerId>, DbError> {
    let (rows, known) = identity::reach(tx, rows)?;
    let found = partition(&known);
    let homes: BTreeMap<i64, Placed> = customer::with_homes(tx, rows.values().map(|row| row.id))?
        .into_iter()
        .map(|placed| (placed.home, placed))
        .collect();
    let mut whose = BTreeMap::new();
    let mut touched = BTreeSet::new();
    for group in &found.groups {
        let members: Vec<_> = group.iter().filter_map(|who| rows.get(who)).collect();
        let settled = settle(tx, &members, &homes, cause)?;
        whose.extend(members.iter().map(|row| (row.id, settled.customer)));
        touched.extend(settled.touched);
    }
    let whose_is = |who: &Identity| rows.get(who).and_then(|row| whose.get(&row.id)).copied();
    let conflicts = found.conflicts.iter().filter_map(|(one, other)| Some(ordered(whose_is(one)?, whose_is(other)?)));
    let conflicts: BTreeSet<_> = conflicts.filter(|(one, other)| one != other).collect();
    queue(tx, &homes, conflicts, cause)?;
    for customer in touched {
        stage::refresh(tx, customer, cause.now, cause.name)?;
    }
    Ok(whose)
}

struct Settled {
    customer: CustomerId,
    /// Survivors whose group is another than before.
    touched: BTreeSet<CustomerId>,
}

/// One person's identities: the oldest customer whose home is among them stays, the others are its parts; where there is none, a new
/// one begins.
fn settle(
    tx: &Tx<'_>,
    members: &[&IdentityRow],
    homes: &BTreeMap<i64, Placed>,
    cause: Cause<'_>,
) -> Result<Settled, DbError> {
    let mut here: Vec<_> = members.iter().filter_map(|row| homes.get(&row.id)).collect();
    here.sort_by_key(|placed| (placed.created_at, placed.id));
    let mut touched = BTreeSet::new();
    let (customer, new) = match here.first() {
        Some(oldest) => (oldest.id, false),
        None => {
            let home = members.iter().min_by_key(|row| (row.first_seen, &row.identity));
            let home = home.ok_or_else(|| DbError::Shape("a person without identities".to_owned()))?;
            let purpose = format!("customer of {} {}", home.identity.kind.as_str(), home.identity.value);
            let id = CustomerId::new(cause.at, (cause.derive)(&purpose));
            customer::insert(tx, id, home.id, cause.at)?;
            touched.insert(id);
            (id, true)
        }
    };
    for placed in here {
        if placed.survivor == customer {
            continue;
        }
        customer::set_survivor(tx, placed.id, customer)?;
        touched.extend([customer, placed.survivor]);
        let (by, reason) = cause.by.map(|(by, reason)| (by.to_owned(), reason.to_owned())).unzip();
        let (v, at) = (Version, cause.at);
        let (other, event) = if placed.id == customer {
            let split = CustomerSplit { v, customer_id: placed.survivor, split_id: customer, by, reason, at };
            (placed.survivor, Event::CustomerSplit(split))
        } else {
            (
                placed.id,
                Event::CustomerMerged(CustomerMerged {
                    v,
                    customer_id: customer,
                    merged_id: placed.id,
                    by,
                    reason,
                    at,
                }),
            )
        };
        customer::note_merge(tx, customer, other, placed.id == customer, cause.by, cause.at)?;
        events::append(tx, SOURCE, &customer.to_string(), &event)?;
    }
    let moved: Vec<_> = members.iter().filter(|row| row.customer != Some(customer)).collect();
    if !moved.is_empty() {
        touched.extend(moved.iter().filter_map(|row| row.customer));
        touched.insert(customer);
        identity::assign(tx, &moved.iter().map(|row| row.id).collect::<Vec<_>>(), customer)?;
        let event = CustomerIdentified {
            v: Version,
            customer_id: customer,
            new,
            identities: moved.iter().map(|row| row.identity.clone()).collect(),
            at: cause.at,
        };
        events::append(tx, SOURCE, &customer.to_string(), &Event::CustomerIdentified(event))?;
    }
    Ok(Settled { customer, touched })
}

/// Makes the queue of conflicts say what is open now.
fn queue(
    tx: &Tx<'_>,
    homes: &BTreeMap<i64, Placed>,
    mut open: BTreeSet<(CustomerId, CustomerId)>,
    cause: Cause<'_>,
) -> Result<(), DbError> {
    for row in conflict::open_ones(tx, &homes.keys().copied().collect::<Vec<_>>())? {
        let [one, other] = row.customers;
        if !open.remove(&ordered(one, other)) {
            let by = cause.by.map(|(who, _)| who);
            let state = if by.is_some() && one == other { State::Merged } else { State::Gone };
            conflict::settle(tx, row.id, state, by, cause.now)?;
        }
    }
    for (one, other) in open {
        let id = ConflictId::new(cause.at, (cause.derive)(&format!("conflict of {one} and {other}")));
        conflict::open(tx, id, one, other, cause.at)?;
        let event = CustomerConflict { v: Version, conflict_id: id, customer_ids: [one, other], at: cause.at };
        events::append(tx, SOURCE, &one.to_string(), &Event::CustomerConflict(event))?;
    }
    Ok(())
}
