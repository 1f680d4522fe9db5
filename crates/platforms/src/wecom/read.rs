//! WeCom's answers, field by field.

mod sent;
mod tags;
mod transfer;

use domain::{Secret, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{
    Contact, ContactKind, ContactWayFound, Follow, Group, GroupMember, JoinWayFound, TagRef, WayAdded,
};
use crate::lenient;
use crate::marketplace::ApiError;
use crate::wechat::fields::Fields;

pub use self::sent::{message_id, receipts, staff_messaged, tasks};
pub use self::tags::{tag_group, tag_groups};
pub use self::transfer::{transfer_state, transferred};

/// The page after this one.
pub fn next_page(answer: &Value) -> Option<String> {
    Fields(answer).word("next_cursor")
}

pub fn way_added(answer: &Value) -> Result<WayAdded, ApiError> {
    let fields = Fields(answer);
    Ok(WayAdded { config_id: fields.word("config_id").ok_or_else(unlike)?, qr_code: fields.word("qr_code") })
}

pub fn contact_way(answer: &Value) -> Result<ContactWayFound, ApiError> {
    let way = answer.get("contact_way").ok_or_else(unlike)?;
    let fields = Fields(way);
    Ok(ContactWayFound {
        config_id: fields.word("config_id").ok_or_else(unlike)?,
        qr_code: fields.word("qr_code"),
        staff: texts(way, "user"),
        state: fields.word("state"),
        remark: fields.word("remark"),
    })
}

pub fn join_way(answer: &Value) -> Result<JoinWayFound, ApiError> {
    let way = answer.get("join_way").ok_or_else(unlike)?;
    let fields = Fields(way);
    Ok(JoinWayFound {
        config_id: fields.word("config_id").ok_or_else(unlike)?,
        qr_code: fields.word("qr_code"),
        groups: texts(way, "chat_id_list"),
        state: fields.word("state"),
        remark: fields.word("remark"),
    })
}

pub fn contact(answer: &Value) -> Result<Contact, ApiError> {
    let person = answer.get("external_contact").ok_or_else(unlike)?;
    let fields = Fields(person);
    let kind = match fields.number("type") {
        Some(1) => Some(ContactKind::Wechat),
        Some(2) => Some(ContactKind::Wecom),
        _ => None,
    };
    Ok(Contact {
        contact: fields.word("external_userid").ok_or_else(unlike)?,
        name: fields.word("name").map(Secret::new),
        union_id: fields.word("unionid"),
        kind,
        follows: list::<FollowUser>(answer, "follow_user")?.into_iter().map(Follow::from).collect(),
    })
}

#[derive(Deserialize)]
struct FollowUser {
    userid: String,
    #[serde(default)]
    remark: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    createtime: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::list")]
    tags: Vec<FollowTag>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    add_way: Option<i64>,
}

#[derive(Deserialize)]
struct FollowTag {
    #[serde(default)]
    group_name: Option<String>,
    #[serde(default)]
    tag_name: Option<String>,
    #[serde(default)]
    tag_id: Option<String>,
}

impl From<FollowUser> for Follow {
    fn from(user: FollowUser) -> Self {
        let FollowUser { userid, remark, createtime, tags, state, add_way } = user;
        let tag = |tag: FollowTag| {
            let id = tag.tag_id.filter(|id| !id.is_empty())?;
            Some(TagRef { id, name: tag.tag_name.unwrap_or_default(), group: tag.group_name.unwrap_or_default() })
        };
        Self {
            staff: userid,
            since: createtime.unwrap_or(UnixMs::EPOCH),
            remark: given(remark).map(Secret::new),
            tags: tags.into_iter().filter_map(tag).collect(),
            state: given(state),
            add_way,
        }
    }
}

pub fn group(answer: &Value) -> Result<Group, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        userid: String,
        #[serde(rename = "type", deserialize_with = "lenient::integer")]
        kind: i64,
        #[serde(default)]
        unionid: Option<String>,
        #[serde(default, deserialize_with = "lenient::optional_seconds")]
        join_time: Option<UnixMs>,
        #[serde(default, deserialize_with = "lenient::optional_integer")]
        join_scene: Option<i64>,
        #[serde(default)]
        state: Option<String>,
    }
    let chat = answer.get("group_chat").ok_or_else(unlike)?;
    let fields = Fields(chat);
    let member = |row: Row| GroupMember {
        id: row.userid,
        is_staff: row.kind == 1,
        union_id: given(row.unionid),
        joined_at: row.join_time,
        join_scene: row.join_scene,
        state: given(row.state),
    };
    Ok(Group {
        group: fields.word("chat_id").ok_or_else(unlike)?,
        name: fields.word("name"),
        owner: fields.word("owner").unwrap_or_default(),
        created_at: fields.time("create_time"),
        members: list::<Row>(chat, "member_list")?.into_iter().map(member).collect(),
        version: fields.word("member_version"),
    })
}

/// A list of texts; absent is empty.
pub fn texts(answer: &Value, name: &str) -> Vec<String> {
    let list = answer.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A list of records; absent and null are empty.
fn list<T: for<'a> Deserialize<'a>>(answer: &Value, name: &str) -> Result<Vec<T>, ApiError> {
    let rows = Option::<Vec<T>>::deserialize(answer.get(name).unwrap_or(&Value::Null)).map_err(|_| unlike())?;
    Ok(rows.unwrap_or_default())
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// An answer without what it must have.
fn unlike() -> ApiError {
    ApiError::unreadable()
}
