//! The signature on pushes: `app_key + body + app_secret`, by HMAC-SHA-256 with the secret, or by MD5 (older consoles).

use hmac::Mac;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::App;
use crate::mac::hmac_sha256;

/// The headers of a push, as received; absent ones are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `app-id`: the app key.
    pub app_id: Option<&'a str>,
    /// `event-sign`: hex.
    pub event_sign: Option<&'a str>,
    /// `sign-method`: how it was signed. Older consoles send none and sign with MD5.
    pub sign_method: Option<&'a str>,
}

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
pub fn verify(app: &App, headers: Headers<'_>, body: &[u8]) -> Result<(), VerifyError> {
    let app_id = headers.app_id.ok_or(VerifyError::MissingHeader("app-id"))?;
    let claimed = headers.event_sign.ok_or(VerifyError::MissingHeader("event-sign"))?;
    if !bool::from(app_id.as_bytes().ct_eq(app.key.as_bytes())) {
        return Err(VerifyError::WrongApp);
    }
    let method = Method::of(headers.sign_method);
    if method == Method::Md5 && !app.allow_md5 {
        return Err(VerifyError::Md5Refused);
    }
    let expected = sign(app, method, body);
    let fits = claimed.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes());
    if bool::from(fits) { Ok(()) } else { Err(VerifyError::Mismatch) }
}

/// The value of `event-sign` for a push: lower-case hex.
pub fn sign(app: &App, method: Method, body: &[u8]) -> String {
    let secret = app.secret.expose().as_bytes();
    match method {
        Method::HmacSha256 => {
            let mac = hmac_sha256(secret, &[app.key.as_bytes(), body, secret]);
            hex::encode(mac.finalize().into_bytes())
        }
        Method::Md5 => {
            let digest = Md5::new().chain_update(&app.key).chain_update(body).chain_update(secret);
            hex::encode(digest.finalize())
        }
    }
}

/// Why a push is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// Sent for another app.
    #[error("app-id is not the configured app key: check `douyin_app_key` and the app that the console pushes for")]
    WrongApp,
    /// MD5 is switched off.
    #[error("the push is signed with MD5, which is switched off: choose HMAC-SHA256 in the console, or switch MD5 on")]
    Md5Refused,
    /// The signature does not fit.
    #[error(
        "event-sign does not fit the body: check `douyin_app_secret`, and that nothing rewrites the body on its way"
    )]
    Mismatch,
}

#[cfg(test)]
mod tests {
    use domain::Secret;

    use super::{App, Headers, Method, VerifyError, sign, verify};

    const BODY: &[u8] = br#"[{"tag":"0","msg_id":"0","data":"probe"}]"#;
    /// From a public implementation's suite (protocols: Doudian push).
    const HMAC: &str = "7e0bd8b248471435f5a09b27cbc1a07f2cb00f625810bde9f3cc5b0ba7bc4a11";
    /// Computed independently over the same input.
    const MD5: &str = "d94fb4393b783116c26fc9175ae83283";

    fn app(allow_md5: bool) -> App {
        App { key: "app-123".to_owned(), secret: Secret::new("secret-456".to_owned()), allow_md5 }
    }

    fn headers<'a>(event_sign: &'a str, sign_method: Option<&'a str>) -> Headers<'a> {
        Headers { app_id: Some("app-123"), event_sign: Some(event_sign), sign_method }
    }

    #[test]
    fn vectors_sign() {
        assert_eq!(sign(&app(false), Method::HmacSha256, BODY), HMAC);
        assert_eq!(sign(&app(false), Method::Md5, BODY), MD5);
    }

    #[test]
    fn hmac_verifies_in_either_case() {
        for event_sign in [HMAC, &HMAC.to_uppercase()] {
            assert_eq!(verify(&app(false), headers(event_sign, Some("hmac-sha256")), BODY), Ok(()));
        }
    }

    #[test]
    fn md5_counts_only_when_switched_on_and_is_what_a_missing_method_means() {
        for method in [None, Some(""), Some("MD5"), Some("md5")] {
            assert_eq!(verify(&app(false), headers(MD5, method), BODY), Err(VerifyError::Md5Refused));
            assert_eq!(verify(&app(true), headers(MD5, method), BODY), Ok(()));
            assert_eq!(verify(&app(true), headers(HMAC, method), BODY), Err(VerifyError::Mismatch));
        }
        assert_eq!(verify(&app(true), headers(MD5, Some("hmac-sha256")), BODY), Err(VerifyError::Mismatch));
    }

    #[test]
    fn tampering_another_app_and_missing_headers_are_refused() {
        let good = headers(HMAC, Some("hmac-sha256"));
        assert_eq!(verify(&app(false), good, b"[]"), Err(VerifyError::Mismatch));
        for event_sign in ["", &HMAC[..63], &HMAC.replace('7', "8")] {
            let forged = Headers { event_sign: Some(event_sign), ..good };
            assert_eq!(verify(&app(false), forged, BODY), Err(VerifyError::Mismatch));
        }
        for (app_id, error) in [
            (Some("app-124"), VerifyError::WrongApp),
            (Some(""), VerifyError::WrongApp),
            (None, VerifyError::MissingHeader("app-id")),
        ] {
            assert_eq!(verify(&app(false), Headers { app_id, ..good }, BODY), Err(error));
        }
        let unsigned = Headers { event_sign: None, ..good };
        assert_eq!(verify(&app(false), unsigned, BODY), Err(VerifyError::MissingHeader("event-sign")));
    }
}
