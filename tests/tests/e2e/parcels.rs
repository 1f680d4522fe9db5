//! Parcels: watched by a simulated Kuaidi100 from the moment their numbers are known, and what the carriers tell completes the orders.

use std::time::Duration;

use form_urlencoded::Serializer;
use http::HeaderMap;
use serde_json::{Value, json};
use siyu_tests::http::{Answer, Client};
use siyu_tests::kuaidi100::{PUBLIC_URL, Server, State, acknowledged, sign_push};
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::marketplace::server::Trouble;
use siyu_tests::merchant::tills::Message;
use siyu_tests::system::System;

use crate::database::{is_settled, number, rows, values};
use crate::fixtures::{PATIENCE, THEN, assert_problem, basket, history, only_order, order, push, sale};

const FIRST: &str = "YT9000000000001";
const SECOND: &str = "ZT9000000000002";

async fn start() -> (System, Server) {
    start_with(&[]).await
}

pub async fn start_with(variables: &[(&str, &str)]) -> (System, Server) {
    let watcher = Server::start().await.unwrap();
    let system = System::start_with(|setup| {
        variables.iter().fold(watcher.known_to(setup), |setup, (name, text)| setup.variable(name, *text))
    });
    let system = system.await.unwrap();
    watcher.route(system.host.url());
    (system, watcher)
}

/// An own shop's order as of `status`, with the parcels that are told by then.
fn sent(status: &str, numbers: &[&str]) -> Message {
    let mut message = sale("WEB-1").message("paid", THEN).unwrap();
    message.id = format!("msg-{status}-{}", numbers.len());
    let data = &mut message.body["data"];
    data["status"] = json!(status);
    if status == "shipped" {
        data["shipped_at"] = json!(rfc3339(THEN + 3600));
    }
    data["shipments"] = numbers.iter().map(|number| json!({ "tracking_number": number, "carrier": "圆通" })).collect();
    message
}

fn rfc3339(seconds: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_second(seconds).unwrap())
}

async fn send(system: &System, message: &Message) {
    let answer = system.send_till(message).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
}

/// Wait until all is done that follows from what came in.
async fn settled(system: &System) {
    let done = async |system: &System| Ok(is_settled(system).then_some(()));
    system.wait_for("calls and consumers", PATIENCE, done).await.unwrap();
}

async fn only_status(system: &System) -> Value {
    settled(system).await;
    let orders = system.orders().await.unwrap();
    assert_eq!(orders.len(), 1, "{orders:?}");
    json!([orders[0]["status"], orders[0]["times"]["signed_at"]])
}

/// The events about parcels and signed orders, in the log's order: type, parcel, when.
async fn told(system: &System) -> Vec<Value> {
    settled(system).await;
    let events = system.events().await.unwrap().into_iter();
    let about = |event: &Value| {
        let kind = event["type"].as_str().unwrap();
        kind.starts_with("parcel.") || kind == "order.signed"
    };
    events
        .filter(about)
        .map(|event| json!([event["type"], event["data"]["tracking_number"], event["data"]["at"]]))
        .collect()
}

/// News with any salt, straight to the webhook.
async fn news(system: &System, param: &str, salt: &str) -> Answer {
    let mut form = Serializer::new(String::new());
    let body = form.append_pair("param", param).append_pair("sign", &sign_push(param, salt)).finish();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    Client::new().send("POST", &system.host.at("/hooks/kuaidi100"), &headers, body.into_bytes()).await.unwrap()
}

/// Both parcels are watched, each was subscribed to once, and their news goes to our webhook.
fn assert_watched_once(watcher: &Server) {
    let watched = watcher.watched();
    let seen: Vec<_> = watched.iter().map(|parcel| (parcel.tracking_number.as_str(), parcel.times)).collect();
    assert_eq!(seen, [(FIRST, 1), (SECOND, 1)], "{:?}", watcher.calls());
    assert!(watched.iter().all(|parcel| parcel.callback == format!("{PUBLIC_URL}/hooks/kuaidi100")), "{watched:?}");
}

#[tokio::test]
async fn an_order_in_two_parcels_is_signed_with_the_second_whatever_happens_to_the_news() {
    let (system, watcher) = start().await;
    for message in [sent("shipped", &[FIRST]), sent("shipped", &[FIRST, SECOND]), sent("shipped", &[FIRST])] {
        send(&system, &message).await;
    }
    let mut again = sent("shipped", &[FIRST, SECOND]);
    again.id.push_str("-again");
    send(&system, &again).await;
    settled(&system).await;
    assert_watched_once(&watcher);
    assert_eq!(watcher.calls().len(), 2, "each once, though told four times: {:?}", watcher.calls());

    // The first arrives; its news comes disordered and twice.
    let way = [State::PICKED_UP, State::IN_TRANSIT, State("1002"), State::DELIVERING, State::SIGNED_FROM_LOCKER];
    for (state, hour) in way.into_iter().zip(2..) {
        watcher.note(FIRST, state, THEN + hour * 3600);
    }
    watcher.deliver(&Mishaps { seed: 5, duplicated: 60, disordered: 80, ..Mishaps::NONE }).await.unwrap();
    let first = json!(["parcel.signed", FIRST, rfc3339(THEN + 6 * 3600)]);
    assert_eq!(told(&system).await, std::slice::from_ref(&first));
    assert_eq!(only_status(&system).await, json!(["shipped", null]), "the other one is on its way");

    // The second has a problem, of which only the last news arrives; it arrives nevertheless.
    watcher.note(SECOND, State::PICKED_UP, THEN + 3 * 3600);
    watcher.untold();
    watcher.tell(SECOND, State::PROBLEM, THEN + 30 * 3600).await.unwrap();
    let problem = json!(["parcel.problem", SECOND, rfc3339(THEN + 30 * 3600)]);
    assert_eq!(told(&system).await, [first.clone(), problem.clone()]);

    // Somebody else signs as if it had arrived.
    watcher.note(SECOND, State::SIGNED, THEN + 50 * 3600);
    let signed = watcher.untold().remove(0);
    let before = rows(&system, "inbox");
    assert_problem(&news(&system, &signed.content.to_string(), "a-guess").await, 401);
    // A parcel that is none of ours is acknowledged, or it would come again.
    let foreign = signed.content.to_string().replace(SECOND, "YT9000000000009");
    let answer = news(&system, &foreign, watcher.app().text("salt")).await;
    assert!(acknowledged(&answer), "{answer}");
    assert_eq!(told(&system).await.len(), 2);
    assert_eq!((rows(&system, "inbox"), rows(&system, "parcel")), (before + 1, 2), "the forged one leaves no trace");

    for _ in 0..2 {
        let (url, push) = watcher.push(&signed).unwrap();
        let answer = push.send(&Client::new(), &url).await.unwrap();
        assert!(acknowledged(&answer), "{answer}");
    }
    let at = rfc3339(THEN + 50 * 3600);
    let all = [first, problem, json!(["parcel.signed", SECOND, at]), json!(["order.signed", null, at])];
    assert_eq!(told(&system).await, all, "each once");
    assert_eq!(only_status(&system).await, json!(["signed", at]));
    let id = system.orders().await.unwrap()[0]["id"].as_str().unwrap().to_owned();
    let order = order(&system, &id).await;
    assert_eq!(history(&order).iter().filter(|kind| **kind == "order.signed").count(), 1);
    let named = values(&system).iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("派件员"));
    assert!(!named, "what carriers write about their people is not kept");
}

#[tokio::test]
async fn parcels_are_watched_before_the_order_is_shipped_as_a_whole() {
    let (system, watcher) = start().await;
    send(&system, &sent("partly_shipped", &[FIRST])).await;
    settled(&system).await;
    assert_eq!(watcher.count(FIRST, "200"), 1);
    watcher.tell(FIRST, State::SIGNED, THEN + 7200).await.unwrap();
    send(&system, &sent("partly_shipped", &[FIRST, SECOND])).await;
    settled(&system).await;
    assert_watched_once(&watcher);
    watcher.tell(SECOND, State::SIGNED, THEN + 7300).await.unwrap();
    assert_eq!(told(&system).await.len(), 2, "more may be to be sent");
    send(&system, &sent("shipped", &[FIRST, SECOND])).await;
    assert_eq!(only_status(&system).await, json!(["signed", rfc3339(THEN + 7300)]));
}

#[tokio::test]
async fn a_marketplace_s_parcel_is_watched_once() {
    let (system, watcher) = start().await;
    let id = system.platform.shop(|shop| {
        let id = shop.place(basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
        shop.ship(&id, THEN + 3600).unwrap();
        id
    });
    let messages = system.platform.untold();
    push(&system, &messages).await;
    let known = only_order(&system).await;
    assert_eq!(known["platform_order_id"], json!(id));
    push(&system, &messages).await;
    settled(&system).await;
    let number = known["shipments"][0]["tracking_number"].as_str().unwrap();
    assert_eq!((watcher.calls().len(), watcher.count(number, "200")), (1, 1), "{:?}", watcher.calls());
    // SF tells only who knows the buyer's phone, and that is the platform's secret: so the platform has to say it.
    assert!(number.starts_with("SF"), "{number}");
    watcher.tell(number, State::SIGNED, THEN + 90_000).await.unwrap_err();
    system.platform.shop(|shop| shop.finish(&id, THEN + 90_000).unwrap());
    push(&system, &system.platform.untold()).await;
    let done = async |system: &System| Ok((system.orders().await?[0]["status"] == "completed").then_some(()));
    system.wait_for("the platform's own word", PATIENCE, done).await.unwrap();
    assert!(told(&system).await.is_empty());
}

#[tokio::test]
async fn sf_tells_of_an_own_shops_parcel_because_the_end_of_the_buyer_s_phone_is_known() {
    let (system, watcher) = start().await;
    let mut message = sent("shipped", &["SF9000000000003"]);
    message.body["data"]["phone"] = json!("13900000001");
    send(&system, &message).await;
    settled(&system).await;
    watcher.tell("SF9000000000003", State::SIGNED, THEN + 7200).await.unwrap();
    assert_eq!(only_status(&system).await, json!(["signed", rfc3339(THEN + 7200)]));
}

#[tokio::test]
async fn a_watcher_that_is_down_is_asked_again_and_an_answer_that_was_lost_does_no_harm() {
    let (system, watcher) = start().await;
    watcher.trouble(Trouble { broken_gateway: 2, server_errors: 1, lost_answers: 1, ..Trouble::default() });
    send(&system, &sent("shipped", &[FIRST])).await;
    // The news that a lost answer belongs to is pushed all the same.
    let watched = async |_: &System| Ok((!watcher.watched().is_empty()).then_some(()));
    system.wait_for("the subscription", PATIENCE, watched).await.unwrap();
    watcher.tell(FIRST, State::SIGNED, THEN + 7200).await.unwrap();
    assert_eq!(only_status(&system).await, json!(["signed", rfc3339(THEN + 7200)]));
    let codes: Vec<_> = watcher.calls().into_iter().map(|call| call.code).collect();
    assert_eq!(codes.first_chunk(), Some(&["502", "502", "500", "lost"]), "{codes:?}");
    assert_eq!(watcher.count(FIRST, "501") + watcher.count(FIRST, "200"), 1, "and that was the end of it: {codes:?}");
    let failed = "select count(*) from outbox where state <> 'succeeded'";
    assert_eq!(number(&system, failed), 0);
}

#[tokio::test]
async fn nothing_is_lost_when_the_power_goes() {
    let (mut system, watcher) = start().await;
    // The first subscription is made, the second waits for better times.
    send(&system, &sent("shipped", &[FIRST])).await;
    settled(&system).await;
    watcher.trouble(Trouble { broken_gateway: u32::MAX, ..Trouble::default() });
    send(&system, &sent("shipped", &[FIRST, SECOND])).await;
    let refused = async |_: &System| Ok((watcher.count(SECOND, "502") > 0).then_some(()));
    system.wait_for("a refusal", PATIENCE, refused).await.unwrap();
    // Acknowledged, and the power goes.
    assert_eq!(watcher.tell(FIRST, State::SIGNED, THEN + 7200).await.unwrap(), 1);
    system = system.crash_and_restart().unwrap();
    watcher.trouble(Trouble::default());
    let watched = async |_: &System| Ok((watcher.count(SECOND, "200") > 0).then_some(()));
    system.wait_for("the second subscription", PATIENCE, watched).await.unwrap();
    assert_eq!(told(&system).await, [json!(["parcel.signed", FIRST, rfc3339(THEN + 7200)])]);
    assert_watched_once(&watcher);

    // News that nobody answers comes again, and finds the application where it is now.
    watcher.set_pause(Duration::from_secs(1));
    let back = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        watcher.route(system.host.url());
    };
    let (tries, ()) = tokio::join!(watcher.tell(SECOND, State::SIGNED, THEN + 7300), back);
    assert_eq!(tries.unwrap(), 2);
    assert_eq!(only_status(&system).await, json!(["signed", rfc3339(THEN + 7300)]));
    assert_eq!(told(&system).await.len(), 3);
}

#[tokio::test]
async fn a_subscription_that_was_under_way_when_the_power_went_is_made_once() {
    let (mut system, watcher) = start_with(&[("clock", "virtual")]).await;
    watcher.trouble(Trouble { delay: Duration::from_secs(3), ..Trouble::default() });
    send(&system, &sent("shipped", &[FIRST])).await;
    let sending = "select count(*) from outbox where state = 'sending'";
    let under_way = async |system: &System| Ok((number(system, sending) == 1).then_some(()));
    system.wait_for("the call", PATIENCE, under_way).await.unwrap();
    system = system.crash_and_restart().unwrap();
    watcher.route(system.host.url());
    watcher.trouble(Trouble::default());
    assert_eq!(number(&system, sending), 1, "nobody knows whether it was made");
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(150);
    let body = json!({ "now": format!("{later:.3}") });
    let answer = system.client.json("POST", &system.host.at("/v1/clock"), &body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
    settled(&system).await;
    assert_eq!(watcher.watched()[0].times, 1, "{:?}", watcher.calls());
    watcher.tell(FIRST, State::SIGNED, THEN + 7200).await.unwrap();
    assert_eq!(only_status(&system).await, json!(["signed", rfc3339(THEN + 7200)]));
}

#[tokio::test]
async fn a_watcher_that_refused_for_good_is_asked_again_an_hour_later() {
    let (system, watcher) = start_with(&[("clock", "virtual"), ("kuaidi100_app_key", "mistyped")]).await;
    send(&system, &sent("shipped", &[FIRST])).await;
    let again = "select count(*) from outbox where state = 'pending' and operation = 'watch'";
    let waits = async |system: &System| Ok((number(system, again) == 1 && watcher.calls().len() == 1).then_some(()));
    system.wait_for("the next try", PATIENCE, waits).await.unwrap();
    assert_eq!(watcher.count(FIRST, "600"), 1);
    assert!(system.events().await.unwrap().iter().any(|event| event["type"] == "outbox.failed"), "a person can see it");
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3700);
    let body = json!({ "now": format!("{later:.3}") });
    let answer = system.client.json("POST", &system.host.at("/v1/clock"), &body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
    let asked = async |_: &System| Ok((watcher.count(FIRST, "600") == 2).then_some(()));
    system.wait_for("the second try", PATIENCE, asked).await.unwrap();
}
