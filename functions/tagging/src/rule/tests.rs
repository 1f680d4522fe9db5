//! Conditions, read and asked.

use super::*;
use crate::feature::{Booking, State, Value};
use domain::day;
use domain::{Stage, UnixMs};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// A Thursday.
const NOW: &str = "2026-03-12T21:30:00+08:00";

fn now() -> UnixMs {
    NOW.parse().unwrap()
}

fn state(days_ago: i32, amount: i64) -> State {
    let today = day::of(now());
    let mut state = State::default();
    let deltas = vec![
        ("orders".to_owned(), 1, amount),
        ("orders|platform=douyin".to_owned(), 1, amount),
        ("keyword|word=price".to_owned(), 2, 0),
    ];
    let newest = vec![("region".to_owned(), "浙江省\t杭州市".to_owned())];
    let at = day::start(today - days_ago).unwrap().millis();
    state.book(&Booking { at, deltas, newest, ..Booking::default() }, today);
    state
}

struct Asked {
    state: State,
    before: State,
    attributes: BTreeMap<String, Value>,
    tags: BTreeSet<domain::TagId>,
}

impl Asked {
    fn new() -> Self {
        let attributes = [("pregnancy_week", Value::Number(22)), ("brand", Value::Text("A".to_owned()))];
        Self {
            state: state(3, 12_000),
            before: State::default(),
            attributes: attributes.map(|(name, value)| (name.to_owned(), value)).into(),
            tags: ["01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()].into(),
        }
    }

    fn view(&self) -> View<'_> {
        View {
            state: &self.state,
            before: &self.before,
            stage: Some(Stage::Buyer),
            attributes: &self.attributes,
            tags: &self.tags,
            limits: &crate::feature::rfm::Limits::DEFAULT,
            today: day::of(now()),
            at: now(),
        }
    }
}

#[test]
fn conditions_hold_or_not() {
    let asked = Asked::new();
    let leaf = |feature: &str, op: &str, value: Json| json!({ "feature": feature, "op": op, "value": value });
    for (condition, holds) in [
        (leaf("orders.count.30d", ">=", json!(1)), true),
        (leaf("orders.count.1d", ">=", json!(1)), false),
        (leaf("orders.amount.ever{platform=douyin}", "=", json!(12_000)), true),
        (leaf("orders.amount.ever{platform=taobao}", "=", json!(0)), true),
        (leaf("orders.since_last", "in", json!([2, 3])), true),
        (leaf("shares.since_last", "!=", json!(2)), false), // never shared: nothing is known
        (leaf("region.city", "=", json!("杭州市")), true),
        (leaf("region.city", ">=", json!(3)), false),
        (json!({ "tag": "01890a5d-ac96-774b-bcce-b302099a8057" }), true),
        (json!({ "tag": "01890a5d-ac96-774b-bcce-b302099a8058" }), false),
        (json!({ "stage": "buyer" }), true),
        (json!({ "stage": ["loyal", "lead"] }), false),
        (json!({ "attribute": "pregnancy_week", "op": ">=", "value": 20 }), true),
        (json!({ "attribute": "brand", "op": "in", "value": ["B", "A"] }), true),
        (json!({ "attribute": "brand", "op": "<", "value": 20 }), false),
        (json!({ "region": { "province": "浙江省", "city": "杭州市" } }), true),
        (json!({ "region": { "province": "浙江省", "city": "宁波市" } }), false),
        (json!({ "keyword": "price", "window": "7d", "op": ">=", "value": 2 }), true),
        (json!({ "keyword": "refund" }), false),
        (json!({ "calendar": { "days": "workday", "months": [3] } }), true),
        (json!({ "calendar": { "days": "weekend" } }), false),
        (json!({ "changed": "orders.count.ever" }), true),
        (json!({ "changed": "shares.count.ever" }), false),
        (json!({ "all": [{ "changed": "orders.count.ever" }, { "calendar": { "hours": [20, 24] } }] }), true),
        (json!({ "all": [{ "changed": "orders.count.ever" }, { "calendar": { "hours": [22, 6] } }] }), false),
        (json!({ "any": [{ "stage": "lead" }, { "not": { "stage": "lead" } }] }), true),
        (json!({ "all": [{ "stage": "lead" }, { "not": { "stage": "lead" } }] }), false),
    ] {
        let read = parse::condition(&condition).unwrap_or_else(|error| panic!("{condition}: {error}"));
        assert_eq!(read.holds(&asked.view()), holds, "{condition}");
        assert_eq!(read.explain(&asked.view()).len(), read.leaves().len());
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (condition, place) in [
        (json!([]), "condition:"),
        (json!({}), "condition:"),
        (json!({ "stage": "buyer", "tag": "x" }), "condition:"),
        (json!({ "all": [] }), "condition.all:"),
        (json!({ "all": [{ "stage": "buyer" }, { "stage": "king" }] }), "condition.all[1].stage:"),
        (json!({ "not": { "feature": "orders.count.30d", "op": "~", "value": 1 } }), "condition.not.op:"),
        (json!({ "feature": "orders.count.30d", "op": ">=" }), "condition.value:"),
        (json!({ "feature": "orders.count.30d", "op": ">=", "value": 1.5 }), "condition.value:"),
        (json!({ "feature": "orders.count.31d", "op": ">=", "value": 1 }), "condition.feature:"),
        (json!({ "feature": "orders.count.30d", "op": "in", "value": 1 }), "condition.value:"),
        (json!({ "feature": "orders.count.30d", "op": "=", "value": 1, "unit": "x" }), "condition.unit:"),
        (json!({ "tag": "strawberry" }), "condition.tag:"),
        (json!({ "region": {} }), "condition.region:"),
        (json!({ "region": { "town": "x" } }), "condition.region.town:"),
        (json!({ "keyword": "x", "window": "2d" }), "condition.window:"),
        (json!({ "calendar": { "months": [13] } }), "condition.calendar.months:"),
        (json!({ "calendar": { "days": "monday" } }), "condition.calendar.days:"),
        (json!({ "calendar": { "hours": [20, 20] } }), "condition.calendar.hours:"),
        (json!({ "calendar": { "hours": [20, 24] } }), "condition:"), // of which event?
    ] {
        let error = parse::condition(&condition).unwrap_err().to_string();
        assert!(error.starts_with(place), "{condition}: {error}");
    }
}

#[test]
fn effects_are_checked() {
    let lasting = parse::condition(&json!({ "stage": "buyer" })).unwrap();
    let moment = parse::condition(&json!({ "changed": "orders.count.ever" })).unwrap();
    let tag = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (effect, condition, fine) in [
        (json!({ "add_tag": tag, "for_days": 30, "while_true": true }), &lasting, true),
        (json!({ "add_tag": tag }), &moment, true),
        (json!({ "raise": "birthday" }), &moment, true),
        (json!({ "add_tag": tag, "while_true": true }), &moment, false),
        (json!({ "add_tag": tag, "remove_tag": tag }), &lasting, false),
        (json!({ "remove_tag": tag, "for_days": 3 }), &lasting, false),
        (json!({ "add_tag": tag, "for_days": 0 }), &lasting, false),
        (json!({ "raise": "" }), &lasting, false),
        (json!({}), &lasting, false),
    ] {
        let read: Effect = serde_json::from_value(effect.clone()).unwrap();
        assert_eq!(check_effects(&[read], condition).is_ok(), fine, "{effect}");
    }
    assert!(check_effects(&[], &lasting).is_err());
}

#[test]
fn rules_that_feed_each_other_are_found() {
    let tag = |number: u8| domain::TagId::new(UnixMs::EPOCH, [number; 10]);
    let rule = |id: &str, asks: &[u8], gives: &[u8]| {
        (id.to_owned(), asks.iter().map(|n| tag(*n)).collect(), gives.iter().map(|n| tag(*n)).collect())
    };
    let chain = [rule("a", &[], &[1]), rule("b", &[1], &[2]), rule("c", &[1, 2], &[3])];
    assert_eq!(set::cycle(&chain), None);
    let circle = [rule("a", &[3], &[1]), rule("b", &[1], &[2]), rule("c", &[2], &[3]), rule("d", &[3], &[])];
    assert_eq!(set::cycle(&circle).unwrap().len(), 3);
    assert_eq!(set::cycle(&[rule("a", &[1], &[1])]).unwrap(), ["a"]);
}

proptest! {
    /// Until the day that is told, the condition stays as it is: so nobody has to look.
    #[test]
    fn a_condition_stays_until_its_next_change(
        ago in 0..380_i32, feature in prop::sample::select(vec![
            "orders.count.7d", "orders.count.30d", "orders.amount.365d", "orders.since_last", "orders.since_first",
            "orders.days.90d", "rfm.total", "net.amount.90d", "basket.average.30d", "streak.now",
        ]),
        op in prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]),
        wanted in prop::sample::select(vec![0, 1, 2, 5, 30, 90, 12_000]),
        negated in any::<bool>(), calendar in any::<bool>(),
    ) {
        let asked = Asked { state: state(ago, 12_000), ..Asked::new() };
        let mut condition = json!({ "feature": feature, "op": op, "value": wanted });
        if negated {
            condition = json!({ "not": condition });
        }
        if calendar {
            condition = json!({ "all": [condition, { "calendar": { "days": "holiday" } }] });
        }
        let condition = parse::condition(&condition).unwrap();
        let view = asked.view();
        let until = condition.next_change(&view).unwrap_or(view.today + 500);
        prop_assert!(until > view.today);
        for day in view.today..until {
            prop_assert_eq!(condition.holds(&View { today: day, ..view }), condition.holds(&view), "{}", day - view.today);
        }
    }
}
