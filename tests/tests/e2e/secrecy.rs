//! What a person has told, and what a key opens, stands in no log and in no clear column, however the call ends.

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};
use siyu_tests::http::Client;
use siyu_tests::marketplace::dialect::App;
use siyu_tests::marketplace::doudian::sign::Method;
use siyu_tests::marketplace::doudian::{self, accepted};
use siyu_tests::marketplace::push::Message;
use siyu_tests::marketplace::server::Trouble;
use siyu_tests::marketplace::shop::WISH;
use siyu_tests::standard_webhooks;
use siyu_tests::system::{API_TOKEN, DATA_KEY, System, WEBHOOK_SECRET};

use crate::database::{is_settled, rows, values};
use crate::fixtures::{PATIENCE, THEN, basket, push, sale};

const PHONE: &str = "13900000123";
const NAME: &str = "测试顾客甲";
const ADDRESS: &str = "测试路17号3单元";
const GUESS: &str = "a-forged-token-0123456789";

/// `text` as it stands, and as JSON that is ASCII only writes it.
fn spellings(text: &str) -> [String; 2] {
    let escape = |letter: char| if letter.is_ascii() { letter.into() } else { format!("\\u{:04x}", u32::from(letter)) };
    [text.to_owned(), text.chars().map(escape).collect()]
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Messages of own shops, most of them not as they should be: what is told, and what it is answered with.
async fn own_shops(system: &System) {
    let mut sold = sale("POS-1");
    sold.phone = Some(PHONE.to_owned());
    let message = sold.message("paid", THEN).unwrap();
    let answer = system.send_till(&message).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
    let changed = |pointer: &str, value: Value| {
        let mut body = message.body.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let personal = json!({NAME: PHONE, "address": ADDRESS});
    for (number, body) in [
        format!("{{\"data\":{{\"phone\":\"{PHONE}\",\"name\":\"{NAME}\",\"address\":\"{ADDRESS}\""),
        format!("{NAME} {PHONE} {ADDRESS}"),
        changed("/data/phone", json!(format!("{PHONE} {NAME}"))),
        changed("/data/phone", json!(13_900_000_123_u64)),
        changed("/data/lines/0/quantity", json!(format!("{PHONE} {NAME}"))),
        changed("/data/status", json!(format!("{NAME} {ADDRESS}"))),
        changed("/data/guide", personal.clone()),
        changed("/data", personal),
        changed("/type", json!(NAME)),
    ]
    .into_iter()
    .enumerate()
    {
        let at = Timestamp::now().as_second();
        let headers =
            standard_webhooks::headers(WEBHOOK_SECRET, &format!("msg_odd_{number}"), at, body.as_bytes()).unwrap();
        let sent = Client::new().send("POST", &system.orders_hook(), &headers, body.clone().into()).await.unwrap();
        assert_eq!(sent.status, 422, "{body}: {sent}");
        let forged =
            standard_webhooks::headers("whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2Vk", "msg_1", at, b"").unwrap();
        let sent = Client::new().send("POST", &system.orders_hook(), &forged, body.into()).await.unwrap();
        assert_eq!(sent.status, 401, "{sent}");
    }
}

/// A platform's pushes with more in them than is wanted.
async fn platform(system: &System) {
    let app = system.platform.app();
    system.platform.trouble(Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, ..Trouble::default() });
    system.platform.shop(|shop| {
        let id = shop.place(basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
    });
    let mut messages = system.platform.untold();
    for message in &mut messages {
        message.content["post_tel"] = json!(PHONE);
        message.content["post_receiver"] = json!(NAME);
        message.content["post_addr"] = json!({"detail": ADDRESS});
        message.content["buyer_words"] = json!(WISH);
    }
    push(system, &messages).await;
    let odd = |tag: u32, content: Value| Message { kind: tag.to_string(), id: format!("odd-{tag}"), content };
    let unknown = odd(999, json!({"post_receiver": NAME, "post_tel": PHONE}));
    let unusable = odd(100, json!({"p_id": format!("{PHONE} {NAME}"), "order_status": ADDRESS}));
    push(system, &[unknown, unusable]).await;
    for body in [format!("[{{\"tag\":\"100\",\"data\":\"{PHONE} {NAME}"), format!("{{\"{NAME}\":\"{ADDRESS}\"}}")] {
        let unread = doudian::push_of(app, body.into(), Method::HmacSha256).unwrap();
        let answer = unread.send(&Client::new(), &system.douyin_hook()).await.unwrap();
        assert!(accepted(&answer), "{answer}");
    }
    let forger = App { secret: "a-forged-secret".to_owned(), ..app.clone() };
    let forged = doudian::push(&forger, &messages, Method::HmacSha256).unwrap();
    assert_eq!(forged.send(&Client::new(), &system.douyin_hook()).await.unwrap().status, 401);
    let complete = async |system: &System| {
        let orders = system.orders().await?;
        let all = orders.len() == 2 && orders.iter().all(|order| order["complete"] == true);
        Ok((all && is_settled(system)).then_some(()))
    };
    system.wait_for("the full record", PATIENCE, complete).await.unwrap();
}

/// Calls of the API, refused ones too. Returns the token that it made.
async fn people(system: &System) -> String {
    let tokens = system.host.at("/v1/tokens");
    let asked = json!({"name": "till", "scopes": ["orders:read"]});
    let made = system.client.json("POST", &tokens, &asked).await.unwrap().json().unwrap();
    let token = made["token"].as_str().unwrap().to_owned();
    let list = system.host.at(&format!("/v1/orders?identity={PHONE}"));
    let till = Client::new().with_token(&token);
    assert_eq!(till.get(&list).await.unwrap().status, 200);
    assert_eq!(till.get(&system.host.at("/v1/audit")).await.unwrap().status, 403);
    assert_eq!(Client::new().with_token(GUESS).get(&list).await.unwrap().status, 401);
    let revoke = system.host.at(&format!("/v1/tokens/{}", made["id"].as_str().unwrap()));
    assert_eq!(system.client.send("DELETE", &revoke, &HeaderMap::new(), Vec::new()).await.unwrap().status, 204);
    assert_eq!(till.get(&list).await.unwrap().status, 401);
    let wrong = system.client.json("POST", &tokens, &json!({"name": "till", NAME: PHONE})).await.unwrap();
    assert!(wrong.status.is_client_error(), "{wrong}");
    let orders = system.orders().await.unwrap();
    let refund = system.host.at(&format!("/v1/orders/{}/refunds", orders[0]["id"].as_str().unwrap()));
    let wrong = system.client.json("POST", &refund, &json!({"kind": PHONE, "reason": WISH})).await.unwrap();
    assert!(wrong.status.is_client_error(), "{wrong}");
    token
}

#[tokio::test]
async fn no_personal_data_and_no_secret_stands_in_a_log_or_a_clear_column() {
    let system = System::start_with(|setup| setup.flags(&["--log-format", "json"])).await.unwrap();
    own_shops(&system).await;
    platform(&system).await;
    let token = people(&system).await;

    // What was to happen has happened: there is something to leak.
    assert_eq!(rows(&system, "inbox_quarantine"), 9 + 4);
    let values = values(&system);
    let count = |column: &str| values.iter().filter(|(place, _)| place == column).count();
    assert_eq!(count("order.phone"), 1);
    assert!(count("outbox.response") >= 1 && count("audit.id") >= 3);
    let log = system.host.log().unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let about =
        |path: &str, status: u16| lines.iter().filter(|line| line["path"] == path && line["status"] == status).count();
    assert_eq!((about("/hooks/orders", 200), about("/hooks/orders", 422), about("/hooks/orders", 401)), (1, 9, 9));
    assert_eq!(about("/hooks/douyin", 401), 1);
    let said = |text: &str| lines.iter().filter(|line| line.to_string().contains(text)).count();
    assert_eq!(said("kept in quarantine"), 9 + 4);
    assert!(said("retry") >= 3, "the courier's failures are told");

    let webhook_key = WEBHOOK_SECRET.trim_start_matches("whsec_");
    let access_token = "token-1-of-the-simulated-platform";
    let app_secret = system.platform.app().secret.clone();
    let secrets = [webhook_key, DATA_KEY, API_TOKEN, &app_secret, access_token, &token, GUESS];
    for told in [PHONE, NAME, ADDRESS, WISH].iter().chain(&secrets) {
        for text in spellings(told) {
            let line = log.lines().find(|line| line.contains(&text));
            assert_eq!(line, None, "{text} stands in the log");
            let place = values.iter().find(|(_, bytes)| holds(bytes, &text)).map(|(place, _)| place);
            assert_eq!(place, None, "{text} stands in the database");
        }
    }
}

#[tokio::test]
async fn a_variable_of_the_wrong_form_is_named_and_not_shown() {
    let wrong = "a-secret-of-the-wrong-form";
    let names = ["data_key", "webhook_secret", "douyin_md5", "keep_days"];
    let spoil = |setup: siyu_tests::host::Setup| names.iter().fold(setup, |setup, name| setup.variable(name, wrong));
    let system = System::start_with(spoil).await.unwrap();
    let answer = system.send_till(&sale("POS-1").message("paid", THEN).unwrap()).await.unwrap();
    assert_eq!(answer.json().unwrap()["variable"], "webhook_secret", "{answer}");
    assert!(!answer.to_string().contains(wrong));
    let push = doudian::push(system.platform.app(), &[doudian::probe()], Method::HmacSha256).unwrap();
    let answer = push.send(&Client::new(), &system.douyin_hook()).await.unwrap();
    assert!(answer.status == 503 && !answer.to_string().contains(wrong), "{answer}");
    let tick = system.client.json("POST", &system.host.at("/v1/tick"), &json!({})).await.unwrap();
    assert_eq!((tick.status.as_u16(), &tick.json().unwrap()["variable"]), (503, &json!("keep_days")), "{tick}");
    assert!(!tick.to_string().contains(wrong));
    assert!(!system.host.log().unwrap().contains(wrong));
}
