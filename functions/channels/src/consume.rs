//! What channels do with events: who is who, what the platforms answered, slots that begin and end, tags for who came by a code and at WeCom, friends
//! who help, and which channels orders are owed to.

use crate::arrive::WECOM;
use crate::store::radar::visit;
use crate::store::{code, contact, mark, person};
use crate::{SOURCE, answered, booking, customer_tags, follow_up, helps, pull, push, tags, transfer, welcomed};
use domain::{
    Activity, ActivityRecorded, ChannelCodeId, CustomerErased, CustomerId, CustomerIdentified, Event, TagEvent, UnixMs,
    Version,
};
use kit::consume::{ConsumeError, Consumer};
use kit::events::{self, Logged};
use kit::{App, Tx};

/// This function as a consumer. It follows customers, so that it knows whose an event is.
pub const CONSUMER: Consumer = Consumer {
    name: "channels",
    types: &[
        "activity.recorded",
        "attribution.due",
        "contacts.due",
        "customer.erased",
        "customer.identified",
        "customer.merged",
        "customer.split",
        "fission.joined",
        "follow_up.due",
        "handover.begun",
        "handover.result_due",
        "order.closed",
        "order.completed",
        "order.created",
        "order.detailed",
        "order.paid",
        "order.shipped",
        "order.signed",
        "outbox.failed",
        "outbox.succeeded",
        "reception.due",
        "refund.agreed",
        "refund.applied",
        "refund.cancelled",
        "refund.refunded",
        "refund.rejected",
        "tag.added",
        "tag.defined",
        "tag.released",
        "tag.removed",
        "tag.retired",
        "wecom.marks_due",
        "wecom.tags_changed",
        "welcome.result_due",
    ],
    apply,
};

fn apply(app: &App, tx: &Tx<'_>, logged: &Logged) -> Result<(), ConsumeError> {
    match logged.event()? {
        Event::CustomerIdentified(event) => identified(tx, &event),
        Event::CustomerErased(event) => forget(tx, &event),
        Event::CustomerMerged(event) => Ok(customer_tags::merged(tx, &event)?),
        Event::CustomerSplit(event) => Ok(customer_tags::split(tx, &event)?),
        Event::TagAdded(event) => Ok(customer_tags::changed(tx, &logged.subject, &event, true)?),
        Event::TagRemoved(event) => Ok(customer_tags::changed(tx, &logged.subject, &event, false)?),
        Event::TagReleased(event) => Ok(customer_tags::released(tx, &logged.subject, &event)?),
        Event::TagRetired(event) => Ok(tags::retired(tx, &event)?),
        Event::TagDefined(event) => Ok(tags::defined(tx, &event)?),
        Event::WecomTagsChanged(event) => Ok(tags::changed(tx, &event)?),
        Event::WecomMarksDue(event) => Ok(tags::due(tx, &event)?),
        Event::FollowUpDue(event) => Ok(follow_up::due(app, tx, logged.id, &event)?),
        Event::HandoverBegun(event) => Ok(transfer::begun(app, tx, &event, logged.time)?),
        Event::HandoverResultDue(due) => Ok(transfer::due(tx, due.handover_id, logged.time)?),
        Event::ContactsDue(due) => Ok(pull::ask(tx, &due.staff, logged.time)?),
        Event::ActivityRecorded(event) => {
            booking::activity(tx, &event)?;
            if logged.source != SOURCE {
                return Ok(());
            }
            came_or_went(tx, &event)?;
            helps::happened(tx, &event)
        }
        Event::OrderCreated(event)
        | Event::OrderPaid(event)
        | Event::OrderShipped(event)
        | Event::OrderSigned(event)
        | Event::OrderCompleted(event)
        | Event::OrderClosed(event)
        | Event::OrderDetailed(event) => Ok(booking::order(tx, &event)?),
        Event::RefundApplied(event)
        | Event::RefundAgreed(event)
        | Event::RefundRefunded(event)
        | Event::RefundRejected(event)
        | Event::RefundCancelled(event) => Ok(booking::refund(tx, &event)?),
        Event::AttributionDue(due) => Ok(booking::due(tx, logged, &due)?),
        Event::WelcomeResultDue(due) => Ok(welcomed::due(tx, due.outbox_id, logged.time)?),
        Event::FissionJoined(event) => helps::joined(tx, &event),
        Event::ReceptionDue(due) => Ok(push::due(tx, &due)?),
        Event::OutboxSucceeded(event) => answered::succeeded(app, tx, &event),
        Event::OutboxFailed(event) => answered::failed(tx, &event),
        _ => Ok(()),
    }
}

/// Identities are a customer's: codes by which they came have waited for that.
fn identified(tx: &Tx<'_>, event: &CustomerIdentified) -> Result<(), ConsumeError> {
    person::identified(tx, event.customer_id, &event.identities)?;
    booking::identified(tx, event)?;
    for (code, at) in person::waited(tx, &event.identities)? {
        give_tags(tx, event.customer_id, code, at)?;
    }
    helps::identified(tx, event)?;
    tags::identified(tx, &event.identities, event.at)?;
    Ok(tags::bring(tx, event.customer_id)?)
}

/// A contact that begins is marked with the customer's tags; one that ends takes its marks along.
fn came_or_went(tx: &Tx<'_>, event: &ActivityRecorded) -> Result<(), ConsumeError> {
    if let (Some(who), Some(staff)) = (event.identities.first(), &event.staff) {
        match &event.activity {
            Activity::ContactAdded { .. } => {
                if let Some(customer) = person::customer_of(tx, who)? {
                    tags::bring(tx, customer)?;
                }
            }
            Activity::ContactRemoved { .. } => mark::forget_pair(tx, staff, &who.value)?,
            _ => {}
        }
    }
    came(tx, event)
}

/// Who came by a code gets its tags: at once, or when it is known who it is.
fn came(tx: &Tx<'_>, event: &ActivityRecorded) -> Result<(), ConsumeError> {
    let code = match &event.activity {
        Activity::ContactAdded { code: Some(code), .. }
        | Activity::GroupJoined { code: Some(code), .. }
        | Activity::CodeScanned { code } => code,
        _ => return Ok(()),
    };
    let (Ok(code), Some(who)) = (code.parse(), event.identities.first()) else { return Ok(()) };
    match person::customer_of(tx, who)? {
        Some(customer) => give_tags(tx, customer, code, event.at),
        None => Ok(person::wait_for(tx, who, code, event.at)?),
    }
}

/// A code's tags are its maker's word: they stay until somebody takes them away.
fn give_tags(tx: &Tx<'_>, customer_id: CustomerId, code: ChannelCodeId, at: UnixMs) -> Result<(), ConsumeError> {
    let Some(found) = code::by_id(tx, code)? else { return Ok(()) };
    for tag_id in found.plan.tags {
        let tag = TagEvent { v: Version, customer_id, tag_id, rule_id: None, by: Some(format!("code {code}")), at };
        events::append(tx, SOURCE, &customer_id.to_string(), &Event::TagAdded(tag))?;
    }
    Ok(())
}

/// A person's data were erased: what WeCom told of it goes.
fn forget(tx: &Tx<'_>, event: &CustomerErased) -> Result<(), ConsumeError> {
    booking::forget(tx, event)?;
    for value in person::values_of(tx, event.customer_id, domain::IdentityKind::WecomExternalUserId)? {
        contact::forget(tx, &value)?;
        mark::forget_contact(tx, &value)?;
    }
    helps::forget(tx, event)?;
    visit::forget(tx, &person::identities_of(tx, event.customer_id)?)?;
    customer_tags::forget(tx, event.customer_id)?;
    Ok(person::forget(tx, event.customer_id)?)
}

/// Whether a destination is one of ours.
pub fn is_wecom(destination: &str) -> bool {
    destination == WECOM || destination == platforms::wecom::WELCOME_DESTINATION
}
