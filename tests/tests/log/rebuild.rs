//! What is a function of the log is the same when it is made again from an empty table.

use rusqlite::Connection;
use siyu_tests::rebuild;

use crate::grown::Merchant;

fn lines(rebuilt: &rebuild::Rebuilt) -> Vec<String> {
    rebuilt.differences.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn projections_made_again_from_the_log_are_identical() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.db");
    let mut merchant = Merchant::open(&log, 3).await;
    merchant.play(45).await;
    let rebuilt = rebuild::run(&log, None).await.unwrap();
    assert_eq!(lines(&rebuilt), Vec::<String>::new());
    assert_eq!(rebuilt.left_out, Vec::<String>::new());
    let may_be_empty = [
        "channels: touch_message",
        "channels: channel_merge",
        "channels: code_tagging",
        "channels: attribution_setting",
        "customers: identity_hint",
        "customers: member_program",
        "customers: member_card",
        "customers: point_debt",
    ];
    for (what, rows) in &rebuilt.compared {
        assert!(*rows > 0 || may_be_empty.contains(&what.as_str()), "{what} has no rows");
    }
    assert!(rebuilt.applied > 3_000, "{}", rebuilt.applied);
}

#[tokio::test]
async fn what_differs_is_found_and_what_people_have_done_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.db");
    let mut merchant = Merchant::open(&log, 4).await;
    merchant.play(15).await;
    let spoil = |sql: &str| Connection::open(&log).unwrap().execute_batch(sql).unwrap();
    spoil(
        "update attribution set amount = amount + 1
          where model = 'linear' and order_id = (select min(order_id) from attribution where amount > 0)",
    );
    spoil("delete from customer_tag where customer = (select min(customer) from customer_tag)");
    spoil("update customer_order set paid = paid + 1 where order_id = (select max(order_id) from customer_order)");
    let rebuilt = rebuild::run(&log, None).await.unwrap();
    let found: Vec<&str> = rebuilt.differences.iter().map(|found| found.what.as_str()).collect();
    assert_eq!(found, ["tagging: customer_tag", "channels: attribution", "customers: customer_order"]);
    assert!(rebuilt.differences.iter().all(|found| !found.rows.is_empty()));

    spoil(
        "insert into identity_decision (low, high, same, by, reason, at) select min(id), max(id), 0, 'first', 'x', 0 from identity",
    );
    let rebuilt = rebuild::run(&log, None).await.unwrap();
    assert!(rebuilt.left_out.contains(&"customers: customer: people have decided who is who".to_owned()));
    assert!(rebuilt.compared.iter().any(|(what, _)| what == "customers: customer_activity"));
}
