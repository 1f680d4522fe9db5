//! Couriers who fetch the goods of after-sale cases: called when a case is agreed, withdrawn when it falls through.

use crate::deliver::{self, Origin, SOURCE};
use crate::store::{self, KnownPickup, KnownRefund};
use domain::{
    Event, Fen, PickupChanged, PickupId, PickupStatus, Platform, RefundClaim, RefundFacts, RefundId, RefundKind,
    RefundStatus, Version,
};
use kit::{DbError, Tx, Vault, VaultError, events, outbox, unique};
use platforms::Fact;
use platforms::kuaidi100::DESTINATION;
use platforms::kuaidi100::pickup::{CANCEL, ORDER, Ordered, Party, PickupNews, SENDER, ToOrder, Wish};

/// Whether goods come back in a case: only then there is something to fetch.
pub fn comes_back(claim: Option<&RefundClaim>) -> bool {
    claim.is_none_or(|claim| matches!(claim.kind, RefundKind::Return | RefundKind::Exchange))
}

/// Enters a pickup, or changes one of which the carrier does not know yet. The carrier is told at once where the case is agreed,
/// else when it is. Tells the pickup as it stands, and whether it is as wished: one that the carrier knows stays as it is.
///
/// # Errors
/// [`DbError`] of the statements; a sender that cannot be sealed.
pub fn want(tx: &Tx<'_>, vault: &Vault, refund: &KnownRefund, wish: &Wish) -> Result<(KnownPickup, bool), DbError> {
    let sealing = |error: VaultError| DbError::Shape(error.to_string());
    let standing = store::pickup_of(tx, refund.id)?.filter(|known| !known.status.has_failed());
    if let Some(known) = &standing
        && known.status != PickupStatus::Wanted
    {
        let sender = vault.open(SENDER, &known.sender).map_err(sealing)?;
        let same = sender == wish.sender.to_json().into_bytes()
            && (&known.carrier, &known.cargo, known.grams) == (&wish.carrier, &wish.cargo, wish.grams);
        return Ok((known.clone(), same));
    }
    let mut known = KnownPickup {
        id: standing.map_or_else(|| PickupId::new(tx.cx().now, unique()), |known| known.id),
        refund_id: refund.id,
        carrier: wish.carrier.clone(),
        sender: vault.seal(SENDER, wish.sender.to_json().as_bytes()).map_err(sealing)?,
        cargo: wish.cargo.clone(),
        grams: wish.grams,
        status: PickupStatus::Wanted,
        raw_status: None,
        ordered: None,
        tracking_number: None,
        fee: None,
        created_at: tx.cx().now,
    };
    store::save_pickup(tx, &known)?;
    if matches!(refund.facts.status(), Some(RefundStatus::Agreed | RefundStatus::Returning)) {
        request(tx, &mut known)?;
    }
    Ok((known, true))
}

/// A case has been agreed: the courier who was wanted for it is called.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn agreed(tx: &Tx<'_>, refund_id: RefundId) -> Result<(), DbError> {
    match store::pickup_of(tx, refund_id)? {
        Some(mut known) if known.status == PickupStatus::Wanted => request(tx, &mut known),
        _ => Ok(()),
    }
}

/// A case has fallen through: nobody is to come.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn fell_through(tx: &Tx<'_>, refund_id: RefundId) -> Result<(), DbError> {
    match store::pickup_of(tx, refund_id)? {
        Some(mut known) if known.status.can_be_cancelled() => withdraw(tx, &mut known),
        _ => Ok(()),
    }
}

/// Withdraws a pickup that can be: at once while the carrier does not know of it, else through the carrier.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn withdraw(tx: &Tx<'_>, known: &mut KnownPickup) -> Result<(), DbError> {
    match &known.ordered {
        Some(ordered) => call(tx, CANCEL, known.id, ordered),
        None => reach(tx, known, PickupStatus::Cancelled),
    }
}

fn request(tx: &Tx<'_>, known: &mut KnownPickup) -> Result<(), DbError> {
    call(tx, ORDER, known.id, &ToOrder { pickup_id: known.id })?;
    reach(tx, known, PickupStatus::Requested)
}

fn call(tx: &Tx<'_>, operation: &str, id: PickupId, request: &impl serde::Serialize) -> Result<(), DbError> {
    let request = serde_json::to_value(request).map_err(|error| DbError::Shape(error.to_string()))?;
    let call = outbox::Call { destination: DESTINATION, operation, subject: &id.to_string(), request };
    outbox::enqueue(tx, &call).map(drop)
}

/// The carrier has taken the order. Where the case has fallen through meanwhile, the order is withdrawn.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn placed(tx: &Tx<'_>, id: PickupId, ordered: Ordered) -> Result<(), DbError> {
    let Some(mut known) = store::pickup(tx, id)? else { return Ok(()) };
    let tracking_number = ordered.tracking_number.clone();
    known.ordered = Some(ordered);
    change(tx, &mut known, PickupStatus::Placed, tracking_number, None)?;
    let refund = store::refund_by_id(tx, known.refund_id)?;
    if refund.and_then(|refund| refund.facts.status()).is_some_and(RefundStatus::has_failed) {
        return fell_through(tx, known.refund_id);
    }
    Ok(())
}

/// The carrier has said how a pickup ended: `Cancelled`, or `Failed` where it did not take the order.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn ended(tx: &Tx<'_>, id: PickupId, status: PickupStatus) -> Result<(), DbError> {
    match store::pickup(tx, id)? {
        Some(mut known) => reach(tx, &mut known, status),
        None => Ok(()),
    }
}

/// News of a pickup. False where it is none of ours.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn told(tx: &Tx<'_>, id: PickupId, news: &PickupNews) -> Result<bool, DbError> {
    let Some(mut known) = store::pickup(tx, id)? else { return Ok(false) };
    // The address is not signed, the news is: one pickup's news does not count for another.
    if known.ordered.as_ref().is_some_and(|ordered| ordered.order_id != news.order_id) {
        return Ok(false);
    }
    known.raw_status = Some(news.raw_status.clone());
    let status = news.status.unwrap_or(known.status);
    change(tx, &mut known, status, news.tracking_number.clone(), news.fee)?;
    if known.status == PickupStatus::PickedUp {
        on_its_way(tx, known.refund_id)?;
    }
    Ok(true)
}

/// The goods of an own shop's case are on their way back; a platform says so itself.
fn on_its_way(tx: &Tx<'_>, refund_id: RefundId) -> Result<(), DbError> {
    let Some(refund) = store::refund_by_id(tx, refund_id)? else { return Ok(()) };
    let Some(order) = store::order_by_id(tx, refund.order_id)? else { return Ok(()) };
    if order.key.platform != Platform::Own || refund.facts.status() != Some(RefundStatus::Agreed) {
        return Ok(());
    }
    let mut facts = RefundFacts::default();
    facts.reach(RefundStatus::Returning, tx.cx().now);
    let fact = Fact::Refund { order: order.key, after_sale_id: refund.after_sale_id, facts };
    deliver::fact(tx, fact, Origin::Record, None).map(drop)
}

fn reach(tx: &Tx<'_>, known: &mut KnownPickup, status: PickupStatus) -> Result<(), DbError> {
    change(tx, known, status, None, None)
}

/// Takes in what has become known, writes it down, and tells what is new of it.
fn change(
    tx: &Tx<'_>,
    known: &mut KnownPickup,
    status: PickupStatus,
    tracking_number: Option<String>,
    fee: Option<Fen>,
) -> Result<(), DbError> {
    let before = (known.status, known.tracking_number.clone(), known.fee);
    known.status = known.status.max(status);
    known.tracking_number = tracking_number.or_else(|| known.tracking_number.take());
    known.fee = fee.or(known.fee);
    store::save_pickup(tx, known)?;
    if before == (known.status, known.tracking_number.clone(), known.fee) {
        return Ok(());
    }
    let Some(refund) = store::refund_by_id(tx, known.refund_id)? else { return Ok(()) };
    let changed = PickupChanged {
        v: Version,
        pickup_id: known.id,
        refund_id: known.refund_id,
        order_id: refund.order_id,
        status: known.status,
        tracking_number: known.tracking_number.clone(),
        fee: known.fee,
        at: tx.cx().now,
    };
    events::append(tx, SOURCE, &known.refund_id.to_string(), &Event::PickupChanged(changed)).map(drop)
}

/// Reads who hands the parcel over.
///
/// # Errors
/// When it was not sealed for this, or with another key.
pub fn sender(vault: &Vault, known: &KnownPickup) -> Result<Party, DbError> {
    let clear = vault.open(SENDER, &known.sender).map_err(|error| DbError::Shape(error.to_string()))?;
    serde_json::from_slice(&clear).map_err(|error| DbError::Shape(error.to_string()))
}
