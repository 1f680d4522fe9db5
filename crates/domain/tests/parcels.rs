//! Parcels: what merged facts say, and that merging them has no order. All parcels are invented.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use domain::{Latest, ParcelFacts, ParcelStatus, ParcelWatch, UnixMs};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(seconds).unwrap()
}

fn merged(facts: impl IntoIterator<Item = ParcelFacts>) -> ParcelFacts {
    facts.into_iter().fold(ParcelFacts::default(), |mut sum, facts| {
        sum.merge(facts);
        sum
    })
}

fn reached(status: ParcelStatus, seconds: i64) -> ParcelFacts {
    let mut facts = ParcelFacts::default();
    facts.reach(status, at(seconds));
    facts
}

#[test]
fn names_are_the_ones_of_json() {
    for status in ParcelStatus::ALL {
        assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{}\"", status.as_str()));
    }
}

#[test]
fn a_late_word_does_not_take_a_parcel_back() {
    let late = [
        reached(ParcelStatus::Signed, 50),
        reached(ParcelStatus::Delivering, 40),
        reached(ParcelStatus::Delivering, 60),
    ];
    let facts = merged(late);
    assert_eq!((facts.status(), facts.reached[&ParcelStatus::Delivering]), (Some(ParcelStatus::Signed), at(40)));
    // Signed for by the sender: it came back.
    assert_eq!(merged([facts, reached(ParcelStatus::Returned, 70)]).status(), Some(ParcelStatus::Returned));
}

#[test]
fn a_problem_passes() {
    let facts = merged([reached(ParcelStatus::Problem, 20), reached(ParcelStatus::Delivering, 30)]);
    assert_eq!(facts.status(), Some(ParcelStatus::Delivering));
    assert_eq!(ParcelFacts::default().status(), None);
}

fn facts() -> impl Strategy<Value = ParcelFacts> {
    let time = || (0_i64..5).prop_map(at);
    let statuses = || prop::sample::select(ParcelStatus::ALL.to_vec());
    let watch = prop::sample::select(vec![ParcelWatch::Watched, ParcelWatch::GivenUp, ParcelWatch::Finished]);
    (
        vec((statuses(), time()), 0..3),
        option::of(("[0-3]", time())),
        option::of("[a-c]"),
        option::of(("[a-c]", time())),
        option::of((watch, time())),
    )
        .prop_map(|(steps, raw, unknown, carrier, watch)| {
            let mut facts = ParcelFacts {
                raw_status: raw.map(|(word, at)| Latest::new(at, word)),
                unknown_statuses: unknown.into_iter().collect(),
                carrier: carrier.map(|(code, at)| Latest::new(at, code)),
                watch: watch.map(|(word, at)| Latest::new(at, word)),
                ..ParcelFacts::default()
            };
            for (status, at) in steps {
                facts.reach(status, at);
            }
            facts
        })
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        (once, noisy) in vec(facts(), 1..6).prop_flat_map(|once| {
            let again = prop::sample::subsequence(once.clone(), 0..=once.len());
            (Just(once.clone()), again.prop_map(move |again| [once.clone(), again].concat()).prop_shuffle())
        })
    ) {
        prop_assert_eq!(merged(noisy), merged(once));
    }

    #[test]
    fn grouping_does_not_matter(one in facts(), two in facts(), three in facts()) {
        let left = merged([merged([one.clone(), two.clone()]), three.clone()]);
        prop_assert_eq!(left, merged([one, merged([two, three])]));
    }
}
