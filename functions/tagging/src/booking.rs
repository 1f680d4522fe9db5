//! Books what people do: activities, orders and their refunds.

use crate::engine::{Figures, Run, Touched, settle};
use crate::feature::{Booking, State, activity, order};
use crate::rfm;
use crate::store::order::{self as store, Booked};
use crate::store::subject::{self, Own};
use domain::{ActivityRecorded, OrderEvent, OrderId, RefundEvent, ReturnReceived};
use kit::{DbError, Tx};
use std::collections::BTreeSet;

/// Books an activity on the smallest of its identities.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn activity(tx: &Tx<'_>, run: &Run, recorded: &ActivityRecorded) -> Result<(), DbError> {
    let Some(anchor) = recorded.identities.iter().min() else { return Ok(()) };
    let own = subject::with_others(tx, anchor)?;
    let booking = activity::booking(recorded, run.at);
    change(tx, run, own, &[], &[&booking])
}

/// Books a paid order, in place of what was known of it. It stays on the identity, and at the time, with which it was first told as
/// paid.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn order(tx: &Tx<'_>, run: &Run, event: &OrderEvent) -> Result<(), DbError> {
    let (subject, mut booked) = store::booked(tx, event.order_id)?;
    let Some(told) = order::paid_at(&event.order, run.at) else { return Ok(()) };
    let own = match (subject, event.order.identities.iter().min()) {
        (Some(id), _) => subject::with_others_of(tx, id)?,
        (None, Some(anchor)) => subject::with_others(tx, anchor)?,
        // Nobody's, as far as is told.
        (None, None) => return Ok(()),
    };
    let skus: Vec<&str> = event.order.lines.iter().map(|line| line.sku.as_str()).collect();
    let products = if skus.is_empty() { order::Products::new() } else { store::products(tx, &skus)? };
    let at = booked.order.as_ref().and_then(|known| domain::UnixMs::from_millis(known.at).ok()).unwrap_or(told);
    let booking = order::booking(&event.order, at, &products);
    let known = booked.order.take();
    if known.as_ref() == Some(&booking) {
        return Ok(());
    }
    // Refunds that were told before the order was are booked with it.
    let waiting: Vec<Booking> = if known.is_none() { booked.refunds.values().cloned().collect() } else { Vec::new() };
    booked.order = Some(booking.clone());
    store::save(tx, event.order_id, Some(own.subject.id), &booked)?;
    let added: Vec<&Booking> = std::iter::once(&booking).chain(&waiting).collect();
    change(tx, run, own, &known.iter().collect::<Vec<_>>(), &added)
}

/// Books money that went back.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refunded(tx: &Tx<'_>, run: &Run, event: &RefundEvent) -> Result<(), DbError> {
    let booking = order::refunded(event, run.at);
    to_order(tx, run, event.order_id, format!("refund {}", event.refund_id), booking)
}

/// Books goods that came back.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn returned(tx: &Tx<'_>, run: &Run, event: &ReturnReceived) -> Result<(), DbError> {
    let booking = order::returned(event, run.at);
    to_order(tx, run, event.order_id, format!("return {}", event.refund_id), booking)
}

fn to_order(tx: &Tx<'_>, run: &Run, id: OrderId, key: String, booking: Booking) -> Result<(), DbError> {
    let (subject, mut booked) = store::booked(tx, id)?;
    if booked.refunds.contains_key(&key) {
        return Ok(());
    }
    booked.refunds.insert(key, booking.clone());
    store::save(tx, id, subject, &booked)?;
    match (subject, &booked) {
        (Some(subject), Booked { order: Some(_), .. }) => {
            change(tx, run, subject::with_others_of(tx, subject)?, &[], &[&booking])
        }
        _ => Ok(()),
    }
}

/// Takes bookings back and adds others, then asks the rules that mention what was touched.
fn change(tx: &Tx<'_>, run: &Run, own: Own, back: &[&Booking], added: &[&Booking]) -> Result<(), DbError> {
    let mut state = own.subject.state.clone();
    for booking in back {
        state.take_back(booking, run.today);
    }
    for booking in added {
        state.book(booking, run.today);
    }
    subject::save(tx, own.subject.id, &state)?;
    let Some(customer) = &own.subject.customer else { return Ok(()) };
    let others = |others: &[subject::Subject]| {
        let mut sum = State::default();
        others.iter().for_each(|other| sum.merge(&other.state));
        sum
    };
    if rfm::is_awaited(run, customer) {
        let mut before = others(&own.others);
        before.merge(&own.subject.state);
        rfm::keep(tx, run, customer, Some(&before))?;
    }
    let mut keys: BTreeSet<String> =
        back.iter().chain(added).flat_map(|booking| booking.keys()).map(str::to_owned).collect();
    keys.retain(|key| !run.rules.touched([key.as_str()]).is_empty());
    if keys.is_empty() {
        return Ok(());
    }
    let others = others(&own.others);
    let (mut before, mut now) = (others.clone(), others);
    before.merge(&own.subject.state);
    now.merge(&state);
    settle(tx, run, customer, Some(Figures { before, now }), &Touched::Keys(keys))
}
