//! Standard Webhooks 1.0.0, symmetric scheme (`v1`): how own shops, tills and mini-programs sign what they send us, and how
//! we sign what we send.
//!
//! Signed is `id.timestamp.body` with HMAC-SHA-256; the header `webhook-signature` lists `version,base64` entries, several
//! during a key's rotation. <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Secret, UnixMs};
use hmac::{Hmac, Mac};
use http::HeaderMap;
use sha2::Sha256;

use crate::mac::hmac_sha256;

/// How far a delivery's timestamp may lie from the receiver's clock, either way, in seconds.
pub const TOLERANCE_SECONDS: u64 = 300;

/// A signing key: 24 to 64 bytes, written `whsec_` and Base64. While it is changed, several: the first signs, and what any of them has
/// signed is authentic.
#[derive(Clone, Debug)]
pub struct Key {
    first: Secret<Vec<u8>>,
    others: Vec<Secret<Vec<u8>>>,
}

impl Key {
    /// Reads a key as it stands in a configuration; several are separated by blanks.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong, without repeating the key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut keys = text.split_whitespace().map(one);
        let first = keys.next().ok_or(KeyError::NoPrefix)??;
        Ok(Self { first, others: keys.collect::<Result<_, _>>()? })
    }

    fn all(&self) -> impl Iterator<Item = &Secret<Vec<u8>>> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

fn one(text: &str) -> Result<Secret<Vec<u8>>, KeyError> {
    let encoded = text.strip_prefix("whsec_").ok_or(KeyError::NoPrefix)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| KeyError::NotBase64)?;
    if (24..=64).contains(&bytes.len()) { Ok(Secret::new(bytes)) } else { Err(KeyError::Length(bytes.len())) }
}

fn mac(key: &Secret<Vec<u8>>, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    hmac_sha256(key.expose(), &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
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

impl<'a> Headers<'a> {
    /// Those of a request.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self { id: text("webhook-id"), timestamp: text("webhook-timestamp"), signature: text("webhook-signature") }
    }
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
        if key.all().any(|key| mac(key, headers.id, headers.timestamp, body).verify_slice(&candidate).is_ok()) {
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
    let mac = mac(&key.first, id, &sent_at.seconds().to_string(), body);
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

#[cfg(test)]
mod tests {
    use domain::UnixMs;

    use super::{Headers, Key, KeyError, VerifyError, sign, verify};

    /// Secret, id, timestamp, body and signature from the public suites of Standard Webhooks and of Svix.
    const VECTORS: [(&str, &str, i64, &str, &str); 2] = [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ];

    fn at(seconds: i64) -> UnixMs {
        UnixMs::from_seconds(seconds).unwrap()
    }

    /// Verifies the first vector with its signature header replaced, `skew` seconds after it was sent.
    fn try_signature(signature: &str, skew: i64) -> Result<(), VerifyError> {
        let (key, id, timestamp, body, _) = VECTORS[0];
        let headers = Headers { id, timestamp: &timestamp.to_string(), signature };
        verify(&Key::parse(key).unwrap(), headers, body.as_bytes(), at(timestamp + skew))
    }

    #[test]
    fn vectors_sign_and_verify() {
        for (key, id, timestamp, body, signature) in VECTORS {
            let key = Key::parse(key).unwrap();
            assert_eq!(sign(&key, id, at(timestamp), body.as_bytes()).unwrap(), signature);
            let headers = Headers { id, timestamp: &timestamp.to_string(), signature };
            assert_eq!(verify(&key, headers, body.as_bytes(), at(timestamp)), Ok(()));
        }
    }

    #[test]
    fn one_good_signature_of_several_suffices() {
        let good = VECTORS[0].4;
        let list = format!("v1a,Zm9v v1,bm90IHRoaXM= v2,bar {good} v1,");
        assert_eq!(try_signature(&list, 0), Ok(()));
    }

    #[test]
    fn other_forms_of_a_good_signature_are_refused() {
        let good = VECTORS[0].4;
        let bare = good.strip_prefix("v1,").unwrap();
        let cut = &good[..good.len() - 4];
        for signature in [bare, "v1,", cut, &format!("v2,{bare}"), &format!("V1,{bare}"), "v1, ", "not base64 v1,%%%"] {
            assert_eq!(try_signature(signature, 0), Err(VerifyError::Mismatch), "{signature}");
        }
    }

    #[test]
    fn five_minutes_either_way_and_no_more() {
        let good = VECTORS[0].4;
        for (skew, outcome) in
            [(300, Ok(())), (-300, Ok(())), (301, Err(VerifyError::Stale)), (-301, Err(VerifyError::Stale))]
        {
            assert_eq!(try_signature(good, skew), outcome, "{skew}");
        }
    }

    #[test]
    fn changed_id_time_body_or_key_is_refused() {
        let (key, id, timestamp, body, signature) = VECTORS[0];
        let check = |key: &str, id: &str, timestamp: i64, body: &str| {
            let headers = Headers { id, timestamp: &timestamp.to_string(), signature };
            verify(&Key::parse(key).unwrap(), headers, body.as_bytes(), at(1_649_367_553))
        };
        assert_eq!(check(key, id, timestamp, body), Ok(()));
        assert_eq!(check(VECTORS[1].0, id, timestamp, body), Err(VerifyError::Mismatch));
        assert_eq!(check(key, "msg_other", timestamp, body), Err(VerifyError::Mismatch));
        assert_eq!(check(key, id, timestamp + 1, body), Err(VerifyError::Mismatch));
        assert_eq!(check(key, id, timestamp, &body.replace("test_user", "test_uses")), Err(VerifyError::Mismatch));
    }

    #[test]
    fn missing_and_malformed_headers_are_named() {
        let key = Key::parse(VECTORS[0].0).unwrap();
        let full = Headers { id: "msg", timestamp: "1649367553", signature: "v1,Zm9v" };
        for (headers, error) in [
            (Headers { id: "", ..full }, VerifyError::MissingHeader("webhook-id")),
            (Headers { timestamp: "", ..full }, VerifyError::MissingHeader("webhook-timestamp")),
            (Headers { signature: "", ..full }, VerifyError::MissingHeader("webhook-signature")),
            (Headers { id: "a.b", ..full }, VerifyError::BadId),
            (Headers { timestamp: "+1649367553", ..full }, VerifyError::BadTimestamp),
            (Headers { timestamp: "1649367553.0", ..full }, VerifyError::BadTimestamp),
            (Headers { timestamp: "99999999999999999999", ..full }, VerifyError::BadTimestamp),
            (Headers { timestamp: "9223372036854775807", ..full }, VerifyError::Stale),
        ] {
            assert_eq!(verify(&key, headers, b"{}", at(1_649_367_553)), Err(error));
        }
        assert_eq!(sign(&key, "a.b", at(0), b"{}"), Err(VerifyError::BadId));
    }

    #[test]
    fn keys_are_checked_and_never_shown() {
        let of_length = |bytes: usize| {
            use base64::Engine;
            format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(vec![7; bytes]))
        };
        assert_eq!(Key::parse("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap_err(), KeyError::NoPrefix);
        assert_eq!(Key::parse("whsec_%%%").unwrap_err(), KeyError::NotBase64);
        assert_eq!(Key::parse("whsec_").unwrap_err(), KeyError::Length(0));
        assert_eq!(Key::parse(&of_length(23)).unwrap_err(), KeyError::Length(23));
        assert_eq!(Key::parse(&of_length(65)).unwrap_err(), KeyError::Length(65));
        assert!(Key::parse(&of_length(24)).is_ok() && Key::parse(&of_length(64)).is_ok());
        assert_eq!(Key::parse(" ").unwrap_err(), KeyError::NoPrefix);
        assert_eq!(Key::parse(&format!("{} whsec_", VECTORS[0].0)).unwrap_err(), KeyError::Length(0));
        assert_eq!(format!("{:?}", Key::parse(VECTORS[0].0).unwrap()), "Key { first: [hidden], others: [] }");
    }

    #[test]
    fn while_a_key_is_changed_the_old_one_still_opens() {
        let [(old, id, timestamp, body, signature), (new, ..)] = VECTORS;
        let headers = Headers { id, timestamp: &timestamp.to_string(), signature };
        let both = Key::parse(&format!("{new} {old}")).unwrap();
        assert_eq!(verify(&both, headers, body.as_bytes(), at(timestamp)), Ok(()));
        let ours = sign(&both, id, at(timestamp), body.as_bytes()).unwrap();
        let new = Key::parse(new).unwrap();
        assert_eq!(verify(&new, Headers { signature: &ours, ..headers }, body.as_bytes(), at(timestamp)), Ok(()));
        assert_eq!(verify(&new, headers, body.as_bytes(), at(timestamp)), Err(VerifyError::Mismatch));
    }
}
