//! Kuaidi100's two signatures, written from the protocol's description and not shared with the code under test.

use md5::{Digest, Md5};

use crate::marketplace::dialect::App;

/// The field `sign` of a push: MD5 over `param` and the subscriber's salt.
pub fn push(param: &str, salt: &str) -> String {
    md5(&[param, salt])
}

/// The field `sign` of a call: MD5 over `param`, the time `t`, key and secret.
pub fn call(app: &App, param: &str, t: &str) -> String {
    md5(&[param, t, &app.key, &app.secret])
}

/// Hex in capitals.
fn md5(parts: &[&str]) -> String {
    hex::encode_upper(parts.iter().fold(Md5::new(), |hash, part| hash.chain_update(part)).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both were computed with another implementation.
    #[test]
    fn vectors() {
        let param = r#"{"status":"shutdown","lastResult":{"state":"3","ischeck":"1","com":"yuantong","nu":"YT1"}}"#;
        assert_eq!(push(param, "salt1"), "021CBBE212D5AB19723AEF24A29B9E8D");
        let app = App::of("KEY", "SECRET");
        assert_eq!(call(&app, r#"{"a":1}"#, "1576123932000"), "01D6B4074CAB8BBFDE72598C866DE614");
    }
}
