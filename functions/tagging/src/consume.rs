//! What tagging does with events.

use crate::engine::Run;
use crate::{booking, people, rfm, rounds};
use domain::Event;
use kit::consume::{ConsumeError, Consumer};
use kit::events::Logged;
use kit::{App, Tx};

/// This function as a consumer.
pub const CONSUMER: Consumer = Consumer {
    name: "tagging",
    types: &[
        "activity.recorded",
        "order.paid",
        "order.detailed",
        "refund.refunded",
        "return.received",
        "customer.identified",
        "customer.merged",
        "customer.split",
        "customer.stage_changed",
        "customer.attribute_changed",
        "customer.erased",
        "tag.added",
        "tag.released",
        "tag.removed",
        "tagging.day",
        "tagging.backfill",
        "tagging.rfm",
    ],
    apply,
};

fn apply(_app: &App, tx: &Tx<'_>, logged: &Logged) -> Result<(), ConsumeError> {
    let event = logged.event()?;
    // Of tags, only a person's word is news here.
    if let Event::TagAdded(told) | Event::TagRemoved(told) = &event
        && told.by.is_none()
    {
        return Ok(());
    }
    let run = Run::begin(tx, logged)?;
    Ok(match event {
        Event::ActivityRecorded(recorded) => booking::activity(tx, &run, &recorded),
        Event::OrderPaid(told) | Event::OrderDetailed(told) => booking::order(tx, &run, &told),
        Event::RefundRefunded(told) => booking::refunded(tx, &run, &told),
        Event::ReturnReceived(told) => booking::returned(tx, &run, &told),
        Event::CustomerIdentified(told) => people::identified(tx, &run, &told),
        Event::CustomerMerged(told) => people::merged(tx, &run, &told),
        Event::CustomerSplit(told) => people::split(tx, &run, &told),
        Event::CustomerStageChanged(told) => people::stage(tx, &run, &told),
        Event::CustomerAttributeChanged(told) => people::attribute(tx, &run, logged.seq, &told),
        Event::CustomerErased(told) => people::erased(tx, &run, &told),
        Event::TagAdded(told) => people::word(tx, &run, &told, true),
        Event::TagRemoved(told) => people::word(tx, &run, &told, false),
        Event::TagReleased(told) => people::released(tx, &run, &told),
        Event::TaggingDay(_) => rounds::day(tx, &run),
        Event::TaggingBackfill(due) => rounds::backfill(tx, run, &due),
        Event::TaggingRfm(due) => rfm::due(tx, run, logged.seq, &due),
        _ => Ok(()),
    }?)
}
