//! Contacts that WeCom hands over to another member of staff.

use crate::house::{customer, identified, meets, merged};
use crate::support::{House, at, removed};
use domain::{CustomerId, Event, HandoverBegun, HandoverId, UnixMs, Version};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DAY: i64 = 86_400;

fn handover() -> HandoverId {
    HandoverId::new(UnixMs::EPOCH, [9; 10])
}

fn begun(resigned: bool, customer_ids: Vec<CustomerId>) -> Event {
    Event::HandoverBegun(HandoverBegun {
        v: Version,
        handover_id: handover(),
        from: "li".to_owned(),
        to: "wang".to_owned(),
        resigned,
        message: (!resigned).then(|| "同事小王为您服务".to_owned()),
        customer_ids,
    })
}

/// Customers 1 to `count` who have added li, as `wm1` and so on.
async fn with_contacts(count: u8) -> House {
    let house = House::open().await;
    for number in 1..=count {
        let contact = format!("wm{number}");
        house.happened(identified(number, &contact)).await;
        meets(&house, "li", &contact).await;
    }
    house
}

/// WeCom's words, oldest first: customer, answer and error.
async fn words(house: &House) -> Vec<(String, String, Option<String>)> {
    let rows = house.column("select data as v from event where type = 'handover.answered' order by seq").await;
    let word = |row: String| {
        let data: Value = serde_json::from_str(&row).unwrap();
        assert_eq!(data["handover_id"], handover().to_string());
        let text = |name: &str| data[name].as_str().map(str::to_owned);
        (text("customer_id").unwrap(), text("answer").unwrap(), text("error"))
    };
    rows.into_iter().map(word).collect()
}

fn word(number: u8, answer: &str, error: Option<&str>) -> (String, String, Option<String>) {
    (customer(number).to_string(), answer.to_owned(), error.map(str::to_owned))
}

fn state(rows: &[(&str, &str)]) -> Value {
    let contacts: Vec<_> =
        rows.iter().map(|(contact, status)| json!({ "contact": contact, "status": status, "at": null })).collect();
    json!({ "answer": "transfer_state", "contacts": contacts })
}

fn failed(contact: &str, reason: &str, seconds: i64) -> String {
    removed("transfer_fail", "wang", contact, seconds) + &format!("<FailReason>{reason}</FailReason>")
}

#[tokio::test]
async fn wecom_is_asked_for_contacts_and_its_word_on_each_is_told() {
    let house = with_contacts(4).await;
    house.happened(identified(5, "wm5")).await;
    house.happened(begun(false, (1..=5).map(customer).collect())).await;
    let asked = house.asked_for("transfer").await;
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (&asked[0]["from"], &asked[0]["to"], &asked[0]["resigned"], &asked[0]["message"], &asked[0]["contacts"]),
        (&json!("li"), &json!("wang"), &json!(false), &json!("同事小王为您服务"), &json!(["wm1", "wm2", "wm3", "wm4"]))
    );
    assert_eq!(words(&house).await, [word(5, "not_there", None)], "who has not added li is none of WeCom's");

    let refused = json!([{ "contact": "wm1", "code": 40128 }]);
    house
        .answer("transfer", json!({ "answer": "transferred", "started": ["wm2", "wm3", "wm4"], "refused": refused }))
        .await;
    house.wecom(&failed("wm2", "customer_refused", 60)).await;
    house.wecom(&failed("wm2", "customer_refused", 60)).await;
    house.wecom(&(removed("del_external_contact", "li", "wm3", 90) + "<Source>DELETE_BY_TRANSFER</Source>")).await;
    house.wecom(&failed("wm4", "customer_limit_exceed", 95)).await;
    house.consume().await;
    assert_eq!(
        words(&house).await[1..],
        [
            word(1, "too_often", Some("WeCom's errcode 40128")),
            word(2, "by_customer", None),
            word(3, "accepted", None),
            word(4, "receiver_full", None),
        ]
    );
    house.wait_until(2 * DAY).await;
    assert_eq!(house.asked_for("transfer_result").await.len(), 0, "nothing is open");
}

#[tokio::test]
async fn who_is_not_heard_of_by_callbacks_is_asked_for_when_the_day_is_over() {
    let house = with_contacts(3).await;
    meets(&house, "wang", "wm2").await;
    house.happened(begun(true, (1..=3).map(customer).collect())).await;
    assert_eq!(house.asked_for("transfer").await[0]["message"], Value::Null);
    house.answer("transfer", json!({ "answer": "transferred", "started": ["wm1", "wm2", "wm3"], "refused": [] })).await;
    house.wait_until(DAY).await;
    assert_eq!(house.asked_for("transfer_result").await.len(), 0);
    house.wait_until(DAY + 300).await;
    let asked = house.asked_for("transfer_result").await;
    assert_eq!(asked, [json!({ "ask": "transfer_result", "from": "li", "to": "wang", "resigned": true })]);
    house
        .answer("transfer_result", state(&[("wm1", "done"), ("wm2", "done"), ("wm3", "waiting"), ("wm9", "done")]))
        .await;
    assert_eq!(words(&house).await, [word(1, "accepted", None), word(2, "accepted", None)]);
    let contacts: Vec<_> = house.asked_for("get_contact").await;
    assert_eq!(contacts, [json!({ "ask": "get_contact", "contact": "wm1" })], "wang has wm2 already");
    let sql = "select contact as v from contact where staff = 'li' and removed_by = 'handover' order by contact";
    assert_eq!(house.column(sql).await, ["wm1", "wm2"]);

    // An hour later the last one is asked for again.
    house.wait_until(DAY + 3900).await;
    house.answer("transfer_result", state(&[("wm3", "done"), ("wm3", "refused")])).await;
    assert_eq!(words(&house).await[2..], [word(3, "by_customer", None)]);
    house.wait_until(3 * DAY).await;
    assert_eq!(house.asked_for("transfer_result").await.len(), 0);
}

#[tokio::test]
async fn a_call_that_was_repeated_refuses_nobody_and_silence_has_an_end() {
    let house = with_contacts(1).await;
    house.happened(begun(false, vec![customer(1)])).await;
    let refused = json!([{ "contact": "wm1", "code": 40129 }]);
    house.answer("transfer", json!({ "answer": "transferred", "started": [], "refused": refused })).await;
    assert_eq!(words(&house).await, []);
    // What an older handover of the same three came to says nothing of this one.
    house.wait_until(DAY + 300).await;
    let older = json!([{ "contact": "wm1", "status": "done", "at": at(-DAY).to_string() }]);
    house.answer("transfer_result", json!({ "answer": "transfer_state", "contacts": older })).await;
    assert_eq!(words(&house).await, []);
    for hour in 1..=48 {
        house.wait_until(DAY + 300 + hour * 3600).await;
        if house.asked_for("transfer_result").await.is_empty() {
            break;
        }
        house.answer("transfer_result", state(&[("wm1", "none")])).await;
    }
    assert_eq!(words(&house).await, [word(1, "by_platform", Some("WeCom has told no result for three days"))]);
}

/// A pool of more than a hundred comes in several events, and customers with two contacts may make more of one.
#[tokio::test]
async fn calls_of_a_large_pool_wait_side_by_side() {
    let house = with_contacts(120).await;
    house.happened(begun(true, (1..=100).map(customer).collect())).await;
    house.happened(begun(true, (101..=120).map(customer).collect())).await;
    let asked = house.asked_for("transfer").await;
    let counts: BTreeSet<_> = asked.iter().map(|one| one["contacts"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [20, 100].into());
}

#[tokio::test]
async fn a_call_that_failed_is_told_with_its_error() {
    let house = with_contacts(2).await;
    house.happened(begun(true, vec![customer(1), customer(2)])).await;
    house.give_up("transfer").await;
    let error = Some("40003 there is no such member of staff");
    assert_eq!(words(&house).await, [word(1, "by_platform", error), word(2, "by_platform", error)]);
}

#[tokio::test]
async fn a_customer_with_two_contacts_is_told_of_when_both_are_settled() {
    let house = with_contacts(2).await;
    house.happened(merged(1, 2)).await;
    house.happened(begun(false, vec![customer(1)])).await;
    house.answer("transfer", json!({ "answer": "transferred", "started": ["wm1", "wm2"], "refused": [] })).await;
    house.wecom(&failed("wm1", "customer_refused", 60)).await;
    house.consume().await;
    assert_eq!(words(&house).await, []);
    house.wecom(&(removed("del_external_contact", "li", "wm2", 90) + "<Source>DELETE_BY_TRANSFER</Source>")).await;
    house.consume().await;
    assert_eq!(words(&house).await, [word(1, "accepted", None)], "one who goes is enough");
}

#[tokio::test]
async fn what_was_handed_over_in_wecom_itself_is_kept_and_confuses_nothing() {
    let house = with_contacts(1).await;
    house.wecom(&failed("wm1", "customer_refused", 60)).await;
    house.consume().await;
    assert_eq!(words(&house).await, []);
    let kept = house.column("select reason as v from inbox_quarantine").await;
    assert_eq!(kept, ["a handover that was not asked for here"]);
}
