//! Welcome messages: the code's life and its single use.

use std::time::Duration;

use serde_json::{Value, json};
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::wecom::Wecom;

use super::receiver::Receiver;
use super::{Caller, THEN, somebody, wecom};

async fn heard(wecom: &Wecom) -> Receiver {
    let receiver = Receiver::start(wecom.console(), THEN, Vec::new()).await;
    wecom.route(&receiver.address);
    receiver
}

fn welcome(code: &Value, text: &str) -> Value {
    json!({ "welcome_code": code, "text": { "content": text } })
}

async fn send(caller: &Caller, code: &Value) -> i64 {
    caller.code("send_welcome_msg", welcome(code, "欢迎")).await
}

#[tokio::test]
async fn a_code_works_once_and_for_twenty_seconds_from_its_callback() {
    let (wecom, caller) = wecom().await;
    let receiver = heard(&wecom).await;
    caller.way("c", &["staff-01"]).await;
    let people = [somebody(), somebody(), somebody()];
    for person in &people {
        wecom.scan("c", person).unwrap();
    }
    // What waits here has not been told: its code is not alive yet, and does not age.
    wecom.set_clock(Some(THEN + 60));
    wecom.deliver(&Mishaps::NONE).await.unwrap();
    let codes: Vec<_> = receiver.told().into_iter().map(|told| told["WelcomeCode"].clone()).collect();
    assert_eq!(send(&caller, &codes[0]).await, 0);
    assert_eq!(send(&caller, &codes[0]).await, 41051, "used");
    wecom.set_clock(Some(THEN + 80));
    assert_eq!(send(&caller, &codes[1]).await, 0, "the last second");
    wecom.set_clock(Some(THEN + 81));
    assert_eq!(send(&caller, &codes[2]).await, 41050, "too late");
    assert_eq!(send(&caller, &json!("CODE0")).await, 41050, "unknown");
    assert_eq!(send(&caller, &json!(null)).await, 41049);
    let counts: Vec<_> = people.iter().map(|person| wecom.welcomes(person).len()).collect();
    assert_eq!(counts, [1, 1, 0]);
    let welcome = &wecom.welcomes(&people[0])[0];
    assert_eq!((welcome.userid.as_str(), &welcome.message["text"]["content"]), ("staff-01", &json!("欢迎")));
    assert_eq!(welcome.at, (THEN + 60) * 1000);
}

#[tokio::test]
async fn the_time_from_callback_to_message_is_measured_in_earnest() {
    let (wecom, caller) = wecom().await;
    let receiver = heard(&wecom).await;
    caller.way("c", &["staff-01"]).await;
    let person = somebody();
    wecom.scan("c", &person).unwrap();
    wecom.deliver(&Mishaps { delay: Duration::from_millis(60), ..Mishaps::NONE }).await.unwrap();
    assert_eq!(send(&caller, &receiver.told()[0]["WelcomeCode"]).await, 0);
    let after = wecom.welcomes(&person)[0].after;
    assert!((Duration::from_millis(60)..Duration::from_secs(20)).contains(&after), "{after:?}");
    assert_eq!(wecom.welcome_percentile(99), Some(after));
}

#[tokio::test]
async fn a_message_that_is_refused_leaves_the_code_good() {
    let (wecom, caller) = wecom().await;
    let receiver = heard(&wecom).await;
    caller.way("c", &["staff-01"]).await;
    wecom.scan("c", &somebody()).unwrap();
    wecom.deliver(&Mishaps::NONE).await.unwrap();
    let code = receiver.told()[0]["WelcomeCode"].clone();
    let link = json!({ "msgtype": "link", "link": { "title": "t", "url": "https://example.com" } });
    let with = |attachments: Value| json!({ "welcome_code": code, "attachments": attachments });
    for (body, expected) in [
        (welcome(&code, &"x".repeat(4001)), 40058),
        (welcome(&code, ""), 40058),
        (with(json!(vec![link.clone(); 10])), 41064),
        (with(json!([{ "msgtype": "poem", "poem": {} }])), 41065),
        (with(json!(vec![link; 9])), 0),
    ] {
        assert_eq!(caller.code("send_welcome_msg", body.clone()).await, expected, "{body}");
    }
}

#[tokio::test]
async fn there_is_no_code_or_no_use_for_it_where_the_document_says_so() {
    let (wecom, caller) = wecom().await;
    heard(&wecom).await;
    caller.way("c", &["staff-01"]).await;
    wecom.set_greets_by_itself("staff-01", true);
    assert_eq!(wecom.scan("c", &somebody()).unwrap().welcome_code, None, "an admin has set a message");
    wecom.set_greets_by_itself("staff-01", false);
    let person = somebody();
    let code = json!(wecom.scan("c", &person).unwrap().welcome_code.unwrap());
    wecom.deliver(&Mishaps::NONE).await.unwrap();
    wecom.chat("staff-01", &person);
    assert_eq!(send(&caller, &code).await, 41051, "they chat already");
    // The code of the half event counts for both.
    for uses_half in [true, false] {
        let person = somebody();
        let half = json!(wecom.half_add("c", &person).unwrap().welcome_code.unwrap());
        wecom.deliver(&Mishaps::NONE).await.unwrap();
        if uses_half {
            assert_eq!(send(&caller, &half).await, 0);
        }
        let agreed = wecom.agree("staff-01", &person).unwrap();
        assert_eq!(agreed.welcome_code.is_some(), !uses_half);
        assert!(wecom.agree("staff-01", &person).is_err(), "agreed already");
    }
}
