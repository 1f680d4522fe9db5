//! Whose events are to be lived through so that the figures of some customers are right: identities go from customer to customer.

use crate::store::log;
use domain::{CustomerId, Event, Identity};
use kit::{DbError, Tx};
use std::collections::BTreeSet;

/// Customers who are looked at, and all whom identities, merges and splits ever tied to them.
#[derive(Debug)]
pub struct Circle {
    /// Those who are looked at, with all who are part of them now.
    pub looked_at: BTreeSet<String>,
    /// All of them.
    pub customers: BTreeSet<String>,
    /// Their identities.
    pub identities: BTreeSet<Identity>,
}

impl Circle {
    /// The circle around customers who are each one of its own now.
    ///
    /// # Errors
    /// [`DbError`] of the queries.
    pub fn around(tx: &Tx<'_>, survivors: &[String]) -> Result<Self, DbError> {
        let looked_at: BTreeSet<String> =
            log::parts(tx, &serde_json::json!(survivors).to_string())?.into_iter().collect();
        let mut circle = Self { customers: looked_at.clone(), looked_at, identities: BTreeSet::new() };
        loop {
            let size = circle.size();
            let customers = serde_json::json!(circle.customers).to_string();
            for logged in log::who_is_who(tx, &customers, &circle.identities_json())? {
                let Ok(event) = logged.event() else { continue };
                circle.widen(event);
            }
            if circle.size() == size {
                return Ok(circle);
            }
        }
    }

    fn size(&self) -> usize {
        self.customers.len() + self.identities.len()
    }

    fn widen(&mut self, event: Event) {
        let mut add = |ids: &[CustomerId]| self.customers.extend(ids.iter().map(CustomerId::to_string));
        match event {
            Event::CustomerIdentified(told) => {
                add(&[told.customer_id]);
                self.identities.extend(told.identities);
            }
            Event::CustomerMerged(told) => add(&[told.customer_id, told.merged_id]),
            Event::CustomerSplit(told) => add(&[told.customer_id, told.split_id]),
            _ => {}
        }
    }

    /// The identities as SQL compares them.
    pub fn identities_json(&self) -> String {
        let text = |own: &Identity| {
            format!("{}\t{}\t{}", own.kind.as_str(), own.scope.as_deref().unwrap_or_default(), own.value)
        };
        serde_json::json!(self.identities.iter().map(text).collect::<Vec<_>>()).to_string()
    }
}
