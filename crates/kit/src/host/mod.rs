//! What differs between a component and native tests: time, sleep, randomness, background tasks.

#[cfg_attr(target_family = "wasm", path = "component.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "native.rs")]
mod imp;

pub use imp::{sleep, spawn};

use domain::UnixMs;
use std::cell::{Cell, RefCell};
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

/// What an id consists of beside its time: random, and greater than all that this instance has handed out before, so that ids of one
/// millisecond sort in the order in which they were made (RFC 9562, 6.2, method 2). Not for secrets: the next one lies near.
#[must_use]
pub fn unique() -> [u8; 10] {
    thread_local! {
        static LAST: Cell<u128> = const { Cell::new(0) };
    }
    // A UUID of version 7 has room for 74 bits: 12 before its variant, 62 after. The first leaves the highest free.
    let next = match LAST.get() {
        0 => u128::from_le_bytes(random()) >> 55,
        last => last + 1 + u128::from(u32::from_le_bytes(random())),
    };
    LAST.set(next);
    // The two bits between them are the variant's.
    let [_, _, _, _, _, _, bytes @ ..] = ((next >> 62 << 64) | (next & (u128::MAX >> 66))).to_be_bytes();
    bytes
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

    #[test]
    fn ids_of_one_millisecond_sort_as_they_were_made() {
        let ids: Vec<_> = (0..10_000).map(|_| domain::EventId::new(UnixMs::EPOCH, unique())).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        let text: Vec<_> = ids.iter().map(ToString::to_string).collect();
        assert!(text.is_sorted());
    }
}
