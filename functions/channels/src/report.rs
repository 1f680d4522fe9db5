//! The report's figures: sums, each channel's cost shared among those whom it brought, and the ratios.

use crate::ratio;
use domain::day::{self, Day};
use domain::{Fen, MoneyError, allocate};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a row of a report is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A channel.
    Channel,
    /// A channel code, by its id.
    Code,
    /// A store, by its path.
    Store,
    /// A member of staff, by the merchant's number.
    Staff,
    /// A day of the merchant's calendar.
    Day,
}

impl By {
    /// Its name in JSON, and the column's in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Code => "code",
            Self::Store => "store",
            Self::Staff => "staff",
            Self::Day => "day",
        }
    }
}

/// What happened, and what it cost. All of it adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Scans that are known of.
    pub scans: i64,
    /// Who became a contact, a follower or a member of a group.
    pub adds: i64,
    /// Who of them wrote.
    pub replies: i64,
    /// Who of them is gone.
    pub losses: i64,
    /// Orders owed to channels that are their customer's first.
    pub first_orders: i64,
    /// Other orders owed to channels.
    pub repeat_orders: i64,
    /// What is left of the orders that are owed to channels.
    pub revenue: Fen,
    /// What is left of the orders that are owed to none.
    pub unattributed: Fen,
    /// What the channels cost.
    pub cost: Fen,
}

impl Figures {
    /// Both together.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self {
            scans: self.scans.saturating_add(other.scans),
            adds: self.adds.saturating_add(other.adds),
            replies: self.replies.saturating_add(other.replies),
            losses: self.losses.saturating_add(other.losses),
            first_orders: self.first_orders.saturating_add(other.first_orders),
            repeat_orders: self.repeat_orders.saturating_add(other.repeat_orders),
            revenue: self.revenue.try_add(other.revenue)?,
            unattributed: self.unattributed.try_add(other.unattributed)?,
            cost: self.cost.try_add(other.cost)?,
        })
    }

    /// What a contact cost, in fen, half a fen rounded up; nothing without cost or contacts.
    pub fn cost_per_contact(&self) -> Option<Fen> {
        (self.cost > Fen::ZERO && self.adds > 0)
            .then(|| ratio::rounded(i128::from(self.cost.get()), i128::from(self.adds)))
            .and_then(|fen| i64::try_from(fen).ok())
            .map(Fen::new)
    }

    /// (revenue − cost) ÷ cost with four decimals, the last one rounded half away from zero; nothing without cost.
    pub fn roi(&self) -> Option<String> {
        let (revenue, cost) = (i128::from(self.revenue.get()), i128::from(self.cost.get()));
        ratio::decimal(revenue - cost, cost)
    }
}

/// Where a contact came: the parts of a way besides the channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The channel code.
    pub code: Option<String>,
    /// The store.
    pub store: Option<String>,
    /// The member of staff.
    pub staff: Option<String>,
}

/// How many contacts came at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The place.
    pub place: Place,
    /// How many.
    pub contacts: u64,
}

/// What a channel cost on a day, and whom it brought in the stores that bear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The channel.
    pub channel: String,
    /// The day.
    pub day: Day,
    /// The stores that bear it, `/` for all.
    pub store: String,
    /// How much.
    pub amount: Fen,
    /// Contacts of the channel on that day in those stores, in a fixed order.
    pub weights: Vec<Weight>,
}

impl Cost {
    /// What each place bears: in proportion to its contacts of the day; without any, the stores themselves.
    ///
    /// # Errors
    /// [`MoneyError`] never happens for weights above zero.
    pub fn shares(&self) -> Result<Vec<(Place, Fen)>, MoneyError> {
        let weights: Vec<u64> = self.weights.iter().map(|weight| weight.contacts).collect();
        if weights.iter().all(|contacts| *contacts == 0) {
            let store = (self.store != "/").then(|| self.store.clone());
            return Ok(vec![(Place { store, ..Place::default() }, self.amount)]);
        }
        let places = self.weights.iter().map(|weight| weight.place.clone());
        Ok(places.zip(allocate(self.amount, &weights)?).collect())
    }

    /// The value of a place in a report's column.
    fn key(&self, by: By, place: &Place) -> Option<String> {
        match by {
            By::Channel => Some(self.channel.clone()),
            By::Day => Some(self.day.to_string()),
            By::Code => place.code.clone(),
            By::Store => place.store.clone(),
            By::Staff => place.staff.clone(),
        }
    }
}

/// A report's rows by their value, those without one first, with the costs that `sees` lets through. The value of a day is its number.
///
/// # Errors
/// [`MoneyError::Overflow`] beyond 64 bits.
pub fn rows(
    by: By,
    figures: Vec<(Option<String>, Figures)>,
    costs: &[Cost],
    sees: impl Fn(&Place) -> bool,
) -> Result<BTreeMap<Option<String>, Figures>, MoneyError> {
    let mut rows: BTreeMap<Option<String>, Figures> = figures.into_iter().collect();
    for cost in costs {
        for (place, share) in cost.shares()?.into_iter().filter(|(place, _)| sees(place)) {
            let row = rows.entry(cost.key(by, &place)).or_default();
            *row = row.plus(Figures { cost: share, ..Figures::default() })?;
        }
    }
    rows.retain(|_, figures| *figures != Figures::default());
    Ok(rows)
}

/// A row's value as people read it: a day as a date.
pub fn shown(by: By, key: Option<String>) -> Option<String> {
    match by {
        By::Day => key.and_then(|day| day.parse().ok()).and_then(day::date_of).map(|date| date.to_string()),
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ratios(revenue: i64, cost: i64, adds: i64) -> (Option<String>, Option<i64>) {
        let figures = Figures { revenue: Fen::new(revenue), cost: Fen::new(cost), adds, ..Figures::default() };
        (figures.roi(), figures.cost_per_contact().map(Fen::get))
    }

    #[test]
    fn ratios_are_exact_and_absent_without_cost() {
        let roi = |text: &str| Some(text.to_owned());
        assert_eq!(ratios(300, 200, 3), (roi("0.5000"), Some(67)));
        assert_eq!(ratios(0, 200, 0), (roi("-1.0000"), None));
        assert_eq!(ratios(199, 200, 4), (roi("-0.0050"), Some(50)));
        assert_eq!(ratios(4, 3, 2), (roi("0.3333"), Some(2)), "half a fen is rounded up");
        assert_eq!(ratios(2, 3, 1), (roi("-0.3333"), Some(3)));
        assert_eq!(ratios(5, 3, 1).0, roi("0.6667"));
        assert_eq!(ratios(500, 0, 3), (None, None));
        assert_eq!(ratios(i64::MAX, 1, 1).0, roi("9223372036854775806.0000"));
    }

    fn cost(store: &str, contacts: &[u64]) -> Cost {
        let weight = |(number, contacts): (usize, &u64)| {
            let place = Place { store: Some(format!("/{number}")), ..Place::default() };
            Weight { place, contacts: *contacts }
        };
        let weights = contacts.iter().enumerate().map(weight).collect();
        Cost { channel: "metro".to_owned(), day: 20_000, store: store.to_owned(), amount: Fen::new(100), weights }
    }

    #[test]
    fn a_cost_is_borne_by_whom_it_brought_and_without_any_by_its_stores() {
        let by_store = |cost: Cost| rows(By::Store, Vec::new(), &[cost], |_| true).unwrap();
        let shares = by_store(cost("/", &[2, 1]));
        let borne: Vec<_> = shares.iter().map(|(key, row)| (key.as_deref(), row.cost.get())).collect();
        assert_eq!(borne, [(Some("/0"), 67), (Some("/1"), 33)]);
        assert_eq!(by_store(cost("/east", &[0])).keys().next(), Some(&Some("/east".to_owned())));
        assert_eq!(by_store(cost("/", &[0])).keys().next(), Some(&None));
        let seen =
            rows(By::Day, Vec::new(), &[cost("/", &[2, 1])], |place| place.store.as_deref() == Some("/1")).unwrap();
        assert_eq!(seen.values().map(|row| row.cost.get()).sum::<i64>(), 33, "a part of the stores bears its part");
        assert_eq!(shown(By::Day, seen.into_keys().next().unwrap()).as_deref(), Some("2024-10-04"));
    }

    proptest! {
        #[test]
        fn every_cut_of_a_cost_sums_to_it(contacts in prop::collection::vec(0..9_u64, 1..9)) {
            for by in [By::Channel, By::Code, By::Store, By::Staff, By::Day] {
                let rows = rows(by, Vec::new(), &[cost("/", &contacts)], |_| true).unwrap();
                prop_assert_eq!(rows.values().map(|row| row.cost.get()).sum::<i64>(), 100);
            }
        }
    }
}
