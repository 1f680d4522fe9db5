//! Group commit: the queue of waiting writes and the leader who runs them.

use super::backend::{self, Backend};
use super::{DbError, Tx};
use crate::{Cx, host};
use futures_channel::oneshot;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How often BEGIN is tried again while another process holds the write lock. With SQLite's own wait of 5 s in
/// each, a caller hears "busy" after ten seconds, or twenty where it came while others waited.
const BEGIN_TRIES: u32 = 1;

/// The writes of one instance.
pub(super) struct Group {
    backend: Arc<Backend>,
    most_per_commit: usize,
    queue: Mutex<Queue>,
    told: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// Transactions committed, which tests hold against the writes.
    commits: AtomicU64,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Box<dyn Waiting>>,
    led: bool,
}

/// A write in the queue, its types forgotten.
pub(super) trait Waiting: Send {
    /// Runs it in the open transaction, which is its own where it is `alone`, and keeps the outcome. Tells whether the pump has to be nudged.
    ///
    /// # Errors
    /// When the whole transaction is to be given up. A failure of its own is kept as its outcome, and is an error here where it is alone.
    fn run(&mut self, connection: &backend::Connection, alone: bool) -> Result<bool, DbError>;

    /// Answers the caller, who learns of success only after COMMIT.
    fn finish(self: Box<Self>, committed: &Result<(), DbError>);
}

/// A write as its caller sees it.
pub(super) struct Write<F, T, E> {
    cx: Cx,
    writing: Option<F>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Write<F, T, E> {
    pub(super) fn new(cx: Cx, writing: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (answer, receiver) = oneshot::channel();
        (Self { cx, writing: Some(writing), outcome: None, answer }, receiver)
    }
}

impl<F, T, E> Waiting for Write<F, T, E>
where
    F: FnOnce(&Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, connection: &backend::Connection, alone: bool) -> Result<bool, DbError> {
        let Some(writing) = self.writing.take() else { return Ok(false) };
        let tx = Tx::new(connection, &self.cx);
        let mut outcome = None;
        let part = |tx: &Tx<'_>| {
            let result = writing(tx);
            let failed = result.is_err();
            outcome = Some(result);
            if failed { Err(Undo::Own) } else { Ok(()) }
        };
        // Alone, the transaction does for a savepoint, which would have SQLite copy every page before it is changed. The savepoint's own
        // failures mean that the transaction is lost: they are told from the write's error.
        let kept = if alone { part(&tx) } else { tx.savepoint(part) };
        self.outcome = outcome;
        match kept {
            Ok(()) => Ok(tx.wants_nudge()),
            Err(Undo::Own) if alone => Err(DbError::Unavailable("the write failed".to_owned())),
            Err(Undo::Own) => Ok(false),
            Err(Undo::Lost(error)) => Err(error),
        }
    }

    fn finish(self: Box<Self>, committed: &Result<(), DbError>) {
        let answer = match (committed, self.outcome) {
            (_, Some(Err(error))) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(error), _) => Err(E::from(error.clone())),
            (Ok(()), None) => Err(E::from(DbError::Unavailable("the write was not run".to_owned()))),
        };
        // A caller who has gone hears nothing; what it asked for is done all the same.
        drop(self.answer.send(answer));
    }
}

enum Undo {
    Own,
    Lost(DbError),
}

impl From<DbError> for Undo {
    fn from(error: DbError) -> Self {
        Self::Lost(error)
    }
}

impl Group {
    pub(super) fn new(backend: Arc<Backend>, most_per_commit: usize) -> Self {
        Self {
            backend,
            most_per_commit: most_per_commit.max(1),
            queue: Mutex::default(),
            told: OnceLock::new(),
            commits: AtomicU64::new(0),
        }
    }

    pub(super) fn on_commit(&self, told: Box<dyn Fn() + Send + Sync>) {
        // Set once, when the application starts.
        drop(self.told.set(told));
    }

    /// How many transactions were committed.
    #[cfg(test)]
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Adds a write and, when none leads, starts a leader. The leader is a task of its own: no caller's going away
    /// can stop it in the middle.
    pub(super) fn enqueue(self: Arc<Self>, write: Box<dyn Waiting>) {
        let mut queue = self.lock();
        queue.waiting.push_back(write);
        if !queue.led {
            queue.led = true;
            drop(queue);
            backend::spawn(Leader(self).lead());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; steps down when there is nothing to do.
    fn take(&self) -> Vec<Box<dyn Waiting>> {
        let mut queue = self.lock();
        let count = queue.waiting.len().min(self.most_per_commit);
        queue.waiting.drain(..count).collect()
    }

    fn step_down_if_empty(&self) -> bool {
        let mut queue = self.lock();
        queue.led = !queue.waiting.is_empty();
        !queue.led
    }
}

/// Leads until the queue is empty. If it is dropped before (its writes panicked, natively), the next write finds a free place.
struct Leader(Arc<Group>);

impl Drop for Leader {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().led = false;
        }
    }
}

impl Leader {
    async fn lead(self) {
        loop {
            let nudge = self.batch().await;
            if nudge && let Some(told) = self.0.told.get() {
                told();
            }
            if self.0.step_down_if_empty() {
                return;
            }
        }
    }

    /// One transaction: lock first, then take the queue. Tells whether the pump has to be nudged.
    async fn batch(&self) -> bool {
        let mut writer = match self.begin().await {
            Ok(writer) => writer,
            Err(error) => {
                finish(self.0.take(), &Err(error));
                return false;
            }
        };
        let mut writes = self.0.take();
        let mut nudge = false;
        let mut committed = Ok(());
        let alone = writes.len() == 1;
        for write in &mut writes {
            match write.run(&writer, alone) {
                Ok(wanted) => nudge |= wanted,
                Err(error) => {
                    committed = Err(error);
                    break;
                }
            }
        }
        if committed.is_ok() {
            committed = writer.commit().await;
        }
        if committed.is_ok() {
            self.0.commits.fetch_add(1, Ordering::Relaxed);
        } else {
            writer.abandon().await;
        }
        drop(writer);
        let nudge = nudge && committed.is_ok();
        finish(writes, &committed);
        nudge
    }

    async fn begin(&self) -> Result<backend::Writer, DbError> {
        let mut tries = 0;
        loop {
            let outcome = match self.0.backend.writer().await {
                Ok(mut writer) => writer.begin().await.map(|()| writer),
                Err(error) => Err(error),
            };
            match outcome {
                Err(DbError::Busy) if tries < BEGIN_TRIES => {
                    tries += 1;
                    host::sleep(Duration::from_millis(host::jitter(10 << tries))).await;
                }
                other => return other,
            }
        }
    }
}

fn finish(writes: Vec<Box<dyn Waiting>>, committed: &Result<(), DbError>) {
    for write in writes {
        write.finish(committed);
    }
}
