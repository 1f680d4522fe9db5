//! Standard Webhooks 1.0.0, symmetric scheme (`v1`): how own shops, tills and mini-programs sign what they send us, and how
//! we sign what we send.
//!
//! Signed is `id.timestamp.body` with HMAC-SHA-256; the header `webhook-signature` lists `version,base64` entries, several
//! during a key's rotation. <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Secret, UnixMs};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::mac::hmac_sha256;

/// How far a delivery's timestamp may lie from the receiver's clock, either way, in seconds.
pub const TOLERANCE_SECONDS: u64 = 300;

/// A signing key: 24 to 64 bytes, written `whsec_` and Base64.
#[derive(Clone, Debug)]
pub struct Key(Secret<Vec<u8>>);

impl Key {
    /// Reads a key as it stands in a configuration.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong, without repeating the key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let encoded = text.strip_prefix("whsec_").ok_or(KeyError::NoPrefix)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| KeyError::NotBase64)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(KeyError::Length(bytes.len()));
        }
        Ok(Self(Secret::new(bytes)))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        hmac_sha256(self.0.expose(), &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
    }
}

/// The three headers of a delivery, as received; a missing one is the empty text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `webhook-id`: unique per message, the same on every retry. Deduplicate on it.
    pub id: &'a str,
    /// `webhook-timestamp`: Unix seconds of this attempt.
    pub timestamp: &'a str,
    /// `webhook-signature`: entries `version,base64`, separated by blanks.
    pub signature: &'a str,
}

/// Whether the delivery is authentic and fresh. One `v1` signature of the list has to fit; other versions are skipped.
///
/// # Errors
/// [`VerifyError`]; every case is to be answered 401.
pub fn verify(key: &Key, headers: Headers<'_>, body: &[u8], now: UnixMs) -> Result<(), VerifyError> {
    for (value, name) in
        [(headers.id, "webhook-id"), (headers.timestamp, "webhook-timestamp"), (headers.signature, "webhook-signature")]
    {
        if value.is_empty() {
            return Err(VerifyError::MissingHeader(name));
        }
    }
    if headers.id.contains('.') {
        return Err(VerifyError::BadId);
    }
    let canonical = headers.timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let sent_at: i64 = headers.timestamp.parse().ok().filter(|_| canonical).ok_or(VerifyError::BadTimestamp)?;
    if sent_at.abs_diff(now.seconds()) > TOLERANCE_SECONDS {
        return Err(VerifyError::Stale);
    }

    let candidates = headers.signature.split(' ').filter_map(|entry| entry.strip_prefix("v1,"));
    for candidate in candidates.filter_map(|encoded| STANDARD.decode(encoded).ok()) {
        // `verify_slice` compares in constant time and refuses a cut signature.
        if key.mac(headers.id, headers.timestamp, body).verify_slice(&candidate).is_ok() {
            return Ok(());
        }
    }
    Err(VerifyError::Mismatch)
}

/// The value of `webhook-signature` for a delivery sent at `sent_at` (cut to seconds, as in `webhook-timestamp`).
///
/// # Errors
/// [`VerifyError::BadId`] when the id contains a dot: the signature would be ambiguous.
pub fn sign(key: &Key, id: &str, sent_at: UnixMs, body: &[u8]) -> Result<String, VerifyError> {
    if id.is_empty() || id.contains('.') {
        return Err(VerifyError::BadId);
    }
    let mac = key.mac(id, &sent_at.seconds().to_string(), body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not marked as a key.
    #[error("the webhook secret must begin with whsec_")]
    NoPrefix,
    /// Not Base64.
    #[error("the webhook secret must be whsec_ followed by padded standard Base64")]
    NotBase64,
    /// Too short or too long.
    #[error("the webhook secret holds {0} bytes, it must hold 24 to 64: make one with `openssl rand -base64 32`")]
    Length(usize),
}

/// Why a delivery is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// The id cannot be signed.
    #[error("webhook-id must not be empty or contain a dot")]
    BadId,
    /// Not Unix seconds.
    #[error("webhook-timestamp must be Unix seconds")]
    BadTimestamp,
    /// Too old or too new.
    #[error(
        "webhook-timestamp is more than 5 minutes away from the receiver's clock: sign each attempt anew, check the sender's clock"
    )]
    Stale,
    /// No signature fits.
    #[error("no v1 signature fits: sign `id.timestamp.body` over the exact bytes that are sent")]
    Mismatch,
}
