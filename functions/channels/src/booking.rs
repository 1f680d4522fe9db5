//! Books touches, orders and refunds, and works out anew whom the orders that they concern are owed to.
//!
//! What stands in the tables is a function of the log up to the event: no clock, no chance, and nothing that other functions have written since.

use crate::SOURCE;
use crate::credit::{Setting, shares};
use crate::store::attributed::{self, Order};
use crate::store::{person, touch};
use crate::touch::told;
use domain::day;
use domain::{
    ActivityRecorded, AttributionDue, CustomerErased, CustomerIdentified, Event, Fen, Identity, OrderEvent, OrderId,
    RefundEvent, RefundKind, RefundStatus, UnixMs, Version,
};
use kit::events::{self, Logged};
use kit::{DbError, Tx};
use std::collections::BTreeSet;

/// How many orders one event works out anew.
const MOST: u32 = 200;

/// Books an activity of any source.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn activity(tx: &Tx<'_>, event: &ActivityRecorded) -> Result<(), DbError> {
    let Some(told) = told(event) else { return Ok(()) };
    if told.way.is_none() && told.bond.is_none() && !told.writes {
        return Ok(());
    }
    let who = person(tx, &told.who)?;
    if let Some(bond) = &told.bond {
        touch::bond(tx, &told.who, told.at, bond)?;
    }
    if told.writes {
        touch::wrote(tx, &told.who, told.at, &who)?;
    }
    let mut is_new = false;
    if let Some(way) = &told.way {
        if told.scans {
            touch::count_scan(tx, way, day::of(told.at))?;
        }
        is_new = touch::came(tx, &told, way, &who)?;
    }
    if told.bond.is_some() || told.joins {
        touch::refresh_losses(tx, &told.who)?;
    }
    if told.writes || told.joins {
        touch::refresh_replies(tx, &who)?;
    }
    if is_new { touched(tx, &who, told.at.millis(), told.at.millis()) } else { Ok(()) }
}

/// Books a paid order, in place of what was known of it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn order(tx: &Tx<'_>, event: &OrderEvent) -> Result<(), DbError> {
    let order = &event.order;
    let Some(paid_at) = order.times.paid_at else { return Ok(()) };
    let paid = order.paid.or(order.amounts.as_ref().map(|amounts| amounts.payable)).unwrap_or_default();
    let who = order.identities.iter().filter(|who| who.kind.proves()).min();
    let known = who.map(|who| Ok::<_, DbError>((who, person(tx, who)?))).transpose()?;
    let known = known.as_ref().map(|(who, person)| (*who, person.as_str()));
    if attributed::paid(tx, event.order_id, known, paid_at, paid.max(Fen::ZERO))? {
        changed(tx, event.order_id)?;
    }
    Ok(())
}

/// Books money that went back; goods that are exchanged move none.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refund(tx: &Tx<'_>, event: &RefundEvent) -> Result<(), DbError> {
    let claim = event.refund.claim.as_ref().filter(|claim| claim.kind != RefundKind::Exchange);
    let (Some(claim), RefundStatus::Refunded) = (claim, event.refund.status) else { return Ok(()) };
    let order = attributed::refunded(tx, event.refund_id, event.order_id, claim.amount.max(Fen::ZERO))?;
    order.map_or(Ok(()), |id| changed(tx, id))
}

/// Identities are a customer's: what was booked on them goes with them, whole. Orders of all who gained or lost are worked out anew as far as the
/// touches that moved may concern them.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn identified(tx: &Tx<'_>, event: &CustomerIdentified) -> Result<(), DbError> {
    let moved = attributed::identified(tx, event.customer_id, &event.identities)?;
    if moved.from.is_empty() {
        return Ok(());
    }
    let persons: BTreeSet<String> = moved.from.into_iter().chain([event.customer_id.to_string()]).collect();
    if let Some((first, last)) = moved.touches {
        for who in &persons {
            touched(tx, who, first, last)?;
        }
    }
    for id in moved.orders {
        if let Some(order) = attributed::by_id(tx, id)? {
            settle(tx, &order)?;
        }
    }
    for who in &persons {
        attributed::refresh_first(tx, who)?;
        touch::refresh_replies(tx, who)?;
    }
    Ok(())
}

/// A person was erased.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forget(tx: &Tx<'_>, event: &CustomerErased) -> Result<(), DbError> {
    touch::forget(tx, event.customer_id)
}

/// Works orders out anew by other settings, a batch an event.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn due(tx: &Tx<'_>, logged: &Logged, event: &AttributionDue) -> Result<(), DbError> {
    let settings = attributed::settings(tx)?;
    if event.revision < settings.revision {
        return Ok(());
    }
    if event.revision > settings.revision {
        let setting = Setting { window_days: event.window_days, half_life_days: event.half_life_days };
        attributed::put_to_work(tx, setting, event.revision)?;
    }
    let batch = attributed::after(tx, event.after, MOST)?;
    batch.iter().try_for_each(|order| settle(tx, order))?;
    match batch.last() {
        Some(last) if u32::try_from(batch.len()).is_ok_and(|count| count >= MOST) => {
            schedule(tx, logged.time, AttributionDue { after: Some(last.id), ..event.clone() })
        }
        _ => attributed::finish(tx),
    }
}

/// Has settings go to work.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn want(tx: &Tx<'_>, wanted: Setting) -> Result<(), DbError> {
    let revision = attributed::want(tx, wanted)?;
    let Setting { window_days, half_life_days } = wanted;
    let event = AttributionDue { v: Version, revision, window_days, half_life_days, after: None };
    schedule(tx, tx.cx().now, event)
}

/// Each change has a timer of its own, so that the rounds of an older one take nothing from it.
fn schedule(tx: &Tx<'_>, at: UnixMs, event: AttributionDue) -> Result<(), DbError> {
    let key = format!("channels.attribution.{}", event.revision);
    events::schedule(tx, at, &key, SOURCE, "attribution", &Event::AttributionDue(event))
}

fn person(tx: &Tx<'_>, who: &Identity) -> Result<String, DbError> {
    Ok(touch::person_of(who, person::customer_of(tx, who)?))
}

/// An order changed: whom it is owed to, and which is the first of its person.
fn changed(tx: &Tx<'_>, id: OrderId) -> Result<(), DbError> {
    let Some(order) = attributed::by_id(tx, id)? else { return Ok(()) };
    settle(tx, &order)?;
    order.person.as_deref().map_or(Ok(()), |who| attributed::refresh_first(tx, who))
}

/// Works out anew the orders of a person that touches of this stretch of time may be owed.
fn touched(tx: &Tx<'_>, who: &str, first: i64, last: i64) -> Result<(), DbError> {
    let until = last.saturating_add(attributed::settings(tx)?.setting.window_ms());
    attributed::between(tx, who, first, until)?.iter().try_for_each(|order| settle(tx, order))
}

fn settle(tx: &Tx<'_>, order: &Order) -> Result<(), DbError> {
    let setting = attributed::settings(tx)?.setting;
    let paid_at = order.paid_at.millis();
    let touches = match &order.person {
        Some(who) => touch::between(tx, who, paid_at.saturating_sub(setting.window_ms()), paid_at)?,
        None => Vec::new(),
    };
    let shares =
        shares(setting, order.paid_at, order.worth, &touches).map_err(|error| DbError::Shape(error.to_string()))?;
    attributed::owe(tx, order, &shares)
}
