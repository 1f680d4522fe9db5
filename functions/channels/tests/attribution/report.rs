//! The report: by each dimension the same totals, to each caller its own part.

use crate::support::*;
use serde_json::{Value, json};

const BYS: [&str; 5] = ["channel", "code", "store", "staff", "day"];
const MARCH: &str = "/v1/channels/report?from=2026-03-01&to=2026-03-31";
const A: Place<'_> = ("metro", "/east/a", "s1");
const B: Place<'_> = ("metro", "/east/b", "s2");

/// Three contacts in two stores, two orders, a day's cost for all stores and one for store A.
async fn traded() -> Desk {
    let desk = Desk::open().await;
    desk.log(vec![
        did("p1", 0, A, added("c1")),
        did("p2", HOUR, A, added("c1")),
        did("p3", HOUR, B, added("c2")),
        did("p3", 2 * HOUR, ("", "", ""), wrote()),
        did("p4", HOUR, ("live", "/west", ""), scanned("c9")),
        bought(1, Some("p1"), DAY, 30_000),
        bought(2, Some("p1"), 2 * DAY, 5_000),
        bought(3, Some("p3"), 2 * DAY, 10_000),
        bought(4, Some("stranger"), 2 * DAY, 777),
    ])
    .await;
    for (amount, store) in [(10_000, "/"), (2_000, "/east/a")] {
        let body = json!({ "amount": amount, "store": store });
        assert_eq!(desk.call("PUT", "/v1/channels/metro/costs/2026-03-02", body).await.0, 204);
    }
    desk
}

fn row<'a>(report: &'a Value, key: &Value) -> &'a Value {
    report["rows"].as_array().unwrap().iter().find(|row| row["key"] == *key).unwrap()
}

#[tokio::test]
async fn a_stores_roi_is_its_orders_over_its_part_of_the_cost() {
    let desk = traded().await;
    let report = desk.get(&format!("{MARCH}&by=store")).await;
    let figures = json!({ "key": "/east/a", "scans": 0, "adds": 2, "replies": 0, "losses": 0, "first_orders": 1,
        "repeat_orders": 1, "revenue": 35_000, "unattributed": 0, "cost": 6667 + 2000, "cost_per_contact": 4334,
        "roi": "3.0383" });
    assert_eq!(*row(&report, &json!("/east/a")), figures);
    let b = row(&report, &json!("/east/b"));
    assert_eq!((&b["cost"], &b["replies"], &b["roi"]), (&json!(3333), &json!(1), &json!("2.0003")));
    assert_eq!(row(&report, &json!("/west"))["scans"], 1);
    let none = row(&report, &Value::Null);
    assert_eq!((&none["unattributed"], &none["revenue"], &none["roi"]), (&json!(777), &json!(0), &Value::Null));
    assert_eq!((&report["totals"]["cost"], &report["totals"]["revenue"]), (&json!(12_000), &json!(45_000)));
}

#[tokio::test]
async fn every_cut_has_the_same_totals() {
    let desk = traded().await;
    for filter in ["", "&channel=metro", "&store=/east", "&store=/east/a&channel=metro", "&model=linear"] {
        let mut totals = Vec::new();
        for by in BYS {
            let report = desk.get(&format!("{MARCH}&by={by}{filter}")).await;
            for figure in
                ["scans", "adds", "replies", "first_orders", "repeat_orders", "revenue", "unattributed", "cost"]
            {
                let sum: i64 = report["rows"].as_array().unwrap().iter().map(|row| row[figure].as_i64().unwrap()).sum();
                assert_eq!(report["totals"][figure], sum, "{by}{filter}: {figure}");
            }
            totals.push(report["totals"].clone());
        }
        assert!(totals.windows(2).all(|pair| pair[0] == pair[1]), "{filter}: {totals:?}");
    }
    let days = desk.get(&format!("{MARCH}&by=day")).await;
    let keys: Vec<&Value> = days["rows"].as_array().unwrap().iter().map(|row| &row["key"]).collect();
    assert_eq!(keys, ["2026-03-02", "2026-03-03", "2026-03-04"], "orders on the day of payment");
    let one = desk.get("/v1/channels/report?from=2026-03-04&to=2026-03-04&by=day").await;
    assert_eq!(one["totals"]["revenue"], 15_000);
}

#[tokio::test]
async fn callers_see_their_part_only() {
    let desk = traded().await;
    let east = desk.token("/east/a", None).await;
    let report = desk.get_as(&east, &format!("{MARCH}&by=staff")).await;
    assert_eq!(report["rows"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!((&report["totals"]["adds"], &report["totals"]["cost"]), (&json!(2), &json!(8667)));
    assert_eq!(report["totals"]["unattributed"], 0);
    let (status, _) = desk.call_as(&east, "GET", &format!("{MARCH}&by=store&store=/east/b"), String::new()).await;
    assert_eq!(status, 403);
    let own = desk.get_as(&desk.token("/", Some("s2")).await, &format!("{MARCH}&by=store")).await;
    assert_eq!((&own["totals"]["revenue"], &own["totals"]["cost"]), (&json!(10_000), &json!(3333)));
    for query in ["&by=colour", "&by=day&model=none", "&by=day&colour=red", "&by=day&store=east"] {
        let (status, _) = desk.call("GET", &format!("{MARCH}{query}"), Value::Null).await;
        assert_eq!(status, 400, "{query}");
    }
}

#[tokio::test]
async fn the_csv_says_what_the_json_says() {
    let desk = traded().await;
    for by in BYS {
        let report = desk.get(&format!("{MARCH}&by={by}")).await;
        let path = format!("{}&by={by}", MARCH.replace("report?", "report.csv?"));
        let Value::String(text) = desk.get(&path).await else { panic!("{by}") };
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!((header.get(0), rows.len()), (Some(by), report["rows"].as_array().unwrap().len()));
        for (row, wanted) in rows.iter().zip(report["rows"].as_array().unwrap()) {
            for (column, value) in header.iter().zip(row) {
                let wanted = match &wanted[if column == by { "key" } else { column }] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(value, wanted, "{by}: {column}");
            }
        }
    }
}
