//! Clocks: platforms write times in China's zone, to the second, and ask for windows by them.

use std::collections::BTreeSet;

use domain::UnixMs;
use platforms::Fact;
use platforms::marketplace::{Ask, Window};

use crate::pair::Pair;

/// Midnights in China at the end of a month, a leap February and a year, Unix seconds.
const MIDNIGHTS: [i64; 4] = [
    1_772_294_400, // 2026-03-01
    1_709_222_400, // 2024-03-01
    1_767_196_800, // 2026-01-01
    1_790_784_000, // 2026-10-01
];

fn seconds(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(seconds).unwrap()
}

#[tokio::test]
async fn times_around_midnight_are_exact_and_no_window_loses_what_happens_at_its_edge() {
    for pair in Pair::all().await {
        for midnight in MIDNIGHTS {
            let (before, after) = pair.server.shop(|shop| {
                let before = shop.place(pair.basket(), midnight - 1);
                shop.pay(&before, midnight).unwrap();
                let after = shop.place(pair.basket(), midnight);
                shop.pay(&after, midnight + 1).unwrap();
                (before, after)
            });
            for (order_id, placed, paid) in [(&before, midnight - 1, midnight), (&after, midnight, midnight + 1)] {
                let fact = pair.fact(&Ask::Order { order_id: order_id.clone() }).await;
                let Fact::Order { key, facts } = fact else { panic!("{fact:?}") };
                let times = facts.order(key).times;
                assert_eq!(
                    (times.created_at, times.paid_at),
                    (Some(seconds(placed)), Some(seconds(paid))),
                    "{}",
                    pair.name()
                );
            }
            let window = |since, until| Window { since: seconds(since), until: seconds(until), page: None };
            let list = async |since, until| pair.changed(vec![window(since, until)], Ask::ChangedOrders).await;
            let both = [before, after].map(|order_id| Ask::Order { order_id });
            let mut found = list(midnight - 60, midnight).await;
            found.extend(list(midnight, midnight + 60).await);
            assert_eq!(found, BTreeSet::from(both), "{} {midnight}", pair.name());
            assert_eq!(list(midnight + 60, midnight + 120).await, BTreeSet::new(), "{}", pair.name());
        }
    }
}
