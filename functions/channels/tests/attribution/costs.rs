//! Costs, entered and imported.

use crate::support::*;
use serde_json::{Value, json};

const PATH: &str = "/v1/channels/metro/costs";
const RANGE: &str = "from=2026-03-01&to=2026-03-31";

async fn costs(desk: &Desk, channel: &str) -> Vec<(String, String, i64)> {
    let body = desk.get(&format!("/v1/channels/{channel}/costs?{RANGE}")).await;
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    let row = |item: &Value| (text(item, "day"), text(item, "store"), item["amount"].as_i64().unwrap());
    body["items"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn a_cost_takes_the_place_of_what_stood_there() {
    let desk = Desk::open().await;
    let put = async |day: &str, body: Value| desk.call("PUT", &format!("{PATH}/{day}"), body).await.0.as_u16();
    assert_eq!(put("2026-03-02", json!({ "amount": 500 })).await, 204);
    assert_eq!(put("2026-03-02", json!({ "amount": 700, "note": "posters" })).await, 204);
    assert_eq!(put("2026-03-02", json!({ "amount": 1, "store": "/east/a" })).await, 204);
    assert_eq!(put("2026-03-01", json!({ "amount": 2 })).await, 204);
    let row = |day: &str, store: &str, amount| (day.to_owned(), store.to_owned(), amount);
    let all = [row("2026-03-01", "/", 2), row("2026-03-02", "/", 700), row("2026-03-02", "/east/a", 1)];
    assert_eq!(costs(&desk, "metro").await, all);
    let first = desk.get(&format!("{PATH}?{RANGE}&limit=2")).await;
    let next = desk.get(&format!("{PATH}?{RANGE}&limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((first["items"].as_array().unwrap().len(), &next["items"][0]["store"]), (2, &json!("/east/a")));
    assert_eq!(put("2026-03-02", json!({ "amount": 0 })).await, 204);
    assert_eq!(costs(&desk, "metro").await, [all[0].clone(), all[2].clone()]);
    assert_eq!(put("2026-03-32", json!({ "amount": 1 })).await, 404);
    assert_eq!(put("2026-03-02", json!({ "amount": -1 })).await, 422);
    assert_eq!(put("2026-03-02", json!({ "amount": 1, "store": "east" })).await, 422);
    assert_eq!(put("2026-03-02", json!({ "amount": 1.5 })).await, 400);
    assert_eq!(desk.call("PUT", "/v1/channels/none/costs/2026-03-02", json!({ "amount": 1 })).await.0, 404);
    let body = json!({ "amount": 1, "store": "/" }).to_string();
    let (status, _) = desk.call_as(&desk.token("/east", None).await, "PUT", &format!("{PATH}/2026-03-02"), body).await;
    assert_eq!(status, 403, "all stores bear it");
    for query in ["from=2026-03-02&to=2026-03-01", "from=2025-01-01&to=2026-03-01"] {
        assert_eq!(desk.call("GET", &format!("{PATH}?{query}"), Value::Null).await.0, 400, "{query}");
    }
}

async fn import(desk: &Desk, query: &str, file: &str) -> (u16, Value) {
    let path = format!("/v1/channels/costs/import{query}");
    let (status, body) = desk.call_as("first-token", "POST", &path, file.to_owned()).await;
    (status.as_u16(), body)
}

#[tokio::test]
async fn a_file_is_written_whole_to_the_fen() {
    let desk = Desk::open().await;
    let file =
        "\u{feff}channel,day,amount,store,note\nmetro,2026-03-02,19.99,,posters\nlive,2026-03-03, 0.1 ,/east/a,\n";
    let (status, body) = import(&desk, "?dry_run=true", file).await;
    assert_eq!((status, body), (200, json!({ "rows": 2, "amount": 2009, "errors": [] })));
    assert_eq!(costs(&desk, "metro").await, [], "a dry run writes nothing");
    let (status, body) = import(&desk, "", file).await;
    assert_eq!((status, body), (201, json!({ "rows": 2, "amount": 2009, "errors": [] })));
    assert_eq!(costs(&desk, "metro").await, [("2026-03-02".to_owned(), "/".to_owned(), 1999)]);
    assert_eq!(costs(&desk, "live").await, [("2026-03-03".to_owned(), "/east/a".to_owned(), 10)]);
}

#[tokio::test]
async fn each_unfit_row_is_named_and_nothing_is_written() {
    let desk = Desk::open().await;
    let file = "channel,day,amount\nmetro,2026-03-02,1.00\nmetro,2026-02-30,1\nmetro,2026-03-03,1.005\nnone,2026-03-03,1\n\
                metro,2026-03-02,2\nmetro,2026-03-04,-1\nmetro,2026-03-05,1e3\n";
    for (query, wanted) in [("?dry_run=true", 200), ("", 422)] {
        let (status, body) = import(&desk, query, file).await;
        assert_eq!(status, wanted, "{body}");
        let rows: Vec<i64> =
            body["errors"].as_array().unwrap().iter().map(|error| error["row"].as_i64().unwrap()).collect();
        assert_eq!(rows, [3, 4, 5, 6, 7, 8], "{body}");
        assert_eq!(costs(&desk, "metro").await, []);
    }
    for file in [
        "channel,day\nmetro,2026-03-02\n",
        "channel,day,amount\n",
        "channel,day,amount,colour\nmetro,2026-03-02,1,red\n",
    ] {
        assert_eq!(import(&desk, "", file).await.0, 400, "{file}");
    }
}
