//! What the events about channels carry.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Version;
use crate::{
    ChannelCodeId, ContentId, CustomerId, FissionId, Identity, OrderId, OutboxId, ParticipantId, TagId, UnixMs,
};

/// WeCom told all that it knows of a contact, or the Official Account of a follower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactDetailed {
    /// Version of this payload.
    pub v: Version<1>,
    /// Who: the external_userid or the openid, and the unionid where the platform knows it. Sorted.
    pub identities: Vec<Identity>,
    /// Members of staff whose contact it is, sorted.
    pub follows: Vec<ContactFollow>,
    /// When the platform answered, UTC.
    pub at: UnixMs,
}

/// What a member of staff knows of a contact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactFollow {
    /// The member of staff, by WeCom's userid.
    pub staff: String,
    /// Since when, UTC.
    pub since: UnixMs,
    /// The company's tags on this pair, by WeCom's ids, sorted.
    pub tags: Vec<String>,
}

/// Tags of the company changed at WeCom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WecomTagsChanged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The tag or the group, by WeCom's id; absent where the order of all groups changed.
    pub id: Option<String>,
    /// Whether it is a group.
    pub group: bool,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: contacts of customers who have a tag are to be marked with it at WeCom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WecomMarksDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The tag.
    pub tag_id: TagId,
    /// The last customer who was looked at; absent at the beginning.
    pub after: Option<CustomerId>,
}

/// How the welcome of somebody who added a member of staff ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WelcomeOutcome {
    /// The platform took it with the welcome code.
    Sent,
    /// It went as an ordinary message, since there was no usable code. At WeCom that is a task: the member of staff has pressed send.
    SentAsMessage,
    /// Another app or the console had welcomed already, or the two were chatting (41051, 41096).
    AlreadyWelcomed,
    /// It was not sent within the code's twenty seconds, or not as a message within a day.
    Missed,
    /// The platform refused it.
    Refused,
    /// No code came with the contact, and no ordinary message was allowed.
    NoCode,
    /// Nothing is set to be said.
    Nothing,
}

impl WelcomeOutcome {
    /// Its name in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::SentAsMessage => "sent_as_message",
            Self::AlreadyWelcomed => "already_welcomed",
            Self::Missed => "missed",
            Self::Refused => "refused",
            Self::NoCode => "no_code",
            Self::Nothing => "nothing",
        }
    }
}

/// A timer: WeCom is to be asked whether a member of staff has sent a message that takes a welcome's place. Comes again while that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WelcomeResultDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The call with which the message was handed to the member of staff.
    pub outbox_id: OutboxId,
}

/// The welcome of a contact ended, one way or another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WelcomeEnded {
    /// Version of this payload.
    pub v: Version<1>,
    /// The channel code that the contact came by.
    pub code_id: Option<ChannelCodeId>,
    /// Who was welcomed.
    pub identities: Vec<Identity>,
    /// The member of staff, of contacts.
    pub staff: Option<String>,
    /// How it ended.
    pub outcome: WelcomeOutcome,
    /// From the callback to the platform's answer, in milliseconds, where something was sent.
    pub took_ms: Option<u32>,
    /// When, UTC.
    pub at: UnixMs,
}

/// The Official Account's platform told how the sending of a template message ended (`TEMPLATESENDJOBFINISH`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateMessageEnded {
    /// Version of this payload.
    pub v: Version<1>,
    /// To whom.
    pub identity: Identity,
    /// The platform's id of the message, as the call was answered.
    pub message_id: String,
    /// Whether it reached the person.
    pub delivered: bool,
    /// The platform's word: `success`, `failed:user block`, `failed: system failed`.
    pub status: String,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: who receives by a code is to be worked out again (a slot begins or ends, a day begins).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceptionDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The code.
    pub code_id: ChannelCodeId,
    /// Where it is there, the codes that share the daily caps of `code_id` are looked at too, those after this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing_after: Option<String>,
}

/// A timer: WeCom is to be asked who the contacts of a member of staff are. Callbacks may be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactsDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The member of staff, by WeCom's userid.
    pub staff: String,
}

/// A timer: which channels orders are owed to is to be worked out again, since the settings of that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributionDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// Which change of the settings this is, counted from 1. An older one than is in force does nothing.
    pub revision: i64,
    /// How many days of 24 hours before its payment an order is owed to touches.
    pub window_days: u32,
    /// After how many days of 24 hours a touch weighs half as much, where weights decay.
    pub half_life_days: u16,
    /// The last order that has been worked out again; absent at the beginning.
    pub after: Option<OrderId>,
}

/// Somebody asked for a code of one's own in a fission; told again when the same person asks from another device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FissionJoined {
    /// Version of this payload.
    pub v: Version<1>,
    /// The fission.
    pub fission_id: FissionId,
    /// The participation.
    pub participant_id: ParticipantId,
    /// Who.
    pub inviter: Identity,
    /// The keyed hash of the device that was asked from, where it is known.
    pub device: Option<String>,
    /// When, UTC.
    pub at: UnixMs,
}

/// What became of a friend's help in a fission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FissionHelpState {
    /// It counts.
    Counted,
    /// It does not count: the campaign's own rules or a suspicion of fraud.
    Refused,
    /// It counted, and no longer does: the friend has left again, or turned out to be somebody whose help does not count.
    Voided,
}

/// A friend came by an inviter's own code, or left again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FissionHelped {
    /// Version of this payload.
    pub v: Version<1>,
    /// The fission.
    pub fission_id: FissionId,
    /// The inviter's participation.
    pub participant_id: ParticipantId,
    /// The friend.
    pub friend: Identity,
    /// What became of it.
    pub state: FissionHelpState,
    /// Why it does not count: `self`, `loop`, `again`, `not_started`, `ended`, `depth`, `not_new`, `device`, `burst`, `left`.
    pub reason: Option<String>,
    /// How many helps of this inviter count now.
    pub helps: u32,
    /// When, UTC.
    pub at: UnixMs,
}

/// An inviter reached a level of a fission, and is owed its reward; or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FissionRewarded {
    /// Version of this payload.
    pub v: Version<1>,
    /// The fission.
    pub fission_id: FissionId,
    /// The inviter's participation.
    pub participant_id: ParticipantId,
    /// The inviter.
    pub inviter: Identity,
    /// The level, from 1.
    pub level: u32,
    /// The reward, in the words of the campaign.
    pub reward: String,
    /// When, UTC.
    pub at: UnixMs,
}

/// A person has opened one content so often that the advisor is to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentRevisited {
    /// Version of this payload.
    pub v: Version<1>,
    /// The content.
    pub content_id: ContentId,
    /// Who.
    pub identities: Vec<Identity>,
    /// The member of staff who shared it.
    pub staff: Option<String>,
    /// How often by now.
    pub times: u32,
    /// When, UTC.
    pub at: UnixMs,
}
