//! For random rules and random events: what a preview says of a span is what the rule does when it is at work in that span.

use super::event;
use super::random::{Action, actions, condition};
use crate::support::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Has actions happen from `millis` on. Tells when the last one did.
async fn happen(desk: &Desk, actions: &[Action], mut millis: i64, tags: &[String], told: &mut BTreeSet<u8>) -> i64 {
    for action in actions {
        millis += 60_000;
        match action {
            Action::Days(days) => {
                let today = millis.div_euclid(DAY);
                desk.live_to(today + 1, today + days).await;
                millis = (today + days) * DAY;
            }
            Action::Activate => {}
            Action::Rfm(window, limits) => desk.rfm(millis, window, *limits).await,
            other => {
                let first = matches!(other, Action::Order { number, .. } if told.insert(*number));
                desk.log(millis, event(other, millis, tags, first).into_iter().collect()).await;
            }
        }
    }
    millis
}

async fn play(condition: &Value, before: &[Action], within: &[Action]) {
    let desk = Desk::open().await;
    let tags = desk.tags("Tags", false, &["T0", "T1", "T2", "Own"]).await;
    let rule = desk.draft("R", condition.clone(), json!([{ "add_tag": tags[3] }, { "raise": "x" }])).await;
    desk.tick(10 * HOUR).await;
    let mut told = BTreeSet::new();
    let from = happen(&desk, before, 10 * HOUR, &tags, &mut told).await + 60_000;
    desk.activate(from, &rule).await;
    let last = happen(&desk, within, from, &tags, &mut told).await;

    let (mut matches, mut came, mut held, mut cursor) = (Vec::new(), 0, 0, Value::Null);
    loop {
        let body = json!({ "from": at(from), "until": at(last + 1), "limit": 2, "sample": 200, "cursor": cursor });
        let page = desk.post(&format!("/v1/tag-rules/{rule}/preview"), body).await;
        assert_eq!(page["past"]["complete"], true);
        matches.extend(page["past"]["matches"].as_array().unwrap().clone());
        came += page["past"]["came"].as_u64().unwrap();
        held += page["past"]["held"].as_u64().unwrap();
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(u64::try_from(matches.len()).unwrap(), came + held);
    let of = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    // Whom the rule tagged.
    let sql = format!("select customer as v from customer_tag where rule = '{rule}'");
    let tagged: BTreeSet<String> = desk.column(&sql).await.into_iter().collect();
    let found: BTreeSet<String> = matches.iter().map(|one| of(one, "customer_id")).collect();
    assert_eq!(found, tagged, "{matches:#?}");
    // When it came to hold, other than by its activation or by other limits.
    let raised =
        "select (data ->> 'customer_id') || ' ' || (data ->> 'at') as v from event where type = 'rule.matched'";
    let mut raised = desk.column(raised).await;
    raised.sort();
    let own = matches.iter().filter(|one| one["how"] == "event" || one["how"] == "day");
    let mut found: Vec<String> = own.map(|one| format!("{} {}", of(one, "customer_id"), of(one, "time"))).collect();
    found.sort();
    assert_eq!(found, raised, "{matches:#?}");
    // For whom it holds at the end.
    let sql = format!("select tagging_customer.id as v from tagging_customer, json_each(matched) where key = '{rule}'");
    let holding: BTreeSet<String> = desk.column(&sql).await.into_iter().collect();
    let own = matches.iter().filter(|one| one["ended"].is_null());
    assert_eq!(own.map(|one| of(one, "customer_id")).collect::<BTreeSet<_>>(), holding, "{matches:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 16, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_preview_of_the_past_says_what_the_rule_would_have_done(
        condition in condition(0), before in actions(), within in actions(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&condition, &before, &within));
    }
}
