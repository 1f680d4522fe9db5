//! Signatures: MD5 over the secret, the sorted parameters as name and value, and the secret again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::UnixMs;
use md5::{Digest, Md5};

use crate::marketplace::App;

/// The `sign` of a call with these parameters (unescaped, in any order): upper-case hex.
pub fn sign(secret: &str, params: &[(&str, String)]) -> String {
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort();
    let mut digest = Md5::new().chain_update(secret);
    for (name, value) in sorted {
        digest.update(name);
        digest.update(value);
    }
    hex::encode_upper(digest.chain_update(secret).finalize())
}

/// The path on `wss://message-api.pinduoduo.com` under which a side-car reads the app's messages (PMC), signed for `now`.
pub fn pmc_path(app: &App, now: UnixMs) -> String {
    let millis = now.millis().to_string();
    let digest = Md5::new().chain_update(app.key()).chain_update(&millis).chain_update(app.secret()).finalize();
    let token = STANDARD.encode(hex::encode(digest));
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    format!("/message/{}/{millis}/{token}", app.key())
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;

    use super::{pmc_path, sign};
    use crate::marketplace::App;

    #[test]
    fn the_vendors_sample_signs_in_any_order() {
        let mut params = [
            ("type", "pdd.order.number.list.get"),
            ("access_token", "asd78172s8ds9a921j9qqwda12312w1w21211"),
            ("client_id", "1"),
            ("data_type", "XML"),
            ("order_status", "1"),
            ("page", "1"),
            ("page_size", "10"),
            ("timestamp", "1480411125"),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        assert_eq!(sign("testSecret", &params), "E4DE3ED21002510DED352819E7AE6775");
        params.reverse();
        assert_eq!(sign("testSecret", &params), "E4DE3ED21002510DED352819E7AE6775");
    }

    #[test]
    fn the_path_of_the_messages_is_signed() {
        let app = App::of([("app_key", "app"), ("app_secret", "secret")]);
        let now = UnixMs::from_millis(1_700_000_000_000).unwrap();
        assert_eq!(pmc_path(&app, now), "/message/app/1700000000000/OTgxODMwNDI2NWZiN2NiNzA2NzIxOTI0ZjJlMDMxMjE%3D");
    }
}
