//! Rules tried on what has happened.

use crate::support::*;
use domain::{Event, Platform};
use serde_json::{Value, json};

async fn preview(desk: &Desk, rule: &str, body: Value) -> Value {
    desk.post(&format!("/v1/tag-rules/{rule}/preview"), body).await
}

#[tokio::test]
async fn a_third_view_is_found_at_its_event_with_what_was_seen() {
    let desk = Desk::open().await;
    let tag = desk.tags("Interest", false, &["Keen"]).await.remove(0);
    let (keen, other) = (customer(1), customer(2));
    desk.log(HOUR, vec![identified(keen, &["M-1"]), identified(other, &["M-2"])]).await;
    // Views before the span count as they did then.
    for number in 0..4 {
        let millis = number * DAY + 2 * HOUR;
        desk.log(millis, vec![viewed(&["M-1"], millis, "P1"), viewed(&["M-2"], millis, &format!("P{number}"))]).await;
    }
    let condition = json!({ "feature": "views.count.30d{product=P1}", "op": ">=", "value": 3 });
    let rule = desk.draft("Third view", condition, json!([{ "add_tag": tag }])).await;
    let before = desk.column("select state as v from subject union all select matched from tagging_customer").await;
    let found = preview(&desk, &rule, json!({ "from": at(DAY), "sample": 1 })).await;
    assert_eq!((&found["looked_at"], &found["total"], &found["holds"]), (&json!(2), &json!(2), &json!(1)));
    let past = &found["past"];
    assert_eq!((&past["complete"], &past["customers"], &past["came"]), (&json!(true), &json!(1), &json!(1)));
    let one = &past["matches"][0];
    assert_eq!(
        (&one["customer_id"], &one["how"], &one["type"]),
        (&json!(keen), &json!("event"), &json!("activity.recorded"))
    );
    assert_eq!(one["time"], json!(at(2 * DAY + 2 * HOUR)));
    let seq = desk
        .column(
            "select cast(seq as text) as v from event where type = 'activity.recorded' order by seq limit 1 offset 4",
        )
        .await;
    assert_eq!(one["seq"].to_string(), seq[0]);
    assert_eq!(one["seen"][0]["value"], 3);
    // It held already when a later span began, and had not come when an earlier one ended.
    let later = preview(&desk, &rule, json!({ "from": at(3 * DAY) })).await;
    assert_eq!((&later["past"]["held"], &later["past"]["came"], &later["holds"]), (&json!(1), &json!(0), &json!(1)));
    let earlier = preview(&desk, &rule, json!({ "from": at(0), "until": at(2 * DAY) })).await;
    assert_eq!((&earlier["past"]["customers"], &earlier["holds"]), (&json!(0), &json!(0)));
    let after = desk.column("select state as v from subject union all select matched from tagging_customer").await;
    assert_eq!(before, after, "nothing is written");
    assert_eq!(desk.count("tag.added").await, 0);
}

#[tokio::test]
async fn churn_is_found_on_its_day_and_its_end_by_the_next_order() {
    let desk = Desk::open().await;
    let tag = desk.tags("Care", false, &["Churned"]).await.remove(0);
    let who = customer(1);
    desk.log(HOUR, vec![identified(who, &["M-1"]), bought(1, &["M-1"], HOUR, 100)]).await;
    desk.live_to(1, 95).await;
    let condition = json!({ "feature": "orders.since_last", "op": ">=", "value": 90 });
    let rule = desk.draft("Churned", condition, json!([{ "add_tag": tag, "while_true": true }])).await;
    // The last 30 days unless said otherwise.
    let found = preview(&desk, &rule, json!({ "at": "past" })).await;
    assert_eq!((&found["past"]["from"], &found["holds"]), (&json!(at(65 * DAY + 1)), &json!(1)));
    let one = &found["past"]["matches"][0];
    assert_eq!((&one["how"], &one["type"], &one["time"]), (&json!("day"), &json!("tagging.day"), &json!(at(90 * DAY))));
    assert_eq!((&one["seen"][0]["value"], &one["ended"]), (&json!(90), &Value::Null));
    desk.log(96 * DAY, vec![bought(2, &["M-1"], 96 * DAY, 100)]).await;
    let found = preview(&desk, &rule, json!({ "at": "past" })).await;
    let ended = &found["past"]["matches"][0]["ended"];
    assert_eq!((&ended["type"], &ended["time"]), (&json!("order.paid"), &json!(at(96 * DAY))));
    assert_eq!((&found["past"]["ended"], &found["holds"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn an_order_that_was_first_told_as_anothers_stays_theirs() {
    let desk = Desk::open().await;
    let who = customer(1);
    // `M-0` is nobody that is known; a later telling names the customer's own account.
    desk.log(HOUR, vec![identified(who, &["M-1"]), bought(1, &["M-0"], HOUR, 100)]).await;
    desk.log(2 * HOUR, vec![Event::OrderDetailed(order(1, &["M-1"], 2 * HOUR, Platform::Taobao, 200, true))]).await;
    let condition = json!({ "feature": "orders.count.7d", "op": "=", "value": 0 });
    let rule = desk.draft("None", condition, json!([{ "raise": "x" }])).await;
    let found = preview(&desk, &rule, json!({ "from": at(HOUR) })).await;
    let one = &found["past"]["matches"][0];
    assert_eq!((&found["holds"], &one["customer_id"], &one["ended"]), (&json!(1), &json!(who), &Value::Null));
}

#[tokio::test]
async fn a_trimmed_log_is_said_so_and_unfit_spans_are_refused() {
    let desk = Desk::open().await;
    desk.log(HOUR, vec![identified(customer(1), &["M-1"]), bought(1, &["M-1"], HOUR, 100)]).await;
    desk.log(2 * HOUR, vec![bought(2, &["M-1"], 2 * HOUR, 100)]).await;
    let condition = json!({ "feature": "orders.count.30d", "op": ">=", "value": 1 });
    let rule = desk.draft("Buyers", condition, json!([{ "raise": "x" }])).await;
    desk.run("delete from event where seq = 1").await;
    let past = &preview(&desk, &rule, json!({ "at": "past" })).await["past"];
    assert_eq!((&past["complete"], &past["oldest"]), (&json!(false), &json!(at(HOUR))));
    let path = format!("/v1/tag-rules/{rule}/preview");
    for body in [
        json!({ "from": at(HOUR), "until": at(HOUR) }),
        json!({ "at": "past", "limit": 2001 }),
        json!({ "at": "past", "sample": 0 }),
        json!({ "at": "now", "from": at(HOUR) }),
        json!({ "limit": 1001 }),
        json!({ "at": "then" }),
    ] {
        assert_eq!(desk.call("POST", &path, Some(body.clone())).await.0, 400, "{body}");
    }
}
