//! Fission: friends who bring friends.
//!
//! An inviter passes on a poster with a code of one's own; a friend who adds the merchant by it helps. So many helps reach a level, and each level has
//! its reward. Facts go in, decisions come out; whoever asks keeps the facts.

#[cfg(test)]
mod tests;
mod tree;

#[cfg(test)]
use tree::NotPlaced;
pub use tree::{DepthReport, Tree};

use crate::mistake::{Mistake, ensure};
use domain::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

const MOST_LEVELS: usize = 20;
const MOST_HELPS: u32 = 100_000;
const LONGEST_REWARD: usize = 200;

/// The rules of a fission campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FissionRules {
    /// What is to be reached, the least first; 1 to 20.
    pub levels: Vec<Level>,
    /// Whether only friends count who were no contacts before. True where it is left out.
    #[serde(default = "yes")]
    pub new_customers_only: bool,
    /// Helps count from this instant on.
    pub starts: UnixMs,
    /// Helps count before this instant.
    pub ends: UnixMs,
    /// Whether a help no longer counts when the friend leaves. True where it is left out.
    #[serde(default = "yes")]
    pub void_on_leaving: bool,
    /// How far below the first inviter friends still count, 1 to 100: 1 means the first inviter's own friends. No limit where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub max_depth: Option<u32>,
    /// How many friends may come from one device, over the campaign, 1 to 1000. No limit where it is left out; the inviter's own device never counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub device_limit: Option<u32>,
    /// How fast an inviter may be helped. No limit where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<Burst>,
}

/// What is to be reached, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// How many helps, 1 to 100,000; more than the level before.
    #[schema(minimum = 1, maximum = 100_000)]
    pub helps: u32,
    /// The reward, in words, at most 200 bytes.
    pub reward: String,
}

/// No more than so many helps within so many minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// So many helps may count within the time, 1 to 10,000.
    #[schema(minimum = 1, maximum = 10_000)]
    pub helps: u32,
    /// The time in minutes, 1 to 1440.
    #[schema(minimum = 1, maximum = 1440)]
    pub minutes: u32,
}

const fn yes() -> bool {
    true
}

/// What is known of a help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Help {
    /// When the friend came.
    pub at: UnixMs,
    /// Whether the friend is the inviter.
    pub is_inviter: bool,
    /// Whether the friend has brought the inviter, or one of those before.
    pub is_ancestor: bool,
    /// Whether a help of this friend has counted in this campaign, for whomever; also one that no longer counts since.
    pub has_helped: bool,
    /// Whether the friend was no contact of the merchant's before.
    pub is_new: bool,
    /// How far below the first inviter the friend stands: 1 below it.
    pub depth: u32,
    /// Whether the friend comes from a device, or has an identity, of the inviter's.
    pub is_inviters_device: bool,
    /// How many other friends of this campaign came from the friend's device; 0 where it is not known.
    pub others_of_device: u32,
    /// How many helps of this inviter have counted in the minutes of the burst before this one.
    pub recent: u32,
}

/// What becomes of a help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It counts.
    Counted,
    /// It does not.
    Refused(Reason),
}

/// Why a help does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nobody helps oneself.
    #[serde(rename = "self")]
    Oneself,
    /// The friend has brought the inviter.
    Loop,
    /// The friend has helped before.
    Again,
    /// The campaign had not begun.
    NotStarted,
    /// The campaign was over.
    Ended,
    /// Too far below the first inviter.
    Depth,
    /// The friend was a contact before.
    NotNew,
    /// The inviter's own device, or one that too many came from.
    Device,
    /// Too many in too short a time.
    Burst,
}

impl Reason {
    /// Its name in JSON, SQL and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oneself => "self",
            Self::Loop => "loop",
            Self::Again => "again",
            Self::NotStarted => "not_started",
            Self::Ended => "ended",
            Self::Depth => "depth",
            Self::NotNew => "not_new",
            Self::Device => "device",
            Self::Burst => "burst",
        }
    }
}

/// What becomes of a help. Where several reasons speak against it, the first in the order of [`Reason`] is named.
pub fn judge(rules: &FissionRules, help: Help) -> Judgement {
    let too_many_of_device = |limit| help.others_of_device >= limit;
    let against = [
        (help.is_inviter, Reason::Oneself),
        (help.is_ancestor, Reason::Loop),
        (help.has_helped, Reason::Again),
        (help.at < rules.starts, Reason::NotStarted),
        (help.at >= rules.ends, Reason::Ended),
        (rules.max_depth.is_some_and(|deepest| help.depth > deepest), Reason::Depth),
        (rules.new_customers_only && !help.is_new, Reason::NotNew),
        (help.is_inviters_device || rules.device_limit.is_some_and(too_many_of_device), Reason::Device),
        (rules.burst.is_some_and(|burst| help.recent >= burst.helps), Reason::Burst),
    ];
    let first = against.into_iter().find(|(holds, _)| *holds);
    first.map_or(Judgement::Counted, |(_, reason)| Judgement::Refused(reason))
}

/// The levels, from 1, that so many helps reach.
fn reached(levels: &[Level], helps: u32) -> BTreeSet<u32> {
    (1_u32..).zip(levels).filter(|(_, level)| level.helps <= helps).map(|(number, _)| number).collect()
}

/// The levels, from 1, that an inviter reaches when the helps go from `before` to `after`: every one whose number lies between, also when
/// several helps come at once and none of them is exactly the level's.
pub fn crossed(levels: &[Level], before: u32, after: u32) -> Vec<u32> {
    reached(levels, after).difference(&reached(levels, before)).copied().collect()
}

/// The levels, from 1, that an inviter no longer reaches when the helps go from `before` to `after`.
pub fn fallen(levels: &[Level], before: u32, after: u32) -> Vec<u32> {
    crossed(levels, after, before)
}

impl FissionRules {
    /// Whether the rules can be followed.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self) -> Result<(), Mistake> {
        ensure((1..=MOST_LEVELS).contains(&self.levels.len()), "levels", "write 1 to 20 levels")?;
        let mut before = 0;
        for (number, level) in self.levels.iter().enumerate() {
            let path = format!("levels[{number}]");
            let ascends = level.helps > before && level.helps <= MOST_HELPS;
            ensure(ascends, &format!("{path}.helps"), "write more than the level before has, from 1, up to 100000")?;
            let fits = !level.reward.trim().is_empty() && level.reward.len() <= LONGEST_REWARD;
            ensure(fits, &format!("{path}.reward"), "write 1 to 200 bytes")?;
            before = level.helps;
        }
        ensure(self.starts < self.ends, "ends", "it is not after starts")?;
        let deepest = self.max_depth.is_none_or(|depth| (1..=100).contains(&depth));
        ensure(deepest, "max_depth", "write 1 to 100, or leave it out")?;
        let friends = self.device_limit.is_none_or(|limit| (1..=1000).contains(&limit));
        ensure(friends, "device_limit", "write 1 to 1000, or leave it out")?;
        let burst =
            self.burst.is_none_or(|burst| (1..=10_000).contains(&burst.helps) && (1..=1440).contains(&burst.minutes));
        ensure(burst, "burst", "write 1 to 10000 helps within 1 to 1440 minutes, or leave it out")
    }
}
