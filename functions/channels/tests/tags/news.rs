//! Changes that staff make in WeCom.

use crate::house::{all_marked, contact_of, edited, is, listed, marks, meets, synced, tag, tagged, told};
use serde_json::json;

const CONTACT: &str = "wmInvented1";

#[tokio::test]
async fn a_tag_that_staff_put_on_comes_back_once_and_does_not_loop() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    meets(&house, "wang", CONTACT).await;
    is(&house, 1, CONTACT).await;
    house.wait_until(10).await;
    edited(&house, CONTACT, &[("li", &["et1", "foreign"]), ("wang", &[])]).await;
    assert_eq!(told(&house).await, ["+1 wecom li"]);
    assert_eq!(marks(&house).await, ["wang +et1"], "the other pair is marked, li's is");
    all_marked(&house).await;
    house.wait_until(20).await;
    edited(&house, CONTACT, &[("li", &["et1"]), ("wang", &["et1"])]).await;
    assert_eq!(told(&house).await, ["+1 wecom li"]);
    assert_eq!(marks(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn our_own_marks_are_no_news() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    house.wait_until(10).await;
    tagged(&house, 1, 1, true, None).await;
    // Asked for another reason while the mark is under way: it may be there or not.
    edited(&house, CONTACT, &[("li", &["et1"])]).await;
    house.wait_until(11).await;
    edited(&house, CONTACT, &[("li", &[])]).await;
    assert_eq!(told(&house).await, Vec::<String>::new());
    all_marked(&house).await;
    assert_eq!(house.column("select state as v from wecom_mark").await, ["marked"]);

    house.wait_until(20).await;
    tagged(&house, 1, 1, false, None).await;
    edited(&house, CONTACT, &[("li", &["et1"])]).await;
    assert_eq!(told(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_that_is_older_than_a_mark_is_asked_for_again() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    house.wait_until(10).await;
    tagged(&house, 1, 1, true, None).await;
    // Asked at 10, answered after the mark of 12.
    let seconds = house.now().await.seconds();
    let fields = format!(
        "<CreateTime>{seconds}</CreateTime><Event>change_external_contact</Event><ChangeType>edit_external_contact</ChangeType>\
         <UserID>li</UserID><ExternalUserID>{CONTACT}</ExternalUserID>"
    );
    house.wecom(&fields).await;
    house.wait_until(12).await;
    all_marked(&house).await;
    house.answer("get_contact", contact_of(CONTACT, &[("li", &[])])).await;
    assert_eq!(told(&house).await, Vec::<String>::new());
    assert_eq!(house.asked_for("get_contact").await.len(), 1);
    // The new answer is as new as the mark: a removal then is one.
    house.answer("get_contact", contact_of(CONTACT, &[("li", &[])])).await;
    assert_eq!(told(&house).await, ["-1 wecom li"]);
}

#[tokio::test]
async fn a_tag_is_lost_when_it_is_gone_at_every_staff() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    meets(&house, "wang", CONTACT).await;
    is(&house, 1, CONTACT).await;
    tagged(&house, 1, 1, true, None).await;
    all_marked(&house).await;
    house.wait_until(10).await;
    edited(&house, CONTACT, &[("li", &[]), ("wang", &["et1"])]).await;
    assert_eq!(told(&house).await, Vec::<String>::new());
    // What li took away is not forced back by something else.
    tagged(&house, 1, 2, true, None).await;
    assert_eq!(marks(&house).await, ["li +et2", "wang +et2"]);
    all_marked(&house).await;
    house.wait_until(20).await;
    edited(&house, CONTACT, &[("li", &["et2"]), ("wang", &["et2"])]).await;
    assert_eq!(told(&house).await, ["-1 wecom wang"]);
    assert_eq!(marks(&house).await, Vec::<String>::new());
    house.wait_until(30).await;
    edited(&house, CONTACT, &[("li", &["et2"]), ("wang", &["et2"])]).await;
    assert_eq!(told(&house).await.len(), 1, "once");
    // Given again, it is put on both again.
    tagged(&house, 1, 1, true, Some("token")).await;
    assert_eq!(marks(&house).await, ["li +et1", "wang +et1"]);
}

#[tokio::test]
async fn what_is_seen_before_anybody_knows_who_it_is_is_told_then() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    house.wait_until(10).await;
    edited(&house, CONTACT, &[("li", &["et2"])]).await;
    assert_eq!(told(&house).await, Vec::<String>::new());
    is(&house, 1, CONTACT).await;
    assert_eq!(told(&house).await, ["+2 wecom li"]);
    assert_eq!(marks(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_tag_that_is_being_deleted_at_wecom_takes_nothing_from_customers() {
    let house = synced().await;
    meets(&house, "li", CONTACT).await;
    is(&house, 1, CONTACT).await;
    tagged(&house, 1, 1, true, None).await;
    all_marked(&house).await;
    house.wait_until(10).await;
    let seconds = house.now().await.seconds();
    let deleted = format!(
        "<CreateTime>{seconds}</CreateTime><Event>change_external_tag</Event><ChangeType>delete</ChangeType><Id>et1</Id><TagType>tag</TagType>"
    );
    house.wecom(&deleted).await;
    house.consume().await;
    edited(&house, CONTACT, &[("li", &[])]).await;
    let there = json!([{ "id": "eg1", "name": "口味", "tags": [{ "id": "et2", "name": "抹茶" }] }]);
    listed(&house, "et1", there).await;
    assert_eq!(told(&house).await, Vec::<String>::new());
    assert_eq!(house.column("select tag as v from channel_customer_tag where present = 1").await, [tag(1).to_string()]);
}
