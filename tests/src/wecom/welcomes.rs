//! Welcome messages: a code comes with the add event, lives for seconds, and works once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::corp::Corp;
use super::fields::message;
use crate::wechat::service::Asked;
use crate::wechat::{Refused, text};

const MISSING: Refused = Refused(41049, "missing welcome code");
const INVALID: Refused = Refused(41050, "invalid welcome code");
const CHATTING: Refused = Refused(41051, "they are chatting already");

/// A welcome message that a customer got.
#[derive(Clone, Debug)]
pub struct Welcome {
    /// The member in whose name it came.
    pub userid: String,
    /// The customer.
    pub external_userid: String,
    /// The whole call: `text`, `attachments`.
    pub message: Value,
    /// When, Unix ms of the platform's clock.
    pub at: i64,
    /// From the moment when the callback with the code first went out, until the call with the message came; in earnest, whatever
    /// the platform's clock says.
    pub after: Duration,
}

/// All codes, and what was sent with them.
#[derive(Debug, Default)]
pub(super) struct Welcomes {
    codes: BTreeMap<String, Code>,
    /// Which code went out with which callback.
    callbacks: BTreeMap<String, String>,
    pub(super) sent: Vec<Welcome>,
}

#[derive(Debug)]
pub(super) struct Code {
    userid: String,
    external_userid: String,
    /// When the callback with it went out; none while it waits.
    told: Option<(i64, Instant)>,
    /// Whether it came before the member had agreed.
    is_half: bool,
    is_used: bool,
}

impl Welcomes {
    pub(super) fn issue(&mut self, code: &str, userid: &str, external: &str, callback: &str, is_half: bool) {
        let (userid, external_userid) = (userid.to_owned(), external.to_owned());
        self.codes.insert(code.to_owned(), Code { userid, external_userid, told: None, is_half, is_used: false });
        self.callbacks.insert(callback.to_owned(), code.to_owned());
    }

    /// A callback goes out: the code's life begins, unless this is a second time.
    pub(super) fn sent(&mut self, callback: &str, now: i64) {
        if let Some(code) = self.callbacks.get(callback).and_then(|code| self.codes.get_mut(code)) {
            code.told.get_or_insert_with(|| (now, Instant::now()));
        }
    }

    /// Whether a code that came to these two before the member had agreed was used.
    pub(super) fn is_used_half(&self, userid: &str, external: &str) -> bool {
        let theirs = |code: &&Code| code.userid == userid && code.external_userid == external;
        self.codes.values().filter(theirs).any(|code| code.is_half && code.is_used)
    }

    /// They chat: no code of theirs is good any more.
    pub(super) fn end(&mut self, userid: &str, external: &str) {
        let theirs = |code: &&mut Code| code.userid == userid && code.external_userid == external;
        self.codes.values_mut().filter(theirs).for_each(|code| code.is_used = true);
    }
}

impl Corp {
    pub(super) fn send_welcome(&mut self, call: &Asked) -> Result<Value, Refused> {
        let life = self.settings.welcome_seconds * 1000;
        let given = text(&call.body["welcome_code"]);
        if given.is_empty() {
            return Err(MISSING);
        }
        let code = self.welcomes.codes.get_mut(given).ok_or(INVALID)?;
        if code.is_used {
            return Err(CHATTING);
        }
        let (told, instant) = code.told.ok_or(INVALID)?;
        if call.now - told > life {
            return Err(INVALID);
        }
        message(&call.body)?;
        code.is_used = true;
        let after = call.arrived.saturating_duration_since(instant);
        let (userid, external_userid) = (code.userid.clone(), code.external_userid.clone());
        let mut message = call.body.clone();
        if let Some(message) = message.as_object_mut() {
            message.remove("welcome_code");
        }
        self.welcomes.sent.push(Welcome { userid, external_userid, message, at: call.now, after });
        Ok(json!({}))
    }
}
