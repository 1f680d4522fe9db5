//! What customers do with events: note who it was and what they did, and what follows from that.

use crate::intake::{INTAKE, Intake};
use crate::store::activity::{self, Sign};
use crate::store::profile::{self, NewAttribute};
use crate::store::{self, customer};
use crate::who::{self, Seen};
use crate::{SOURCE, handover, import, membership, portrait, relation, stage};
use domain::{
    Activity, ActivityRecorded, AttributeValue, ContactDetailed, CustomerAttributeChanged, CustomerId, Event,
    FollowUpRecorded, MemberJoined, OrderEvent, RefundEvent, RelationChanged, RelationSide, UnixMs, Version,
};
use kit::consume::{ConsumeError, Consumer};
use kit::events::{self, Logged};
use kit::{App, DbError, Tx, Vault};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The purpose under which channels seal contacts' names.
const CONTACT_NAME: &str = "contact.name";

/// This function as a consumer.
pub const CONSUMER: Consumer = Consumer {
    name: "customers",
    types: &[
        "activity.recorded",
        "contact.detailed",
        "customer.imported",
        "customer.stage_due",
        "follow_up.recorded",
        "handover.answered",
        "handover.due",
        "import.due",
        "order.created",
        "order.paid",
        "order.shipped",
        "order.signed",
        "order.completed",
        "order.closed",
        "order.detailed",
        "refund.applied",
        "refund.refunded",
        "relation.changed",
        // What membership needs besides.
        "customer.erased",
        "customer.merged",
        "customer.split",
        "member.joined",
        "member.level_due",
        "points.expiry",
        "refund.cancelled",
        "refund.rejected",
        "return.received",
    ],
    apply,
};

fn apply(app: &App, tx: &Tx<'_>, logged: &Logged) -> Result<(), ConsumeError> {
    let event = logged.event()?;
    note(app, tx, logged, &event)?;
    // Membership comes last: it asks whose the event's identities are.
    membership::apply(tx, logged, &event)
}

fn note(app: &App, tx: &Tx<'_>, logged: &Logged, event: &Event) -> Result<(), ConsumeError> {
    match event {
        Event::ActivityRecorded(recorded) => activity(app, tx, logged, recorded),
        Event::ContactDetailed(told) => detailed(app, tx, logged, told),
        Event::OrderCreated(order)
        | Event::OrderPaid(order)
        | Event::OrderShipped(order)
        | Event::OrderSigned(order)
        | Event::OrderCompleted(order)
        | Event::OrderClosed(order)
        | Event::OrderDetailed(order) => ordered(tx, logged, order),
        Event::RefundApplied(refund) => refunded(tx, logged, refund, false),
        Event::RefundRefunded(refund) => refunded(tx, logged, refund, true),
        Event::CustomerStageDue(due) => Ok(stage::refresh(tx, due.customer_id, logged.time, &logged.type_name)?),
        Event::MemberJoined(joined) => became_member(tx, logged, joined),
        Event::CustomerImported(row) => import::take(app, tx, logged, row),
        Event::ImportDue(due) => import::step(app, tx, logged, due.import_id),
        Event::HandoverDue(due) => handover::step(tx, logged, due.handover_id),
        Event::HandoverAnswered(told) => Ok(handover::answered(tx, logged, told)?),
        Event::FollowUpRecorded(told) => followed_up(tx, logged, told),
        Event::RelationChanged(told) => related(tx, logged, told),
        _ => Ok(()),
    }
}

/// A card was claimed: a bond, and one more way to recognise a person.
fn became_member(tx: &Tx<'_>, logged: &Logged, joined: &MemberJoined) -> Result<(), ConsumeError> {
    let shown: BTreeSet<_> = joined.identities.iter().cloned().collect();
    let Some(Seen { anchor, customer }) = who::see(tx, logged, joined.at, &shown)? else { return Ok(()) };
    activity::note(tx, anchor, joined.at, logged, &json!({ "program": joined.program }))?;
    let mut changed = activity::sign(tx, anchor, Sign::Contact, joined.at)?;
    changed |= activity::belongs(tx, anchor, joined.store.as_deref(), None, joined.at)?;
    if changed {
        stage::refresh(tx, customer, logged.time, &logged.type_name)?;
    }
    Ok(())
}

fn ordered(tx: &Tx<'_>, logged: &Logged, event: &OrderEvent) -> Result<(), ConsumeError> {
    let order = &event.order;
    let shown: BTreeSet<_> = order.identities.iter().cloned().collect();
    let placed_at = order.times.created_at.unwrap_or(event.at);
    let Some(Seen { anchor, .. }) = who::see(tx, logged, placed_at, &shown)? else { return Ok(()) };
    let mut changed = activity::order(tx, event.order_id, anchor, order.times.paid_at, order.paid)?;
    // The order stays with the identity that it was booked on first, though others may have become known since.
    let anchor = activity::identity_of_order(tx, event.order_id)?.unwrap_or(anchor);
    if let Some(guide) = &order.guide {
        let store = guide.store_code.as_ref().map(|code| format!("/{}", code.trim_start_matches('/')));
        changed |= activity::belongs(tx, anchor, store.as_deref(), Some(&guide.code), placed_at)?;
    }
    let summary = json!({ "order_id": event.order_id, "platform": order.key.platform, "shop_id": order.key.shop_id,
        "paid": order.paid, "lines": order.lines.len() });
    activity::note(tx, anchor, event.at, logged, &summary)?;
    if changed && let Some(customer) = activity::customer_of(tx, anchor)? {
        stage::refresh(tx, customer, logged.time, &logged.type_name)?;
    }
    Ok(())
}

fn refunded(tx: &Tx<'_>, logged: &Logged, event: &RefundEvent, paid_back: bool) -> Result<(), ConsumeError> {
    let amount = event.refund.claim.as_ref().map(|claim| claim.amount);
    if let Some(amount) = amount
        && paid_back
    {
        activity::refund(tx, event.refund_id, event.order_id, amount)?;
    }
    let Some(anchor) = activity::identity_of_order(tx, event.order_id)? else { return Ok(()) };
    let summary = json!({ "refund_id": event.refund_id, "order_id": event.order_id, "amount": amount });
    activity::note(tx, anchor, event.at, logged, &summary)?;
    if paid_back && let Some(customer) = activity::customer_of(tx, anchor)? {
        stage::refresh(tx, customer, logged.time, &logged.type_name)?;
    }
    Ok(())
}

fn activity(app: &App, tx: &Tx<'_>, logged: &Logged, event: &ActivityRecorded) -> Result<(), ConsumeError> {
    let shown: BTreeSet<_> = event.identities.iter().cloned().collect();
    let Some(Seen { anchor, customer }) = who::see(tx, logged, event.at, &shown)? else { return Ok(()) };
    for hint in &event.hints {
        profile::hint(tx, anchor, hint, event.at)?;
    }
    // First, since a stage goes by the relations that stand.
    bond(tx, customer, event)?;
    let mut changed = match sign_of(&event.activity) {
        Some(sign) => activity::sign(tx, anchor, sign, event.at)?,
        None => false,
    };
    changed |= activity::belongs(tx, anchor, event.store.as_deref(), advisor(tx, customer, event)?, event.at)?;
    activity::note(tx, anchor, event.at, logged, &summary(event)?)?;
    came_with(app, tx, logged, Seen { anchor, customer }, (event.at, "event"))?;
    if changed {
        stage::refresh(tx, customer, logged.time, event.activity.kind())?;
    }
    Ok(())
}

/// Who advises a customer by what it did: nobody by the end of a bond, nor by one that WeCom makes for a handover.
fn advisor<'a>(tx: &Tx<'_>, customer: CustomerId, event: &'a ActivityRecorded) -> Result<Option<&'a str>, DbError> {
    let Some(staff) = event.staff.as_deref() else { return Ok(None) };
    Ok(match &event.activity {
        Activity::ContactRemoved { .. } => None,
        Activity::ContactAdded { code: None, .. } if store::handover::is_asked_for(tx, customer, staff)? => None,
        _ => Some(staff),
    })
}

/// Who adds a member of staff, or is no longer a contact, has a relation with that one, or has it no longer.
fn bond(tx: &Tx<'_>, customer: CustomerId, event: &ActivityRecorded) -> Result<(), DbError> {
    let Some(staff) = event.staff.as_deref() else { return Ok(()) };
    let cause = |by| relation::Cause { by, at: event.at, actor: None, handover: None };
    match event.activity {
        // Callbacks come in any order: what ended later than it is told to begin stays ended.
        Activity::ContactAdded { .. } if !relation::has_ended_since(tx, customer, staff, event.at)? => {
            relation::begin(tx, customer, staff, cause(RelationSide::Customer)).map(drop)
        }
        Activity::ContactRemoved { by } if !relation::end(tx, customer, staff, cause(by))? => {
            store::relation::ended(tx, customer, staff, by, event.at)
        }
        _ => Ok(()),
    }
}

/// A platform has told who a contact is: one more way to recognise it, and its name.
fn detailed(app: &App, tx: &Tx<'_>, logged: &Logged, told: &ContactDetailed) -> Result<(), ConsumeError> {
    let shown: BTreeSet<_> = told.identities.iter().cloned().collect();
    let Some(Seen { customer, .. }) = who::see(tx, logged, told.at, &shown)? else { return Ok(()) };
    let Some((sealed, at)) = profile::contact_name(tx, &shown)? else { return Ok(()) };
    let vault = Vault::new(app.variables()).map_err(|error| ConsumeError::Refused(error.to_string()))?;
    let open = vault.open(CONTACT_NAME, &sealed);
    let open = open.map_err(|error| ConsumeError::Refused(format!("the contact's name: {error}")))?;
    let name = String::from_utf8_lossy(&open);
    if name.trim().is_empty() {
        return Ok(());
    }
    Ok(portrait::set_name(tx, &vault, customer, name.trim(), at)?)
}

fn related(tx: &Tx<'_>, logged: &Logged, told: &RelationChanged) -> Result<(), ConsumeError> {
    let summary = json!({ "staff": told.staff, "change": told.change, "by": told.by });
    Ok(activity::note(tx, customer::home(tx, told.customer_id)?, told.at, logged, &summary)?)
}

fn followed_up(tx: &Tx<'_>, logged: &Logged, told: &FollowUpRecorded) -> Result<(), ConsumeError> {
    let summary = json!({ "follow_up_id": told.follow_up_id, "staff": told.staff, "step": told.step,
        "outcome": told.outcome, "next_at": told.next_at });
    Ok(activity::note(tx, customer::home(tx, told.customer_id)?, told.at, logged, &summary)?)
}

/// What an activity says of the bond with a person.
fn sign_of(activity: &Activity) -> Option<Sign> {
    match activity {
        Activity::CodeScanned { .. }
        | Activity::AccountFollowed { .. }
        | Activity::ContentShared { .. }
        | Activity::FormSubmitted { .. }
        | Activity::LiveCommented { .. }
        | Activity::LessonAttended { .. }
        | Activity::CourseProgressed { .. }
        | Activity::VehicleTestDriven { .. }
        | Activity::ConsultationHeld { .. }
        | Activity::CallHeld { .. } => Some(Sign::Lead),
        Activity::GroupJoined { .. } | Activity::MessageSent { .. } | Activity::MenuUsed { .. } => Some(Sign::Lead),
        Activity::ContactAdded { .. } => Some(Sign::Contact),
        // Who is handed over is not lost.
        Activity::ContactRemoved { by: RelationSide::Handover } => None,
        Activity::AccountUnfollowed { .. } | Activity::ContactRemoved { .. } => Some(Sign::Lost),
        Activity::PageViewed { .. }
        | Activity::MenuDwelled { .. }
        | Activity::LinkOpened { .. }
        | Activity::LinkLeft { .. }
        | Activity::DeviceSold { .. }
        | Activity::BirthdayTold { .. }
        | Activity::MemberLevelTold { .. }
        | Activity::GroupLeft { .. } => None,
    }
}

fn summary(event: &ActivityRecorded) -> Result<Value, ConsumeError> {
    let mut summary =
        serde_json::to_value(&event.activity).map_err(|error| ConsumeError::Refused(error.to_string()))?;
    for (name, value) in [("channel", &event.channel), ("store", &event.store), ("staff", &event.staff)] {
        if let Some(value) = value {
            summary[name] = json!(value);
        }
    }
    summary["source"] = json!(event.source);
    Ok(summary)
}

/// Writes what came with an event into the profile of whom it is about, as of that time and from that source.
///
/// # Errors
/// Where it cannot be opened, and [`DbError`] of the statements.
pub fn came_with(
    app: &App,
    tx: &Tx<'_>,
    logged: &Logged,
    seen: Seen,
    (at, source): (UnixMs, &str),
) -> Result<(), ConsumeError> {
    let Some(sealed) = profile::claim_intake(tx, &logged.id.to_string(), seen.anchor)? else { return Ok(()) };
    let vault = Vault::new(app.variables()).map_err(|error| ConsumeError::Refused(error.to_string()))?;
    let customer = seen.customer;
    let broken = |error: &dyn std::fmt::Display| ConsumeError::Refused(format!("what came with it: {error}"));
    let open = vault.open(INTAKE, &sealed).map_err(|error| broken(&error))?;
    let intake: Intake = serde_json::from_slice(&open).map_err(|error| broken(&error))?;
    if let Some(name) = intake.name {
        portrait::set_name(tx, &vault, customer, &name, at)?;
    }
    for (field, given) in intake.attributes {
        let clear = match &given {
            crate::profile::Given::Value(value) => Some(value.clone()),
            crate::profile::Given::Text(_) => None,
        };
        let value = profile::kept(given, |text| portrait::seal_text(&vault, text))?;
        let new = NewAttribute { field: &field, value: Some(value), at, source, by: None };
        if profile::set_attribute(tx, customer, &new)? {
            attribute_changed(tx, customer, &field, clear, source, at)?;
        }
    }
    Ok(())
}

/// Tells that a field of the profile has a new value.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn attribute_changed(
    tx: &Tx<'_>,
    customer: CustomerId,
    field: &str,
    value: Option<AttributeValue>,
    source: &str,
    at: UnixMs,
) -> Result<(), DbError> {
    let event = CustomerAttributeChanged {
        v: Version,
        customer_id: customer,
        field: field.to_owned(),
        value,
        source: source.to_owned(),
        at,
    };
    events::append(tx, SOURCE, &customer.to_string(), &Event::CustomerAttributeChanged(event)).map(drop)
}
