//! The lifecycle, moved by events and by time.

use crate::support::{DAY, House, event, paid, refunded, who};
use domain::IdentityKind::{TaobaoOpenUid, WechatUnionId};
use serde_json::{Value, json};

async fn stage(house: &House) -> Value {
    house.only_customer().await["stage"].clone()
}

#[tokio::test]
async fn a_customer_comes_goes_and_comes_back_and_each_move_has_its_cause() {
    let house = House::open().await;
    house.told(&event("1", "page.viewed", "u-1", json!({}))).await;
    assert_eq!(stage(&house).await, "stranger");
    house.told(&event("2", "account.followed", "u-1", json!({ "account": "a" }))).await;
    assert_eq!(stage(&house).await, "lead");
    let me = [who(WechatUnionId, "u-1")];
    house.happened(vec![paid(1, &me, 10, 100)]).await;
    assert_eq!(stage(&house).await, "buyer");
    house.happened(vec![refunded(1, 1, 100, 20)]).await;
    assert_eq!(stage(&house).await, "lead", "an order that went back as a whole is none");
    house.happened(vec![paid(2, &me, 30, 100)]).await;
    house.wait_until(30 + 90 * DAY - 1).await;
    assert_eq!(stage(&house).await, "buyer");
    house.wait_until(30 + 90 * DAY).await;
    assert_eq!(stage(&house).await, "dormant");
    house.happened(vec![paid(3, &me, 91 * DAY, 100)]).await;
    assert_eq!(stage(&house).await, "won_back");
    let moves = house.only_customer().await["stages"].clone();
    let told: Vec<_> = moves
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["to"].as_str().unwrap(), one["cause"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("won_back", "order.paid"),
            ("dormant", "customer.stage_due"),
            ("buyer", "order.paid"),
            ("lead", "refund.refunded"),
            ("buyer", "order.paid"),
            ("lead", "account_followed"),
        ]
    );
    let events =
        house.column("select data ->> 'to' as v from event where type = 'customer.stage_changed' order by seq").await;
    assert_eq!(events, ["lead", "buyer", "lead", "buyer", "dormant", "won_back"]);
}

#[tokio::test]
async fn a_merge_and_its_undoing_move_the_stage_of_both() {
    let house = House::open().await;
    house
        .happened(vec![paid(1, &[who(WechatUnionId, "u-1")], 0, 100), paid(2, &[who(TaobaoOpenUid, "t-1")], 5, 100)])
        .await;
    let list = house.get("/v1/customers").await;
    let ids = [&list["items"][0]["id"], &list["items"][1]["id"]];
    house.call("POST", "/v1/customers/merge", Some(json!({ "customer_ids": ids, "reason": "one" }))).await;
    house.consume().await;
    assert_eq!(stage(&house).await, "repeat_buyer");
    house.call("POST", "/v1/customers/unmerge", Some(json!({ "split_id": ids[0], "reason": "two" }))).await;
    house.consume().await;
    for id in ids {
        assert_eq!(house.get(&format!("/v1/customers/{}", id.as_str().unwrap())).await["stage"], "buyer");
    }
}

#[tokio::test]
async fn a_refund_that_is_told_before_its_order_counts_all_the_same() {
    let house = House::open().await;
    house.happened(vec![refunded(1, 1, 100, 20)]).await;
    house.happened(vec![paid(1, &[who(WechatUnionId, "u-1")], 10, 100)]).await;
    house.happened(vec![refunded(1, 1, 100, 20)]).await;
    let found = house.only_customer().await;
    assert_eq!((&found["orders"]["refunded"], &found["stage"]), (&json!(100), &json!("stranger")));
}
