//! Marks: what customers' tags make of each pair of staff and contact.

use crate::house::{
    LIST, all_marked, group, identified, is, made, marks, meets, merged, run, settle, split, synced, tagged, with_tags,
};
use crate::support::removed;
use serde_json::json;

const CONTACT: &str = "wmInvented1";

#[tokio::test]
async fn a_customer_with_two_staff_is_marked_on_both_and_only_differences_are_sent() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    meets(&house, "wang", CONTACT).await;
    is(&house, 1, CONTACT).await;
    tagged(&house, 1, 1, true, None).await;
    assert_eq!(marks(&house).await, ["li +et1", "wang +et1"]);
    all_marked(&house).await;
    tagged(&house, 1, 2, true, Some("token")).await;
    assert_eq!(marks(&house).await, ["li +et2", "wang +et2"], "et1 is there");
    all_marked(&house).await;
    tagged(&house, 1, 1, false, None).await;
    assert_eq!(marks(&house).await, ["li -et1", "wang -et1"]);
    all_marked(&house).await;
    assert_eq!(marks(&house).await, Vec::<String>::new());
    tagged(&house, 1, 1, true, None).await;
    assert_eq!(marks(&house).await, ["li +et1", "wang +et1"], "and back");
}

#[tokio::test]
async fn a_waiting_call_is_replaced_by_the_whole_difference() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    tagged(&house, 1, 1, true, None).await;
    tagged(&house, 1, 2, true, None).await;
    assert_eq!(marks(&house).await, ["li +et1 +et2"]);
    // Taken back before it is sent; it may have been on its way, so that is said.
    tagged(&house, 1, 1, false, None).await;
    assert_eq!(marks(&house).await, ["li +et2 -et1"]);
    all_marked(&house).await;
    assert_eq!(house.column("select state as v from wecom_mark order by tag").await, ["gone", "marked"]);
}

#[tokio::test]
async fn a_later_contact_gets_the_tags_and_one_that_ends_forgets_them() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    tagged(&house, 1, 1, true, None).await;
    all_marked(&house).await;
    meets(&house, "wang", CONTACT).await;
    assert_eq!(marks(&house).await, ["wang +et1"]);
    all_marked(&house).await;

    house.wait_until(20).await;
    let seconds = house.now().await.seconds();
    house.wecom(&removed("del_follow_user", "wang", CONTACT, seconds)).await;
    house.consume().await;
    tagged(&house, 1, 2, true, None).await;
    assert_eq!(marks(&house).await, ["li +et2"]);
    all_marked(&house).await;
    house.wait_until(30).await;
    meets(&house, "wang", CONTACT).await;
    assert_eq!(marks(&house).await, ["wang +et1 +et2"]);
}

#[tokio::test]
async fn tags_from_before_the_sync_and_before_anybody_knew_who_it_is_are_marked() {
    let house = with_tags().await;
    meets(&house, "li", CONTACT).await;
    tagged(&house, 1, 1, true, None).await;
    is(&house, 1, CONTACT).await;
    house.call("PUT", &format!("{LIST}/{}", group()), None).await;
    house.answer("add_tags", made()).await;
    assert_eq!(marks(&house).await, Vec::<String>::new(), "a timer's work");
    house.wait_until(1).await;
    assert_eq!(marks(&house).await, ["li +et1"]);
    // Another customer, tagged before it was known whose the contact is.
    meets(&house, "wang", "wmInvented2").await;
    tagged(&house, 2, 2, true, None).await;
    is(&house, 2, "wmInvented2").await;
    assert_eq!(marks(&house).await, ["li +et1", "wang +et2"]);
}

#[tokio::test]
async fn a_merge_marks_all_contacts_with_all_tags_and_a_split_undoes_that() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    meets(&house, "wang", "wmInvented2").await;
    is(&house, 1, CONTACT).await;
    is(&house, 2, "wmInvented2").await;
    tagged(&house, 1, 1, true, None).await;
    tagged(&house, 2, 2, true, None).await;
    all_marked(&house).await;
    house.happened(merged(1, 2)).await;
    house.happened(identified(1, "wmInvented2")).await;
    assert_eq!(marks(&house).await, ["li +et2", "wang +et1"]);
    all_marked(&house).await;
    house.happened(split(1, 2)).await;
    house.happened(identified(2, "wmInvented2")).await;
    all_marked(&house).await;
    let rows = "select staff || ' ' || wecom_id as v from wecom_mark join wecom_tag using (tag)
                 where state = 'marked' order by 1";
    assert_eq!(house.column(rows).await, ["li et1", "wang et2"]);
}

#[tokio::test]
async fn a_persons_no_wins_over_rules_of_one_who_is_merged_in() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    tagged(&house, 1, 1, false, Some("token")).await;
    tagged(&house, 2, 1, true, None).await;
    house.happened(merged(1, 2)).await;
    assert_eq!(marks(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_refused_mark_is_shown_and_asked_again_with_the_next_change() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    tagged(&house, 1, 1, true, None).await;
    house.give_up("mark_tags").await;
    let trouble = house.get(LIST).await["items"][0]["tags"][0]["trouble"].clone();
    assert!(trouble.as_str().unwrap().starts_with("marking: 40003"), "{trouble}");
    tagged(&house, 1, 2, true, None).await;
    assert_eq!(marks(&house).await, ["li +et1 +et2"]);
    all_marked(&house).await;
    assert_eq!(house.get(LIST).await["items"][0]["state"], "synced");
}

#[tokio::test]
async fn what_is_not_kept_at_wecom_asks_nothing() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    tagged(&house, 1, 8, true, None).await;
    assert_eq!(marks(&house).await, Vec::<String>::new());
    assert_eq!(house.call("DELETE", &format!("{LIST}/{}", group()), None).await.0, 204);
    tagged(&house, 1, 1, true, None).await;
    assert_eq!(marks(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn more_than_3000_tags_on_a_contact_are_left_out_with_words() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    for sql in [
        "insert into wecom_tag (tag, tag_group, name, wecom_id, wecom_name, since)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
         select '01890a5d-ac96-774b-bcce-b3020' || (1000000 + i), (select tag_group from wecom_tag_group), 'n' || i, 'w' || i, 'n' || i, 0 from n",
        "insert into channel_customer_tag (customer, tag, present, word, at)
         select (select customer from channel_person), tag, 1, 0, 0 from wecom_tag where wecom_id like 'w%'",
    ] {
        run(&house, sql.to_owned()).await;
    }
    // Its id sorts first.
    tagged(&house, 1, 1, true, None).await;
    let asked = house.asked_for("mark_tags").await;
    assert_eq!(asked[0]["add"].as_array().unwrap().len(), 3000);
    let trouble = house.column("select trouble as v from wecom_tag where trouble is not null").await;
    assert_eq!(trouble.len(), 1);
    assert!(trouble[0].contains("3000 tags"), "{}", trouble[0]);
    assert_eq!(json!(asked[0]["add"][0]), "et1");
    settle(&house).await;
}
