//! Ways by which people reach the merchant at WeCom: to a member of staff, or into a group.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A contact way (联系我): whom the scanner of a code is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactWay {
    /// Who receives, by userid: 1 to 100, and exactly one unless `several`.
    pub staff: Vec<String>,
    /// What comes back with each contact who came this way: at most 30 characters.
    pub state: String,
    /// A note for ourselves: at most 30 characters.
    pub remark: String,
    /// Whether contacts are added without being confirmed.
    pub skip_verify: bool,
    /// Whether a returning scanner reaches the same member of staff again.
    pub exclusive: bool,
    /// Whether it is for several members of staff (the platform picks one), or for one alone.
    pub several: bool,
}

/// A way into groups (加入群聊).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinWay {
    /// The groups, by chat id: 1 to 5, filled in this order.
    pub groups: Vec<String>,
    /// What comes back with each member who came this way: at most 30 characters.
    pub state: String,
    /// A note for ourselves: at most 30 characters.
    pub remark: String,
    /// Whether the platform makes a new group when all are full.
    pub auto_create: bool,
    /// The name of groups that it makes: at most 40 characters.
    #[serde(default)]
    pub base_name: Option<String>,
    /// The number that follows the name of the first group that it makes.
    #[serde(default)]
    pub base_id: Option<u32>,
}

/// Reached by a QR code; 1 would be a button in a mini-program.
const QR: i64 = 2;

impl ContactWay {
    /// The body that makes it.
    pub(super) fn new_body(&self) -> Value {
        let kind = if self.several { 2 } else { 1 };
        let mut body = self.body();
        body["type"] = json!(kind);
        body["scene"] = json!(QR);
        body["is_exclusive"] = json!(self.exclusive);
        body
    }

    /// The body that changes it: type, scene and exclusiveness are not among what can be changed.
    pub(super) fn changed_body(&self, config_id: &str) -> Value {
        let mut body = self.body();
        body["config_id"] = json!(config_id);
        body
    }

    fn body(&self) -> Value {
        let Self { staff, state, remark, skip_verify, .. } = self;
        json!({ "user": staff, "state": state, "remark": remark, "skip_verify": skip_verify })
    }
}

impl JoinWay {
    /// The body that makes it, or changes `config_id`.
    pub(super) fn body(&self, config_id: Option<&str>) -> Value {
        let mut body = json!({
            "scene": QR,
            "remark": self.remark,
            "state": self.state,
            "chat_id_list": self.groups,
            "auto_create_room": i64::from(self.auto_create),
        });
        if let Some(name) = &self.base_name {
            body["room_base_name"] = json!(name);
        }
        if let Some(id) = self.base_id {
            body["room_base_id"] = json!(id);
        }
        if let Some(config_id) = config_id {
            body["config_id"] = json!(config_id);
        }
        body
    }
}
