//! Levels: told once when they change, by orders, refunds, merges, new rules, and by time.

use crate::membership_support::{Shop, buyer, day, order, refund};
use domain::{CustomerId, CustomerMerged, CustomerSplit, Event, Version};
use serde_json::{Value, json};

/// Silver from 10 yuan, gold from 50, in 30 days; kept for 5 days.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    assert_eq!(shop.call("PUT", "/v1/member-levels", Some(levels(5000))).await.0, 200);
    shop
}

fn levels(gold: i64) -> Value {
    json!({ "window_days": 30, "keep_days": 5,
        "levels": [{ "name": "silver", "threshold": 1000 }, { "name": "gold", "threshold": gold }] })
}

/// What was told of a customer: the level now, and what caused it.
async fn told(shop: &Shop, id: CustomerId) -> Vec<(Value, String)> {
    let changes = shop.events("member.level_changed").await;
    let own = changes.into_iter().filter(|change| change["customer_id"] == json!(id));
    own.map(|change| (change["to"].clone(), change["cause"].as_str().unwrap().to_owned())).collect()
}

async fn level(shop: &Shop, id: CustomerId) -> Value {
    shop.get(&format!("/v1/customers/{id}/membership")).await["level"].clone()
}

#[tokio::test]
async fn spend_raises_a_level_and_its_leaving_the_window_lowers_it() {
    let shop = shop().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    let first = order(1, &buyer("ma"), day(0), &[("TEA", 2000)]);
    shop.tell(Event::OrderPaid(first.clone())).await;
    shop.tell(Event::OrderCompleted(first)).await;
    shop.wait_until(day(10)).await;
    shop.tell(Event::OrderPaid(order(2, &buyer("ma"), day(10), &[("TEA", 4000)]))).await;
    assert_eq!(level(&shop, ma).await, "gold");
    shop.wait_until(day(34)).await;
    assert_eq!(level(&shop, ma).await, "gold", "kept for five days after the first order has left the window");
    shop.wait_until(day(60)).await;
    let path: Vec<_> = told(&shop, ma).await;
    let due = "member.level_due".to_owned();
    let paid = || "order.paid".to_owned();
    assert_eq!(
        path,
        [(json!("silver"), paid()), (json!("gold"), paid()), (json!("silver"), due.clone()), (json!(null), due)]
    );
    let changes = shop.events("member.level_changed").await;
    let at: Vec<_> = changes.iter().map(|change| change["at"].clone()).collect();
    assert_eq!(at[2..], [json!(day(35).to_string()), json!(day(45).to_string())], "a late tick tells when it was");
    assert_eq!((&changes[2]["from"], &changes[3]["from"]), (&json!("gold"), &json!("silver")));
}

#[tokio::test]
async fn a_timer_that_comes_late_does_not_look_back_behind_an_order() {
    let shop = shop().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 2000)]))).await;
    shop.app.clock().set(day(34)).await.unwrap();
    let second = Event::OrderPaid(order(2, &buyer("ma"), day(34), &[("TEA", 2000)]));
    shop.write(move |tx| kit::events::append(tx, "/functions/orders", "invented", &second).map(drop)).await;
    // The tick of day 40 puts the timer of day 35 behind an order of day 34 and before one of day 40.
    shop.app.clock().set(day(40)).await.unwrap();
    let third = Event::OrderPaid(order(3, &buyer("ma"), day(40), &[("TEA", 4000)]));
    shop.write(move |tx| kit::events::append(tx, "/functions/orders", "invented", &third).map(drop)).await;
    shop.write(|tx| kit::events::fire_due(tx, 100)).await;
    shop.consume().await;
    let levels: Vec<Value> = told(&shop, ma).await.into_iter().map(|(level, _)| level).collect();
    assert_eq!(levels, [json!("silver"), json!("gold")]);
}

#[tokio::test]
async fn what_goes_back_does_not_count_at_once() {
    let shop = shop().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 6000)]))).await;
    shop.tell(Event::RefundRefunded(refund(1, 1, None, 4500))).await;
    assert_eq!(level(&shop, ma).await, "silver");
    shop.tell(Event::RefundRefunded(refund(2, 1, None, 1500))).await;
    assert_eq!(level(&shop, ma).await, json!(null));
    let causes: Vec<String> = told(&shop, ma).await.into_iter().map(|(_, cause)| cause).collect();
    assert_eq!(causes, ["order.paid", "refund.refunded", "refund.refunded"]);
}

#[tokio::test]
async fn a_merge_counts_both_and_its_undoing_each_on_its_own() {
    let shop = shop().await;
    let (ma, li) = (shop.customer(1, &[buyer("ma")]).await, shop.customer(2, &[buyer("li")]).await);
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3000)]))).await;
    shop.tell(Event::OrderPaid(order(2, &buyer("li"), day(0), &[("TEA", 3000)]))).await;
    shop.part_of(li, ma).await;
    let (v, by, reason, at) = (Version, None, None, day(0));
    let merged = CustomerMerged { v, customer_id: ma, merged_id: li, by: by.clone(), reason: reason.clone(), at };
    shop.tell(Event::CustomerMerged(merged)).await;
    assert_eq!((level(&shop, ma).await, level(&shop, li).await), (json!("gold"), json!("gold")));
    shop.part_of(li, li).await;
    shop.tell(Event::CustomerSplit(CustomerSplit { v, customer_id: ma, split_id: li, by, reason, at })).await;
    assert_eq!((level(&shop, ma).await, level(&shop, li).await), (json!("silver"), json!("silver")));
    assert_eq!(told(&shop, ma).await.len(), 3);
    assert_eq!(told(&shop, li).await.len(), 1, "a part is told of no changes, and is what it was afterwards");
}

#[tokio::test]
async fn new_rules_are_applied_to_all() {
    let shop = shop().await;
    let mut customers = Vec::new();
    // More than one step of the run looks at.
    for number in 0..=205 {
        let name = format!("buyer-{number}");
        customers.push(shop.customer(number, &[buyer(&name)]).await);
        shop.tell(Event::OrderPaid(order(number, &buyer(&name), day(0), &[("TEA", 3000)]))).await;
    }
    assert_eq!(shop.call("PUT", "/v1/member-levels", Some(levels(3000))).await.0, 200);
    shop.wait_until(day(0)).await;
    for id in customers {
        assert_eq!(level(&shop, id).await, "gold");
    }
    let (status, problem) = shop.call("PUT", "/v1/member-levels", Some(levels(1000))).await;
    assert_eq!((status.as_u16(), &problem["type"]), (422, &json!("/problems/rules-unusable")));
}

#[tokio::test]
async fn a_level_multiplies_what_later_orders_earn() {
    let shop = shop().await;
    let mut rules = crate::membership_support::rules();
    rules["levels"] = json!({ "silver": 200 });
    assert_eq!(shop.call("PUT", "/v1/point-rules", Some(rules)).await.0, 200);
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 2000)]))).await;
    assert_eq!(shop.points(ma).await, (20, 0), "no level before it");
    shop.tell(Event::OrderPaid(order(2, &buyer("ma"), day(0), &[("TEA", 1000)]))).await;
    assert_eq!(shop.points(ma).await, (40, 0));
    shop.tell(Event::RefundRefunded(refund(1, 1, None, 2000))).await;
    assert_eq!(shop.points(ma).await, (20, 0), "the second keeps what it earned by the level of then");
}
