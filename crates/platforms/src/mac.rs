//! HMAC-SHA-256, which nearly every platform signs with.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The MAC over the parts in turn, to be finished or verified (in constant time) by the caller.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        // The error exists for MACs with keys of fixed length; HMAC's may have any (RFC 2104, section 2).
        unreachable!("HMAC takes keys of any length")
    };
    for part in parts {
        mac.update(part);
    }
    mac
}
