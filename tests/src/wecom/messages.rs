//! App messages to members (应用消息).

use serde_json::{Value, json};

use super::corp::Corp;
use super::fields::BAD;
use crate::wechat::service::Asked;
use crate::wechat::{Refused, text};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Messages to one member in an hour.
const PER_HOUR: usize = 1000;

/// A message to one member.
#[derive(Clone, Debug)]
pub struct AppMessage {
    /// The member.
    pub userid: String,
    /// The whole call.
    pub message: Value,
    /// When, Unix ms.
    pub at: i64,
    /// False where the platform dropped it silently, because the member had too many or the same just before.
    pub is_delivered: bool,
}

impl Corp {
    pub(super) fn send_message(&mut self, call: &Asked) -> Result<Value, Refused> {
        let body = &call.body;
        let kind = text(&body["msgtype"]);
        if kind.is_empty() || !body[kind].is_object() {
            return Err(Refused(40008, "invalid message type"));
        }
        match (body["agentid"].as_i64().map(|id| id.to_string()), text(&body["agentid"])) {
            (None, "") => return Err(Refused(41011, "missing agentid")),
            (Some(id), _) if id == self.settings.agent_id => {}
            (None, id) if id == self.settings.agent_id => {}
            _ => return Err(Refused(40056, "invalid agentid")),
        }
        if kind == "text" {
            match text(&body["text"]["content"]).len() {
                0 => return Err(Refused(44004, "text content is empty")),
                1..=2048 => {}
                _ => return Err(Refused(45002, "content size out of limit")),
            }
        }
        let named: Vec<&str> = text(&body["touser"]).split('|').filter(|name| !name.is_empty()).collect();
        if named.len() > 1000 {
            return Err(Refused(40032, "invalid userid list size"));
        }
        if named.is_empty() && text(&body["toparty"]).is_empty() && text(&body["totag"]).is_empty() {
            return Err(BAD);
        }
        let all = named == ["@all"];
        let (known, unknown): (Vec<String>, Vec<String>) = if all {
            (self.members.keys().cloned().collect(), Vec::new())
        } else {
            named.into_iter().map(str::to_owned).partition(|name| self.members.contains_key(name))
        };
        if known.is_empty() {
            return Err(Refused(81013, "user & party & tag all invalid"));
        }
        let again = match (body["enable_duplicate_check"].as_i64(), body["duplicate_check_interval"].as_i64()) {
            (Some(1), seconds) => seconds.unwrap_or(1800).min(4 * 3600) * 1000,
            _ => 0,
        };
        for userid in known {
            let to_them = |within: i64| {
                let recent = self.messages.iter().rev().take_while(move |message| message.at > call.now - within);
                recent.filter(|message| message.userid == userid && message.is_delivered)
            };
            let is_same = |message: &AppMessage| message.message[kind] == body[kind];
            let is_delivered = to_them(MINUTE).count() < self.settings.messages_per_minute
                && to_them(HOUR).count() < PER_HOUR
                && !to_them(again).any(is_same);
            self.messages.push(AppMessage { userid, message: body.clone(), at: call.now, is_delivered });
        }
        let id = self.id("msg");
        Ok(json!({ "invaliduser": unknown.join("|"), "invalidparty": "", "invalidtag": "", "msgid": id }))
    }
}
