//! Facts about one order, and how they come together.
//!
//! Platforms deliver at least once, out of order, and sometimes not at all. So a delivery is not a command ("set status to
//! paid") but a fact ("paid at 09:30"), and facts form a join-semilattice: [`OrderFacts::merge`] is commutative,
//! associative and idempotent. Whatever the order and repetition of deliveries, the merged facts, and all that is derived
//! from them, are the same; an older message cannot undo a newer state because nothing is ever undone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Amounts, Guide, Line, LiveRoom, Order, OrderFlag, OrderKey, OrderStatus, OrderTimes, Region, Shipment};
use crate::{Fen, Identity, UnixMs};

/// A value that a newer one replaces. Of two values with the same time the greater one stays: which one does not matter,
/// that all replicas choose the same one does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latest<T> {
    /// When the platform says the value was current.
    pub at: UnixMs,
    /// The value.
    pub value: T,
}

impl<T: Ord> Latest<T> {
    /// A value as of `at`.
    pub const fn new(at: UnixMs, value: T) -> Self {
        Self { at, value }
    }

    /// Puts `incoming` into `slot` if it is newer than what is there.
    pub fn merge_into(slot: &mut Option<Self>, incoming: Option<Self>) {
        if incoming > *slot {
            *slot = incoming;
        }
    }
}

/// The part of an order that only its full record tells. Replaced as a whole by a newer record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderDetail {
    /// What was ordered.
    pub lines: Vec<Line>,
    /// The bill.
    pub amounts: Amounts,
    /// Where the goods go.
    pub region: Option<Region>,
    /// The live room it was sold in.
    pub live_room: Option<LiveRoom>,
    /// The guide it is credited to.
    pub guide: Option<Guide>,
    /// The buyer's level among the shop's members, in the platform's or the merchant's own word; absent where it is not told.
    pub member_level: Option<String>,
}

/// All that deliveries have told about one order; the default is "nothing yet".
///
/// ```
/// use domain::{OrderFacts, OrderStatus, UnixMs};
/// let mut facts = OrderFacts::default();
/// facts.reach(OrderStatus::Shipped, UnixMs::from_seconds(1_770_000_300)?);
/// facts.merge(OrderFacts::reached(OrderStatus::Paid, UnixMs::from_seconds(1_770_000_000)?)); // late, and harmless
/// assert_eq!(facts.status(), Some(OrderStatus::Shipped));
/// # Ok::<(), domain::TimeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderFacts {
    /// The first instant at which each status is known to have been reached. Merged by the earlier instant.
    pub reached: BTreeMap<OrderStatus, UnixMs>,
    /// The platform's own newest word for the status.
    pub raw_status: Option<Latest<String>>,
    /// Words for a status that the mapping does not know. Kept for good: a person has to extend the mapping.
    pub unknown_statuses: BTreeSet<String>,
    /// What the buyer has paid.
    pub paid: Option<Latest<Fen>>,
    /// The full record.
    pub detail: Option<Latest<OrderDetail>>,
    /// Parcels by tracking number.
    pub shipments: BTreeMap<String, Shipment>,
    /// Who bought.
    pub identities: BTreeSet<Identity>,
}

impl OrderFacts {
    /// The single fact that `status` was reached at `at`.
    pub fn reached(status: OrderStatus, at: UnixMs) -> Self {
        Self { reached: BTreeMap::from([(status, at)]), ..Self::default() }
    }

    /// Adds the fact that `status` was reached at `at`.
    pub fn reach(&mut self, status: OrderStatus, at: UnixMs) {
        self.reached.entry(status).and_modify(|known| *known = at.min(*known)).or_insert(at);
    }

    /// Adds a parcel.
    pub fn ship(&mut self, parcel: Shipment) {
        match self.shipments.get_mut(&parcel.tracking_number) {
            Some(known) => {
                known.carrier = parcel.carrier.max(known.carrier.take());
                known.shipped_at = earlier(known.shipped_at, parcel.shipped_at);
            }
            None => {
                self.shipments.insert(parcel.tracking_number.clone(), parcel);
            }
        }
    }

    /// Adds all that `other` knows. Commutative, associative, idempotent.
    pub fn merge(&mut self, other: Self) {
        for (status, at) in other.reached {
            self.reach(status, at);
        }
        Latest::merge_into(&mut self.raw_status, other.raw_status);
        self.unknown_statuses.extend(other.unknown_statuses);
        Latest::merge_into(&mut self.paid, other.paid);
        Latest::merge_into(&mut self.detail, other.detail);
        for parcel in other.shipments.into_values() {
            self.ship(parcel);
        }
        self.identities.extend(other.identities);
    }

    /// The steps that have happened, with the first instant known for each; what follows of necessity is filled in:
    /// completed means paid, signed means shipped, and anything at all means created. (Shipped does not mean paid: cash on
    /// delivery. Completed does not mean shipped: vouchers.)
    ///
    /// The set only ever grows as facts arrive, so each step can be announced once, when it first appears.
    pub fn milestones(&self) -> BTreeMap<OrderStatus, UnixMs> {
        let mut steps = self.reached.clone();
        for (reached, implied) in
            [(OrderStatus::Completed, OrderStatus::Paid), (OrderStatus::Signed, OrderStatus::Shipped)]
        {
            if let Some(&at) = self.reached.get(&reached) {
                steps.entry(implied).or_insert(at);
            }
        }
        if let Some(&at) = steps.values().min() {
            steps.entry(OrderStatus::Created).or_insert(at);
        }
        steps
    }

    /// How far the order has come; nothing while no delivery has named a known status.
    pub fn status(&self) -> Option<OrderStatus> {
        self.reached.keys().next_back().copied()
    }

    /// What a person should look at, sorted.
    pub fn flags(&self) -> Vec<OrderFlag> {
        let disagree = self.detail.as_ref().is_some_and(|detail| !detail.value.amounts.agree_with(&detail.value.lines));
        let unknown = !self.unknown_statuses.is_empty();
        [(disagree, OrderFlag::AmountsDisagree), (unknown, OrderFlag::UnknownStatus)]
            .into_iter()
            .filter_map(|(raised, flag)| raised.then_some(flag))
            .collect()
    }

    /// The newest instant that any fact speaks of.
    pub fn updated_at(&self) -> Option<UnixMs> {
        let stamps = [
            self.raw_status.as_ref().map(|raw| raw.at),
            self.paid.as_ref().map(|paid| paid.at),
            self.detail.as_ref().map(|detail| detail.at),
        ];
        stamps.into_iter().flatten().chain(self.reached.values().copied()).max()
    }

    /// The order that these facts describe. While no known status was named it counts as created: somebody placed it, or
    /// there would be nothing to tell.
    pub fn order(&self, key: OrderKey) -> Order {
        let steps = self.milestones();
        let at = |status| steps.get(&status).copied();
        let detail = self.detail.as_ref().map(|detail| detail.value.clone());
        Order {
            key,
            status: self.status().unwrap_or(OrderStatus::Created),
            raw_status: self.raw_status.as_ref().map(|raw| raw.value.clone()),
            flags: self.flags(),
            complete: detail.is_some(),
            paid: self.paid.as_ref().map(|paid| paid.value),
            identities: self.identities.iter().cloned().collect(),
            shipments: self.shipments.values().cloned().collect(),
            times: OrderTimes {
                created_at: at(OrderStatus::Created),
                paid_at: at(OrderStatus::Paid),
                shipped_at: at(OrderStatus::Shipped),
                signed_at: at(OrderStatus::Signed),
                completed_at: at(OrderStatus::Completed),
                closed_at: at(OrderStatus::Closed),
                updated_at: self.updated_at(),
            },
            lines: detail.as_ref().map(|detail| detail.lines.clone()).unwrap_or_default(),
            amounts: detail.as_ref().map(|detail| detail.amounts.clone()),
            region: detail.as_ref().and_then(|detail| detail.region.clone()),
            live_room: detail.as_ref().and_then(|detail| detail.live_room.clone()),
            guide: detail.as_ref().and_then(|detail| detail.guide.clone()),
            member_level: detail.and_then(|detail| detail.member_level),
        }
    }
}

fn earlier(one: Option<UnixMs>, other: Option<UnixMs>) -> Option<UnixMs> {
    one.into_iter().chain(other).min()
}
