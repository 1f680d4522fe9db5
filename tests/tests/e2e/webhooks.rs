//! Webhooks in: what is authentic is taken once, what is not leaves no trace, what is not understood is kept.

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};
use siyu_tests::http::{Answer, Client};
use siyu_tests::marketplace::dialect::App;
use siyu_tests::marketplace::doudian::sign::Method;
use siyu_tests::marketplace::doudian::{self, accepted};
use siyu_tests::marketplace::push::Message;
use siyu_tests::standard_webhooks;
use siyu_tests::system::{System, WEBHOOK_SECRET};

use crate::database::rows;
use crate::fixtures::{THEN, assert_problem, basket, push, sale};

async fn send(url: &str, headers: HeaderMap, body: impl Into<Vec<u8>>) -> Answer {
    Client::new().send("POST", url, &headers, body.into()).await.unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// Send `body` as an own shop does, signed at `at`.
async fn send_own(system: &System, id: &str, at: i64, body: &str) -> Answer {
    let headers = standard_webhooks::headers(WEBHOOK_SECRET, id, at, body.as_bytes()).unwrap();
    send(&system.orders_hook(), headers, body).await
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// The vector of a public SDK, headers and all.
#[tokio::test]
async fn the_platform_s_own_example_is_accepted() {
    let vector = |setup: siyu_tests::host::Setup| {
        setup.variable("douyin_app_key", "app-123").variable("douyin_app_secret", "secret-456")
    };
    let system = System::start_with(vector).await.unwrap();
    let sign = "7e0bd8b248471435f5a09b27cbc1a07f2cb00f625810bde9f3cc5b0ba7bc4a11";
    let body = r#"[{"tag":"0","msg_id":"0","data":"probe"}]"#;
    let signed = |sign: &str| headers(&[("app-id", "app-123"), ("sign-method", "hmac-sha256"), ("event-sign", sign)]);
    let answer = send(&system.douyin_hook(), signed(sign), body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().unwrap(), json!({"code": 0, "msg": "success"}));
    let upper = send(&system.douyin_hook(), signed(&sign.to_uppercase()), body).await;
    assert!(accepted(&upper), "hex may be of either case: {upper}");
    let answer = send(&system.douyin_hook(), signed(&sign.replace('7', "8")), body).await;
    assert_problem(&answer, 401);
}

#[tokio::test]
async fn a_forged_push_is_refused_and_leaves_no_trace() {
    let system = System::start().await.unwrap();
    assert!(system.orders().await.unwrap().is_empty(), "there is a database to look into");
    let app = system.platform.app().clone();
    system.platform.shop(|shop| shop.place(basket(), THEN));
    let messages = system.platform.untold();
    let with = |app: &App, method| doudian::push(app, &messages, method).unwrap();
    let mut wrong_app = with(&app, Method::HmacSha256);
    wrong_app.headers.insert("app-id", "7100000000000000002".parse().unwrap());
    let mut tampered = with(&app, Method::HmacSha256);
    tampered.body.push(b' ');
    let mut unsigned = with(&app, Method::HmacSha256);
    unsigned.headers.remove("event-sign");
    let mut another_app = with(&App { key: "7100000000000000002".to_owned(), ..app.clone() }, Method::HmacSha256);
    another_app.headers.insert("app-id", app.key.parse().unwrap());
    let forgeries = [
        ("another secret", with(&App { secret: "a-guess".to_owned(), ..app.clone() }, Method::HmacSha256)),
        ("signed for another app", another_app),
        ("sent for another app", wrong_app),
        ("changed on the way", tampered),
        ("no signature", unsigned),
        ("MD5, which is switched off", with(&app, Method::Md5)),
    ];
    for (what, forgery) in forgeries {
        let answer = forgery.send(&Client::new(), &system.douyin_hook()).await.unwrap();
        assert_eq!(answer.status, 401, "{what}: {answer}");
    }
    for table in ["inbox", "inbox_quarantine", "order", "event", "outbox"] {
        assert_eq!(rows(&system, table), 0, "{table}");
    }
    push(&system, &messages).await;
    assert_eq!(rows(&system, "order"), 1, "the genuine one still counts");
}

#[tokio::test]
async fn md5_is_taken_only_when_switched_on() {
    let system = System::start_with(|setup| setup.variable("douyin_md5", "on")).await.unwrap();
    let push = doudian::push(system.platform.app(), &[doudian::probe()], Method::Md5).unwrap();
    let answer = push.send(&Client::new(), &system.douyin_hook()).await.unwrap();
    assert!(accepted(&answer), "{answer}");
}

#[tokio::test]
async fn an_own_shop_s_message_is_refused_when_stale_or_wrongly_signed() {
    let system = System::start().await.unwrap();
    assert!(system.orders().await.unwrap().is_empty(), "there is a database to look into");
    let body = sale("POS-1").message("paid", THEN).unwrap().body.to_string();
    let signature = standard_webhooks::signature(WEBHOOK_SECRET, "msg_1", now(), body.as_bytes()).unwrap();
    let at = now().to_string();
    let signed = |signature: &str| {
        headers(&[("webhook-id", "msg_1"), ("webhook-timestamp", &at), ("webhook-signature", signature)])
    };
    for (what, signature) in [
        ("another version", signature.replace("v1,", "v2,")),
        ("no version", signature.replace("v1,", "")),
        ("empty", "v1,".to_owned()),
        ("cut off", signature[..20].to_owned()),
        ("absent", String::new()),
    ] {
        let answer = send(&system.orders_hook(), signed(&signature), body.clone()).await;
        assert_eq!(answer.status, 401, "{what}: {answer}");
    }
    for seconds in [-310, 310] {
        assert_problem(&send_own(&system, "msg_1", now() + seconds, &body).await, 401);
    }
    for table in ["inbox", "inbox_quarantine", "order", "event"] {
        assert_eq!(rows(&system, table), 0, "{table}");
    }
    // While keys change, a sender signs with both.
    let both = format!("v1,{} {signature}", "A".repeat(43) + "=");
    let answer = send(&system.orders_hook(), signed(&both), body).await;
    assert_eq!(answer.status, 200, "{answer}");
}

#[tokio::test]
async fn what_is_authentic_and_not_understood_is_kept_and_not_asked_for_again() {
    let system = System::start().await.unwrap();
    let app = system.platform.app();
    for body in ["not JSON", r#"{"tag":"100"}"#, "[1]"] {
        let push = doudian::push_of(app, body.into(), Method::HmacSha256).unwrap();
        let answer = push.send(&Client::new(), &system.douyin_hook()).await.unwrap();
        assert!(accepted(&answer), "{body}: {answer}");
    }
    let unknown = |tag: u32, content: Value| Message { kind: tag.to_string(), id: format!("odd-{tag}"), content };
    push(&system, &[unknown(999, json!({"p_id": 1})), unknown(100, json!({"no": "ids"}))]).await;
    assert_eq!(rows(&system, "inbox_quarantine"), 5);

    let message = sale("POS-1").message("paid", THEN).unwrap().body;
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut message = message.clone();
        change(&mut message);
        message.to_string()
    };
    let odd = [
        ("not JSON", "not JSON".to_owned()),
        ("three decimals", changed(&|message| message["data"]["paid"] = json!(19.905))),
        ("unknown status", changed(&|message| message["data"]["status"] = json!("teleported"))),
        ("unknown field", changed(&|message| message["data"]["payed"] = json!(1990))),
        ("no lines", changed(&|message| message["data"]["lines"] = json!([]))),
        ("negative", changed(&|message| message["data"]["lines"][0]["unit_price"] = json!(-1))),
    ];
    for (number, (what, body)) in odd.iter().enumerate() {
        let answer = send_own(&system, &format!("msg_odd_{number}"), now(), body).await;
        assert_eq!(answer.status, 422, "{what}: {answer}");
    }
    assert_eq!(rows(&system, "inbox_quarantine"), 11);
    assert_eq!(rows(&system, "order"), 0);
    assert_eq!(rows(&system, "event"), 0);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let system = System::start().await.unwrap();
    assert!(system.orders().await.unwrap().is_empty(), "there is a database to look into");
    let body = " ".repeat((1 << 20) + 1);
    let push = doudian::push_of(system.platform.app(), body.clone().into(), Method::HmacSha256).unwrap();
    let answer = push.send(&Client::new(), &system.douyin_hook()).await.unwrap();
    assert_problem(&answer, 413);
    assert_problem(&send_own(&system, "msg_1", now(), &body).await, 413);
    assert_eq!(rows(&system, "inbox_quarantine"), 0);
}

#[tokio::test]
async fn a_repeated_message_changes_nothing() {
    let system = System::start().await.unwrap();
    let message = sale("POS-1").message("paid", THEN).unwrap();
    let first = system.send_till(&message).await.unwrap();
    assert_eq!(first.json().unwrap()["status"], "accepted", "{first}");
    // What consumers make of them comes when it comes.
    let told = async |system: &System| {
        let events = system.events().await.unwrap();
        events
            .into_iter()
            .filter(|event| event["source"] == "/functions/orders" && event["type"] != "buyer.first_order")
            .collect::<Vec<_>>()
    };
    let events = told(&system).await;
    for _ in 0..3 {
        let again = system.send_till(&message).await.unwrap();
        assert_eq!((again.status.as_u16(), &again.json().unwrap()["status"]), (200, &json!("duplicate")), "{again}");
    }
    assert_eq!(told(&system).await, events);
    assert_eq!(system.orders().await.unwrap().len(), 1);
}
