//! What attribution goes by, changed while orders are there.

use crate::support::*;
use serde_json::json;

const PATH: &str = "/v1/channels/attribution";

#[tokio::test]
async fn a_change_works_out_all_orders_anew_in_batches() {
    let desk = Desk::open().await;
    let touch = |number: u8| did(&format!("p{number}"), 0, ("metro", "/east", ""), scanned("c1"));
    let order = |number: u8| bought(number, Some(&format!("p{number}")), 10 * DAY, 100);
    desk.log((0..250).flat_map(|number| [touch(number), order(number)]).collect()).await;
    assert_eq!(desk.get(PATH).await, json!({ "window_days": 30, "half_life_days": 7, "status": "current" }));
    assert_eq!(desk.report("channel", "linear").await["totals"]["revenue"], 25_000);

    let (status, body) = desk.call("PUT", PATH, json!({ "window_days": 9, "half_life_days": 7 })).await;
    assert_eq!((status.as_u16(), &body["status"]), (200, &json!("recomputing")), "{body}");
    desk.consume(false).await;
    assert_eq!(desk.report("channel", "linear").await["totals"]["revenue"], 25_000, "until the log says so");
    desk.tick().await;
    assert_eq!(desk.get(PATH).await["status"], "current");
    for model in ["first_touch", "last_touch", "linear", "time_decay"] {
        let totals = desk.report("channel", model).await["totals"].clone();
        assert_eq!((&totals["revenue"], &totals["unattributed"]), (&json!(0), &json!(25_000)), "{model}");
    }
    let rounds = desk.column("select data as v from event where type = 'attribution.due'").await;
    assert_eq!(rounds.len(), 2, "200 orders a round");
    assert_eq!(
        desk.column("select action as v from audit where target = 'attribution'").await,
        [format!("PUT {PATH}")]
    );
}

#[tokio::test]
async fn the_newest_change_wins_whatever_is_under_way() {
    let desk = Desk::open().await;
    desk.log(vec![did("p", 0, ("metro", "/east", ""), scanned("c1")), bought(1, Some("p"), 10 * DAY, 100)]).await;
    for window_days in [1, 20, 2, 11] {
        let (status, body) = desk.call("PUT", PATH, json!({ "window_days": window_days, "half_life_days": 7 })).await;
        assert_eq!(status, 200, "{body}");
    }
    desk.tick().await;
    assert_eq!(desk.get(PATH).await, json!({ "window_days": 11, "half_life_days": 7, "status": "current" }));
    assert_eq!(desk.owed(1, "linear").await, ["metro/c1/east/ 100"]);
}

#[tokio::test]
async fn unfit_settings_are_refused() {
    let desk = Desk::open().await;
    for (window_days, half_life_days, path) in
        [(0, 7, "window_days"), (366, 7, "window_days"), (30, 0, "half_life_days")]
    {
        let body = json!({ "window_days": window_days, "half_life_days": half_life_days });
        let (status, problem) = desk.call("PUT", PATH, body).await;
        assert_eq!((status.as_u16(), &problem["path"]), (422, &json!(path)), "{problem}");
    }
    let body = json!({ "window_days": 9, "half_life_days": 7 }).to_string();
    let (status, _) = desk.call_as(&desk.token("/east", None).await, "PUT", PATH, body).await;
    assert_eq!(status, 403);
    assert_eq!(desk.get(PATH).await["window_days"], 30);
}
