//! Customer groups (客户群), and the join ways (加入群聊) that lead into a chain of them.

use serde_json::{Value, json};

use super::corp::Corp;
use super::fields::{BAD, limit, short};
use super::ways::TOO_MANY_WAYS;
use crate::wechat::service::Asked;
use crate::wechat::{Refused, page, text, texts};

const NO_CHAT: Refused = Refused(40050, "chatid not exist");
const TOO_MANY_CHATS: Refused = Refused(41091, "join way chat count exceed limit");
const WRONG_ID: Refused = Refused(40058, "invalid config_id");

/// A customer group.
#[derive(Clone, Debug)]
pub struct Chat {
    /// Its number.
    pub chat_id: String,
    /// Its name.
    pub name: String,
    /// The member whose group it is.
    pub owner: String,
    /// Since when, Unix ms.
    pub created: i64,
    /// Who is in it, the owner first.
    pub members: Vec<ChatMember>,
    /// Changes with the members.
    pub version: String,
    /// Whether it was dissolved.
    pub is_dismissed: bool,
}

/// Somebody in a customer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMember {
    /// userid or external_userid.
    pub id: String,
    /// Whether it is a customer.
    pub is_external: bool,
    /// When, Unix ms.
    pub joined: i64,
    /// 1 invited by a member, 2 by a link, 3 by a code.
    pub scene: i64,
    /// The state of the join way; empty without one.
    pub state: String,
}

/// A join way, as it stands.
#[derive(Clone, Debug)]
pub struct JoinWay {
    /// Its number.
    pub config_id: String,
    /// What the group's record tells of those who came by it.
    pub state: String,
    /// The groups, first to last.
    pub chats: Vec<String>,
    /// Whether a new group is made when all are full.
    pub makes_groups: bool,
    /// Whether it has not been deleted.
    pub is_live: bool,
    /// The groups as first set and after every change: since when (Unix ms), and which.
    pub history: Vec<(i64, Vec<String>)>,
    pub(super) scene: i64,
    pub(super) remark: String,
    pub(super) room_name: String,
    pub(super) room_number: i64,
}

impl Corp {
    pub(super) fn add_join_way(&mut self, call: &Asked) -> Result<Value, Refused> {
        let mut way = self.join_way_of(&call.body, call.now)?;
        if self.used_ways() >= self.settings.ways {
            return Err(TOO_MANY_WAYS);
        }
        way.config_id = self.id("jw");
        let answer = json!({ "config_id": way.config_id });
        self.join_ways.insert(way.config_id.clone(), way);
        Ok(answer)
    }

    /// All fields are set anew.
    pub(super) fn update_join_way(&mut self, call: &Asked) -> Result<Value, Refused> {
        let before = self.live_join_way(&call.body)?.clone();
        let mut way = self.join_way_of(&call.body, call.now)?;
        way.config_id = before.config_id;
        way.history = [before.history, way.history].concat();
        self.join_ways.insert(way.config_id.clone(), way);
        Ok(json!({}))
    }

    pub(super) fn get_join_way(&mut self, call: &Asked) -> Result<Value, Refused> {
        let way = self.live_join_way(&call.body)?;
        let mut record = json!({
            "config_id": way.config_id, "type": 2, "scene": way.scene, "remark": way.remark,
            "auto_create_room": i64::from(way.makes_groups), "chat_id_list": way.chats, "state": way.state,
            "qr_code": format!("https://wework.qpic.cn/wwpic/{}/0", way.config_id),
        });
        if way.makes_groups {
            record["room_base_name"] = way.room_name.clone().into();
            record["room_base_id"] = way.room_number.into();
        }
        Ok(json!({ "join_way": record }))
    }

    pub(super) fn delete_join_way(&mut self, call: &Asked) -> Result<Value, Refused> {
        let id = self.live_join_way(&call.body)?.config_id.clone();
        if let Some(way) = self.join_ways.get_mut(&id) {
            way.is_live = false;
        }
        Ok(json!({}))
    }

    pub(super) fn list_chats(&mut self, call: &Asked) -> Result<Value, Refused> {
        let limit = limit(&call.body["limit"], 1000)?;
        if call.body["limit"].is_null() {
            return Err(BAD);
        }
        let owners = texts(&call.body["owner_filter"]["userid_list"], BAD)?;
        if owners.len() > 100 {
            return Err(BAD);
        }
        for owner in &owners {
            self.member(owner)?;
        }
        let listed = self.chats.values().filter(|chat| !chat.is_dismissed);
        let mut chats: Vec<_> = listed.filter(|chat| owners.is_empty() || owners.contains(&chat.owner)).collect();
        chats.sort_by_key(|chat| (chat.created, &chat.chat_id));
        let list = chats.into_iter().map(|chat| json!({ "chat_id": chat.chat_id, "status": 0 })).collect();
        let (list, next): (Vec<Value>, _) = page(list, &call.body["cursor"], limit, BAD)?;
        let mut answer = json!({ "group_chat_list": list });
        if !next.is_empty() {
            answer["next_cursor"] = next.into();
        }
        Ok(answer)
    }

    pub(super) fn get_chat(&mut self, call: &Asked) -> Result<Value, Refused> {
        let chat = self.chats.get(text(&call.body["chat_id"])).filter(|chat| !chat.is_dismissed).ok_or(NO_CHAT)?;
        let with_names = call.body["need_name"] == 1;
        let members = chat.members.iter().map(|member| {
            let person = self.people.get(&member.id);
            let kind = if member.is_external { 2 } else { 1 };
            let mut record = json!({
                "userid": member.id, "type": kind, "join_time": member.joined / 1000, "join_scene": member.scene,
            });
            if member.is_external {
                record["state"] = member.state.clone().into();
                if let Some(unionid) = person.and_then(|person| person.unionid.clone()) {
                    record["unionid"] = unionid.into();
                }
            }
            if with_names {
                record["name"] = person.map_or(member.id.as_str(), |person| &person.name).into();
            }
            record
        });
        let record = json!({
            "chat_id": chat.chat_id, "name": chat.name, "owner": chat.owner, "create_time": chat.created / 1000,
            "member_list": members.collect::<Vec<_>>(), "admin_list": [], "member_version": chat.version,
        });
        Ok(json!({ "group_chat": record }))
    }

    fn live_join_way(&self, body: &Value) -> Result<&JoinWay, Refused> {
        self.join_ways.get(text(&body["config_id"])).filter(|way| way.is_live).ok_or(WRONG_ID)
    }

    fn join_way_of(&self, body: &Value, now: i64) -> Result<JoinWay, Refused> {
        let scene = body["scene"].as_i64().filter(|scene| matches!(scene, 1 | 2)).ok_or(BAD)?;
        let chats = texts(&body["chat_id_list"], BAD)?;
        if chats.len() > 5 {
            return Err(TOO_MANY_CHATS);
        }
        let is_there = |id: &String| self.chats.get(id).is_some_and(|chat| !chat.is_dismissed);
        if chats.is_empty() || !chats.iter().all(is_there) {
            return Err(NO_CHAT);
        }
        Ok(JoinWay {
            config_id: String::new(),
            state: short(&body["state"], 30)?,
            history: vec![(now, chats.clone())],
            chats,
            makes_groups: body["auto_create_room"].as_i64().unwrap_or(1) == 1,
            is_live: true,
            scene,
            remark: short(&body["remark"], 30)?,
            room_name: short(&body["room_base_name"], 40)?,
            room_number: body["room_base_id"].as_i64().unwrap_or(1),
        })
    }
}
