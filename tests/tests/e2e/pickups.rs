//! A return's goods are fetched: by a courier of a simulated Kuaidi100, called when the case is agreed.

use serde_json::{Value, json};
use siyu_tests::kuaidi100::{RETURN, Server, status};
use siyu_tests::marketplace::server::Trouble;
use siyu_tests::merchant::tills::Message;
use siyu_tests::system::System;

use crate::database::{is_settled, values};
use crate::fixtures::{PATIENCE, THEN, assert_problem, only_order, sale};
use crate::parcels::start_with;

const PHONE: &str = "13800000001";
const ADDRESS: &str = "浙江省杭州市虚构路1号";

async fn settled(system: &System) {
    let done = async |system: &System| Ok(is_settled(system).then_some(()));
    system.wait_for("calls and consumers", PATIENCE, done).await.unwrap();
}

async fn send(system: &System, message: &Message) {
    let answer = system.send_till(message).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
}

/// The only sale, sent; and a case about its first line as of `status`.
fn messages(status: &str) -> [Message; 2] {
    let mut order = sale("WEB-1").message("paid", THEN).unwrap();
    "msg-order".clone_into(&mut order.id);
    let line = order.body["data"]["lines"][0].clone();
    let (quantity, price) = (line["quantity"].as_i64().unwrap(), line["unit_price"].as_i64().unwrap());
    order.body["data"]["status"] = json!("shipped");
    order.body["data"]["shipped_at"] = order.body["timestamp"].clone();
    let mut case = order.clone();
    case.id = format!("msg-{status}");
    let amount = quantity * price;
    let at = order.body["timestamp"].clone();
    let stamp = jiff::Timestamp::from_second(THEN + if status == "applied" { 60 } else { 120 }).unwrap();
    case.body = json!({ "type": "refund.updated", "timestamp": format!("{stamp:.3}"), "data": {
        "shop_id": order.body["data"]["shop_id"], "order_id": "WEB-1", "refund_id": "R-1", "status": status, "applied_at": at,
        "claim": { "kind": "return", "amount": amount, "freight": 0, "reason_code": null,
            "lines": [{ "line_id": line["line_id"], "quantity": quantity, "amount": amount }] } } });
    [order, case]
}

/// The application, Kuaidi100, and the path of the courier for a case that has been applied for.
async fn applied() -> (System, Server, String) {
    let (system, watcher) = start_with(&RETURN).await;
    for message in messages("applied") {
        send(&system, &message).await;
    }
    settled(&system).await;
    let order = only_order(&system).await;
    let path = format!("/v1/refunds/{}/pickup", order["refunds"][0]["id"].as_str().unwrap());
    (system, watcher, path)
}

async fn want(system: &System, path: &str) -> Value {
    let wish = json!({ "carrier": "jd", "cargo": "茶", "grams": 800,
        "sender": { "name": "虚构甲", "phone": PHONE, "address": ADDRESS } });
    let answer = system.client.json("PUT", &system.host.at(path), &wish).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
    answer.json().unwrap()
}

async fn show(system: &System, path: &str) -> Value {
    system.client.get(&system.host.at(path)).await.unwrap().json().unwrap()
}

#[tokio::test]
async fn the_courier_is_called_once_when_the_case_is_agreed_though_answers_are_lost_and_the_power_goes() {
    let (mut system, watcher, path) = applied().await;
    assert_eq!(want(&system, &path).await["status"], "wanted");
    settled(&system).await;
    assert_eq!(watcher.pickups(), [], "nothing is agreed yet");

    let [_, agreed] = messages("agreed");
    watcher.trouble(Trouble { lost_answers: 1, ..Trouble::default() });
    send(&system, &agreed).await;
    settled(&system).await;
    let placed = watcher.pickups();
    assert_eq!(
        (placed.len(), placed[0].times),
        (1, 2),
        "the lost answer's order and its repetition are one: {placed:?}"
    );
    let param = &placed[0].param;
    for (name, text) in [
        ("sendManMobile", PHONE),
        ("sendManPrintAddr", ADDRESS),
        ("recManName", "虚构仓库"),
        ("recManMobile", "10000000009"),
        ("weight", "0.800"),
        ("kuaidicom", "jd"),
    ] {
        assert_eq!(param[name], text, "{name}");
    }
    assert_eq!(show(&system, &path).await["status"], "placed");

    let order_id = placed[0].order_id.clone();
    watcher.pickup_news(&order_id, status::ACCEPTED, None).await.unwrap();
    system = system.crash_and_restart().unwrap();
    watcher.route(system.host.url());
    for (step, fee) in [(status::SETTLED, Some(1205)), (status::PICKED_UP, None), (status::SIGNED, None)] {
        watcher.pickup_news(&order_id, step, fee).await.unwrap();
    }
    settled(&system).await;
    let view = show(&system, &path).await;
    assert_eq!([&view["status"], &view["fee"]], [&json!("signed"), &json!(1205)], "{view}");
    assert_eq!(view["sender"]["phone"], "138****0001");
    let events = system.events().await.unwrap();
    let steps: Vec<_> = events
        .iter()
        .filter(|event| event["type"] == "pickup.changed")
        .map(|event| [&event["data"]["status"], &event["data"]["fee"]].map(Clone::clone))
        .collect();
    let wanted = [
        json!(["requested", null]),
        json!(["placed", null]),
        json!(["accepted", null]),
        json!(["accepted", 1205]),
        json!(["picked_up", 1205]),
        json!(["signed", 1205]),
    ];
    assert_eq!(json!(steps), json!(wanted));
    for (column, value) in values(&system) {
        let value = String::from_utf8_lossy(&value);
        assert!(!value.contains(PHONE) && !value.contains(ADDRESS), "personal data in clear in {column}");
    }
}

#[tokio::test]
async fn a_courier_can_be_withdrawn_until_the_parcel_is_picked_up() {
    let (system, watcher, path) = applied().await;
    let [_, agreed] = messages("agreed");
    send(&system, &agreed).await;
    want(&system, &path).await;
    settled(&system).await;
    let first = watcher.pickups()[0].order_id.clone();
    let withdrawn = system.client.send("DELETE", &system.host.at(&path), &http::HeaderMap::new(), Vec::new()).await;
    assert_eq!(withdrawn.unwrap().status, 200);
    settled(&system).await;
    assert_eq!(watcher.pickups()[0].status, status::CANCELLED);
    assert_eq!(show(&system, &path).await["status"], "cancelled");

    want(&system, &path).await;
    settled(&system).await;
    let second = watcher.pickups()[1].order_id.clone();
    assert_ne!(first, second);
    watcher.pickup_news(&second, status::PICKED_UP, None).await.unwrap();
    let late = system.client.send("DELETE", &system.host.at(&path), &http::HeaderMap::new(), Vec::new()).await;
    assert_problem(&late.unwrap(), 409);
    assert_eq!(show(&system, &path).await["status"], "picked_up");
}
