//! Codes with a scene (带参数的二维码): for a time, or for ever.

use serde_json::{Value, json};

use super::account::Account;
use crate::wechat::Refused;
use crate::wechat::people::digest;
use crate::wechat::service::Asked;

const WRONG_ACTION: Refused = Refused(40053, "invalid action info");
const TOO_MANY: Refused = Refused(45029, "qrcode count out of limit");
/// The longest life of a temporary code, in seconds.
const LONGEST: i64 = 2_592_000;
/// The life of one that was made without saying.
const SHORTEST: i64 = 60;

/// A code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// What the picture is asked for with.
    pub ticket: String,
    /// What the picture leads to.
    pub url: String,
    /// The scene, as text.
    pub scene: String,
    /// Whether it was given as a number.
    pub is_number: bool,
    /// Until when, Unix ms; none for ever.
    pub until: Option<i64>,
}

impl Account {
    pub(super) fn create_code(&mut self, call: &Asked) -> Result<Value, Refused> {
        let scene = &call.body["action_info"]["scene"];
        let text = || {
            let text = scene["scene_str"].as_str().filter(|text| (1..=64).contains(&text.chars().count()));
            text.map(str::to_owned).ok_or(WRONG_ACTION)
        };
        let number = |most: i64| {
            let number = scene["scene_id"].as_i64().filter(|number| (1..=most).contains(number));
            number.map(|number| number.to_string()).ok_or(WRONG_ACTION)
        };
        let (scene, is_number, is_permanent) = match call.body["action_name"].as_str() {
            Some("QR_SCENE") => (number(i64::from(u32::MAX))?, true, false),
            Some("QR_STR_SCENE") => (text()?, false, false),
            Some("QR_LIMIT_SCENE") => (number(100_000)?, true, true),
            Some("QR_LIMIT_STR_SCENE") => (text()?, false, true),
            _ => return Err(WRONG_ACTION),
        };
        let seconds = match &call.body["expire_seconds"] {
            Value::Null => SHORTEST,
            seconds => seconds.as_i64().filter(|seconds| (1..=LONGEST).contains(seconds)).ok_or(WRONG_ACTION)?,
        };
        let is_same = |code: &&Code| code.until.is_none() && code.scene == scene && code.is_number == is_number;
        let existing = self.codes.iter().find(is_same).filter(|_| is_permanent).cloned();
        let code = match existing {
            Some(code) => code,
            None if is_permanent
                && self.codes.iter().filter(|code| code.until.is_none()).count() >= self.settings.permanent_codes =>
            {
                return Err(TOO_MANY);
            }
            None => {
                let number = self.number().to_string();
                let name = digest(&["code", &self.settings.app_id, &number], 24);
                let code = Code {
                    ticket: format!("gQ{name}+/=="),
                    url: format!("http://weixin.qq.com/q/{name}"),
                    scene,
                    is_number,
                    until: (!is_permanent).then_some(call.now + seconds * 1000),
                };
                self.codes.push(code.clone());
                code
            }
        };
        let mut answer = json!({ "ticket": code.ticket, "url": code.url });
        if !is_permanent {
            answer["expire_seconds"] = seconds.into();
        }
        Ok(answer)
    }

    /// The code that is good now, by scene, ticket or address.
    pub(super) fn code(&self, name: &str, now: i64) -> Option<&Code> {
        let is_good = |code: &&Code| code.until.is_none_or(|until| now < until);
        let fits = |code: &&Code| [&code.scene, &code.ticket, &code.url].into_iter().any(|text| text == name);
        self.codes.iter().rev().filter(is_good).find(fits)
    }
}
