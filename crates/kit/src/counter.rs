//! Counts of what leaves no other trace, such as forged webhooks.

use crate::{App, Cx, host, params};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

const DAY_MS: i64 = 86_400_000;

/// Counts that wait to be written. However many come, one write at a time carries them: a flood of forged calls costs
/// one row and no queue.
#[derive(Clone, Default)]
pub(crate) struct Counters(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    counts: BTreeMap<(Cow<'static, str>, i64), i64>,
    writing: bool,
}

impl Counters {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Counts one more of `name` today (UTC), in the background.
    pub fn count(&self, cx: &Cx, name: impl Into<Cow<'static, str>>) {
        let counters = self.counters();
        let mut waiting = counters.lock();
        let count = waiting.counts.entry((name.into(), cx.now.millis().div_euclid(DAY_MS))).or_default();
        *count = count.saturating_add(1);
        if !std::mem::replace(&mut waiting.writing, true) {
            host::spawn(write(self.clone(), cx.clone()));
        }
    }
}

async fn write(app: App, cx: Cx) {
    loop {
        let counts = {
            let mut waiting = app.counters().lock();
            waiting.writing = !waiting.counts.is_empty();
            if !waiting.writing {
                return;
            }
            std::mem::take(&mut waiting.counts)
        };
        let written = app
            .db()
            .write(&cx, move |tx| {
                for ((name, day), count) in counts {
                    tx.execute(
                        "insert into counter (name, day, value) values (?1, ?2, ?3)
                         on conflict (name, day) do update set value = value + excluded.value",
                        &params![name.as_ref(), day, count],
                    )?;
                }
                Ok::<_, crate::db::DbError>(())
            })
            .await;
        if let Err(error) = written {
            tracing::warn!(%error, "counts lost");
        }
    }
}
