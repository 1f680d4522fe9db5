//! Customers: details, lists, remarks and tags.

use serde_json::{Value, json};
use siyu_tests::wechat::people::Person;
use siyu_tests::wecom::Wecom;

use super::{Caller, THEN, kinds, somebody, wecom, wecom_with};

async fn with_customer() -> (Wecom, Caller, Person, String) {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01"]).await;
    let person = somebody();
    let external = wecom.scan("c", &person).unwrap().external_userid;
    wecom.untold();
    (wecom, caller, person, external)
}

#[tokio::test]
async fn a_customer_s_record_tells_who_follows_since_when_and_by_which_state() {
    let (wecom, caller, person, external) = with_customer().await;
    let get = async |id: &str| caller.get("externalcontact/get", &format!("external_userid={id}")).await;
    let record = get(&external).await;
    let contact = &record["external_contact"];
    assert_eq!((&contact["name"], &contact["type"]), (&json!(person.name), &json!(1)));
    assert_eq!(contact["unionid"], json!(person.unionid));
    let follow = &record["follow_user"][0];
    assert_eq!((&follow["userid"], &follow["state"], &follow["add_way"]), (&json!("staff-01"), &json!("c"), &json!(1)));
    assert_eq!((&follow["createtime"], &follow["tags"]), (&json!(THEN), &json!([])));
    for (id, code) in [("", 41035), ("nonsense", 40096), ("wm0", 84061)] {
        assert_eq!(get(id).await["errcode"], code, "{id}");
    }
    // Deleted by the customer, the member still has the record; deleted by the member, it is gone.
    wecom.delete_by_customer("staff-01", &person).unwrap();
    assert_eq!(get(&external).await["errcode"], 0);
    wecom.delete_by_staff("staff-01", &person).unwrap();
    assert_eq!(get(&external).await["errcode"], 84061);
    assert_eq!(kinds(&wecom.untold()), ["del_follow_user", "del_external_contact"]);
    wecom.re_add("c", &person).unwrap();
    assert_eq!(get(&external).await["errcode"], 0);
    assert!(wecom.re_add("c", &person).is_err(), "they have each other");
    let nobody = somebody().without_unionid();
    let external = wecom.scan("c", &nobody).unwrap().external_userid;
    assert!(get(&external).await["external_contact"].get("unionid").is_none());
}

#[tokio::test]
async fn customers_are_listed_by_member_page_by_page() {
    let (wecom, caller) = wecom().await;
    caller.way("c", &["staff-01", "staff-02"]).await;
    let mut all: Vec<_> = (0..5).map(|_| wecom.scan("c", &somebody()).unwrap().external_userid).collect();
    let list = async |user: &str| caller.get("externalcontact/list", &format!("userid={user}")).await;
    assert_eq!(list("staff-01").await["external_userid"].as_array().unwrap().len(), 3);
    for (user, code) in [("staff-03", 84061), ("nobody", 40003), ("", 41009)] {
        assert_eq!(list(user).await["errcode"], code, "{user}");
    }
    let mut found = Vec::new();
    let mut cursor = json!("");
    loop {
        let body = json!({ "userid_list": ["staff-01", "staff-02"], "limit": 2, "cursor": cursor });
        let page = caller.post("externalcontact/batch/get_by_user", body).await;
        let records = page["external_contact_list"].as_array().unwrap();
        assert!(records.len() <= 2 && records.iter().all(|record| record["follow_info"]["tag_id"].is_array()));
        found.extend(
            records.iter().map(|record| record["external_contact"]["external_userid"].as_str().unwrap().to_owned()),
        );
        cursor = page["next_cursor"].clone();
        if cursor == "" {
            break;
        }
    }
    found.sort();
    all.sort();
    assert_eq!(found, all);
    for body in [
        json!({}),
        json!({ "userid_list": vec!["staff-01"; 101] }),
        json!({ "userid_list": ["staff-01"], "limit": 101 }),
    ] {
        assert_eq!(caller.code("batch/get_by_user", body.clone()).await, 40058, "{body}");
    }
}

#[tokio::test]
async fn remarks_have_lengths_and_cause_no_callback_unless_made_in_wecom() {
    let (wecom, caller, person, external) = with_customer().await;
    let with = |field: &str, value: Value| {
        let mut body = json!({ "userid": "staff-01", "external_userid": external });
        body[field] = value;
        body
    };
    for (body, code) in [
        (with("remark", json!("好".repeat(20))), 0),
        (with("remark", json!("好".repeat(21))), 40058),
        (with("description", json!("d".repeat(151))), 40058),
        (with("remark_company", json!("c".repeat(21))), 40058),
        (with("remark_mobiles", json!(["10000000000"])), 0),
        (with("userid", json!("staff-01")), 40058),
        (json!({ "userid": "staff-02", "external_userid": external, "remark": "r" }), 84061),
        (json!({ "userid": "nobody", "external_userid": external, "remark": "r" }), 40003),
    ] {
        assert_eq!(caller.code("remark", body.clone()).await, code, "{body}");
    }
    assert_eq!(wecom.follow("staff-01", &person).unwrap().remark.mobiles, ["10000000000"]);
    assert_eq!(caller.code("remark", with("remark_mobiles", json!([""]))).await, 0);
    let remark = wecom.follow("staff-01", &person).unwrap().remark;
    assert_eq!((remark.mobiles.len(), remark.name), (0, "好".repeat(20)), "only what is given changes");
    assert!(wecom.untold().is_empty());
    wecom.remark_in_console("staff-01", &person, "老客户").unwrap();
    let told = wecom.untold();
    assert_eq!(kinds(&told), ["edit_external_contact"]);
    assert_eq!((&told[0].content["ExternalUserID"], &told[0].content["State"]), (&json!(external), &json!("c")));
}

#[tokio::test]
async fn tags_have_groups_names_and_owners() {
    let (wecom, caller) = wecom_with(|settings| settings.tags = 4).await;
    let add = async |group: &str, names: &[&str]| {
        let tags: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
        caller.post("externalcontact/add_corp_tag", json!({ "group_name": group, "tag": tags })).await
    };
    let made = add("门店", &["A", "B"]).await;
    let group = &made["tag_group"];
    let tag = group["tag"][0]["id"].clone();
    assert_eq!(add("门店", &["A"]).await["errcode"], 40071);
    assert_eq!(add("门店", &["C", "C"]).await["errcode"], 40071);
    assert_eq!(add("渠道", &["好".repeat(31).as_str()]).await["errcode"], 40072);
    assert_eq!(add("", &["X"]).await["errcode"], 40072);
    assert_eq!(add("渠道", &[]).await["errcode"], 40058);
    assert_eq!(add("渠道", &["A"]).await["errcode"], 0, "names are unique in a group only");
    let console = wecom.make_tag_in_console("门店", "D").unwrap();
    assert_eq!(add("门店", &["E"]).await["errcode"], 40126);
    let by_id = json!({ "group_id": "et0", "tag": [{ "name": "F" }] });
    assert_eq!(caller.code("add_corp_tag", by_id).await, 40068);
    for (body, code) in [
        (json!({ "id": tag, "name": "B" }), 40071),
        (json!({ "id": tag, "name": "A2", "order": 3 }), 0),
        (json!({ "id": group["group_id"], "name": "渠道" }), 40071),
        (json!({ "id": group["group_id"], "name": "店" }), 0),
        (json!({ "id": "et0", "name": "x" }), 40068),
        (json!({ "id": console, "name": "x" }), 48002),
    ] {
        assert_eq!(caller.code("edit_corp_tag", body.clone()).await, code, "{body}");
    }
    let list = async |body: Value| caller.post("externalcontact/get_corp_tag_list", body).await["tag_group"].clone();
    let all = list(json!({})).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!((&all[0]["group_name"], &all[0]["tag"][0]["name"]), (&json!("店"), &json!("A2")));
    let some = list(json!({ "tag_id": [tag] })).await;
    assert_eq!(some[0]["tag"].as_array().unwrap().len(), 1);
    for (body, code) in [
        (json!({ "tag_id": ["et0"] }), 40068),
        (json!({ "tag_id": [console] }), 48002),
        (json!({}), 40058),
        (json!({ "tag_id": [tag] }), 0),
    ] {
        assert_eq!(caller.code("del_corp_tag", body.clone()).await, code, "{body}");
    }
    let told = wecom.untold();
    assert_eq!(kinds(&told), ["create"], "only the console's change is told");
    assert_eq!((&told[0].content["Event"], &told[0].content["Id"]), (&json!("change_external_tag"), &json!(console)));
}

#[tokio::test]
async fn a_tag_sits_on_a_member_and_a_customer() {
    let (wecom, caller) = wecom_with(|settings| settings.tags_per_customer = 2).await;
    caller.way("c", &["staff-01", "staff-02"]).await;
    let person = somebody();
    let external = wecom.scan("c", &person).unwrap().external_userid;
    wecom.untold();
    let tags = json!([{ "name": "A" }, { "name": "B" }, { "name": "C" }]);
    let made = caller.post("externalcontact/add_corp_tag", json!({ "group_name": "g", "tag": tags })).await;
    let id = |place: usize| made["tag_group"]["tag"][place]["id"].as_str().unwrap().to_owned();
    let mark = |userid: &str, add: Value, remove: Value| json!({ "userid": userid, "external_userid": external, "add_tag": add, "remove_tag": remove });
    for (body, code) in [
        (mark("staff-01", json!([id(0), id(1)]), json!([])), 0),
        (mark("staff-01", json!([id(2)]), json!([])), 40126),
        (mark("staff-01", json!([id(2)]), json!([id(0)])), 0),
        (mark("staff-01", json!(["et0"]), json!([])), 40068),
        (mark("staff-01", json!([]), json!([])), 40058),
        (mark("staff-02", json!([id(0)]), json!([])), 84061),
    ] {
        assert_eq!(caller.code("mark_tag", body.clone()).await, code, "{body}");
    }
    assert_eq!(wecom.tags("staff-01", &person), ["B", "C"]);
    let record = caller.get("externalcontact/get", &format!("external_userid={external}")).await;
    assert_eq!(record["follow_user"][0]["tags"][0]["group_name"], "g");
    assert!(wecom.untold().is_empty());
    wecom.edit_tags_in_console("staff-01", &person, &[], &[&id(1)]).unwrap();
    assert_eq!(kinds(&wecom.untold()), ["edit_external_contact"]);
    wecom.delete_tag_in_console(&id(2)).unwrap();
    assert_eq!(wecom.tags("staff-01", &person), Vec::<String>::new());
    assert_eq!(kinds(&wecom.untold()), ["delete"]);
}
