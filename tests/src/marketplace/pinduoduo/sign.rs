//! Pinduoduo's signature, written from the protocol's description and not shared with the code under test.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use crate::marketplace::dialect::App;

/// The field `sign` of a call with this form: upper-case hex of MD5 over all other fields in alphabetic order, names and
/// values joined, between two copies of the secret.
pub fn call(app: &App, form: &BTreeMap<String, String>) -> String {
    let fields = form.iter().filter(|(name, _)| *name != "sign");
    let joined: String = fields.flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    hex::encode_upper(Md5::digest(format!("{secret}{joined}{secret}", secret = app.secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor's sample.
    #[test]
    fn the_vendor_s_vector() {
        let form = [
            ("type", "pdd.order.number.list.get"),
            ("access_token", "asd78172s8ds9a921j9qqwda12312w1w21211"),
            ("client_id", "1"),
            ("data_type", "XML"),
            ("order_status", "1"),
            ("page", "1"),
            ("page_size", "10"),
            ("timestamp", "1480411125"),
            ("sign", "not part of it"),
        ];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(call(&App::of("1", "testSecret"), &form), "E4DE3ED21002510DED352819E7AE6775");
    }
}
