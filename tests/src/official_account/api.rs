//! Which API is which: the calls under `/cgi-bin/`, and what becomes of callbacks.

use anyhow::Result;
use axum::http::Method;
use serde_json::{Value, json};

use super::account::{Account, Reply};
use crate::marketplace::push::Message;
use crate::wechat::callback::Console;
use crate::wechat::service::{Api, Asked, Outbox};
use crate::wechat::tokens::{OVERLAP, Tokens};
use crate::wechat::{Refused, text};

const APIS: &[(&str, Method)] = &[
    ("qrcode/create", Method::POST),
    ("user/info", Method::GET),
    ("message/template/send", Method::POST),
    ("message/custom/send", Method::POST),
];

impl Api for Account {
    const HOOK: &'static str = "/hooks/official-account";
    const UNTRUSTED: Refused = Refused(40164, "invalid ip, not in whitelist");

    fn console(&self) -> &Console {
        &self.console
    }

    fn console_mut(&mut self) -> &mut Console {
        &mut self.console
    }

    /// The old call gives a new token each time, and the one before dies soon; the stable one gives the same to all.
    fn token(&self, call: &Asked, tokens: &mut Tokens) -> Option<Result<Value, Refused>> {
        let (grant, app_id, secret) = match call.api.as_str() {
            "token" => (call.parameter("grant_type"), call.parameter("appid"), call.parameter("secret")),
            "stable_token" if call.method != Method::POST => return Some(Err(Refused(43002, "require POST method"))),
            "stable_token" => {
                let body = &call.body;
                (text(&body["grant_type"]), text(&body["appid"]), text(&body["secret"]))
            }
            _ => return None,
        };
        Some(match () {
            () if grant != "client_credential" => Err(Refused(40002, "invalid grant_type")),
            () if app_id.is_empty() => Err(Refused(41002, "appid missing")),
            () if secret.is_empty() => Err(Refused(41004, "appsecret missing")),
            () if app_id != self.settings.app_id => Err(Refused(40013, "invalid appid")),
            () if secret != self.settings.secret => Err(Refused(40125, "invalid appsecret")),
            () => {
                let (token, seconds) = match (call.api.as_str(), &call.body["force_refresh"]) {
                    ("token", _) => tokens.renew("token", call.now, OVERLAP),
                    (_, Value::Bool(true)) => tokens.renew("stable", call.now, 0),
                    _ => tokens.fetch("stable", call.now),
                };
                Ok(json!({ "access_token": token, "expires_in": seconds }))
            }
        })
    }

    fn method(&self, api: &str) -> Option<Method> {
        APIS.iter().find(|(name, _)| *name == api).map(|(_, method)| method.clone())
    }

    fn call(&mut self, call: &Asked, outbox: &mut Outbox) -> Result<Value, Refused> {
        match call.api.as_str() {
            "qrcode/create" => self.create_code(call),
            "user/info" => self.user_info(call),
            "message/template/send" => self.send_template(call, outbox),
            _ => self.send_custom(call),
        }
    }

    /// Whoever has written something sees the reply, or that the account does not work.
    fn answered(&mut self, message: &Message, reply: Result<Option<String>>) {
        let openid = text(&message.content["FromUserName"]).to_owned();
        match reply {
            Ok(Some(xml)) => self.replies.push(Reply { openid, xml }),
            Ok(None) => {}
            Err(_) => self.annoyed.push(openid),
        }
    }
}
