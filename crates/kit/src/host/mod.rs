//! What differs between a component and native tests: time, sleep, randomness, background tasks.

#[cfg_attr(target_family = "wasm", path = "component.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "native.rs")]
mod imp;

pub use imp::{sleep, spawn};

use domain::UnixMs;
use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

/// How many random bytes are asked for at once.
const RESERVE_SIZE: usize = 1024;

/// The host's clock. Rules ask [`crate::Cx`] instead, which obeys the virtual clock.
pub(crate) fn system_now() -> UnixMs {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .and_then(|millis| UnixMs::from_millis(millis).ok())
        .unwrap_or(UnixMs::EPOCH)
}

/// Random bytes of the host's generator, for ids, tokens and nonces. They are asked for by the kilobyte: a call of the
/// host costs more than an id should.
///
/// Ends the process when the host has none: ids and nonces that repeat would be worse than no service.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    thread_local! {
        static RESERVE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    RESERVE.with_borrow_mut(|reserve| {
        if reserve.len() < N {
            reserve.resize(N.max(RESERVE_SIZE), 0);
            if getrandom::fill(reserve).is_err() {
                std::process::abort();
            }
        }
        // Taken off the end: no byte is handed out twice.
        let rest = reserve.len() - N;
        let mut bytes = [0; N];
        bytes.copy_from_slice(&reserve[rest..]);
        reserve.truncate(rest);
        bytes
    })
}

/// Between half and the whole of `most`, so that many who wait do not wake together.
#[must_use]
pub fn jitter(most: u64) -> u64 {
    let half = most / 2;
    half + u64::from_le_bytes(random()) % (most - half + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn random_bytes_do_not_repeat_over_many_reserves() {
        let seen: HashSet<[u8; 16]> = (0..10_000).map(|_| random()).collect();
        assert_eq!(seen.len(), 10_000);
        assert_ne!(random::<{ 2 * RESERVE_SIZE }>(), [0; 2 * RESERVE_SIZE]);
    }
}
