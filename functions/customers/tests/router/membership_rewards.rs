//! Rewards: never more than there are, never more than one may have, and back when a redemption is cancelled.

use crate::membership_support::{Shop, buyer, customer, day, order};
use domain::{CustomerId, Event};
use serde_json::{Value, json};
use std::sync::Arc;

async fn reward(shop: &Shop, stock: Value, limit_each: Value) -> String {
    let reward = json!({ "name": "Tea cup", "kind": "goods", "code": "CUP", "price": 10, "stock": stock, "limit_each": limit_each });
    let (status, made) = shop.call("POST", "/v1/rewards", Some(reward)).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn rich(shop: &Shop, number: u8, name: &str) -> CustomerId {
    let id = shop.customer(number, &[buyer(name)]).await;
    let give = json!({ "points": 1000, "reason": "invented" });
    assert_eq!(shop.call("POST", &format!("/v1/customers/{id}/points"), Some(give)).await.0, 201);
    id
}

async fn redeem(shop: &Shop, id: CustomerId, reward: &str) -> (u16, Value) {
    let body = json!({ "reward": reward, "reason": "at the till" });
    let (status, answer) = shop.call("POST", &format!("/v1/customers/{id}/points/redeem"), Some(body)).await;
    (status.as_u16(), answer)
}

#[tokio::test]
async fn many_at_once_get_what_there_is_and_no_more() {
    let shop = Shop::open().await;
    let cup = reward(&shop, json!(7), json!(null)).await;
    for number in 0..20 {
        rich(&shop, number, &format!("buyer-{number}")).await;
    }
    let shop = Arc::new(shop);
    let calls: Vec<_> = (0..20)
        .map(|number| {
            let (shop, cup) = (shop.clone(), cup.clone());
            tokio::spawn(async move { redeem(&shop, customer(number), &cup).await })
        })
        .collect();
    let mut winners = 0;
    for call in calls {
        let (status, answer) = call.await.unwrap();
        match status {
            201 => winners += 1,
            409 => assert_eq!(answer["type"], "/problems/reward-sold-out"),
            _ => panic!("{status} {answer}"),
        }
    }
    assert_eq!(winners, 7);
    assert_eq!(shop.get(&format!("/v1/rewards/{cup}")).await["stock"], 0);
    assert_eq!(shop.events("points.redeemed").await.len(), 7);
}

#[tokio::test]
async fn one_customer_at_once_spends_no_more_than_there_is() {
    let shop = Arc::new(Shop::open().await);
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3500)]))).await;
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let shop = shop.clone();
            let body = json!({ "points": 10, "reason": "invented" });
            tokio::spawn(
                async move { shop.call("POST", &format!("/v1/customers/{ma}/points/redeem"), Some(body)).await.0 },
            )
        })
        .collect();
    let mut done = 0;
    for call in calls {
        done += i32::from(call.await.unwrap() == 201);
    }
    assert_eq!((done, shop.points(ma).await), (3, (5, 0)));
    shop.is_balanced().await;
}

#[tokio::test]
async fn a_limit_holds_over_all_that_a_customer_is() {
    let shop = Shop::open().await;
    let cup = reward(&shop, json!(null), json!(2)).await;
    let (ma, li) = (rich(&shop, 1, "ma").await, rich(&shop, 2, "li").await);
    assert_eq!(redeem(&shop, li, &cup).await.0, 201);
    shop.part_of(li, ma).await;
    let (status, second) = redeem(&shop, ma, &cup).await;
    assert_eq!(status, 201);
    let (status, problem) = redeem(&shop, li, &cup).await;
    assert_eq!((status, &problem["type"]), (409, &json!("/problems/reward-limit")));

    // One that is cancelled does not count.
    let cancel = format!("/v1/redemptions/{}/cancel", second["id"].as_str().unwrap());
    assert_eq!(shop.call("POST", &cancel, Some(json!({ "reason": "broken" }))).await.0, 200);
    assert_eq!(redeem(&shop, li, &cup).await.0, 201);
    let list = shop.get(&format!("/v1/redemptions?customer={li}&limit=2")).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let rest = shop.get(&format!("/v1/redemptions?limit=2&cursor={}", list["next_cursor"].as_str().unwrap())).await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &json!(null)));
}

#[tokio::test]
async fn a_cancelled_redemption_gives_the_lots_back_with_their_own_expiry() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    let cup = reward(&shop, json!(1), json!(null)).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 800)]))).await;
    shop.wait_until(day(5)).await;
    shop.tell(Event::OrderPaid(order(2, &buyer("ma"), day(5), &[("TEA", 800)]))).await;
    let (status, redeemed) = redeem(&shop, ma, &cup).await;
    assert_eq!(status, 201);
    let points = shop.get(&format!("/v1/customers/{ma}/points")).await;
    assert_eq!((&points["balance"], &points["next_expiry"]), (&json!(6), &json!(day(16).to_string())));

    // The first lot has expired while it was spent: it comes back and is written off.
    shop.wait_until(day(12)).await;
    let cancel = format!("/v1/redemptions/{}/cancel", redeemed["id"].as_str().unwrap());
    for _ in 0..2 {
        let (status, cancelled) = shop.call("POST", &cancel, Some(json!({ "reason": "broken" }))).await;
        assert_eq!((status.as_u16(), &cancelled["cancelled_at"]), (200, &json!(day(12).to_string())));
    }
    assert_eq!(shop.points(ma).await, (8, 0));
    assert_eq!(shop.get(&format!("/v1/rewards/{cup}")).await["stock"], 1);
    assert_eq!(shop.events("points.redemption_cancelled").await.len(), 1);
    shop.wait_until(day(12)).await;
    let last = shop.events("points.changed").await.pop().unwrap();
    assert_eq!((&last["cause"], &last["delta"]), (&json!("expired"), &json!(-8)));
    assert_eq!(shop.points(ma).await, (8, 0));
    shop.is_balanced().await;
}

#[tokio::test]
async fn a_reward_that_is_retired_or_unknown_is_not_given() {
    let shop = Shop::open().await;
    let (ma, cup) = (rich(&shop, 1, "ma").await, reward(&shop, json!(5), json!(null)).await);
    assert_eq!(shop.call("DELETE", &format!("/v1/rewards/{cup}"), None).await.0, 200);
    let (status, problem) = redeem(&shop, ma, &cup).await;
    assert_eq!((status, &problem["type"]), (422, &json!("/problems/reward-unknown")));
    let both = json!({ "reward": cup, "points": 1, "reason": "x" });
    assert_eq!(shop.call("POST", &format!("/v1/customers/{ma}/points/redeem"), Some(both)).await.0, 400);
    let coupon = json!({ "name": "5 yuan off", "kind": "coupon", "code": "T-5", "price": 10 });
    assert_eq!(shop.call("PUT", &format!("/v1/rewards/{cup}"), Some(coupon)).await.0, 200);
    assert_eq!(redeem(&shop, ma, &cup).await.0, 201);
    let told = shop.events("points.redeemed").await;
    assert_eq!((&told[0]["kind"], &told[0]["code"], &told[0]["points"]), (&json!("coupon"), &json!("T-5"), &json!(10)));
    let list = shop.get("/v1/rewards?limit=1").await;
    assert_eq!((&list["items"][0]["id"], &list["next_cursor"]), (&json!(cup), &json!(null)));
    shop.is_balanced().await;
}
