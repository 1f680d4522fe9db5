//! Segments, their members and snapshots.

use crate::support::*;
use serde_json::{Value, json};

async fn segment(desk: &Desk, condition: Value) -> String {
    let made = desk.post("/v1/segments", json!({ "name": "Buyers", "condition": condition })).await;
    desk.tick(HOUR).await;
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn members_come_and_go_and_a_snapshot_stays() {
    let desk = Desk::open().await;
    let [one, two, three] = [1, 2, 3].map(customer);
    desk.log(HOUR, vec![identified(one, &["M-1"]), identified(two, &["M-2"]), identified(three, &["M-3"])]).await;
    desk.log(HOUR, vec![bought(1, &["M-1"], HOUR, 100), bought(2, &["M-2"], HOUR, 100)]).await;
    let id = segment(&desk, json!({ "feature": "orders.count.30d", "op": ">=", "value": 1 })).await;
    let path = format!("/v1/segments/{id}");
    let shown = desk.get(&path).await;
    assert_eq!(
        (&shown["members"], &shown["backfill"]["done"], &shown["backfill"]["total"]),
        (&json!(2), &json!(3), &json!(3))
    );
    let snapshot = desk.post(&format!("{path}/snapshots"), json!({})).await;
    assert_eq!((&snapshot["number"], &snapshot["members"]), (&json!(1), &json!(2)));
    desk.log(10 * DAY, vec![bought(3, &["M-3"], 10 * DAY, 100), bought(4, &["M-1"], 10 * DAY, 100)]).await;
    desk.live_to(11, 30).await;
    let ids = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|one| one["customer_id"].clone()).collect()
    };
    assert_eq!(ids(&desk.get(&format!("{path}/members")).await), [json!(one), json!(three)]);
    assert_eq!(ids(&desk.get(&format!("{path}/snapshots/1/members")).await), [json!(one), json!(two)]);
    let difference = desk.get(&format!("{path}/difference?since=1")).await;
    assert_eq!(
        difference["items"],
        json!([{ "customer_id": two, "change": "left" }, { "customer_id": three, "change": "entered" }])
    );
    let first = desk.get(&format!("{path}/members?limit=1")).await;
    let rest = desk.get(&format!("{path}/members?limit=1&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((ids(&first), ids(&rest)), (vec![json!(one)], vec![json!(three)]));
    let csv = desk.get(&format!("{path}/members.csv")).await;
    assert_eq!(csv, json!(format!("customer_id,since\r\n{one},{}\r\n{three},{}\r\n", at(HOUR), at(10 * DAY))));
    // Who are one are in it once.
    desk.log(30 * DAY, vec![merged(one, three), identified(one, &["M-3"])]).await;
    assert_eq!(desk.get(&path).await["members"], 1);
    let (status, _) = desk.call("POST", &format!("{path}/retire"), None).await;
    assert_eq!(status, 202);
    desk.tick(30 * DAY).await;
    assert_eq!(desk.get(&path).await["members"], 0);
    assert_eq!(ids(&desk.get(&format!("{path}/snapshots/1/members")).await).len(), 2);
}

#[tokio::test]
async fn more_customers_than_one_batch_are_looked_at_and_a_change_is_too() {
    let desk = Desk::open().await;
    let events = (0..=230_u8).flat_map(|number| {
        let card = format!("M-{number}");
        let mut events = vec![identified(customer(number), &[&card])];
        if number % 2 == 0 {
            events.push(bought(number, &[&card], HOUR, 100));
        }
        events
    });
    desk.log(HOUR, events.collect()).await;
    let id = segment(&desk, json!({ "feature": "orders.count.30d", "op": ">=", "value": 1 })).await;
    let path = format!("/v1/segments/{id}");
    let shown = desk.get(&path).await;
    assert_eq!((&shown["members"], &shown["backfill"]["done"]), (&json!(116), &json!(231)));
    assert!(shown["backfill"]["finished_at"].is_string());
    let body = json!({ "name": "Others", "condition": { "feature": "orders.count.30d", "op": "=", "value": 0 } });
    assert_eq!(desk.call("PUT", &path, Some(body)).await.0, 200);
    desk.tick(2 * HOUR).await;
    assert_eq!(desk.get(&path).await["members"], 115);
    // On one day more come due than one event looks at.
    desk.live_to(1, 30).await;
    assert_eq!(desk.get(&path).await["members"], 231);
}

#[tokio::test]
async fn a_condition_of_the_moment_makes_no_segment() {
    let desk = Desk::open().await;
    let body = json!({ "name": "x", "condition": { "changed": "orders.count.ever" } });
    let (status, problem) = desk.call("POST", "/v1/segments", Some(body)).await;
    assert_eq!((status.as_u16(), &problem["path"]), (422, &json!("condition")));
}
