//! Contact ways: limits, errors, and whom a scan reaches.

use serde_json::{Value, json};

use super::{THEN, somebody, wecom, wecom_with};

fn way(users: &[&str]) -> Value {
    json!({ "type": 2, "scene": 2, "state": "channel-1", "user": users })
}

#[tokio::test]
async fn limits_are_those_of_the_document() {
    let (wecom, caller) = wecom().await;
    wecom.set_inactive("staff-20", true);
    (100..201).for_each(|number| wecom.hire(&format!("many-{number}")));
    let many: Vec<_> = (100..201).map(|number| format!("many-{number}")).collect();
    let with = |field: &str, value: Value| {
        let mut way = way(&["staff-01"]);
        way[field] = value;
        way
    };
    let mut single = with("type", json!(1));
    for (body, code) in [
        (json!({ "scene": 2, "user": ["staff-01"] }), 41037),
        (with("type", json!(3)), 41039),
        (with("type", json!("2")), 41039),
        (json!({ "type": 1, "user": ["staff-01"] }), 41038),
        (with("scene", json!(9)), 41040),
        (with("state", json!("好".repeat(30))), 0),
        (with("state", json!("好".repeat(31))), 40058),
        (with("remark", json!("r".repeat(31))), 40058),
        (with("state", json!(7)), 40058),
        (with("user", json!("staff-01")), 40058),
        (with("user", json!([])), 40058),
        (with("user", json!(["nobody"])), 40003),
        (with("user", json!(["staff-20"])), 41054),
        (with("user", json!(many[..100])), 0),
        (with("user", json!(many)), 41041),
        (with("party", json!([77])), 40066),
        (with("conclusions", json!({ "text": { "content": "x".repeat(4001) } })), 40058),
        (with("expires_in", json!(14 * 86_400 + 1)), 40058),
        (with("is_exclusive", json!("true")), 40058),
        (single.clone(), 0),
        (json!("no object"), 40058),
    ] {
        assert_eq!(caller.code("add_contact_way", body.clone()).await, code, "{body}");
    }
    single["user"] = json!(["staff-01", "staff-02"]);
    assert_eq!(caller.code("add_contact_way", single).await, 40058);
}

#[tokio::test]
async fn ways_are_read_changed_listed_and_deleted() {
    let (wecom, caller) = wecom().await;
    wecom.set_department(3, &["staff-01", "staff-07"]);
    let first = caller.way("channel-1", &["staff-01"]).await;
    wecom.set_clock(Some(THEN + 10));
    let update =
        json!({ "config_id": first, "user": ["staff-02"], "party": [3], "remark": "门店", "type": 1, "scene": 1 });
    assert_eq!(caller.code("update_contact_way", update).await, 0);
    let read = caller.post("externalcontact/get_contact_way", json!({ "config_id": first })).await;
    let read = &read["contact_way"];
    assert_eq!((&read["type"], &read["scene"], &read["state"]), (&json!(2), &json!(2), &json!("channel-1")));
    assert_eq!((&read["user"], &read["remark"]), (&json!(["staff-02"]), &json!("门店")));
    let users = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let history = wecom.way("channel-1").unwrap().history;
    let expected =
        [(THEN * 1000, users(&["staff-01"])), ((THEN + 10) * 1000, users(&["staff-02", "staff-01", "staff-07"]))];
    assert_eq!(history, expected);
    // A refused update changes nothing.
    let empty = json!({ "config_id": first, "user": [], "party": [] });
    assert_eq!(caller.code("update_contact_way", empty).await, 40058);
    assert_eq!(wecom.way("channel-1").unwrap().users.len(), 3);
    for (config_id, code) in [(json!(null), 41043), (json!("cw0"), 41044)] {
        for api in ["get_contact_way", "update_contact_way", "del_contact_way"] {
            assert_eq!(caller.code(api, json!({ "config_id": config_id })).await, code, "{api}");
        }
    }
    let second = caller.way("channel-2", &["staff-01"]).await;
    let list = async |body: Value| caller.post("externalcontact/list_contact_way", body).await;
    let page = list(json!({ "limit": 1 })).await;
    assert_eq!(page["contact_way"], json!([{ "config_id": first }]));
    let page = list(json!({ "limit": 1, "cursor": page["next_cursor"] })).await;
    assert_eq!((&page["contact_way"], &page["next_cursor"]), (&json!([{ "config_id": second }]), &json!("")));
    assert_eq!(list(json!({ "limit": 1001 })).await["errcode"], 40058);
    assert_eq!(caller.code("del_contact_way", json!({ "config_id": first })).await, 0);
    assert_eq!(caller.code("get_contact_way", json!({ "config_id": first })).await, 41044);
    assert!(wecom.scan("channel-1", &somebody()).is_err());
}

#[tokio::test]
async fn contact_ways_and_join_ways_share_one_quota() {
    let (wecom, caller) = wecom_with(|settings| settings.ways = 2).await;
    let first = caller.way("a", &["staff-01"]).await;
    let group = wecom.create_group("staff-01", "群").unwrap();
    let join = json!({ "scene": 2, "chat_id_list": [group], "state": "g" });
    assert_eq!(caller.code("groupchat/add_join_way", join.clone()).await, 0);
    assert_eq!(caller.code("add_contact_way", way(&["staff-01"])).await, 41045);
    assert_eq!(caller.code("groupchat/add_join_way", join).await, 41045);
    assert_eq!(caller.code("del_contact_way", json!({ "config_id": first })).await, 0);
    assert_eq!(caller.code("add_contact_way", way(&["staff-01"])).await, 0);
}

#[tokio::test]
async fn scans_reach_members_in_turn_and_pass_over_who_is_full_or_gone() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01", "staff-02", "staff-03"]).await;
    let reached = |count: usize| (0..count).map(|_| wecom.scan("c", &somebody()).unwrap().userid).collect::<Vec<_>>();
    assert_eq!(reached(4), ["staff-01", "staff-02", "staff-03", "staff-01"]);
    wecom.set_capacity("staff-02", 1);
    wecom.resign("staff-03");
    assert_eq!(reached(2), ["staff-01", "staff-01"]);
    wecom.set_capacity("staff-01", 1);
    assert!(wecom.scan("c", &somebody()).is_err());
    assert!(wecom.scan_to("c", "staff-04", &somebody()).is_err(), "not on the way");
}

#[tokio::test]
async fn an_exclusive_way_keeps_one_member_for_each_customer() {
    let (wecom, caller) = wecom().await;
    let mut exclusive = way(&["staff-01", "staff-02", "staff-03"]);
    exclusive["is_exclusive"] = true.into();
    assert_eq!(caller.code("add_contact_way", exclusive).await, 0);
    let person = somebody();
    let first = wecom.scan("channel-1", &person).unwrap();
    wecom.scan("channel-1", &somebody()).unwrap();
    let again = wecom.scan("channel-1", &person).unwrap();
    assert_eq!((&again.userid, again.is_told), (&first.userid, false), "they have each other already");
    wecom.delete_by_customer(&first.userid, &person).unwrap();
    let back = wecom.scan("channel-1", &person).unwrap();
    assert_eq!((&back.userid, back.is_told), (&first.userid, true));
    // The usual kind gives a second member.
    caller.way("open", &["staff-01", "staff-02"]).await;
    wecom.scan("open", &somebody()).unwrap();
    assert_eq!(wecom.scan("open", &person).unwrap().userid, "staff-02");
}
