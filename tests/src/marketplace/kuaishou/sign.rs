//! Kuaishou's signature of calls, written from the protocol's description and not shared with the code under test.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::marketplace::dialect::App;

/// The parameter `sign` of a call with these parameters: Base64 of HMAC-SHA256, with the app's `sign_secret` as key, over all
/// others in alphabetic order as `name=value`, joined by ampersands, and the secret as the last.
pub fn call(app: &App, params: &BTreeMap<String, String>) -> String {
    let secret = app.text("sign_secret");
    let others = params.iter().filter(|(name, _)| *name != "sign");
    let mut pairs: Vec<_> = others.map(|(name, value)| format!("{name}={value}")).collect();
    pairs.push(format!("signSecret={secret}"));
    // A key of any length is accepted by HMAC; the empty one stands in for an error that cannot happen.
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| Hmac::new(&Default::default()));
    STANDARD.encode(mac.chain_update(pairs.join("&")).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_a_public_client() {
        let params = [("b", "2"), ("a", "1"), ("sign", "not part of it")];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let app = App::of("key", "secret of another thing").with("sign_secret", "secret");
        assert_eq!(call(&app, &params), "7XRAoSRcUAGPJRyfW3a2ogWASfb4DWlR43dIiP9V8kQ=");
    }
}
