//! A merchant with tags, customers and a WeCom.

use crate::support::{House, at};
use domain::{
    CustomerId, CustomerIdentified, CustomerMerged, CustomerSplit, Event, Identity, IdentityKind, RuleId, TagDefined,
    TagEvent, TagGroupId, TagId, UnixMs, Version,
};
use kit::{Cx, DbError};
use serde_json::{Value, json};

pub const LIST: &str = "/v1/channels/wecom/tag-groups";

pub fn group() -> TagGroupId {
    TagGroupId::new(UnixMs::EPOCH, [1; 10])
}

pub fn tag(number: u8) -> TagId {
    TagId::new(UnixMs::EPOCH, [number; 10])
}

pub fn customer(number: u8) -> CustomerId {
    CustomerId::new(UnixMs::EPOCH, [number; 10])
}

pub async fn run(house: &House, sql: String) {
    run_all(house, vec![sql]).await;
}

/// Statements in one transaction.
pub async fn run_all(house: &House, statements: Vec<String>) {
    let now = house.now().await;
    let write = move |tx: &kit::Tx<'_>| statements.iter().try_for_each(|sql| tx.run(sql, &[]));
    let wrote: Result<(), DbError> = house.app.db().write(&Cx::at(now), write).await;
    wrote.unwrap();
}

/// Tags 1 and 2 of a group, as tagging keeps them.
pub async fn with_tags() -> House {
    let house = House::open().await;
    let id = group();
    run(
        &house,
        format!("insert into tag_group (id, name, single, owner, created_at) values ('{id}', '口味', 0, '/', 0)"),
    )
    .await;
    make(&house, 1, "草莓").await;
    make(&house, 2, "抹茶").await;
    house
}

async fn make(house: &House, number: u8, name: &str) {
    let (id, group) = (tag(number), group());
    let sql =
        format!("insert into tag (id, tag_group, name, created_at) values ('{id}', '{group}', '{name}', {number})");
    run(house, sql).await;
}

/// Tagging makes or renames a tag.
pub fn defined(number: u8, name: &str) -> Event {
    Event::TagDefined(TagDefined {
        v: Version,
        tag_id: Some(tag(number)),
        tag_group_id: group(),
        name: Some(name.to_owned()),
        group_name: "口味".to_owned(),
        at: at(0),
    })
}

/// The same house; the group is kept at WeCom, which has made `et1` and `et2`.
pub async fn synced() -> House {
    let house = with_tags().await;
    let (status, body) = house.call("PUT", &format!("{LIST}/{}", group()), None).await;
    assert_eq!(status, 202, "{body}");
    house.answer("add_tags", made()).await;
    house.wait_until(1).await;
    house
}

/// WeCom's answer: group `eg1` with `et1` and `et2`.
pub fn made() -> Value {
    json!({ "answer": "tags_added", "id": "eg1", "name": "口味",
            "tags": [{ "id": "et1", "name": "草莓" }, { "id": "et2", "name": "抹茶" }] })
}

pub fn done() -> Value {
    json!({ "answer": "done" })
}

/// Somebody adds a member of staff; the questions that follow are answered, without tags.
pub async fn meets(house: &House, staff: &str, contact: &str) {
    house.added(staff, contact, "", None).await;
    settle(house).await;
}

/// Questions about contacts that wait are dropped: what they would bring is another test's.
pub async fn settle(house: &House) {
    run(house, "delete from outbox where operation = 'get_contact'".to_owned()).await;
}

pub async fn is(house: &House, number: u8, contact: &str) {
    house.happened(identified(number, contact)).await;
}

pub fn identified(number: u8, contact: &str) -> Event {
    let who = Identity { kind: IdentityKind::WecomExternalUserId, scope: None, value: contact.to_owned() };
    let (v, at) = (Version, at(0));
    Event::CustomerIdentified(CustomerIdentified {
        v,
        customer_id: customer(number),
        new: true,
        identities: vec![who],
        at,
    })
}

pub fn merged(into: u8, other: u8) -> Event {
    let (v, by, reason, at) = (Version, None, None, at(0));
    Event::CustomerMerged(CustomerMerged { v, customer_id: customer(into), merged_id: customer(other), by, reason, at })
}

pub fn split(from: u8, other: u8) -> Event {
    let (v, by, reason, at) = (Version, None, None, at(0));
    Event::CustomerSplit(CustomerSplit { v, customer_id: customer(from), split_id: customer(other), by, reason, at })
}

fn event(number: u8, tag_number: u8, by: Option<&str>) -> TagEvent {
    TagEvent {
        v: Version,
        customer_id: customer(number),
        tag_id: tag(tag_number),
        rule_id: by.is_none().then(|| RuleId::new(UnixMs::EPOCH, [9; 10])),
        by: by.map(str::to_owned),
        at: at(2),
    }
}

/// A tag is given or taken by a rule, or by a person; as tagging books it, on the customer itself.
pub async fn tagged(house: &House, number: u8, tag_number: u8, present: bool, by: Option<&str>) {
    let event = event(number, tag_number, by);
    let event = if present { Event::TagAdded(event) } else { Event::TagRemoved(event) };
    let now = house.now().await;
    let subject = customer(number).to_string();
    let write = move |tx: &kit::Tx<'_>| kit::events::append(tx, "/functions/tagging", &subject, &event).map(drop);
    house.app.db().write(&Cx::at(now), write).await.map_err(|error: DbError| error).unwrap();
    house.consume().await;
}

/// What waits to be marked, by staff: `["li +et1", "wang -et2"]`.
pub async fn marks(house: &House) -> Vec<String> {
    let mut found: Vec<String> = house
        .asked_for("mark_tags")
        .await
        .iter()
        .map(|ask| {
            let list = |field: &str, sign: &str| {
                let ids = ask[field].as_array().unwrap().iter();
                ids.map(|id| format!(" {sign}{}", id.as_str().unwrap())).collect::<String>()
            };
            format!("{}{}{}", ask["staff"].as_str().unwrap(), list("add", "+"), list("remove", "-"))
        })
        .collect();
    found.sort();
    found
}

/// All waiting marks are made by WeCom.
pub async fn all_marked(house: &House) {
    for _ in 0..house.asked_for("mark_tags").await.len() {
        house.answer("mark_tags", done()).await;
    }
}

/// A member of staff changes something in WeCom: it calls back, is asked, and tells who the contact is marked with what.
pub async fn edited(house: &House, contact: &str, follows: &[(&str, &[&str])]) {
    let seconds = house.now().await.seconds();
    let staff = follows.first().unwrap().0;
    let fields = format!(
        "<CreateTime>{seconds}</CreateTime><Event>change_external_contact</Event><ChangeType>edit_external_contact</ChangeType>\
         <UserID>{staff}</UserID><ExternalUserID>{contact}</ExternalUserID>"
    );
    assert_eq!(house.wecom(&fields).await.status, 200);
    house.answer("get_contact", contact_of(contact, follows)).await;
}

/// What WeCom tells of a contact.
pub fn contact_of(contact: &str, follows: &[(&str, &[&str])]) -> Value {
    let follows: Vec<_> = follows
        .iter()
        .map(|(staff, tags)| {
            let tags: Vec<_> = tags.iter().map(|id| json!({ "id": id, "name": "标签", "group": "口味" })).collect();
            json!({ "staff": staff, "since": "2026-02-14T01:30:00Z", "tags": tags })
        })
        .collect();
    json!({ "answer": "contact", "contact": contact, "follows": follows })
}

/// What channels have told of tags: `["+1 wecom li"]`.
pub async fn told(house: &House) -> Vec<String> {
    house
        .column(
            "select case type when 'tag.added' then '+' else '-' end || (data ->> '$.tag_id') || ' ' || (data ->> '$.by') as v
               from event where source = '/functions/channels' and type in ('tag.added', 'tag.removed') order by seq",
        )
        .await
        .into_iter()
        .map(|line| line.replace(&tag(1).to_string(), "1").replace(&tag(2).to_string(), "2"))
        .collect()
}

/// Tags change at WeCom, which calls back and then tells all of its tags.
pub async fn listed(house: &House, wecom_id: &str, groups: Value) {
    let seconds = house.now().await.seconds();
    let fields = format!(
        "<CreateTime>{seconds}</CreateTime><Event>change_external_tag</Event><ChangeType>update</ChangeType>\
         <Id>{wecom_id}</Id><TagType>tag</TagType>"
    );
    assert_eq!(house.wecom(&fields).await.status, 200);
    house.consume().await;
    house.answer("list_tags", json!({ "answer": "tags", "groups": groups })).await;
}
