//! Signs as own shops, tills and mini-programs do: Standard Webhooks 1.0.0, `v1`. Not shared with the code under test.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

/// The headers of a message.
///
/// `secret` is `whsec_` and Base64; `id` is unique per message and the same on retries; `timestamp` is Unix seconds of this try.
///
/// # Errors
/// When the secret is not of that form, or the id cannot stand in a header.
pub fn headers(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse()?);
    headers.insert("webhook-id", id.parse()?);
    headers.insert("webhook-timestamp", timestamp.to_string().parse()?);
    headers.insert("webhook-signature", signature(secret, id, timestamp, body)?.parse()?);
    Ok(headers)
}

/// The value of `webhook-signature`: `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`.
///
/// # Errors
/// When the secret is not `whsec_` and Base64.
pub fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
    let key = secret.strip_prefix("whsec_").context("the secret does not begin with whsec_")?;
    let key = STANDARD.decode(key).context("the secret is not Base64")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of the standard's own libraries.
    #[test]
    fn vectors() {
        let first = signature(
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            br#"{"email":"test@example.com","username":"test_user"}"#,
        );
        assert_eq!(first.unwrap(), "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
        let second = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(second.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
