//! Pushes: one JSON object each, whose `msg` is URL-encoded JSON (orders) or an object (newer messages on after-sale cases).

use domain::{OrderFacts, UnixMs};
use serde::Deserialize;
use serde_json::{Value, json};

use super::sign::Proof;
use super::status::order_step;
use super::{key, order};
use crate::Fact;
use crate::digest::sha256_hex;
use crate::lenient;
use crate::marketplace::{Ask, MapError, Message, Says};

/// A push. Its `sendCount` and the like, which differ between retries, are not read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Push {
    /// The shop.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    pub kdt_id: Option<String>,
    /// What kind of message, such as `trade_TradePaid`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The order's id, or what else the message is about.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    pub id: Option<String>,
    /// The message's id, the same on every retry; older messages have none.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    pub msg_id: Option<String>,
    /// Rises with each message about the same thing.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    pub version: Option<String>,
    /// Sent by the console to try the address out.
    #[serde(default)]
    pub test: Option<bool>,
    /// The content.
    #[serde(default)]
    pub msg: Value,
}

/// Reads a push.
///
/// # Errors
/// [`MapError`] when the body is no push. Keep an authentic body that fails here, and answer success.
pub fn decode(body: &[u8]) -> Result<Push, MapError> {
    Ok(Push::deserialize(&serde_json::from_slice::<Value>(body)?)?)
}

impl Push {
    /// The message that it is, given what its signature covers.
    pub fn message(self, proof: Proof) -> Message {
        let says = self.says(proof).unwrap_or(Says::NotUnderstood);
        let content = match &says {
            // What is understood is told apart by its digest, and leaves no name behind.
            Says::Nothing | Says::Fact(_) | Says::Hint { .. } => json!(sha256_hex(&self.msg.to_string())),
            Says::NotUnderstood => self.msg,
        };
        let content = json!([self.kind, self.kdt_id, self.id, self.version, content]).to_string();
        Message { id: self.msg_id.unwrap_or_default(), kind: self.kind, content, says }
    }

    fn says(&self, proof: Proof) -> Option<Says> {
        if self.test == Some(true) || concerns_us_not(&self.kind) {
            return Some(Says::Nothing);
        }
        let (order, case) = (self.kind.starts_with("trade_"), is_about_a_case(&self.kind));
        if !order && !case {
            return None;
        }
        let shop_id = self.kdt_id.clone()?;
        let msg = content(&self.msg)?;
        let about = About::deserialize(&msg).ok()?;
        let order_id = about.order_id();
        if case && let Some(after_sale_id) = about.refund_id.clone() {
            return Some(Says::Hint { shop_id, ask: Ask::AfterSale { order_id, after_sale_id } });
        }
        if proof == Proof::Body && !case {
            if about.full_order_info.is_some()
                && let Ok(fact) = order::map_record(&shop_id, &msg)
            {
                return Some(Says::Fact(Box::new(fact)));
            }
            if let (Some(order_id), Some(step), Some(at)) = (&order_id, order_step(&self.kind), about.update_time) {
                let facts = OrderFacts::reached(step, at);
                return Some(Says::Fact(Box::new(Fact::Order { key: key(&shop_id, order_id.clone()), facts })));
            }
        }
        // `id` names the order where the message itself does not.
        let order_id = order_id.or_else(|| self.id.clone().filter(|_| !case))?;
        Some(Says::Hint { shop_id, ask: Ask::Order { order_id } })
    }
}

/// Two families: the older with the prefix of orders, the newer with one of its own.
fn is_about_a_case(kind: &str) -> bool {
    kind.starts_with("trade_refund_") || kind.starts_with("youzan_trade_Refund")
}

/// Goods, points and customers have their own messages; a seller's memo changes nothing here.
fn concerns_us_not(kind: &str) -> bool {
    let families = ["ITEM_", "youzan_item_", "POINTS", "SCRM_"];
    kind == "trade_TradeMemoModified" || families.iter().any(|family| kind.starts_with(family))
}

/// What a message is about.
#[derive(Debug, Deserialize)]
struct About {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    tid: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    update_time: Option<UnixMs>,
    #[serde(default)]
    full_order_info: Option<FullOrder>,
}

#[derive(Debug, Deserialize)]
struct FullOrder {
    order_info: OrderId,
}

#[derive(Debug, Deserialize)]
struct OrderId {
    #[serde(deserialize_with = "lenient::id")]
    tid: String,
}

impl About {
    fn order_id(&self) -> Option<String> {
        self.tid.clone().or_else(|| Some(self.full_order_info.as_ref()?.order_info.tid.clone()))
    }
}

/// The content of `msg`: JSON that is URL-encoded, plain, or not text at all.
fn content(msg: &Value) -> Option<Value> {
    match msg {
        Value::String(text) => serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&decoded(text)).ok()),
        Value::Object(_) => Some(msg.clone()),
        _ => None,
    }
}

/// URL-decoded. Which encoder wrote it is not documented: one that writes blanks as `%20` leaves a plus alone, any other means a
/// blank by it.
fn decoded(text: &str) -> String {
    let plus = if text.contains("%20") { "%2B" } else { "+" };
    let single = text.replace('+', plus).replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(single.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn blanks_and_pluses_are_told_apart() {
        for (encoded, text) in [
            ("%7B%22tid%22%3A%22E1%22%7D", r#"{"tid":"E1"}"#),
            // As encodeURI writes it: colons, ampersands and pluses stay.
            (
                "%22at%22:%222026-02-14%2009:30:00%22,%22a%22:%22x+y&z=1%22",
                r#""at":"2026-02-14 09:30:00","a":"x+y&z=1""#,
            ),
            // As Java's URLEncoder writes it.
            ("%22at%22%3A%222026-02-14+09%3A30%3A00%22%2C%22x%2By%22", r#""at":"2026-02-14 09:30:00","x+y""#),
            ("%E8%8C%B6", "茶"),
            ("", ""),
        ] {
            assert_eq!(decoded(encoded), text);
        }
    }
}
