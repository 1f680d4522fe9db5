//! Transfers of customers from one member to another: in service (在职继承) and after leaving (离职继承).

use serde_json::{Value, json};

use super::contacts::Follow;
use super::corp::Corp;
use super::fields::{BAD, NO_CONTACT, NO_MEMBER, short};
use crate::wechat::service::{Asked, Outbox};
use crate::wechat::{Refused, text, texts};

const DAY: i64 = 86_400_000;
/// After so long a transfer completes by itself.
const WAIT: i64 = DAY;
/// Within so long a customer is passed on twice at most.
const PROTECTED: i64 = 90 * DAY;
const NOT_LEFT: Refused = Refused(40097, "the member has not left yet");
const TOO_OFTEN: i64 = 40128;
const UNDER_WAY: i64 = 40129;
const SAME: Refused = Refused(40130, "handover and takeover are the same");
const NOT_FOLLOWED: i64 = 40131;
const FULL: i64 = 40099;

/// A customer on the way from one member to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Who gives.
    pub handover: String,
    /// Who takes.
    pub takeover: String,
    /// The customer.
    pub external_userid: String,
    /// When it was asked for, Unix ms.
    pub at: i64,
    /// What came of it; none while it waits.
    pub outcome: Option<Outcome>,
    is_of_left: bool,
}

/// How a transfer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The customer has another member now.
    Done,
    /// The customer does not want to.
    Refused,
    /// The other member has as many customers as can be.
    Full,
}

impl Corp {
    pub(super) fn transfer(&mut self, call: &Asked) -> Result<Value, Refused> {
        self.member(text(&call.body["handover_userid"]))?;
        short(&call.body["transfer_success_msg"], 200)?;
        self.start_transfers(call, false)
    }

    pub(super) fn transfer_of_left(&mut self, call: &Asked) -> Result<Value, Refused> {
        let handover = text(&call.body["handover_userid"]);
        if self.members.contains_key(handover) {
            return Err(NOT_LEFT);
        }
        if !self.left.contains(handover) {
            return Err(NO_MEMBER);
        }
        self.start_transfers(call, true)
    }

    fn start_transfers(&mut self, call: &Asked, is_of_left: bool) -> Result<Value, Refused> {
        let (handover, takeover) = (text(&call.body["handover_userid"]), text(&call.body["takeover_userid"]));
        self.member(takeover)?;
        let customers = texts(&call.body["external_userid"], BAD)?;
        if customers.is_empty() || customers.len() > 100 {
            return Err(BAD);
        }
        if handover == takeover {
            return Err(SAME);
        }
        let mut answer = Vec::new();
        for external in customers {
            let code = self.obstacle(handover, takeover, &external, is_of_left, call.now);
            if code == 0 {
                let (handover, takeover) = (handover.to_owned(), takeover.to_owned());
                let external_userid = external.clone();
                self.transfers.push(Transfer {
                    handover,
                    takeover,
                    external_userid,
                    at: call.now,
                    outcome: None,
                    is_of_left,
                });
            }
            answer.push(json!({ "external_userid": external, "errcode": code }));
        }
        Ok(json!({ "customer": answer }))
    }

    /// Why a customer cannot be passed on; 0 when nothing speaks against it.
    fn obstacle(&self, handover: &str, takeover: &str, external: &str, is_of_left: bool, now: i64) -> i64 {
        let follow = self.follows.get(&(handover.to_owned(), external.to_owned()));
        let of = self.transfers.iter().filter(|transfer| transfer.external_userid == external);
        let recent = |transfer: &&Transfer| {
            !transfer.is_of_left && transfer.outcome == Some(Outcome::Done) && now - transfer.at < PROTECTED
        };
        match () {
            () if !self.people.contains_key(external) => 40096,
            () if !follow.is_some_and(|follow| follow.is_listed) => NOT_FOLLOWED,
            () if of.clone().any(|transfer| transfer.outcome.is_none()) => UNDER_WAY,
            () if !is_of_left && of.filter(recent).count() >= 2 => TOO_OFTEN,
            () if self.is_full(takeover) => FULL,
            () => 0,
        }
    }

    pub(super) fn transfer_result(&mut self, call: &Asked) -> Result<Value, Refused> {
        let (handover, takeover) = (text(&call.body["handover_userid"]), text(&call.body["takeover_userid"]));
        if handover.is_empty() || takeover.is_empty() {
            return Err(BAD);
        }
        let of =
            self.transfers.iter().filter(|transfer| transfer.handover == handover && transfer.takeover == takeover);
        let list: Vec<_> = of
            .map(|transfer| {
                let status = match transfer.outcome {
                    Some(Outcome::Done) => 1,
                    None => 2,
                    Some(Outcome::Refused) => 3,
                    Some(Outcome::Full) => 4,
                };
                let takes = (transfer.at + WAIT) / 1000;
                json!({ "external_userid": transfer.external_userid, "status": status, "takeover_time": takes })
            })
            .collect();
        Ok(json!({ "customer": list, "next_cursor": "" }))
    }

    /// What has waited for a day is done.
    pub(super) fn finish_transfers(&mut self, now: i64, outbox: &mut Outbox) {
        while let Some(place) =
            self.transfers.iter().position(|transfer| transfer.outcome.is_none() && now >= transfer.at + WAIT)
        {
            let full = self.is_full(&self.transfers[place].takeover);
            self.end_transfer(place, if full { Outcome::Full } else { Outcome::Done }, now, outbox);
        }
    }

    pub(super) fn end_transfer(&mut self, place: usize, outcome: Outcome, now: i64, outbox: &mut Outbox) {
        self.transfers[place].outcome = Some(outcome);
        let Transfer { handover, takeover, external_userid: external, is_of_left, .. } = self.transfers[place].clone();
        let event = "change_external_contact";
        let reason = match outcome {
            Outcome::Done => None,
            Outcome::Refused => Some("customer_refused"),
            Outcome::Full => Some("customer_limit_exceed"),
        };
        if reason.is_some() {
            let more = json!({ "FailReason": reason, "UserID": takeover, "ExternalUserID": external });
            self.tell(outbox, event, "transfer_fail", now, more);
            return;
        }
        let passed = self.follows.get_mut(&(handover.clone(), external.clone())).map(|follow| {
            follow.is_listed = false;
            follow.is_friend = false;
            follow.clone()
        });
        if !is_of_left {
            let more = json!({ "UserID": handover, "ExternalUserID": external, "Source": "DELETE_BY_TRANSFER" });
            self.tell(outbox, event, "del_external_contact", now, more);
        }
        let key = (takeover.clone(), external.clone());
        // Nothing is told where the two know each other already.
        if self.follows.get(&key).is_some_and(|follow| follow.is_listed && follow.is_friend) {
            return;
        }
        // Remark and tags of the corp go along.
        let Follow { remark, tags, .. } = passed.unwrap_or_default();
        let follow =
            Follow { is_listed: true, is_friend: true, since: now, add_way: 202, remark, tags, ..Follow::default() };
        self.follows.insert(key, follow);
        self.tell(
            outbox,
            event,
            "add_external_contact",
            now,
            json!({ "UserID": takeover, "ExternalUserID": external }),
        );
    }

    pub(super) fn waiting_transfer(&self, external: &str) -> Result<usize, Refused> {
        let waits = |transfer: &Transfer| transfer.external_userid == external && transfer.outcome.is_none();
        self.transfers.iter().position(waits).ok_or(NO_CONTACT)
    }
}
