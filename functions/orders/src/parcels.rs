//! Parcels are watched where a watcher is configured: what the carrier tells completes what platforms tell late or never.

use crate::deliver::{self, Origin, SOURCE};
use crate::store::{self, KnownOrder, KnownParcel};
use domain::{
    Event, OrderFacts, OrderId, OrderStatus, ParcelEvent, ParcelFacts, ParcelStatus, ParcelWatch, UnixMs, Version,
};
use kit::{DbError, Tx, events, outbox};
use platforms::Fact;
use platforms::kuaidi100::{DESTINATION, WATCH, Watch};

/// The first pause after a subscription that was given up, in milliseconds: an hour. Half an hour must pass before a parcel that the
/// watcher has given up can be watched again.
const PAUSE_MS: i64 = 3_600_000;
/// For how long a parcel is worth a new subscription, in milliseconds: sixty days.
const WORTH_MS: i64 = 60 * 24 * 3_600_000;

/// Watches the parcels of an order that are not watched yet: all that are known, though other goods may still be to be sent. News of some
/// may have come with another order in the same parcel, or before the order was shipped as a whole.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn watch(tx: &Tx<'_>, id: OrderId) -> Result<(), DbError> {
    let Some(known) = store::order_by_id(tx, id)? else { return Ok(()) };
    // What is with the buyer needs no watching: a new shop's history would cost a subscription a parcel.
    if [OrderStatus::Signed, OrderStatus::Completed].iter().any(|step| known.facts.reached.contains_key(step)) {
        return Ok(());
    }
    for tracking_number in known.facts.shipments.keys() {
        if store::note_parcel(tx, tracking_number, id)? {
            subscribe(tx, tracking_number, tx.cx().now)?;
        }
    }
    if known.facts.shipments.is_empty() { Ok(()) } else { signed(tx, known) }
}

/// Whether a fact names parcels: most do not, and need no look at the order.
pub fn are_in(fact: &Fact) -> bool {
    matches!(fact, Fact::Order { facts, .. } if !facts.shipments.is_empty())
}

/// A subscription was given up. Nothing else would tell of the parcel, so it is tried again, after as long as it has been tried already.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refused(tx: &Tx<'_>, tracking_number: &str) -> Result<(), DbError> {
    match store::parcel(tx, tracking_number)? {
        Some(known) => watch_again(tx, &known, PAUSE_MS.max(age_ms(tx, &known))),
        None => Ok(()),
    }
}

fn watch_again(tx: &Tx<'_>, known: &KnownParcel, pause_ms: i64) -> Result<(), DbError> {
    let is_over = matches!(known.facts.status(), Some(ParcelStatus::Signed | ParcelStatus::Returned));
    if is_over || age_ms(tx, known) > WORTH_MS {
        return Ok(());
    }
    let due = tx.cx().now.try_add_millis(pause_ms).map_err(|error| DbError::Shape(error.to_string()))?;
    subscribe(tx, &known.tracking_number, due)
}

fn age_ms(tx: &Tx<'_>, known: &KnownParcel) -> i64 {
    tx.cx().now.millis().saturating_sub(known.noted_at)
}

fn subscribe(tx: &Tx<'_>, tracking_number: &str, due: UnixMs) -> Result<(), DbError> {
    let watch = Watch { tracking_number: tracking_number.to_owned() };
    let request = serde_json::to_value(watch).map_err(|error| DbError::Shape(error.to_string()))?;
    let call = outbox::Call { destination: DESTINATION, operation: WATCH, subject: tracking_number, request };
    outbox::enqueue_at(tx, &call, due).map(drop)
}

/// The watcher has told of a parcel. Nothing when it is none of ours.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn told(tx: &Tx<'_>, tracking_number: &str, facts: ParcelFacts) -> Result<(), DbError> {
    let Some(mut known) = store::parcel(tx, tracking_number)? else { return Ok(()) };
    let before = known.facts.clone();
    known.facts.merge(facts);
    if known.facts == before {
        return Ok(());
    }
    let order_ids = store::orders_in_parcel(tx, tracking_number)?;
    for (step, at) in known.facts.reached.clone() {
        announce(tx, &mut known, &order_ids, step, at)?;
    }
    store::save_parcel(tx, &known)?;
    let gives_up = |facts: &ParcelFacts| facts.watch.as_ref().is_some_and(|watch| watch.value == ParcelWatch::GivenUp);
    if gives_up(&known.facts) && !gives_up(&before) {
        watch_again(tx, &known, PAUSE_MS)?;
    }
    for id in order_ids {
        if let Some(order) = store::order_by_id(tx, id)? {
            signed(tx, order)?;
        }
    }
    Ok(())
}

fn announce(
    tx: &Tx<'_>,
    known: &mut KnownParcel,
    order_ids: &[OrderId],
    step: ParcelStatus,
    at: UnixMs,
) -> Result<(), DbError> {
    let kind = match step {
        ParcelStatus::Signed => Event::ParcelSigned,
        ParcelStatus::Problem => Event::ParcelProblem,
        ParcelStatus::Returned => Event::ParcelReturned,
        // On its way: told by the parcel itself.
        ParcelStatus::PickedUp | ParcelStatus::InTransit | ParcelStatus::Delivering | ParcelStatus::Returning => {
            return Ok(());
        }
    };
    if !known.announced.insert(step) {
        return Ok(());
    }
    let tracking_number = known.tracking_number.clone();
    let event = kind(ParcelEvent { v: Version, tracking_number, order_ids: order_ids.to_vec(), at });
    events::append(tx, SOURCE, &known.tracking_number, &event).map(drop)
}

/// An order whose parcels have all been signed for is signed, when the last one was.
fn signed(tx: &Tx<'_>, known: KnownOrder) -> Result<(), DbError> {
    let order = known.facts.order(known.key.clone());
    // Some are still to be sent, or the platform has said it itself.
    if order.times.shipped_at.is_none() || known.facts.reached.contains_key(&OrderStatus::Signed) {
        return Ok(());
    }
    let mut last = None;
    for shipment in &order.shipments {
        let parcel = store::parcel(tx, &shipment.tracking_number)?;
        let Some(at) = parcel.and_then(|parcel| parcel.facts.reached.get(&ParcelStatus::Signed).copied()) else {
            return Ok(());
        };
        last = last.max(Some(at));
    }
    let Some(at) = last else { return Ok(()) };
    let mut facts = OrderFacts::default();
    facts.reach(OrderStatus::Signed, at);
    deliver::fact(tx, Fact::Order { key: known.key, facts }, Origin::Record, None).map(drop)
}
