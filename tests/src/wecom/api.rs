//! Which API is which: the table of the calls under `/cgi-bin/`.

use axum::http::Method;
use serde_json::{Value, json};

use super::corp::Corp;
use crate::marketplace::push::Message;
use crate::wechat::Refused;
use crate::wechat::callback::Console;
use crate::wechat::service::{Api, Asked, Outbox};
use crate::wechat::tokens::Tokens;

type Work = fn(&mut Corp, &Asked) -> Result<Value, Refused>;

/// Every API that wants a token.
const APIS: &[(&str, Method, Work)] = &[
    ("externalcontact/add_contact_way", Method::POST, Corp::add_way),
    ("externalcontact/get_contact_way", Method::POST, Corp::get_way),
    ("externalcontact/list_contact_way", Method::POST, Corp::list_ways),
    ("externalcontact/update_contact_way", Method::POST, Corp::update_way),
    ("externalcontact/del_contact_way", Method::POST, Corp::delete_way),
    ("externalcontact/groupchat/add_join_way", Method::POST, Corp::add_join_way),
    ("externalcontact/groupchat/get_join_way", Method::POST, Corp::get_join_way),
    ("externalcontact/groupchat/update_join_way", Method::POST, Corp::update_join_way),
    ("externalcontact/groupchat/del_join_way", Method::POST, Corp::delete_join_way),
    ("externalcontact/groupchat/list", Method::POST, Corp::list_chats),
    ("externalcontact/groupchat/get", Method::POST, Corp::get_chat),
    ("externalcontact/send_welcome_msg", Method::POST, Corp::send_welcome),
    ("externalcontact/get", Method::GET, Corp::get_contact),
    ("externalcontact/batch/get_by_user", Method::POST, Corp::get_contacts),
    ("externalcontact/list", Method::GET, Corp::list_contacts),
    ("externalcontact/remark", Method::POST, Corp::remark),
    ("externalcontact/get_corp_tag_list", Method::POST, Corp::list_tags),
    ("externalcontact/add_corp_tag", Method::POST, Corp::add_tags),
    ("externalcontact/edit_corp_tag", Method::POST, Corp::edit_tag),
    ("externalcontact/del_corp_tag", Method::POST, Corp::delete_tags),
    ("externalcontact/mark_tag", Method::POST, Corp::mark),
    ("externalcontact/add_msg_template", Method::POST, Corp::add_broadcast),
    ("externalcontact/get_groupmsg_task", Method::POST, Corp::broadcast_tasks),
    ("externalcontact/get_groupmsg_send_result", Method::POST, Corp::broadcast_results),
    ("message/send", Method::POST, Corp::send_message),
    ("externalcontact/transfer_customer", Method::POST, Corp::transfer),
    ("externalcontact/transfer_result", Method::POST, Corp::transfer_result),
    ("externalcontact/resigned/transfer_customer", Method::POST, Corp::transfer_of_left),
    ("externalcontact/resigned/transfer_result", Method::POST, Corp::transfer_result),
];

impl Api for Corp {
    const HOOK: &'static str = "/hooks/wecom";
    const UNTRUSTED: Refused = Refused(60020, "not allow to access from your ip");

    fn console(&self) -> &Console {
        &self.console
    }

    fn console_mut(&mut self) -> &mut Console {
        &mut self.console
    }

    fn token(&self, call: &Asked, tokens: &mut Tokens) -> Option<Result<Value, Refused>> {
        if call.api != "gettoken" {
            return None;
        }
        let (corp_id, secret) = (call.parameter("corpid"), call.parameter("corpsecret"));
        Some(match () {
            () if corp_id.is_empty() => Err(Refused(41002, "corpid missing")),
            () if secret.is_empty() => Err(Refused(41004, "secret missing")),
            () if corp_id != self.settings.corp_id => Err(Refused(40013, "invalid corpid")),
            () if secret != self.settings.secret => Err(Refused(40001, "invalid credential")),
            () => {
                let (token, seconds) = tokens.fetch(secret, call.now);
                Ok(json!({ "access_token": token, "expires_in": seconds }))
            }
        })
    }

    fn method(&self, api: &str) -> Option<Method> {
        APIS.iter().find(|(name, ..)| *name == api).map(|(_, method, _)| method.clone())
    }

    fn call(&mut self, call: &Asked, _: &mut Outbox) -> Result<Value, Refused> {
        let found = APIS.iter().find(|(name, ..)| *name == call.api);
        found.map_or(Err(Refused(404, "not found")), |(.., work)| work(self, call))
    }

    fn tick(&mut self, now: i64, outbox: &mut Outbox) {
        self.finish_transfers(now, outbox);
    }

    fn sent(&mut self, message: &Message, now: i64) {
        self.welcomes.sent(&message.id, now);
    }
}
