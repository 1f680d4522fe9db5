//! What people do: follow, scan, leave, write, press the menu. All of it is told to the application by the next
//! [`OfficialAccount::deliver`].

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::OfficialAccount;
use super::account::{Account, Fan, Reply};
use super::codes::Code;
use super::messages::{CustomMessage, TemplateMessage};
use crate::wechat::people::Person;
use crate::wechat::service::Outbox;

impl OfficialAccount {
    /// A person follows the account: by a code (named by scene, ticket or address), or without one.
    ///
    /// # Errors
    /// When the person follows already, or no such code is good now.
    pub fn subscribe(&self, person: &Person, code: Option<&str>) -> Result<()> {
        self.with(|account, outbox, now| {
            let code = match code {
                Some(name) => Some(account.code(name, now).with_context(|| format!("no code {name}"))?.clone()),
                None => None,
            };
            let window = account.settings.after_other;
            let (openid, fan) = account.met(person);
            ensure!(!fan.is_subscribed, "{} follows already", person.id);
            fan.is_subscribed = true;
            fan.since = now;
            fan.scene = code.as_ref().map(|code| code.scene.clone()).unwrap_or_default();
            fan.scene_is_number = code.as_ref().is_some_and(|code| code.is_number);
            fan.interacts(now, window);
            let mut event = json!({ "MsgType": "event", "Event": "subscribe", "EventKey": "" });
            if let Some(code) = code {
                event["EventKey"] = format!("qrscene_{}", code.scene).into();
                event["Ticket"] = code.ticket.into();
            }
            account.tell(outbox, &openid, "subscribe", now, event);
            Ok(())
        })
    }

    /// A person scans a code (named by scene, ticket or address): whoever follows is seen scanning, anybody else follows.
    ///
    /// # Errors
    /// When no such code is good now.
    pub fn scan(&self, person: &Person, code: &str) -> Result<()> {
        let follows = self.fan(person).is_some_and(|fan| fan.is_subscribed);
        if !follows {
            return self.subscribe(person, Some(code));
        }
        self.with(|account, outbox, now| {
            let code = account.code(code, now).with_context(|| format!("no code {code}"))?.clone();
            let event = json!({ "MsgType": "event", "Event": "SCAN", "EventKey": code.scene, "Ticket": code.ticket });
            account.interact(outbox, person, "SCAN", event, now)
        })
    }

    /// A person stops following.
    ///
    /// # Errors
    /// When the person does not follow.
    pub fn unsubscribe(&self, person: &Person) -> Result<()> {
        self.with(|account, outbox, now| {
            let (openid, fan) = account.met(person);
            ensure!(fan.is_subscribed, "{} does not follow", person.id);
            fan.is_subscribed = false;
            fan.open = None;
            let event = json!({ "MsgType": "event", "Event": "unsubscribe", "EventKey": "" });
            account.tell(outbox, &openid, "unsubscribe", now, event);
            Ok(())
        })
    }

    /// A person writes.
    ///
    /// # Errors
    /// When the person does not follow.
    pub fn write(&self, person: &Person, text: &str) -> Result<()> {
        self.send(person, "text", json!({ "Content": text }))
    }

    /// A person sends a message of any type with these fields: `image` with `PicUrl` and `MediaId`, for instance.
    ///
    /// # Errors
    /// When the person does not follow.
    pub fn send(&self, person: &Person, kind: &str, mut fields: Value) -> Result<()> {
        self.with(|account, outbox, now| {
            fields["MsgType"] = kind.into();
            fields["MsgId"] = account.number().into();
            account.interact(outbox, person, kind, fields, now)
        })
    }

    /// A person presses a key of the menu.
    ///
    /// # Errors
    /// When the person does not follow.
    pub fn click(&self, person: &Person, key: &str) -> Result<()> {
        self.with(|account, outbox, now| {
            let event = json!({ "MsgType": "event", "Event": "CLICK", "EventKey": key });
            account.interact(outbox, person, "CLICK", event, now)
        })
    }

    /// A person opens a page from the menu, which is no reason to write to the person.
    ///
    /// # Errors
    /// When the person does not follow.
    pub fn view(&self, person: &Person, url: &str) -> Result<()> {
        self.with(|account, outbox, now| {
            let event = json!({ "MsgType": "event", "Event": "VIEW", "EventKey": url, "MenuId": 1 });
            account.interact(outbox, person, "VIEW", event, now)
        })
    }

    /// Whether a person lets no messages in.
    pub fn set_blocks(&self, person: &Person, blocks: bool) {
        self.with(|account, _, _| account.met(person).1.blocks = blocks);
    }

    /// The id that the account knows a person by.
    pub fn openid(&self, person: &Person) -> String {
        self.with(|account, _, _| person.openid(&account.settings.app_id))
    }

    /// What the account knows of a person.
    pub fn fan(&self, person: &Person) -> Option<Fan> {
        self.with(|account, _, _| account.fans.get(&person.openid(&account.settings.app_id)).cloned())
    }

    /// Every code, in the order in which they were made.
    pub fn codes(&self) -> Vec<Code> {
        self.with(|account, _, _| account.codes.clone())
    }

    /// The template messages that a person was sent.
    pub fn template_messages(&self, person: &Person) -> Vec<TemplateMessage> {
        let openid = self.openid(person);
        self.with(|account, _, _| account.templates.iter().filter(|sent| sent.openid == openid).cloned().collect())
    }

    /// The customer-service messages that a person was sent.
    pub fn custom_messages(&self, person: &Person) -> Vec<CustomMessage> {
        let openid = self.openid(person);
        self.with(|account, _, _| account.messages.iter().filter(|sent| sent.openid == openid).cloned().collect())
    }

    /// What the application answered a person at once.
    pub fn replies(&self, person: &Person) -> Vec<Reply> {
        let openid = self.openid(person);
        self.with(|account, _, _| account.replies.iter().filter(|reply| reply.openid == openid).cloned().collect())
    }

    /// How often a person was told that the account does not work, because the application answered nonsense.
    pub fn annoyances(&self, person: &Person) -> usize {
        let openid = self.openid(person);
        self.with(|account, _, _| account.annoyed.iter().filter(|annoyed| **annoyed == openid).count())
    }
}

impl Account {
    fn interact(&mut self, outbox: &mut Outbox, person: &Person, kind: &str, event: Value, now: i64) -> Result<()> {
        let is_event = event["MsgType"] == "event";
        let window = if is_event { self.settings.after_other } else { self.settings.after_message };
        let (openid, fan) = self.met(person);
        ensure!(fan.is_subscribed, "{} does not follow", person.id);
        if kind != "VIEW" {
            fan.interacts(now, window);
        }
        self.tell(outbox, &openid, kind, now, event);
        Ok(())
    }
}
