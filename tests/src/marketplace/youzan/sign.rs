//! Youzan's one signature, written from the protocol's description and not shared with the code under test.

use md5::{Digest, Md5};

use crate::marketplace::dialect::App;

/// Lower-case hex of MD5 over client id, text and client secret. The text is the body for the header `Event-Sign`, and `msg` as
/// it stands there for the body's own field `sign`.
pub fn push(app: &App, text: &[u8]) -> String {
    let hash = Md5::new().chain_update(&app.key).chain_update(text).chain_update(&app.secret);
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of the protocol's description.
    #[test]
    fn vectors() {
        let app = App::of("cid", "csecret");
        assert_eq!(push(&app, b"%7B%22tid%22%3A%22E1%22%7D"), "c32e7828de9e2b9a5afb491d0d8d831c");
        assert_eq!(push(&app, br#"{"kdt_id":1,"type":"trade_TradePaid"}"#), "de86b41022d5e1b973819c36d2c04e39");
    }
}
