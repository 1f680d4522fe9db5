//! Polls a future again at once when it has woken itself.
//!
//! wasmtime's event loop gives way to the executor before each piece of low-priority work by waking itself and returning.
//! On a busy single thread every such turn waits behind all other tasks, so that work left after a response piles up
//! faster than it is done. Polling again within a small slice of time keeps up, and still lets others run.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

/// How long one turn may take before others run. Shorter than an epoch: a guest that computes gives way to others.
const SLICE: Duration = Duration::from_millis(1);

/// Remembers whether the future has been woken since its last poll.
pub(super) struct Repoll {
    signal: Arc<Signal>,
    waker: Waker,
}

#[derive(Default)]
struct Signal {
    woken: AtomicBool,
    /// The future is being polled: whoever polls it looks at `woken` afterwards.
    polling: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        if !self.polling.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

impl Repoll {
    pub(super) fn new() -> Self {
        let signal = Arc::<Signal>::default();
        Self { waker: signal.clone().into(), signal }
    }

    /// Polls `future` until it is ready, or waits for something else, or the slice is over.
    pub(super) fn poll<F: Future>(&self, mut future: Pin<&mut F>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { signal, waker } = self;
        signal.task.register(context.waker());
        signal.polling.store(true, Ordering::SeqCst);
        let start = Instant::now();
        let result = loop {
            signal.woken.store(false, Ordering::SeqCst);
            let result = future.as_mut().poll(&mut Context::from_waker(waker));
            let again = result.is_pending() && signal.woken.load(Ordering::SeqCst);
            if !again || start.elapsed() >= SLICE {
                break result;
            }
        };
        signal.polling.store(false, Ordering::SeqCst);
        // Woken after the loop looked, by another thread, or with the slice at its end.
        if result.is_pending() && signal.woken.load(Ordering::SeqCst) {
            context.waker().wake_by_ref();
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;

    use super::*;

    /// A future that is ready at its `n`th poll and wakes itself until then.
    fn ready_after(polls: usize) -> impl Future<Output = usize> {
        let mut polled = 0;
        poll_fn(move |context| {
            polled += 1;
            if polled == polls {
                return Poll::Ready(polled);
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    #[test]
    fn a_future_that_wakes_itself_is_finished_in_one_turn() {
        let future = pin!(ready_after(10));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(Repoll::new().poll(future, &mut context), Poll::Ready(10));
    }

    #[test]
    fn a_future_that_never_ends_gives_way_and_is_called_again() {
        let future = pin!(ready_after(usize::MAX));
        let signal = Arc::<Signal>::default();
        let waker = Waker::from(signal.clone());
        assert!(Repoll::new().poll(future, &mut Context::from_waker(&waker)).is_pending());
        assert!(signal.woken.load(Ordering::SeqCst));
    }

    #[test]
    fn a_wake_from_outside_reaches_the_task() {
        let (repoll, signal) = (Repoll::new(), Arc::<Signal>::default());
        let waker = Waker::from(signal.clone());
        let future = pin!(std::future::pending::<()>());
        assert!(repoll.poll(future, &mut Context::from_waker(&waker)).is_pending());
        assert!(!signal.woken.load(Ordering::SeqCst));
        repoll.waker.wake_by_ref();
        assert!(signal.woken.load(Ordering::SeqCst));
    }
}
