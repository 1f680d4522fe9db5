//! Xiaohongshu's two signatures, written from the protocol's description and not shared with the code under test. Neither covers
//! what is said: not a push's body, not a call's parameters.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use crate::marketplace::dialect::App;

/// The header `sign` of a push.
pub fn push(app: &App, path: &str, query: &str, timestamp: &str) -> String {
    let mut fields: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    fields.insert("app-key".to_owned(), app.key.clone());
    fields.insert("timestamp".to_owned(), timestamp.to_owned());
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    md5(&format!("{path}?{}{}", fields.join("&"), app.secret))
}

/// The field `sign` of a call.
pub fn api(app: &App, method: &str, timestamp: &str) -> String {
    md5(&format!("{method}?appId={}&timestamp={timestamp}&version=2.0{}", app.key, app.secret))
}

fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protocols 5.6: computed by hand, and (the last) a public one of the API's first version, which has the shape of a push's.
    #[test]
    fn vectors() {
        let app = App::of("xhs-app", "secret");
        assert_eq!(push(&app, "/hook/xhs", "shop=42", "1700000000"), "c6f5d43f5ac9087fba2b80cea7e9d88c");
        let app = App::of("app-1", "secret");
        assert_eq!(api(&app, "order.getOrderList", "1612518379"), "f551c1d9d9c7670a11fd05bcc4264d2b");
        let app = App::of("xhs", "9a539709cafc1efc9ef05838be468a28");
        let signed = push(&app, "/ark/open_api/v1/items", "page_no=1&page_size=50&status=0", "1469902537");
        assert_eq!(signed, "72be6fad4dd0e5104dbdebbcdadb2a06");
    }
}
