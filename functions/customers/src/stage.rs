//! How far a customer has come: a function of what is known, so that late and repeated news change nothing.

use crate::SOURCE;
use crate::store::customer;
use domain::{CustomerId, CustomerStageChanged, CustomerStageDue, Event, Stage, UnixMs, Version};
use kit::{DbError, Tx, events};

/// Without a purchase for so many days a buyer is dormant (沉睡).
pub const DORMANT_DAYS: i64 = 90;
/// From so many purchases on a buyer is loyal.
const LOYAL_ORDERS: i64 = 5;
const DAY_MS: i64 = 86_400_000;

/// What the stage follows from, over all identities of a customer. Times in Unix milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// The newest sign of interest.
    pub lead_at: Option<i64>,
    /// The newest bond with a member of staff or a card.
    pub contact_at: Option<i64>,
    /// The newest end of a bond, by either side.
    pub lost_at: Option<i64>,
    /// Paid orders that were not refunded as a whole.
    pub orders: i64,
    /// How many of them were paid after `lost_at`.
    pub orders_since_lost: i64,
    /// When the newest was paid.
    pub last_paid_at: Option<i64>,
    /// When the one before was paid.
    pub earlier_paid_at: Option<i64>,
}

impl Signs {
    /// The stage at `now`.
    pub fn stage(&self, now: UnixMs) -> Stage {
        let newest = self.lead_at.max(self.contact_at).max(self.last_paid_at);
        if self.lost_at.is_some() && self.lost_at >= newest {
            return Stage::Lost;
        }
        let Some(last_paid_at) = self.last_paid_at else {
            return match (self.lost_at, self.contact_at, self.lead_at) {
                (Some(_), _, _) => Stage::WonBack,
                (_, Some(_), _) => Stage::Contact,
                (_, _, Some(_)) => Stage::Lead,
                _ => Stage::Stranger,
            };
        };
        if now.millis() >= dormant_at(last_paid_at) {
            return Stage::Dormant;
        }
        let was_dormant = self.earlier_paid_at.is_some_and(|earlier| last_paid_at >= dormant_at(earlier));
        if was_dormant || (self.lost_at.is_some() && self.orders_since_lost < 2) {
            return Stage::WonBack;
        }
        match self.orders {
            ..=1 => Stage::Buyer,
            LOYAL_ORDERS.. => Stage::Loyal,
            _ => Stage::RepeatBuyer,
        }
    }

    /// When a buyer becomes dormant, unless something happens before.
    pub fn dormant_at(&self) -> Option<i64> {
        self.last_paid_at.map(dormant_at)
    }
}

/// Works a customer's stage, store and advisor out anew at `at`, the time of the log. `cause` is the type of the event that it comes from. Does nothing for those who are part of
/// another.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refresh(tx: &Tx<'_>, id: CustomerId, at: UnixMs, cause: &str) -> Result<(), DbError> {
    let Some(standing) = customer::standing(tx, id)? else { return Ok(()) };
    if standing.belongs != standing.belonged {
        customer::set_belongs(tx, id, &standing.belongs)?;
    }
    let (signs, from) = (standing.signs, standing.stage);
    let to = signs.stage(at);
    if let Some(due) = signs.dormant_at().filter(|due| *due > at.millis())
        && to != Stage::Lost
    {
        let event = Event::CustomerStageDue(CustomerStageDue { v: Version, customer_id: id });
        let due = UnixMs::from_millis(due).unwrap_or(at);
        events::schedule(tx, due, &format!("customers.stage/{id}"), SOURCE, &id.to_string(), &event)?;
    }
    if from == to {
        return Ok(());
    }
    customer::move_stage(tx, id, (from, to), at, cause)?;
    let event = CustomerStageChanged { v: Version, customer_id: id, from: Some(from), to, cause: cause.to_owned(), at };
    events::append(tx, SOURCE, &id.to_string(), &Event::CustomerStageChanged(event))?;
    Ok(())
}

fn dormant_at(paid_at: i64) -> i64 {
    paid_at.saturating_add(DORMANT_DAYS * DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> i64 {
        1_770_000_000_000 + number * DAY_MS
    }

    fn at(number: i64, signs: Signs) -> Stage {
        signs.stage(UnixMs::from_millis(day(number)).unwrap())
    }

    #[test]
    fn a_customer_comes_closer_step_by_step() {
        let mut signs = Signs::default();
        assert_eq!(at(0, signs), Stage::Stranger);
        signs.lead_at = Some(day(0));
        assert_eq!(at(0, signs), Stage::Lead);
        signs.contact_at = Some(day(1));
        assert_eq!(at(1, signs), Stage::Contact);
        for (orders, stage) in [(1, Stage::Buyer), (2, Stage::RepeatBuyer), (4, Stage::RepeatBuyer), (5, Stage::Loyal)]
        {
            signs.orders = orders;
            signs.orders_since_lost = orders;
            signs.earlier_paid_at = (orders > 1).then(|| day(orders));
            signs.last_paid_at = Some(day(1 + orders));
            assert_eq!(at(10, signs), stage, "{orders} orders");
        }
    }

    #[test]
    fn a_buyer_who_stays_away_is_dormant_on_the_ninetieth_day_and_won_back_by_a_purchase() {
        let mut signs = Signs { orders: 1, last_paid_at: Some(day(0)), ..Signs::default() };
        assert_eq!(at(89, signs), Stage::Buyer);
        assert_eq!(at(90, signs), Stage::Dormant);
        assert_eq!(signs.dormant_at(), Some(day(90)));
        signs = Signs { orders: 2, earlier_paid_at: Some(day(0)), last_paid_at: Some(day(100)), ..signs };
        assert_eq!(at(100, signs), Stage::WonBack);
        signs = Signs { orders: 3, earlier_paid_at: Some(day(100)), last_paid_at: Some(day(110)), ..signs };
        assert_eq!(at(110, signs), Stage::RepeatBuyer);
    }

    #[test]
    fn who_leaves_is_lost_and_won_back_by_any_later_sign() {
        let lost = Signs { contact_at: Some(day(0)), lost_at: Some(day(5)), ..Signs::default() };
        assert_eq!(at(5, lost), Stage::Lost);
        assert_eq!(at(6, Signs { contact_at: Some(day(6)), ..lost }), Stage::WonBack);
        let bought = Signs { orders: 1, orders_since_lost: 1, last_paid_at: Some(day(7)), ..lost };
        assert_eq!(at(7, bought), Stage::WonBack);
        let again = Signs {
            orders: 2,
            orders_since_lost: 2,
            earlier_paid_at: Some(day(7)),
            last_paid_at: Some(day(8)),
            ..bought
        };
        assert_eq!(at(8, again), Stage::RepeatBuyer);
    }
}
