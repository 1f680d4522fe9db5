//! Channel codes: what can be scanned, and the plan that people write for one.

use crate::link::{Target, Utm, check_address};
use crate::mistake::{Mistake, ensure, mistake};
use crate::place::Place;
use crate::reception::Reception;
use crate::welcome::Welcome;
use domain::TagId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// What is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// WeCom's contact way for several members of staff (联系我): WeCom picks one of those who receive now.
    ContactWay,
    /// A page that sends each scanner to one member of staff, so that weights and caps hold exactly however many scan at once.
    Assigned,
    /// WeCom's way into a chain of group chats (加入群聊).
    GroupWay,
    /// A permanent QR of the Official Account.
    Account,
    /// A QR of the Official Account that works for thirty days at the most.
    AccountTemporary,
    /// The code of a chain: leads to the nearest store's page.
    Store,
    /// A link with UTM parameters.
    Link,
}

impl CodeKind {
    const ALL: [Self; 7] = [
        Self::ContactWay,
        Self::Assigned,
        Self::GroupWay,
        Self::Account,
        Self::AccountTemporary,
        Self::Store,
        Self::Link,
    ];

    /// Whether it leads to an Official Account.
    pub const fn is_account(self) -> bool {
        matches!(self, Self::Account | Self::AccountTemporary)
    }

    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContactWay => "contact_way",
            Self::Assigned => "assigned",
            Self::GroupWay => "group_way",
            Self::Account => "account",
            Self::AccountTemporary => "account_temporary",
            Self::Store => "store",
            Self::Link => "link",
        }
    }
}

impl fmt::Display for CodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CodeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("use one of {}", known()))
    }
}

/// What happens to who comes by a code. Which parts a code needs depends on its kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// Who receives: of contact ways and assigned codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reception: Option<Reception>,
    /// Whether contacts have to be confirmed by the member of staff.
    pub confirm: bool,
    /// Of assigned codes: for how many minutes a scanner who has not added yet holds a place under the daily cap; 30 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1440)]
    pub hold_minutes: Option<u32>,
    /// The chain of group chats, by WeCom's ids: of group ways. The first that is not full is joined.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// From how many members on a group chat counts as full; 190 unless given (WeCom's own limit for joining by code is 200).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 2, maximum = 200)]
    pub group_size: Option<u32>,
    /// Of temporary codes: for how many seconds it works, 2,592,000 (thirty days) at the most and unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 60, maximum = 2_592_000)]
    pub seconds: Option<u32>,
    /// Where a link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What a link tells the page that it leads to; what the visit brings with it wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm: Option<Utm>,
    /// The stores of a chain's code, the nearest of which is led to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Branch>,
    /// What customers are told that the store is called, in welcomes, at most 30 characters; the last part of its path where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 30)]
    pub store_name: Option<String>,
    /// What is said to who comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub welcome: Option<Welcome>,
    /// Whether the welcome may go out as a message to be confirmed by staff where no welcome code came.
    pub welcome_by_message: bool,
    /// Tags that who comes is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagId>,
    /// What the member of staff sees in the name's place, at most 20 characters; `{customer}` is the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// What the member of staff sees besides, at most 150 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A store of a chain, as its code leads to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// What people call it, 1 to 100 characters.
    pub name: String,
    /// Where it is, GCJ-02: as Chinese maps show it.
    pub place: Place,
    /// Its page: `https://…`, such as the address of its own code.
    pub url: String,
}

/// How long a scanner holds a place, in minutes, unless the plan says.
const HOLD_MINUTES: u32 = 30;
/// From how many members on a group is full, unless the plan says.
const GROUP_SIZE: u32 = 190;
/// How long a temporary code works at the most, in seconds.
const LONGEST_SECONDS: u32 = 2_592_000;

impl Plan {
    /// Whether a code of this kind can go by the plan. Warnings, in words.
    ///
    /// # Errors
    /// What to change, and where.
    pub fn check(&self, kind: CodeKind) -> Result<Vec<String>, Mistake> {
        let needs = |has: bool, kinds: &[CodeKind], path: &str| {
            let needed = kinds.contains(&kind);
            ensure(has || !needed, path, &format!("a code of kind {kind} needs it"))?;
            ensure(!has || needed, path, &format!("leave it out: a code of kind {kind} has no use for it"))
        };
        use CodeKind::{Account, AccountTemporary, Assigned, ContactWay, GroupWay, Link, Store};
        needs(self.reception.is_some(), &[ContactWay, Assigned], "reception")?;
        needs(!self.groups.is_empty(), &[GroupWay], "groups")?;
        needs(self.target.is_some(), &[Link], "target")?;
        needs(!self.branches.is_empty(), &[Store], "branches")?;
        let only = |has: bool, kinds: &[CodeKind], path: &str| {
            ensure(
                !has || kinds.contains(&kind),
                path,
                &format!("leave it out: a code of kind {kind} has no use for it"),
            )
        };
        only(self.utm.is_some(), &[Link, Store], "utm")?;
        only(self.seconds.is_some(), &[AccountTemporary], "seconds")?;
        only(self.hold_minutes.is_some(), &[Assigned], "hold_minutes")?;
        only(self.group_size.is_some(), &[GroupWay], "group_size")?;
        only(self.welcome.is_some(), &[ContactWay, Assigned, Account, AccountTemporary], "welcome")?;
        only(self.store_name.is_some(), &[ContactWay, Assigned, Account, AccountTemporary], "store_name")?;
        only(self.remark.is_some() || self.description.is_some(), &[ContactWay, Assigned], "remark")?;
        let within = |value: Option<u32>, least: u32, most: u32, path: &str| {
            let fits = value.is_none_or(|value| (least..=most).contains(&value));
            ensure(fits, path, &format!("lies between {least} and {most}"))
        };
        within(self.seconds, 60, LONGEST_SECONDS, "seconds")?;
        within(self.hold_minutes, 1, 1440, "hold_minutes")?;
        within(self.group_size, 2, 200, "group_size")?;
        ensure(self.groups.len() <= 100, "groups", "a chain has 100 group chats at the most")?;
        ensure(self.tags.len() <= 50, "tags", "give 50 tags at the most")?;
        let longest = |text: Option<&String>, most: usize, path: &str| {
            let fits = text.is_none_or(|text| text.chars().count() <= most && !text.trim().is_empty());
            ensure(fits, path, &format!("has 1 to {most} characters"))
        };
        longest(self.store_name.as_ref(), 30, "store_name")?;
        longest(self.remark.as_ref(), 20, "remark")?;
        longest(self.description.as_ref(), 150, "description")?;
        if let Some(target) = &self.target {
            target.check().map_err(|mistake| mistake.inside("target"))?;
        }
        if let Some(utm) = &self.utm {
            utm.check()?;
        }
        ensure(self.branches.len() <= 2000, "branches", "a chain has 2,000 stores at the most")?;
        for (number, branch) in self.branches.iter().enumerate() {
            let path = |field: &str| format!("branches[{number}].{field}");
            longest(Some(&branch.name), 100, &path("name"))?;
            branch.place.fault().map_or(Ok(()), |what| mistake(path("place"), what))?;
            check_address(&branch.url).or_else(|what| mistake(path("url"), what))?;
        }
        if let Some(welcome) = &self.welcome {
            welcome.check(kind.is_account()).map_err(|mistake| mistake.inside("welcome"))?;
        }
        let Some(reception) = &self.reception else { return Ok(Vec::new()) };
        let warnings = reception.check().map_err(|mistake| mistake.inside("reception"))?;
        let is_shared = kind == ContactWay && reception.is_weighted();
        ensure(
            !is_shared,
            "reception.policy",
            "WeCom shares a contact way's contacts evenly: use kind assigned for weights",
        )?;
        Ok(warnings)
    }

    /// For how long a scanner holds a place, in milliseconds.
    pub fn hold_ms(&self) -> i64 {
        i64::from(self.hold_minutes.unwrap_or(HOLD_MINUTES)) * 60_000
    }

    /// From how many members on a group chat counts as full.
    pub fn group_size(&self) -> i64 {
        i64::from(self.group_size.unwrap_or(GROUP_SIZE))
    }

    /// For how many seconds a temporary code works.
    pub fn seconds(&self) -> u32 {
        self.seconds.unwrap_or(LONGEST_SECONDS)
    }
}
