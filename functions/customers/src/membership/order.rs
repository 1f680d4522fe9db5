//! What membership keeps of an order, and what of its price is left after refunds.

use domain::{Fen, Order, OrderStatus, Platform, RefundClaim, RefundKind, allocate};
use serde::{Deserialize, Serialize};

/// What points and spend are computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptOrder {
    /// Where it was placed.
    pub platform: Platform,
    /// The shop there.
    pub shop_id: String,
    /// Whether it was paid.
    pub paid: bool,
    /// Whether the goods were received.
    pub signed: bool,
    /// Whether it is finished.
    pub completed: bool,
    /// What was really paid for each line. Empty while the full record is missing: until then an order earns nothing.
    pub lines: Vec<KeptLine>,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLine {
    /// Its id in the order.
    pub line_id: String,
    /// The merchant's SKU code.
    pub sku: String,
    /// What was paid for it, without freight.
    pub paid: Fen,
}

/// What of a line's price is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetLine<'a> {
    /// The merchant's SKU code.
    pub sku: &'a str,
    /// What was paid for it less what was given back, never negative.
    pub net: Fen,
}

impl KeptOrder {
    /// What is to be kept of an order. One whose own numbers make no sense (money for nothing) keeps no lines, and earns nothing.
    pub fn of(order: &Order) -> Self {
        let paid_by_line = order.paid_by_line().unwrap_or_default();
        let line = |(line, (line_id, paid)): (&domain::Line, (&str, Fen))| KeptLine {
            line_id: line_id.to_owned(),
            sku: line.sku.clone(),
            paid: paid.max(Fen::ZERO),
        };
        let reached = |status| order.status != OrderStatus::Closed && order.status >= status;
        Self {
            platform: order.key.platform,
            shop_id: order.key.shop_id.clone(),
            paid: order.times.paid_at.is_some() || reached(OrderStatus::Paid),
            signed: order.times.signed_at.is_some() || reached(OrderStatus::Signed),
            completed: order.times.completed_at.is_some() || reached(OrderStatus::Completed),
            lines: order.lines.iter().zip(paid_by_line).map(line).collect(),
        }
    }

    /// What is left of each line's price after these refunds, whatever their order: a refund of a line takes from that line, one of the
    /// whole order from all lines by what is left of them. Exchanges move no money.
    pub fn net(&self, refunds: &[RefundClaim]) -> Vec<NetLine<'_>> {
        let mut left: Vec<i64> = self.lines.iter().map(|line| line.paid.get()).collect();
        let mut common: i64 = 0;
        for refund in refunds.iter().filter(|refund| refund.kind != RefundKind::Exchange) {
            let goods = refund.amount.get().saturating_sub(refund.freight.get()).max(0);
            let mut named: i64 = 0;
            for claim in &refund.lines {
                let amount = claim.amount.get().max(0);
                named = named.saturating_add(amount);
                match self.lines.iter().position(|line| line.line_id == claim.line_id).and_then(|at| left.get_mut(at)) {
                    // Below zero for now, so that the order of refunds does not matter.
                    Some(left) => *left = left.saturating_sub(amount),
                    None => common = common.saturating_add(amount),
                }
            }
            common = common.saturating_add(goods.saturating_sub(named).max(0));
        }
        for left in left.iter_mut().filter(|left| **left < 0) {
            common = common.saturating_sub(*left);
            *left = 0;
        }
        let all = left.iter().fold(0_i64, |sum, left| sum.saturating_add(*left));
        let weights: Vec<u64> = left.iter().map(|left| u64::try_from(*left).unwrap_or(0)).collect();
        if let Ok(parts) = allocate(Fen::new(common.min(all)), &weights) {
            for (left, part) in left.iter_mut().zip(parts) {
                *left = left.saturating_sub(part.get()).max(0);
            }
        }
        self.lines.iter().zip(left).map(|(line, left)| NetLine { sku: &line.sku, net: Fen::new(left) }).collect()
    }
}

/// What is left of all lines together.
pub fn spend(net: &[NetLine<'_>]) -> Fen {
    Fen::new(net.iter().fold(0_i64, |sum, line| sum.saturating_add(line.net.get())))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::membership::rules::{EarnWhen, Lifetime, PointRules, Rate};
    use domain::RefundLine;
    use proptest::prelude::*;

    /// A paid order of Douyin's shop 7, one line a SKU.
    pub fn order(lines: &[(&str, i64)]) -> KeptOrder {
        let line = |(place, (sku, paid)): (usize, &(&str, i64))| KeptLine {
            line_id: place.to_string(),
            sku: (*sku).to_owned(),
            paid: Fen::new(*paid),
        };
        KeptOrder {
            platform: Platform::Douyin,
            shop_id: "7".to_owned(),
            paid: true,
            signed: false,
            completed: false,
            lines: lines.iter().enumerate().map(line).collect(),
        }
    }

    /// One point a yuan when paid, for a year.
    pub fn rules() -> PointRules {
        PointRules {
            rate: Rate { points: 1, fen: 100 },
            when: EarnWhen::Paid,
            minimum: Fen::ZERO,
            lifetime: Lifetime::Days { days: 365 },
            remind_days: None,
            platforms: Default::default(),
            shops: Default::default(),
            skus: Default::default(),
            levels: Default::default(),
            excluded_skus: Default::default(),
        }
    }

    fn claim(amount: i64, freight: i64, lines: &[(&str, i64)]) -> RefundClaim {
        RefundClaim {
            kind: RefundKind::Return,
            amount: Fen::new(amount),
            freight: Fen::new(freight),
            lines: lines
                .iter()
                .map(|(line_id, amount)| RefundLine {
                    line_id: (*line_id).to_owned(),
                    quantity: None,
                    amount: Fen::new(*amount),
                })
                .collect(),
            reason_code: None,
        }
    }

    fn left(order: &KeptOrder, refunds: &[RefundClaim]) -> Vec<i64> {
        order.net(refunds).iter().map(|line| line.net.get()).collect()
    }

    #[test]
    fn a_refund_takes_from_its_lines_and_one_of_the_whole_from_all() {
        let order = order(&[("A", 1000), ("B", 3000)]);
        assert_eq!(left(&order, &[]), [1000, 3000]);
        assert_eq!(left(&order, &[claim(500, 0, &[("0", 500)])]), [500, 3000]);
        assert_eq!(left(&order, &[claim(1200, 200, &[])]), [750, 2250], "freight earned nothing");
        assert_eq!(left(&order, &[claim(1500, 0, &[("0", 1500)])]), [0, 2500], "what exceeds its line goes on");
        assert_eq!(left(&order, &[claim(500, 0, &[("9", 500)])]), [875, 2625], "a line that is not known");
        assert_eq!(left(&order, &[claim(9000, 0, &[])]), [0, 0]);
        let exchange = RefundClaim { kind: RefundKind::Exchange, ..claim(1000, 0, &[("0", 1000)]) };
        assert_eq!(left(&order, &[exchange]), [1000, 3000]);
    }

    proptest! {
        #[test]
        fn refunds_take_what_they_say_in_any_order(
            paid in prop::collection::vec(0..5000_i64, 1..5),
            refunds in prop::collection::vec((0..4000_i64, prop::option::of(0..6_usize)), 0..5),
        ) {
            let names: Vec<(String, i64)> = paid.iter().map(|paid| ("A".to_owned(), *paid)).collect();
            let lines: Vec<(&str, i64)> = names.iter().map(|(sku, paid)| (sku.as_str(), *paid)).collect();
            let order = order(&lines);
            let claims: Vec<RefundClaim> = refunds
                .iter()
                .map(|(amount, line)| match line {
                    Some(line) => claim(*amount, 0, &[(line.to_string().as_str(), *amount)]),
                    None => claim(*amount, 0, &[]),
                })
                .collect();
            let sum: i64 = left(&order, &claims).iter().sum();
            let asked: i64 = refunds.iter().map(|(amount, _)| amount).sum();
            prop_assert_eq!(sum, (paid.iter().sum::<i64>() - asked).max(0));
            let backwards: Vec<RefundClaim> = claims.iter().rev().cloned().collect();
            prop_assert_eq!(left(&order, &claims), left(&order, &backwards));
            prop_assert!(left(&order, &claims).iter().zip(&paid).all(|(left, paid)| (0..=*paid).contains(left)));
        }
    }
}
