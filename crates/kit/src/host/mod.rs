//! What differs between a component and native tests: time, sleep, randomness, background tasks.

#[cfg_attr(target_family = "wasm", path = "component.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "native.rs")]
mod imp;

pub use imp::{sleep, spawn};

use domain::UnixMs;
use std::time::{SystemTime, UNIX_EPOCH};

/// The host's clock. Rules ask [`crate::Cx`] instead, which obeys the virtual clock.
pub(crate) fn system_now() -> UnixMs {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .and_then(|millis| UnixMs::from_millis(millis).ok())
        .unwrap_or(UnixMs::EPOCH)
}

/// Random bytes of the host's generator, for ids, tokens and nonces.
///
/// Ends the process when the host has none: ids and nonces that repeat would be worse than no service.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// Between half and the whole of `most`, so that many who wait do not wake together.
#[must_use]
pub fn jitter(most: u64) -> u64 {
    let half = most / 2;
    half + u64::from_le_bytes(random()) % (most - half + 1)
}
