//! Parcels are watched where a watcher is configured: what the carrier tells completes what platforms tell late or never.

use crate::deliver::{self, Origin, SOURCE};
use crate::store::{self, KnownParcel};
use domain::{
    Event, OrderFacts, OrderId, OrderStatus, ParcelEvent, ParcelFacts, ParcelStatus, Shipment, UnixMs, Version,
};
use kit::{DbError, Tx, events, outbox};
use platforms::Fact;
use platforms::kuaidi100::{DESTINATION, WATCH, Watch};

/// Watches the parcels of an order that are not watched yet.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn watch(tx: &Tx<'_>, id: OrderId, shipments: &[Shipment]) -> Result<(), DbError> {
    for Shipment { tracking_number, .. } in shipments {
        if !store::note_parcel(tx, tracking_number, id)? {
            continue;
        }
        let watch = Watch { tracking_number: tracking_number.clone() };
        let request = serde_json::to_value(watch).map_err(|error| DbError::Shape(error.to_string()))?;
        let call = outbox::Call { destination: DESTINATION, operation: WATCH, subject: tracking_number, request };
        outbox::enqueue(tx, &call)?;
    }
    Ok(())
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
    for id in order_ids {
        signed(tx, id)?;
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
fn signed(tx: &Tx<'_>, id: OrderId) -> Result<(), DbError> {
    let Some(known) = store::order_by_id(tx, id)? else { return Ok(()) };
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
