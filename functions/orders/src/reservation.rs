//! What an order should hold of each SKU, as its state says.

use domain::{Order, OrderStatus, demand};
use std::collections::BTreeMap;

/// What should have become of an order's pieces of one SKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Promised to the order.
    Hold,
    /// Gone with the order.
    Leave,
    /// Free again.
    Free,
}

/// What the order should hold: SKU to pieces, all lines of one SKU together, and what should have become of them.
///
/// A closed order whose goods had left keeps them gone: what comes back is booked by whoever receives it.
pub fn target(order: &Order) -> (Target, BTreeMap<&str, i64>) {
    let times = &order.times;
    let left = times.shipped_at.is_some() || times.signed_at.is_some() || times.completed_at.is_some();
    let target = match order.status {
        _ if left => Target::Leave,
        OrderStatus::Closed => Target::Free,
        _ => Target::Hold,
    };
    (target, demand(&order.lines))
}

/// Where the reservation of one SKU stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Promised.
    Reserved,
    /// Sold by the platform though nothing was left.
    Short,
    /// Gone.
    Committed,
    /// Free again.
    Released,
}

impl Held {
    /// Its name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Short => "short",
            Self::Committed => "committed",
            Self::Released => "released",
        }
    }

    /// From its name in SQL.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Reserved, Self::Short, Self::Committed, Self::Released].into_iter().find(|held| held.as_str() == text)
    }
}
