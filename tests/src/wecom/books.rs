//! What the corp's books say: for tests to ask.

use std::time::Duration;

use super::Wecom;
use super::broadcasts::Broadcast;
use super::contacts::Follow;
use super::corp::Corp;
use super::groups::{Chat, JoinWay};
use super::messages::AppMessage;
use super::transfers::Transfer;
use super::ways::Way;
use super::welcomes::Welcome;
use crate::wechat::people::Person;

impl Wecom {
    /// The id that the corp knows a person by.
    pub fn external_userid(&self, person: &Person) -> String {
        self.with(|corp, _, _| person.external_userid(&corp.settings.corp_id))
    }

    /// Every contact way that was ever made, with its members over time.
    pub fn ways(&self) -> Vec<Way> {
        self.with(|corp, _, _| corp.ways.values().cloned().collect())
    }

    /// The contact way that is in use with this state or config_id.
    pub fn way(&self, way: &str) -> Option<Way> {
        self.with(|corp, _, now| corp.find_way(way, now).ok().cloned())
    }

    /// Every join way that was ever made.
    pub fn join_ways(&self) -> Vec<JoinWay> {
        self.with(|corp, _, _| corp.join_ways.values().cloned().collect())
    }

    /// A group.
    pub fn group(&self, chat_id: &str) -> Option<Chat> {
        self.with(|corp, _, _| corp.chats.get(chat_id).cloned())
    }

    /// What is between a member and a person, remark and tags with it.
    pub fn follow(&self, userid: &str, person: &Person) -> Option<Follow> {
        self.with(|corp, _, _| {
            let external = person.external_userid(&corp.settings.corp_id);
            corp.follows.get(&(userid.to_owned(), external)).cloned()
        })
    }

    /// The names of the tags that a person has with a member, sorted.
    pub fn tags(&self, userid: &str, person: &Person) -> Vec<String> {
        let ids = self.follow(userid, person).unwrap_or_default().tags;
        let name = |corp: &Corp, id: &String| corp.tags.find(id).map(|(_, tag)| tag.name.clone());
        let mut names: Vec<_> = self.with(|corp, _, _| ids.iter().filter_map(|id| name(corp, id)).collect());
        names.sort();
        names
    }

    /// The customers whom a member has, by `external_userid`.
    pub fn customers_of(&self, userid: &str) -> Vec<String> {
        self.with(|corp, _, _| corp.customers_of(userid).map(|(external, _)| external.to_owned()).collect())
    }

    /// Every welcome message that was sent, in order.
    pub fn all_welcomes(&self) -> Vec<Welcome> {
        self.with(|corp, _, _| corp.welcomes.sent.clone())
    }

    /// The welcome messages that a person got.
    pub fn welcomes(&self, person: &Person) -> Vec<Welcome> {
        let external = self.external_userid(person);
        self.all_welcomes().into_iter().filter(|welcome| welcome.external_userid == external).collect()
    }

    /// The time from callback to welcome message that so many percent of all stayed below.
    pub fn welcome_percentile(&self, percent: usize) -> Option<Duration> {
        let mut all: Vec<_> = self.all_welcomes().into_iter().map(|welcome| welcome.after).collect();
        all.sort();
        let place = (all.len() * percent).div_ceil(100).saturating_sub(1);
        all.get(place).copied()
    }

    /// Every app message to a member, in order.
    pub fn messages(&self) -> Vec<AppMessage> {
        self.with(|corp, _, _| corp.messages.clone())
    }

    /// Every broadcast.
    pub fn broadcasts(&self) -> Vec<Broadcast> {
        self.with(|corp, _, _| corp.broadcasts.values().cloned().collect())
    }

    /// Every transfer that was asked for, in order.
    pub fn transfers(&self) -> Vec<Transfer> {
        self.with(|corp, _, _| corp.transfers.clone())
    }
}
