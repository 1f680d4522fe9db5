//! What WeCom is asked: questions and commands as they lie in the outbox. No personal data: a person's name is fetched when the call goes out
//! ([`super::CUSTOMER`]).

use domain::UnixMs;
use serde::{Deserialize, Serialize};

use super::{ContactWay, DESTINATION, JoinWay, Message, WELCOME_DESTINATION};

/// A question or command. Staff are named by their userid, contacts by their external_userid, groups by their chat id, all else by
/// WeCom's ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// A new contact way (联系我).
    AddContactWay {
        /// What it is to be.
        way: ContactWay,
    },
    /// Change a contact way. Whether it is exclusive and whether it is for several stays as it was made: the platform changes neither.
    UpdateContactWay {
        /// The way.
        config_id: String,
        /// What it is to be.
        way: ContactWay,
    },
    /// Take a contact way away. One that is gone already is as good.
    DeleteContactWay {
        /// The way.
        config_id: String,
    },
    /// How a contact way stands.
    GetContactWay {
        /// The way.
        config_id: String,
    },
    /// A new way into groups (加入群聊).
    AddJoinWay {
        /// What it is to be.
        way: JoinWay,
    },
    /// Change a way into groups.
    UpdateJoinWay {
        /// The way.
        config_id: String,
        /// What it is to be.
        way: JoinWay,
    },
    /// Take a way into groups away. One that is gone already is as good.
    DeleteJoinWay {
        /// The way.
        config_id: String,
    },
    /// How a way into groups stands.
    GetJoinWay {
        /// The way.
        config_id: String,
    },
    /// Greet a contact who was just added.
    Welcome {
        /// The code that came with the contact; good once, for twenty seconds.
        welcome_code: String,
        /// The contact.
        contact: String,
        /// The member of staff in whose name it goes out.
        staff: String,
        /// When the code ends.
        until: UnixMs,
        /// What is said.
        message: Message,
    },
    /// All that WeCom knows of a contact.
    GetContact {
        /// The contact.
        contact: String,
    },
    /// Who the contacts of a member of staff are.
    ListContacts {
        /// The member of staff.
        staff: String,
    },
    /// What a member of staff sees beside a contact's name.
    SetRemark {
        /// The member of staff.
        staff: String,
        /// The contact.
        contact: String,
        /// The remark (备注名), which stands in the name's place; absent leaves it.
        #[serde(default)]
        remark: Option<String>,
        /// The description; absent leaves it.
        #[serde(default)]
        description: Option<String>,
    },
    /// Put the company's tags on a contact, and take others away.
    MarkTags {
        /// The member of staff.
        staff: String,
        /// The contact.
        contact: String,
        /// Tags to put on.
        #[serde(default)]
        add: Vec<String>,
        /// Tags to take away.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// The company's tags; all of them when nothing is named.
    ListTags {
        /// Tags.
        #[serde(default)]
        tags: Vec<String>,
        /// Groups of tags.
        #[serde(default)]
        groups: Vec<String>,
    },
    /// New tags in a group of tags. What is there already is found and as good.
    AddTags {
        /// The group, by its id.
        #[serde(default)]
        group_id: Option<String>,
        /// The group, by its name: made where there is none.
        #[serde(default)]
        group_name: Option<String>,
        /// The tags' names.
        names: Vec<String>,
    },
    /// Rename a tag or a group of tags.
    EditTag {
        /// The tag or group.
        id: String,
        /// Its new name.
        name: String,
    },
    /// Take tags and groups of tags away. What is gone already is as good.
    DeleteTags {
        /// Tags.
        #[serde(default)]
        tags: Vec<String>,
        /// Groups of tags.
        #[serde(default)]
        groups: Vec<String>,
    },
    /// A message to contacts (群发): a task, which staff confirm on their phones.
    MessageContacts {
        /// The contacts.
        contacts: Vec<String>,
        /// Who is to send; absent leaves it to the platform, which takes whoever is in touch.
        #[serde(default)]
        sender: Option<String>,
        /// What is said.
        message: Message,
    },
    /// What became of a message to contacts.
    MessageResults {
        /// Its id.
        message_id: String,
    },
    /// A message of the app to staff.
    MessageStaff {
        /// The members of staff.
        staff: Vec<String>,
        /// What is said.
        text: String,
        /// Where it leads.
        #[serde(default)]
        link: Option<String>,
    },
    /// Hand contacts over to another member of staff.
    Transfer {
        /// Who had them.
        from: String,
        /// Who receives them.
        to: String,
        /// The contacts.
        contacts: Vec<String>,
        /// What the contacts are told; only in service, and the platform's own words when absent.
        #[serde(default)]
        message: Option<String>,
        /// Whether `from` has left the company.
        resigned: bool,
    },
    /// How a handover fares.
    TransferResult {
        /// Who had them.
        from: String,
        /// Who receives them.
        to: String,
        /// Whether `from` has left the company.
        resigned: bool,
    },
    /// A group of customers and its members.
    GetGroup {
        /// The group.
        group: String,
    },
}

impl Ask {
    /// Its name: the outbox's `operation`. The platform limits each by itself.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::AddContactWay { .. } => "add_contact_way",
            Self::UpdateContactWay { .. } => "update_contact_way",
            Self::DeleteContactWay { .. } => "delete_contact_way",
            Self::GetContactWay { .. } => "get_contact_way",
            Self::AddJoinWay { .. } => "add_join_way",
            Self::UpdateJoinWay { .. } => "update_join_way",
            Self::DeleteJoinWay { .. } => "delete_join_way",
            Self::GetJoinWay { .. } => "get_join_way",
            Self::Welcome { .. } => "welcome",
            Self::GetContact { .. } => "get_contact",
            Self::ListContacts { .. } => "list_contacts",
            Self::SetRemark { .. } => "set_remark",
            Self::MarkTags { .. } => "mark_tags",
            Self::ListTags { .. } => "list_tags",
            Self::AddTags { .. } => "add_tags",
            Self::EditTag { .. } => "edit_tag",
            Self::DeleteTags { .. } => "delete_tags",
            Self::MessageContacts { .. } => "message_contacts",
            Self::MessageResults { .. } => "message_results",
            Self::MessageStaff { .. } => "message_staff",
            Self::Transfer { .. } => "transfer",
            Self::TransferResult { .. } => "transfer_result",
            Self::GetGroup { .. } => "get_group",
        }
    }

    /// The outbox's `destination`.
    pub const fn destination(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => WELCOME_DESTINATION,
            _ => DESTINATION,
        }
    }

    /// Whether the platform would take it, by the limits that it documents.
    ///
    /// # Errors
    /// What to change, in words.
    pub fn check(&self) -> Result<(), String> {
        super::limits::check(self)
    }

    /// The contact whose name it says, if it says one.
    pub(super) fn greeted(&self) -> Option<&str> {
        match self {
            Self::Welcome { contact, message, .. } => Some(contact.as_str()).filter(|_| message.names_customer()),
            Self::SetRemark { contact, remark, description, .. } => {
                let named = [remark, description].into_iter().flatten().any(|text| text.contains(super::CUSTOMER));
                Some(contact.as_str()).filter(|_| named)
            }
            Self::MessageContacts { contacts, message, .. } => match contacts.as_slice() {
                [contact] if message.names_customer() => Some(contact),
                _ => None,
            },
            _ => None,
        }
    }
}
