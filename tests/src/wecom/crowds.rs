//! What people do in customer groups: make, join, leave and dissolve them. It is told to the application by the next
//! [`Wecom::deliver`].

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Wecom;
use super::corp::Corp;
use super::groups::{Chat, ChatMember, JoinWay};
use super::people::possible;
use crate::wechat::people::{Person, digest};
use crate::wechat::service::Outbox;

const CHAT: &str = "change_external_chat";

/// What came of joining a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The group.
    pub chat_id: String,
    /// Whether the group was made for this.
    pub is_new: bool,
}

impl Wecom {
    /// A member makes a customer group. Returns its `chat_id`.
    ///
    /// # Errors
    /// When there is no such member.
    pub fn create_group(&self, owner: &str, name: &str) -> Result<String> {
        self.with(|corp, outbox, now| {
            possible(corp.member(owner))?;
            Ok(corp.create_chat(outbox, owner, name, now))
        })
    }

    /// A person joins by a join way (named by state or config_id): the first of its groups that has room. Where none has, a new
    /// one is made if the way says so.
    ///
    /// # Errors
    /// When no such way is in use, or all of its groups are full.
    pub fn join_group(&self, way: &str, person: &Person) -> Result<Joined> {
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            let fits = |found: &&JoinWay| found.is_live && (found.config_id == way || found.state == way);
            let way = corp.join_ways.values().find(fits).with_context(|| format!("no join way {way}"))?.clone();
            let most = corp.settings.group_size;
            let chats = || way.chats.iter().filter_map(|id| corp.chats.get(id)).filter(|chat| !chat.is_dismissed);
            if let Some(there) = chats().find(|chat| chat.members.iter().any(|member| member.id == external)) {
                return Ok(Joined { chat_id: there.chat_id.clone(), is_new: false });
            }
            let open = chats().find(|chat| chat.members.len() < most).map(|chat| chat.chat_id.clone());
            let last = chats().next_back().map(|chat| chat.owner.clone());
            let (chat_id, is_new) = match (open, last) {
                (Some(chat_id), _) => (chat_id, false),
                (None, Some(owner)) if way.makes_groups => {
                    let name = format!("{}{}", way.room_name, way.room_number);
                    let chat_id = corp.create_chat(outbox, &owner, &name, now);
                    if let Some(way) = corp.join_ways.get_mut(&way.config_id) {
                        way.room_number += 1;
                        way.chats.push(chat_id.clone());
                        way.history.push((now, way.chats.clone()));
                    }
                    (chat_id, true)
                }
                _ => anyhow::bail!("all groups of the way are full"),
            };
            let state = way.state;
            let member = ChatMember { id: external.clone(), is_external: true, joined: now, scene: 3, state };
            let detail = json!({ "UpdateDetail": "add_member", "JoinScene": 3, "QuitScene": 0 });
            corp.change_chat(outbox, &chat_id, &external, detail, now, |members| members.push(member));
            Ok(Joined { chat_id, is_new })
        })
    }

    /// A person leaves a group.
    ///
    /// # Errors
    /// When the person is not in it.
    pub fn leave_group(&self, chat_id: &str, person: &Person) -> Result<()> {
        self.quit(chat_id, person, 0)
    }

    /// The owner, or an admin, removes a person from a group.
    ///
    /// # Errors
    /// When the person is not in it.
    pub fn remove_from_group(&self, chat_id: &str, person: &Person) -> Result<()> {
        self.quit(chat_id, person, 1)
    }

    fn quit(&self, chat_id: &str, person: &Person, scene: i64) -> Result<()> {
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            let chat = corp.chats.get(chat_id).context("no such group")?;
            ensure!(chat.members.iter().any(|member| member.id == external), "not in the group");
            let detail = json!({ "UpdateDetail": "del_member", "JoinScene": 0, "QuitScene": scene });
            corp.change_chat(outbox, chat_id, &external, detail, now, |members| {
                members.retain(|member| member.id != external);
            });
            Ok(())
        })
    }

    /// The owner dissolves a group.
    ///
    /// # Errors
    /// When there is no such group.
    pub fn dismiss_group(&self, chat_id: &str) -> Result<()> {
        self.with(|corp, outbox, now| {
            corp.chats.get_mut(chat_id).context("no such group")?.is_dismissed = true;
            corp.tell(outbox, CHAT, "dismiss", now, json!({ "ChatId": chat_id }));
            Ok(())
        })
    }
}

impl Corp {
    fn create_chat(&mut self, outbox: &mut Outbox, owner: &str, name: &str, now: i64) -> String {
        let chat_id = self.id("wr");
        let member =
            ChatMember { id: owner.to_owned(), is_external: false, joined: now, scene: 1, state: String::new() };
        let chat = Chat {
            chat_id: chat_id.clone(),
            name: name.to_owned(),
            owner: owner.to_owned(),
            created: now,
            version: digest(&[&chat_id, "0"], 32),
            members: vec![member],
            is_dismissed: false,
        };
        self.chats.insert(chat_id.clone(), chat);
        self.tell(outbox, CHAT, "create", now, json!({ "ChatId": chat_id }));
        chat_id
    }

    fn change_chat(
        &mut self,
        outbox: &mut Outbox,
        chat_id: &str,
        who: &str,
        mut detail: Value,
        now: i64,
        change: impl FnOnce(&mut Vec<ChatMember>),
    ) {
        let Some(chat) = self.chats.get_mut(chat_id) else { return };
        change(&mut chat.members);
        let after = digest(&[&chat.version, who], 32);
        let before = std::mem::replace(&mut chat.version, after.clone());
        detail["ChatId"] = chat_id.into();
        detail["MemChangeCnt"] = 1.into();
        detail["MemChangeList"] = json!({ "Item": [who] });
        detail["LastMemVer"] = before.into();
        detail["CurMemVer"] = after.into();
        self.tell(outbox, CHAT, "update", now, detail);
    }
}
