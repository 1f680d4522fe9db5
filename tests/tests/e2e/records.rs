//! From a push to the full record: fetched by the courier over the platform's signed API, through all its bad moments.

use serde_json::json;
use siyu_tests::marketplace::dialect::Refused;
use siyu_tests::marketplace::push::Message;
use siyu_tests::marketplace::server::Trouble;
use siyu_tests::system::System;

use crate::database::{is_settled, rows};
use crate::fixtures::{BASKET_PAID, PATIENCE, THEN, basket, history, only_order, order, push};

#[tokio::test]
async fn an_order_s_life_is_recorded_and_announced_step_by_step() {
    let system = System::start().await.unwrap();
    let id = system.platform.shop(|shop| {
        let id = shop.place(basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
        id
    });
    push(&system, &system.platform.untold()).await;
    let paid = only_order(&system).await;
    assert_eq!(paid["platform"], "douyin");
    assert_eq!(paid["platform_order_id"], json!(id), "exact, though beyond 2^53");
    assert_eq!(paid["status"], "paid");
    assert_eq!(paid["flags"], json!([]));
    assert_eq!(paid["paid"], BASKET_PAID);
    assert_eq!(
        paid["amounts"],
        json!({
            "goods": 3 * 1_990 + 3_335, "discount_merchant": 100, "discount_platform": 1, "freight": 600, "tax": 0,
            "payable": BASKET_PAID,
        })
    );
    assert_eq!(paid["lines"].as_array().unwrap().len(), 3, "two lines of one SKU stay two");
    assert_eq!(paid["region"], json!({"province": "浙江省", "city": "杭州市"}));
    assert_eq!(paid["live_room"]["room_id"], "7300000000000000001");
    assert!(!paid.to_string().contains("ciphertext"), "no personal data of the platform's is kept");

    system.platform.shop(|shop| {
        shop.ship(&id, THEN + 3600).unwrap();
        shop.finish(&id, THEN + 86_400).unwrap();
        let case = shop.ask_refund(&id, 1_000, THEN + 86_500).unwrap();
        shop.refund(&case, THEN + 86_600).unwrap();
    });
    push(&system, &system.platform.untold()).await;
    let order_id = paid["id"].as_str().unwrap();
    let done = system.wait_for("the refund", PATIENCE, async |system| {
        let order = order(system, order_id).await;
        Ok((order["refunds"][0]["status"] == "refunded" && is_settled(system)).then_some(order))
    });
    let done = done.await.unwrap();
    assert_eq!(done["status"], "completed");
    assert_eq!(done["shipments"].as_array().unwrap().len(), 1);
    assert_eq!(done["refunds"][0]["claim"]["amount"], 1_000);
    let mut steps = history(&done);
    steps.sort();
    let wanted =
        ["order.completed", "order.created", "order.paid", "order.shipped", "refund.applied", "refund.refunded"];
    for kind in wanted.iter().filter(|kind| kind.starts_with("order.")) {
        assert_eq!(steps.iter().filter(|step| step == &kind).count(), 1, "{kind} once in {steps:?}");
    }
    let events = system.events().await.unwrap();
    for kind in wanted {
        assert_eq!(events.iter().filter(|event| event["type"] == kind).count(), 1, "{kind} once in the log");
    }
}

#[tokio::test]
async fn the_courier_gets_the_record_through_every_kind_of_trouble_with_one_token() {
    let system = System::start().await.unwrap();
    system.platform.trouble(Trouble { broken_gateway: 2, server_errors: 2, rate_limited: 2, ..Trouble::default() });
    for _ in 0..20 {
        system.platform.shop(|shop| {
            let id = shop.place(basket(), THEN);
            shop.pay(&id, THEN + 1).unwrap();
        });
    }
    push(&system, &system.platform.untold()).await;
    let all_complete = async |system: &System| {
        let orders = system.orders().await?;
        Ok((orders.len() == 20 && orders.iter().all(|order| order["complete"] == true)).then_some(()))
    };
    system.wait_for("twenty full records", PATIENCE, all_complete).await.unwrap();
    let calls = system.platform.calls();
    let tokens = calls.iter().filter(|call| call.asked == "token" && call.refused.is_none()).count();
    assert_eq!(tokens, 1, "many calls at once, and only one fetches a token: {calls:?}");
    assert!(calls.iter().any(|call| call.refused == Some(Refused::RateLimited)), "the trouble has happened: {calls:?}");
}

#[tokio::test]
async fn an_expired_token_is_renewed() {
    let system = System::start().await.unwrap();
    let place = || system.platform.shop(|shop| shop.place(basket(), THEN));
    place();
    push(&system, &system.platform.untold()).await;
    only_order(&system).await;
    system.platform.expire_tokens();
    place();
    push(&system, &system.platform.untold()).await;
    let both = async |system: &System| {
        let orders = system.orders().await?;
        Ok((orders.len() == 2 && orders.iter().all(|order| order["complete"] == true)).then_some(()))
    };
    system.wait_for("the second record", PATIENCE, both).await.unwrap();
    let refused = system.platform.calls().iter().filter(|call| call.refused == Some(Refused::BadToken)).count();
    assert!((1..=2).contains(&refused), "one try with the old token, or two at once");
}

#[tokio::test]
async fn an_order_whose_record_stays_away_is_announced_without_it_and_completed_later() {
    let system = System::start().await.unwrap();
    system.platform.trouble(Trouble { server_errors: u32::MAX, ..Trouble::default() });
    system.platform.shop(|shop| {
        let id = shop.place(basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
    });
    push(&system, &system.platform.untold()).await;
    let announced = async |system: &System| {
        let events = system.events().await?;
        Ok(events.into_iter().find(|event| event["type"] == "order.paid"))
    };
    let paid = system.wait_for("order.paid without the record", PATIENCE, announced).await.unwrap();
    assert_eq!(paid["data"]["order"]["complete"], false, "{paid}");
    system.platform.trouble(Trouble::default());
    let order = only_order(&system).await;
    let detailed = async |system: &System| {
        let events = system.events().await?;
        Ok(events.into_iter().find(|event| event["type"] == "order.detailed"))
    };
    let event = system.wait_for("order.detailed", PATIENCE, detailed).await.unwrap();
    assert_eq!(event["subject"], order["id"]);
    assert_eq!(event["data"]["order"]["complete"], true);
    assert_eq!(history(&order).iter().filter(|kind| **kind == "order.paid").count(), 1);
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_kept_and_flagged() {
    let system = System::start().await.unwrap();
    let id = system.platform.shop(|shop| shop.place(basket(), THEN));
    let mut messages = system.platform.untold();
    let first = messages.first().unwrap().clone();
    let mut data = first.content;
    data["order_status"] = json!(777);
    data["update_time"] = json!(THEN + 5);
    messages.push(Message { kind: "105".to_owned(), id: format!("{id}:105"), content: data });
    push(&system, &messages).await;
    let order = only_order(&system).await;
    assert_eq!(order["status"], "created", "not guessed");
    assert_eq!(order["flags"], json!(["unknown_status"]));
    assert_eq!(rows(&system, "inbox_quarantine"), 0);
}
