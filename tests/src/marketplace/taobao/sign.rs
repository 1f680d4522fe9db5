//! TOP's signatures, written from the protocol's description and not shared with the code under test.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use crate::marketplace::dialect::App;

/// The `sign` of a call's fields by their `sign_method`: upper-case hex over names and values joined, in alphabetic order. None for
/// a method that there is not.
pub fn sign(app: &App, fields: &BTreeMap<String, String>) -> Option<String> {
    let signed = fields.iter().filter(|(name, _)| *name != "sign");
    let text: String = signed.map(|(name, value)| format!("{name}{value}")).collect();
    match fields.get("sign_method").map(String::as_str) {
        Some("md5") => {
            let digest = Md5::digest(format!("{secret}{text}{secret}", secret = app.secret));
            Some(hex::encode_upper(digest))
        }
        Some("hmac") => {
            let mac = Hmac::<Md5>::new_from_slice(app.secret.as_bytes()).ok()?.chain_update(text);
            Some(hex::encode_upper(mac.finalize().into_bytes()))
        }
        Some("hmac-sha256") => {
            let mac = Hmac::<Sha256>::new_from_slice(app.secret.as_bytes()).ok()?.chain_update(text);
            Some(hex::encode_upper(mac.finalize().into_bytes()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(sign_method: &str) -> BTreeMap<String, String> {
        let fields = [
            ("app_key", "12345678"),
            ("fields", "num_iid,title,nick,price,num"),
            ("format", "json"),
            ("method", "taobao.item.seller.get"),
            ("num_iid", "11223344"),
            ("session", "test"),
            ("sign", "is not signed"),
            ("sign_method", sign_method),
            ("timestamp", "2016-01-01 12:00:00"),
            ("v", "2.0"),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The vendor's own sample, and the same under its other methods, computed by hand.
    #[test]
    fn vectors() {
        let app = App::of("12345678", "helloworld");
        assert_eq!(sign(&app, &sample("md5")).unwrap(), "66987CB115214E59E6EC978214934FB8");
        assert_eq!(sign(&app, &sample("hmac")).unwrap(), "D56D7858309C31B6251083A874D48273");
        let newer = "04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8";
        assert_eq!(sign(&app, &sample("hmac-sha256")).unwrap(), newer);
        assert_eq!(sign(&app, &sample("sha1")), None);
    }
}
