//! The message queue (TMC), read by polling: `taobao.tmc.messages.consume` and `taobao.tmc.messages.confirm`. What is not
//! confirmed comes again. Sellers are let in by `taobao.tmc.user.permit`, once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::MESSAGE_GROUP;
use super::api::Call;
use crate::lenient::{self, json_text};
use crate::marketplace::{App, Ask, MapError, Message, Says};

/// What asks for the next messages, up to 100 (the platform allows 10 to 200).
pub(super) fn consume(app: &App) -> Call {
    Call::new("taobao.tmc.messages.consume", [("group_name", group(app)), ("quantity", "100")])
}

/// What confirms messages.
pub(super) fn confirm(app: &App, message_ids: &[String]) -> Call {
    let ids = message_ids.join(",");
    Call::new("taobao.tmc.messages.confirm", [("group_name", group(app)), ("s_message_ids", &ids)])
}

fn group(app: &App) -> &str {
    match app.text(MESSAGE_GROUP.name) {
        "" => "default",
        group => group,
    }
}

#[derive(Deserialize)]
struct Batch {
    /// Absent where the queue is empty.
    #[serde(default)]
    messages: Option<Messages>,
}

#[derive(Deserialize)]
struct Messages {
    #[serde(default)]
    tmc_message: Vec<TmcMessage>,
}

#[derive(Deserialize)]
struct TmcMessage {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(default)]
    topic: String,
    /// JSON inside a text.
    #[serde(default)]
    content: Value,
    /// The seller: the numeric id, and the nickname where there is none.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    user_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    user_nick: Option<String>,
}

/// The messages in an answer to [`consume`].
pub(super) fn read(answer: &Value) -> Result<Vec<Message>, MapError> {
    let messages = Batch::deserialize(answer)?.messages.map(|messages| messages.tmc_message).unwrap_or_default();
    Ok(messages.into_iter().map(message).collect())
}

fn message(message: TmcMessage) -> Message {
    let says = says(&message).unwrap_or(Says::NotUnderstood);
    let content = json!([message.topic, message.content]).to_string();
    Message { id: message.id, kind: message.topic, content, says }
}

/// Topics by which nothing about an order changes that is kept here: ratings, notes, reminders.
const IDLE: [&str; 4] = ["TradeRated", "TradeMemoModified", "TradeTimeoutRemind", "TradeDelayConfirmPay"];

#[derive(Deserialize)]
struct Content {
    #[serde(deserialize_with = "lenient::id")]
    tid: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_id: Option<String>,
}

/// What a message means; nothing where its kind is unknown, or it lacks what its kind must have.
fn says(message: &TmcMessage) -> Option<Says> {
    let (domain, event) = message.topic.rsplit_once('_')?;
    if !matches!(domain, "taobao_trade" | "taobao_refund") {
        return None;
    }
    if IDLE.contains(&event) {
        return Some(Says::Nothing);
    }
    let shop_id = message.user_id.clone().or_else(|| message.user_nick.clone())?;
    let content = Content::deserialize(&*json_text(&message.content).ok()?).ok()?;
    let ask = match domain {
        "taobao_trade" => Ask::Order { order_id: content.tid },
        _ => Ask::AfterSale { order_id: Some(content.tid), after_sale_id: content.refund_id? },
    };
    Some(Says::Hint { shop_id, ask })
}
