//! Properties of the figures.

use super::name::{self, Feature};
use super::rfm::Limits;
use super::state::{Booking, State};
use super::value::Value;
use domain::day;
use proptest::prelude::*;

const TODAY: i32 = 20_500;

fn at(day: i32, minute: i64) -> i64 {
    day::start(day).unwrap().millis() + minute * 60_000
}

fn booking(day: i32, minute: i64, amount: i64) -> Booking {
    Booking {
        at: at(day, minute),
        deltas: vec![("orders".to_owned(), 1, amount), ("active".to_owned(), 1, 0)],
        in_histograms: true,
        newest: vec![("region".to_owned(), format!("P{amount}\tC"))],
        earliest: vec![("channel".to_owned(), format!("c{amount}"))],
        highest: vec![("progress|course=a".to_owned(), amount)],
        in_session: true,
    }
}

fn number(feature: &str, state: &State, today: i32) -> Option<i64> {
    match feature.parse::<Feature>().unwrap().value(state, today, &Limits::DEFAULT) {
        Some(Value::Number(number)) => Some(number),
        _ => None,
    }
}

#[test]
fn the_catalogue_has_over_200_features_and_each_reads_back_and_evaluates() {
    let mut state = State::default();
    for measure in super::measure::MEASURES {
        let deltas = vec![(measure.name.to_owned(), 2, 300)];
        state.book(&Booking { deltas, ..booking(TODAY - 1, 600, 5) }, TODAY);
    }
    state.book(
        &Booking { newest: vec![("birthday".to_owned(), "5\t17".to_owned())], ..booking(TODAY - 2, 600, 1) },
        TODAY,
    );
    for key in ["channel", "source"] {
        let told = vec![(key.to_owned(), "x".to_owned())];
        let booking = Booking { newest: told.clone(), earliest: told, ..booking(TODAY, 600, 5) };
        state.book(&booking, TODAY);
    }
    let mut names: Vec<String> = name::all().chain(name::spreads()).map(|feature| feature.to_string()).collect();
    for name in &names {
        let feature: Feature = name.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(feature.to_string(), *name);
        let known = feature.value(&state, TODAY, &Limits::DEFAULT);
        // Nothing happened today but the last bookings, so a ratio of one day may have no ground.
        assert!(known.is_some() || name.ends_with(".1d"), "{name} has no value");
        assert!(feature.next_change(&state, TODAY, &Limits::DEFAULT).is_none_or(|day| day > TODAY), "{name}");
    }
    assert!(names.len() > 200, "{}", names.len());
    names.sort();
    names.dedup();
    assert!(names.len() > 200, "names repeat");
}

#[test]
fn names_that_are_none_are_refused() {
    for name in [
        "orders",
        "orders.count",
        "orders.count.2d",
        "orders.count.30d.x",
        "orders.count.30d{",
        "orders.count.30d{platform}",
        "orders.count.30d{platform=}",
        "orders.count.30d{colour=red}",
        "shares.amount.7d",
        "orders.days.ever",
        "rfm.recency{sku=x}",
        "follows.since_last.7d",
        "views.top.7d",
        "views.top.7d{product=x}",
        "views.top.7d{colour}",
        "views.count.7d{product}",
        "basket.average.30d{sku=x}",
        "",
    ] {
        assert!(name.parse::<Feature>().is_err(), "{name}");
    }
    let error = "orders.count.30d{colour=red}".parse::<Feature>().unwrap_err().to_string();
    assert!(error.contains("platform"), "{error}");
}

#[test]
fn windows_slide_to_the_day() {
    let mut state = State::default();
    state.book(&booking(TODAY, 600, 100), TODAY);
    for (feature, days) in [("orders.count.1d", 1), ("orders.count.7d", 7), ("orders.count.365d", 365)] {
        assert_eq!(number(feature, &state, TODAY + days - 1), Some(1), "{feature}");
        assert_eq!(number(feature, &state, TODAY + days), Some(0), "{feature}");
        assert_eq!(
            feature.parse::<Feature>().unwrap().next_change(&state, TODAY, &Limits::DEFAULT),
            Some(TODAY + days),
            "{feature}"
        );
    }
    assert_eq!(number("orders.since_last", &state, TODAY + 90), Some(90));
    assert_eq!(number("orders.amount.ever", &state, TODAY + 4000), Some(100));
    assert_eq!(number("rfm.recency", &state, TODAY + 30), Some(5));
    assert_eq!(number("rfm.recency", &state, TODAY + 31), Some(4));
}

#[test]
fn the_values_of_a_dimension_are_held_against_each_other() {
    let mut state = State::default();
    for (product, ago) in [("a", 0), ("a", 3), ("b", 1), ("a", 9), ("ab", 1)] {
        let deltas = vec![("views".to_owned(), 1, 0), (format!("views|product={product}"), 1, 0)];
        state.book(&Booking { at: at(TODAY - ago, 0), deltas, ..Booking::default() }, TODAY);
    }
    for (feature, value) in [
        ("views.top.30d{product}", 3),
        ("views.top.7d{product}", 2),
        ("views.distinct.1d{product}", 1),
        ("views.distinct.ever{product}", 3),
    ] {
        assert_eq!(number(feature, &state, TODAY), Some(value), "{feature}");
    }
    let top: Feature = "views.top.7d{product}".parse().unwrap();
    assert_eq!(top.next_change(&state, TODAY, &Limits::DEFAULT), Some(TODAY + 4));
}

#[test]
fn streaks_and_sessions() {
    let mut state = State::default();
    for (day, minute) in [(-9, 0), (-8, 0), (-7, 0), (-2, 0), (-1, 0), (-1, 30), (-1, 61)] {
        state.book(&booking(TODAY + day, minute, 1), TODAY);
    }
    assert_eq!(number("streak.now", &state, TODAY), Some(2));
    assert_eq!(number("streak.now", &state, TODAY + 1), Some(0));
    assert_eq!(number("streak.longest", &state, TODAY), Some(3));
    // Thirty minutes belong to one visit, thirty-one do not.
    assert_eq!(number("sessions.count.ever", &state, TODAY), Some(6));
}

prop_compose! {
    fn bookings()(list in prop::collection::vec((-500..=0_i32, 0..1440_i64, 0..50_i64), 0..20)) -> Vec<Booking> {
        let mut list: Vec<_> = list.into_iter().map(|(day, minute, amount)| booking(TODAY + day, minute, amount)).collect();
        for (number, booking) in list.iter_mut().enumerate() {
            // Sessions depend on the order of telling, and are not part of these properties.
            booking.in_session = number % 2 == 0;
        }
        list
    }
}

fn booked(list: &[Booking], today: i32) -> State {
    let mut state = State::default();
    for booking in list {
        state.book(booking, today);
    }
    state
}

fn sum(one: &State, other: &State) -> State {
    let mut sum = one.clone();
    sum.merge(other);
    sum
}

proptest! {
    #[test]
    fn states_add_up_in_any_order(one in bookings(), other in bookings(), third in bookings()) {
        let (one, other, third) = (booked(&one, TODAY), booked(&other, TODAY), booked(&third, TODAY));
        prop_assert_eq!(sum(&one, &other), sum(&other, &one));
        prop_assert_eq!(sum(&sum(&one, &other), &third), sum(&one, &sum(&other, &third)));
        prop_assert_eq!(sum(&one, &State::default()), one);
    }

    #[test]
    fn one_sum_is_the_same_as_one_state(one in bookings(), other in bookings(), later in 0..400_i32) {
        let without = |list: Vec<Booking>| {
            list.into_iter().map(|booking| Booking { in_session: false, ..booking }).collect::<Vec<_>>()
        };
        let (one, other) = (without(one), without(other));
        let together = booked(&[one.clone(), other.clone()].concat(), TODAY);
        let apart = sum(&booked(&one, TODAY), &booked(&other, TODAY));
        for feature in name::all() {
            prop_assert_eq!(feature.value(&together, TODAY + later, &Limits::DEFAULT), feature.value(&apart, TODAY + later, &Limits::DEFAULT), "{}", feature);
        }
    }

    #[test]
    fn what_is_taken_back_leaves_the_counts_as_they_were(list in bookings(), extra in (-300..=0_i32, 0..1440_i64, 1..50_i64)) {
        let before = booked(&list, TODAY);
        let extra = Booking { in_session: false, ..booking(TODAY + extra.0, extra.1, extra.2) };
        let mut after = before.clone();
        after.book(&extra, TODAY);
        after.take_back(&extra, TODAY);
        for name in ["orders.count.ever", "orders.amount.30d", "orders.since_last", "streak.longest", "hour.best"] {
            prop_assert_eq!(number(name, &after, TODAY), number(name, &before, TODAY), "{}", name);
        }
    }

    /// Between today and the next change nothing changes: so nobody has to look.
    #[test]
    fn a_value_stays_until_its_next_change(list in bookings(), later in 0..200_i32) {
        let state = booked(&list, TODAY);
        let today = TODAY + later;
        for feature in name::all() {
            let until = feature.next_change(&state, today, &Limits::DEFAULT).unwrap_or(today + 400);
            let value = feature.value(&state, today, &Limits::DEFAULT);
            for day in today..until {
                prop_assert_eq!(feature.value(&state, day, &Limits::DEFAULT), value.clone(), "{} on {}", &feature, day - today);
            }
        }
    }

    #[test]
    fn a_state_reads_back(list in bookings()) {
        let state = booked(&list, TODAY);
        let text = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    }
}

/// One activity of each kind.
fn activities() -> Vec<domain::Activity> {
    let kinds = serde_json::json!([
        { "kind": "page_viewed", "page": "p", "product": "P1", "category": "tea", "dwell_ms": 900 },
        { "kind": "menu_dwelled", "menu": "m", "dwell_ms": 30000 },
        { "kind": "code_scanned", "code": "c" },
        { "kind": "account_followed", "account": "a" },
        { "kind": "account_unfollowed", "account": "a" },
        { "kind": "contact_added", "code": "c", "half": false },
        { "kind": "contact_removed", "by": "customer" },
        { "kind": "group_joined", "group": "g", "code": null },
        { "kind": "group_left", "group": "g" },
        { "kind": "message_sent", "account": "a", "form": "text", "keywords": ["size"] },
        { "kind": "menu_used", "account": "a", "menu": "m" },
        { "kind": "link_opened", "link": "l" },
        { "kind": "link_left", "link": "l", "dwell_ms": 5, "depth_percent": 50 },
        { "kind": "content_shared", "content": "x" },
        { "kind": "form_submitted", "form": "f", "fields": ["name"] },
        { "kind": "live_commented", "room": "r", "keywords": ["price", "size"] },
        { "kind": "lesson_attended", "course": "c", "lesson": "1", "minutes": 40 },
        { "kind": "course_progressed", "course": "c", "percent": 30 },
        { "kind": "vehicle_test_driven", "model": "m" },
        { "kind": "consultation_held", "topic": "t", "minutes": 20 },
        { "kind": "device_sold", "model": "m" },
        { "kind": "call_held", "seconds": 60 },
        { "kind": "birthday_told", "month": 5, "day": 17 },
        { "kind": "member_level_told", "program": "taobao", "level": "V3" }
    ]);
    serde_json::from_value(kinds).unwrap()
}

/// What the index promises: a feature that an event changes has a key that the event touches.
#[test]
fn every_change_of_a_feature_is_touched() {
    let told = domain::UnixMs::from_millis(at(TODAY, 700)).unwrap();
    let keyed =
        ["level{program=taobao}", "progress{course=c}", "views.count.7d{product=P1}", "keyword.count.7d{word=size}"];
    let keyed = keyed.map(|name| name.parse::<Feature>().unwrap());
    let features: Vec<Feature> = name::all().chain(name::spreads()).chain(keyed.clone()).collect();
    let mut changed = std::collections::BTreeSet::new();
    let mut state = State::default();
    for (number, activity) in activities().into_iter().enumerate() {
        let recorded = domain::ActivityRecorded {
            v: domain::Version,
            source: format!("source {number}"),
            identities: Vec::new(),
            hints: Vec::new(),
            channel: Some(format!("channel {number}")),
            store: Some("/east".to_owned()),
            staff: None,
            at: told.try_add_millis(i64::try_from(number).unwrap() * 3_600_000 - 20 * 3_600_000).unwrap(),
            activity,
        };
        let booking = super::activity::booking(&recorded, told);
        let keys: Vec<&str> = booking.keys().collect();
        let before = state.clone();
        state.book(&booking, TODAY);
        for feature in &features {
            if feature.value(&before, TODAY, &Limits::DEFAULT) != feature.value(&state, TODAY, &Limits::DEFAULT) {
                let touched = feature.keys().iter().any(|key| keys.contains(&key.as_str()));
                assert!(touched, "{feature} is changed by {keys:?}");
                changed.insert(feature.to_string());
            }
        }
    }
    for feature in keyed {
        assert!(changed.contains(&feature.to_string()), "{feature} never changed");
    }
    assert!(changed.len() > 150, "{}", changed.len());
}

#[test]
fn an_activity_from_the_future_counts_as_now() {
    let told = domain::UnixMs::from_millis(at(TODAY, 700)).unwrap();
    let json = serde_json::json!({ "v": 1, "source": "pos", "identities": [], "hints": [], "channel": null, "store": null, "staff": null,
        "at": "2126-01-01T00:00:00Z", "activity": { "kind": "code_scanned", "code": "c" } });
    let booking = super::activity::booking(&serde_json::from_value(json).unwrap(), told);
    assert_eq!(booking.at, told.millis());
}
