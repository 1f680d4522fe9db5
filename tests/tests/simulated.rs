//! A quarter of a merchant's day with faults, once as always and once as never before. `cargo xtask sim` plays longer ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use siyu_tests::sim::{Options, run};

async fn is_as_it_must_be(seed: u64) {
    let options = Options { seed, days: 1, stores: 4, customers: 1_000, faults: true, until: Some(9) };
    let outcome = run(&options, |_| {}).await.unwrap();
    assert!(
        outcome.violations.is_empty(),
        "cargo xtask sim --seed {seed} --days 1 --stores 4 --customers 1000 --faults --until 9: {:#?}",
        outcome.violations
    );
}

#[tokio::test]
async fn a_known_morning_with_faults() {
    is_as_it_must_be(1).await;
}

#[tokio::test]
async fn a_new_morning_with_faults() {
    is_as_it_must_be(fastrand::u64(..1_000_000)).await;
}
