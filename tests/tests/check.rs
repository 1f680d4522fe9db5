//! Every check of a state directory holds of a new one, and finds what it is there for.

#![allow(clippy::unwrap_used, reason = "a test as a whole")]

use kit::db::Location;
use kit::{App, Client, Cx, DbError, Native, Variables};
use rusqlite::Connection;
use siyu_tests::check::{Books, checks};
use std::path::Path;

/// A customer of its own, a customer `b` who is part of `c`, and identities of each.
const PEOPLE: &str = "
    begin;
    insert into identity (id, kind, value, customer, first_seen) values (1, 'k', 'a', 'a', 0), (2, 'k', 'b', 'c', 0), (3, 'k', 'c', 'c', 0);
    insert into customer (id, survivor, home, created_at, stage_since) values ('a', 'a', 1, 0, 0), ('b', 'c', 2, 0, 0), ('c', 'c', 3, 0, 0);
    insert into tagging_customer (id, survivor, part_of) values ('a', 'a', null), ('c', 'c', null), ('b', 'c', 'c');
    insert into subject (kind, value, customer) values ('k', 'a', 'a'), ('k', 'b', 'b');
    insert into channel_person (kind, value, customer) values ('k', 'a', 'a'), ('k', 'b', 'b');
    insert into point_entry (seq, customer, kind, points, at) values (1, 'a', 'earn', 5, 0);
    insert into point_lot (entry, customer, points, remains, expires_at) values (1, 'a', 5, 5, 9);
    insert into customer_order (order_id, identity, paid_at, paid) values ('o', 1, 0, 9);
    insert into attributed_order (order_id, kind, scope, value, person, paid_at, day, paid, worth) values ('o', 'k', '', 'a', 'a', 0, 0, 9, 9);
    insert into attribution (order_id, model, part, day, amount, leads) select 'o', value, 0, 0, 9, 1
      from json_each('[\"first_touch\", \"last_touch\", \"linear\", \"time_decay\"]');
    commit;";

/// What makes each check complain: by what holds otherwise.
const SPOILT: [(&str, &str); 29] = [
    ("the database is whole", "insert into stock (sku, on_hand, updated_at) values ('x', -1, 0)"),
    ("what rows refer to is there", "insert into order_identity (order_id, kind, value) values ('nobody', 'k', 'v')"),
    (
        "no event is missing, from the log and the archive that is given",
        "insert into event (seq, id, type, subject, source, time, data) values (2, 'e', 't', 's', '/s', 0, '{}')",
    ),
    ("no consumer has read beyond the log", "update consumer set seq = 99"),
    ("no consumer is ahead of the one that it follows", "update consumer set seq = 1 where name = 'tagging'"),
    (
        "a dead letter lies behind its consumer",
        "insert into event (seq, id, type, subject, source, time, data) values (7, 'e', 't', 's', '/s', 0, '{}');
         insert into dead_letter (id, consumer, seq, error, attempts, failed_at) values ('d', 'orders', 7, 'x', 3, 0)",
    ),
    (
        "what is reserved of a SKU is what orders hold of it",
        "insert into stock (sku, on_hand, reserved, updated_at) values ('x', 5, 2, 0)",
    ),
    (
        "an order that is closed holds no stock",
        "insert into \"order\" (id, platform, shop, platform_order_id, facts, status, complete, placed_at, updated_at)
             values ('o', 'own', 's', '1', '{}', 'closed', 1, 0, 0);
         insert into stock (sku, on_hand, reserved, updated_at) values ('x', 5, 2, 0);
         insert into stock_reservation (order_id, sku, quantity, state) values ('o', 'x', 2, 'reserved')",
    ),
    (
        "an order's step is told once",
        "insert into event (id, type, subject, source, time, data) values ('e', 'order.paid', 'o', '/s', 0, '{}'), ('f', 'order.paid', 'o', '/s', 0, '{}')",
    ),
    (
        "a refund's step is told once",
        "insert into event (id, type, subject, source, time, data) select value, 'refund.agreed', 'o', '/s', 0, '{\"refund_id\": \"r\"}'
           from json_each('[\"e\", \"f\"]')",
    ),
    ("who was merged leads to who stayed", "update customer set survivor = 'b' where id = 'a'"),
    ("an identity belongs to who stayed", "update identity set customer = 'b' where id = 2"),
    ("a customer's first identity is its group's", "update identity set customer = 'a' where id = 2"),
    ("what went back of an order is the sum of its refunds", "update customer_order set refunded = 3"),
    ("points are what remains of lots, less what is owed", "update point_entry set points = 4"),
    ("what was taken from a lot is written down", "update point_lot set remains = 3"),
    (
        "a redemption costs what its entry took",
        "insert into point_entry (seq, customer, kind, points, at) values (2, 'a', 'spend', -5, 0);
         insert into redemption (id, customer, entry, points, reason, by, created_at) values ('r', 'a', 2, 4, 'x', 'first', 0)",
    ),
    ("a segment counts its members", "insert into tagging_rule (id, kind, version, members) values ('s', 'segment', 1, 2)"),
    ("members of segments are customers of their own", "insert into segment_member (segment, customer, since) values ('s', 'b', 0)"),
    (
        "nobody has a tag that was retired",
        "insert into tag_group (id, name, single, owner, created_at) values ('g', 'g', 0, '/', 0);
         insert into tag (id, tag_group, name, created_at, closed) values ('t', 'g', 't', 0, 1);
         insert into customer_tag (customer, tag, rule, present, event, by, since, lasting) values ('a', 't', '', 1, 'e', 'first', 0, 0)",
    ),
    ("tagging and customers agree on who is who", "update tagging_customer set survivor = 'b', part_of = null where id = 'b'"),
    ("tagging and customers agree on whose an identity is", "update subject set customer = 'a' where value = 'b'"),
    ("an order's shares sum to its worth in every model", "delete from attribution"),
    ("an order counts in one row of each model", "update attribution set leads = 0 where model = 'linear'"),
    ("what an order is worth is what was paid less what went back", "update attributed_order set worth = 8"),
    (
        "a person has one first order",
        "insert into attributed_order (order_id, kind, scope, value, person, paid_at, day, paid, worth, is_first)
         select value, 'k', '', 'a', 'a', 0, 0, 0, 0, 1 from json_each('[\"p\", \"q\"]')",
    ),
    ("attribution and customers agree on what was paid", "update customer_order set paid = 8"),
    (
        "an inviter's helps are counted",
        "insert into fission_participant (id, fission, kind, value, code, helps, joined_at) values ('p', 'f', 'k', 'v', 'c', 3, 0)",
    ),
    ("channels and customers agree on whose an identity is", "update channel_person set customer = 'a' where value = 'b'"),
];

async fn new_database(file: &Path) {
    let native = Native {
        location: Location::File(file.to_owned()),
        variables: Variables::from_pairs([("clock", "system")]),
        client: Client::default(),
        most_per_commit: 1,
    };
    let app = App::native(&native).unwrap();
    let now = app.clock().now().await.unwrap();
    let wrote: Result<(), DbError> = app.db().write(&Cx::at(now), |_| Ok(())).await;
    wrote.unwrap();
}

#[tokio::test]
async fn each_check_finds_what_it_is_there_for() {
    let named: Vec<&str> = checks().map(|check| check.what).collect();
    assert_eq!(named, SPOILT.map(|(what, _)| what), "each has what makes it complain, in the same order");
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound.db");
    new_database(&sound).await;
    Connection::open(&sound).unwrap().execute_batch(PEOPLE).unwrap();
    let violations = |file: &Path| Books::open(file).unwrap().violations().unwrap();
    assert_eq!(violations(&sound).iter().map(|found| found.what).collect::<Vec<_>>(), Vec::<&str>::new());
    for (what, sql) in SPOILT {
        let spoilt = folder.path().join("spoilt.db");
        Connection::open(&sound).unwrap().execute("vacuum into ?1", [spoilt.to_str()]).unwrap();
        let database = Connection::open(&spoilt).unwrap();
        database.execute_batch("pragma foreign_keys = off; pragma ignore_check_constraints = on").unwrap();
        database.execute_batch(sql).unwrap();
        drop(database);
        let found = violations(&spoilt);
        let found = found.iter().find(|found| found.what == what);
        assert!(found.is_some_and(|found| !found.rows.is_empty()), "{what}");
        std::fs::remove_file(&spoilt).unwrap();
    }
}
