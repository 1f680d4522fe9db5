//! What WeCom answers, as the courier keeps it (sealed) with the call. Reading it back is `serde_json::from_slice::<Answer>`.

use domain::{Secret, UnixMs, WelcomeOutcome};
use serde::{Deserialize, Serialize};

use crate::wechat::talk::clear;

/// The answer to an [`super::Ask`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// To [`super::Ask::AddContactWay`].
    ContactWayAdded(WayAdded),
    /// To [`super::Ask::GetContactWay`].
    ContactWay(ContactWayFound),
    /// To [`super::Ask::AddJoinWay`].
    JoinWayAdded(WayAdded),
    /// To [`super::Ask::GetJoinWay`].
    JoinWay(JoinWayFound),
    /// To [`super::Ask::Welcome`].
    WelcomeSent {
        /// How it ended.
        outcome: WelcomeOutcome,
    },
    /// To [`super::Ask::GetContact`].
    Contact(Contact),
    /// To [`super::Ask::ListContacts`].
    Contacts {
        /// Those whom the member of staff has, sorted: also those who have deleted the member of staff.
        contacts: Vec<String>,
    },
    /// To [`super::Ask::ListTags`].
    Tags {
        /// Groups of tags with their tags.
        groups: Vec<TagGroup>,
    },
    /// To [`super::Ask::AddTags`]: the group, and of its tags at least those that were named.
    TagsAdded(TagGroup),
    /// To [`super::Ask::MessageContacts`].
    MessageTask(MessageTask),
    /// To [`super::Ask::MessageResults`].
    MessageResults(MessageResults),
    /// To [`super::Ask::MessageStaff`].
    StaffMessaged(StaffMessaged),
    /// To [`super::Ask::Transfer`].
    Transferred(Transferred),
    /// To [`super::Ask::TransferResult`].
    TransferState {
        /// How each contact fares.
        contacts: Vec<TransferredContact>,
    },
    /// To [`super::Ask::GetGroup`].
    Group(Group),
    /// It was done.
    Done,
}

/// A way that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayAdded {
    /// Its id. The console does not show it: who loses it cannot change the way any more.
    pub config_id: String,
    /// The address of its QR code's picture; for ways into groups it may be missing and is to be asked for then.
    pub qr_code: Option<String>,
}

/// A contact way as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactWayFound {
    /// Its id.
    pub config_id: String,
    /// The address of its QR code's picture.
    pub qr_code: Option<String>,
    /// Who receives.
    pub staff: Vec<String>,
    /// What comes back with each contact.
    pub state: Option<String>,
    /// The note.
    pub remark: Option<String>,
}

/// A way into groups as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinWayFound {
    /// Its id.
    pub config_id: String,
    /// The address of its QR code's picture.
    pub qr_code: Option<String>,
    /// The groups.
    pub groups: Vec<String>,
    /// What comes back with each member.
    pub state: Option<String>,
    /// The note.
    pub remark: Option<String>,
}

/// What is known of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The contact.
    pub contact: String,
    /// The name that the contact goes by. Personal data.
    #[serde(default, serialize_with = "clear::optional")]
    pub name: Option<Secret<String>>,
    /// The person over all accounts of the merchant's open platform; absent where WeCom does not know it.
    pub union_id: Option<String>,
    /// Of WeChat or of WeCom; absent where the platform says neither.
    pub kind: Option<ContactKind>,
    /// Members of staff who know the contact.
    pub follows: Vec<Follow>,
}

/// Where a contact is at home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// A user of WeChat.
    Wechat,
    /// A member of another company at WeCom.
    Wecom,
}

/// What a member of staff knows of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// The member of staff.
    pub staff: String,
    /// Since when.
    pub since: UnixMs,
    /// The name that the member of staff gave the contact. Personal data.
    #[serde(default, serialize_with = "clear::optional")]
    pub remark: Option<Secret<String>>,
    /// The company's tags; those that the member of staff keeps for itself have no id and are left out.
    pub tags: Vec<TagRef>,
    /// The `state` of the way by which the contact came.
    pub state: Option<String>,
    /// How they met: 1 by a QR code, 2 by phone number, 3 by a card, 4 in a group, 16 by a link, 202 assigned, and others.
    pub add_way: Option<i64>,
}

/// A tag on a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagRef {
    /// The tag.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its group's name.
    pub group: String,
}

/// A group of tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagGroup {
    /// The group.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// A tag of the company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The tag.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A message to contacts that staff are now to send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTask {
    /// Its id; absent where nobody was left to send it to.
    pub message_id: Option<String>,
    /// Contacts whom the platform refused.
    pub failed: Vec<String>,
    /// Contacts who have had as many messages as the merchant's own rule allows: they were left out.
    pub over_limit: Vec<String>,
}

/// What became of a message to contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageResults {
    /// Members of staff who were to send it.
    pub tasks: Vec<Task>,
    /// Contacts who were to receive it.
    pub receipts: Vec<Receipt>,
}

/// What a member of staff did with a message to contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The member of staff.
    pub staff: String,
    /// When it was sent; absent as long as it is not.
    pub sent_at: Option<UnixMs>,
    /// Whether it was sent.
    pub sent: bool,
}

/// What became of a message to one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The contact.
    pub contact: String,
    /// The member of staff.
    pub staff: String,
    /// How it ended.
    pub status: ReceiptStatus,
    /// When it was sent; absent where it was not.
    pub sent_at: Option<UnixMs>,
}

/// How a message to one contact ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    /// The member of staff has not sent it.
    Waiting,
    /// Sent.
    Sent,
    /// The contact is no longer a contact of the member of staff.
    NotAContact,
    /// The contact has had another message by the platform's own rule.
    OverLimit,
    /// A status that is not known here.
    Unknown,
}

/// A message to staff that went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffMessaged {
    /// Its id.
    pub message_id: Option<String>,
    /// Members of staff whom the platform does not know or whom the app must not see.
    pub invalid: Vec<String>,
    /// Members of staff without a licence.
    pub unlicensed: Vec<String>,
}

/// A handover that began. It completes by itself after 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transferred {
    /// Contacts whose handover began.
    pub started: Vec<String>,
    /// Contacts whose handover was refused.
    pub refused: Vec<TransferRefused>,
}

/// A contact who is not handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferRefused {
    /// The contact.
    pub contact: String,
    /// The platform's code.
    pub code: i64,
}

/// How a contact's handover fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferredContact {
    /// The contact.
    pub contact: String,
    /// How it fares.
    pub status: TransferStatus,
    /// When the contact changed hands; absent as long as it has not.
    pub at: Option<UnixMs>,
}

/// How a handover fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStatus {
    /// The contact has changed hands.
    Done,
    /// It will, if the contact does not refuse.
    Waiting,
    /// The contact refused.
    Refused,
    /// The receiving member of staff has no room.
    Full,
    /// The platform knows of no handover.
    None,
    /// A status that is not known here.
    Unknown,
}

/// A group of customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The group.
    pub group: String,
    /// Its name.
    pub name: Option<String>,
    /// The member of staff who owns it.
    pub owner: String,
    /// When it was made.
    pub created_at: Option<UnixMs>,
    /// Its members.
    pub members: Vec<GroupMember>,
    /// The version of the list of members; notices name it.
    pub version: Option<String>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// A userid or an external_userid.
    pub id: String,
    /// Whether it is a member of staff.
    pub is_staff: bool,
    /// The person over all accounts of the merchant's open platform, where WeCom knows it.
    pub union_id: Option<String>,
    /// Since when.
    pub joined_at: Option<UnixMs>,
    /// How: 1 invited by a member, 2 by a link, 3 by a code.
    pub join_scene: Option<i64>,
    /// The `state` of the way by which the member came.
    pub state: Option<String>,
}
