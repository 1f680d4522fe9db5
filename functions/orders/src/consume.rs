//! What orders do with events: full records that the courier has fetched, and patience that has run out.

use crate::deliver::{self, Origin};
use crate::{settings, store};
use domain::{Event, OutboxFailed, OutboxSucceeded, Platform};
use kit::consume::{ConsumeError, Consumer};
use kit::events::Logged;
use kit::{App, Tx, Vault, outbox};
use platforms::doudian;

/// This function as a consumer.
pub const CONSUMER: Consumer =
    Consumer { name: "orders", types: &["outbox.succeeded", "outbox.failed", "order.detail_overdue"], apply };

fn apply(app: &App, tx: &Tx<'_>, logged: &Logged) -> Result<(), ConsumeError> {
    match logged.event()? {
        Event::OutboxSucceeded(answered) if answered.destination == Platform::Douyin.as_str() => {
            record(app, tx, &answered)
        }
        Event::OutboxFailed(failed) if failed.destination == Platform::Douyin.as_str() => without(tx, &failed),
        Event::OrderDetailOverdue(overdue) => Ok(deliver::announce_incomplete(tx, overdue.order_id)?),
        _ => Ok(()),
    }
}

/// A full record has come.
fn record(app: &App, tx: &Tx<'_>, answered: &OutboxSucceeded) -> Result<(), ConsumeError> {
    let refused = |error: &dyn std::fmt::Display| ConsumeError::Refused(error.to_string());
    let vault = Vault::new(app.variables()).map_err(|error| refused(&error))?;
    let sealed = outbox::response(tx, answered.outbox_id)?
        .ok_or_else(|| ConsumeError::Refused(format!("call {} has no answer", answered.outbox_id)))?;
    let body = vault.open(outbox::RESPONSE_PURPOSE, &sealed).map_err(|error| refused(&error))?;
    let data = doudian::api::response(&body).map_err(|error| refused(&error))?;
    let fact = match answered.operation.as_str() {
        doudian::order::DETAIL => {
            let own = settings::doudian(app.variables()).map_err(|error| refused(&error))?;
            doudian::order::map_detail(&own.key, &data)
        }
        doudian::aftersale::DETAIL => {
            let shop = store::shop_of_refund(tx, &answered.subject)?
                .ok_or_else(|| ConsumeError::Refused(format!("no refund {}", answered.subject)))?;
            doudian::aftersale::map_detail(&shop, &data)
        }
        _ => return Ok(()),
    };
    deliver::fact(tx, fact.map_err(|error| refused(&error))?, Origin::Record, None)?;
    Ok(())
}

/// A full record will not come: what is known is announced.
fn without(tx: &Tx<'_>, failed: &OutboxFailed) -> Result<(), ConsumeError> {
    let order_id = match failed.operation.as_str() {
        doudian::order::DETAIL => failed.subject.parse().ok(),
        doudian::aftersale::DETAIL => store::order_of_refund(tx, &failed.subject)?,
        _ => None,
    };
    match order_id {
        Some(id) => Ok(deliver::announce_incomplete(tx, id)?),
        None => Ok(()),
    }
}
