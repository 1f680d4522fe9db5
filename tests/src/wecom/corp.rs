//! All that the corp has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::broadcasts::Broadcast;
use super::contacts::Follow;
use super::fields::NO_MEMBER;
use super::groups::{Chat, JoinWay};
use super::messages::AppMessage;
use super::settings::Settings;
use super::tags::Tags;
use super::transfers::Transfer;
use super::ways::Way;
use super::welcomes::Welcomes;
use crate::wechat::Refused;
use crate::wechat::callback::Console;
use crate::wechat::people::{Person, digest};
use crate::wechat::service::Outbox;

/// A corp.
pub struct Corp {
    pub(super) settings: Settings,
    pub(super) console: Console,
    pub(super) members: BTreeMap<String, Member>,
    /// Members who have left.
    pub(super) left: BTreeSet<String>,
    /// Departments, by number: userids.
    pub(super) departments: BTreeMap<i64, Vec<String>>,
    /// By `config_id`, also those that were deleted.
    pub(super) ways: BTreeMap<String, Way>,
    pub(super) join_ways: BTreeMap<String, JoinWay>,
    pub(super) chats: BTreeMap<String, Chat>,
    /// Everyone who was ever met, by `external_userid`.
    pub(super) people: BTreeMap<String, Person>,
    /// By userid and `external_userid`.
    pub(super) follows: BTreeMap<(String, String), Follow>,
    pub(super) welcomes: Welcomes,
    pub(super) tags: Tags,
    pub(super) broadcasts: BTreeMap<String, Broadcast>,
    pub(super) messages: Vec<AppMessage>,
    pub(super) transfers: Vec<Transfer>,
    made: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    /// Whether an admin has set a welcome message, so that no app gets a code.
    pub(super) greets_by_itself: bool,
    /// Whether the member has never logged in, or has not proved a real name.
    pub(super) is_inactive: bool,
    /// Customers at most, where it is not the corp's usual number.
    pub(super) capacity: Option<usize>,
}

impl Corp {
    pub(super) fn new(settings: Settings) -> Self {
        let console = Console {
            token: settings.token.clone(),
            key: settings.encoding_aes_key.clone(),
            receive_id: settings.corp_id.clone(),
            to: settings.corp_id.clone(),
            agent_id: Some(settings.agent_id.clone()),
            mode: settings.mode,
        };
        let members = settings.members.iter().map(|userid| (userid.clone(), Member::default())).collect();
        Self {
            settings,
            console,
            members,
            left: BTreeSet::new(),
            departments: BTreeMap::new(),
            ways: BTreeMap::new(),
            join_ways: BTreeMap::new(),
            chats: BTreeMap::new(),
            people: BTreeMap::new(),
            follows: BTreeMap::new(),
            welcomes: Welcomes::default(),
            tags: Tags::default(),
            broadcasts: BTreeMap::new(),
            messages: Vec::new(),
            transfers: Vec::new(),
            made: 0,
        }
    }

    /// A new id with this prefix, 32 characters in all.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        let made = self.made.to_string();
        format!("{prefix}{}", digest(&[prefix, &self.settings.corp_id, &made], 32 - prefix.len()))
    }

    pub(super) fn member(&self, userid: &str) -> Result<&Member, Refused> {
        self.members.get(userid).ok_or(NO_MEMBER)
    }

    /// Contact ways and group join ways that are in use.
    pub(super) fn used_ways(&self) -> usize {
        let contact = self.ways.values().filter(|way| way.is_live && !way.is_temporary());
        contact.count() + self.join_ways.values().filter(|way| way.is_live).count()
    }

    /// The customers whom a member has.
    pub(super) fn customers_of<'a>(&'a self, userid: &'a str) -> impl Iterator<Item = (&'a str, &'a Follow)> {
        let from = (userid.to_owned(), String::new());
        let range = self.follows.range(from..).take_while(move |((member, _), _)| member == userid);
        range.filter(|(_, follow)| follow.is_listed).map(|((_, external), follow)| (external.as_str(), follow))
    }

    pub(super) fn is_full(&self, userid: &str) -> bool {
        let capacity = self.members.get(userid).and_then(|member| member.capacity);
        self.customers_of(userid).count() >= capacity.unwrap_or(self.settings.customers_per_member)
    }

    /// Tell the application of an event; `at` is Unix milliseconds. Returns the callback's number.
    pub(super) fn tell(&self, outbox: &mut Outbox, event: &str, change: &str, at: i64, more: Value) -> String {
        let mut content = json!({
            "ToUserName": self.settings.corp_id, "FromUserName": "sys", "CreateTime": at / 1000, "MsgType": "event",
            "Event": event, "ChangeType": change,
        });
        if let (Some(content), Value::Object(more)) = (content.as_object_mut(), more) {
            content.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
        }
        outbox.tell(change, content)
    }
}
