//! The open door: what sources of all kinds tell of people (mini-programs, tills, forms, live rooms, lessons, calls), as CloudEvents
//! 1.0 in JSON, one or a batch, signed by Standard Webhooks ([`crate::standard_webhooks`]).
//!
//! An event's `type` says what happened (`page.viewed`); its `data` says to whom, by which channel, and the rest under `what`. This is our
//! own API, so unknown fields of `data` are refused; attributes of the envelope that we do not know are extensions and allowed.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Activity, Identity, IdentityKind, Secret, UnixMs, phone_e164};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The most events of one batch.
pub const MOST: usize = 500;
/// The longest id, name or code, in bytes.
const LONGEST: usize = 256;
/// How far a source's clock may be ahead, in milliseconds.
const AHEAD_MS: i64 = 5 * 60 * 1000;

/// An event of a source: CloudEvents 1.0, structured mode.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Envelope {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique in the source. The same id again is the same event.
    pub id: String,
    /// The source, as it names itself: `mini-program`, `pos/shanghai-01`.
    pub source: String,
    /// What happened: the kind of an activity with a dot for the first underscore (`page.viewed`, `vehicle.test_driven`).
    #[serde(rename = "type")]
    pub type_name: String,
    /// When it happened; when it came in, unless given.
    pub time: Option<UnixMs>,
    /// To whom, where, and what.
    #[schema(value_type = Data)]
    pub data: Value,
}

/// To whom something happened, where, and what.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Who.
    pub who: Who,
    /// The channel that it came by.
    pub channel: Option<String>,
    /// The store, as a path: `/east/shanghai-01`.
    pub store: Option<String>,
    /// The member of staff, by the merchant's number.
    pub staff: Option<String>,
    /// Fields of the profile that became known, by the names that the merchant has given them (`PUT /v1/profile-fields/…`).
    #[serde(default)]
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// What happened: the fields of its kind, as listed in docs/api.md.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub what: Map<String, Value>,
}

/// How a person is recognised. At least one identity or a phone.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// Ids. No keyed hashes: send the phone itself.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// The phone number. It is hashed for recognition and stored encrypted; it reaches no event and no log.
    #[schema(value_type = Option<String>)]
    pub phone: Option<Secret<String>>,
    /// Whether the person has proved that the number is theirs (a code was sent, the platform vouches). One that is not proved only
    /// hints at who it may be.
    #[serde(default)]
    pub phone_verified: bool,
    /// The name. Stored encrypted; it reaches no event and no log.
    #[schema(value_type = Option<String>)]
    pub name: Option<Secret<String>>,
}

/// What was told, understood.
#[derive(Clone, Debug)]
pub struct Told {
    /// The source.
    pub source: String,
    /// The event's id in it.
    pub id: String,
    /// When it happened.
    pub at: UnixMs,
    /// Who, by ids.
    pub identities: BTreeSet<Identity>,
    /// The phone in E.164 form.
    pub phone: Option<Secret<String>>,
    /// Whether the phone proves who it is.
    pub phone_verified: bool,
    /// The name.
    pub name: Option<Secret<String>>,
    /// The channel.
    pub channel: Option<String>,
    /// The store's path.
    pub store: Option<String>,
    /// The member of staff.
    pub staff: Option<String>,
    /// Fields of the profile, not checked yet.
    pub attributes: Map<String, Value>,
    /// What happened. Keywords of comments are yet to be found.
    pub activity: Activity,
    /// What the person has said or filled in, by field.
    pub texts: BTreeMap<String, Secret<String>>,
}

/// One event of a batch, as it was read.
#[derive(Clone, Debug)]
pub enum Read {
    /// Understood.
    Told(Box<Told>),
    /// Of a type that this release does not know.
    Unknown {
        /// The event's id.
        id: String,
        /// The type.
        type_name: String,
    },
    /// Not of the documented form.
    Unusable {
        /// The event's id, where it has one.
        id: Option<String>,
        /// What to change.
        reason: String,
    },
}

/// Reads a body: one event or a batch, each with the JSON it was read from.
///
/// # Errors
/// What to change, where the body is no JSON or has too many events.
pub fn decode(body: &[u8], now: UnixMs) -> Result<Vec<(Value, Read)>, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let events = match body {
        Value::Array(events) => events,
        single => vec![single],
    };
    if events.is_empty() || events.len() > MOST {
        return Err(format!("a batch has 1 to {MOST} events, this one has {}: send it in parts", events.len()));
    }
    Ok(events.into_iter().map(|event| (event.clone(), read(event, now))).collect())
}

fn read(event: Value, now: UnixMs) -> Read {
    let id = event.get("id").and_then(Value::as_str).map(str::to_owned);
    match Envelope::deserialize(event) {
        Err(error) => Read::Unusable { id, reason: error.to_string() },
        Ok(envelope) if !is_known(&envelope.type_name) => {
            Read::Unknown { id: envelope.id, type_name: envelope.type_name }
        }
        Ok(envelope) => match told(envelope, now) {
            Ok(told) => Read::Told(Box::new(told)),
            Err(reason) => Read::Unusable { id, reason },
        },
    }
}

/// The types of events that are understood.
pub const TYPES: [&str; 18] = [
    "page.viewed",
    "menu.dwelled",
    "code.scanned",
    "account.followed",
    "account.unfollowed",
    "link.opened",
    "link.left",
    "content.shared",
    "form.submitted",
    "live.commented",
    "lesson.attended",
    "course.progressed",
    "vehicle.test_driven",
    "consultation.held",
    "device.sold",
    "call.held",
    "birthday.told",
    "member.level_told",
];

fn is_known(type_name: &str) -> bool {
    TYPES.contains(&type_name)
}

fn told(envelope: Envelope, now: UnixMs) -> Result<Told, String> {
    if envelope.specversion != "1.0" {
        return Err(format!("specversion is {:?}: send CloudEvents 1.0", envelope.specversion));
    }
    for (name, text) in [("id", &envelope.id), ("source", &envelope.source)] {
        short(name, text)?;
    }
    let at = envelope.time.unwrap_or(now);
    if at.millis() > now.millis().saturating_add(AHEAD_MS) || at.millis() < 0 {
        return Err("time: lies in the future or before 1970: set the source's clock right".to_owned());
    }
    let data = Data::deserialize(envelope.data).map_err(|error| format!("data: {error}"))?;
    for (name, text) in [("data.channel", &data.channel), ("data.staff", &data.staff), ("data.store", &data.store)] {
        text.as_deref().map_or(Ok(()), |text| short(name, text))?;
    }
    if data.store.as_deref().is_some_and(|store| !store.starts_with('/')) {
        return Err("data.store: write it as a path, such as /east/shanghai-01".to_owned());
    }
    let identities = identities(data.who.identities, &envelope.source)?;
    let phone = data.who.phone.map(|phone| number(&phone)).transpose()?;
    if identities.is_empty() && !(phone.is_some() && data.who.phone_verified) {
        return Err("data.who: name at least one identity, or a verified phone".to_owned());
    }
    let name = data.who.name.filter(|name| !name.expose().trim().is_empty());
    if name.as_ref().is_some_and(|name| name.expose().len() > LONGEST) {
        return Err(format!("data.who.name: is longer than {LONGEST} bytes"));
    }
    let (activity, texts) = what(&envelope.type_name, data.what)?;
    Ok(Told {
        source: envelope.source,
        id: envelope.id,
        at,
        identities,
        phone,
        phone_verified: data.who.phone_verified,
        name,
        channel: data.channel,
        store: data.store,
        staff: data.staff,
        attributes: data.attributes,
        activity,
        texts,
    })
}

fn identities(given: Vec<Identity>, source: &str) -> Result<BTreeSet<Identity>, String> {
    given
        .into_iter()
        .map(|mut who| {
            short("data.who.identities: value", &who.value)?;
            match who.kind {
                IdentityKind::PhoneHash | IdentityKind::NameHash => {
                    Err("data.who.identities: hashes are made here: send the phone or the name itself".to_owned())
                }
                // A source's own numbers are unique in the source only.
                IdentityKind::SourceId => {
                    who.scope.get_or_insert_with(|| source.to_owned());
                    Ok(who)
                }
                _ => Ok(who),
            }
        })
        .collect()
}

fn number(phone: &Secret<String>) -> Result<Secret<String>, String> {
    let advice = "data.who.phone: send a whole number, mainland mobile or with country code; leave a masked one out";
    phone_e164(phone.expose()).map(Secret::new).ok_or_else(|| advice.to_owned())
}

fn what(type_name: &str, mut what: Map<String, Value>) -> Result<(Activity, BTreeMap<String, Secret<String>>), String> {
    let mut texts = BTreeMap::new();
    match type_name {
        "live.commented" => {
            let Some(Value::String(text)) = what.remove("text") else {
                return Err("data.what.text: what was said, as text".to_owned());
            };
            texts.insert("text".to_owned(), Secret::new(text));
            what.insert("keywords".to_owned(), json!([]));
        }
        "form.submitted" => {
            let Some(Value::Object(fields)) = what.remove("fields") else {
                return Err("data.what.fields: a map from names of fields to what was filled in".to_owned());
            };
            what.insert("fields".to_owned(), json!(fields.keys().collect::<Vec<_>>()));
            for (name, value) in fields {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                texts.insert(name, Secret::new(text));
            }
        }
        _ => {}
    }
    what.insert("kind".to_owned(), type_name.replacen('.', "_", 1).into());
    let activity = Activity::deserialize(Value::Object(what)).map_err(|error| format!("data.what: {error}"))?;
    check(&activity)?;
    Ok((activity, texts))
}

/// What a form alone cannot check.
fn check(activity: &Activity) -> Result<(), String> {
    let percent = |name: &str, value: u8| {
        if value > 100 { Err(format!("data.what.{name}: is {value}, of 100 at the most")) } else { Ok(()) }
    };
    match activity {
        Activity::LinkLeft { depth_percent: Some(depth), .. } => percent("depth_percent", *depth),
        Activity::CourseProgressed { percent: value, .. } => percent("percent", *value),
        Activity::BirthdayTold { month, day } => {
            let longest = match month {
                2 => 29,
                4 | 6 | 9 | 11 => 30,
                1..=12 => 31,
                _ => 0,
            };
            if (1..=longest).contains(day) { Ok(()) } else { Err("data.what: is no day of the year".to_owned()) }
        }
        _ => Ok(()),
    }
}

fn short(name: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(format!("{name}: must not be blank"));
    }
    if text.len() > LONGEST { Err(format!("{name}: is longer than {LONGEST} bytes")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_771_032_600;

    fn event(type_name: &str, what: &Value) -> Value {
        json!({ "specversion": "1.0", "id": "e-1", "source": "mini-program", "type": type_name,
            "time": "2026-02-14T09:29:00+08:00",
            "data": { "who": { "identities": [{ "kind": "wechat_union_id", "scope": null, "value": "u-1" }] }, "what": what } })
    }

    fn only(event: &Value) -> Read {
        let now = UnixMs::from_seconds(NOW).unwrap();
        decode(event.to_string().as_bytes(), now).unwrap().remove(0).1
    }

    fn reason(event: &Value) -> String {
        match only(event) {
            Read::Unusable { reason, .. } => reason,
            other => panic!("{event}: {other:?}"),
        }
    }

    #[test]
    fn every_kind_is_understood() {
        for (type_name, what) in [
            ("page.viewed", json!({ "product": "P1", "dwell_ms": 1200 })),
            ("menu.dwelled", json!({ "dwell_ms": 31_000 })),
            ("code.scanned", json!({ "code": "store-07" })),
            ("account.followed", json!({ "account": "gh_1" })),
            ("account.unfollowed", json!({ "account": "gh_1" })),
            ("link.opened", json!({ "link": "l-1" })),
            ("link.left", json!({ "link": "l-1", "dwell_ms": 9, "depth_percent": 80 })),
            ("content.shared", json!({ "content": "a-1" })),
            ("form.submitted", json!({ "form": "f-1", "fields": { "budget": 3 } })),
            ("live.commented", json!({ "room": "r-1", "text": "how much?" })),
            ("lesson.attended", json!({ "course": "c", "lesson": "l" })),
            ("course.progressed", json!({ "course": "c", "percent": 40 })),
            ("vehicle.test_driven", json!({ "model": "m" })),
            ("consultation.held", json!({ "topic": "loan" })),
            ("device.sold", json!({ "model": "d" })),
            ("call.held", json!({ "seconds": 61 })),
            ("birthday.told", json!({ "month": 2, "day": 29 })),
            ("member.level_told", json!({ "program": "taobao", "level": "VIP2" })),
        ] {
            let Read::Told(told) = only(&event(type_name, &what)) else { panic!("{type_name}") };
            assert_eq!(told.activity.kind(), type_name.replacen('.', "_", 1));
            assert!(TYPES.contains(&type_name));
        }
    }

    #[test]
    fn what_people_say_goes_no_further_than_its_secrets() {
        let Read::Told(told) = only(&event("live.commented", &json!({ "room": "r", "text": "call 13800000001" })))
        else {
            panic!("not understood")
        };
        assert_eq!(told.texts["text"].expose(), "call 13800000001");
        assert!(!format!("{told:?}").contains("138"), "{told:?}");
        let Read::Told(told) = only(&event("form.submitted", &json!({ "form": "f", "fields": { "name": "张三" } })))
        else {
            panic!("not understood")
        };
        assert_eq!(told.activity, Activity::FormSubmitted { form: "f".to_owned(), fields: vec!["name".to_owned()] });
        assert!(!format!("{told:?}").contains("张三"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let change = |change: fn(&mut Value)| {
            let mut event = event("page.viewed", &json!({}));
            change(&mut event);
            reason(&event)
        };
        for (said, expected) in [
            (reason(&event("page.viewed", &json!({ "dwell": 1 }))), "unknown field `dwell`"),
            (reason(&event("birthday.told", &json!({ "month": 2, "day": 30 }))), "no day of the year"),
            (reason(&event("course.progressed", &json!({ "course": "c", "percent": 101 }))), "of 100 at the most"),
            (reason(&event("live.commented", &json!({ "room": "r" }))), "data.what.text"),
            (change(|event| event["specversion"] = json!("0.3")), "CloudEvents 1.0"),
            (change(|event| event["time"] = json!("2026-02-14T10:00:00+08:00")), "future"),
            (change(|event| event["id"] = json!(" ")), "id: must not be blank"),
            (change(|event| event["data"]["who"] = json!({})), "at least one identity"),
            (change(|event| event["data"]["who"] = json!({ "phone": "13800000001" })), "verified phone"),
            (change(|event| event["data"]["who"]["phone"] = json!("138****0001")), "masked"),
            (
                change(|event| event["data"]["who"]["identities"][0]["kind"] = json!("phone_hash")),
                "hashes are made here",
            ),
            (change(|event| event["data"]["store"] = json!("shanghai")), "as a path"),
            (change(|event| event["data"]["shop"] = json!("x")), "unknown field `shop`"),
        ] {
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn unknown_types_and_broken_ones_do_not_spoil_the_batch() {
        let batch = json!([event("page.viewed", &json!({})), event("robot.danced", &json!({})), { "id": "x" }, 7]);
        let now = UnixMs::from_seconds(NOW).unwrap();
        let read: Vec<_> =
            decode(batch.to_string().as_bytes(), now).unwrap().into_iter().map(|(_, read)| read).collect();
        assert!(matches!(read[0], Read::Told(_)));
        assert!(matches!(&read[1], Read::Unknown { type_name, .. } if type_name == "robot.danced"));
        assert!(matches!(&read[2], Read::Unusable { id: Some(id), .. } if id == "x"));
        assert!(matches!(&read[3], Read::Unusable { id: None, .. }));
        assert!(decode(b"[]", now).is_err() && decode(b"{", now).is_err());
    }
}
