//! JOS's signature, written from the protocol's description and not shared with the code under test.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use crate::marketplace::dialect::App;

/// The fields that are signed, in alphabetic order.
const SIGNED: [&str; 6] = ["360buy_param_json", "access_token", "app_key", "method", "timestamp", "v"];

/// The `sign` of a call's fields: upper-case hex of MD5 over names and values joined, between two copies of the secret.
pub fn sign(app: &App, fields: &BTreeMap<String, String>) -> String {
    let mut digest = Md5::new_with_prefix(&app.secret);
    for (name, value) in SIGNED.iter().filter_map(|name| fields.get_key_value(*name)) {
        digest.update(name);
        digest.update(value);
    }
    digest.update(&app.secret);
    hex::encode_upper(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vendor's own sample.
    #[test]
    fn vector() {
        let param = concat!(
            r#"{"end_date":null,"optional_fields":null,"order_state":"WAIT_SELLER_STOCK_OUT","#,
            r#""page":"1","page_size":"200","start_date":null}"#
        );
        let fields = [
            ("360buy_param_json", param),
            ("access_token", "yourtoken"),
            ("app_key", "yourappkey"),
            ("format", "is not signed"),
            ("method", "jingdong.pop.order.search"),
            ("sign", "is not signed"),
            ("timestamp", "2021-05-07 09:20:39.683+0800"),
            ("v", "2.0"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let app = App::of("yourappkey", "yourappSecret");
        assert_eq!(sign(&app, &fields), "D70825340F4084360B9362B60DFD7930");
    }
}
