//! Parcels: what carriers have written about each, and who watches it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Recipient, Refused, WRONG_KEY};
use crate::marketplace::dialect::{App, gmt8};
use crate::marketplace::push::Message;

/// What [`Message::kind`] says of news of a parcel.
const KIND: &str = "parcel";
/// How long a parcel that was given up cannot be subscribed to again, in seconds.
const GIVEN_UP: i64 = 30 * 60;
/// Longest number of a parcel.
const NUMBER: usize = 32;

const WRONG_DATA: Refused = Refused("700", "订阅方的订阅数据存在错误");
const NO_CARRIER: Refused = Refused("701", "拒绝订阅的快递公司");
const WATCHED_ALREADY: Refused = Refused("501", "重复订阅");

/// A state of a parcel, by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(pub &'static str);

impl State {
    /// Between two places.
    pub const IN_TRANSIT: Self = Self("0");
    /// The carrier has it.
    pub const PICKED_UP: Self = Self("1");
    /// Something is wrong.
    pub const PROBLEM: Self = Self("2");
    /// The receiver has it.
    pub const SIGNED: Self = Self("3");
    /// It was taken from the locker: a finer code of [`State::SIGNED`].
    pub const SIGNED_FROM_LOCKER: Self = Self("304");
    /// The sender has it again.
    pub const RETURNED: Self = Self("4");
    /// With the courier who brings it.
    pub const DELIVERING: Self = Self("5");
    /// On its way back.
    pub const RETURNING: Self = Self("6");

    /// The main code, for whoever has not asked for the finer ones: these have three or four digits, `304` below `3`, `1002` below `0`.
    fn main(self) -> &'static str {
        match self.0.len() {
            4 => "0",
            3 => self.0.get(..1).unwrap_or(self.0),
            _ => self.0,
        }
    }

    /// After it comes no more news.
    fn is_last(self) -> bool {
        matches!(self.main(), "3" | "4")
    }
}

/// A parcel in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The carrier's number.
    pub tracking_number: String,
    /// The carrier, as said or guessed.
    pub carrier: String,
    /// Where news goes.
    pub callback: String,
    /// What news is signed with; none where it is not to be.
    pub salt: Option<String>,
    /// How often it was subscribed to with success.
    pub times: u32,
    /// Whether news will still come.
    pub is_live: bool,
    /// Whether all finer codes are wanted (`resultv2` 4).
    detailed: bool,
    /// Whether the last four digits of a phone number came with it.
    phone: bool,
    /// When it was given up, Unix seconds.
    given_up: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Parcels {
    /// The carriers' records, oldest entry first; there, whether anybody watches or not.
    records: BTreeMap<String, Vec<(State, i64)>>,
    watched: BTreeMap<String, Watched>,
    told: u32,
}

impl Parcels {
    /// A subscription. What is known of the parcel already is told at once.
    pub(super) fn subscribe(
        &mut self,
        app: &App,
        form: &BTreeMap<String, String>,
        param: &Value,
        now: i64,
    ) -> Result<Option<Message>, Refused> {
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        let number = text(&param["number"]);
        let parameters = &param["parameters"];
        let callback = text(&parameters["callbackurl"]);
        if form.get("schema").is_none_or(|schema| schema != "json") {
            return Err(WRONG_DATA);
        }
        if param["key"] != app.key.as_str() {
            return Err(WRONG_KEY);
        }
        let is_url = callback.starts_with("http://") || callback.starts_with("https://");
        if number.is_empty() || number.len() > NUMBER || !is_url {
            return Err(WRONG_DATA);
        }
        let carrier = match text(&param["company"]) {
            guess if guess.is_empty() && parameters["autoCom"] == "1" => guessed(&number).to_owned(),
            none if none.is_empty() => return Err(NO_CARRIER),
            carrier => carrier,
        };
        let before = self.watched.get(&number);
        if before.is_some_and(|before| before.is_live || before.given_up.is_some_and(|at| now < at + GIVEN_UP)) {
            return Err(WATCHED_ALREADY);
        }
        let watched = Watched {
            tracking_number: number.clone(),
            carrier,
            callback,
            salt: Some(text(&parameters["salt"])).filter(|salt| !salt.is_empty()),
            times: before.map_or(0, |before| before.times) + 1,
            is_live: true,
            detailed: parameters["resultv2"] == "4",
            phone: text(&parameters["phone"]).len() >= 4,
            given_up: None,
        };
        self.watched.insert(number.clone(), watched);
        Ok(if self.records.contains_key(&number) { self.news(&number) } else { None })
    }

    /// An entry into a parcel's record, and the news of it where somebody watches.
    pub(super) fn note(&mut self, number: &str, state: State, at: i64) -> Option<Message> {
        self.records.entry(number.to_owned()).or_default().push((state, at));
        self.news(number)
    }

    /// No more news of a parcel, which is news.
    pub(super) fn give_up(&mut self, number: &str, now: i64) -> Option<Message> {
        let watched = self.watched.get_mut(number).filter(|watched| watched.is_live)?;
        watched.given_up = Some(now);
        let news = self.news(number);
        self.watched.get_mut(number)?.is_live = false;
        news
    }

    pub(super) fn recipient(&self, number: &str) -> Option<Recipient> {
        let Watched { callback, salt, .. } = self.watched.get(number)?.clone();
        Some(Recipient { callback, salt, task_id: None })
    }

    pub(super) fn watched(&self) -> Vec<Watched> {
        self.watched.values().cloned().collect()
    }

    /// The whole record as it stands, if somebody watches and may be told.
    fn news(&mut self, number: &str) -> Option<Message> {
        let watched = self.watched.get_mut(number).filter(|watched| watched.is_live)?;
        // SF tells only who knows the sender's or the receiver's phone.
        if watched.carrier == "shunfeng" && !watched.phone {
            return None;
        }
        let record = self.records.get(number).map(Vec::as_slice).unwrap_or_default();
        let code = |state: State| if watched.detailed { state.0 } else { state.main() };
        let entries = record.iter().rev().map(|&(state, at)| {
            // Couriers are named in the carriers' words: nobody should keep these.
            let mut entry = json!({ "context": format!("【测试网点】派件员 测试派件员 电话 13900000001，状态 {}", state.0),
                "time": gmt8(at), "ftime": gmt8(at), "status": "测试状态", "areaCode": "CN330100000000", "areaName": "浙江,杭州市" });
            if watched.detailed {
                entry["statusCode"] = state.0.into();
            }
            entry
        });
        let last = record.iter().max_by_key(|(_, at)| at).map(|(state, _)| *state);
        let is_last = record.iter().any(|(state, _)| state.is_last());
        let status = match () {
            () if watched.given_up.is_some() => "abort",
            () if is_last => "shutdown",
            () => "polling",
        };
        let last_result = json!({ "message": "ok", "nu": number, "ischeck": if is_last { "1" } else { "0" }, "condition": "00",
            "com": watched.carrier, "status": "200", "state": last.map_or("0", code), "data": entries.collect::<Vec<_>>() });
        let content = json!({ "status": status, "billstatus": "got", "message": "", "autoCheck": "0", "comOld": "", "comNew": "",
            "lastResult": last_result });
        watched.is_live = !is_last;
        self.told += 1;
        Some(Message { kind: KIND.to_owned(), id: format!("{number}-{}", self.told), content })
    }
}

/// The number of the parcel that news is about.
pub(super) fn number_of(content: &Value) -> Option<&str> {
    content["lastResult"]["nu"].as_str()
}

/// The carrier by its numbers, as `autoCom` does it.
fn guessed(number: &str) -> &'static str {
    match number.get(..2) {
        Some("YT") => "yuantong",
        Some("SF") => "shunfeng",
        Some("JD") => "jd",
        _ => "zhongtong",
    }
}
