//! Marketplaces behind their common face: stock told by difference, decisions on cases, shops pulled. Shops are invented.

use crate::support::{Shop, at, own_order};
use domain::Platform;
use serde_json::{Value, json};

const SKU: &str = "TEA-OOLONG";

fn listing(product_id: &str, safety: i64) -> Value {
    json!({ "platform": "douyin", "shop_id": "4463798", "product_id": product_id, "platform_sku_id": "11", "safety": safety })
}

async fn count(shop: &Shop, on_hand: i64) {
    let (status, body) = shop.call("PUT", &format!("/v1/stock/{SKU}"), Some(json!({ "on_hand": on_hand }))).await;
    assert_eq!(status, 200, "{body}");
    shop.consume().await;
}

/// A shop that has 10 pieces and offers them once, 2 kept back; the platform was told 8.
async fn offered() -> Shop {
    let shop = Shop::open().await;
    count(&shop, 10).await;
    let body = json!({ "listings": [listing("77", 2)] });
    let (status, answer) = shop.call("PUT", &format!("/v1/stock/{SKU}/listings"), Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    shop.consume().await;
    shop.wait_until(1).await;
    assert_eq!(quantities(&shop).await, [8]);
    shop.answer("set_stock", Value::Null).await;
    shop
}

/// The pieces in the calls that wait.
async fn quantities(shop: &Shop) -> Vec<i64> {
    let asked = shop.asked().await.into_iter().filter(|(operation, _)| operation == "set_stock");
    asked.map(|(_, request)| request["quantity"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_platform_is_told_what_is_free_less_what_is_kept_back() {
    let shop = offered().await;
    let listings = shop.get(&format!("/v1/stock/{SKU}/listings")).await;
    assert_eq!(listings["listings"][0]["told"], 8);
    count(&shop, 1).await;
    shop.wait_until(10).await;
    assert_eq!(quantities(&shop).await, [0], "less than is kept back is nothing, never less");
}

#[tokio::test]
async fn equal_stock_is_not_told_again_and_changes_within_a_second_go_out_as_one() {
    let shop = offered().await;
    count(&shop, 10).await;
    shop.wait_until(10).await;
    assert!(quantities(&shop).await.is_empty());
    for on_hand in [9, 7, 6] {
        count(&shop, on_hand).await;
    }
    shop.wait_until(20).await;
    assert_eq!(quantities(&shop).await, [4]);
}

#[tokio::test]
async fn a_change_that_is_undone_before_it_was_told_is_told_all_the_same() {
    let shop = offered().await;
    count(&shop, 9).await;
    shop.wait_until(10).await;
    assert_eq!(quantities(&shop).await, [7], "it waits to be told");
    count(&shop, 10).await;
    shop.wait_until(20).await;
    assert_eq!(quantities(&shop).await, [8], "the call that waits carries the newest");
}

#[tokio::test]
async fn constant_change_does_not_put_telling_off() {
    let shop = offered().await;
    for second in 0..5 {
        shop.app.clock().set(at(10).try_add_millis(second * 900).unwrap()).await.unwrap();
        count(&shop, 9 - second).await;
    }
    assert_eq!(shop.column("select cast(due as text) as v from timer").await, [(at(11).millis()).to_string()]);
}

#[tokio::test]
async fn a_platform_that_refuses_is_told_again_later() {
    let shop = offered().await;
    count(&shop, 9).await;
    shop.wait_until(10).await;
    shop.give_up("set_stock").await;
    shop.wait_until(20).await;
    assert!(quantities(&shop).await.is_empty());
    shop.wait_until(700).await;
    assert_eq!(quantities(&shop).await, [7]);
}

#[tokio::test]
async fn an_order_elsewhere_takes_from_what_a_platform_may_sell() {
    let shop = offered().await;
    shop.own("msg_1", &own_order("A-1", "paid")).await;
    shop.consume().await;
    shop.wait_until(10).await;
    let reserved = shop.get(&format!("/v1/stock/{SKU}")).await["reserved"].as_i64().unwrap();
    assert!(reserved > 0);
    assert_eq!(quantities(&shop).await, [8 - reserved]);
}

#[tokio::test]
async fn offers_are_checked() {
    let shop = Shop::open().await;
    let path = format!("/v1/stock/{SKU}/listings");
    let own = json!({ "platform": "own", "shop_id": "pos-01", "product_id": "1" });
    for unusable in [own, listing("", 0), listing("77", -1)] {
        let (status, problem) = shop.call("PUT", &path, Some(json!({ "listings": [unusable] }))).await;
        assert_eq!((status.as_u16(), &problem["type"]), (422, &json!("/problems/listing-unusable")), "{problem}");
    }
}

/// An own shop's order that has been sent, and a case on its first line, one piece.
async fn own_case(shop: &Shop) -> String {
    let (_, taken) = shop.own("msg_1", &own_order("A-1", "shipped")).await;
    let order = taken["order_id"].as_str().unwrap().to_owned();
    let claim = json!({ "kind": "return", "amount": 1500, "freight": 0, "reason_code": null,
        "lines": [{ "line_id": "1", "quantity": 1, "amount": 1500 }] });
    let (status, refund) = shop.call("POST", &format!("/v1/orders/{order}/refunds"), Some(claim)).await;
    assert_eq!(status, 201, "{refund}");
    refund["id"].as_str().unwrap().to_owned()
}

async fn decide(shop: &Shop, id: &str, decision: &str) -> (u16, Value) {
    let body = (decision == "refuse").then(|| json!({ "reason": "invented" }));
    let (status, answer) = shop.call("POST", &format!("/v1/refunds/{id}/{decision}"), body).await;
    (status.as_u16(), answer)
}

#[tokio::test]
async fn a_case_of_an_own_shop_is_decided_at_once_and_its_goods_come_back_once() {
    let shop = Shop::open().await;
    count(&shop, 10).await;
    let id = own_case(&shop).await;
    let (status, answer) = decide(&shop, &id, "confirm-receipt").await;
    assert_eq!((status, &answer["type"]), (409, &json!("/problems/refund-stands")), "not agreed yet");
    let (status, answer) = decide(&shop, &id, "agree").await;
    assert_eq!((status, &answer["refund"]["status"]), (200, &json!("agreed")), "{answer}");
    let before = shop.get(&format!("/v1/stock/{SKU}")).await["on_hand"].as_i64().unwrap();
    for _ in 0..2 {
        assert_eq!(decide(&shop, &id, "confirm-receipt").await.0, 200);
    }
    assert_eq!(shop.get(&format!("/v1/stock/{SKU}")).await["on_hand"], before + 1);
    let told = shop.column("select type as v from event where type = 'return.received'").await;
    assert_eq!(told.len(), 1);
    assert_eq!(decide(&shop, &id, "refuse").await.0, 409, "what was agreed is not refused");
}

#[tokio::test]
async fn a_platforms_case_is_decided_by_the_platform() {
    let shop = Shop::open().await;
    let case = json!([{ "tag": "200", "msg_id": "1", "data": json!({
        "p_id": 1, "s_id": 2, "shop_id": 4463798, "aftersale_id": 3, "aftersale_status": 6, "aftersale_type": 0,
        "refund_amount": 1990, "refund_post_amount": 0, "apply_time": at(-10).seconds(), "update_time": at(-10).seconds(),
    }).to_string() }]);
    assert_eq!(shop.douyin(&case).await.0, 200);
    let id = shop.column("select id as v from refund").await.remove(0);
    let (status, answer) = decide(&shop, &id, "agree").await;
    assert_eq!((status, &answer["refund"]["status"]), (202, &json!("applied")), "{answer}");
    let asked = shop.asked().await;
    let (_, request) = asked.iter().find(|(operation, _)| operation == "agree").unwrap();
    let (version, as_of) = (at(-10).seconds().to_string(), at(-10).to_string());
    let seen = json!({ "kind": "return", "amount": 1990, "status": "applied", "version": version, "as_of": as_of });
    let wanted = json!({ "ask": "agree", "shop_id": "4463798", "order_id": "1", "after_sale_id": "3", "seen": seen });
    assert_eq!(*request, wanted);
    shop.give_up("after_sale").await;
    shop.answer("agree", Value::Null).await;
    let asked = shop.asked().await;
    assert!(
        asked.iter().any(|(operation, _)| operation == "after_sale"),
        "the record tells what came of it: {asked:?}"
    );
}

#[tokio::test]
async fn a_shop_that_is_connected_is_pulled_from_a_day_ago() {
    let shop = Shop::open().await;
    shop.connect(Platform::Douyin, "4463798").await;
    shop.wait_until(1).await;
    let mut operations: Vec<_> = shop.asked().await.into_iter().map(|(operation, _)| operation).collect();
    operations.sort_unstable();
    assert_eq!(operations, ["changed_after_sales", "changed_orders"]);
    let (_, request) = shop.asked().await.remove(0);
    let since: domain::UnixMs = request["since"].as_str().unwrap().parse().unwrap();
    assert!(since.millis() <= at(0).millis() - 24 * 3_600_000, "{request}");
}

#[tokio::test]
async fn a_pull_that_failed_is_repeated_from_the_same_instant_after_a_pause() {
    let shop = Shop::open().await;
    shop.connect(Platform::Douyin, "4463798").await;
    shop.wait_until(1).await;
    let since = |asked: Vec<(String, Value)>| {
        asked
            .into_iter()
            .find(|(operation, _)| operation == "changed_orders")
            .map(|(_, request)| request["since"].clone())
    };
    let first = since(shop.asked().await);
    assert!(first.is_some());
    shop.give_up("changed_orders").await;
    shop.wait_until(60).await;
    assert_eq!(since(shop.asked().await), None, "a pause of two minutes after the first failure");
    shop.wait_until(130).await;
    assert_eq!(since(shop.asked().await), first);
}

#[tokio::test]
async fn a_shop_that_was_disconnected_is_not_pulled() {
    let shop = Shop::open().await;
    shop.connect(Platform::Douyin, "4463798").await;
    for operation in ["changed_orders", "changed_after_sales"] {
        shop.give_up(operation).await;
    }
    let gone = |tx: &kit::Tx<'_>| tx.run("delete from shop", &[]);
    shop.app.db().write(&kit::Cx::at(at(0)), gone).await.unwrap();
    shop.wait_until(3600).await;
    assert!(shop.asked().await.is_empty());
}
