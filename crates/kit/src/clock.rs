//! The application's clock: the host's, unless the variable `clock` is `virtual`. Then the instant stands in key-value and
//! moves only when told to.

use crate::kv::{self, Kv, KvError};
use crate::{Problem, host};
use domain::UnixMs;

const KEY: &str = "clock";

/// Which clock the application goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockKind {
    /// The host's.
    System,
    /// The one that tests move.
    Virtual,
}

/// The application's clock.
#[derive(Clone, Debug)]
pub struct Clock {
    kind: ClockKind,
    kv: Kv,
}

impl Clock {
    pub(crate) fn new(kind: ClockKind, kv: Kv) -> Self {
        Self { kind, kv }
    }

    /// The time. A virtual clock that nobody has set yet starts at the host's time and stands there.
    ///
    /// # Errors
    /// [`KvError`] when the clock is virtual and the store cannot be reached.
    pub async fn now(&self) -> Result<UnixMs, KvError> {
        if self.kind == ClockKind::System {
            return Ok(host::system_now());
        }
        let kept = self.kv.get(KEY, UnixMs::EPOCH).await?;
        let stands = kept
            .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
            .and_then(|bytes| UnixMs::from_millis(i64::from_be_bytes(bytes)).ok());
        match stands {
            Some(instant) => Ok(instant),
            None => {
                let start = host::system_now();
                self.keep(start).await?;
                Ok(start)
            }
        }
    }

    /// Sets a virtual clock.
    ///
    /// # Errors
    /// 409 when the application goes by the host's clock; 503 when the store cannot be reached.
    pub async fn set(&self, instant: UnixMs) -> Result<(), Problem> {
        if self.kind == ClockKind::System {
            return Err(Problem::conflict(
                "clock-not-virtual",
                "the application goes by the host's clock: start it with the variable clock=virtual to move time",
            ));
        }
        Ok(self.keep(instant).await?)
    }

    async fn keep(&self, instant: UnixMs) -> Result<(), KvError> {
        self.kv.set(KEY, &instant.millis().to_be_bytes(), kv::never()).await
    }
}
