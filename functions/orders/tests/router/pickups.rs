//! Couriers who fetch returns: called when a case is agreed, withdrawn when it falls through. All people are invented.

use crate::support::{Shop, VARIABLES, at, own_order};
use axum::body::Body;
use http::Request;
use platforms::kuaidi100;
use serde_json::{Value, json};

const SALT: &str = "salt-of-the-test";

async fn configured() -> Shop {
    let account = [
        ("kuaidi100_app_key", "key"),
        ("kuaidi100_app_secret", "secret"),
        ("kuaidi100_salt", SALT),
        ("kuaidi100_return_name", "虚构仓库"),
        ("kuaidi100_return_phone", "13800000009"),
        ("kuaidi100_return_address", "上海市虚构区虚构路9号"),
    ];
    let shop = Shop::with(&[VARIABLES.as_slice(), &account].concat()).await;
    shop.own("order", &own_order("A-1", "shipped")).await;
    shop
}

fn wish() -> Value {
    json!({ "carrier": "jd", "cargo": "茶", "grams": 800,
        "sender": { "name": "虚构甲", "phone": "13800000001", "address": "浙江省杭州市虚构路1号" } })
}

fn case(status: &str, seconds: i64) -> Value {
    let claim = json!({ "kind": "return", "amount": 1500, "freight": 0, "reason_code": null,
        "lines": [{ "line_id": "1", "quantity": 1, "amount": 1500 }] });
    json!({ "type": "refund.updated", "timestamp": at(seconds).to_string(), "data": { "shop_id": "pos-01",
        "order_id": "A-1", "refund_id": "R-1", "status": status, "applied_at": at(-10).to_string(), "claim": claim } })
}

async fn applied(shop: &Shop) -> String {
    assert_eq!(shop.own("case", &case("applied", 0)).await.0, 200);
    format!("/v1/refunds/{}/pickup", shop.column("select id as v from refund").await[0])
}

async fn news(shop: &Shop, order: &str, status: i64, fee: Option<&str>) -> u16 {
    let id = shop.column("select id as v from pickup order by id desc").await.remove(0);
    let param = json!({ "kuaidicom": "jd", "kuaidinum": "JD1", "status": "200", "message": "成功",
        "data": { "orderId": order, "status": status, "freight": fee, "courierName": "虚构乙" } });
    let (param, mut form) = (param.to_string(), form_urlencoded::Serializer::new(String::new()));
    let body = form.append_pair("sign", &kuaidi100::sign(SALT, &param)).append_pair("param", &param).finish();
    let request = Request::post(format!("/hooks/kuaidi100?pickup={id}")).body(Body::from(body)).unwrap();
    shop.send(request).await.0.as_u16()
}

async fn steps(shop: &Shop) -> Vec<String> {
    let kind = "select json_extract(data, '$.status') as v from event where type = 'pickup.changed' order by seq";
    shop.column(kind).await
}

fn ordered() -> Value {
    json!({ "task_id": "T1", "order_id": "17390954", "tracking_number": null })
}

#[tokio::test]
async fn the_courier_is_called_when_the_case_is_agreed_and_tells_how_far_it_is() {
    let shop = configured().await;
    let path = applied(&shop).await;
    assert_eq!(shop.call("GET", &path, None).await.0, 404);
    let (status, view) = shop.call("PUT", &path, Some(wish())).await;
    assert_eq!((status.as_u16(), &view["status"]), (200, &json!("wanted")), "{view}");
    assert_eq!(view["sender"], json!({ "name": "虚*", "phone": "138****0001", "address": "浙江省杭州市****" }));
    let mut heavier = wish();
    heavier["grams"] = json!(900);
    assert_eq!(shop.call("PUT", &path, Some(heavier.clone())).await.1["grams"], 900, "the carrier knows nothing yet");
    shop.consume().await;
    assert!(shop.asked().await.iter().all(|(operation, _)| operation != "order_pickup"));

    shop.own("agreed", &case("agreed", 1)).await;
    shop.consume().await;
    let asked = shop.asked().await;
    let (_, request) = asked.iter().find(|(operation, _)| operation == "order_pickup").unwrap();
    assert!(!request.to_string().contains("138"), "no personal data in clear: {request}");
    assert_eq!(shop.call("PUT", &path, Some(heavier)).await.0, 200, "the same once more");
    assert_eq!(shop.call("PUT", &path, Some(wish())).await.0, 409, "another is not taken now");
    assert_eq!(shop.call("DELETE", &path, None).await.0, 409, "the carrier is being told");
    shop.answer("order_pickup", ordered()).await;

    shop.wait_until(60).await;
    // News in any order: the fee before the parcel was picked up, an older step late, everything twice.
    for (status, fee) in [(15, Some("12.05")), (10, None), (1, None), (10, None), (155, Some("13.00")), (13, None)] {
        assert_eq!(news(&shop, "17390954", status, fee).await, 200);
    }
    assert_eq!(steps(&shop).await, ["requested", "placed", "placed", "picked_up", "picked_up", "signed"]);
    let view = shop.get(&path).await;
    assert_eq!(
        (&view["status"], &view["fee"], &view["tracking_number"]),
        (&json!("signed"), &json!(1300), &json!("JD1"))
    );
    let order = shop.get("/v1/orders").await["items"][0]["id"].as_str().unwrap().to_owned();
    let refund = &shop.get(&format!("/v1/orders/{order}")).await["refunds"][0];
    assert_eq!(refund["status"], "returning", "an own shop hears it from the courier");
    assert_eq!(shop.call("DELETE", &path, None).await.0, 409, "the parcel is there");
}

#[tokio::test]
async fn news_that_comes_before_the_answer_is_not_lost_and_others_news_does_not_count() {
    let shop = configured().await;
    let path = applied(&shop).await;
    shop.own("agreed", &case("agreed", 1)).await;
    shop.call("PUT", &path, Some(wish())).await;
    assert_eq!(news(&shop, "17390954", 10, None).await, 200);
    assert_eq!(shop.get(&path).await["status"], "picked_up");
    shop.answer("order_pickup", ordered()).await;
    assert_eq!(shop.get(&path).await["status"], "picked_up");
    assert_eq!(news(&shop, "999", 13, None).await, 200);
    assert_eq!(shop.get(&path).await["status"], "picked_up", "signed, but for another order");
    assert_eq!(shop.column("select source as v from inbox_quarantine").await, ["kuaidi100"]);
}

#[tokio::test]
async fn a_case_that_falls_through_calls_the_courier_back() {
    let shop = configured().await;
    let path = applied(&shop).await;
    shop.call("PUT", &path, Some(wish())).await;
    shop.own("agreed", &case("agreed", 1)).await;
    shop.consume().await;
    // It falls through while the carrier is being told: withdrawn as soon as the carrier's numbers are known.
    shop.own("cancelled", &case("cancelled", 2)).await;
    shop.consume().await;
    assert!(shop.asked().await.iter().all(|(operation, _)| operation != "cancel_pickup"));
    shop.answer("order_pickup", ordered()).await;
    let asked = shop.asked().await;
    let (_, request) = asked.iter().find(|(operation, _)| operation == "cancel_pickup").unwrap();
    assert_eq!(*request, ordered());
    shop.answer("cancel_pickup", Value::Null).await;
    assert_eq!(steps(&shop).await, ["requested", "placed", "cancelled"]);
    assert_eq!(shop.call("PUT", &path, Some(wish())).await.0, 409, "no goods come back any more");
}

#[tokio::test]
async fn what_the_carrier_does_not_take_can_be_ordered_again() {
    let shop = configured().await;
    let path = applied(&shop).await;
    shop.own("agreed", &case("agreed", 1)).await;
    let first = shop.call("PUT", &path, Some(wish())).await.1["id"].clone();
    shop.give_up("order_pickup").await;
    assert_eq!(shop.get(&path).await["status"], "failed");
    shop.wait_until(60).await;
    let (status, view) = shop.call("PUT", &path, Some(wish())).await;
    assert_eq!((status.as_u16(), &view["status"]), (200, &json!("requested")));
    assert_ne!(view["id"], first, "the carrier takes one number for one order");
    shop.answer("order_pickup", ordered()).await;
    assert_eq!(shop.call("DELETE", &path, None).await.0, 200);
    shop.answer("cancel_pickup", Value::Null).await;
    assert_eq!(shop.get(&path).await["status"], "cancelled");
    assert_eq!(shop.call("DELETE", &path, None).await.0, 200, "twice is as once");
}

#[tokio::test]
async fn an_own_shops_message_can_bring_the_wish() {
    let shop = configured().await;
    let mut message = case("agreed", 0);
    message["data"]["pickup"] = wish();
    for id in ["1", "2"] {
        message["timestamp"] = json!(at(id.parse().unwrap()).to_string());
        assert_eq!(shop.own(id, &message).await.0, 200);
        shop.consume().await;
    }
    let orders = shop.asked().await.iter().filter(|(operation, _)| operation == "order_pickup").count();
    assert_eq!((orders, steps(&shop).await), (1, vec!["requested".to_owned()]));
    message["data"]["pickup"]["sender"]["phone"] = json!("138****0001");
    let (status, answer) = shop.own("3", &message).await;
    assert_eq!(status, 422);
    assert!(answer["detail"].as_str().unwrap().starts_with("data.pickup.sender.phone:"), "{answer}");
    for column in ["select data as v from event", "select request as v from outbox", "select cargo as v from pickup"] {
        for text in shop.column(column).await {
            assert!(!text.contains("13800000001") && !text.contains("虚构路1号"), "personal data in clear: {text}");
        }
    }
}

#[tokio::test]
async fn what_no_courier_could_do_is_refused() {
    let shop = configured().await;
    let path = applied(&shop).await;
    let mut blank = wish();
    blank["sender"]["address"] = json!(" ");
    let (status, answer) = shop.call("PUT", &path, Some(blank)).await;
    assert_eq!((status.as_u16(), &answer["type"]), (422, &json!("/problems/pickup-unusable")));
    let unknown = "/v1/refunds/01890a5d-ac96-774b-bcce-b302099a8057/pickup";
    assert_eq!(shop.call("PUT", unknown, Some(wish())).await.0, 404);
    let bare = Shop::open().await;
    bare.own("order", &own_order("A-1", "shipped")).await;
    let path = applied(&bare).await;
    let (status, answer) = bare.call("PUT", &path, Some(wish())).await;
    assert_eq!((status.as_u16(), &answer["variable"]), (503, &json!("kuaidi100_app_key")));
}

#[tokio::test]
async fn who_is_forgotten_leaves_neither_phone_nor_sender() {
    let shop = configured().await;
    let path = applied(&shop).await;
    assert_eq!(shop.call("PUT", &path, Some(wish())).await.0, 200);
    assert_eq!(shop.get(&path).await["sender"]["name"], "虚*");
    assert_eq!(shop.column("select count(phone) || '' as v from \"order\"").await, ["1"]);
    let order_id = shop.column("select id as v from \"order\"").await[0].parse().unwrap();
    let write = move |tx: &kit::Tx<'_>| {
        let (v, at) = (domain::Version, tx.cx().now);
        let customer_id = domain::CustomerId::new(at, [7; 10]);
        let erased = domain::CustomerErased { v, customer_id, order_ids: vec![order_id], at };
        kit::events::append(tx, "/functions/customers", "invented", &domain::Event::CustomerErased(erased))
    };
    shop.app.db().write(&kit::Cx::at(at(0)), write).await.map_err(|error: kit::DbError| error).unwrap();
    shop.consume().await;
    assert_eq!(shop.get(&path).await["sender"], json!({ "name": "", "phone": "", "address": "****" }));
    assert_eq!(shop.column("select count(phone) || '' as v from \"order\"").await, ["0"]);
}
