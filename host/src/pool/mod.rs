//! Which instance of a component serves which request.
//!
//! Requests go to the first instance that has room, so that one instance serves many at the same time and can do together
//! what they have in common (one commit, one fsync). Another instance is started when all are full, up to the limit; after
//! that requests wait in a queue, and when that is full they are refused.
//!
//! An instance is replaced after a number of requests, when it has been idle, when a request in it takes too long,
//! or when the guest traps. Whatever the reason, requests that it has not begun go to another one; and unless it traps, those
//! that it has begun are finished.

mod instance;
mod serve;
mod wake;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Request, Response};
use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, oneshot};
use wasmtime::Engine;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyPre;

use crate::call::{Call, Failure};
use crate::guest::{Guest, Template};
use crate::limits::Limits;
use crate::metrics::{Cause, ComponentMetrics};
use instance::{Broken, End};
use serve::Job;

/// Instances of WASI 0.2 components serve one request each, so there may be more of them.
const P2_INSTANCES: usize = 16;

/// Instances that get no more requests and still finish some may exist beside this many times the limit.
const RETIRING: usize = 4;

/// All instances of one component.
pub struct Pool {
    engine: Engine,
    template: Template,
    pre: ProxyPre<Guest>,
    limits: Limits,
    room: Room,
    metrics: ComponentMetrics,
    state: Mutex<State>,
    /// An instance has ended.
    ended: Notify,
}

/// How many requests go where.
#[derive(Clone, Copy)]
struct Room {
    instances: usize,
    requests_in_flight: usize,
    requests_per_instance: u64,
}

#[derive(Default)]
struct State {
    /// Instances that take requests, oldest first.
    open: Vec<Slot>,
    /// Instances that exist, those included that only finish what they have.
    alive: usize,
    queue: VecDeque<Job>,
    next_serial: u64,
}

/// One instance, as its pool sees it. Dropping the slot is what lets go of the instance.
struct Slot {
    serial: u64,
    jobs: UnboundedSender<Job>,
    in_flight: usize,
    begun: u64,
}

/// One instance, as its own task has it: what is left when the task ends, however it ends.
struct Running {
    pool: Arc<Pool>,
    serial: u64,
    jobs: UnboundedReceiver<Job>,
}

impl Pool {
    /// A pool without instances for the component `pre`, which starts the first when a request comes.
    #[must_use]
    pub fn new(
        engine: Engine,
        pre: ProxyPre<Guest>,
        template: Template,
        limits: Limits,
        metrics: ComponentMetrics,
    ) -> Arc<Self> {
        let room = match pre {
            ProxyPre::P3(_) => Room {
                instances: limits.instances.max(1),
                requests_in_flight: limits.requests_in_flight.max(1),
                requests_per_instance: limits.requests_per_instance.max(1),
            },
            ProxyPre::P2(_) => Room { instances: P2_INSTANCES, requests_in_flight: 1, requests_per_instance: 1 },
        };
        let (state, ended) = (Mutex::default(), Notify::new());
        Arc::new(Self { engine, pre, template, limits, room, metrics, state, ended })
    }

    /// Has the component answer `request`.
    ///
    /// # Errors
    /// [`Failure`]: it gave no answer.
    pub async fn call(
        self: &Arc<Self>,
        request: Request<WasiBody>,
        call: Arc<Call>,
    ) -> Result<Response<WasiBody>, Failure> {
        let (reply, answer) = oneshot::channel();
        self.place(&mut self.lock(), Job { request, call: call.clone(), reply });
        match tokio::time::timeout(self.limits.request_timeout, answer).await {
            _ if call.body_too_large() => Err(Failure::BodyTooLarge),
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(call.lost()),
            Err(_) if call.has_begun() => Err(Failure::TimedOut),
            Err(_) => Err(Failure::Overloaded),
        }
    }

    /// The component's figures.
    #[must_use]
    pub fn metrics(&self) -> &ComponentMetrics {
        &self.metrics
    }

    /// Lets go of all instances and waits until they have finished what they have.
    pub async fn drain(&self) {
        loop {
            let ended = self.ended.notified();
            {
                let mut state = self.lock();
                state.open.clear();
                if state.alive == 0 {
                    return;
                }
            }
            ended.await;
        }
    }

    /// Gives `job` to an instance, to the queue, or back to the caller as refused.
    fn place(self: &Arc<Self>, state: &mut State, job: Job) {
        let Room { instances, requests_in_flight, requests_per_instance } = self.room;
        let free = state.open.iter().position(|slot| slot.in_flight < requests_in_flight);
        let index = match free {
            Some(index) => index,
            None if state.open.len() < instances && state.alive < instances * RETIRING => self.start(state),
            None if state.queue.len() < self.limits.queue => {
                state.queue.push_back(job);
                self.metrics.queued.inc();
                return;
            }
            None => {
                drop(job.reply.send(Err(Failure::Overloaded)));
                return;
            }
        };
        let slot = &mut state.open[index];
        slot.in_flight += 1;
        slot.begun += 1;
        let last = slot.begun >= requests_per_instance;
        if let Err(SendError(job)) = slot.jobs.send(job) {
            drop(job.reply.send(Err(Failure::InstanceLost)));
        }
        if last {
            state.open.remove(index);
        }
    }

    /// Places what waits in the queue, as far as there is room.
    fn feed(self: &Arc<Self>, state: &mut State) {
        let room = |state: &State| {
            let free = |slot: &Slot| slot.in_flight < self.room.requests_in_flight;
            let more = state.open.len() < self.room.instances && state.alive < self.room.instances * RETIRING;
            more || state.open.iter().any(free)
        };
        while room(state) {
            let Some(job) = state.queue.pop_front() else { return };
            self.metrics.queued.dec();
            // Nobody waits for the answer to a request that has been in the queue for too long.
            if !job.reply.is_closed() {
                self.place(state, job);
            }
        }
    }

    /// Starts an instance; returns its index in `state.open`.
    fn start(self: &Arc<Self>, state: &mut State) -> usize {
        let serial = state.next_serial;
        state.next_serial += 1;
        state.alive += 1;
        let (jobs, received) = unbounded_channel();
        state.open.push(Slot { serial, jobs, in_flight: 0, begun: 0 });
        let mut running = Running { pool: self.clone(), serial, jobs: received };
        self.metrics.instances.inc();
        tokio::spawn(async move { running.run().await });
        state.open.len() - 1
    }

    /// One request in the instance `serial` has its answer.
    fn answered(self: &Arc<Self>, serial: u64) {
        let mut state = self.lock();
        if let Some(slot) = state.open.iter_mut().find(|slot| slot.serial == serial) {
            slot.in_flight -= 1;
        }
        self.feed(&mut state);
    }

    /// Lets go of the instance `serial`: it gets no more requests.
    fn retire(self: &Arc<Self>, serial: u64) {
        let mut state = self.lock();
        state.open.retain(|slot| slot.serial != serial);
        self.feed(&mut state);
    }

    /// Lets go of the instance `serial` unless it has been given a request.
    fn retire_if_idle(&self, serial: u64) {
        self.lock().open.retain(|slot| slot.serial != serial || slot.in_flight > 0);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    async fn run(&mut self) {
        let Self { pool, serial, jobs } = self;
        let component = &*pool.template.id;
        let cause = match instance::run(pool, *serial, jobs).await {
            Ok(End::Finished) => Cause::Finished,
            Ok(End::TimedOut) => {
                tracing::warn!(component, "an instance ended with a request that took too long");
                Cause::TimedOut
            }
            Err(Broken::Start(error)) => {
                let error = format!("{error:#}");
                tracing::error!(component, error, "an instance could not be started");
                // Another try would fail alike: what it was started for is not placed again.
                self.jobs.close();
                while let Ok(job) = self.jobs.try_recv() {
                    drop(job.reply.send(Err(Failure::NoInstance)));
                }
                Cause::NotStarted
            }
            Err(Broken::Trap(error)) => {
                let error = format!("{error:#}");
                tracing::error!(component, error, "an instance trapped");
                Cause::Trapped
            }
        };
        self.pool.metrics.ended(cause);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self { pool, serial, jobs } = self;
        let mut state = pool.lock();
        state.alive -= 1;
        state.open.retain(|slot| slot.serial != *serial);
        // What the instance has not begun goes to another one.
        jobs.close();
        while let Ok(job) = jobs.try_recv() {
            pool.place(&mut state, job);
        }
        pool.feed(&mut state);
        drop(state);
        pool.metrics.instances.dec();
        pool.ended.notify_waiters();
    }
}
