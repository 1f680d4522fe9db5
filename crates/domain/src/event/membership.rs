//! What the events about points, levels and member cards carry.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Version;
use crate::{CustomerId, Identity, OrderId, RedemptionId, RewardId, UnixMs};

/// A customer's points changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointsChanged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// The entry of the ledger: points that came in, or went (negative).
    pub delta: i64,
    /// What the customer can spend now; never negative.
    pub balance: i64,
    /// Why.
    pub cause: PointsCause,
    /// The order that caused it.
    pub order_id: Option<OrderId>,
    /// When, UTC.
    pub at: UnixMs,
}

/// Why points changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointsCause {
    /// An order earned them.
    Earned,
    /// What an order had earned was reversed, since goods or money went back.
    Reversed,
    /// They were given for a reward.
    Redeemed,
    /// A redemption was cancelled.
    Returned,
    /// Their time was over.
    Expired,
    /// A person or a system of the merchant's set them right.
    Adjusted,
}

/// Points of a customer expire soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointsExpiring {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// How many.
    pub points: i64,
    /// From when on they can no longer be spent, UTC.
    pub expires_at: UnixMs,
    /// When this was noticed, UTC.
    pub at: UnixMs,
}

/// A timer: points of a customer expire, or a reminder of that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointsExpiry {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer for whom the points were written; after a merge this may be a part of another.
    pub customer_id: CustomerId,
}

/// A customer gave points for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointsRedeemed {
    /// Version of this payload.
    pub v: Version<1>,
    /// The redemption.
    pub redemption_id: RedemptionId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The reward of the catalogue; absent where points were given for something else.
    pub reward_id: Option<RewardId>,
    /// What the reward is.
    pub kind: Option<RewardKind>,
    /// The coupon's template, or the SKU of the goods.
    pub code: Option<String>,
    /// How many points.
    pub points: i64,
    /// When, UTC.
    pub at: UnixMs,
}

/// What a reward is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RewardKind {
    /// A coupon, by its template.
    Coupon,
    /// Goods, by their SKU.
    Goods,
}

impl RewardKind {
    /// Its name in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Coupon => "coupon",
            Self::Goods => "goods",
        }
    }
}

/// A redemption was cancelled: the points are back, and what was given for them is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedemptionCancelled {
    /// Version of this payload.
    pub v: Version<1>,
    /// The redemption.
    pub redemption_id: RedemptionId,
    /// The customer.
    pub customer_id: CustomerId,
    /// When, UTC.
    pub at: UnixMs,
}

/// A customer's level of membership changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberLevelChanged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// The level before; absent where there was none.
    pub from: Option<String>,
    /// The level now; absent where there is none.
    pub to: Option<String>,
    /// The type of the event that caused it: `order.paid`, `member.level_due`.
    pub cause: String,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: the level of a customer changes by itself, or those of all are to be looked at by new rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberLevelDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer; absent where all are to be looked at.
    pub customer_id: Option<CustomerId>,
    /// Where all are: the last one that was.
    pub after: Option<CustomerId>,
}

/// Somebody claimed a member card. The identities are one person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberJoined {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer; absent where none was known by these identities yet.
    pub customer_id: Option<CustomerId>,
    /// The card's number.
    pub card: String,
    /// The membership that was joined.
    pub program: String,
    /// The card, and who claimed it, sorted.
    pub identities: Vec<Identity>,
    /// The channel that the link was given out by.
    pub channel: Option<String>,
    /// The store (`/east/shanghai-01`).
    pub store: Option<String>,
    /// When, UTC.
    pub at: UnixMs,
}
