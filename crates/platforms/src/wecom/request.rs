//! Requests to WeCom.

use http::Method;
use serde_json::{Value, json};

use super::limits::{DESCRIPTION, REMARK};
use super::message::{cut_characters, given};
use super::{AGENT_ID, Ask, CUSTOMER};
use crate::marketplace::{App, JSON, Request};

/// Where a request stands in a conversation.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// The contact's name.
    pub name: &'a str,
    /// Where the next page begins.
    pub cursor: Option<&'a str>,
}

impl Ask {
    /// The request for it, with the access token: the first of a [`super::Conversation`], if it takes several. A name is left empty.
    pub fn request(&self, app: &App, access_token: &str) -> Request {
        request(self, app, access_token, Context::default())
    }
}

/// The request for `ask`.
pub fn request(ask: &Ask, app: &App, token: &str, context: Context<'_>) -> Request {
    let Context { name, cursor } = context;
    match ask {
        Ask::AddContactWay { way } => customers("add_contact_way", token, &way.new_body()),
        Ask::UpdateContactWay { config_id, way } => {
            customers("update_contact_way", token, &way.changed_body(config_id))
        }
        Ask::DeleteContactWay { config_id } => customers("del_contact_way", token, &json!({ "config_id": config_id })),
        Ask::GetContactWay { config_id } => customers("get_contact_way", token, &json!({ "config_id": config_id })),
        Ask::AddJoinWay { way } => customers("groupchat/add_join_way", token, &way.body(None)),
        Ask::UpdateJoinWay { config_id, way } => {
            customers("groupchat/update_join_way", token, &way.body(Some(config_id)))
        }
        Ask::DeleteJoinWay { config_id } => {
            customers("groupchat/del_join_way", token, &json!({ "config_id": config_id }))
        }
        Ask::GetJoinWay { config_id } => join_way(config_id, token),
        Ask::Welcome { welcome_code, message, .. } => {
            let mut body = message.body(name);
            body["welcome_code"] = json!(welcome_code);
            customers("send_welcome_msg", token, &body)
        }
        Ask::GetContact { contact: id } => contact(id, token, cursor),
        Ask::ListContacts { staff } => {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("access_token", token)
                .append_pair("userid", staff)
                .finish();
            let path_and_query = format!("/cgi-bin/externalcontact/list?{query}");
            Request { method: Method::GET, path_and_query, content_type: JSON, body: String::new() }
        }
        Ask::SetRemark { staff, contact, remark, description } => {
            let filled = |text: &Option<String>, most| {
                text.as_ref().map(|text| cut_characters(&text.replace(CUSTOMER, name), most).to_owned())
            };
            let (remark, description) = (filled(remark, REMARK), filled(description, DESCRIPTION));
            let mut body = given([("remark", &remark), ("description", &description)]);
            body["userid"] = json!(staff);
            body["external_userid"] = json!(contact);
            customers("remark", token, &body)
        }
        Ask::MarkTags { staff, contact, add, remove } => {
            let mut body = lists([("add_tag", add), ("remove_tag", remove)]);
            body["userid"] = json!(staff);
            body["external_userid"] = json!(contact);
            customers("mark_tag", token, &body)
        }
        Ask::ListTags { tags, groups } => {
            customers("get_corp_tag_list", token, &lists([("tag_id", tags), ("group_id", groups)]))
        }
        Ask::AddTags { group_id, group_name, names } => {
            let mut body = given([("group_id", group_id), ("group_name", group_name)]);
            body["tag"] = names.iter().map(|name| json!({ "name": name })).collect();
            customers("add_corp_tag", token, &body)
        }
        Ask::EditTag { id, name } => customers("edit_corp_tag", token, &json!({ "id": id, "name": name })),
        Ask::DeleteTags { tags, groups } => {
            customers("del_corp_tag", token, &lists([("tag_id", tags), ("group_id", groups)]))
        }
        Ask::MessageContacts { contacts, sender, message } => {
            let mut body = message.body(name);
            body["chat_type"] = json!("single");
            body["external_userid"] = json!(contacts);
            if let Some(sender) = sender {
                body["sender"] = json!(sender);
            }
            customers("add_msg_template", token, &body)
        }
        Ask::MessageResults { message_id } => {
            customers("get_groupmsg_task", token, &paged(json!({ "msgid": message_id, "limit": 1000 }), cursor))
        }
        Ask::MessageStaff { staff, text, link } => {
            let agent = app.text(AGENT_ID.name);
            let body = json!({
                "touser": staff.join("|"),
                "msgtype": "text",
                "agentid": agent.parse::<i64>().map_or(json!(agent), |number| json!(number)),
                "text": { "content": staff_text(text, link.as_deref()) },
                // A try whose answer was lost is repeated within minutes; the same text later is another message.
                "enable_duplicate_check": 1,
                "duplicate_check_interval": 600,
            });
            post("/cgi-bin/message/send", token, &body)
        }
        Ask::Transfer { from, to, contacts, message, resigned } => {
            let mut body = json!({ "handover_userid": from, "takeover_userid": to, "external_userid": contacts });
            if let Some(message) = message.as_ref().filter(|_| !resigned) {
                body["transfer_success_msg"] = json!(message);
            }
            customers(if *resigned { "resigned/transfer_customer" } else { "transfer_customer" }, token, &body)
        }
        Ask::TransferResult { from, to, resigned } => {
            let body = paged(json!({ "handover_userid": from, "takeover_userid": to }), cursor);
            customers(if *resigned { "resigned/transfer_result" } else { "transfer_result" }, token, &body)
        }
        Ask::GetGroup { group } => customers("groupchat/get", token, &json!({ "chat_id": group, "need_name": 0 })),
    }
}

/// What is known of a contact.
pub fn contact(contact: &str, token: &str, cursor: Option<&str>) -> Request {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("access_token", token).append_pair("external_userid", contact);
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    Request {
        method: Method::GET,
        path_and_query: format!("/cgi-bin/externalcontact/get?{}", query.finish()),
        content_type: JSON,
        body: String::new(),
    }
}

/// How a way into groups stands.
pub fn join_way(config_id: &str, token: &str) -> Request {
    customers("groupchat/get_join_way", token, &json!({ "config_id": config_id }))
}

/// What became of a message to the contacts of one member of staff.
pub fn receipts(message_id: &str, staff: &str, token: &str, cursor: Option<&str>) -> Request {
    let body = json!({ "msgid": message_id, "userid": staff, "limit": 1000 });
    customers("get_groupmsg_send_result", token, &paged(body, cursor))
}

/// What staff read: the text, and where it leads below it.
pub fn staff_text(text: &str, link: Option<&str>) -> String {
    link.map_or_else(|| text.to_owned(), |link| format!("{text}\n<a href=\"{link}\">查看详情</a>"))
}

fn customers(call: &str, token: &str, body: &Value) -> Request {
    post(&format!("/cgi-bin/externalcontact/{call}"), token, body)
}

fn post(path: &str, token: &str, body: &Value) -> Request {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("access_token", token).finish();
    Request {
        method: Method::POST,
        path_and_query: format!("{path}?{query}"),
        content_type: JSON,
        body: body.to_string(),
    }
}

fn paged(mut body: Value, cursor: Option<&str>) -> Value {
    if let Some(cursor) = cursor {
        body["cursor"] = json!(cursor);
    }
    body
}

/// An object of those lists that are not empty.
fn lists<const N: usize>(fields: [(&str, &Vec<String>); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, list)| !list.is_empty());
    Value::Object(fields.map(|(name, list)| (name.to_owned(), json!(list))).collect())
}
