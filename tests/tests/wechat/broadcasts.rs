//! Broadcasts and app messages.

use serde_json::{Value, json};

use super::{THEN, somebody, wecom, wecom_with};

#[tokio::test]
async fn a_broadcast_is_a_task_that_a_member_sends_and_days_limit_it() {
    let (wecom, caller) = wecom_with(|settings| settings.dispatch_seconds = 30).await;
    caller.way("c", &["staff-01"]).await;
    let people = [somebody(), somebody()];
    let ids = people.each_ref().map(|person| wecom.scan("c", person).unwrap().external_userid);
    let make = async || {
        let external = [&ids[0], &ids[1], &"wm0".to_owned()];
        let body = json!({ "external_userid": external, "text": { "content": "新品" } });
        caller.post("externalcontact/add_msg_template", body).await
    };
    let made = make().await;
    assert_eq!(made["fail_list"], json!(["wm0"]));
    let msgid = made["msgid"].as_str().unwrap();
    let tasks = async |msgid: &str| caller.post("externalcontact/get_groupmsg_task", json!({ "msgid": msgid })).await;
    assert_eq!(tasks(msgid).await["errcode"], 41063);
    wecom.set_clock(Some(THEN + 30));
    assert_eq!(tasks(msgid).await["task_list"], json!([{ "userid": "staff-01", "status": 0 }]));
    wecom.delete_by_customer("staff-01", &people[1]).unwrap();
    assert!(wecom.press_send(msgid, "staff-01") && !wecom.press_send(msgid, "staff-01"));
    assert!(!wecom.press_send(msgid, "staff-02"), "nothing to send");
    assert_eq!(tasks(msgid).await["task_list"][0]["status"], 2);
    let statuses = async |msgid: &str| {
        let body = json!({ "msgid": msgid, "userid": "staff-01" });
        let list = caller.post("externalcontact/get_groupmsg_send_result", body).await["send_list"].clone();
        ids.each_ref().map(|id| {
            let of = list.as_array().unwrap().iter().find(|item| item["external_userid"] == id.as_str());
            of.unwrap()["status"].as_i64().unwrap()
        })
    };
    assert_eq!(statuses(msgid).await, [1, 2]);
    let second = make().await["msgid"].as_str().unwrap().to_owned();
    wecom.set_clock(Some(THEN + 60));
    assert!(wecom.press_send(&second, "staff-01"));
    assert_eq!(statuses(&second).await, [3, 2], "one a day");
    // Midnight in China has passed.
    wecom.set_clock(Some(THEN + 6_500));
    let third = make().await["msgid"].as_str().unwrap().to_owned();
    wecom.set_clock(Some(THEN + 6_530));
    assert!(wecom.press_send(&third, "staff-01"));
    assert_eq!(statuses(&third).await, [1, 2]);
}

#[tokio::test]
async fn limits_of_broadcasts() {
    let (wecom, caller) = wecom().await;
    let group = wecom.create_group("staff-01", "群").unwrap();
    let text = json!({ "content": "x" });
    for (body, code) in [
        (json!({ "external_userid": ["wm0"] }), 40058),
        (json!({ "external_userid": ["wm0"], "text": { "content": "x".repeat(4001) } }), 40058),
        (json!({ "external_userid": vec!["wm0"; 10_001], "text": text }), 40058),
        (json!({ "external_userid": ["wm0"], "text": text }), 41048),
        (json!({ "sender": "nobody", "text": text }), 40003),
        (json!({ "chat_type": "group", "text": text }), 40058),
        (
            json!({ "chat_type": "group", "sender": "staff-01", "text": text, "chat_id_list": vec![&group; 2001] }),
            40058,
        ),
        (json!({ "chat_type": "group", "sender": "staff-02", "text": text }), 41048),
        (json!({ "chat_type": "group", "sender": "staff-01", "text": text }), 0),
    ] {
        let shown: String = body.to_string().chars().take(90).collect();
        assert_eq!(caller.code("add_msg_template", body).await, code, "{shown}");
    }
    let msgid = wecom.broadcasts()[0].msgid.clone();
    assert!(wecom.press_send(&msgid, "staff-01"));
    let result =
        caller.post("externalcontact/get_groupmsg_send_result", json!({ "msgid": msgid, "userid": "staff-01" })).await;
    assert_eq!((&result["send_list"][0]["chat_id"], &result["send_list"][0]["status"]), (&json!(group), &json!(1)));
    for (msgid, code) in [(json!(null), 41046), (json!("msg0"), 41047)] {
        assert_eq!(caller.code("get_groupmsg_task", json!({ "msgid": msgid })).await, code);
    }
}

#[tokio::test]
async fn app_messages_reach_members_and_are_dropped_silently_when_too_many() {
    let (wecom, caller) = wecom_with(|settings| settings.messages_per_minute = 2).await;
    let message = |to: &str, text: &str| json!({ "touser": to, "msgtype": "text", "agentid": 1_000_002, "text": { "content": text } });
    let send = async |body: Value| caller.post("message/send", body).await;
    let answer = send(message("staff-01|nobody|staff-02", "a")).await;
    assert_eq!((&answer["errcode"], &answer["invaliduser"]), (&json!(0), &json!("nobody")));
    let with = |field: &str, value: Value| {
        let mut body = message("staff-03", "b");
        body[field] = value;
        body
    };
    for (body, code) in [
        (message("nobody", "a"), 81013),
        (message("", "a"), 40058),
        (message("staff-03", ""), 44004),
        (message("staff-03", &"x".repeat(2049)), 45002),
        (message(&vec!["staff-03"; 1001].join("|"), "a"), 40032),
        (with("agentid", json!(7)), 40056),
        (with("agentid", json!(null)), 41011),
        (with("msgtype", json!("poem")), 40008),
    ] {
        let shown: String = body.to_string().chars().take(90).collect();
        assert_eq!(send(body).await["errcode"], code, "{shown}");
    }
    let mut once = message("staff-04", "same");
    once["enable_duplicate_check"] = 1.into();
    for body in [message("staff-01", "b"), message("staff-01", "c"), once.clone(), once] {
        assert_eq!(send(body).await["errcode"], 0);
    }
    let delivered = |userid: &str| {
        let all = wecom.messages().into_iter().filter(|message| message.userid == userid);
        all.map(|message| message.is_delivered).collect::<Vec<_>>()
    };
    assert_eq!(delivered("staff-01"), [true, true, false]);
    assert_eq!(delivered("staff-04"), [true, false]);
    wecom.set_clock(Some(THEN + 61));
    send(message("staff-01", "d")).await;
    assert_eq!(delivered("staff-01").last(), Some(&true));
}
