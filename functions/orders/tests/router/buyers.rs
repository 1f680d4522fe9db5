//! What orders tell of their buyers, whatever the order in which they come. People are invented.

use crate::support::{Shop, at, own_order};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A paid order of one piece of tea, so many days after the shop's noon.
fn tea(number: i64, buyer: &str, day: i64) -> Value {
    let mut order = own_order(&format!("A-{number}"), "paid");
    let data = &mut order["data"];
    let time = at(day * 86_400).to_string();
    data["created_at"] = json!(time);
    data["paid_at"] = json!(time);
    data["identities"] = json!([{ "kind": "member_card", "scope": null, "value": buyer }]);
    data["phone"] = Value::Null;
    order
}

async fn told(shop: &Shop, kind: &str) -> Vec<Value> {
    let data = shop.column(&format!("select data as v from event where type = '{kind}' order by seq")).await;
    data.iter().map(|data| serde_json::from_str(data).unwrap()).collect()
}

async fn played(orders: &[Value]) -> Shop {
    let shop = Shop::open().await;
    for (number, order) in orders.iter().enumerate() {
        let (status, answer) = shop.own(&format!("msg_{number}"), order).await;
        assert_eq!(status, 200, "{answer}");
    }
    shop.consume().await;
    shop
}

#[tokio::test]
async fn the_first_order_of_a_buyer_is_told_and_an_earlier_one_in_its_place() {
    let shop = played(&[tea(1, "M-1", 10), tea(2, "M-1", 20), tea(3, "M-2", 5), tea(4, "M-1", 1)]).await;
    let firsts: Vec<_> = told(&shop, "buyer.first_order").await.iter().map(|data| data["at"].clone()).collect();
    let on = |day: i64| json!(at(day * 86_400).to_string());
    assert_eq!(firsts, [on(10), on(5), on(1)]);
}

#[tokio::test]
async fn the_cycle_of_a_sku_is_the_median_of_its_intervals() {
    let orders =
        [tea(1, "M-1", 0), tea(2, "M-1", 30), tea(3, "M-1", 62), tea(4, "M-2", 0), tea(5, "M-2", 7), tea(6, "M-2", 7)];
    let shop = played(&orders).await;
    let oolong = told(&shop, "sku.cycle").await.into_iter().rfind(|data| data["sku"] == "TEA-OOLONG");
    // 30, 32, 7 and 0 days: the lower one of the two in the middle.
    assert_eq!(oolong.map(|data| data["days"].clone()), Some(json!(7)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn both_are_the_same_in_any_order(
        orders in Just([(1, "M-1", 3), (2, "M-1", 40), (3, "M-1", 12), (4, "M-2", 8), (5, "M-2", 9)].to_vec()).prop_shuffle(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let rows = |orders: Vec<(i64, &'static str, i64)>| {
            runtime.block_on(async {
                let orders: Vec<_> = orders.into_iter().map(|(number, buyer, day)| tea(number, buyer, day)).collect();
                let shop = played(&orders).await;
                let buyers = "select value || ' ' || paid_at as v from buyer order by v";
                let cycles = "select sku || ' ' || days || ' ' || count as v from repurchase where count > 0 order by v";
                (shop.column(buyers).await, shop.column(cycles).await)
            })
        };
        let mut sorted = orders.clone();
        sorted.sort_unstable();
        prop_assert_eq!(rows(orders), rows(sorted));
    }
}
