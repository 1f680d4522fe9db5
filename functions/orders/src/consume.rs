//! What orders do with events: answers that the courier has brought, shops that come, and time that has run out.

use crate::deliver::{self, Origin};
use crate::{buyers, decision, listing, parcels, pickup, pull, receive, settings, store};
use domain::{Event, OrderId, OutboxFailed, OutboxSucceeded, PickupStatus, Platform, Secret};
use kit::consume::{ConsumeError, Consumer};
use kit::events::Logged;
use kit::{App, Tx, Vault, outbox};
use platforms::kuaidi100;
use platforms::kuaidi100::pickup::{Party, SENDER};
use platforms::marketplace::{Answer, Ask, Asked};

/// This function as a consumer.
pub const CONSUMER: Consumer = Consumer {
    name: "orders",
    types: &[
        "outbox.succeeded",
        "outbox.failed",
        "order.detail_overdue",
        "order.paid",
        "order.shipped",
        "order.detailed",
        "refund.agreed",
        "refund.rejected",
        "refund.cancelled",
        "shop.connected",
        "pull.due",
        "stock.changed",
        "stock.push_due",
        "customer.erased",
    ],
    apply,
};

fn apply(app: &App, tx: &Tx<'_>, logged: &Logged) -> Result<(), ConsumeError> {
    match logged.event()? {
        Event::OutboxSucceeded(succeeded) => match marketplace(&succeeded.destination) {
            Some(platform) => answered(app, tx, platform, &succeeded),
            None if succeeded.destination == kuaidi100::DESTINATION => courier_called(app, tx, &succeeded),
            None => Ok(()),
        },
        Event::OutboxFailed(failed) => match marketplace(&failed.destination) {
            Some(platform) => refused(tx, platform, &failed),
            None if failed.operation == kuaidi100::pickup::ORDER => match failed.subject.parse() {
                Ok(id) => Ok(pickup::ended(tx, id, PickupStatus::Failed)?),
                Err(_) => Ok(()),
            },
            None if failed.operation == kuaidi100::WATCH => Ok(parcels::refused(tx, &failed.subject)?),
            None => Ok(()),
        },
        Event::OrderDetailOverdue(overdue) => Ok(deliver::announce_incomplete(tx, overdue.order_id)?),
        Event::ShopConnected(shop) => Ok(pull::begin(tx, shop.platform, &shop.shop_id)?),
        Event::OrderPaid(paid) | Event::OrderDetailed(paid) if paid.order.complete => {
            Ok(buyers::bought(tx, paid.order_id, &paid.order)?)
        }
        Event::OrderShipped(shipped) if settings::parcels_are_watched(app.variables()) => {
            Ok(parcels::watch(tx, shipped.order_id)?)
        }
        Event::RefundAgreed(agreed) => Ok(pickup::agreed(tx, agreed.refund_id)?),
        Event::RefundRejected(failed) | Event::RefundCancelled(failed) => {
            Ok(pickup::fell_through(tx, failed.refund_id)?)
        }
        Event::StockChanged(changed) => Ok(listing::changed(tx, &changed.sku)?),
        Event::StockPushDue(due) => Ok(listing::push(tx, &due.sku)?),
        Event::CustomerErased(erased) => forget(app, tx, &erased.order_ids),
        Event::PullDue(due) => Ok(pull::ask(tx, due.platform, &due.shop_id, due.kind)?),
        _ => Ok(()),
    }
}

/// A buyer is to be forgotten: phones go, and who handed parcels over. A courier who has not been called yet will not find the way.
fn forget(app: &App, tx: &Tx<'_>, orders: &[OrderId]) -> Result<(), ConsumeError> {
    let nobody = Party {
        name: Secret::new(String::new()),
        phone: Secret::new(String::new()),
        address: Secret::new(String::new()),
    };
    let vault = Vault::new(app.variables()).map_err(|error| refusal(&error))?;
    let sealed = vault.seal(SENDER, nobody.to_json().as_bytes()).map_err(|error| refusal(&error))?;
    store::forget_phones(tx, orders)?;
    Ok(store::forget_senders(tx, orders, &sealed)?)
}

fn marketplace(destination: &str) -> Option<Platform> {
    destination.parse().ok().filter(|platform| platforms::source(*platform).is_some())
}

/// A marketplace has answered.
fn answered(app: &App, tx: &Tx<'_>, platform: Platform, succeeded: &OutboxSucceeded) -> Result<(), ConsumeError> {
    let Some(source) = platforms::source(platform) else { return Ok(()) };
    let vault = Vault::new(app.variables()).map_err(|error| refusal(&error))?;
    let (request, answer) = exchanged(tx, &vault, succeeded)?;
    let asked = asked(&request)?;
    let own = settings::app(app.variables(), platform).map_err(|error| refusal(&error))?;
    match source.read(&own, &asked.shop_id, &asked.ask, &answer).map_err(|error| refusal(&error))? {
        Answer::Facts(facts) => {
            let watched = settings::parcels_are_watched(app.variables());
            for fact in facts {
                let has_parcels = parcels::are_in(&fact);
                let id = deliver::fact(tx, fact, Origin::Record, None)?;
                if watched && has_parcels {
                    parcels::watch(tx, id)?;
                }
            }
        }
        Answer::Changed { asks, next } => pull::page(tx, platform, &asked, &asks, next)?,
        Answer::Messages(messages) => {
            let ids = messages.iter().map(|message| message.id.clone()).collect();
            for message in messages {
                receive::message(tx, &vault, platform, message)?;
            }
            pull::messages(tx, platform, &asked.shop_id, ids)?;
        }
        Answer::Done => {
            done(tx, platform, &asked)?;
        }
    }
    Ok(())
}

/// A call that was answered: what was asked, and what was answered.
fn exchanged<T: serde::de::DeserializeOwned>(
    tx: &Tx<'_>,
    vault: &Vault,
    succeeded: &OutboxSucceeded,
) -> Result<(String, T), ConsumeError> {
    let call = outbox::finished(tx, succeeded.outbox_id)?
        .ok_or_else(|| refusal(&format!("there is no call {}", succeeded.outbox_id)))?;
    let sealed = call.response.ok_or_else(|| refusal(&format!("call {} has no answer", succeeded.outbox_id)))?;
    let body = vault.open(outbox::RESPONSE_PURPOSE, &sealed).map_err(|error| refusal(&error))?;
    Ok((call.request, serde_json::from_slice(&body).map_err(|error| refusal(&error))?))
}

/// A carrier has taken the order of a courier, or its withdrawal.
fn courier_called(app: &App, tx: &Tx<'_>, succeeded: &OutboxSucceeded) -> Result<(), ConsumeError> {
    let Ok(id) = succeeded.subject.parse() else { return Ok(()) };
    match succeeded.operation.as_str() {
        kuaidi100::pickup::ORDER => {
            let vault = Vault::new(app.variables()).map_err(|error| refusal(&error))?;
            let (_, ordered) = exchanged(tx, &vault, succeeded)?;
            Ok(pickup::placed(tx, id, ordered)?)
        }
        kuaidi100::pickup::CANCEL => Ok(pickup::ended(tx, id, PickupStatus::Cancelled)?),
        _ => Ok(()),
    }
}

/// A marketplace has done what it was told.
fn done(tx: &Tx<'_>, platform: Platform, asked: &Asked) -> Result<(), ConsumeError> {
    let (shop_id, ask) = (&asked.shop_id, asked.ask.first());
    if let Ask::ConfirmMessages { .. } = ask {
        pull::confirmed(tx, platform, shop_id)?;
    }
    if let Ask::SetStock { shelf, quantity } = ask {
        store::listing_told(tx, platform, shop_id, shelf, *quantity)?;
    }
    if let Ask::ConfirmReceipt { after_sale_id, .. } = ask
        && let Some((order, refund)) = store::case(tx, platform, shop_id, after_sale_id)?
    {
        decision::received(tx, &order, &refund)?;
    }
    // How a case stands after a decision is told by the record.
    if let Some(record) = ask.record() {
        deliver::ask(tx, platform, shop_id, &record)?;
    }
    Ok(())
}

/// A marketplace was asked in vain.
fn refused(tx: &Tx<'_>, platform: Platform, failed: &OutboxFailed) -> Result<(), ConsumeError> {
    let Some(call) = outbox::finished(tx, failed.outbox_id)? else { return Ok(()) };
    let asked = asked(&call.request)?;
    let ask = asked.ask.first();
    if let Ask::SetStock { shelf, .. } = ask {
        return Ok(listing::refused(tx, platform, &asked.shop_id, shelf)?);
    }
    // What was refused may have been done by an earlier try whose answer was lost: the record tells.
    if let Some(record) = ask.record() {
        return Ok(deliver::ask(tx, platform, &asked.shop_id, &record).map(drop)?);
    }
    match ask.pull_kind() {
        Some(kind) => Ok(pull::put_off(tx, platform, &asked.shop_id, kind, &failed.error)?),
        // Without the record, what is known is announced.
        None => {
            let order_id = match ask {
                Ask::Order { .. } => failed.subject.parse().ok(),
                Ask::AfterSale { .. } => store::order_of_refund(tx, &failed.subject)?,
                _ => None,
            };
            match order_id {
                Some(id) => Ok(deliver::announce_incomplete(tx, id)?),
                None => Ok(()),
            }
        }
    }
}

fn asked(request: &str) -> Result<Asked, ConsumeError> {
    serde_json::from_str(request).map_err(|error| refusal(&error))
}

fn refusal(error: &dyn std::fmt::Display) -> ConsumeError {
    ConsumeError::Refused(error.to_string())
}
