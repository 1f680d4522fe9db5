//! Customer groups and the join ways into them.

use serde_json::{Value, json};

use super::{kinds, somebody, wecom, wecom_with};

#[tokio::test]
async fn a_join_way_goes_on_to_the_next_group_when_one_is_full() {
    let (wecom, caller) = wecom_with(|settings| settings.group_size = 2).await;
    let groups = ["一", "二"].map(|name| wecom.create_group("staff-01", name).unwrap());
    let way = json!({
        "scene": 2, "chat_id_list": groups, "state": "group-1", "auto_create_room": 1, "room_base_name": "群", "room_base_id": 3,
    });
    let config_id = caller.post("externalcontact/groupchat/add_join_way", way).await["config_id"].clone();
    wecom.untold();
    let people = [somebody(), somebody(), somebody()];
    let joined = people.each_ref().map(|person| wecom.join_group("group-1", person).unwrap());
    assert_eq!([&joined[0].chat_id, &joined[1].chat_id], [&groups[0], &groups[1]], "the owner counts, too");
    assert!(joined[2].is_new);
    let told = wecom.untold();
    assert_eq!(kinds(&told), ["update", "update", "create", "update"]);
    let content = &told[0].content;
    let external = wecom.external_userid(&people[0]);
    assert_eq!(content["MemChangeList"], json!({ "Item": [external] }));
    assert_eq!((&content["UpdateDetail"], &content["JoinScene"]), (&json!("add_member"), &json!(3)));
    assert_ne!(content["LastMemVer"], content["CurMemVer"]);
    let get =
        async |id: &Value| caller.post("externalcontact/groupchat/get", json!({ "chat_id": id, "need_name": 1 })).await;
    let record = get(&json!(groups[0])).await["group_chat"].clone();
    assert_eq!(record["member_version"], content["CurMemVer"]);
    let member = &record["member_list"][1];
    assert_eq!(
        (&member["userid"], &member["state"], &member["type"]),
        (&json!(external), &json!("group-1"), &json!(2))
    );
    assert_eq!((&member["name"], &member["unionid"]), (&json!(people[0].name), &json!(people[0].unionid)));
    let read = caller.post("externalcontact/groupchat/get_join_way", json!({ "config_id": config_id })).await;
    let read = &read["join_way"];
    assert_eq!((read["chat_id_list"].as_array().unwrap().len(), &read["room_base_id"]), (3, &json!(4)));
    // Whoever is in one stays in it; whoever leaves makes room.
    assert_eq!(wecom.join_group("group-1", &people[0]).unwrap().chat_id, groups[0]);
    assert!(wecom.untold().is_empty());
    wecom.leave_group(&groups[0], &people[0]).unwrap();
    assert_eq!(wecom.untold()[0].content["QuitScene"], 0);
    assert!(wecom.leave_group(&groups[0], &people[0]).is_err());
    assert_eq!(wecom.join_group("group-1", &somebody()).unwrap().chat_id, groups[0]);
    wecom.untold();
    wecom.remove_from_group(&groups[1], &people[1]).unwrap();
    assert_eq!(wecom.untold()[0].content["QuitScene"], 1);
    wecom.dismiss_group(&groups[1]).unwrap();
    assert_eq!(kinds(&wecom.untold()), ["dismiss"]);
    assert_eq!(get(&json!(groups[1])).await["errcode"], 40050);
    let list = caller.post("externalcontact/groupchat/list", json!({ "limit": 10 })).await;
    assert_eq!(list["group_chat_list"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn without_new_groups_a_full_chain_lets_nobody_in() {
    let (wecom, caller) = wecom_with(|settings| settings.group_size = 2).await;
    let group = wecom.create_group("staff-01", "一").unwrap();
    let way = json!({ "scene": 2, "chat_id_list": [group], "state": "g", "auto_create_room": 0 });
    let config_id = caller.post("externalcontact/groupchat/add_join_way", way).await["config_id"].clone();
    wecom.join_group("g", &somebody()).unwrap();
    assert!(wecom.join_group("g", &somebody()).is_err());
    // The chain grows by an update, which the history shows.
    let second = wecom.create_group("staff-02", "二").unwrap();
    let update = json!({ "config_id": config_id, "scene": 2, "chat_id_list": [group, second], "state": "g", "auto_create_room": 0 });
    assert_eq!(caller.code("groupchat/update_join_way", update).await, 0);
    assert_eq!(wecom.join_group("g", &somebody()).unwrap().chat_id, second);
    assert_eq!(wecom.join_ways()[0].history.len(), 2);
    assert_eq!(caller.code("groupchat/del_join_way", json!({ "config_id": config_id })).await, 0);
    assert!(wecom.join_group("g", &somebody()).is_err());
}

#[tokio::test]
async fn limits_of_join_ways_and_lists() {
    let (wecom, caller) = wecom().await;
    let group = wecom.create_group("staff-01", "一").unwrap();
    let with = |field: &str, value: Value| {
        let mut way = json!({ "scene": 2, "chat_id_list": [group], "state": "g" });
        way[field] = value;
        way
    };
    for (body, code) in [
        (with("scene", json!(3)), 40058),
        (with("state", json!("s".repeat(31))), 40058),
        (with("room_base_name", json!("n".repeat(41))), 40058),
        (with("chat_id_list", json!(vec![&group; 6])), 41091),
        (with("chat_id_list", json!([])), 40050),
        (with("chat_id_list", json!(["wr0"])), 40050),
        (with("state", json!("s".repeat(30))), 0),
    ] {
        assert_eq!(caller.code("groupchat/add_join_way", body.clone()).await, code, "{body}");
    }
    for (body, code) in [
        (json!({}), 40058),
        (json!({ "limit": 1001 }), 40058),
        (json!({ "limit": 1, "owner_filter": { "userid_list": ["nobody"] } }), 40003),
        (json!({ "limit": 1, "owner_filter": { "userid_list": ["staff-02"] } }), 0),
    ] {
        assert_eq!(caller.code("groupchat/list", body.clone()).await, code, "{body}");
    }
    assert!(wecom.create_group("nobody", "x").is_err());
}
