//! All that the account has.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::codes::Code;
use super::messages::{CustomMessage, TemplateMessage};
use super::settings::{Settings, Window};
use crate::wechat::Refused;
use crate::wechat::callback::Console;
use crate::wechat::people::Person;
use crate::wechat::service::{Asked, Outbox};

const NO_OPENID: Refused = Refused(40003, "invalid openid");

/// An account.
pub struct Account {
    pub(super) settings: Settings,
    pub(super) console: Console,
    pub(super) codes: Vec<Code>,
    /// Everyone who was ever met, by openid.
    pub(super) fans: BTreeMap<String, Fan>,
    pub(super) templates: Vec<TemplateMessage>,
    pub(super) messages: Vec<CustomMessage>,
    pub(super) replies: Vec<Reply>,
    /// Who was told that the account does not work, by openid; once for each time.
    pub(super) annoyed: Vec<String>,
    made: u64,
}

/// Somebody who follows, or did.
#[derive(Clone, Debug)]
pub struct Fan {
    /// The person.
    pub person: Person,
    /// Whether the person follows now.
    pub is_subscribed: bool,
    /// Whether the person lets no messages in, though following.
    pub blocks: bool,
    /// Since when, Unix ms; the last time.
    pub since: i64,
    /// By which scene; empty without a code.
    pub scene: String,
    /// Whether the scene was a number.
    pub(super) scene_is_number: bool,
    /// Until when (Unix ms) the person may be written to, and how many messages more.
    pub(super) open: Option<(i64, usize)>,
}

/// What the application answered at once to a message or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Who got it.
    pub openid: String,
    /// The message, deciphered, as XML.
    pub xml: String,
}

impl Account {
    pub(super) fn new(settings: Settings) -> Self {
        let console = Console {
            token: settings.token.clone(),
            key: settings.encoding_aes_key.clone(),
            receive_id: settings.app_id.clone(),
            to: settings.original_id.clone(),
            agent_id: None,
            mode: settings.mode,
        };
        Self {
            settings,
            console,
            codes: Vec::new(),
            fans: BTreeMap::new(),
            templates: Vec::new(),
            messages: Vec::new(),
            replies: Vec::new(),
            annoyed: Vec::new(),
            made: 0,
        }
    }

    /// A number that nothing else has.
    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        // As long as real ones: beyond what a float holds exactly.
        7_000_000_000_000_000_000 + self.made
    }

    pub(super) fn fan(&self, openid: &str) -> Result<&Fan, Refused> {
        self.fans.get(openid).ok_or(NO_OPENID)
    }

    /// The person, who is known from now on.
    pub(super) fn met(&mut self, person: &Person) -> (String, &mut Fan) {
        let openid = person.openid(&self.settings.app_id);
        let stranger = || Fan {
            person: person.clone(),
            is_subscribed: false,
            blocks: false,
            since: 0,
            scene: String::new(),
            scene_is_number: false,
            open: None,
        };
        let fan = self.fans.entry(openid.clone()).or_insert_with(stranger);
        (openid, fan)
    }

    /// Tell the application what a person did.
    pub(super) fn tell(&self, outbox: &mut Outbox, openid: &str, kind: &str, at: i64, more: Value) {
        let mut content =
            json!({ "ToUserName": self.settings.original_id, "FromUserName": openid, "CreateTime": at / 1000 });
        if let (Some(content), Value::Object(more)) = (content.as_object_mut(), more) {
            content.extend(more);
        }
        outbox.tell(kind, content);
    }

    pub(super) fn user_info(&mut self, call: &Asked) -> Result<Value, Refused> {
        let openid = call.parameter("openid");
        let fan = self.fan(openid)?;
        let mut record = json!({ "subscribe": i64::from(fan.is_subscribed), "openid": openid });
        if let Some(unionid) = &fan.person.unionid {
            record["unionid"] = unionid.clone().into();
        }
        if fan.is_subscribed {
            let number = fan.scene.parse::<i64>().ok().filter(|_| fan.scene_is_number);
            let by = if fan.scene.is_empty() { "ADD_SCENE_SEARCH" } else { "ADD_SCENE_QR_CODE" };
            record["subscribe_time"] = (fan.since / 1000).into();
            record["language"] = "zh_CN".into();
            record["remark"] = "".into();
            record["groupid"] = 0.into();
            record["tagid_list"] = json!([]);
            record["subscribe_scene"] = by.into();
            record["qr_scene"] = number.unwrap_or(0).into();
            record["qr_scene_str"] = if number.is_some() { "" } else { fan.scene.as_str() }.into();
        }
        Ok(record)
    }
}

impl Fan {
    /// The person did something at `now`, after which messages may come; one window does not make another shorter.
    pub(super) fn interacts(&mut self, now: i64, window: Window) {
        let until = now + window.seconds * 1000;
        let open = self.open.filter(|(before, messages)| *before > until && *messages > 0);
        self.open = Some(open.unwrap_or((until, window.messages)));
    }
}
