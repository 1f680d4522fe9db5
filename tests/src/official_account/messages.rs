//! Messages from the account to people: by template (模板消息) at any time, by customer service (客服消息) for a while after the
//! person did something.

use serde_json::{Value, json};

use super::account::Account;
use crate::wechat::service::{Asked, Outbox};
use crate::wechat::{Refused, text};

const NOT_FOLLOWING: Refused = Refused(43004, "require subscribe");
const NO_TEMPLATE: Refused = Refused(40037, "invalid template_id");
const NO_DATA: Refused = Refused(47001, "data format error");
const WRONG_TYPE: Refused = Refused(40008, "invalid message type");
const EMPTY: Refused = Refused(44004, "empty content");
const TOO_LONG: Refused = Refused(45002, "content size out of limit");
const TOO_LATE: Refused = Refused(45015, "response out of time limit or subscription is canceled");
const TOO_MANY: Refused = Refused(45047, "out of response count limit");
/// So long a repeated `client_msg_id` is the same message, in ms.
const SAME: i64 = 600_000;
const TEXT: usize = 2048;

/// A template message that was sent.
#[derive(Clone, Debug)]
pub struct TemplateMessage {
    /// The person.
    pub openid: String,
    /// Its number.
    pub msgid: u64,
    /// The whole call.
    pub message: Value,
    /// When, Unix ms.
    pub at: i64,
    /// Whether the person got it.
    pub is_delivered: bool,
}

/// A customer-service message that was sent.
#[derive(Clone, Debug)]
pub struct CustomMessage {
    /// The person.
    pub openid: String,
    /// The whole call.
    pub message: Value,
    /// When, Unix ms.
    pub at: i64,
}

impl Account {
    pub(super) fn send_template(&mut self, call: &Asked, outbox: &mut Outbox) -> Result<Value, Refused> {
        let body = &call.body;
        let openid = text(&body["touser"]);
        let fan = self.fan(openid)?;
        if !self.settings.templates.iter().any(|template| *template == text(&body["template_id"])) {
            return Err(NO_TEMPLATE);
        }
        if !body["data"].is_object() {
            return Err(NO_DATA);
        }
        if !fan.is_subscribed {
            return Err(NOT_FOLLOWING);
        }
        let is_delivered = !fan.blocks;
        let own = text(&body["client_msg_id"]);
        let is_same = |sent: &&TemplateMessage| {
            !own.is_empty()
                && sent.message["client_msg_id"] == own
                && sent.openid == openid
                && call.now - sent.at < SAME
        };
        if let Some(sent) = self.templates.iter().find(is_same) {
            return Ok(json!({ "msgid": sent.msgid }));
        }
        let msgid = self.number();
        let openid = openid.to_owned();
        let status = if is_delivered { "success" } else { "failed:user block" };
        let event = json!({ "MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": msgid, "Status": status });
        self.tell(outbox, &openid, "TEMPLATESENDJOBFINISH", call.now, event);
        self.templates.push(TemplateMessage { openid, msgid, message: body.clone(), at: call.now, is_delivered });
        Ok(json!({ "msgid": msgid }))
    }

    pub(super) fn send_custom(&mut self, call: &Asked) -> Result<Value, Refused> {
        let body = &call.body;
        let openid = text(&body["touser"]);
        self.fan(openid)?;
        let kind = text(&body["msgtype"]);
        let known = [
            "text",
            "image",
            "voice",
            "video",
            "music",
            "news",
            "mpnewsarticle",
            "msgmenu",
            "wxcard",
            "miniprogrampage",
        ];
        if !known.contains(&kind) || !body[kind].is_object() {
            return Err(WRONG_TYPE);
        }
        if kind == "text" {
            match text(&body["text"]["content"]).len() {
                0 => return Err(EMPTY),
                1..=TEXT => {}
                _ => return Err(TOO_LONG),
            }
        }
        let fan = self.fans.get_mut(openid).filter(|fan| fan.is_subscribed).ok_or(TOO_LATE)?;
        let (_, left) = fan.open.as_mut().filter(|(until, _)| call.now < *until).ok_or(TOO_LATE)?;
        *left = left.checked_sub(1).ok_or(TOO_MANY)?;
        self.messages.push(CustomMessage { openid: openid.to_owned(), message: body.clone(), at: call.now });
        Ok(json!({}))
    }
}
