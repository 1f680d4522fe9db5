//! The signature on pushes: `app_key + body + app_secret`, by HMAC-SHA-256 with the secret, or by MD5 (older consoles).

use hmac::Mac;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::MD5;
use crate::mac::hmac_sha256;
use crate::marketplace::{App, Delivery, VerifyError};

/// How a push is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `hmac-sha256`.
    HmacSha256,
    /// `MD5`; what is meant when the header is missing.
    Md5,
}

impl Method {
    fn of(header: Option<&str>) -> Self {
        match header.map(str::trim) {
            None | Some("") => Self::Md5,
            Some(name) if name.eq_ignore_ascii_case("md5") => Self::Md5,
            Some(_) => Self::HmacSha256,
        }
    }
}

/// Whether a push is authentic: addressed to our app, and signed by who knows its secret.
///
/// # Errors
/// [`VerifyError`]; every case is to be answered 401.
pub fn verify(app: &App, delivery: &Delivery<'_>) -> Result<(), VerifyError> {
    let app_id = delivery.header("app-id").ok_or(VerifyError::MissingHeader("app-id"))?;
    let claimed = delivery.header("event-sign").ok_or(VerifyError::MissingHeader("event-sign"))?;
    if !bool::from(app_id.as_bytes().ct_eq(app.key().as_bytes())) {
        return Err(VerifyError::WrongApp("douyin_app_key"));
    }
    let method = Method::of(delivery.header("sign-method"));
    if method == Method::Md5 && !app.is_on(MD5.name) {
        return Err(VerifyError::Md5Refused);
    }
    let expected = sign(app, method, delivery.body);
    let fits = claimed.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes());
    if bool::from(fits) { Ok(()) } else { Err(VerifyError::Mismatch("douyin_app_secret")) }
}

/// The value of `event-sign` for a push: lower-case hex.
pub fn sign(app: &App, method: Method, body: &[u8]) -> String {
    let secret = app.secret().as_bytes();
    match method {
        Method::HmacSha256 => {
            let mac = hmac_sha256(secret, &[app.key().as_bytes(), body, secret]);
            hex::encode(mac.finalize().into_bytes())
        }
        Method::Md5 => {
            let digest = Md5::new().chain_update(app.key()).chain_update(body).chain_update(secret);
            hex::encode(digest.finalize())
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method as Verb};

    use super::{Method, sign, verify};
    use crate::marketplace::{App, Delivery, VerifyError};

    const BODY: &[u8] = br#"[{"tag":"0","msg_id":"0","data":"probe"}]"#;
    /// From a public implementation's suite (protocols: Doudian push).
    const HMAC: &str = "7e0bd8b248471435f5a09b27cbc1a07f2cb00f625810bde9f3cc5b0ba7bc4a11";
    /// Computed independently over the same input.
    const MD5: &str = "d94fb4393b783116c26fc9175ae83283";
    const MISMATCH: VerifyError = VerifyError::Mismatch("douyin_app_secret");

    fn app(md5: &str) -> App {
        App::of([("app_key", "app-123"), ("app_secret", "secret-456"), ("md5", md5)])
    }

    fn check(app: &App, headers: &[(&'static str, &str)], body: &[u8]) -> Result<(), VerifyError> {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let now = domain::UnixMs::EPOCH;
        verify(app, &Delivery { method: &Verb::POST, path: "/hooks/douyin", query: "", headers: &headers, body, now })
    }

    fn signed(app: &App, event_sign: &str, sign_method: Option<&str>) -> Result<(), VerifyError> {
        let mut headers = vec![("app-id", "app-123"), ("event-sign", event_sign)];
        headers.extend(sign_method.map(|method| ("sign-method", method)));
        check(app, &headers, BODY)
    }

    #[test]
    fn vectors_sign() {
        assert_eq!(sign(&app("off"), Method::HmacSha256, BODY), HMAC);
        assert_eq!(sign(&app("off"), Method::Md5, BODY), MD5);
    }

    #[test]
    fn hmac_verifies_in_either_case() {
        for event_sign in [HMAC, &HMAC.to_uppercase()] {
            assert_eq!(signed(&app("off"), event_sign, Some("hmac-sha256")), Ok(()));
        }
    }

    #[test]
    fn md5_counts_only_when_switched_on_and_is_what_a_missing_method_means() {
        for method in [None, Some(""), Some("MD5"), Some("md5")] {
            assert_eq!(signed(&app("off"), MD5, method), Err(VerifyError::Md5Refused));
            assert_eq!(signed(&app("on"), MD5, method), Ok(()));
            assert_eq!(signed(&app("on"), HMAC, method), Err(MISMATCH));
        }
        assert_eq!(signed(&app("on"), MD5, Some("hmac-sha256")), Err(MISMATCH));
    }

    #[test]
    fn tampering_another_app_and_missing_headers_are_refused() {
        let with = |app_id: Option<&str>, event_sign: Option<&str>, body: &[u8]| {
            let mut headers = vec![("sign-method", "hmac-sha256")];
            headers.extend(app_id.map(|id| ("app-id", id)));
            headers.extend(event_sign.map(|sign| ("event-sign", sign)));
            check(&app("off"), &headers, body)
        };
        assert_eq!(with(Some("app-123"), Some(HMAC), BODY), Ok(()));
        assert_eq!(with(Some("app-123"), Some(HMAC), b"[]"), Err(MISMATCH));
        for event_sign in ["", &HMAC[..63], &HMAC.replace('7', "8")] {
            assert_eq!(with(Some("app-123"), Some(event_sign), BODY), Err(MISMATCH));
        }
        for (app_id, error) in [
            (Some("app-124"), VerifyError::WrongApp("douyin_app_key")),
            (Some(""), VerifyError::WrongApp("douyin_app_key")),
            (None, VerifyError::MissingHeader("app-id")),
        ] {
            assert_eq!(with(app_id, Some(HMAC), BODY), Err(error));
        }
        assert_eq!(with(Some("app-123"), None, BODY), Err(VerifyError::MissingHeader("event-sign")));
    }
}
