//! Points: what orders earn, what refunds take back, what expires, and what people set right.

use crate::membership_support::{Shop, buyer, day, order, order_id, refund, refund_id, rules};
use domain::{Event, Identity, OrderStatus, RefundStatus, ReturnReceived, Version};
use kit::auth::{self, StorePath};
use serde_json::json;

#[tokio::test]
async fn an_order_earns_once_and_a_refund_takes_what_its_part_had_earned() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    let paid = order(1, &buyer("ma"), day(0), &[("TEA", 1550), ("CUP", 1950)]);
    shop.tell(Event::OrderPaid(paid.clone())).await;
    assert_eq!(shop.points(ma).await, (35, 0), "35.00 for goods; freight earns nothing");
    for again in [Event::OrderDetailed(paid.clone()), Event::OrderCompleted(paid.clone()), Event::OrderPaid(paid)] {
        shop.tell(again).await;
    }
    assert_eq!(shop.points(ma).await, (35, 0));

    shop.tell(Event::RefundRefunded(refund(1, 1, Some("0"), 1550))).await;
    assert_eq!(shop.points(ma).await, (19, 0), "what 19.50 earn, rounded down once");
    shop.tell(Event::RefundRefunded(refund(1, 1, Some("0"), 1550))).await;
    assert_eq!(shop.points(ma).await, (19, 0));
    shop.tell(Event::RefundRefunded(refund(2, 1, None, 1950))).await;
    assert_eq!(shop.points(ma).await, (0, 0));
    let changes = shop.events("points.changed").await;
    let told: Vec<_> = changes.iter().map(|c| (c["delta"].as_i64().unwrap(), c["balance"].as_i64().unwrap())).collect();
    assert_eq!(told, [(35, 35), (-16, 19), (-19, 0)]);
    assert!(changes.iter().all(|change| change["order_id"] == json!(order_id(1))));
    shop.is_balanced().await;
}

#[tokio::test]
async fn a_refund_that_is_told_before_its_order_counts_as_well() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::RefundRefunded(refund(1, 1, None, 1000))).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3000)]))).await;
    assert_eq!(shop.points(ma).await, (20, 0));
}

#[tokio::test]
async fn goods_that_came_back_take_points_until_the_case_comes_to_nothing() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3000)]))).await;
    let case = refund(1, 1, None, 1000);
    let (v, claim) = (Version, case.refund.claim.clone());
    let back = ReturnReceived { v, refund_id: refund_id(1), order_id: order_id(1), claim, at: day(0) };
    shop.tell(Event::ReturnReceived(back)).await;
    assert_eq!(shop.points(ma).await, (20, 0));
    let mut rejected = case.clone();
    rejected.refund.status = RefundStatus::Rejected;
    shop.tell(Event::RefundRejected(rejected.clone())).await;
    assert_eq!(shop.points(ma).await, (30, 0));
    shop.tell(Event::RefundRefunded(case)).await;
    shop.tell(Event::RefundRejected(rejected)).await;
    assert_eq!(shop.points(ma).await, (20, 0), "money that went back is never undone");
    shop.is_balanced().await;
}

#[tokio::test]
async fn the_record_that_comes_late_is_what_counts() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    let full = order(1, &buyer("ma"), day(0), &[("TEA", 3000)]);
    let mut push = full.clone();
    (push.order.complete, push.order.lines, push.order.amounts) = (false, vec![], None);
    push.order.identities = Vec::<Identity>::new();
    shop.tell(Event::OrderPaid(push)).await;
    assert_eq!(shop.points(ma).await, (0, 0));
    shop.tell(Event::OrderDetailed(full)).await;
    assert_eq!(shop.points(ma).await, (30, 0));
    let mut changed = order(1, &buyer("ma"), day(0), &[("TEA", 2500)]);
    changed.order.member_level = Some("V3".to_owned());
    shop.tell(Event::OrderDetailed(changed)).await;
    assert_eq!(shop.points(ma).await, (25, 0));
    let member = shop.get(&format!("/v1/customers/{ma}/membership")).await;
    assert_eq!(member["programs"], json!([{ "program": "douyin", "level": "V3", "at": day(0).to_string() }]));
}

#[tokio::test]
async fn rules_hold_for_orders_that_become_known_after_them() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3000)]))).await;
    let mut double = rules();
    double["rate"]["points"] = json!(2);
    double["when"] = json!("signed");
    double["excluded_skus"] = json!(["GIFT"]);
    // One that is in the log already, and is consumed only after the change, keeps to the rules of its time.
    let second = Event::OrderPaid(order(2, &buyer("ma"), day(0), &[("TEA", 1000)]));
    shop.write(move |tx| kit::events::append(tx, "/functions/orders", "invented", &second).map(drop)).await;
    let (status, set) = shop.call("PUT", "/v1/point-rules", Some(double.clone())).await;
    assert_eq!((status.as_u16(), &set["version"]), (200, &json!(2)));
    shop.consume().await;
    assert_eq!(shop.points(ma).await, (40, 0));
    let mut third = order(3, &buyer("ma"), day(0), &[("TEA", 1000), ("GIFT", 5000)]);
    shop.tell(Event::OrderPaid(third.clone())).await;
    assert_eq!(shop.points(ma).await, (40, 0), "not signed yet");
    (third.order.status, third.order.times.signed_at) = (OrderStatus::Signed, Some(day(0)));
    shop.tell(Event::OrderSigned(third)).await;
    assert_eq!(shop.points(ma).await, (60, 0));
    shop.tell(Event::RefundRefunded(refund(1, 1, None, 3000))).await;
    assert_eq!(shop.points(ma).await, (30, 0), "by the rules under which it was earned");
    let (_, same) = shop.call("PUT", "/v1/point-rules", Some(double)).await;
    assert_eq!(same["version"], 2, "the same rules again are no new version");
    let (status, problem) = shop
        .call(
            "PUT",
            "/v1/point-rules",
            Some(json!({ "rate": { "points": 0, "fen": 100 },
        "when": "paid", "lifetime": { "kind": "end_of_next_year" } })),
        )
        .await;
    assert_eq!((status.as_u16(), &problem["type"]), (422, &json!("/problems/rules-unusable")));
}

#[tokio::test]
async fn points_are_worth_nothing_from_the_instant_of_their_expiry() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3000)]))).await;
    let points = shop.get(&format!("/v1/customers/{ma}/points")).await;
    assert_eq!((&points["next_expiry"], &points["next_expiring"]), (&json!(day(11).to_string()), &json!(30)));

    // The reminder comes, once.
    shop.wait_until(day(8)).await;
    shop.wait_until(day(9)).await;
    let expiring = shop.events("points.expiring").await;
    assert_eq!(expiring.len(), 1);
    assert_eq!((&expiring[0]["points"], &expiring[0]["expires_at"]), (&json!(30), &json!(day(11).to_string())));

    // A tick that is late makes no difference to what can be spent.
    let redeem = json!({ "points": 10, "reason": "invented" });
    let path = format!("/v1/customers/{ma}/points/redeem");
    shop.app.clock().set(day(11).try_add_millis(-1).unwrap()).await.unwrap();
    assert_eq!(shop.call("POST", &path, Some(redeem.clone())).await.0, 201);
    shop.app.clock().set(day(11)).await.unwrap();
    assert_eq!(shop.points(ma).await, (0, 0));
    let (status, problem) = shop.call("POST", &path, Some(redeem)).await;
    assert_eq!(
        (status.as_u16(), &problem["type"], &problem["balance"]),
        (409, &json!("/problems/points-short"), &json!(0))
    );

    shop.wait_until(day(20)).await;
    let last = shop.events("points.changed").await.pop().unwrap();
    assert_eq!(
        (&last["delta"], &last["cause"], &last["at"]),
        (&json!(-20), &json!("expired"), &json!(day(11).to_string()))
    );
    shop.is_balanced().await;

    // What has expired is not taken twice: of 30, 10 were spent, and only those are owed.
    shop.tell(Event::RefundRefunded(refund(1, 1, None, 3000))).await;
    assert_eq!(shop.points(ma).await, (0, 10));
    shop.is_balanced().await;
}

#[tokio::test]
async fn what_was_spent_and_given_back_is_owed_and_paid_first() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3000)]))).await;
    let path = format!("/v1/customers/{ma}/points/redeem");
    let (status, redeemed) = shop.call("POST", &path, Some(json!({ "points": 25, "reason": "invented" }))).await;
    assert_eq!(status, 201, "{redeemed}");
    shop.tell(Event::RefundRefunded(refund(1, 1, None, 3000))).await;
    assert_eq!(shop.points(ma).await, (0, 25));
    shop.tell(Event::OrderPaid(order(2, &buyer("ma"), day(0), &[("TEA", 2000)]))).await;
    assert_eq!(shop.points(ma).await, (0, 5));
    shop.tell(Event::OrderPaid(order(3, &buyer("ma"), day(0), &[("TEA", 2000)]))).await;
    assert_eq!(shop.points(ma).await, (15, 0));
    assert!(shop.events("points.changed").await.iter().all(|change| change["balance"].as_i64().unwrap() >= 0));
    shop.is_balanced().await;

    // The redemption is cancelled after all: the lot of the first order has its points again.
    let cancel = format!("/v1/redemptions/{}/cancel", redeemed["id"].as_str().unwrap());
    assert_eq!(shop.call("POST", &cancel, Some(json!({ "reason": "invented" }))).await.0, 200);
    assert_eq!(shop.points(ma).await, (40, 0));
    shop.is_balanced().await;
}

#[tokio::test]
async fn points_go_with_a_merge_and_come_back_with_its_undoing() {
    let shop = Shop::open().await;
    let (ma, li) = (shop.customer(1, &[buyer("ma")]).await, shop.customer(2, &[buyer("li")]).await);
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3000)]))).await;
    shop.tell(Event::OrderPaid(order(2, &buyer("li"), day(0), &[("TEA", 2000)]))).await;
    shop.part_of(li, ma).await;
    assert_eq!((shop.points(ma).await, shop.points(li).await), ((50, 0), (50, 0)), "old ids go on to name the whole");
    shop.tell(Event::OrderPaid(order(3, &buyer("li"), day(0), &[("TEA", 700)]))).await;
    assert_eq!(shop.points(ma).await, (57, 0));
    shop.part_of(li, li).await;
    assert_eq!((shop.points(ma).await, shop.points(li).await), ((30, 0), (27, 0)));
}

#[tokio::test]
async fn people_set_points_right_and_the_audit_knows() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    let path = format!("/v1/customers/{ma}/points");
    let give = json!({ "points": 100, "reason": "an apology" });
    for _ in 0..2 {
        let (status, points) = shop.call_with("first-token", Some("key-1"), "POST", &path, Some(give.clone())).await;
        assert_eq!((status.as_u16(), &points["balance"]), (201, &json!(100)), "{points}");
    }
    let take = |points: i64| Some(json!({ "points": points, "reason": "a mistake" }));
    assert_eq!(shop.call("POST", &path, take(-101)).await.0, 409);
    assert_eq!(shop.call("POST", &path, take(-40)).await.0, 201);
    assert_eq!(shop.call("POST", &path, take(0)).await.0, 400);
    let past = json!({ "points": 1, "reason": "x", "expires_at": day(0).to_string() });
    assert_eq!(shop.call("POST", &path, Some(past)).await.0, 400);
    assert_eq!(shop.call("POST", &path, Some(json!({ "points": 1, "reason": "x", "by": "me" }))).await.0, 400);
    assert_eq!(shop.points(ma).await, (60, 0));

    let first = shop.get(&format!("{path}?limit=1")).await;
    assert_eq!((&first["entries"][0]["points"], first["entries"].as_array().unwrap().len()), (&json!(-40), 1));
    let second = shop.get(&format!("{path}?limit=1&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&second["entries"][0]["points"], &second["next_cursor"]), (&json!(100), &json!(null)));
    let audit = shop.column("select target as v from audit where action like '%/points' and outcome = 'done'").await;
    assert_eq!(audit, [ma.to_string(), ma.to_string()]);
}

#[tokio::test]
async fn a_token_sees_its_stores_and_needs_its_scope() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    let token = async |scope: &str, store: &str| {
        let (scope, store) = (vec![scope.to_owned()], StorePath::try_from(store.to_owned()).unwrap());
        shop.write(move |tx| Ok(auth::create(tx, "invented", &scope, &store, None, None)?.text)).await
    };
    let (east, west) = (token("points:read", "/east").await, token("points:read", "/west").await);
    let path = format!("/v1/customers/{ma}/points");
    assert_eq!(shop.call_with(&east, None, "GET", &path, None).await.0, 200);
    assert_eq!(shop.call_with(&west, None, "GET", &path, None).await.0, 404);
    assert_eq!(shop.call_with(&east, None, "POST", &path, Some(json!({ "points": 1, "reason": "x" }))).await.0, 403);
    let manager = token("points:write", "/east").await;
    assert_eq!(shop.call_with(&manager, None, "PUT", "/v1/point-rules", Some(rules())).await.0, 403, "for all stores");
    assert_eq!(shop.call_with(&manager, None, "POST", &path, Some(json!({ "points": 1, "reason": "x" }))).await.0, 201);
}

#[tokio::test]
async fn many_lots_expire_in_steps_and_all_of_them() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    let give = json!({ "points": 1, "reason": "invented" });
    assert_eq!(shop.call("POST", &format!("/v1/customers/{ma}/points"), Some(give)).await.0, 201);
    // 1200 more of the same, written directly.
    shop.write(|tx| {
        tx.run(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1200)
             insert into point_entry (customer, kind, points, at) select customer, kind, 1, at from point_entry, n",
            &[],
        )?;
        tx.run(
            "insert into point_lot (entry, customer, points, remains, expires_at)
             select seq, customer, 1, 1, (select expires_at from point_lot) from point_entry where seq > 1",
            &[],
        )
    })
    .await;
    shop.is_balanced().await;
    assert_eq!(shop.points(ma).await, (1201, 0));
    shop.wait_until(day(11)).await;
    let told = shop.events("points.changed").await;
    let expired: Vec<_> =
        told.iter().filter(|told| told["cause"] == "expired").map(|told| told["delta"].clone()).collect();
    assert_eq!(expired, [json!(-500), json!(-500), json!(-201)]);
    shop.is_balanced().await;
}
