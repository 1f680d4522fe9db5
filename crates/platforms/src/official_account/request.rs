//! Requests to an Official Account.

use http::Method;
use serde_json::{Value, json};

use super::Ask;
use super::ask::{Content, LONGEST, MiniProgram};
use crate::marketplace::{JSON, Request};
use crate::wechat_store::api;

impl Ask {
    /// The request for it, with the access token.
    pub fn request(&self, access_token: &str) -> Request {
        match self {
            Self::CreateCode { scene, permanent, seconds } => {
                let name = if *permanent { "QR_LIMIT_STR_SCENE" } else { "QR_STR_SCENE" };
                let mut body = json!({ "action_name": name, "action_info": { "scene": { "scene_str": scene } } });
                if !permanent {
                    body["expire_seconds"] = json!(seconds.unwrap_or(LONGEST));
                }
                api::request("/cgi-bin/qrcode/create", &body, access_token)
            }
            Self::GetPerson { open_id } => {
                let query = form_urlencoded::Serializer::new(String::new())
                    .append_pair("access_token", access_token)
                    .append_pair("openid", open_id)
                    .append_pair("lang", "zh_CN")
                    .finish();
                let path_and_query = format!("/cgi-bin/user/info?{query}");
                Request { method: Method::GET, path_and_query, content_type: JSON, body: String::new() }
            }
            Self::TemplateMessage { open_id, template_id, url, mini_program, data, client_message_id } => {
                let words: serde_json::Map<String, Value> =
                    data.iter().map(|(key, text)| (key.clone(), json!({ "value": text }))).collect();
                let mut body = json!({ "touser": open_id, "template_id": template_id, "data": words });
                if let Some(url) = url {
                    body["url"] = json!(url);
                }
                if let Some(MiniProgram { app_id, page }) = mini_program {
                    body["miniprogram"] = json!({ "appid": app_id, "pagepath": page });
                }
                if let Some(id) = client_message_id {
                    body["client_msg_id"] = json!(id);
                }
                api::request("/cgi-bin/message/template/send", &body, access_token)
            }
            Self::ServiceMessage { open_id, message } => {
                let (kind, content) = message.body();
                let mut body = json!({ "touser": open_id, "msgtype": kind });
                body[kind] = content;
                api::request("/cgi-bin/message/custom/send", &body, access_token)
            }
        }
    }
}

impl Content {
    fn body(&self) -> (&'static str, Value) {
        match self {
            Self::Text { text } => ("text", json!({ "content": text })),
            Self::Image { media_id } => ("image", json!({ "media_id": media_id })),
            Self::Link { title, description, url, picture_url } => {
                let mut article = json!({ "title": title, "url": url });
                for (name, text) in [("description", description), ("picurl", picture_url)] {
                    if let Some(text) = text {
                        article[name] = json!(text);
                    }
                }
                ("news", json!({ "articles": [article] }))
            }
            Self::MiniProgram { title, app_id, page, picture_media_id } => (
                "miniprogrampage",
                json!({ "title": title, "appid": app_id, "pagepath": page, "thumb_media_id": picture_media_id }),
            ),
        }
    }
}
