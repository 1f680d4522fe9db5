//! Welcomes: at once, once, and each with an outcome.

use crate::support::{House, added, always, at, way};
use serde_json::{Value, json};

fn plan() -> Value {
    json!({ "reception": always(&[("li", None)]), "remark": "A店-{customer}",
        "welcome": {
            "variants": [{ "when": { "customer": "returning" }, "message": { "text": "欢迎回来，{customer}" } }],
            "default": { "text": "你好{customer}，我是{staff}，来自{code}",
                "attachments": [{ "kind": "coupon_link", "title": "新客券", "url": "https://shop.example/c/1" }] } } })
}

async fn outcomes(house: &House) -> Vec<String> {
    house.column("select coalesce(outcome, '-') as v from welcome order by id").await
}

#[tokio::test]
async fn who_adds_is_welcomed_within_the_callback_s_own_transaction_and_once() {
    let house = House::open().await;
    let code = house.code("contact_way", plan()).await;
    house.answer("add_contact_way", way("c1")).await;
    let state = code["state"].as_str().unwrap();
    let seconds = at(0).seconds();
    // Nothing has been consumed yet: the welcome does not wait for that.
    for nonce in ["a", "b"] {
        house.wecom_at(&added("li", "wm1", state, Some("W1"), seconds), seconds, nonce).await;
    }
    let asked = house.asked_for("welcome").await;
    let [welcome] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(welcome["welcome_code"], "W1");
    assert_eq!(welcome["until"], at(20).to_string());
    assert_eq!(welcome["message"]["text"], "你好{customer}，我是li，来自A店海报");
    assert_eq!(welcome["message"]["attachments"][0]["url"], "https://shop.example/c/1");
    assert_eq!(house.asked_for("set_remark").await[0]["remark"], "A店-{customer}");
    assert_eq!(house.asked_for("get_contact").await.len(), 1);
    house.app.clock().set(at(1)).await.unwrap();
    house.answer("welcome", json!({ "answer": "welcome_sent", "outcome": "sent" })).await;
    assert_eq!(outcomes(&house).await, ["sent"]);
    let told = house
        .column(
            "select data ->> '$.took_ms' || ' ' || (data ->> '$.outcome') as v from event where type = 'welcome.ended'",
        )
        .await;
    assert_eq!(told, ["1000 sent"]);
    // The half's code is the whole's: good once.
    let half = added("li", "wm1", state, Some("W1"), seconds + 1).replace("add_external", "add_half_external");
    house.wecom(&half).await;
    assert_eq!(outcomes(&house).await, ["sent"]);
}

#[tokio::test]
async fn who_comes_again_is_welcomed_as_such() {
    let house = House::open().await;
    let code = house.code("contact_way", plan()).await;
    let state = code["state"].as_str().unwrap();
    house.added("li", "wm1", state, Some("W1")).await;
    house.answer("welcome", json!({ "answer": "welcome_sent", "outcome": "already_welcomed" })).await;
    house.app.clock().set(at(60)).await.unwrap();
    house.added("li", "wm1", state, Some("W2")).await;
    assert_eq!(house.asked_for("welcome").await[0]["message"]["text"], "欢迎回来，{customer}");
    house.answer("welcome", json!({ "answer": "welcome_sent", "outcome": "missed" })).await;
    assert_eq!(outcomes(&house).await, ["already_welcomed", "missed"]);
}

#[tokio::test]
async fn what_cannot_be_sent_has_an_outcome_too() {
    let house = House::open().await;
    let code = house.code("contact_way", plan()).await;
    let state = code["state"].as_str().unwrap();
    // Came too late: the code is dead by now.
    house.wecom(&added("li", "wm1", state, Some("W1"), at(-21).seconds())).await;
    // The console welcomes, or the two chat already.
    house.wecom(&added("li", "wm2", state, None, at(0).seconds())).await;
    // By none of our codes.
    house.wecom(&added("li", "wm3", "", Some("W3"), at(0).seconds())).await;
    house.wecom(&added("li", "wm4", state, Some("W4"), at(0).seconds())).await;
    house.consume().await;
    house.give_up("welcome").await;
    assert_eq!(outcomes(&house).await, ["missed", "no_code", "nothing", "refused"]);
    assert_eq!(house.column("select count(*) || '' as v from event where type = 'welcome.ended'").await, ["4"]);
}

#[tokio::test]
async fn where_it_is_allowed_a_message_takes_the_welcome_s_place() {
    let house = House::open().await;
    let mut plan = plan();
    plan["welcome_by_message"] = json!(true);
    let code = house.code("contact_way", plan).await;
    house.added("li", "wm1", code["state"].as_str().unwrap(), None).await;
    let asked = house.asked_for("message_contacts").await;
    assert_eq!((&asked[0]["contacts"], &asked[0]["sender"]), (&json!(["wm1"]), &json!("li")));
    let task = |id: &str, failed: Value| json!({ "answer": "message_task", "message_id": id, "failed": failed, "over_limit": [] });
    house.answer("message_contacts", task("m1", json!([]))).await;
    // It is a task: whether the member of staff has pressed send is asked for.
    assert_eq!(open(&house).await, "1");
    let state = code["state"].as_str().unwrap();
    for (second, contact, failed) in [(1, "wm2", json!([])), (2, "wm3", json!([])), (3, "wm4", json!(["wm4"]))] {
        house.wait_until(second).await;
        house.added("li", contact, state, None).await;
        house.answer("message_contacts", task(&format!("m{}", second + 1), failed)).await;
    }
    let receipt = |contact: &str, status: &str, sent_at: Value| {
        let receipts = json!([{ "contact": contact, "staff": "li", "status": status, "sent_at": sent_at }]);
        json!({ "answer": "message_results", "tasks": [], "receipts": receipts })
    };
    for (second, told) in [
        (0, receipt("wm1", "sent", json!(at(300).to_string()))),
        (1, receipt("wm2", "not_a_contact", Value::Null)),
        (2, receipt("wm3", "waiting", Value::Null)),
    ] {
        house.wait_until(600 + second).await;
        let asked = house.asked_for("message_results").await;
        assert_eq!((asked.len(), &asked[0]["message_id"]), (1, &json!(format!("m{}", second + 1))));
        house.answer("message_results", told).await;
    }
    assert_eq!(outcomes(&house).await, ["sent_as_message", "refused", "-", "refused"]);
    let took = "select (data ->> 'took_ms') || '' as v from event where type = 'welcome.ended' and data ->> 'outcome' = 'sent_as_message'";
    assert_eq!(house.column(took).await, ["300000"], "until she pressed send");
    for hour in 1..=24 {
        house.wait_until(602 + hour * 3600).await;
        if open(&house).await == "0" {
            break;
        }
        house.answer("message_results", receipt("wm3", "waiting", Value::Null)).await;
    }
    let outcome = house.column("select outcome as v from welcome where value = 'wm3'").await;
    assert_eq!(outcome, ["missed"], "nobody has sent it for a day");
}

/// How many welcomes have not ended.
async fn open(house: &House) -> String {
    house.column("select count(*) || '' as v from welcome where ended_at is null").await.remove(0)
}

/// A name is personal: it is told by WeCom, sealed, and stands in no event and no call.
#[tokio::test]
async fn what_wecom_knows_of_a_contact_is_told_without_its_name() {
    let house = House::open().await;
    house.added("li", "wm1", "", None).await;
    house
        .answer(
            "get_contact",
            json!({ "answer": "contact", "contact": "wm1", "name": "欧阳小明", "union_id": "u1", "kind": "wechat",
                "follows": [{ "staff": "li", "since": at(0).to_string(), "remark": null, "state": null, "add_way": 1,
                    "tags": [{ "id": "t2", "name": "B", "group": "g" }, { "id": "t1", "name": "A", "group": "g" }] }] }),
        )
        .await;
    let events = house.column("select data as v from event where type = 'contact.detailed'").await;
    let told: Value = serde_json::from_str(&events[0]).unwrap();
    let kinds: Vec<_> = told["identities"].as_array().unwrap().iter().map(|who| who["kind"].clone()).collect();
    assert_eq!(kinds, [json!("wechat_union_id"), json!("wecom_external_user_id")]);
    assert_eq!(told["follows"][0]["tags"], json!(["t1", "t2"]));
    for table in ["event", "outbox"] {
        let column = if table == "event" { "data" } else { "request" };
        let rows = house.column(&format!("select {column} as v from {table}")).await;
        assert!(rows.iter().all(|row| !row.contains("小明")), "{table}");
    }
    let sealed = house.column("select typeof(name) || ' ' || (instr(name, '小明') > 0) as v from contact_detail").await;
    assert_eq!(sealed, ["blob 0"]);
}

fn half(contact: &str, state: &str, welcome_code: Option<&str>, seconds: i64) -> String {
    added("li", contact, state, welcome_code, seconds).replace("add_external", "add_half_external")
}

/// The code of a half that was used is the last: the whole comes without one.
#[tokio::test]
async fn the_whole_of_a_half_that_was_greeted_is_not_greeted_again() {
    for by_message in [false, true] {
        let house = House::open().await;
        let mut plan = plan();
        plan["welcome_by_message"] = json!(by_message);
        let code = house.code("contact_way", plan).await;
        let state = code["state"].as_str().unwrap();
        house.wecom(&half("wm1", state, Some("W1"), at(0).seconds())).await;
        house.answer("welcome", json!({ "answer": "welcome_sent", "outcome": "sent" })).await;
        house.app.clock().set(at(30)).await.unwrap();
        house.added("li", "wm1", state, None).await;
        assert_eq!(outcomes(&house).await, ["sent"], "{by_message}");
        assert!(house.asked_for("message_contacts").await.is_empty());
        let told = house.told().await;
        assert_eq!(told.iter().filter(|kind| *kind == "contact_added").count(), 2, "that it is whole is news");
    }
}

#[tokio::test]
async fn who_was_half_a_contact_is_new_when_it_is_whole() {
    let house = House::open().await;
    let code = house.code("contact_way", plan()).await;
    let state = code["state"].as_str().unwrap();
    house.wecom(&half("wm1", state, Some("W1"), at(-21).seconds())).await;
    assert_eq!(outcomes(&house).await, ["missed"]);
    house.added("li", "wm1", state, Some("W2")).await;
    let asked = house.asked_for("welcome").await;
    assert_eq!(asked[0]["message"]["text"], "你好{customer}，我是li，来自A店海报");
    // With another member of staff it is none.
    house.added("wang", "wm1", state, Some("W3")).await;
    let asked = house.asked_for("welcome").await;
    let again = asked.iter().find(|ask| ask["welcome_code"] == "W3").unwrap();
    assert_eq!(again["message"]["text"], "欢迎回来，{customer}");
}

/// Customers are told names, not ids.
#[tokio::test]
async fn a_welcome_says_the_names_of_staff_and_store() {
    let house = House::open().await;
    let mut plan = json!({ "reception": always(&[("li", None), ("wang", None)]),
        "welcome": { "default": { "text": "{store}的{staff}" } } });
    plan["reception"]["staff"][0]["members"][0]["name"] = json!("李莉");
    let code = house.code("contact_way", plan.clone()).await;
    let state = code["state"].as_str().unwrap();
    house.added("li", "wm1", state, Some("W1")).await;
    house.added("wang", "wm2", state, Some("W2")).await;
    plan["store_name"] = json!("人民广场店");
    let code = house.code("contact_way", plan).await;
    house.added("li", "wm3", code["state"].as_str().unwrap(), Some("W3")).await;
    let asked = house.asked_for("welcome").await;
    for (welcome_code, text) in [("W1", "shanghai-01的李莉"), ("W2", "shanghai-01的wang"), ("W3", "人民广场店的李莉")]
    {
        let said = asked.iter().find(|ask| ask["welcome_code"] == welcome_code).unwrap();
        assert_eq!(said["message"]["text"], text);
    }
    // The name of one store is not that of another's copy.
    let copy = json!({ "name": "副本", "store": "/east/shanghai-02" });
    let path = format!("/v1/channel-codes/{}/clone", code["id"].as_str().unwrap());
    let (status, copy) = house.call("POST", &path, Some(copy)).await;
    assert_eq!((status.as_u16(), &copy["plan"]["store_name"]), (201, &Value::Null));
}
