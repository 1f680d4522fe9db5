//! Doudian's two signatures, written from the protocol's description and not shared with the code under test.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use serde_json::Value;
use sha2::Sha256;

use crate::marketplace::dialect::App;

/// How a push is signed. `Md5` is the platform's old way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// HMAC-SHA256 with the app's secret as key.
    HmacSha256,
    /// Plain MD5 over key, body and secret.
    Md5,
}

impl Method {
    /// The value of the header `sign-method`.
    pub const fn header(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::Md5 => "MD5",
        }
    }
}

/// The header `event-sign` of a push: lower-case hex over app key + body + secret.
pub fn push(app: &App, body: &[u8], method: Method) -> String {
    let parts = [app.key.as_bytes(), body, app.secret.as_bytes()];
    match method {
        Method::HmacSha256 => hmac_hex(&app.secret, &parts),
        Method::Md5 => hex::encode(parts.iter().fold(Md5::new(), |hash, part| hash.chain_update(part)).finalize()),
    }
}

/// The query parameter `sign` of an API call: lower-case hex of HMAC-SHA256 over the fixed parameters in alphabetic order,
/// names and values joined, between two copies of the secret.
pub fn api(app: &App, method: &str, timestamp: &str, param_json: &str) -> String {
    let parameters = [
        ("app_key", app.key.as_str()),
        ("method", method),
        ("param_json", param_json),
        ("timestamp", timestamp),
        ("v", "2"),
    ];
    let mut parts = vec![app.secret.as_bytes()];
    for (name, value) in parameters {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    parts.push(app.secret.as_bytes());
    hmac_hex(&app.secret, &parts)
}

/// JSON as the platform wants `param_json`: keys sorted at every level, no blanks. Compared byte for byte with what was sent.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.keys().collect();
            names.sort();
            let members =
                names.into_iter().map(|name| format!("{}:{}", Value::from(name.as_str()), canonical(&members[name])));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn hmac_hex(key: &str, parts: &[&[u8]]) -> String {
    // A key of any length is accepted by HMAC; the empty one stands in for an error that cannot happen.
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap_or_else(|_| Hmac::new(&Default::default()));
    parts.iter().for_each(|part| mac.update(part));
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of public SDKs; the MD5 one was computed by hand.
    #[test]
    fn push_vectors() {
        let app = App::of("app-123", "secret-456");
        let body = br#"[{"tag":"0","msg_id":"0","data":"probe"}]"#;
        assert_eq!(
            push(&app, body, Method::HmacSha256),
            "7e0bd8b248471435f5a09b27cbc1a07f2cb00f625810bde9f3cc5b0ba7bc4a11"
        );
        assert_eq!(push(&app, body, Method::Md5), "d94fb4393b783116c26fc9175ae83283");
    }

    #[test]
    fn api_vector() {
        assert_eq!(
            api(&App::of("app-key", "secret"), "product.detail", "2025-01-02 03:04:05", r#"{"a":1,"b":2}"#),
            "4eaefa2d3044c9f9711928edc8cfe5df1b7a8fd2d79d5d62866c79bbc4a09f2a"
        );
    }

    #[test]
    fn canonical_json_is_sorted_at_every_level_and_escapes_no_html() {
        let value = serde_json::json!({"b": [{"z": 1, "a": "<茶&>"}], "a": {"d": null, "c": true}});
        assert_eq!(canonical(&value), r#"{"a":{"c":true,"d":null},"b":[{"a":"<茶&>","z":1}]}"#);
    }
}
