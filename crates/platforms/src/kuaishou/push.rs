//! What a push says, once it is out of its envelope (the platform's guide to its messages).

use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::lenient::{self, json_text};
use crate::marketplace::{App, Ask, Message, Says};

/// Reads a push. Nothing when it is not one, or one for another app: as little proof as what does not decipher.
pub fn read(app: &App, plain: &[u8]) -> Option<Message> {
    let push = Push::deserialize(&serde_json::from_slice::<Value>(plain).ok()?).ok()?;
    if push.test {
        // The console tries the address out, and so does the platform's heartbeat: `{"test":true}`, without an app.
        return Some(Message {
            id: String::new(),
            kind: "test".to_owned(),
            content: String::new(),
            says: Says::Nothing,
        });
    }
    if !bool::from(push.app_key.as_bytes().ct_eq(app.key().as_bytes())) {
        return None;
    }
    let says = hint(&push).unwrap_or(Says::NotUnderstood);
    let content = json!([push.event, push.biz_id, push.info]).to_string();
    Some(Message { id: push.event_id.unwrap_or_default(), kind: push.event, content, says })
}

/// Whatever happened to an order or a case, its record tells. Nothing when the message does not say to which.
fn hint(push: &Push) -> Option<Says> {
    // A list would be read as fields in their order.
    let info = json_text(&push.info).ok().filter(|info| info.is_object())?;
    let info = Info::deserialize(&*info).ok()?;
    let shop_id = push.user_id.clone().or(info.seller_id)?;
    let ask = if push.event.starts_with("kwaishop_order_") {
        Ask::Order { order_id: info.oid.or(info.order_id).or_else(|| push.biz_id.clone())? }
    } else if push.event.starts_with("kwaishop_aftersales_") {
        let after_sale_id = info.refund_id.or_else(|| push.biz_id.clone())?;
        Ask::AfterSale { order_id: info.order_id.or(info.oid), after_sale_id }
    } else {
        return None;
    };
    Some(Says::Hint { shop_id, ask })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Push {
    #[serde(default)]
    test: bool,
    #[serde(default)]
    app_key: String,
    /// The same on every retry.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    event_id: Option<String>,
    #[serde(default)]
    event: String,
    /// The id of the order, the case or the product.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    biz_id: Option<String>,
    /// The merchant.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    user_id: Option<String>,
    /// JSON in a text.
    #[serde(default)]
    info: Value,
}

/// Orders have `oid`, cases `orderId` and `refundId`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    oid: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    order_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    seller_id: Option<String>,
}
