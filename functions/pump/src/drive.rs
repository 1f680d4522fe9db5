//! Driving: timers into the log, consumers to the head, the courier to its calls.

use crate::flight::{Flight, Ride};
use crate::retention::Retention;
use crate::store;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use http::{Method, Request, Response, StatusCode, header};
use kit::client::SendError;
use kit::consume::{Consumed, Request as ConsumeRequest};
use kit::{App, ConfigError, Cx, Problem, events, host};
use serde_json::Value;
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

/// How long a function may take for one batch.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a call waits for a run's end: less than a host waits for an answer.
const PATIENCE: Duration = Duration::from_secs(25);
/// How often a consumer may fail in a run before it is left to the next one.
const FAILURES: u32 = 4;
/// How long it looks away while consumers are at work.
const GLANCE: Duration = Duration::from_millis(100);
/// How many timers one transaction moves at the most.
const TIMERS: u32 = 500;

/// Drives the log of one instance.
#[derive(Clone)]
pub struct Pump {
    app: App,
    consumers: Flight,
    courier: Flight,
    retention: Result<Retention, ConfigError>,
}

impl Pump {
    /// A pump at rest.
    pub fn new(app: App) -> Self {
        let retention = Retention::new(app.variables());
        Self { app, consumers: Flight::default(), courier: Flight::default(), retention }
    }

    /// Drives in the background; returns at once.
    pub fn nudge(&self) {
        if self.consumers.board() {
            self.spawn_consumers();
        }
        self.nudge_courier();
    }

    fn spawn_consumers(&self) {
        let pump = self.clone();
        host::spawn(async move { pump.drive_consumers().await });
    }

    fn nudge_courier(&self) {
        if self.courier.board() {
            let pump = self.clone();
            host::spawn(async move { pump.drive_courier().await });
        }
    }

    /// What the clock does: forgets what is old, calls the courier, drives the consumers to the head. A run that is under way
    /// already sees to the last, and is not waited for.
    ///
    /// # Errors
    /// 503 when the database is busy, or the variable `keep_days` is wrong: then nothing is forgotten. The consumers are driven
    /// all the same.
    pub async fn tick(&self, cx: &Cx) -> Result<(), Problem> {
        let forgotten = self.forget(cx).await;
        self.nudge_courier();
        let (ours, ride) = self.ask_consumers();
        if ours {
            arrive(ride).await?;
        }
        forgotten
    }

    /// The same, but returns only when a run that began after this call has come to the head.
    ///
    /// # Errors
    /// As for [`Pump::tick`].
    pub async fn settle(&self, cx: &Cx) -> Result<(), Problem> {
        let forgotten = self.forget(cx).await;
        self.nudge_courier();
        let (_, ride) = self.ask_consumers();
        arrive(ride).await?;
        forgotten
    }

    /// Asks for a run of the consumers, as a task of its own: nobody's going away can stop it in the middle. Tells whether it began
    /// for this asking.
    fn ask_consumers(&self) -> (bool, Ride) {
        let (first, ride) = self.consumers.ride();
        if first {
            self.spawn_consumers();
        }
        (first, ride)
    }

    /// Forgets one batch of what is old enough.
    async fn forget(&self, cx: &Cx) -> Result<(), Problem> {
        let until = self.retention.as_ref()?.until(cx.now);
        if self.app.db().read(cx, |tx| store::housekeeping_due(tx, until)).await.map_err(Problem::from)? {
            self.app.db().write(cx, move |tx| store::forget(tx, until)).await.map_err(Problem::from)?;
        }
        Ok(())
    }

    async fn drive_consumers(&self) {
        loop {
            if let Err(problem) = self.round().await {
                tracing::warn!(detail = problem.detail(), "the pump stops until the next nudge or tick");
                self.consumers.give_up();
                return;
            }
            if self.consumers.land() {
                return;
            }
        }
    }

    /// Timers, then consumers, until nobody lags any more (or only those that fail). It looks again after each batch of one, and now and then
    /// while they are at it, so that none waits for another.
    async fn round(&self) -> Result<(), Problem> {
        let mut under_way = FuturesUnordered::new();
        // Those who are at it, and those who fail.
        let mut passed = BTreeSet::new();
        loop {
            let cx = self.cx().await?;
            let work = self.app.db().read(&cx, store::work).await.map_err(Problem::from)?;
            if work.timers_due {
                self.app.db().write(&cx, |tx| events::fire_due(tx, TIMERS)).await.map_err(Problem::from)?;
                continue;
            }
            for name in work.lagging {
                if passed.insert(name.clone()) {
                    let cx = cx.clone();
                    under_way.push(async move {
                        let well = self.drive(&cx, &name).await;
                        (name, well)
                    });
                }
            }
            match select(under_way.next(), pin!(host::sleep(GLANCE))).await {
                Either::Left((Some((name, true)), _)) => drop(passed.remove(&name)),
                Either::Left((Some(_), _)) | Either::Right(_) => {}
                Either::Left((None, _)) => return Ok(()),
            }
        }
    }

    /// Has one consumer apply its next batch. False when it keeps failing.
    async fn drive(&self, cx: &Cx, name: &str) -> bool {
        let mut failures = 0;
        let mut careful = false;
        while failures < FAILURES {
            let request = ConsumeRequest { careful, replay: None };
            match self.call(cx, name, "/consume", &request).await {
                Ok(answer) if answer.status() == StatusCode::OK => {
                    match serde_json::from_slice::<Consumed>(answer.body()) {
                        Ok(_) => return true,
                        Err(error) => {
                            tracing::error!(name, %error, "the consumer's answer is not as agreed");
                            return false;
                        }
                    }
                }
                // It says itself that the database is busy: nothing is wrong with the event.
                Ok(answer) if is_unavailable(&answer) => {
                    failures += 1;
                    host::sleep(Duration::from_millis(host::jitter(50 << failures))).await;
                }
                // It crashed, or did not answer: the next event may be the cause, so the next try is counted first.
                Ok(answer) => {
                    tracing::warn!(name, status = answer.status().as_u16(), "consumer failed");
                    failures += 1;
                    careful = true;
                }
                Err(error) => {
                    tracing::warn!(name, %error, "consumer not reached");
                    failures += 1;
                    careful = matches!(error, SendError::Unknown(_));
                }
            }
        }
        false
    }

    async fn drive_courier(&self) {
        loop {
            let sent = match self.cx().await {
                Ok(cx) => self.call_courier(&cx).await,
                Err(problem) => Err(problem),
            };
            if let Err(problem) = sent {
                tracing::warn!(detail = problem.detail(), "courier");
                self.courier.give_up();
                return;
            }
            if self.courier.land() {
                return;
            }
        }
    }

    async fn call_courier(&self, cx: &Cx) -> Result<(), Problem> {
        if !self.app.db().read(cx, store::calls_due).await.map_err(Problem::from)? {
            return Ok(());
        }
        let answer = self
            .call(cx, "courier", "/deliver", &Value::Object(serde_json::Map::new()))
            .await
            .map_err(|error| Problem::unavailable(error.to_string()))?;
        if answer.status() == StatusCode::OK {
            Ok(())
        } else {
            Err(Problem::unavailable(format!("the courier answered {}", answer.status())))
        }
    }

    /// Calls another function of the application.
    ///
    /// # Errors
    /// [`SendError`] when it gives no answer.
    pub async fn call(
        &self,
        cx: &Cx,
        name: &str,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<Response<Bytes>, SendError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{name}.spin.internal{path}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("traceparent", cx.traceparent())
            .body(serde_json::to_vec(body).map(Bytes::from).map_err(|error| SendError::NotSent(error.to_string()))?)
            .map_err(|error| SendError::NotSent(error.to_string()))?;
        self.app.client().send(request, LIMIT).await
    }

    async fn cx(&self) -> Result<Cx, Problem> {
        Ok(Cx::at(self.app.clock().now().await?))
    }
}

/// Waits for the end of a run.
async fn arrive(ride: Ride) -> Result<(), Problem> {
    match select(ride, pin!(host::sleep(PATIENCE))).await {
        Either::Left((Ok(()), _)) => Ok(()),
        Either::Left((Err(_), _)) => Err(Problem::unavailable("the consumers could not be driven: repeat the call")),
        Either::Right(_) => Err(Problem::unavailable("the consumers are not at the head yet: repeat the call")),
    }
}

fn is_unavailable(answer: &Response<Bytes>) -> bool {
    answer.status() == StatusCode::SERVICE_UNAVAILABLE
        && serde_json::from_slice::<Value>(answer.body()).is_ok_and(|body| body["type"] == "/problems/unavailable")
}
