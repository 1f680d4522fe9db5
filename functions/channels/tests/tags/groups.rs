//! Groups and tags at WeCom.

use crate::house::{
    LIST, all_marked, defined, group, is, listed, made, marks, meets, run, synced, tag, tagged, told, with_tags,
};
use domain::{Event, TagDefined, TagRetired, Version};
use serde_json::json;

#[tokio::test]
async fn tags_are_made_and_ids_are_kept() {
    let house = with_tags().await;
    let path = format!("{LIST}/{}", group());
    let (status, body) = house.call("PUT", &path, None).await;
    assert_eq!((status.as_u16(), &body["state"]), (202, &json!("creating")));
    let asked = house.asked_for("add_tags").await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["group_name"], "口味");
    assert_eq!(asked[0]["names"], json!(["抹茶", "草莓"]));
    // Again, before the answer: the same is not asked twice.
    assert_eq!(house.call("PUT", &path, None).await.0, 202);
    assert_eq!(house.asked_for("add_tags").await.len(), 1);

    house.answer("add_tags", made()).await;
    let list = house.get(LIST).await;
    let view = &list["items"][0];
    assert_eq!((&view["state"], &view["wecom_id"]), (&json!("synced"), &json!("eg1")));
    assert_eq!((&view["tags"][0]["wecom_id"], &view["tags"][1]["wecom_id"]), (&json!("et1"), &json!("et2")));
    assert_eq!(house.asked_for("add_tags").await.len(), 0);

    assert_eq!(house.call("DELETE", &path, None).await.0, 204);
    assert_eq!(house.call("DELETE", &path, None).await.0, 404);
    assert!(house.asked().await.iter().all(|(operation, _)| operation != "delete_tags"));
    assert_eq!(house.get(LIST).await["items"], json!([]));
}

#[tokio::test]
async fn a_tag_that_is_made_or_renamed_here_follows_at_wecom() {
    let house = synced().await;
    house.happened(defined(3, "芒果")).await;
    assert_eq!(
        house.asked_for("add_tags").await,
        [json!({ "ask": "add_tags", "group_id": "eg1", "group_name": null, "names": ["芒果"] })]
    );
    // Renamed while WeCom makes it: made under the name that was asked for, then renamed.
    house.happened(defined(3, "杨梅")).await;
    assert_eq!(house.asked_for("add_tags").await.len(), 1);
    house
        .answer(
            "add_tags",
            json!({ "answer": "tags_added", "id": "eg1", "name": "口味", "tags": [{ "id": "et3", "name": "芒果" }] }),
        )
        .await;
    assert_eq!(house.asked_for("edit_tag").await, [json!({ "ask": "edit_tag", "id": "et3", "name": "杨梅" })]);
    house.answer("edit_tag", json!({ "answer": "done" })).await;
    assert_eq!(house.get(LIST).await["items"][0]["state"], "synced");

    let group_name = "味道".to_owned();
    let renamed =
        TagDefined { v: Version, tag_id: None, tag_group_id: group(), name: None, group_name, at: house.now().await };
    house.happened(Event::TagDefined(renamed)).await;
    assert_eq!(house.asked_for("edit_tag").await, [json!({ "ask": "edit_tag", "id": "eg1", "name": "味道" })]);
}

#[tokio::test]
async fn what_is_renamed_or_new_at_wecom_is_shown_and_renames_nothing_here() {
    let house = synced().await;
    house.wait_until(10).await;
    let there = json!([{ "id": "eg1", "name": "口味", "tags": [
        { "id": "et1", "name": "大草莓" }, { "id": "et2", "name": "抹茶" }, { "id": "et9", "name": "香草" }] }]);
    listed(&house, "et1", there).await;
    let view = house.get(LIST).await["items"][0].clone();
    assert_eq!(view["state"], "trouble");
    assert_eq!((&view["tags"][0]["name"], &view["tags"][0]["wecom_name"]), (&json!("草莓"), &json!("大草莓")));
    assert!(view["tags"][0]["trouble"].as_str().unwrap().contains("大草莓"));
    assert_eq!(view["only_at_wecom"], json!(["香草"]));
    assert_eq!(told(&house).await, Vec::<String>::new());
    // Another tag of the group brings no name back; a PUT does.
    house.happened(defined(2, "抹茶")).await;
    assert_eq!(house.asked_for("edit_tag").await.len(), 0);
    assert_eq!(house.call("PUT", &format!("{LIST}/{}", group()), None).await.0, 202);
    assert_eq!(house.asked_for("edit_tag").await, [json!({ "ask": "edit_tag", "id": "et1", "name": "草莓" })]);
}

#[tokio::test]
async fn a_tag_that_is_deleted_at_wecom_stops_and_can_be_made_anew() {
    let house = synced().await;
    meets(&house, "li", "wmInvented1").await;
    is(&house, 1, "wmInvented1").await;
    tagged(&house, 1, 1, true, None).await;
    all_marked(&house).await;
    house.wait_until(10).await;
    let there = json!([{ "id": "eg1", "name": "口味", "tags": [{ "id": "et2", "name": "抹茶" }] }]);
    listed(&house, "et1", there).await;
    let view = house.get(LIST).await["items"][0].clone();
    assert!(view["tags"][0]["trouble"].as_str().unwrap().starts_with("deleted at WeCom"));
    assert_eq!(house.column("select tag as v from wecom_mark").await, Vec::<String>::new());
    // The customer has it still, here.
    assert_eq!(told(&house).await, Vec::<String>::new());
    tagged(&house, 1, 1, false, None).await;
    tagged(&house, 1, 1, true, None).await;
    assert_eq!(marks(&house).await, Vec::<String>::new());

    assert_eq!(house.call("PUT", &format!("{LIST}/{}", group()), None).await.0, 202);
    assert_eq!(house.asked_for("add_tags").await[0]["names"], json!(["草莓"]));
    let again =
        json!({ "answer": "tags_added", "id": "eg1", "name": "口味", "tags": [{ "id": "et7", "name": "草莓" }] });
    house.answer("add_tags", again).await;
    house.wait_until(11).await;
    assert_eq!(marks(&house).await, ["li +et7"]);
}

#[tokio::test]
async fn a_list_that_is_older_than_a_tag_deletes_nothing() {
    let house = synced().await;
    house.wait_until(10).await;
    house.happened(defined(3, "芒果")).await;
    // Asked before the tag is there, answered after.
    let seconds = house.now().await.seconds();
    let changed = format!(
        "<CreateTime>{seconds}</CreateTime><Event>change_external_tag</Event><ChangeType>update</ChangeType><Id>et2</Id><TagType>tag</TagType>"
    );
    house.wecom(&changed).await;
    house.consume().await;
    house.wait_until(11).await;
    house
        .answer(
            "add_tags",
            json!({ "answer": "tags_added", "id": "eg1", "name": "口味", "tags": [{ "id": "et3", "name": "芒果" }] }),
        )
        .await;
    let old = json!({ "answer": "tags", "groups": [{ "id": "eg1", "name": "口味", "tags": [
        { "id": "et1", "name": "草莓" }, { "id": "et2", "name": "抹茶" }] }] });
    house.answer("list_tags", old).await;
    assert_eq!(house.get(LIST).await["items"][0]["state"], "synced");
    assert_eq!(house.asked_for("list_tags").await.len(), 1, "it is asked again");
}

#[tokio::test]
async fn names_and_numbers_are_held_against_wecoms_limits() {
    let house = with_tags().await;
    let path = format!("{LIST}/{}", group());
    let long = "长".repeat(31);
    run(&house, format!("update tag set name = '{long}' where id = '{}'", tag(2))).await;
    let (status, problem) = house.call("PUT", &path, None).await;
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().unwrap().contains(&long));
    run(&house, format!("update tag set name = '抹茶' where id = '{}'", tag(2))).await;

    // Another group has 9,999 tags at WeCom.
    run(&house, "insert into wecom_tag_group (tag_group, name, created_at) values ('other', '别的', 0)".to_owned())
        .await;
    run(
        &house,
        "insert into wecom_tag (tag, tag_group, name)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 9999)
         select 't' || i, 'other', 'n' || i from n"
            .to_owned(),
    )
    .await;
    assert_eq!(house.call("PUT", &path, None).await.0, 409);
    run(&house, "delete from wecom_tag where tag = 't1'".to_owned()).await;
    assert_eq!(house.call("PUT", &path, None).await.0, 202);
}

#[tokio::test]
async fn a_tag_with_too_long_a_name_is_left_out_with_words() {
    let house = synced().await;
    house.happened(defined(3, &"长".repeat(31))).await;
    assert_eq!(house.asked_for("add_tags").await.len(), 0);
    let trouble = house.get(LIST).await["items"][0]["tags"][2]["trouble"].clone();
    assert!(trouble.as_str().unwrap().contains("30 characters"), "{trouble}");
    house.happened(defined(3, "芒果")).await;
    assert_eq!(house.asked_for("add_tags").await.len(), 1);
}

#[tokio::test]
async fn a_refusal_is_shown_and_a_put_asks_again() {
    let house = with_tags().await;
    let path = format!("{LIST}/{}", group());
    house.call("PUT", &path, None).await;
    house.give_up("add_tags").await;
    let view = house.get(LIST).await["items"][0].clone();
    assert_eq!(view["state"], "trouble");
    assert!(view["trouble"].as_str().unwrap().starts_with("40003"));
    assert_eq!(house.asked_for("add_tags").await.len(), 0);
    house.call("PUT", &path, None).await;
    assert_eq!(house.asked_for("add_tags").await.len(), 1);
}

#[tokio::test]
async fn a_group_of_many_tags_is_made_a_hundred_a_call() {
    let house = with_tags().await;
    run(
        &house,
        format!(
            "insert into tag (id, tag_group, name, created_at)
             with recursive n (i) as (select 1 union all select i + 1 from n where i < 150)
             select '01890a5d-ac96-774b-bcce-b30209' || (100000 + i), '{}', '标签' || i, i from n",
            group()
        ),
    )
    .await;
    house.call("PUT", &format!("{LIST}/{}", group()), None).await;
    for expected in [100, 52] {
        let asked = house.asked_for("add_tags").await;
        let names = asked[0]["names"].as_array().unwrap().clone();
        assert_eq!(names.len(), expected);
        let tags: Vec<_> = names.iter().map(|name| json!({ "id": format!("id {name}"), "name": name })).collect();
        house.answer("add_tags", json!({ "answer": "tags_added", "id": "eg1", "name": "口味", "tags": tags })).await;
    }
    assert_eq!(house.asked_for("add_tags").await.len(), 0);
    assert_eq!(house.get(LIST).await["items"][0]["state"], "synced");
}

/// A tag that was retired here is deleted there, with its marks; codes give it no longer.
#[tokio::test]
async fn a_tag_that_is_retired_here_goes_at_wecom_and_from_codes() {
    let house = synced().await;
    meets(&house, "li", "wmInvented1").await;
    is(&house, 1, "wmInvented1").await;
    tagged(&house, 1, 1, true, None).await;
    all_marked(&house).await;
    let plan = json!({ "target": { "url": "https://shop.example/" }, "tags": [tag(1), tag(2)] });
    let code = house.code("link", plan).await;
    let retired = TagRetired { v: Version, tag_id: tag(1), tag_group_id: group(), at: house.now().await };
    house.happened(Event::TagRetired(retired)).await;
    assert_eq!(house.asked_for("delete_tags").await, [json!({ "ask": "delete_tags", "tags": ["et1"], "groups": [] })]);
    assert_eq!(house.column("select tag as v from wecom_mark").await, Vec::<String>::new());
    assert_eq!(house.get(LIST).await["items"][0]["tags"].as_array().unwrap().len(), 1);
    let code = house.get(&format!("/v1/channel-codes/{}", code["id"].as_str().unwrap())).await;
    assert_eq!(code["plan"]["tags"], json!([tag(2)]));
    tagged(&house, 1, 1, false, None).await;
    assert_eq!(marks(&house).await, Vec::<String>::new());
}
