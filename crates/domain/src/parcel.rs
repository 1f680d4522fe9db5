//! Parcels on their way: facts that carriers tell, and how they come together.
//!
//! As with orders, deliveries contribute [`ParcelFacts`] that merge in any order and any number of times to one value. What a
//! carrier's record says in words (who brought it, to whose door) holds personal data and is not kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Latest, UnixMs};

/// A step on a parcel's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParcelStatus {
    /// The carrier has it.
    PickedUp,
    /// Between two places, or handed on to another carrier.
    InTransit,
    /// Something is wrong: nobody at home, damaged, refused, held.
    Problem,
    /// With the courier who brings it, or in a locker.
    Delivering,
    /// The receiver has it.
    Signed,
    /// On its way back to the sender.
    Returning,
    /// The sender has it again.
    Returned,
}

impl ParcelStatus {
    /// Every status, in the order of the variants.
    pub const ALL: [Self; 7] = [
        Self::PickedUp,
        Self::InTransit,
        Self::Problem,
        Self::Delivering,
        Self::Signed,
        Self::Returning,
        Self::Returned,
    ];

    /// Its name in JSON, SQL and URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PickedUp => "picked_up",
            Self::InTransit => "in_transit",
            Self::Problem => "problem",
            Self::Delivering => "delivering",
            Self::Signed => "signed",
            Self::Returning => "returning",
            Self::Returned => "returned",
        }
    }
}

/// Whether somebody is still watching the parcel for us. Of two words as of the same instant the later variant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParcelWatch {
    /// News will come.
    Watched,
    /// Given up for want of news: subscribe again if it matters.
    GivenUp,
    /// It has arrived: no more news.
    Finished,
}

/// All that deliveries have told about one parcel; the default is "nothing yet".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParcelFacts {
    /// The first instant at which each status is known to have been reached. Merged by the earlier instant.
    pub reached: BTreeMap<ParcelStatus, UnixMs>,
    /// The newest status that was named.
    pub newest: Option<Latest<ParcelStatus>>,
    /// The source's own newest word for the status.
    pub raw_status: Option<Latest<String>>,
    /// Words for a status that the mapping does not know.
    pub unknown_statuses: BTreeSet<String>,
    /// Who carries it, by the source's code.
    pub carrier: Option<Latest<String>>,
    /// Whether it is still watched.
    pub watch: Option<Latest<ParcelWatch>>,
}

impl ParcelFacts {
    /// Adds the fact that `status` held at `at`.
    pub fn reach(&mut self, status: ParcelStatus, at: UnixMs) {
        self.reached.entry(status).and_modify(|known| *known = at.min(*known)).or_insert(at);
        Latest::merge_into(&mut self.newest, Some(Latest::new(at, status)));
    }

    /// Adds all that `other` knows. Commutative, associative, idempotent.
    pub fn merge(&mut self, other: Self) {
        for (status, at) in other.reached {
            self.reached.entry(status).and_modify(|known| *known = at.min(*known)).or_insert(at);
        }
        Latest::merge_into(&mut self.newest, other.newest);
        Latest::merge_into(&mut self.raw_status, other.raw_status);
        self.unknown_statuses.extend(other.unknown_statuses);
        Latest::merge_into(&mut self.carrier, other.carrier);
        Latest::merge_into(&mut self.watch, other.watch);
    }

    /// Where the parcel is: with the sender again once returned, with the receiver once signed for, else the newest status
    /// named (a parcel leaves its problems behind). Nothing while no known status was named.
    pub fn status(&self) -> Option<ParcelStatus> {
        [ParcelStatus::Returned, ParcelStatus::Signed]
            .into_iter()
            .find(|last| self.reached.contains_key(last))
            .or_else(|| self.newest.as_ref().map(|newest| newest.value))
    }
}
