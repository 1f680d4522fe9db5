//! The signature on pushes: MD5 over client id, text and client secret. In the header over the whole body, or (older apps) in the
//! body over its `msg` only.

use serde::Deserialize;
use serde_json::Value;

use crate::digest::{md5_hex, same_hex};
use crate::marketplace::{App, Delivery, VerifyError};

/// What a push's signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The whole body: header `Event-Sign`.
    Body,
    /// Only `msg`, so that shop, kind and version may be another's: field `sign`. Good for a hint.
    Message,
}

/// Whether a push is authentic: signed by who knows our app's secret. With the header there, the body's own signature does not
/// count.
///
/// # Errors
/// [`VerifyError`]; every case is to be answered 401.
pub fn verify(app: &App, delivery: &Delivery<'_>) -> Result<Proof, VerifyError> {
    if delivery.header("client-id").is_some_and(|client_id| client_id != app.key()) {
        return Err(VerifyError::WrongApp("youzan_app_key"));
    }
    let (proof, claimed, expected) = match delivery.header("event-sign") {
        Some(claimed) => (Proof::Body, claimed.to_owned(), sign(app, delivery.body)),
        None => {
            let signed = old(delivery.body).ok_or(VerifyError::MissingHeader("event-sign"))?;
            (Proof::Message, signed.sign, sign(app, signed.msg.as_bytes()))
        }
    };
    if same_hex(&claimed, &expected) { Ok(proof) } else { Err(VerifyError::Mismatch("youzan_app_secret")) }
}

/// The signature of `text`: lower-case hex.
pub fn sign(app: &App, text: &[u8]) -> String {
    md5_hex(&[app.key().as_bytes(), text, app.secret().as_bytes()])
}

/// `msg` is text, still URL-encoded; as an object it has no signature that could be recomputed.
#[derive(Deserialize)]
struct Old {
    sign: String,
    msg: String,
}

fn old(body: &[u8]) -> Option<Old> {
    Old::deserialize(&serde_json::from_slice::<Value>(body).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::{Proof, sign, verify};
    use crate::marketplace::{App, Delivery, VerifyError};

    /// Self-made in the protocols, recomputed with another implementation.
    const BODY: &str = r#"{"kdt_id":1,"type":"trade_TradePaid"}"#;
    const BODY_SIGN: &str = "de86b41022d5e1b973819c36d2c04e39";
    const MSG: &str = "%7B%22tid%22%3A%22E1%22%7D";
    const MSG_SIGN: &str = "c32e7828de9e2b9a5afb491d0d8d831c";
    const MISMATCH: VerifyError = VerifyError::Mismatch("youzan_app_secret");

    fn app() -> App {
        App::of([("app_key", "cid"), ("app_secret", "csecret")])
    }

    fn check(headers: &[(&'static str, &str)], body: &str) -> Result<Proof, VerifyError> {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let (path, query, now) = ("/hooks/youzan", "", domain::UnixMs::EPOCH);
        verify(&app(), &Delivery { method: &Method::POST, path, query, headers: &headers, body: body.as_bytes(), now })
    }

    fn old(sign: &str, msg: &str) -> String {
        format!(r#"{{"kdt_id":1,"type":"trade_TradePaid","msg":"{msg}","sign":"{sign}"}}"#)
    }

    #[test]
    fn vectors_sign() {
        assert_eq!(sign(&app(), BODY.as_bytes()), BODY_SIGN);
        assert_eq!(sign(&app(), MSG.as_bytes()), MSG_SIGN);
    }

    #[test]
    fn the_header_proves_the_body_and_the_field_its_message() {
        for event_sign in [BODY_SIGN, &BODY_SIGN.to_uppercase()] {
            assert_eq!(check(&[("Event-Sign", event_sign), ("Client-Id", "cid")], BODY), Ok(Proof::Body));
        }
        assert_eq!(check(&[], &old(MSG_SIGN, MSG)), Ok(Proof::Message));
        // A wrong header is not mended by a good field.
        assert_eq!(check(&[("Event-Sign", BODY_SIGN)], &old(MSG_SIGN, MSG)), Err(MISMATCH));
    }

    #[test]
    fn tampering_another_app_and_no_signature_are_refused() {
        assert_eq!(check(&[("Event-Sign", BODY_SIGN)], &BODY.replace('1', "2")), Err(MISMATCH));
        for event_sign in ["", &BODY_SIGN[1..], &BODY_SIGN.replace('d', "e")] {
            assert_eq!(check(&[("Event-Sign", event_sign)], BODY), Err(MISMATCH));
        }
        assert_eq!(check(&[], &old(MSG_SIGN, &MSG.replace("E1", "E2"))), Err(MISMATCH));
        let another = check(&[("Event-Sign", BODY_SIGN), ("Client-Id", "other")], BODY);
        assert_eq!(another, Err(VerifyError::WrongApp("youzan_app_key")));
        for body in [BODY, "", "[]", r#"{"msg":{"tid":"E1"},"sign":"x"}"#] {
            assert_eq!(check(&[], body), Err(VerifyError::MissingHeader("event-sign")), "{body}");
        }
    }
}
