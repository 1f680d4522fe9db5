//! Broadcasts (企业群发): the app makes a task for members, who press send; each customer gets only so many.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};

use super::corp::Corp;
use super::fields::{BAD, limit, message};
use crate::wechat::service::Asked;
use crate::wechat::{Refused, page, text, texts};

const NO_RECEIVER: Refused = Refused(41048, "no customer to send");
const NO_ID: Refused = Refused(41046, "missing msgid");
const WRONG_ID: Refused = Refused(41047, "invalid msgid");
const DISPATCHING: Refused = Refused(41063, "group message is being dispatched");
const CUSTOMERS: usize = 10_000;
const CHATS: usize = 2_000;

/// A broadcast's task.
#[derive(Clone, Debug)]
pub struct Broadcast {
    /// Its number.
    pub msgid: String,
    /// The whole call.
    pub message: Value,
    /// When it was made, Unix ms.
    pub at: i64,
    /// Whom it reaches, by the member who has to press send; for groups these are `chat_id`s.
    pub receivers: BTreeMap<String, Vec<String>>,
    /// When a member pressed send, Unix ms.
    pub pressed: BTreeMap<String, i64>,
    /// What came of it for each receiver, by member and receiver: 1 sent, 2 no friends any more, 3 has had too many.
    pub results: BTreeMap<(String, String), i64>,
    is_to_groups: bool,
}

impl Corp {
    pub(super) fn add_broadcast(&mut self, call: &Asked) -> Result<Value, Refused> {
        let body = &call.body;
        message(body)?;
        let sender = text(&body["sender"]);
        if !sender.is_empty() {
            self.member(sender)?;
        }
        let is_to_groups = match text(&body["chat_type"]) {
            "" | "single" => false,
            "group" => true,
            _ => return Err(BAD),
        };
        let mut receivers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut fails = Vec::new();
        if is_to_groups {
            let asked = texts(&body["chat_id_list"], BAD)?;
            if sender.is_empty() || asked.len() > CHATS {
                return Err(BAD);
            }
            let of = self.chats.values().filter(|chat| chat.owner == sender && !chat.is_dismissed);
            let wanted = of.filter(|chat| asked.is_empty() || asked.contains(&chat.chat_id));
            let chats: Vec<_> = wanted.map(|chat| chat.chat_id.clone()).collect();
            fails.extend(asked.into_iter().filter(|chat| !chats.contains(chat)));
            if !chats.is_empty() {
                receivers.insert(sender.to_owned(), chats);
            }
        } else {
            let asked = texts(&body["external_userid"], BAD)?;
            if asked.len() > CUSTOMERS || (asked.is_empty() && sender.is_empty()) {
                return Err(BAD);
            }
            let everyone = || self.customers_of(sender).map(|(external, _)| external.to_owned()).collect();
            let asked: BTreeSet<String> = if asked.is_empty() { everyone() } else { asked.into_iter().collect() };
            for external in asked {
                match self.sender_for(&external, sender) {
                    Some(member) => receivers.entry(member).or_default().push(external),
                    None => fails.push(external),
                }
            }
        }
        if receivers.is_empty() {
            return Err(NO_RECEIVER);
        }
        let msgid = self.id("msgGCAAAX");
        let broadcast = Broadcast {
            msgid: msgid.clone(),
            message: body.clone(),
            at: call.now,
            receivers,
            pressed: BTreeMap::new(),
            results: BTreeMap::new(),
            is_to_groups,
        };
        self.broadcasts.insert(msgid.clone(), broadcast);
        Ok(json!({ "fail_list": fails, "msgid": msgid }))
    }

    pub(super) fn broadcast_tasks(&mut self, call: &Asked) -> Result<Value, Refused> {
        let broadcast = self.dispatched(call)?;
        let tasks = broadcast.receivers.keys().map(|userid| match broadcast.pressed.get(userid) {
            Some(at) => json!({ "userid": userid, "status": 2, "send_time": at / 1000 }),
            None => json!({ "userid": userid, "status": 0 }),
        });
        let limit = limit(&call.body["limit"], 1000)?;
        let (tasks, next) = page(tasks.collect(), &call.body["cursor"], limit, BAD)?;
        Ok(json!({ "task_list": tasks, "next_cursor": next }))
    }

    pub(super) fn broadcast_results(&mut self, call: &Asked) -> Result<Value, Refused> {
        let broadcast = self.dispatched(call)?;
        let userid = text(&call.body["userid"]);
        let receivers = broadcast.receivers.get(userid).ok_or(BAD)?;
        let list = receivers.iter().map(|receiver| {
            let result = broadcast.results.get(&(userid.to_owned(), receiver.clone())).copied().unwrap_or(0);
            let kind = if broadcast.is_to_groups { "chat_id" } else { "external_userid" };
            let mut record = json!({ kind: receiver, "userid": userid, "status": result });
            if let Some(at) = broadcast.pressed.get(userid).filter(|_| result == 1) {
                record["send_time"] = (at / 1000).into();
            }
            record
        });
        let limit = limit(&call.body["limit"], 1000)?;
        let (list, next) = page(list.collect(), &call.body["cursor"], limit, BAD)?;
        Ok(json!({ "send_list": list, "next_cursor": next }))
    }

    /// A member presses send. False where this member has nothing to send, or has sent it.
    pub(super) fn press_send(&mut self, msgid: &str, userid: &str, now: i64) -> bool {
        let today: BTreeMap<String, usize> = self.reached_on(day(now));
        let Some(broadcast) = self.broadcasts.get(msgid) else { return false };
        let Some(receivers) = broadcast.receivers.get(userid).filter(|_| !broadcast.pressed.contains_key(userid))
        else {
            return false;
        };
        let result = |receiver: &String| {
            if broadcast.is_to_groups {
                return 1;
            }
            let follow = self.follows.get(&(userid.to_owned(), receiver.clone()));
            match () {
                () if !follow.is_some_and(|follow| follow.is_listed && follow.is_friend) => 2,
                () if today.get(receiver).is_some_and(|had| *had >= self.settings.broadcasts_per_day) => 3,
                () => 1,
            }
        };
        let results: Vec<_> =
            receivers.iter().map(|receiver| ((userid.to_owned(), receiver.clone()), result(receiver))).collect();
        if let Some(broadcast) = self.broadcasts.get_mut(msgid) {
            broadcast.results.extend(results);
            broadcast.pressed.insert(userid.to_owned(), now);
        }
        true
    }

    /// How many broadcasts reached each customer on a day.
    fn reached_on(&self, on: i64) -> BTreeMap<String, usize> {
        let mut reached = BTreeMap::new();
        for broadcast in self.broadcasts.values().filter(|broadcast| !broadcast.is_to_groups) {
            let is_then = |userid: &String| broadcast.pressed.get(userid).is_some_and(|at| day(*at) == on);
            for ((_, receiver), _) in
                broadcast.results.iter().filter(|((userid, _), result)| **result == 1 && is_then(userid))
            {
                *reached.entry(receiver.clone()).or_default() += 1;
            }
        }
        reached
    }

    /// The given member, or the one who has followed a customer longest.
    fn sender_for(&self, external: &str, sender: &str) -> Option<String> {
        let of = self.follows.iter().filter(|((_, of), follow)| of == external && follow.is_listed);
        let fitting = of.filter(|((userid, _), _)| sender.is_empty() || userid == sender);
        fitting.min_by_key(|(_, follow)| follow.since).map(|((userid, _), _)| userid.clone())
    }

    fn dispatched(&self, call: &Asked) -> Result<&Broadcast, Refused> {
        let broadcast = match text(&call.body["msgid"]) {
            "" => return Err(NO_ID),
            id => self.broadcasts.get(id).ok_or(WRONG_ID)?,
        };
        let is_ready = call.now >= broadcast.at + self.settings.dispatch_seconds * 1000;
        if is_ready { Ok(broadcast) } else { Err(DISPATCHING) }
    }
}

/// The day of China's calendar, as a number that grows.
fn day(at: i64) -> i64 {
    let china = TimeZone::fixed(Offset::constant(8));
    let date = Timestamp::from_millisecond(at).map(|at| at.to_zoned(china).date());
    date.map_or(0, |date| i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day()))
}
