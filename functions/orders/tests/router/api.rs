//! The API: orders with their history, refunds within what was paid, stock that is never negative, rights.

use crate::support::{Shop, at, own_order};
use axum::body::Body;
use http::Request;
use kit::auth::{self, StorePath};
use kit::{Cx, DbError};
use serde_json::{Value, json};

async fn shop_with_order() -> (Shop, String) {
    let shop = Shop::open().await;
    let (status, taken) = shop.own("msg_1", &own_order("A-1", "paid")).await;
    assert_eq!(status, 200, "{taken}");
    let id = taken["order_id"].as_str().unwrap().to_owned();
    (shop, id)
}

fn claim(amount: i64) -> Value {
    json!({ "kind": "return", "amount": amount, "freight": 0, "lines": [], "reason_code": null })
}

#[tokio::test]
async fn an_order_shows_its_refunds_and_its_history() {
    let (shop, id) = shop_with_order().await;
    let (status, refund) = shop.call("POST", &format!("/v1/orders/{id}/refunds"), Some(claim(1500))).await;
    assert_eq!((status.as_u16(), &refund["status"]), (201, &json!("applied")), "{refund}");
    let order = shop.get(&format!("/v1/orders/{id}")).await;
    assert_eq!(order["refunds"][0]["id"], refund["id"]);
    let history: Vec<_> = order["history"].as_array().unwrap().iter().map(|entry| entry["type"].clone()).collect();
    assert_eq!(history, ["order.created", "order.paid", "refund.applied"]);
}

#[tokio::test]
async fn refunds_never_exceed_what_was_paid() {
    let (shop, id) = shop_with_order().await;
    let path = format!("/v1/orders/{id}/refunds");
    assert_eq!(shop.call("POST", &path, Some(claim(4000))).await.0, 201);
    let (status, problem) = shop.call("POST", &path, Some(claim(851))).await;
    assert_eq!((status.as_u16(), &problem["type"]), (422, &json!("/problems/refund-refused")), "{problem}");
    assert_eq!(shop.call("POST", &path, Some(claim(850))).await.0, 201);
    assert_eq!(shop.call("POST", &path, Some(claim(0))).await.0, 422);
}

#[tokio::test]
async fn refunds_at_once_take_what_is_left_once() {
    let (shop, id) = shop_with_order().await;
    let shop = std::sync::Arc::new(shop);
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let (shop, path) = (shop.clone(), format!("/v1/orders/{id}/refunds"));
            tokio::spawn(async move { shop.call("POST", &path, Some(claim(1000))).await.0.as_u16() })
        })
        .collect();
    let mut made = 0;
    for call in calls {
        made += i32::from(call.await.unwrap() == 201);
    }
    assert_eq!(made, 4, "4 × 10.00 fit into 48.50");
}

#[tokio::test]
async fn an_idempotency_key_makes_a_repetition_harmless() {
    let (shop, id) = shop_with_order().await;
    let post = |key: &'static str, amount: i64| {
        Request::post(format!("/v1/orders/{id}/refunds"))
            .header("authorization", "Bearer first-token")
            .header("idempotency-key", key)
            .body(Body::from(claim(amount).to_string()))
            .unwrap()
    };
    let (first, answer) = shop.send(post("\"8e03978e\"", 1000)).await;
    let (second, again) = shop.send(post("8e03978e", 1000)).await;
    assert_eq!((first.as_u16(), second.as_u16()), (201, 201));
    assert_eq!(answer, again);
    assert_eq!(shop.column("select id as v from refund").await.len(), 1);
    assert_eq!(shop.send(post("\"8e03978e\"", 999)).await.0, 422, "the same key for another request");
    assert_eq!(shop.send(post("\"other\"", 1000)).await.0, 201);
}

#[tokio::test]
async fn stock_is_reserved_committed_and_released_and_two_lines_of_one_sku_count_together() {
    let shop = Shop::open().await;
    let stock = async || {
        let stock = shop.get("/v1/stock/TEA-OOLONG").await;
        [stock["on_hand"].as_i64().unwrap(), stock["reserved"].as_i64().unwrap(), stock["available"].as_i64().unwrap()]
    };
    assert_eq!(shop.call("GET", "/v1/stock/TEA-OOLONG", None).await.0, 404);
    assert_eq!(shop.call("PUT", "/v1/stock/TEA-OOLONG", Some(json!({ "on_hand": 3 }))).await.0, 200);
    shop.own("1", &own_order("A-1", "paid")).await;
    assert_eq!(stock().await, [3, 2, 1]);
    // One is left and two are sold: the order stands, nothing goes below zero.
    shop.own("2", &own_order("A-2", "paid")).await;
    assert_eq!(stock().await, [3, 2, 1]);
    assert_eq!(
        shop.column(
            "select state as v from stock_reservation join \"order\" on id = order_id order by platform_order_id"
        )
        .await,
        ["reserved", "short"]
    );
    shop.own("3", &own_order("A-1", "shipped")).await;
    assert_eq!(stock().await, [1, 0, 1]);
    assert_eq!(shop.call("PUT", "/v1/stock/TEA-OOLONG", Some(json!({ "on_hand": 2 }))).await.0, 200);
    assert_eq!(stock().await, [2, 2, 0], "the order that was sold short has its pieces");
    assert_eq!(shop.call("PUT", "/v1/stock/TEA-OOLONG", Some(json!({ "on_hand": 1 }))).await.0, 409);
    shop.own("4", &own_order("A-2", "closed")).await;
    assert_eq!(stock().await, [2, 0, 2]);
    let causes = shop
        .column("select json_extract(data, '$.cause') as v from event where type = 'stock.changed' order by seq")
        .await;
    assert_eq!(causes, ["counted", "reserved", "committed", "counted", "reserved", "released"]);
}

#[tokio::test]
async fn many_orders_at_once_never_oversell() {
    let shop = std::sync::Arc::new(Shop::open().await);
    shop.call("PUT", "/v1/stock/TEA-OOLONG", Some(json!({ "on_hand": 21 }))).await;
    let orders: Vec<_> = (0..40)
        .map(|number| {
            let shop = shop.clone();
            tokio::spawn(
                async move { shop.own(&number.to_string(), &own_order(&format!("A-{number}"), "paid")).await.0 },
            )
        })
        .collect();
    for order in orders {
        assert_eq!(order.await.unwrap(), 200);
    }
    let states = shop.column("select state as v from stock_reservation").await;
    assert_eq!(states.iter().filter(|state| *state == "reserved").count(), 10, "10 × 2 of 21 pieces");
    assert_eq!(shop.get("/v1/stock/TEA-OOLONG").await["available"], 1);
}

#[tokio::test]
async fn lists_page_by_cursor_and_filter() {
    let shop = Shop::open().await;
    for number in 0..7 {
        shop.own(&number.to_string(), &own_order(&format!("A-{number}"), if number == 3 { "shipped" } else { "paid" }))
            .await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/orders?limit=3".to_owned();
    loop {
        let page = shop.get(&path).await;
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|order| order["platform_order_id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/orders?limit=3&cursor={cursor}");
    }
    seen.sort();
    assert_eq!(seen, (0..7).map(|number| format!("A-{number}")).collect::<Vec<_>>());
    let count = async |query: &str| shop.get(&format!("/v1/orders?{query}")).await["items"].as_array().unwrap().len();
    assert_eq!(count("status=shipped").await, 1);
    assert_eq!(count("platform=own&shop=pos-01").await, 7);
    assert_eq!(count("platform=douyin").await, 0);
    assert_eq!(count("identity=M-0001").await, 7);
    assert_eq!(count("from=2026-02-14T01:28:59Z&to=2026-02-14T01:29:01Z").await, 7);
    assert_eq!(count("to=2026-02-14T01:29:00Z").await, 0, "`to` is exclusive");
    for wrong in ["limit=0", "limit=501", "cursor=x", "status=lost", "unknown=1", "from=yesterday"] {
        let (status, problem) = shop.call("GET", &format!("/v1/orders?{wrong}"), None).await;
        assert_eq!((status.as_u16(), &problem["status"]), (400, &json!(400)), "{wrong}");
    }
}

#[tokio::test]
async fn a_token_sees_what_its_scopes_and_stores_allow() {
    let (shop, id) = shop_with_order().await;
    let token = async |scopes: &[&str], store: &str, expires: Option<i64>| {
        let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let store = StorePath::try_from(store.to_owned()).unwrap();
        shop.app
            .db()
            .write(&Cx::at(at(0)), move |tx| auth::create(tx, "test", &scopes, &store, None, expires.map(at)))
            .await
            .map_err(|error: DbError| error)
            .unwrap()
            .text
    };
    let status = async |token: &str, path: &str| {
        let request =
            Request::get(path).header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
        shop.send(request).await.0.as_u16()
    };
    let order = format!("/v1/orders/{id}");
    let east = token(&["orders:read"], "/east", None).await;
    assert_eq!((status(&east, &order).await, status(&east, "/v1/stock/CUP").await), (200, 403));
    let west = token(&["orders:read"], "/west", None).await;
    assert_eq!(status(&west, &order).await, 404, "another store's order does not exist for it");
    assert_eq!(status(&token(&["orders:read"], "/east", Some(0)).await, &order).await, 401, "expired");
    assert_eq!(status("nonsense", &order).await, 401);
    let request =
        Request::get("/v1/orders").header("authorization", format!("Bearer {west}")).body(Body::empty()).unwrap();
    assert_eq!(shop.send(request).await.1["items"], json!([]));
    let refusals =
        shop.column("select reason || ': ' || action as v from audit where outcome = 'refused' order by v").await;
    assert_eq!(
        refusals,
        ["expired token: GET /v1/orders/{id}", "scope: GET /v1/stock/{sku}", "unknown token: GET /v1/orders/{id}",]
    );
}
