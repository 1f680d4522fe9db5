//! The merchant's limits between RFM scores.

use crate::support::*;
use serde_json::{Value, json};

const NAMES: &str = "rfm.recency,rfm.frequency,rfm.monetary,rfm.total";

#[tokio::test]
async fn thresholds_are_the_merchants_and_rules_are_asked_again() {
    let desk = Desk::open().await;
    let tags = desk.tags("Value", false, &["Champion"]).await;
    let who = customer(1);
    desk.log(HOUR, vec![identified(who, &["M-1"]), bought(1, &["M-1"], HOUR, 40_000)]).await;
    let condition = json!({ "feature": "rfm.total", "op": ">=", "value": 12 });
    let effects = json!([{ "add_tag": tags[0], "while_true": true }, { "raise": "champion" }]);
    desk.rule(HOUR, "Champions", condition.clone(), effects).await;
    let segment = desk.post("/v1/segments", json!({ "name": "Champions", "condition": condition })).await;
    desk.tick(HOUR).await;
    let scores = |r: i64, f: i64, m: i64| json!({ "rfm.recency": r, "rfm.frequency": f, "rfm.monetary": m, "rfm.total": r + f + m });
    let before = desk.get("/v1/rfm").await;
    assert_eq!((&before["wanted"], &before["in_force"]["version"]), (&Value::Null, &json!(0)));
    assert_eq!(before["in_force"]["thresholds"]["recency_days"], json!([30, 60, 90, 180]));
    assert_eq!(desk.features(who, NAMES).await, scores(5, 1, 2));
    assert_eq!(desk.names(who).await.len(), 0);

    desk.rfm(2 * HOUR, "90d", Some([[0, 1, 2, 3], [1, 2, 3, 4], [10_000, 20_000, 30_000, 40_000]])).await;
    assert_eq!(desk.features(who, NAMES).await, scores(5, 2, 5));
    assert_eq!(desk.names(who).await, ["Champion"]);
    assert_eq!(desk.count("rule.matched").await, 0, "limits have changed, and not the customer");
    let path = format!("/v1/segments/{}", segment["id"].as_str().unwrap());
    assert_eq!(desk.get(&path).await["members"], 1);
    let shown = desk.get("/v1/rfm").await;
    let of = |name: &str| shown["in_force"][name].clone();
    assert_eq!((of("version"), of("window"), of("since")), (json!(1), json!("90d"), json!(at(2 * HOUR))));
    assert_eq!((&shown["work"]["phase"], &shown["work"]["done"]), (&json!("done"), &json!(1)));
    // The limits decide on which day a score falls, too.
    desk.live_to(1, 1).await;
    assert_eq!((desk.features(who, NAMES).await, desk.names(who).await.len()), (scores(4, 2, 5), 0));
    desk.live_to(2, 90).await;
    assert_eq!(desk.features(who, NAMES).await, scores(1, 0, 0));
}

#[tokio::test]
async fn limits_that_are_none_are_refused() {
    let desk = Desk::open().await;
    let own = |recency: Value, frequency: Value, monetary: Value| json!({ "thresholds": { "recency_days": recency, "frequency": frequency, "monetary": monetary } });
    let fit = json!([1, 2, 3, 4]);
    for (body, status, path) in [
        (own(json!([1, 2, 2, 3]), fit.clone(), fit.clone()), 422, "thresholds.recency_days"),
        (own(fit.clone(), json!([0, 1, 2, 3]), fit.clone()), 422, "thresholds.frequency"),
        (own(fit.clone(), fit.clone(), json!([4, 3, 2, 1])), 422, "thresholds.monetary"),
        (json!({ "quantiles": 4 }), 422, "quantiles"),
        (json!({ "quantiles": 5, "window": "7d" }), 422, "window"),
        (json!({}), 422, ""),
        (own(fit.clone(), json!([1, 2, 3]), fit), 400, "null"),
    ] {
        let (answered, problem) = desk.call("PUT", "/v1/rfm", Some(body.clone())).await;
        assert_eq!(
            (answered.as_u16(), problem["path"].as_str().unwrap_or("null")),
            (status, path),
            "{body}: {problem}"
        );
    }
    assert_eq!(desk.column("select document as v from rfm_version").await, Vec::<String>::new());
}

/// Fires what is due, once, and applies it: one batch.
async fn step(desk: &Desk, millis: i64) {
    desk.app.clock().set(at(millis)).await.unwrap();
    let fired = desk.app.db().write(&kit::Cx::at(at(millis)), |tx| kit::events::fire_due(tx, 100)).await;
    let fired: Result<usize, kit::DbError> = fired;
    fired.unwrap();
    desk.consume(false).await;
}

fn fifths(mut figures: Vec<i64>) -> Vec<i64> {
    figures.sort_unstable();
    [1, 2, 3, 4].map(|fifth| figures[fifth * figures.len() / 5]).to_vec()
}

#[tokio::test]
async fn quantiles_are_of_one_place_in_the_log_though_gathered_in_batches() {
    let desk = Desk::open().await;
    let mut events = Vec::new();
    for number in 0..230_u8 {
        let card = format!("M-{number:03}");
        events.push(identified(customer(number), &[&card]));
        events.push(bought(number, &[&card], HOUR, (i64::from(number) + 1) * 100));
    }
    desk.log(HOUR, events).await;
    let (status, _) = desk.call("PUT", "/v1/rfm", Some(json!({ "quantiles": 5 }))).await;
    assert_eq!(status, 202);
    step(&desk, 2 * HOUR).await;
    let shown = desk.get("/v1/rfm").await;
    assert_eq!((&shown["work"]["phase"], &shown["work"]["done"]), (&json!("gather"), &json!(200)));
    assert_eq!(shown["in_force"]["version"], 0, "nothing is in force before all is gathered");
    // Who is not gathered yet changes: money goes back, two become one, one becomes two, somebody is new.
    let mut events = Vec::new();
    for number in 201..220_u8 {
        events.push(refunded(number, number, 2 * HOUR, (i64::from(number) + 1) * 100));
    }
    events.push(merged(customer(220), customer(229)));
    events.push(merged(customer(1), customer(228)));
    events.push(identified(customer(221), &["M-227"]));
    events.push(split(customer(1), customer(228)));
    events.push(identified(customer(240), &["M-240"]));
    events.push(bought(240, &["M-240"], 2 * HOUR, 50));
    desk.log(2 * HOUR, events).await;
    desk.tick(2 * HOUR).await;
    let shown = desk.get("/v1/rfm").await;
    let money: Vec<i64> = (1..=230).map(|number| number * 100).collect();
    let limits = &shown["in_force"]["thresholds"];
    assert_eq!((&shown["in_force"]["buyers"], &limits["monetary"]), (&json!(230), &json!(fifths(money))));
    // All have one order, today: ties get the better score.
    assert_eq!((&limits["frequency"], &limits["recency_days"]), (&json!([1, 1, 1, 1]), &json!([0, 0, 0, 0])));
    assert_eq!(
        desk.features(customer(2), "rfm.monetary,rfm.frequency").await,
        json!({ "rfm.monetary": 1, "rfm.frequency": 5 })
    );
    assert_eq!(shown["wanted"]["next"], "2026-04-01");
    assert_eq!(desk.column("select customer as v from rfm_figure").await, Vec::<String>::new(), "nothing is left");

    // With the month they are worked out again.
    desk.live_to(1, 29).await;
    assert_eq!(desk.get("/v1/rfm").await["in_force"]["since"], json!(at(HOUR)), "the time of the timer");
    desk.live_to(30, 30).await;
    let shown = desk.get("/v1/rfm").await;
    let mut money: Vec<i64> =
        (1..=230).filter(|number| !(202..=220).contains(number)).map(|number| number * 100).collect();
    money.retain(|amount| ![22_100, 23_000, 22_200, 22_800].contains(amount));
    money.extend([22_100 + 23_000, 22_200 + 22_800, 50]);
    let in_force = &shown["in_force"];
    assert_eq!((&in_force["since"], &in_force["buyers"]), (&json!(at(30 * DAY)), &json!(229)), "{shown}");
    assert_eq!(in_force["thresholds"]["monetary"], json!(fifths(money)));
    // Thresholds again: months pass without a word.
    desk.rfm(31 * DAY, "365d", Some([[1, 2, 3, 4]; 3])).await;
    desk.live_to(60, 60).await;
    assert_eq!(desk.get("/v1/rfm").await["in_force"]["version"], 2);
}
