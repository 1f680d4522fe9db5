//! Follow-ups that are due.

use crate::house::{customer, run, run_all};
use crate::support::{House, at};
use domain::{Event, FollowUpDue, FollowUpId, UnixMs, Version};

async fn follow_up(house: &House, number: u8, seconds: i64) -> FollowUpDue {
    let (id, whose) = (FollowUpId::new(UnixMs::EPOCH, [number; 10]), customer(number));
    let next_at = at(seconds);
    let statements = vec![
        format!(
            "insert into customer (id, survivor, home, created_at, stage_since) values ('{whose}', '{whose}', {number}, 0, 0)"
        ),
        format!(
            "insert into identity (id, kind, value, customer, first_seen)
             values ({number}, 'member_card', 'M-{number}', '{whose}', 0)"
        ),
        format!(
            "insert into follow_up (id, customer, staff, outcome, stage, next_at, actor, created_at)
             values ('{id}', '{whose}', 'li', 'reached', 'lead', {}, 'token', 0)",
            next_at.millis()
        ),
    ];
    run_all(house, statements).await;
    FollowUpDue { v: Version, follow_up_id: id, customer_id: whose, staff: "li".to_owned(), next_at }
}

#[tokio::test]
async fn staff_are_reminded_once_with_an_id_and_a_link_only() {
    let house = House::open().await;
    let first = follow_up(&house, 1, -10).await;
    follow_up(&house, 2, -5).await;
    follow_up(&house, 3, 500).await;
    house.happened(Event::FollowUpDue(first)).await;
    house.consume().await;
    let asked = house.asked_for("message_staff").await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["staff"][0], "li");
    let text = asked[0]["text"].as_str().unwrap();
    assert!(text.contains(&customer(1).to_string()) && text.contains("2 个"), "{text}");
    assert_eq!(asked[0]["link"], format!("https://siyu.example/v1/customers/{}", customer(1)));
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_done_or_moved() {
    let house = House::open().await;
    let done = follow_up(&house, 1, -10).await;
    let moved = follow_up(&house, 2, -10).await;
    let finish =
        format!("update follow_up set done_at = 0, done_outcome = 'reached' where id = '{}'", done.follow_up_id);
    run(&house, finish).await;
    run(&house, format!("update follow_up set next_at = next_at + 1 where id = '{}'", moved.follow_up_id)).await;
    house.happened(Event::FollowUpDue(done)).await;
    house.happened(Event::FollowUpDue(moved)).await;
    assert_eq!(house.asked_for("message_staff").await.len(), 0);
}
