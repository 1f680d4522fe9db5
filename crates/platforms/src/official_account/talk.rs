//! A conversation with an Official Account: one request and its answer.

use serde_json::Value;

use super::{Answer, Ask, refusal};
use crate::marketplace::{ApiError, App, Request};
use crate::wechat::fields::Fields;
use crate::wechat::talk::Talk;

/// What is under way about one [`Ask`].
#[derive(Clone, Debug)]
pub struct Conversation(pub Ask);

/// The platform knows the id of ours: the message was sent already.
const SENT_ALREADY: i64 = 45_065;

impl Talk for Conversation {
    type Answer = Answer;

    fn request(&self, _: &App, access_token: &str) -> Request {
        self.0.request(access_token)
    }

    fn hear(&mut self, body: &[u8]) -> Result<Option<Answer>, ApiError> {
        let (code, value) = refusal::read(body)?;
        match (&self.0, code) {
            (ask, 0) => read(ask, &value).map(Some).ok_or_else(ApiError::unreadable),
            (Ask::TemplateMessage { .. }, SENT_ALREADY) => Ok(Some(Answer::Sent { message_id: None })),
            (_, code) => Err(refusal::error(code, &value)),
        }
    }
}

fn read(ask: &Ask, value: &Value) -> Option<Answer> {
    let fields = Fields(value);
    Some(match ask {
        Ask::CreateCode { .. } => Answer::CodeCreated {
            ticket: fields.word("ticket")?,
            url: fields.word("url")?,
            expires_in: fields.number("expire_seconds"),
        },
        Ask::GetPerson { open_id } => Answer::Person {
            open_id: open_id.clone(),
            subscribed: fields.number("subscribe")? == 1,
            union_id: fields.word("unionid"),
            subscribed_at: fields.time("subscribe_time"),
            subscribed_by: fields.word("subscribe_scene"),
            scene: fields.word("qr_scene_str"),
        },
        // Such answers say that all went well.
        Ask::TemplateMessage { .. } | Ask::ServiceMessage { .. } => {
            fields.number("errcode")?;
            Answer::Sent { message_id: fields.word("msgid") }
        }
    })
}
