//! Tokens, limits of calls, and trouble.

use serde_json::json;
use siyu_tests::marketplace::server::Trouble;
use siyu_tests::wechat::service::Call;

use super::{THEN, wecom, wecom_with};

const LIST: &str = "externalcontact/list_contact_way";

#[tokio::test]
async fn one_token_for_all_who_ask_while_it_is_good() {
    let (wecom, mut caller) = wecom().await;
    let console = wecom.console();
    let fetch = async |query: String| {
        let url = format!("{}/cgi-bin/gettoken?{query}", caller.base);
        caller.client.get(&url).await.unwrap().json().unwrap()
    };
    let good = format!("corpid={}&corpsecret=secret-of-the-simulated-wecom", console.receive_id);
    wecom.set_clock(Some(THEN + 7_000));
    let again = fetch(good.clone()).await;
    assert_eq!((again["access_token"].as_str(), &again["expires_in"]), (Some(caller.token.as_str()), &json!(200)));
    assert_eq!(wecom.token_fetches(), 2);
    for (query, code) in [
        (format!("corpid={}&corpsecret=a-guess", console.receive_id), 40001),
        ("corpid=ww1&corpsecret=a".to_owned(), 40013),
        ("corpsecret=a".to_owned(), 41002),
        ("corpid=ww1".to_owned(), 41004),
    ] {
        assert_eq!(fetch(query.clone()).await["errcode"], code, "{query}");
    }
    assert_eq!(wecom.token_fetches(), 2, "what is refused gives no token");
    // The first one ends by the clock, the second early.
    wecom.set_clock(Some(THEN + 7_200));
    assert_eq!(caller.post(LIST, json!({})).await["errcode"], 42001);
    let second = fetch(good.clone()).await["access_token"].as_str().unwrap().to_owned();
    assert_ne!(second, caller.token);
    caller.token = second;
    assert_eq!(caller.post(LIST, json!({})).await["errcode"], 0);
    wecom.expire_tokens();
    assert_eq!(caller.post(LIST, json!({})).await["errcode"], 42001);
    caller.token = "somebody-else-s".to_owned();
    assert_eq!(caller.post(LIST, json!({})).await["errcode"], 40014);
    caller.token = String::new();
    assert_eq!(caller.post(LIST, json!({})).await["errcode"], 41001);
}

#[tokio::test]
async fn who_calls_too_often_waits_for_a_minute() {
    let (wecom, caller) = wecom().await;
    wecom.limit(LIST, 2);
    for code in [0, 0, 45009, 45009] {
        assert_eq!(caller.post(LIST, json!({})).await["errcode"], code);
    }
    assert_eq!(caller.code("get_corp_tag_list", json!({})).await, 0, "each API by itself");
    wecom.set_clock(Some(THEN + 60));
    assert_eq!(caller.post(LIST, json!({})).await["errcode"], 0);
    assert_eq!((wecom.count(LIST, 0), wecom.count(LIST, 45009)), (3, 2));
    let (_wecom, caller) = wecom_with(|settings| settings.calls_per_minute = 1).await;
    let url = format!("{}/cgi-bin/gettoken?corpid=x", caller.base);
    assert_eq!(caller.client.get(&url).await.unwrap().json().unwrap()["errcode"], 45009, "fetching tokens counts, too");
}

#[tokio::test]
async fn strangers_unknown_calls_and_wrong_methods_are_refused() {
    let (wecom, caller) = wecom().await;
    wecom.set_trusted(false);
    assert_eq!(caller.post(LIST, json!({})).await["errcode"], 60020);
    wecom.set_trusted(true);
    assert_eq!(caller.get(LIST, "").await["errcode"], 43002);
    let answer = caller.client.get(&format!("{}/cgi-bin/no/such?access_token=x", caller.base)).await.unwrap();
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn trouble_comes_on_demand_and_a_lost_answer_was_done() {
    let (wecom, caller) = wecom().await;
    wecom.trouble(Trouble {
        broken_gateway: 1,
        server_errors: 1,
        rate_limited: 1,
        lost_answers: 1,
        ..Trouble::default()
    });
    let way = json!({ "type": 1, "scene": 2, "state": "s", "user": ["staff-01"] });
    let url = format!("{}/cgi-bin/externalcontact/add_contact_way?access_token={}", caller.base, caller.token);
    let answer = caller.client.json("POST", &url, &way).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.json().is_err()), (502, true));
    assert_eq!(caller.code("add_contact_way", way.clone()).await, -1);
    assert_eq!(caller.code("add_contact_way", way.clone()).await, 45009);
    assert!(caller.client.json("POST", &url, &way).await.is_err());
    assert_eq!(wecom.ways().len(), 1);
    let codes: Vec<_> = wecom.calls().into_iter().skip(1).map(|call| call.code).collect();
    assert_eq!(codes, [Call::GATEWAY, -1, 45009, Call::LOST]);
    assert_eq!(caller.code("add_contact_way", way).await, 0, "the trouble is over");
}
