//! Contact ways (联系我): codes by which people add members.

use serde_json::{Map, Value, json};

use super::corp::Corp;
use super::fields::{BAD, limit, short};
use crate::wechat::service::Asked;
use crate::wechat::{Refused, page, text, texts};

const NO_TYPE: Refused = Refused(41037, "missing contact way type");
const NO_SCENE: Refused = Refused(41038, "missing contact way scene");
const WRONG_TYPE: Refused = Refused(41039, "invalid contact way type");
const WRONG_SCENE: Refused = Refused(41040, "invalid contact way scene");
const TOO_MANY_USERS: Refused = Refused(41041, "contact way users exceed limit");
const NO_ID: Refused = Refused(41043, "missing contact way config_id");
const WRONG_ID: Refused = Refused(41044, "invalid contact way config_id");
pub(super) const TOO_MANY_WAYS: Refused = Refused(41045, "contact way count exceed limit");
const INACTIVE: Refused = Refused(41054, "user not activated");

/// Members of one way, departments counted by their members.
const USERS: usize = 100;
const DAY: i64 = 86_400;

/// A contact way, as it stands.
#[derive(Clone, Debug)]
pub struct Way {
    /// Its number, which the console does not show.
    pub config_id: String,
    /// What the add event brings back.
    pub state: String,
    /// The members whom people can reach by it, departments resolved.
    pub users: Vec<String>,
    /// Whether somebody who has added one of the corp's members reaches the same one again.
    pub is_exclusive: bool,
    /// Whether members do not have to agree first.
    pub skips_verification: bool,
    /// Whether it has not been deleted.
    pub is_live: bool,
    /// The members as first set and after every update: since when (Unix ms), and who.
    pub history: Vec<(i64, Vec<String>)>,
    /// Every field as set.
    pub fields: Map<String, Value>,
    /// Since when it is there, Unix ms.
    pub created: i64,
    /// Whose turn it is.
    pub(super) turn: usize,
}

impl Way {
    pub(super) fn is_temporary(&self) -> bool {
        self.fields.get("is_temp") == Some(&Value::Bool(true))
    }

    /// Where the picture of the code is.
    pub fn qr_code(&self) -> String {
        format!("https://wework.qpic.cn/wwpic/{}/0", self.config_id)
    }

    /// Whether a temporary one has had its time.
    pub(super) fn is_over(&self, now: i64) -> bool {
        let seconds = self.fields.get("expires_in").and_then(Value::as_i64).unwrap_or(7 * DAY);
        self.is_temporary() && now >= self.created + seconds * 1000
    }
}

impl Corp {
    pub(super) fn add_way(&mut self, call: &Asked) -> Result<Value, Refused> {
        let body = call.body.as_object().ok_or(BAD)?;
        match body.get("type") {
            None => return Err(NO_TYPE),
            Some(kind) if !matches!(kind.as_i64(), Some(1 | 2)) => return Err(WRONG_TYPE),
            Some(_) => {}
        }
        match body.get("scene") {
            None => return Err(NO_SCENE),
            Some(scene) if !matches!(scene.as_i64(), Some(1 | 2)) => return Err(WRONG_SCENE),
            Some(_) => {}
        }
        let users = self.way_users(body)?;
        if self.used_ways() >= self.settings.ways {
            return Err(TOO_MANY_WAYS);
        }
        let config_id = self.id("cw");
        let mut way = Way {
            config_id: config_id.clone(),
            state: String::new(),
            users: Vec::new(),
            is_exclusive: false,
            skips_verification: true,
            is_live: true,
            history: Vec::new(),
            fields: Map::new(),
            created: call.now,
            turn: 0,
        };
        set(&mut way, body.clone(), users, call.now);
        let mut answer = json!({ "config_id": config_id });
        if body["scene"] == 2 {
            answer["qr_code"] = way.qr_code().into();
        }
        self.ways.insert(config_id, way);
        Ok(answer)
    }

    pub(super) fn update_way(&mut self, call: &Asked) -> Result<Value, Refused> {
        let given = call.body.as_object().ok_or(BAD)?;
        let way = self.live_way(&call.body)?;
        // Type, scene and temporariness are for ever; only what is given changes.
        let mut fields = way.fields.clone();
        let fixed = ["config_id", "type", "scene", "is_temp"];
        let changes = given.iter().filter(|(name, _)| !fixed.contains(&name.as_str()));
        fields.extend(changes.map(|(name, value)| (name.clone(), value.clone())));
        let users = self.way_users(&fields)?;
        let (config_id, now) = (way.config_id.clone(), call.now);
        if let Some(way) = self.ways.get_mut(&config_id) {
            set(way, fields, users, now);
        }
        Ok(json!({}))
    }

    pub(super) fn get_way(&mut self, call: &Asked) -> Result<Value, Refused> {
        let way = self.live_way(&call.body)?;
        let mut record = json!({
            "skip_verify": true, "remark": "", "state": "", "user": [], "party": [], "is_temp": false, "is_exclusive": false,
        });
        if let Some(record) = record.as_object_mut() {
            record.extend(way.fields.clone());
            record.insert("config_id".to_owned(), way.config_id.clone().into());
            record.insert("qr_code".to_owned(), way.qr_code().into());
        }
        Ok(json!({ "contact_way": record }))
    }

    pub(super) fn list_ways(&mut self, call: &Asked) -> Result<Value, Refused> {
        let until = call.body["end_time"].as_i64().unwrap_or(call.now / 1000);
        let since = call.body["start_time"].as_i64().unwrap_or(until - 90 * DAY);
        let limit = limit(&call.body["limit"], 1000)?;
        if since > until || until - since > 90 * DAY {
            return Err(BAD);
        }
        let listed = self.ways.values().filter(|way| way.is_live && !way.is_temporary());
        let mut ways: Vec<_> = listed
            .map(|way| (way.created, &way.config_id))
            .filter(|(at, _)| (since..=until).contains(&(at / 1000)))
            .collect();
        ways.sort();
        let ids = ways.into_iter().map(|(_, id)| json!({ "config_id": id })).collect();
        let (ids, next): (Vec<Value>, _) = page(ids, &call.body["cursor"], limit, BAD)?;
        Ok(json!({ "contact_way": ids, "next_cursor": next }))
    }

    pub(super) fn delete_way(&mut self, call: &Asked) -> Result<Value, Refused> {
        let config_id = self.live_way(&call.body)?.config_id.clone();
        if let Some(way) = self.ways.get_mut(&config_id) {
            way.is_live = false;
        }
        Ok(json!({}))
    }

    fn live_way(&self, body: &Value) -> Result<&Way, Refused> {
        match text(&body["config_id"]) {
            "" => Err(NO_ID),
            id => self.ways.get(id).filter(|way| way.is_live).ok_or(WRONG_ID),
        }
    }

    /// Checks all fields and resolves departments.
    fn way_users(&self, fields: &Map<String, Value>) -> Result<Vec<String>, Refused> {
        let field = |name: &str| fields.get(name).unwrap_or(&Value::Null);
        short(field("state"), 30)?;
        short(field("remark"), 30)?;
        for name in ["skip_verify", "is_temp", "is_exclusive", "mark_source"] {
            if !field(name).is_null() && !field(name).is_boolean() {
                return Err(BAD);
            }
        }
        for name in ["expires_in", "chat_expires_in"] {
            let seconds = field(name);
            if !seconds.is_null() && !seconds.as_i64().is_some_and(|seconds| (1..=14 * DAY).contains(&seconds)) {
                return Err(BAD);
            }
        }
        if text(&field("conclusions")["text"]["content"]).len() > 4000 {
            return Err(BAD);
        }
        let mut users = texts(field("user"), BAD)?;
        let parties = match field("party") {
            Value::Null => &[][..],
            parties => parties.as_array().ok_or(BAD)?.as_slice(),
        };
        let is_single = field("type") == 1;
        if is_single && (users.len() != 1 || !parties.is_empty()) {
            return Err(BAD);
        }
        for party in parties {
            let members = party.as_i64().and_then(|party| self.departments.get(&party));
            users.extend(members.ok_or(Refused(40066, "invalid party list"))?.iter().cloned());
        }
        for user in &users {
            if self.member(user)?.is_inactive {
                return Err(INACTIVE);
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        users.retain(|user| seen.insert(user.clone()));
        match users.len() {
            0 => Err(BAD),
            1..=USERS => Ok(users),
            _ => Err(TOO_MANY_USERS),
        }
    }
}

fn set(way: &mut Way, fields: Map<String, Value>, users: Vec<String>, now: i64) {
    let is = |name: &str| fields.get(name).and_then(Value::as_bool);
    way.state = fields.get("state").map(text).unwrap_or_default().to_owned();
    way.is_exclusive = is("is_exclusive").unwrap_or(false);
    way.skips_verification = is("skip_verify").unwrap_or(true);
    way.history.push((now, users.clone()));
    way.users = users;
    way.fields = fields;
}
