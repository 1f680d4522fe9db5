//! What people do where nobody sells: pages, menus, live rooms, lessons, test drives. Sources of all kinds tell it through one open
//! door (`POST /hooks/events`).

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::RelationSide;

/// What a person did, or what became known of one. Carries no personal data in clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Activity {
    /// A page was viewed.
    PageViewed {
        /// The page, as the source names it.
        page: Option<String>,
        /// The merchant's product code, when the page shows a product.
        product: Option<String>,
        /// The product's category, as the merchant names it.
        category: Option<String>,
        /// How long, in milliseconds.
        dwell_ms: Option<u32>,
    },
    /// Somebody stayed on a menu.
    MenuDwelled {
        /// The menu, as the source names it.
        menu: Option<String>,
        /// How long, in milliseconds.
        dwell_ms: u32,
    },
    /// A code was scanned.
    CodeScanned {
        /// The channel code.
        code: String,
    },
    /// An account, a live room or a shop got a new follower.
    AccountFollowed {
        /// The account.
        account: String,
    },
    /// A follower went.
    AccountUnfollowed {
        /// The account.
        account: String,
    },
    /// A tracked link was opened.
    LinkOpened {
        /// The link.
        link: String,
    },
    /// A tracked link was left again.
    LinkLeft {
        /// The link.
        link: String,
        /// How long it was open, in milliseconds.
        dwell_ms: u32,
        /// How much of it was seen, in percent.
        depth_percent: Option<u8>,
    },
    /// Something was passed on to others.
    ContentShared {
        /// What.
        content: String,
    },
    /// A form was submitted. Its values are in the profile, not here.
    FormSubmitted {
        /// The form.
        form: String,
        /// Names of the fields that were filled.
        fields: Vec<String>,
    },
    /// Somebody said something in a live room. The text is kept sealed, not here.
    LiveCommented {
        /// The live room.
        room: String,
        /// The merchant's keywords that the text has, sorted.
        keywords: Vec<String>,
    },
    /// A lesson was attended.
    LessonAttended {
        /// The course.
        course: String,
        /// The lesson.
        lesson: String,
        /// How long, in minutes.
        minutes: Option<u32>,
    },
    /// A course got on.
    CourseProgressed {
        /// The course.
        course: String,
        /// How far, in percent of the whole.
        percent: u8,
    },
    /// A vehicle was test-driven.
    VehicleTestDriven {
        /// The model.
        model: String,
    },
    /// A consultation was held.
    ConsultationHeld {
        /// What about.
        topic: String,
        /// How long, in minutes.
        minutes: Option<u32>,
    },
    /// A device was sold, or registered.
    DeviceSold {
        /// The model.
        model: String,
    },
    /// A telephone call was held.
    CallHeld {
        /// How long, in seconds.
        seconds: u32,
    },
    /// A person became the contact of a member of staff (`staff` of the event) at WeCom.
    ContactAdded {
        /// The channel code that it came by.
        code: Option<String>,
        /// Whether the member of staff has not confirmed it yet.
        half: bool,
    },
    /// A person is no longer the contact of a member of staff.
    ContactRemoved {
        /// Who ended it.
        by: RelationSide,
    },
    /// A person joined a group chat.
    GroupJoined {
        /// The group, by the platform's id.
        group: String,
        /// The channel code that it came by.
        code: Option<String>,
        /// How, where the platform says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scene: Option<JoinScene>,
    },
    /// A person left a group chat.
    GroupLeft {
        /// The group, by the platform's id.
        group: String,
        /// Why, where the platform says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<LeaveReason>,
    },
    /// A person wrote. The text is kept sealed, not here.
    MessageSent {
        /// Where: the account.
        account: String,
        /// What it was: `text`, `image`, `voice`, `location`, in the platform's word.
        form: String,
        /// The merchant's keywords that the text has, sorted.
        keywords: Vec<String>,
    },
    /// A menu of an account was used.
    MenuUsed {
        /// The account.
        account: String,
        /// The menu's key or address.
        menu: String,
    },
    /// The birthday became known, without the year.
    BirthdayTold {
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
    /// The level in a membership elsewhere became known.
    MemberLevelTold {
        /// The membership: `taobao`, `own`.
        program: String,
        /// The level, in the program's own word.
        level: String,
    },
}

/// How a person joined a group chat (developer.work.weixin.qq.com 92122, `join_scene`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoinScene {
    /// A member invited the person.
    Invitation,
    /// A member's link invited the person.
    InvitationLink,
    /// By a code.
    Code,
}

/// Why a person is no longer in a group chat (developer.work.weixin.qq.com 92130, `QuitScene`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// The person went.
    Left,
    /// The chat's owner or an administrator removed the person.
    Removed,
    /// The chat was dismissed.
    Dismissed,
}

impl LeaveReason {
    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Removed => "removed",
            Self::Dismissed => "dismissed",
        }
    }
}

impl FromStr for LeaveReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Left, Self::Removed, Self::Dismissed]
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| format!("{text} is no reason to leave"))
    }
}

impl Activity {
    /// Its kind, as in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::PageViewed { .. } => "page_viewed",
            Self::MenuDwelled { .. } => "menu_dwelled",
            Self::CodeScanned { .. } => "code_scanned",
            Self::AccountFollowed { .. } => "account_followed",
            Self::AccountUnfollowed { .. } => "account_unfollowed",
            Self::LinkOpened { .. } => "link_opened",
            Self::LinkLeft { .. } => "link_left",
            Self::ContentShared { .. } => "content_shared",
            Self::FormSubmitted { .. } => "form_submitted",
            Self::LiveCommented { .. } => "live_commented",
            Self::LessonAttended { .. } => "lesson_attended",
            Self::CourseProgressed { .. } => "course_progressed",
            Self::VehicleTestDriven { .. } => "vehicle_test_driven",
            Self::ConsultationHeld { .. } => "consultation_held",
            Self::DeviceSold { .. } => "device_sold",
            Self::CallHeld { .. } => "call_held",
            Self::ContactAdded { .. } => "contact_added",
            Self::ContactRemoved { .. } => "contact_removed",
            Self::GroupJoined { .. } => "group_joined",
            Self::GroupLeft { .. } => "group_left",
            Self::MessageSent { .. } => "message_sent",
            Self::MenuUsed { .. } => "menu_used",
            Self::BirthdayTold { .. } => "birthday_told",
            Self::MemberLevelTold { .. } => "member_level_told",
        }
    }
}
