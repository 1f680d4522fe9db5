//! Campaigns, participants and helps as the API shows them.

use crate::api::code_view;
use crate::fission::FissionRules;
use crate::store::code::Code;
use crate::store::fission::help::Help;
use crate::store::fission::participant::Participant;
use crate::store::fission::reward::Reward;
use crate::store::fission::{Fission, tree};
use domain::{ChannelCodeId, CustomerId, FissionHelpState, FissionId, Identity, ParticipantId, UnixMs};
use kit::{DbError, Tx};
use serde::Serialize;
use utoipa::ToSchema;

/// A fission campaign (裂变活动).
#[derive(Debug, Serialize, ToSchema)]
pub struct FissionView {
    /// Its id.
    id: FissionId,
    /// Its name.
    name: String,
    /// The channel code whose plan the inviters' own codes copy.
    code: ChannelCodeId,
    /// The store of that code.
    store: String,
    /// Its rules.
    rules: FissionRules,
    /// When it was made.
    created_at: UnixMs,
    /// When it was ended before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<UnixMs>,
}

impl FissionView {
    /// A campaign as it is shown.
    pub fn new(fission: Fission) -> Self {
        let Fission { id, name, code, store, rules, created_at, ended_at } = fission;
        Self { id, name, code, store, rules, created_at, ended_at }
    }
}

/// A campaign, and what it has come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct FissionReport {
    /// The campaign.
    #[serde(flatten)]
    fission: FissionView,
    /// How many helps there are, by what became of them and why.
    helps: Vec<HelpCount>,
    /// How many rewards of each level are owed.
    rewards: Vec<RewardCount>,
}

/// Helps of one outcome.
#[derive(Debug, Serialize, ToSchema)]
struct HelpCount {
    /// `counted`, `refused`, `voided`.
    state: String,
    /// Why they do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// How many.
    helps: i64,
}

/// Rewards of one level.
#[derive(Debug, Serialize, ToSchema)]
struct RewardCount {
    /// The level, from 1.
    level: i64,
    /// How many inviters are owed its reward.
    owed: i64,
}

impl FissionReport {
    /// Counts what a campaign has come to.
    ///
    /// # Errors
    /// [`DbError`] of the queries.
    pub fn read(tx: &Tx<'_>, fission: Fission) -> Result<Self, DbError> {
        let id = fission.id;
        let helps = tree::outcomes(tx, id)?.into_iter();
        let rewards = tree::rewards(tx, id)?.into_iter();
        Ok(Self {
            fission: FissionView::new(fission),
            helps: helps.map(|(state, reason, helps)| HelpCount { state, reason, helps }).collect(),
            rewards: rewards.map(|(level, owed)| RewardCount { level, owed }).collect(),
        })
    }
}

/// Somebody's part in a campaign.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParticipantView {
    /// Its id.
    id: ParticipantId,
    /// Who.
    identity: Identity,
    /// The customer, where it is known who that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    /// The code of one's own.
    code: ChannelCodeId,
    /// Who brought this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<ParticipantId>,
    /// How far below the first inviter: 0 for that one.
    depth: u32,
    /// How many helps count now.
    helps: u32,
    /// When this one asked.
    joined_at: UnixMs,
}

impl ParticipantView {
    /// A participant as it is shown.
    pub fn new(one: Participant) -> Self {
        let Participant { id, who: identity, customer, code, parent, depth, helps, joined_at, .. } = one;
        Self { id, identity, customer, code, parent, depth, helps, joined_at }
    }
}

/// A participant with what its poster needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Joined {
    /// The participant.
    #[serde(flatten)]
    participant: ParticipantView,
    /// What the code says; absent until the platform has made it: ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Where the code lies as a picture.
    qr: String,
    /// Where the poster with the code lies.
    poster: String,
}

impl Joined {
    /// A participant with its code. `public_url` is where the outside world reaches this application.
    pub fn new(one: Participant, code: &Code, public_url: Option<&str>) -> Self {
        let path = format!("/v1/channel-codes/{}", one.code);
        Self {
            participant: ParticipantView::new(one),
            target: code_view::target(code, public_url),
            qr: format!("{path}/qr.svg"),
            poster: format!("{path}/poster"),
        }
    }
}

/// A friend who came by an inviter's code.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelpView {
    /// The friend.
    friend: Identity,
    /// The friend as a customer, where it is known who that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    /// The friend's own participation.
    #[serde(skip_serializing_if = "Option::is_none")]
    participant: Option<ParticipantId>,
    /// When the friend came.
    at: UnixMs,
    /// What became of it.
    state: FissionHelpState,
    /// Why it does not count: `self`, `loop`, `again`, `not_started`, `ended`, `depth`, `not_new`, `device`, `burst`, `left`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl HelpView {
    /// A help as it is shown.
    pub fn new(help: Help) -> Self {
        let Help { friend, customer, became: participant, at, state, reason, .. } = help;
        Self { friend, customer, participant, at, state, reason }
    }
}

/// A level that an inviter has reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct RewardView {
    /// The level, from 1.
    level: u32,
    /// The reward, in the words of the campaign.
    reward: String,
    /// `owed`, or `voided` where the inviter has fallen below the level again.
    state: &'static str,
    /// Since when.
    at: UnixMs,
}

impl RewardView {
    /// A reward as it is shown.
    pub fn new(rules: &FissionRules, reward: &Reward) -> Self {
        let place = usize::try_from(reward.level).unwrap_or(usize::MAX).saturating_sub(1);
        Self {
            level: reward.level,
            reward: rules.levels.get(place).map(|level| level.reward.clone()).unwrap_or_default(),
            state: if reward.owed { "owed" } else { "voided" },
            at: reward.at,
        }
    }
}
