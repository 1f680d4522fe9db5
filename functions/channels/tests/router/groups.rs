//! Group chats: chains that switch before a chat is full, and who is in them.

use crate::support::{House, at};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn group(id: &str, members: &[(&str, Option<&str>)]) -> Value {
    let mut list: Vec<_> = members
        .iter()
        .map(|(id, state)| json!({ "id": id, "is_staff": false, "union_id": null, "joined_at": at(5).to_string(), "join_scene": 3, "state": state }))
        .collect();
    list.push(
        json!({ "id": "li", "is_staff": true, "union_id": null, "joined_at": null, "join_scene": 1, "state": null }),
    );
    json!({ "answer": "group", "group": id, "name": "福利群", "owner": "li", "created_at": null, "members": list, "version": "v1" })
}

fn changed(change: &str, id: &str, seconds: i64, detail: &str) -> String {
    format!(
        "<CreateTime>{seconds}</CreateTime><Event>change_external_chat</Event><ChatId>{id}</ChatId>\
         <ChangeType>{change}</ChangeType>{detail}"
    )
}

fn chats(change: &str, id: &str, seconds: i64) -> String {
    let detail = "<UpdateDetail>add_member</UpdateDetail><JoinScene>3</JoinScene><QuitScene>0</QuitScene><MemChangeCnt>1</MemChangeCnt>";
    changed(change, id, seconds, detail)
}

/// Who left, and why.
fn left() -> String {
    "select data ->> '$.identities[0].value' || ' ' || coalesce(data ->> '$.activity.reason', '-') as v from event
      where data ->> '$.activity.kind' = 'group_left' order by seq"
        .to_owned()
}

#[tokio::test]
async fn a_chain_leads_into_the_next_chat_before_one_is_full() {
    let house = House::open().await;
    let code = house.code("group_way", json!({ "groups": ["g1", "g2"], "group_size": 3 })).await;
    let state = code["state"].as_str().unwrap();
    assert_eq!(house.asked_for("add_join_way").await[0]["way"]["groups"], json!(["g1", "g2"]));
    house
        .answer(
            "add_join_way",
            json!({ "answer": "join_way_added", "config_id": "j1", "qr_code": "https://w.example/j" }),
        )
        .await;
    house.wecom(&chats("update", "g1", at(1).seconds())).await;
    house.wecom(&chats("update", "g1", at(2).seconds())).await;
    assert_eq!(house.asked_for("get_group").await.len(), 2, "calls about one chat that wait are one");
    house.answer("get_group", group("g1", &[("wm1", Some(state)), ("wm2", None)])).await;
    assert_eq!(house.asked_for("update_join_way").await[0]["way"]["groups"], json!(["g2"]));
    let joined = house
        .column("select (data ->> '$.activity.code' is not null) || ' ' || coalesce(data ->> '$.channel', '-') as v from event
                  where data ->> '$.activity.kind' = 'group_joined' order by seq")
        .await;
    assert_eq!(joined, ["1 metro", "0 -"]);
    // One is removed: there is room again, and that is told with the reason.
    let removed = "<UpdateDetail>del_member</UpdateDetail><QuitScene>1</QuitScene><MemChangeList><Item>wm2</Item></MemChangeList>";
    house.wecom(&changed("update", "g1", at(3).seconds(), removed)).await;
    house.answer("get_group", group("g1", &[("wm1", Some(state))])).await;
    assert_eq!(house.column(&left()).await, ["wm2 removed"]);
    let scenes = house
        .column("select data ->> '$.activity.scene' as v from event where data ->> '$.activity.kind' = 'group_joined'")
        .await;
    assert_eq!(scenes, ["code", "code"]);
    assert_eq!(house.asked_for("update_join_way").await[0]["way"]["groups"], json!(["g1", "g2"]));
}

#[tokio::test]
async fn a_chat_that_is_dismissed_is_led_into_no_more() {
    let house = House::open().await;
    house.code("group_way", json!({ "groups": ["g1", "g2"] })).await;
    house
        .answer(
            "add_join_way",
            json!({ "answer": "join_way_added", "config_id": "j1", "qr_code": "https://w.example/j" }),
        )
        .await;
    house.wecom(&chats("dismiss", "g1", at(1).seconds())).await;
    assert_eq!(house.asked_for("update_join_way").await[0]["way"]["groups"], json!(["g2"]));
}

#[tokio::test]
async fn all_leave_a_chat_that_is_dismissed_and_a_late_list_brings_nobody_back() {
    let house = House::open().await;
    house.wecom(&chats("update", "g1", at(1).seconds())).await;
    house.answer("get_group", group("g1", &[("wm1", None), ("wm2", None)])).await;
    // One goes of their own accord, in a callback that names nobody.
    house
        .wecom(&changed(
            "update",
            "g1",
            at(2).seconds(),
            "<UpdateDetail>del_member</UpdateDetail><QuitScene>0</QuitScene>",
        ))
        .await;
    house.answer("get_group", group("g1", &[("wm1", None)])).await;
    house.wecom(&chats("update", "g1", at(3).seconds())).await;
    house.wecom(&chats("dismiss", "g1", at(4).seconds())).await;
    house.answer("get_group", group("g1", &[("wm1", None)])).await;
    assert_eq!(house.column(&left()).await, ["wm2 -", "wm1 dismissed"]);
    let joined =
        house.column("select count(*) || '' as v from event where data ->> '$.activity.kind' = 'group_joined'").await;
    assert_eq!(joined, ["2"]);
}

/// A chain over chats that are there already leads past full ones at once, and callbacks that are lost are made good within the hour.
#[tokio::test]
async fn the_chats_of_a_chain_are_asked_about_when_it_is_made_and_every_hour() {
    let house = House::open().await;
    let plan = |groups: Value| json!({ "groups": groups, "group_size": 3 });
    let code = house.code("group_way", plan(json!(["g1", "g2"]))).await;
    let made = json!({ "answer": "join_way_added", "config_id": "j1", "qr_code": "https://w.example/j" });
    house.answer("add_join_way", made).await;
    let both = BTreeSet::from(["g1".to_owned(), "g2".to_owned()]);
    let chats = async || {
        let asked = house.asked_for("get_group").await;
        asked.iter().map(|ask| ask["group"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(chats().await, both);
    house.answer("get_group", group("g1", &[("wm1", None), ("wm2", None)])).await;
    house.answer("get_group", group("g2", &[])).await;
    assert_eq!(house.asked_for("update_join_way").await[0]["way"]["groups"], json!(["g2"]));
    house.answer("update_join_way", json!({ "answer": "done" })).await;
    // Nobody tells that one left and another joined.
    house.wait_until(3599).await;
    assert!(chats().await.is_empty());
    house.wait_until(3600).await;
    assert_eq!(chats().await, both);
    house.answer("get_group", group("g1", &[("wm2", None)])).await;
    house.answer("get_group", group("g2", &[("wm3", Some(code["state"].as_str().unwrap()))])).await;
    assert_eq!(house.column(&left()).await, ["wm1 -"]);
    assert_eq!(house.asked_for("update_join_way").await[0]["way"]["groups"], json!(["g1", "g2"]));
    let joined = "select count(*) || '' as v from event where data ->> '$.activity.kind' = 'group_joined'";
    assert_eq!(house.column(joined).await, ["3"]);
    // So are those of a chain that was changed; nobody is asked for one that is retired.
    let path = format!("/v1/channel-codes/{}", code["id"].as_str().unwrap());
    let change = json!({ "channel": "metro", "name": "A", "store": "/east/shanghai-01", "plan": plan(json!(["g3"])) });
    assert_eq!(house.call("PUT", &path, Some(change)).await.0, 200);
    assert_eq!(chats().await, BTreeSet::from(["g3".to_owned()]));
    house.answer("get_group", group("g3", &[])).await;
    assert_eq!(house.call("POST", &format!("{path}/retire"), None).await.0, 200);
    house.wait_until(7200).await;
    assert!(chats().await.is_empty());
}
