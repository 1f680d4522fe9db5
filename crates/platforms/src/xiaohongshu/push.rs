//! Pushes: a JSON array of messages, each a `msgTag`, a `sellerId` and `data`; signed by headers that do not cover the body.
//!
//! The formula is that of public implementations; the platform's own paragraph on it was not seen.

use domain::UnixMs;
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::lenient;
use crate::lenient::json_text;
use crate::marketplace::{App, Ask, Delivery, Message, Says, VerifyError};

/// How far the `timestamp` may be off. A replay within that time can carry any body, so it is short.
const MINUTES: u32 = 5;

/// Whether the headers are authentic and fresh. They say nothing about the body.
///
/// # Errors
/// [`VerifyError`]; every case is to be answered 401.
pub fn verify(app: &App, delivery: &Delivery<'_>) -> Result<(), VerifyError> {
    let header = |name: &'static str| delivery.header(name).ok_or(VerifyError::MissingHeader(name));
    let (key, timestamp, claimed) = (header("app-key")?, header("timestamp")?, header("sign")?);
    if !bool::from(key.as_bytes().ct_eq(app.key().as_bytes())) {
        return Err(VerifyError::WrongApp("xiaohongshu_app_key"));
    }
    let expected = sign(app, delivery.path, delivery.query, timestamp);
    if !bool::from(claimed.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes())) {
        return Err(VerifyError::Mismatch("xiaohongshu_app_secret and the address that the console pushes to"));
    }
    let sent = instant(timestamp).ok_or(VerifyError::Stale(MINUTES))?;
    let off = delivery.now.millis().abs_diff(sent.millis());
    if off <= u64::from(MINUTES) * 60_000 { Ok(()) } else { Err(VerifyError::Stale(MINUTES)) }
}

/// The value of `sign`: lower-case hex of MD5 over path, question mark, the query's own parameters with `app-key` and `timestamp` in
/// order of their names, and the secret.
pub fn sign(app: &App, path: &str, query: &str, timestamp: &str) -> String {
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    pairs.push(("app-key".to_owned(), app.key().to_owned()));
    pairs.push(("timestamp".to_owned(), timestamp.to_owned()));
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let digest = Md5::new().chain_update(path).chain_update("?").chain_update(pairs.join("&"));
    hex::encode(digest.chain_update(app.secret()).finalize())
}

/// Seconds or milliseconds: which of them the header holds is not documented, but no instant near now reads as the other.
fn instant(timestamp: &str) -> Option<UnixMs> {
    const FIRST_MILLIS: i64 = 100_000_000_000;
    let number: i64 = timestamp.parse().ok()?;
    if number < FIRST_MILLIS { UnixMs::from_seconds(number).ok() } else { UnixMs::from_millis(number).ok() }
}

/// The messages of a push; none when the body is no such array.
pub fn messages(body: &[u8]) -> Option<Vec<Message>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let pushes = Vec::<Push>::deserialize(&body).ok()?;
    Some(pushes.into_iter().map(message).collect())
}

#[derive(Debug, Deserialize)]
struct Push {
    #[serde(rename = "msgTag")]
    tag: String,
    #[serde(rename = "sellerId", deserialize_with = "lenient::id")]
    seller_id: String,
    /// The content: JSON inside a text.
    #[serde(default)]
    data: Value,
}

fn message(push: Push) -> Message {
    let says = says(&push).unwrap_or(Says::NotUnderstood);
    let content = json!([push.tag, push.seller_id, push.data]).to_string();
    Message { id: String::new(), kind: push.tag, content, says }
}

/// Kinds that change neither orders nor cases as they are kept here: notes, promised times, reminders, parcels' services, products,
/// and what suppliers get.
const NO_CONCERN: [&str; 6] = [
    "msg_fulfillment_seller_remark_change",
    "msg_fulfillment_delivery_time_change",
    "msg_fulfillment_soon_cancel",
    "msg_logistic_",
    "msg_item_",
    "msg_supply_",
];

fn says(push: &Push) -> Option<Says> {
    if NO_CONCERN.iter().any(|start| push.tag.starts_with(start)) {
        return Some(Says::Nothing);
    }
    let ids = || Ids::deserialize(&*json_text(&push.data).ok()?).ok();
    let ask = if push.tag.starts_with("msg_fulfillment_") {
        Ask::Order { order_id: ids()?.order_id? }
    } else if push.tag.starts_with("msg_after_sale_") {
        let ids = ids()?;
        Ask::AfterSale { order_id: ids.order_id, after_sale_id: ids.returns_id? }
    } else {
        return None;
    };
    Some(Says::Hint { shop_id: push.seller_id.clone(), ask })
}

#[derive(Debug, Deserialize)]
struct Ids {
    #[serde(rename = "orderId", default, deserialize_with = "lenient::optional_id")]
    order_id: Option<String>,
    #[serde(rename = "returnsId", default, deserialize_with = "lenient::optional_id")]
    returns_id: Option<String>,
}
