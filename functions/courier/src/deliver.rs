//! Claiming calls, sending them side by side, and writing down how each ended.

use crate::destination::{EXCHANGE, Failure, Outcome};
use crate::retry;
use crate::settings::Settings;
use crate::store::{self, Claimed};
use domain::{Event, OutboxFailed, OutboxSucceeded, Version};
use kit::{App, Cx, DbError, Problem, Tx, events, host, outbox};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Who appends this function's events.
pub const SOURCE: &str = "/functions/courier";
/// How many calls one instance has under way at the most.
const UNDER_WAY: i64 = 64;
/// How long a claimed call is ours, in milliseconds: token, call, renewed token, call again, and writing it down.
const LEASE_MS: i64 = 120_000;

/// The courier of one instance.
#[derive(Clone)]
pub struct Courier {
    app: App,
    pub settings: Arc<Settings>,
    under_way: Arc<AtomicI64>,
}

impl Courier {
    /// A courier with free hands.
    pub fn new(app: App) -> Self {
        debug_assert!(EXCHANGE.as_millis() * 4 < u128::from(LEASE_MS.unsigned_abs()));
        let settings = Arc::new(Settings::new(app.variables()));
        Self { app, settings, under_way: Arc::default() }
    }

    /// Claims what is due and sends it in the background. Tells how many calls it claimed.
    ///
    /// # Errors
    /// 503 when the database is busy or `data_key` is missing: answers could not be kept.
    pub async fn deliver(&self, cx: &Cx) -> Result<usize, Problem> {
        self.settings.vault.as_ref()?;
        let free = UNDER_WAY - self.under_way.load(Ordering::Relaxed);
        if free <= 0 {
            return Ok(0);
        }
        let lease_until = cx.now.millis().saturating_add(LEASE_MS);
        let claimed =
            self.app.db().write(cx, move |tx| store::claim(tx, free, lease_until)).await.map_err(Problem::from)?;
        let count = claimed.len();
        for call in claimed {
            self.under_way.fetch_add(1, Ordering::Relaxed);
            let courier = self.clone();
            let cx = Cx { now: cx.now, trace: call.trace.clone() };
            host::spawn(async move {
                courier.carry(&cx, call).await;
                courier.under_way.fetch_sub(1, Ordering::Relaxed);
            });
        }
        Ok(count)
    }

    /// Sends one call and writes down how it ended. If that cannot be written the lease lapses and the call goes out again.
    async fn carry(&self, cx: &Cx, call: Claimed) {
        let outcome = call.destination.send(&self.app, &self.settings, cx, &call).await;
        let ended = match self.app.clock().now().await {
            Ok(now) => Cx { now, ..cx.clone() },
            Err(_) => cx.clone(),
        };
        let sealed = match &outcome {
            Outcome::Succeeded { answer, .. } => self.seal(answer),
            _ => Ok(Vec::new()),
        };
        let soon = soon(&call, &outcome);
        let written = match sealed {
            Ok(sealed) => self.app.db().write(&ended, move |tx| finish(tx, &call, outcome, sealed)).await,
            Err(error) => Err(DbError::Shape(error)),
        };
        if let Err(error) = written {
            tracing::error!(%error, "the outcome of a call could not be written: it will be sent again");
        }
        if let Some(pause) = soon {
            let app = self.app.clone();
            host::spawn(async move {
                host::sleep(pause).await;
                app.nudge();
            });
        }
    }

    fn seal(&self, answer: &[u8]) -> Result<Vec<u8>, String> {
        let vault = self.settings.vault.as_ref().map_err(ToString::to_string)?;
        vault.seal(outbox::RESPONSE_PURPOSE, answer).map_err(|error| error.to_string())
    }
}

/// When an urgent call that is put back comes due: the tick would be late.
fn soon(call: &Claimed, outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Outcome::Retry(failure) if call.destination.is_urgent() => failure.retry_after_ms.map(Duration::from_millis),
        _ => None,
    }
}

fn finish(tx: &Tx<'_>, call: &Claimed, outcome: Outcome, sealed: Vec<u8>) -> Result<(), DbError> {
    match outcome {
        Outcome::Succeeded { status, left_out, .. } => {
            if store::succeed(tx, call, status, sealed)? {
                store::settle_messages(tx, call.id, &left_out)?;
                events::append(
                    tx,
                    SOURCE,
                    &call.subject,
                    &Event::OutboxSucceeded(OutboxSucceeded {
                        v: Version,
                        outbox_id: call.id,
                        destination: call.destination.name().to_owned(),
                        operation: call.operation.clone(),
                        subject: call.subject.clone(),
                        status,
                        attempts: attempts(call),
                        at: tx.cx().now,
                    }),
                )?;
            }
        }
        Outcome::Retry(failure) if call.attempt < retry::TRIES => {
            if failure.trips_breaker {
                store::trip(tx, call.destination)?;
            }
            let pause = failure.retry_after_ms.unwrap_or_else(|| host::jitter(retry::pause_ms(call.attempt)));
            let due = tx.cx().now.millis().saturating_add(i64::try_from(pause).unwrap_or(i64::MAX));
            tracing::info!(
                destination = call.destination.name(),
                attempt = call.attempt,
                error = failure.error,
                "retry"
            );
            store::put_back(tx, call, due, true, failure.status, &failure.error)?;
            store::give_back_failed(tx)?;
        }
        Outcome::Paused(failure) => {
            let until = store::pause(tx, call)?;
            tracing::warn!(destination = call.destination.name(), operation = call.operation, "called too often");
            store::put_back(tx, call, until, false, failure.status, &failure.error)?;
            store::give_back_failed(tx)?;
        }
        Outcome::Retry(failure) | Outcome::Failed(failure) => give_up(tx, call, &failure)?,
    }
    Ok(())
}

fn give_up(tx: &Tx<'_>, call: &Claimed, failure: &Failure) -> Result<(), DbError> {
    tracing::error!(destination = call.destination.name(), error = failure.error, "given up");
    if store::fail(tx, call, failure.status, &failure.error)? {
        if failure.unknown {
            // It may have been done: what it has taken stays taken.
            store::settle_messages(tx, call.id, &[])?;
        }
        store::give_back_failed(tx)?;
        events::append(
            tx,
            SOURCE,
            &call.subject,
            &Event::OutboxFailed(OutboxFailed {
                v: Version,
                outbox_id: call.id,
                destination: call.destination.name().to_owned(),
                operation: call.operation.clone(),
                subject: call.subject.clone(),
                status: failure.status,
                attempts: attempts(call),
                error: failure.error.clone(),
                at: tx.cx().now,
            }),
        )?;
    }
    Ok(())
}

fn attempts(call: &Claimed) -> u32 {
    u32::try_from(call.attempt).unwrap_or(u32::MAX)
}
