//! A fact comes in: it is merged into the order or the refund, and what follows from it is done, in one transaction.

use crate::announce;
use crate::reservation;
use crate::store::{self, KnownOrder, KnownRefund};
use domain::{
    Event, OrderDetailOverdue, OrderFacts, OrderId, OrderKey, OutboxId, Platform, RefundFacts, RefundId, Version,
};
use kit::{DbError, Tx, events, outbox};
use platforms::Fact;
use platforms::marketplace::{Ask, Asked};

/// Who appends this function's events.
pub const SOURCE: &str = "/functions/orders";

/// How long the full record is waited for before an order is announced without it, in milliseconds.
pub const PATIENCE_MS: i64 = 5_000;

/// Where a fact comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A platform's push: it tells little, the full record has to be fetched.
    Push,
    /// The full record itself, or a message that is complete.
    Record,
}

/// Takes a fact in. `phone` is the buyer's, sealed. Tells the order it belongs to.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn fact(tx: &Tx<'_>, fact: Fact, origin: Origin, phone: Option<Vec<u8>>) -> Result<OrderId, DbError> {
    match fact {
        Fact::Order { key, facts } => order(tx, key, facts, origin, phone),
        Fact::Refund { order: key, after_sale_id, facts } => {
            // A refund may come before its order: the order is then known by its key only.
            let order_id = order(tx, key.clone(), OrderFacts::default(), origin, None)?;
            refund(tx, order_id, key, &after_sale_id, facts, origin)?;
            Ok(order_id)
        }
    }
}

fn order(
    tx: &Tx<'_>,
    key: OrderKey,
    facts: OrderFacts,
    origin: Origin,
    phone: Option<Vec<u8>>,
) -> Result<OrderId, DbError> {
    let mut known = store::find_order(tx, &key)?.unwrap_or_else(|| KnownOrder::new(tx.cx().now, key));
    let before = known.facts.clone();
    known.facts.merge(facts);
    let changed = known.is_new || known.facts != before;
    if changed {
        settle(tx, &mut known, phone)?;
        if before.detail.is_none() && known.facts.detail.is_some() && !known.is_new {
            events::cancel(tx, &order_timer(known.id))?;
        }
    }
    if origin == Origin::Push {
        let ask = Ask::Order { order_id: known.key.platform_order_id.clone() };
        enqueue(tx, known.key.platform, &known.key.shop_id, &ask, &known.id.to_string())?;
    }
    Ok(known.id)
}

/// Writes an order down with what follows from its facts: events, timer, stock.
fn settle(tx: &Tx<'_>, known: &mut KnownOrder, phone: Option<Vec<u8>>) -> Result<(), DbError> {
    let order = known.facts.order(known.key.clone());
    let due = announce::order_events(known.id, &order, &known.facts.milestones(), &mut known.announced, !known.overdue);
    store::save_order(tx, known, &order, phone)?;
    for event in due {
        events::append(tx, SOURCE, &known.id.to_string(), &event)?;
    }
    if order.complete {
        let (target, demand) = reservation::target(&order);
        store::reserve(tx, known.id, target, &demand)?;
    } else if known.is_new {
        be_patient(tx, &order_timer(known.id), known.id)?;
    }
    Ok(())
}

fn refund(
    tx: &Tx<'_>,
    order_id: OrderId,
    key: OrderKey,
    after_sale_id: &str,
    facts: RefundFacts,
    origin: Origin,
) -> Result<RefundId, DbError> {
    let mut known = store::find_refund(tx, order_id, after_sale_id)?
        .unwrap_or_else(|| KnownRefund::new(tx.cx().now, order_id, after_sale_id));
    let before = known.facts.clone();
    known.facts.merge(facts);
    if known.is_new || known.facts != before {
        settle_refund(tx, &key, &mut known)?;
        if before.claim.is_none() && known.facts.claim.is_some() && !known.is_new {
            events::cancel(tx, &refund_timer(known.id))?;
        }
    }
    if origin == Origin::Push {
        let ask =
            Ask::AfterSale { order_id: Some(key.platform_order_id.clone()), after_sale_id: after_sale_id.to_owned() };
        enqueue(tx, key.platform, &key.shop_id, &ask, &known.id.to_string())?;
    }
    Ok(known.id)
}

fn settle_refund(tx: &Tx<'_>, key: &OrderKey, known: &mut KnownRefund) -> Result<(), DbError> {
    let refund = known.facts.refund(key.clone(), known.after_sale_id.clone());
    let due = announce::refund_events(known.id, known.order_id, &refund, &mut known.announced, !known.overdue);
    store::save_refund(tx, known, &refund)?;
    for event in due {
        events::append(tx, SOURCE, &known.id.to_string(), &event)?;
    }
    if known.is_new && refund.claim.is_none() {
        be_patient(tx, &refund_timer(known.id), known.order_id)?;
    }
    Ok(())
}

/// The full record has been waited for long enough: announces the order and its refunds with what is known.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn announce_incomplete(tx: &Tx<'_>, id: OrderId) -> Result<(), DbError> {
    let Some(mut known) = store::order_by_id(tx, id)? else { return Ok(()) };
    if known.facts.detail.is_none() && !known.overdue {
        known.overdue = true;
        settle(tx, &mut known, None)?;
    }
    for mut refund in store::refunds(tx, id)? {
        if refund.facts.claim.is_none() && !refund.overdue {
            refund.overdue = true;
            settle_refund(tx, &known.key, &mut refund)?;
        }
    }
    Ok(())
}

/// Sets the timer after which the order is announced with what is known. It is taken back when the record comes.
fn be_patient(tx: &Tx<'_>, key: &str, id: OrderId) -> Result<(), DbError> {
    let due = tx.cx().now.try_add_millis(PATIENCE_MS).map_err(|error| DbError::Shape(error.to_string()))?;
    let event = Event::OrderDetailOverdue(OrderDetailOverdue { v: Version, order_id: id, attempt: 1 });
    events::schedule(tx, due, key, SOURCE, &id.to_string(), &event)
}

fn order_timer(id: OrderId) -> String {
    format!("order.detail:{id}")
}

fn refund_timer(id: RefundId) -> String {
    format!("refund.detail:{id}")
}

/// Asks a marketplace; tells the call. The call's subject is our id of what it is about, or the platform's while we know nothing of it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn ask(tx: &Tx<'_>, platform: Platform, shop_id: &str, ask: &Ask) -> Result<OutboxId, DbError> {
    let ours = match ask {
        Ask::Order { order_id } => {
            let key = OrderKey { platform, shop_id: shop_id.to_owned(), platform_order_id: order_id.clone() };
            store::id_of_order(tx, &key)?.map(|id| id.to_string())
        }
        Ask::AfterSale { after_sale_id, .. } => {
            store::refund_by_case(tx, platform, shop_id, after_sale_id)?.map(|id| id.to_string())
        }
        _ => None,
    };
    let subject = ours.unwrap_or_else(|| format!("{platform}:{shop_id}:{}", ask.about()));
    enqueue(tx, platform, shop_id, ask, &subject)
}

fn enqueue(tx: &Tx<'_>, platform: Platform, shop_id: &str, ask: &Ask, subject: &str) -> Result<OutboxId, DbError> {
    let asked = Asked { shop_id: shop_id.to_owned(), ask: ask.clone() };
    let request = serde_json::to_value(asked).map_err(|error| DbError::Shape(error.to_string()))?;
    let call = outbox::Call { destination: platform.as_str(), operation: ask.operation(), subject, request };
    outbox::enqueue(tx, &call)
}
