//! The life of one instance: it is made, serves requests as they come, many at the same time, and ends when its pool lets
//! go of it, when a request in it takes too long, or when the guest traps.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;
use wasmtime::component::Accessor;
use wasmtime::{Result, Store};
use wasmtime_wasi_http::handler::Proxy;

use super::Pool;
use super::serve::{Job, serve};
use super::wake::Repoll;
use crate::guest::Guest;
use crate::limits::Limits;

/// Why an instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It had done all that it was given.
    Finished,
    /// A request in it took too long, or work after a response did.
    TimedOut,
}

/// After one request has taken too long, the others in the instance have at most this long: it may hold something that
/// they, and requests elsewhere, wait for, such as the database's write lock.
const LAST_CALL: Duration = Duration::from_secs(5);

/// What the event loop inside the store and the clock outside it both look at.
struct Progress {
    /// The requests without an answer: when they have taken too long, and their numbers.
    waiting: BTreeSet<(Instant, u64)>,
    /// When `waiting` last became empty.
    quiet_since: Instant,
    /// The instance gets no more requests.
    closed: bool,
    /// A request has been given up. It cannot be cancelled, only dropped with the instance.
    abandoned: bool,
}

/// How an instance broke.
pub(super) enum Broken {
    /// It could not be made.
    Start(wasmtime::Error),
    /// The guest trapped.
    Trap(wasmtime::Error),
}

/// Serves what comes on `jobs` in a new instance of the pool's component, until one of the ends.
///
/// # Errors
/// [`Broken`]. Requests that have no answer then lose their reply channel.
pub(super) async fn run(pool: &Arc<Pool>, serial: u64, jobs: &mut UnboundedReceiver<Job>) -> Result<End, Broken> {
    let begun = Instant::now();
    let mut store = pool.template.store(&pool.engine);
    let proxy = pool.pre.instantiate_async(&mut store).await.map_err(Broken::Start)?;
    pool.metrics.started(begun.elapsed());
    drive(pool, serial, jobs, &mut store, &proxy).await.map_err(Broken::Trap)
}

async fn drive(
    pool: &Arc<Pool>,
    serial: u64,
    jobs: &mut UnboundedReceiver<Job>,
    store: &mut Store<Guest>,
    proxy: &Proxy,
) -> Result<End> {
    let progress = &Mutex::new(Progress::new());
    let inside = store.run_concurrent(async |accessor: &Accessor<Guest>| {
        let mut calls = FuturesUnordered::new();
        let mut number = 0_u64;
        poll_fn(|context| {
            accessor.with(|mut access| access.data_mut().paused());
            loop {
                while let Poll::Ready(Some(done)) = calls.poll_next_unpin(context) {
                    lock(progress).answered(&done?);
                    pool.answered(serial);
                }
                match jobs.poll_recv(context) {
                    Poll::Ready(Some(job)) => {
                        number += 1;
                        let request = (Instant::now() + pool.limits.request_timeout, number);
                        lock(progress).waiting.insert(request);
                        calls.push(async move {
                            serve(accessor, proxy, job).await?;
                            wasmtime::error::Ok(request)
                        });
                    }
                    Poll::Ready(None) => {
                        lock(progress).closed = true;
                        let done = calls.is_empty() && accessor.poll_no_interesting_tasks(context).is_ready();
                        return if done { Poll::Ready(Ok(())) } else { Poll::Pending };
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    });
    let mut inside = pin!(inside);
    let mut clock = pin!(tokio::time::sleep(pool.limits.idle_timeout));
    let repoll = Repoll::new();
    poll_fn(|context| {
        if let Poll::Ready(result) = repoll.poll(inside.as_mut(), context) {
            return Poll::Ready(result.flatten().map(|()| End::Finished));
        }
        // The clock runs outside the event loop, which a guest can hold up.
        loop {
            let due = lock(progress).due(&pool.limits);
            // Mostly it is due later than last time; it is set anew when it has run out, not with each request.
            if due < clock.deadline() {
                clock.as_mut().reset(due);
            }
            if clock.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if now < due {
                clock.as_mut().reset(due);
                continue;
            }
            match lock(progress).next(now) {
                Next::Retire => pool.retire(serial),
                Next::RetireIfIdle => pool.retire_if_idle(serial),
                Next::End => return Poll::Ready(Ok(End::TimedOut)),
            }
        }
    })
    .await
}

/// What is to be done when the clock has run out.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Retire,
    RetireIfIdle,
    End,
}

impl Progress {
    fn new() -> Self {
        let waiting = BTreeSet::new();
        Self { waiting, quiet_since: Instant::now(), closed: false, abandoned: false }
    }

    fn answered(&mut self, request: &(Instant, u64)) {
        if self.waiting.remove(request) && self.waiting.is_empty() {
            self.quiet_since = Instant::now();
        }
    }

    /// When the clock runs out, as things stand.
    fn due(&self, limits: &Limits) -> Instant {
        match self.waiting.first() {
            Some((deadline, _)) => *deadline,
            None if self.abandoned => self.quiet_since,
            // What goes on after the responses has as long as a request.
            None if self.closed => self.quiet_since + limits.request_timeout,
            None => self.quiet_since + limits.idle_timeout,
        }
    }

    /// The clock has run out at `now`.
    fn next(&mut self, now: Instant) -> Next {
        if self.waiting.is_empty() {
            if self.abandoned || self.closed {
                return Next::End;
            }
            self.quiet_since = now;
            return Next::RetireIfIdle;
        }
        self.abandoned = true;
        let last = now + LAST_CALL;
        let late = |(deadline, _): &(Instant, u64)| *deadline <= now;
        let rest = self.waiting.iter().filter(|request| !late(request));
        self.waiting = rest.map(|(deadline, number)| ((*deadline).min(last), *number)).collect();
        if self.waiting.is_empty() { Next::End } else { Next::Retire }
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let (request_timeout, idle_timeout) = (Duration::from_secs(30), Duration::from_secs(60));
        Limits { request_timeout, idle_timeout, ..Limits::default() }
    }

    fn waiting(progress: &mut Progress, deadlines: &[Instant]) {
        progress.waiting = deadlines.iter().copied().zip(0..).collect();
    }

    #[test]
    fn an_idle_instance_is_offered_for_retirement_and_lives_on_if_refused() {
        let mut progress = Progress::new();
        let due = progress.due(&limits());
        assert_eq!(due, progress.quiet_since + Duration::from_secs(60));
        assert_eq!(progress.next(due), Next::RetireIfIdle);
        assert_eq!(progress.due(&limits()), due + Duration::from_secs(60));
    }

    #[test]
    fn a_request_that_takes_too_long_retires_its_instance_and_hurries_the_others() {
        let (mut progress, now) = (Progress::new(), Instant::now());
        waiting(&mut progress, &[now, now + Duration::from_secs(1), now + Duration::from_secs(20)]);
        assert_eq!(progress.due(&limits()), now);
        assert_eq!(progress.next(now), Next::Retire);
        let left: Vec<_> = progress.waiting.iter().map(|(deadline, _)| *deadline).collect();
        assert_eq!(left, [now + Duration::from_secs(1), now + LAST_CALL]);
    }

    #[test]
    fn an_instance_ends_as_soon_as_only_abandoned_requests_are_left() {
        let (mut progress, now) = (Progress::new(), Instant::now());
        waiting(&mut progress, &[now, now + Duration::from_secs(1)]);
        assert_eq!(progress.next(now), Next::Retire);
        progress.answered(&(now + Duration::from_secs(1), 1));
        assert!(progress.due(&limits()) <= Instant::now());
        assert_eq!(progress.next(Instant::now()), Next::End);
    }

    #[test]
    fn work_after_the_last_response_has_as_long_as_a_request() {
        let mut progress = Progress { closed: true, ..Progress::new() };
        let due = progress.due(&limits());
        assert_eq!(due, progress.quiet_since + Duration::from_secs(30));
        assert_eq!(progress.next(due), Next::End);
    }
}
