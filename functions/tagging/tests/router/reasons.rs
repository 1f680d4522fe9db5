//! Tags from events, with reasons.

use crate::support::*;
use domain::{Activity, Event, Platform};
use serde_json::json;

fn feature(name: &str, op: &str, value: i64) -> serde_json::Value {
    json!({ "feature": name, "op": op, "value": value })
}

#[tokio::test]
async fn a_third_view_tags_at_once_and_says_why() {
    let desk = Desk::open().await;
    let tag = &desk.tags("Interest", false, &["Looked three times"]).await[0];
    let effects = json!([{ "add_tag": tag, "for_days": 14 }, { "raise": "product.viewed" }]);
    let rule = desk.rule(0, "third view", feature("views.top.7d{product}", ">=", 3), effects).await;
    let who = customer(1);
    desk.log(HOUR, vec![identified(who, &["M-1"]), viewed(&["M-1"], HOUR, "P1"), viewed(&["M-1"], HOUR, "P2")]).await;
    desk.log(2 * HOUR, vec![viewed(&["M-1"], 2 * HOUR, "P1")]).await;
    assert_eq!(desk.names(who).await, Vec::<String>::new());
    desk.log(3 * HOUR, vec![viewed(&["M-1"], 3 * HOUR, "P1")]).await;
    let tags = desk.get(&format!("/v1/customers/{who}/tags")).await;
    let reason = &tags[0]["reasons"][0];
    assert_eq!(
        (&tags[0]["name"], &reason["rule_id"], &reason["version"]),
        (&json!("Looked three times"), &json!(rule), &json!(1))
    );
    assert_eq!(reason["since"], json!(at(3 * HOUR)));
    assert_eq!(reason["expires_at"], json!(at(14 * DAY)));
    assert_eq!(
        reason["seen"],
        json!([{ "what": "views.top.7d{product}", "value": 3, "wanted": ">= 3", "holds": true }])
    );
    let last = "select id as v from event where type = 'activity.recorded' order by seq desc limit 1";
    assert_eq!(reason["event_id"], json!(desk.column(last).await[0]));
    assert_eq!((desk.count("tag.added").await, desk.count("rule.matched").await), (1, 1));
    // A fourth view is no new edge; the tag's time ends on its day.
    desk.log(4 * HOUR, vec![viewed(&["M-1"], 4 * HOUR, "P1")]).await;
    assert_eq!(desk.count("rule.matched").await, 1);
    desk.live_to(1, 13).await;
    assert_eq!(desk.names(who).await.len(), 1);
    desk.live_to(14, 14).await;
    assert_eq!(desk.names(who).await.len(), 0);
    assert_eq!(desk.count("tag.removed").await, 1);
}

#[tokio::test]
async fn a_refund_takes_the_tag_away_that_the_order_gave() {
    let desk = Desk::open().await;
    let tag = &desk.tags("Value", false, &["High value"]).await[0];
    let effects = json!([{ "add_tag": tag, "while_true": true }]);
    desk.rule(0, "high value", feature("net.amount.365d", ">=", 10_000), effects).await;
    let who = customer(1);
    // The order is told before anybody knows whose it is, and without its record at first.
    let order = |complete| order(1, &["M-1"], HOUR, Platform::Douyin, 12_000, complete);
    desk.log(HOUR, vec![Event::OrderPaid(order(false)), identified(who, &["M-1"])]).await;
    assert_eq!(desk.names(who).await, ["High value"]);
    desk.log(HOUR, vec![Event::OrderDetailed(order(true)), Event::OrderDetailed(order(true))]).await;
    let names = "orders.count.ever,orders.amount.ever,orders.count.ever{sku=TEA},region.city,net.amount.30d";
    let told = json!({ "orders.count.ever": 1, "orders.amount.ever": 12_000, "orders.count.ever{sku=TEA}": 1, "region.city": "杭州市", "net.amount.30d": 12_000 });
    assert_eq!(desk.features(who, names).await, told);
    desk.log(2 * DAY, vec![refunded(1, 1, 2 * DAY, 5000), refunded(1, 1, 2 * DAY, 5000)]).await;
    assert_eq!(desk.names(who).await, Vec::<String>::new());
    assert_eq!(
        desk.features(who, "net.amount.30d,refund.rate.ever").await,
        json!({ "net.amount.30d": 7000, "refund.rate.ever": 100 })
    );
}

#[tokio::test]
async fn days_pass_and_customers_churn_with_no_event() {
    let desk = Desk::open().await;
    let tag = &desk.tags("Loyalty", false, &["Churned"]).await[0];
    let effects = json!([{ "add_tag": tag, "while_true": true }, { "raise": "churned" }]);
    desk.rule(0, "churned", feature("orders.since_last", ">=", 90), effects).await;
    let who = customer(1);
    desk.log(HOUR, vec![identified(who, &["M-1"]), bought(1, &["M-1"], HOUR, 100)]).await;
    desk.live_to(1, 89).await;
    assert_eq!(desk.names(who).await.len(), 0);
    desk.live_to(90, 90).await;
    assert_eq!(desk.names(who).await, ["Churned"]);
    assert_eq!(desk.count("rule.matched").await, 1);
    desk.log(91 * DAY, vec![bought(2, &["M-1"], 91 * DAY, 100)]).await;
    assert_eq!(desk.names(who).await.len(), 0);
}

#[tokio::test]
async fn a_merge_adds_figures_up_and_a_split_undoes_it() {
    let desk = Desk::open().await;
    let tag = &desk.tags("Loyalty", false, &["Repeat buyer"]).await[0];
    let effects = json!([{ "add_tag": tag, "while_true": true }]);
    desk.rule(0, "repeat buyer", feature("orders.count.ever", ">=", 2), effects).await;
    let (older, younger) = (customer(1), customer(2));
    desk.log(HOUR, vec![identified(older, &["M-1"]), identified(younger, &["M-2"])]).await;
    desk.log(HOUR, vec![bought(1, &["M-1"], HOUR, 100), bought(2, &["M-2"], HOUR, 200)]).await;
    assert_eq!(desk.names(older).await.len(), 0);
    desk.log(2 * HOUR, vec![merged(older, younger), identified(older, &["M-2"])]).await;
    for id in [older, younger] {
        assert_eq!(desk.names(id).await, ["Repeat buyer"]);
        assert_eq!(desk.features(id, "orders.amount.ever").await, json!({ "orders.amount.ever": 300 }));
    }
    desk.log(3 * HOUR, vec![split(older, younger), identified(younger, &["M-2"])]).await;
    for (id, amount) in [(older, 100), (younger, 200)] {
        assert_eq!(desk.names(id).await.len(), 0);
        assert_eq!(desk.features(id, "orders.amount.ever").await, json!({ "orders.amount.ever": amount }));
    }
    let portrait = desk.get(&format!("/portrait/{older}")).await;
    assert_eq!((&portrait["features"]["orders.count.ever"], &portrait["tags"]), (&json!(1), &json!([])));
}

#[tokio::test]
async fn a_persons_word_wins_over_rules() {
    let desk = Desk::open().await;
    let tags = desk.tags("Interest", false, &["Sharer", "Friend"]).await;
    let effects = json!([{ "add_tag": tags[0], "while_true": true }]);
    desk.rule(0, "sharer", feature("shares.count.7d", ">=", 1), effects).await;
    let friend = json!([{ "add_tag": tags[1], "while_true": true }]);
    desk.rule(0, "friend of sharers", json!({ "tag": tags[0] }), friend).await;
    let who = customer(1);
    let share = |millis| did(&["M-1"], millis, Activity::ContentShared { content: "poster".to_owned() });
    desk.log(HOUR, vec![identified(who, &["M-1"]), share(HOUR)]).await;
    assert_eq!(desk.names(who).await, ["Friend", "Sharer"]);
    let marking = json!({ "customer_ids": [who, customer(9), who] });
    let path = format!("/v1/tags/{}/unmark", tags[0]);
    let outcomes = desk.post(&path, marking.clone()).await;
    let words: Vec<_> = outcomes.as_array().unwrap().iter().map(|one| one["outcome"].clone()).collect();
    assert_eq!(words, ["accepted", "unknown", "already"]);
    desk.consume(false).await;
    // The rule still holds, and what asks for the tag holds no longer.
    assert_eq!(desk.names(who).await, Vec::<String>::new());
    desk.log(9 * DAY, vec![share(9 * DAY)]).await;
    assert_eq!(desk.names(who).await, Vec::<String>::new());
    desk.post(&format!("/v1/tags/{}/mark", tags[0]), marking).await;
    desk.consume(false).await;
    assert_eq!(desk.names(who).await, ["Friend", "Sharer"]);
    desk.live_to(10, 20).await;
    assert_eq!(desk.names(who).await, ["Friend", "Sharer"], "the rule holds no longer, the person's word does");
}

#[tokio::test]
async fn one_tag_of_a_single_group_takes_the_place_of_another() {
    let desk = Desk::open().await;
    let tags = desk.tags("Level", true, &["Silver", "Gold"]).await;
    desk.rule(0, "silver", feature("orders.count.ever", ">=", 1), json!([{ "add_tag": tags[0] }])).await;
    desk.rule(0, "gold", feature("orders.count.ever", ">=", 2), json!([{ "add_tag": tags[1] }])).await;
    let who = customer(1);
    desk.log(HOUR, vec![identified(who, &["M-1"]), bought(1, &["M-1"], HOUR, 100)]).await;
    assert_eq!(desk.names(who).await, ["Silver"]);
    desk.log(HOUR, vec![bought(2, &["M-1"], HOUR, 100)]).await;
    assert_eq!(desk.names(who).await, ["Gold"]);
    desk.post(&format!("/v1/tags/{}/mark", tags[0]), json!({ "customer_ids": [who] })).await;
    desk.consume(false).await;
    assert_eq!(desk.names(who).await, ["Silver"]);
    assert_eq!(desk.count("tag.removed").await, 2);
}

#[tokio::test]
async fn a_moment_is_told_each_time() {
    let desk = Desk::open().await;
    let at_night = json!({ "all": [{ "changed": "orders.count.ever" }, { "calendar": { "hours": [22, 6] } }] });
    desk.rule(0, "night order", at_night, json!([{ "raise": "night.order" }])).await;
    let who = customer(1);
    desk.log(21 * HOUR, vec![identified(who, &["M-1"]), bought(1, &["M-1"], 0, 100)]).await;
    assert_eq!(desk.count("rule.matched").await, 0);
    desk.log(23 * HOUR, vec![bought(2, &["M-1"], 0, 100)]).await;
    desk.log(23 * HOUR, vec![viewed(&["M-1"], 0, "P1")]).await;
    desk.log(23 * HOUR, vec![bought(3, &["M-1"], 0, 100)]).await;
    assert_eq!(desk.count("rule.matched").await, 2);
}

#[tokio::test]
async fn a_known_persons_activity_costs_few_statements() {
    // Held by the plan, not by counting calls: each look-up of an activity goes through an index.
    let desk = Desk::open().await;
    for sql in [
        "select id from subject where kind = 'a' and scope = '' and value = 'b'",
        "select id from subject where customer = 'a'",
        "select id from tagging_customer where survivor = 'a'",
        "select tag from customer_tag where customer = 'a'",
        "select id from tagging_customer where due <= 5 and part_of is null order by due, id limit 200",
    ] {
        let read = |tx: &kit::Tx<'_>| tx.query(&format!("explain query plan {sql}"), &[]);
        let plan = desk.app.db().read(&kit::Cx::at(at(0)), read).await.unwrap();
        let detail: Vec<String> = plan.iter().map(|row| row.get("detail").unwrap()).collect();
        assert!(detail.iter().all(|step| step.starts_with("SEARCH")), "{sql}: {detail:?}");
    }
}

#[tokio::test]
async fn an_erased_profile_is_asked_no_more_and_figures_stay() {
    let desk = Desk::open().await;
    let tag = &desk.tags("Family", false, &["Pregnant"]).await[0];
    let condition = json!({ "attribute": "pregnancy_week", "op": ">=", "value": 20 });
    desk.rule(0, "pregnant", condition, json!([{ "add_tag": tag, "while_true": true }])).await;
    let who = customer(1);
    let told = |value| {
        Event::CustomerAttributeChanged(domain::CustomerAttributeChanged {
            v: domain::Version,
            customer_id: who,
            field: "pregnancy_week".to_owned(),
            value,
            source: "form".to_owned(),
            at: at(HOUR),
        })
    };
    let number = |number| Some(domain::AttributeValue::Number(number));
    desk.log(HOUR, vec![identified(who, &["M-1"]), bought(1, &["M-1"], HOUR, 100), told(number(19))]).await;
    assert_eq!(desk.names(who).await.len(), 0);
    desk.log(HOUR, vec![told(number(20))]).await;
    assert_eq!(desk.names(who).await, ["Pregnant"]);
    desk.log(HOUR, vec![told(None)]).await;
    assert_eq!(desk.names(who).await.len(), 0);
    desk.log(HOUR, vec![told(number(21))]).await;
    let erased = domain::CustomerErased { v: domain::Version, customer_id: who, order_ids: Vec::new(), at: at(HOUR) };
    desk.log(HOUR, vec![Event::CustomerErased(erased)]).await;
    assert_eq!(desk.names(who).await.len(), 0);
    assert_eq!(desk.features(who, "orders.count.ever").await, json!({ "orders.count.ever": 1 }));
    // Who comes again is somebody else, and brings nothing along.
    let again = customer(2);
    desk.log(HOUR, vec![identified(again, &["M-1"]), bought(2, &["M-1"], HOUR, 70)]).await;
    assert_eq!(desk.features(again, "orders.amount.ever").await, json!({ "orders.amount.ever": 70 }));
    assert_eq!(desk.features(who, "orders.amount.ever").await, json!({ "orders.amount.ever": 100 }));
}

#[tokio::test]
async fn a_refund_that_is_told_before_its_order_counts_with_it() {
    let desk = Desk::open().await;
    let who = customer(1);
    desk.log(HOUR, vec![identified(who, &["M-1"]), refunded(1, 1, HOUR, 40)]).await;
    assert_eq!(desk.features(who, "net.amount.ever").await, json!({ "net.amount.ever": 0 }));
    desk.log(HOUR, vec![bought(1, &["M-1"], HOUR, 100), bought(1, &["M-1"], HOUR, 100)]).await;
    assert_eq!(desk.features(who, "net.amount.ever").await, json!({ "net.amount.ever": 60 }));
}

#[tokio::test]
async fn a_rule_that_held_for_both_falls_for_both_and_can_rise_again() {
    let desk = Desk::open().await;
    let tag = &desk.tags("Loyalty", false, &["Active"]).await[0];
    let effects = json!([{ "add_tag": tag, "while_true": true }, { "raise": "active" }]);
    desk.rule(0, "active", feature("orders.count.7d", ">=", 1), effects).await;
    let (older, younger) = (customer(1), customer(2));
    desk.log(HOUR, vec![identified(older, &["M-1"]), identified(younger, &["M-2"])]).await;
    desk.log(HOUR, vec![bought(1, &["M-1"], HOUR, 100), bought(2, &["M-2"], HOUR, 100)]).await;
    desk.log(HOUR, vec![merged(older, younger), identified(older, &["M-2"])]).await;
    assert_eq!((desk.names(older).await.len(), desk.count("rule.matched").await), (1, 2));
    desk.live_to(1, 7).await;
    assert_eq!(desk.names(older).await.len(), 0);
    let held = "select id as v from tagging_customer where matched <> '{}'";
    assert_eq!(desk.column(held).await, Vec::<String>::new());
    desk.log(8 * DAY, vec![bought(3, &["M-2"], 8 * DAY, 100)]).await;
    assert_eq!((desk.names(younger).await.len(), desk.count("rule.matched").await), (1, 3));
}

/// A rule gives a tag that a person has taken away only when the person takes that back.
#[tokio::test]
async fn a_word_that_is_taken_back_leaves_it_to_the_rules() {
    let desk = Desk::open().await;
    let tags = desk.tags("Interest", false, &["Keen", "Told"]).await;
    let effects = json!([{ "add_tag": tags[0], "while_true": true }]);
    desk.rule(0, "keen", feature("views.count.7d", ">=", 1), effects).await;
    let who = customer(1);
    desk.log(HOUR, vec![identified(who, &["M-1"]), viewed(&["M-1"], HOUR, "P1")]).await;
    let say = |tag: &str, what: &str| format!("/v1/tags/{tag}/{what}");
    let whom = json!({ "customer_ids": [who, customer(2)] });
    desk.post(&say(&tags[0], "unmark"), whom.clone()).await;
    desk.post(&say(&tags[1], "mark"), whom.clone()).await;
    desk.consume(false).await;
    assert_eq!(desk.names(who).await, ["Told"]);
    let told = (desk.count("tag.added").await, desk.count("tag.removed").await);
    for (tag, outcomes) in [(&tags[0], ["accepted", "unknown"]), (&tags[1], ["accepted", "unknown"])] {
        let said = desk.post(&say(tag, "release"), whom.clone()).await;
        assert_eq!([&said[0]["outcome"], &said[1]["outcome"]], outcomes);
    }
    desk.consume(false).await;
    assert_eq!(desk.names(who).await, ["Keen"]);
    assert_eq!((desk.count("tag.added").await, desk.count("tag.removed").await), (told.0 + 1, told.1 + 1));
    let said = desk.post(&say(&tags[1], "release"), whom).await;
    assert_eq!(said[0]["outcome"], "already");
}

/// A retired tag gives its name back at once, and goes from all who have it, in batches; nothing gives it again.
#[tokio::test]
async fn a_retired_tag_goes_from_everybody() {
    let desk = Desk::open().await;
    let tags = desk.tags("Season", false, &["Spring", "Summer"]).await;
    let condition = json!({ "tag": tags[0] });
    let segment = desk.post("/v1/segments", json!({ "name": "In spring", "condition": condition })).await;
    let people: Vec<_> = (0..250_u8).map(customer).collect();
    let known = people.iter().map(|who| identified(*who, &[&format!("M-{who}")])).collect();
    desk.log(HOUR, known).await;
    let whom = json!({ "customer_ids": people });
    for tag in &tags {
        desk.post(&format!("/v1/tags/{tag}/mark"), whom.clone()).await;
    }
    desk.tick(2 * HOUR).await;
    assert_eq!(desk.names(people[249]).await, ["Spring", "Summer"]);

    let path = format!("/v1/tags/{}/retire", tags[0]);
    let (status, problem) = desk.call("POST", &path, None).await;
    assert_eq!((status.as_u16(), problem["detail"].as_str().unwrap().contains("In spring")), (409, true));
    desk.post(&format!("/v1/segments/{}/retire", segment["id"].as_str().unwrap()), json!({})).await;
    assert_eq!(desk.call("POST", &path, None).await.0.as_u16(), 202);
    assert_eq!(desk.call("POST", &path, None).await.0.as_u16(), 404);
    let group = desk.get("/v1/tag-groups").await["items"][0].clone();
    assert_eq!(group["tags"].as_array().unwrap().len(), 1);
    let again =
        desk.post(&format!("/v1/tag-groups/{}/tags", group["id"].as_str().unwrap()), json!({ "name": "Spring" })).await;
    assert_ne!(again["id"], json!(tags[0]));
    // A word that was on its way comes too late.
    let word = domain::TagEvent {
        v: domain::Version,
        customer_id: people[0],
        tag_id: tags[0].parse().unwrap(),
        rule_id: None,
        by: Some("first".to_owned()),
        at: at(3 * HOUR),
    };
    desk.tick(3 * HOUR).await;
    desk.log(3 * HOUR, vec![Event::TagAdded(word)]).await;
    for who in [0, 199, 200, 249] {
        assert_eq!(desk.names(people[who]).await, ["Summer"]);
    }
    assert_eq!(
        desk.column(&format!("select customer as v from customer_tag where tag = '{}'", tags[0])).await,
        Vec::<String>::new()
    );
    assert_eq!(desk.count("tag.removed").await, 250);
}
