//! Orders and refunds: what merged facts say, and that merging them has no order. All people and goods are invented.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::collections::BTreeMap;

use domain::{
    Amounts, Fen, Identity, IdentityKind, Latest, Line, OrderDetail, OrderFacts, OrderFlag, OrderKey, OrderStatus,
    Platform, Refund, RefundClaim, RefundError, RefundFacts, RefundKind, RefundLine, RefundStatus, Shipment, UnixMs,
    can_refund,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(seconds).unwrap()
}

fn key() -> OrderKey {
    OrderKey { platform: Platform::Own, shop_id: "s1".to_owned(), platform_order_id: "9007199254740993".to_owned() }
}

fn line(line_id: &str, quantity: u32, unit_price: i64, discount: i64) -> Line {
    Line {
        line_id: line_id.to_owned(),
        sku: "tea".to_owned(),
        product_id: None,
        title: "Invented tea".to_owned(),
        quantity,
        unit_price: Fen::new(unit_price),
        discount: Fen::new(discount),
    }
}

/// 2 × 50.00 − 10.00 and 1 × 30.01, freight 6.00: 126.01 in all.
fn detail() -> OrderDetail {
    OrderDetail {
        lines: vec![line("1", 2, 5000, 1000), line("2", 1, 3001, 0)],
        amounts: Amounts {
            goods: Fen::new(13001),
            discount_merchant: Fen::new(700),
            discount_platform: Fen::new(300),
            freight: Fen::new(600),
            tax: Fen::ZERO,
            payable: Fen::new(12601),
        },
        region: None,
        live_room: None,
        guide: None,
        member_level: None,
    }
}

fn paid_order() -> OrderFacts {
    let mut facts = OrderFacts::reached(OrderStatus::Paid, at(100));
    facts.paid = Some(Latest::new(at(100), Fen::new(12601)));
    facts.detail = Some(Latest::new(at(100), detail()));
    facts
}

#[test]
fn an_older_message_never_undoes_a_newer_state() {
    let mut facts = OrderFacts::reached(OrderStatus::Shipped, at(300));
    facts.merge(OrderFacts::reached(OrderStatus::Paid, at(200)));
    assert_eq!(facts.status(), Some(OrderStatus::Shipped));
    assert_eq!(facts.order(key()).times.paid_at, Some(at(200)));
}

#[test]
fn closed_is_terminal() {
    let mut facts = OrderFacts::reached(OrderStatus::Closed, at(100));
    facts.merge(OrderFacts::reached(OrderStatus::Completed, at(900)));
    assert_eq!(facts.order(key()).status, OrderStatus::Closed);
}

#[test]
fn milestones_fill_in_what_follows_and_nothing_more() {
    let steps = |status| OrderFacts::reached(status, at(500)).milestones().into_keys().collect::<Vec<_>>();
    use OrderStatus::{Closed, Completed, Created, Paid, PartlyShipped, Shipped, Signed};
    assert_eq!(steps(Completed), [Created, Paid, Completed]);
    assert_eq!(steps(Signed), [Created, Shipped, Signed]);
    assert_eq!(steps(Shipped), [Created, Shipped]);
    assert_eq!(steps(PartlyShipped), [Created, PartlyShipped]);
    assert_eq!(steps(Closed), [Created, Closed]);
    assert!(OrderFacts::default().milestones().is_empty());
}

#[test]
fn an_unknown_status_is_kept_and_flagged_and_moves_nothing() {
    let mut facts = OrderFacts::reached(OrderStatus::Paid, at(100));
    facts.merge(OrderFacts {
        raw_status: Some(Latest::new(at(200), "777".to_owned())),
        unknown_statuses: ["777".to_owned()].into(),
        ..OrderFacts::default()
    });
    let order = facts.order(key());
    assert_eq!((order.status, order.raw_status.as_deref()), (OrderStatus::Paid, Some("777")));
    assert_eq!(order.flags, [OrderFlag::UnknownStatus]);
    assert_eq!(order.times.updated_at, Some(at(200)));
}

#[test]
fn a_bill_that_does_not_add_up_is_flagged() {
    assert_eq!(paid_order().flags(), []);
    type Spoil = fn(&mut OrderDetail);
    let spoilt: [Spoil; 5] = [
        |detail| detail.amounts.payable = Fen::new(12600),
        |detail| detail.amounts.goods = Fen::new(13000),
        |detail| detail.amounts.freight = Fen::ZERO,
        |detail| detail.lines[1].discount = Fen::new(1),
        |detail| detail.lines[0].unit_price = Fen::new(i64::MAX),
    ];
    for spoil in spoilt {
        let mut facts = paid_order();
        let mut broken = detail();
        spoil(&mut broken);
        facts.detail = Some(Latest::new(at(101), broken));
        assert_eq!(facts.flags(), [OrderFlag::AmountsDisagree]);
    }
}

#[test]
fn what_only_pushes_tell_is_incomplete() {
    let order = OrderFacts::reached(OrderStatus::Paid, at(100)).order(key());
    assert!(!order.complete && order.lines.is_empty() && order.amounts.is_none());
    assert!(paid_order().order(key()).complete);
}

#[test]
fn payment_spreads_over_lines_without_freight() {
    let order = paid_order().order(key());
    assert_eq!(order.paid_by_line().unwrap(), [("1", Fen::new(9000)), ("2", Fen::new(3001))]);
    let unpaid = OrderFacts { paid: Some(Latest::new(at(1), Fen::ZERO)), ..paid_order() }.order(key());
    assert_eq!(unpaid.paid_by_line().unwrap(), [("1", Fen::ZERO), ("2", Fen::ZERO)]);
}

#[test]
fn an_order_survives_its_json() {
    let facts = paid_order();
    assert_eq!(serde_json::from_str::<OrderFacts>(&serde_json::to_string(&facts).unwrap()).unwrap(), facts);
    let order = facts.order(key());
    let json = serde_json::to_string(&order).unwrap();
    assert!(json.contains(r#""platform_order_id":"9007199254740993""#));
    assert_eq!(serde_json::from_str::<domain::Order>(&json).unwrap(), order);
}

fn claim(amount: i64, freight: i64, lines: &[(&str, i64)]) -> RefundClaim {
    let lines = lines.iter().map(|(line_id, amount)| RefundLine {
        line_id: (*line_id).to_owned(),
        quantity: None,
        amount: Fen::new(*amount),
    });
    RefundClaim {
        kind: RefundKind::Return,
        amount: Fen::new(amount),
        freight: Fen::new(freight),
        lines: lines.collect(),
        reason_code: None,
    }
}

fn refund(status: RefundStatus, claim: RefundClaim) -> Refund {
    let mut facts = RefundFacts { claim: Some(Latest::new(at(1), claim)), ..RefundFacts::default() };
    facts.reach(status, at(1));
    facts.refund(key(), "r".to_owned())
}

#[test]
fn refunds_never_exceed_what_was_paid() {
    let paid = Fen::new(12601);
    let by_line = [("1", Fen::new(9000)), ("2", Fen::new(3001))];
    let whole = claim(12601, 600, &[("1", 9000), ("2", 3001)]);
    assert_eq!(can_refund(paid, &by_line, &[], &whole), Ok(()));

    let earlier = [refund(RefundStatus::Applied, claim(9000, 0, &[("1", 9000)]))];
    let left = RefundError::ExceedsPaid { asked: Fen::new(12601), left: Fen::new(3601) };
    assert_eq!(can_refund(paid, &by_line, &earlier, &whole), Err(left));
    assert_eq!(can_refund(paid, &by_line, &earlier, &claim(3601, 600, &[("2", 3001)])), Ok(()));
    let again = RefundError::LineExceedsPaid { line_id: "1".to_owned(), asked: Fen::new(9001), paid: Fen::new(9000) };
    assert_eq!(can_refund(paid, &by_line, &earlier, &claim(1, 0, &[("1", 1)])), Err(again));
}

#[test]
fn failed_refunds_free_their_amount() {
    let paid = Fen::new(9000);
    let by_line = [("1", Fen::new(9000))];
    let new = claim(9000, 0, &[("1", 9000)]);
    for status in RefundStatus::ALL {
        let earlier = [refund(status, claim(9000, 0, &[("1", 9000)]))];
        let frees = matches!(status, RefundStatus::Rejected | RefundStatus::Cancelled);
        assert_eq!(can_refund(paid, &by_line, &earlier, &new).is_ok(), frees, "{status}");
    }
}

#[test]
fn refunds_that_make_no_sense_are_refused() {
    let check = |claim| can_refund(Fen::new(100), &[("1", Fen::new(100))], &[], &claim);
    assert_eq!(check(claim(0, 0, &[])), Err(RefundError::NotPositive));
    assert_eq!(check(claim(-1, 0, &[])), Err(RefundError::NotPositive));
    assert_eq!(check(claim(10, 0, &[("1", 20), ("1", -10)])), Err(RefundError::NotPositive));
    assert_eq!(check(claim(10, 0, &[("2", 10)])), Err(RefundError::UnknownLine("2".to_owned())));
    let disagree = RefundError::LinesDisagree { lines: Fen::new(10), freight: Fen::new(1), amount: Fen::new(10) };
    assert_eq!(check(claim(10, 1, &[("1", 10)])), Err(disagree));
    assert_eq!(check(claim(100, 0, &[])), Ok(()));
}

#[test]
fn a_refused_refund_can_still_be_agreed_and_money_moved_is_final() {
    let mut facts = RefundFacts::default();
    facts.reach(RefundStatus::Rejected, at(200));
    facts.reach(RefundStatus::Applied, at(100));
    assert_eq!(facts.status(), Some(RefundStatus::Rejected));
    facts.reach(RefundStatus::Agreed, at(300));
    assert_eq!(facts.status(), Some(RefundStatus::Agreed));
    facts.reach(RefundStatus::Refunded, at(250));
    facts.reach(RefundStatus::Cancelled, at(900));
    assert_eq!(facts.status(), Some(RefundStatus::Refunded));
    let cancelled = BTreeMap::from([(RefundStatus::Applied, at(5)), (RefundStatus::Cancelled, at(5))]);
    let mut alone = RefundFacts::default();
    alone.reach(RefundStatus::Cancelled, at(5));
    assert_eq!(alone.milestones(), cancelled);
}

// Few values each, so that facts often meet at the same time and disagree.

fn instant() -> impl Strategy<Value = UnixMs> {
    (0_i64..6).prop_map(at)
}

fn order_facts() -> impl Strategy<Value = OrderFacts> {
    let reached = option::of((prop::sample::select(&OrderStatus::ALL[..]), instant()));
    let raw = option::of((instant(), "[a-c]"));
    let paid = option::of((instant(), 0_i64..3));
    let detail = option::of((instant(), 0_i64..3));
    let parcel = option::of(("[xy]", option::of("[pq]"), option::of(instant())));
    let buyer = option::of("[uv]");
    (reached, raw, paid, detail, parcel, buyer).prop_map(|(reached, raw, paid, price, parcel, buyer)| {
        let mut facts = OrderFacts::default();
        if let Some((status, at)) = reached {
            facts.reach(status, at);
        }
        if let Some((at, word)) = raw {
            facts.unknown_statuses.insert(word.clone());
            facts.raw_status = Some(Latest::new(at, word));
        }
        facts.paid = paid.map(|(at, fen)| Latest::new(at, Fen::new(fen)));
        facts.detail = price.map(|(at, price)| {
            Latest::new(at, OrderDetail { lines: vec![line("1", 1, price, 0)], ..detail_of_nothing() })
        });
        if let Some((tracking_number, carrier, shipped_at)) = parcel {
            facts.ship(Shipment { tracking_number, carrier, shipped_at });
        }
        facts.identities.extend(buyer.map(|value| Identity { kind: IdentityKind::MemberCard, scope: None, value }));
        facts
    })
}

fn detail_of_nothing() -> OrderDetail {
    OrderDetail {
        lines: Vec::new(),
        amounts: Amounts::default(),
        region: None,
        live_room: None,
        guide: None,
        member_level: None,
    }
}

fn refund_facts() -> impl Strategy<Value = RefundFacts> {
    let reached = option::of((prop::sample::select(&RefundStatus::ALL[..]), instant()));
    (reached, option::of((instant(), 1_i64..4))).prop_map(|(reached, asked)| {
        let mut facts = RefundFacts::default();
        if let Some((status, at)) = reached {
            facts.reach(status, at);
        }
        facts.claim = asked.map(|(at, amount)| Latest::new(at, claim(amount, 0, &[])));
        facts.version = asked.map(|(at, version)| Latest::new(at, version.to_string()));
        facts
    })
}

fn merged<T: Clone + Default>(facts: &[T], merge: fn(&mut T, T)) -> T {
    facts.iter().cloned().fold(T::default(), |mut sum, next| {
        merge(&mut sum, next);
        sum
    })
}

/// A list, and the same list shuffled with some of its elements repeated.
fn shuffled<T: Clone + std::fmt::Debug + 'static>(
    one: impl Strategy<Value = T>,
) -> impl Strategy<Value = (Vec<T>, Vec<T>)> {
    vec(one, 0..8).prop_flat_map(|list| {
        let repeated = prop::sample::subsequence(list.clone(), 0..=list.len());
        let noisy = repeated.prop_map({
            let list = list.clone();
            move |again| [list.clone(), again].concat()
        });
        (Just(list), noisy.prop_shuffle())
    })
}

proptest! {
    #[test]
    fn order_facts_converge((list, noisy) in shuffled(order_facts())) {
        prop_assert_eq!(merged(&list, OrderFacts::merge), merged(&noisy, OrderFacts::merge));
    }

    #[test]
    fn refund_facts_converge((list, noisy) in shuffled(refund_facts())) {
        prop_assert_eq!(merged(&list, RefundFacts::merge), merged(&noisy, RefundFacts::merge));
    }

    /// Merging in groups (two replicas, then one) is merging one by one.
    #[test]
    fn grouping_does_not_matter(list in vec(order_facts(), 0..8), cut in any::<prop::sample::Index>()) {
        let (left, right) = list.split_at(cut.index(list.len() + 1));
        let mut grouped = merged(left, OrderFacts::merge);
        grouped.merge(merged(right, OrderFacts::merge));
        prop_assert_eq!(grouped, merged(&list, OrderFacts::merge));
    }

    /// A step that was announced stays announced, and the status never falls, whatever arrives next.
    #[test]
    fn milestones_only_grow(list in vec(order_facts(), 0..8), next in order_facts()) {
        let before = merged(&list, OrderFacts::merge);
        let mut after = before.clone();
        after.merge(next);
        prop_assert!(after.status() >= before.status());
        let steps = after.milestones();
        prop_assert!(before.milestones().keys().all(|step| steps.contains_key(step)));
    }
}
