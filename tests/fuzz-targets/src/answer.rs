//! What marketplaces answer to our questions.

use domain::Platform;
use platforms::marketplace::{App, Ask, Shop};
use platforms::{api, source};

use crate::{now, read};

/// Every kind of question, as the outbox keeps it.
const ASKS: [&str; 10] = [
    r#"{"ask":"order","order_id":"1001"}"#,
    r#"{"ask":"after_sale","order_id":"1001","after_sale_id":"2001"}"#,
    r#"{"ask":"changed_orders","since":"2026-02-14T01:00:00Z","until":"2026-02-14T01:30:00Z","page":null}"#,
    r#"{"ask":"changed_after_sales","since":"2026-02-14T01:00:00Z","until":"2026-02-14T01:30:00Z","page":"2"}"#,
    r#"{"ask":"messages"}"#,
    r#"{"ask":"confirm_messages","message_ids":["1"]}"#,
    r#"{"ask":"agree","order_id":"1001","after_sale_id":"2001","seen":{"kind":"return","amount":100,"status":"applied","version":"1","as_of":"2026-02-14T01:00:00Z"}}"#,
    r#"{"ask":"refuse","order_id":"1001","after_sale_id":"2001","reason":"测试","seen":{"kind":"refund_only","amount":100,"status":"applied","version":"1","as_of":"2026-02-14T01:00:00Z"}}"#,
    r#"{"ask":"confirm_receipt","order_id":"1001","after_sale_id":"2001"}"#,
    r#"{"ask":"set_stock","shelf":{"product_id":"3001","sku_id":"3002"},"quantity":5}"#,
];

/// Whatever a marketplace answers to whatever it was asked is read the same way each time, and what it says of orders is kept as it was said.
pub fn hold(platform: Platform, bytes: &[u8]) {
    let (Some(api), Some(source)) = (api(platform), source(platform)) else { unreachable!("no such marketplace") };
    let app = App::of([("app_key", "key"), ("app_secret", "secret")]);
    for ask in ASKS {
        let ask: Ask = serde_json::from_str(ask).unwrap_or_else(|error| unreachable!("{ask}: {error}"));
        let shop = Shop { id: "4001", access_token: None, refresh_token: None };
        drop(api.request(&app, &shop, &ask, now()));
        let Ok(answer) = api.check(&ask, bytes) else { continue };
        drop(api.next(&ask, &answer));
        let read = || source.read(&app, shop.id, &ask, &answer);
        let first = read();
        assert_eq!(format!("{first:?}"), format!("{:?}", read()), "read again");
        first.iter().flat_map(read::answered).for_each(read::keeps);
    }
    drop(api.token(bytes, now()));
}
