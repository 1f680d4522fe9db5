//! What WeCom tells: contacts added and lost, groups, tags, and what staff write to the app.
//!
//! The merchant's own app and an app of a provider name some fields differently; both are read. What the platform was asked to do by API it does
//! not tell.

use domain::{RelationSide, Secret, UnixMs};
use serde_json::Value;

use crate::wechat::envelope;
use crate::wechat::fields::Fields;

/// A message of WeCom's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// When it happened.
    pub at: UnixMs,
    /// The company that it is about; of what concerns a provider's app as a whole, the id of the suite.
    pub corp_id: String,
    /// What it tells.
    pub notice: Notice,
}

/// What a message tells. Staff are named by their userid, contacts by their external_userid, groups by their chat id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A contact was added.
    ContactAdded {
        /// Whether the member of staff has still to confirm (the contact added one who skips verification).
        half: bool,
        /// The member of staff.
        staff: String,
        /// The contact.
        contact: String,
        /// The `state` of the contact way, or the link's `customer_channel`, by which the contact came.
        state: Option<String>,
        /// The code for one welcome within twenty seconds; absent where the console welcomes or the two chat already.
        welcome_code: Option<String>,
    },
    /// A member of staff changed a contact's remark or tags.
    ContactEdited {
        /// The member of staff.
        staff: String,
        /// The contact.
        contact: String,
        /// The `state` of the contact way by which the contact came.
        state: Option<String>,
    },
    /// A member of staff and a contact are no longer in touch.
    ContactRemoved {
        /// Whose doing it was.
        by: RelationSide,
        /// The member of staff.
        staff: String,
        /// The contact.
        contact: String,
        /// Whether the contact was handed over to another member of staff.
        by_transfer: bool,
    },
    /// A handover was not accepted.
    TransferFailed {
        /// The member of staff who was to receive the contact.
        staff: String,
        /// The contact.
        contact: String,
        /// Why: `customer_refused`, `customer_limit_exceed`.
        reason: String,
    },
    /// A group of customers was made.
    GroupCreated {
        /// The group.
        group: String,
    },
    /// A group of customers changed.
    GroupChanged {
        /// The group.
        group: String,
        /// What changed: `add_member`, `del_member`, `change_owner`, `change_name`, `change_notice`.
        detail: String,
        /// Members who came, staff and contacts alike; empty where the platform does not name them.
        joined: Vec<String>,
        /// Members who left.
        left: Vec<String>,
        /// How they came: 0 invited by a member, 3 by a code. Only where members came.
        join_scene: Option<i64>,
        /// How they left: 0 by themselves, 1 removed. Only where members left.
        quit_scene: Option<i64>,
        /// The version of the list of members after the change.
        member_version: Option<String>,
        /// The version before: who holds another one has missed something and asks for the whole group.
        last_member_version: Option<String>,
    },
    /// A group of customers was dissolved.
    GroupDismissed {
        /// The group.
        group: String,
    },
    /// The company's tags changed.
    TagsChanged {
        /// The tag or the group of tags; absent where the order of all groups changed.
        id: Option<String>,
        /// Whether `id` is a group of tags.
        group: bool,
        /// What: `create`, `update`, `delete`, `shuffle`.
        change: String,
    },
    /// A member of staff wrote to the app.
    Message {
        /// The member of staff.
        staff: String,
        /// The kind of message: `text`, `image`, `voice`, `location`.
        form: String,
        /// What it says, where it says something in words. Personal data.
        text: Option<Secret<String>>,
        /// WeCom's id of the message.
        id: Option<String>,
    },
    /// Something else, or something that lacks what its kind must have.
    Other {
        /// The platform's words for it: event and kind of change, joined by a dot.
        kind: String,
    },
}

/// Reads a message that was opened ([`crate::wechat::Call::Message`]). None: it is not of WeCom's form.
pub fn read(text: &str) -> Option<Received> {
    let message = envelope::read(text)?;
    let fields = Fields(&message);
    let at = fields.time("CreateTime").or_else(|| fields.time("TimeStamp"))?;
    let corp_id = fields.first(&["ToUserName", "AuthCorpId", "SuiteId"])?;
    let event = fields.first(&["InfoType", "Event"]);
    let notice = match (event, fields.word("MsgType")) {
        (Some(event), _) => {
            let change = fields.word("ChangeType");
            let kind = [Some(event.clone()), change.clone()].into_iter().flatten().collect::<Vec<_>>().join(".");
            notice(&event, change.as_deref().unwrap_or_default(), fields).unwrap_or(Notice::Other { kind })
        }
        (None, Some(form)) => written(fields, form.clone()).unwrap_or(Notice::Other { kind: form }),
        (None, None) => return None,
    };
    Some(Received { at, corp_id, notice })
}

fn notice(event: &str, change: &str, fields: Fields<'_>) -> Option<Notice> {
    match event {
        "change_external_contact" => contact(change, fields),
        "change_external_chat" => group(change, fields),
        "change_external_tag" if !change.is_empty() => Some(Notice::TagsChanged {
            id: fields.word("Id"),
            // What is shuffled are a group's tags, and the group is what is named.
            group: change == "shuffle" || fields.word("TagType").as_deref() == Some("tag_group"),
            change: change.to_owned(),
        }),
        _ => None,
    }
}

fn contact(change: &str, fields: Fields<'_>) -> Option<Notice> {
    let removed = |by, by_transfer| {
        let (staff, contact) = pair(fields)?;
        Some(Notice::ContactRemoved { by, staff, contact, by_transfer })
    };
    match change {
        "add_external_contact" | "add_half_external_contact" => {
            let (staff, contact) = pair(fields)?;
            let (state, welcome_code) = (fields.word("State"), fields.word("WelcomeCode"));
            Some(Notice::ContactAdded { half: change.contains("half"), staff, contact, state, welcome_code })
        }
        "edit_external_contact" => {
            let (staff, contact) = pair(fields)?;
            Some(Notice::ContactEdited { staff, contact, state: fields.word("State") })
        }
        "del_external_contact" => {
            removed(RelationSide::Staff, fields.word("Source").as_deref() == Some("DELETE_BY_TRANSFER"))
        }
        "del_follow_user" => removed(RelationSide::Customer, false),
        "transfer_fail" => {
            let (staff, contact) = pair(fields)?;
            Some(Notice::TransferFailed { staff, contact, reason: fields.word("FailReason").unwrap_or_default() })
        }
        _ => None,
    }
}

fn pair(fields: Fields<'_>) -> Option<(String, String)> {
    Some((fields.word("UserID")?, fields.word("ExternalUserID")?))
}

fn group(change: &str, fields: Fields<'_>) -> Option<Notice> {
    let group = fields.word("ChatId")?;
    match change {
        "create" => Some(Notice::GroupCreated { group }),
        "dismiss" => Some(Notice::GroupDismissed { group }),
        "update" => {
            let detail = fields.word("UpdateDetail").unwrap_or_default();
            let members = fields.0.get("MemChangeList").map(members).unwrap_or_default();
            // The scenes are sent with every change, as zeros where they mean nothing.
            let (comes, goes) = (detail == "add_member", detail == "del_member");
            let scene = |name, meant: bool| fields.number(name).filter(|_| meant);
            Some(Notice::GroupChanged {
                group,
                joined: if comes { members.clone() } else { Vec::new() },
                left: if goes { members } else { Vec::new() },
                join_scene: scene("JoinScene", comes),
                quit_scene: scene("QuitScene", goes),
                member_version: fields.word("CurMemVer"),
                last_member_version: fields.word("LastMemVer"),
                detail,
            })
        }
        _ => None,
    }
}

/// Items of their own, or text with commas, as older clients write it.
fn members(list: &Value) -> Vec<String> {
    match list {
        Value::String(text) => text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect(),
        Value::Array(items) => items.iter().flat_map(members).collect(),
        Value::Object(fields) => fields.get("Item").map(members).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn written(fields: Fields<'_>, form: String) -> Option<Notice> {
    let staff = fields.word("FromUserName").filter(|_| form != "event")?;
    let text = fields.first(&["Content", "Recognition"]).map(Secret::new);
    Some(Notice::Message { staff, form, text, id: fields.word("MsgId") })
}
