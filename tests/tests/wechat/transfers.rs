//! Transfers: a day's wait, how they end, and what stands against them.

use serde_json::{Value, json};
use siyu_tests::wecom::Outcome;

use super::{Caller, THEN, kinds, somebody, wecom};

const DAY: i64 = 86_400;

async fn pass(caller: &Caller, from: &str, to: &str, external: &[&str]) -> Value {
    let body = json!({ "handover_userid": from, "takeover_userid": to, "external_userid": external });
    caller.post("externalcontact/transfer_customer", body).await
}

async fn statuses(caller: &Caller, from: &str, to: &str) -> Vec<i64> {
    let body = json!({ "handover_userid": from, "takeover_userid": to });
    let answer = caller.post("externalcontact/transfer_result", body).await;
    answer["customer"].as_array().unwrap().iter().map(|customer| customer["status"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_transfer_waits_for_a_day_and_happens_twice_in_ninety() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01"]).await;
    let person = somebody();
    let external = wecom.scan("c", &person).unwrap().external_userid;
    wecom.remark_in_console("staff-01", &person, "老客户").unwrap();
    wecom.untold();
    let code = |answer: &Value| answer["customer"][0]["errcode"].as_i64().unwrap();
    assert_eq!(code(&pass(&caller, "staff-01", "staff-02", &[&external]).await), 0);
    assert_eq!(code(&pass(&caller, "staff-01", "staff-03", &[&external]).await), 40129, "on its way");
    assert_eq!(statuses(&caller, "staff-01", "staff-02").await, [2]);
    wecom.set_clock(Some(THEN + DAY - 1));
    assert!(wecom.untold().is_empty());
    wecom.set_clock(Some(THEN + DAY));
    let told = wecom.untold();
    assert_eq!(kinds(&told), ["del_external_contact", "add_external_contact"]);
    assert_eq!(
        (&told[0].content["Source"], &told[1].content["UserID"]),
        (&json!("DELETE_BY_TRANSFER"), &json!("staff-02"))
    );
    assert!(told[1].content.get("WelcomeCode").is_none());
    assert!(wecom.customers_of("staff-01").is_empty());
    let follow = wecom.follow("staff-02", &person).unwrap();
    assert_eq!((follow.remark.name.as_str(), follow.add_way), ("老客户", 202));
    // Tokens last two hours.
    wecom.set_clock(Some(THEN));
    assert_eq!(code(&pass(&caller, "staff-02", "staff-03", &[&external]).await), 0);
    wecom.end_transfer(&person, Outcome::Done).unwrap();
    assert_eq!(code(&pass(&caller, "staff-03", "staff-01", &[&external]).await), 40128, "a third time");
}

#[tokio::test]
async fn customers_may_refuse_and_members_may_be_full() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01"]).await;
    let people = [somebody(), somebody()];
    let ids = people.each_ref().map(|person| wecom.scan("c", person).unwrap().external_userid);
    wecom.untold();
    pass(&caller, "staff-01", "staff-02", &[&ids[0], &ids[1]]).await;
    wecom.end_transfer(&people[0], Outcome::Refused).unwrap();
    wecom.end_transfer(&people[1], Outcome::Full).unwrap();
    assert!(wecom.end_transfer(&people[1], Outcome::Full).is_err());
    assert_eq!(statuses(&caller, "staff-01", "staff-02").await, [3, 4]);
    let told = wecom.untold();
    assert_eq!(kinds(&told), ["transfer_fail", "transfer_fail"]);
    let reasons = [0, 1].map(|place| told[place].content["FailReason"].as_str().unwrap());
    assert_eq!(reasons, ["customer_refused", "customer_limit_exceed"]);
    assert_eq!(told[0].content["UserID"], "staff-02");
    assert_eq!(wecom.customers_of("staff-01").len(), 2);
    wecom.set_capacity("staff-02", 0);
    assert_eq!(pass(&caller, "staff-01", "staff-02", &[&ids[0]]).await["customer"][0]["errcode"], 40099);
}

#[tokio::test]
async fn what_stands_against_a_transfer() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01"]).await;
    let person = somebody();
    let external = wecom.scan("c", &person).unwrap().external_userid;
    let many = vec!["wm0"; 101];
    assert_eq!(pass(&caller, "staff-01", "staff-02", &many).await["errcode"], 40058);
    assert_eq!(pass(&caller, "nobody", "staff-02", &[&external]).await["errcode"], 40003);
    assert_eq!(pass(&caller, "staff-01", "nobody", &[&external]).await["errcode"], 40003);
    assert_eq!(pass(&caller, "staff-01", "staff-01", &[&external]).await["errcode"], 40130);
    let codes = pass(&caller, "staff-02", "staff-01", &["wm0", &external]).await;
    let codes: Vec<_> =
        codes["customer"].as_array().unwrap().iter().map(|customer| customer["errcode"].clone()).collect();
    assert_eq!(codes, [json!(40096), json!(40131)]);
    // Of a member who has left, and only then, by the other call.
    let left = json!({ "handover_userid": "staff-01", "takeover_userid": "staff-02", "external_userid": [external] });
    assert_eq!(caller.code("resigned/transfer_customer", left.clone()).await, 40097);
    wecom.resign("staff-01");
    assert_eq!(pass(&caller, "staff-01", "staff-02", &[&external]).await["errcode"], 40003);
    assert_eq!(caller.code("resigned/transfer_customer", left).await, 0);
    wecom.untold();
    wecom.end_transfer(&person, Outcome::Done).unwrap();
    assert_eq!(kinds(&wecom.untold()), ["add_external_contact"]);
}

#[tokio::test]
async fn nothing_is_told_where_the_two_know_each_other_already() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01", "staff-02"]).await;
    let person = somebody();
    let external = wecom.scan_to("c", "staff-01", &person).unwrap().external_userid;
    wecom.scan_to("c", "staff-02", &person).unwrap();
    wecom.untold();
    pass(&caller, "staff-01", "staff-02", &[&external]).await;
    wecom.end_transfer(&person, Outcome::Done).unwrap();
    assert_eq!(kinds(&wecom.untold()), ["del_external_contact"]);
}
