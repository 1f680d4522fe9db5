//! Couriers who fetch the goods of after-sale cases from the buyer.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a pickup has come. Of two the later variant holds: news may come in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PickupStatus {
    /// Entered; the carrier is told when the case is agreed.
    Wanted,
    /// The carrier is being told.
    Requested,
    /// The carrier has the order.
    Placed,
    /// A courier has it, or is on the way.
    Accepted,
    /// The courier has the parcel, or it is under way.
    PickedUp,
    /// Nobody came for it, or the carrier did not take the order. Terminal.
    Failed,
    /// Withdrawn, by the merchant or by the carrier. Terminal.
    Cancelled,
    /// The parcel has arrived. Terminal.
    Signed,
    /// The parcel is back with the buyer. Terminal.
    Returned,
}

impl PickupStatus {
    /// Every status, in the order of the variants.
    pub const ALL: [Self; 9] = [
        Self::Wanted,
        Self::Requested,
        Self::Placed,
        Self::Accepted,
        Self::PickedUp,
        Self::Failed,
        Self::Cancelled,
        Self::Signed,
        Self::Returned,
    ];

    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Requested => "requested",
            Self::Placed => "placed",
            Self::Accepted => "accepted",
            Self::PickedUp => "picked_up",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Signed => "signed",
            Self::Returned => "returned",
        }
    }

    /// Whether it came to nothing, so that another may be ordered.
    pub const fn has_failed(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }

    /// Whether nobody has the parcel yet, so that it can still be withdrawn.
    pub const fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Wanted | Self::Placed | Self::Accepted)
    }
}

impl fmt::Display for PickupStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PickupStatus {
    type Err = UnknownPickupStatus;

    fn from_str(text: &str) -> Result<Self, UnknownPickupStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| UnknownPickupStatus(text.to_owned()))
    }
}

/// No status of a pickup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no status of a pickup")]
pub struct UnknownPickupStatus(String);
