//! Pushes: a form with one field, `content`, that holds JSON.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::digest::sha256_hex;
use crate::lenient;
use crate::marketplace::{Ask, Message, Says};

/// What a push says: that something happened to an order. Nothing when it is not of the form that it should have.
pub(super) fn message(body: &[u8]) -> Option<Message> {
    let (_, content) = form_urlencoded::parse(body).find(|(name, _)| name == "content")?;
    let value: Value = serde_json::from_str(&content).ok()?;
    let push = Push::deserialize(&value).ok()?;
    let message = push.message.unwrap_or_default();
    let says = match (message.seller_id.or(push.shop_id), message.order_id.clone()) {
        (Some(shop_id), Some(order_id)) => Says::Hint { shop_id, ask: Ask::Order { order_id } },
        _ => Says::NotUnderstood,
    };
    let content =
        json!([push.kind, message.order_id, message.status_ori, message.refund_status_ori, sha256_hex(&content)]);
    Some(Message { id: String::new(), kind: push.kind, content: content.to_string(), says })
}

#[derive(Deserialize)]
struct Push {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: Option<Order>,
    #[serde(default, rename = "shopId", deserialize_with = "lenient::optional_id")]
    shop_id: Option<String>,
}

/// Of the whole order, buyer in clear included, only what says which it is.
#[derive(Default, Deserialize)]
struct Order {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    order_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    seller_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    status_ori: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_status_ori: Option<String>,
}
