//! One customer's life, and what must change nothing in it.

use crate::support::*;
use domain::{Activity, CustomerErased, Event, RelationSide, Version};
use serde_json::json;

const A: Place<'_> = ("metro", "/east/a", "s1");
const SCAN_A: Place<'_> = ("metro", "/east/a", "");
const LIVE: Place<'_> = ("live", "/west", "");
const MODELS: [&str; 4] = ["first_touch", "last_touch", "linear", "time_decay"];

async fn revenue(desk: &Desk, model: &str) -> (i64, i64) {
    let totals = desk.report("channel", model).await["totals"].clone();
    (totals["revenue"].as_i64().unwrap(), totals["unattributed"].as_i64().unwrap())
}

/// A scan in a live room, a contact added in store A, an order on Douyin by an identity that is known to be the same person's only later.
async fn lived() -> Desk {
    let desk = Desk::open().await;
    desk.log(vec![
        did("open", 0, LIVE, scanned("c9")),
        identified(customer(1), &["open"]),
        did("ext", DAY, A, added("c1")),
        identified(customer(2), &["ext"]),
        did("ext", DAY + HOUR, ("", "", ""), wrote()),
        bought(1, Some("buyer"), 3 * DAY, 10_001),
        identified(customer(3), &["buyer"]),
    ])
    .await;
    desk
}

#[tokio::test]
async fn a_whole_life_sums_to_the_revenue_to_the_fen() {
    let desk = lived().await;
    for model in MODELS {
        assert_eq!(revenue(&desk, model).await, (0, 10_001), "nobody knows yet whose order it is");
    }
    // The oldest customer gets the identities of the others: a merge.
    desk.log(vec![identified(customer(1), &["ext", "buyer"])]).await;
    assert_eq!(desk.owed(1, "first_touch").await, ["live/c9/west/ 10001"]);
    assert_eq!(desk.owed(1, "last_touch").await, ["metro/c1/east/a/s1 10001"]);
    assert_eq!(desk.owed(1, "linear").await, ["live/c9/west/ 5001", "metro/c1/east/a/s1 5000"]);
    desk.log(vec![refunded(1, 1, 2500)]).await;
    for model in MODELS {
        assert_eq!(revenue(&desk, model).await, (7501, 0), "{model}");
    }
    assert_eq!(desk.owed(1, "linear").await, ["live/c9/west/ 3751", "metro/c1/east/a/s1 3750"]);
    // The same refund told again, and a second one of the rest and more.
    desk.log(vec![refunded(1, 1, 2500), refunded(2, 1, 9000)]).await;
    for model in MODELS {
        assert_eq!(revenue(&desk, model).await, (0, 0), "{model}: never below nothing");
    }
    let totals = desk.report("channel", "linear").await["totals"].clone();
    assert_eq!((&totals["first_orders"], &totals["repeat_orders"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn an_undone_merge_takes_its_orders_with_it() {
    let desk = lived().await;
    desk.log(vec![identified(customer(1), &["ext", "buyer"])]).await;
    assert_eq!(revenue(&desk, "linear").await, (10_001, 0));
    desk.log(vec![identified(customer(3), &["buyer"])]).await;
    for model in MODELS {
        assert_eq!(revenue(&desk, model).await, (0, 10_001));
    }
    desk.log(vec![identified(customer(2), &["ext", "buyer"])]).await;
    assert_eq!(desk.owed(1, "linear").await, ["metro/c1/east/a/s1 10001"], "touches of its own customer only");
}

#[tokio::test]
async fn a_refund_before_its_order_and_a_touch_told_late_count() {
    let desk = Desk::open().await;
    desk.log(vec![refunded(1, 1, 1), bought(1, Some("ext"), 3 * DAY, 100)]).await;
    assert_eq!(desk.owed(1, "linear").await, ["- 99"]);
    desk.log(vec![did("ext", 4 * DAY, A, added("c1"))]).await;
    assert_eq!(desk.owed(1, "linear").await, ["- 99"], "it came after the payment");
    desk.log(vec![did("ext", 2 * DAY, LIVE, scanned("c9"))]).await;
    assert_eq!(desk.owed(1, "linear").await, ["live/c9/west/ 99"]);
    // The record tells another sum and time.
    desk.log(vec![bought(1, None, 5 * DAY, 201)]).await;
    assert_eq!(desk.owed(1, "linear").await, ["live/c9/west/ 100", "metro/c1/east/a/s1 100"]);
}

#[tokio::test]
async fn a_customer_counts_once_also_when_deleted_and_added_again() {
    let desk = lived().await;
    desk.log(vec![identified(customer(1), &["ext", "buyer"])]).await;
    let figures = "select kind || value || channel || code || staff || at || added_day || coalesce(replied_day, '')
        || coalesce(lost_day, '') as v from touch where added_at is not null";
    let before = (desk.report("staff", "linear").await, desk.owed(1, "linear").await, desk.column(figures).await);
    let gone = Activity::ContactRemoved { by: RelationSide::Customer };
    desk.log(vec![did("ext", 4 * DAY, ("", "", "s1"), gone)]).await;
    let lost = desk.report("staff", "linear").await;
    assert_eq!(lost["totals"]["losses"], 1);
    desk.log(vec![did("ext", 5 * DAY, A, added("c1")), did("ext", 5 * DAY, A, added("c1"))]).await;
    let after = (desk.report("staff", "linear").await, desk.owed(1, "linear").await, desk.column(figures).await);
    assert_eq!(before, after, "who is back is not lost, and is not new");
    assert_eq!(after.0["totals"]["adds"], 1);
    // News of the removal that comes late changes nothing: the contact is back since.
    let gone = Activity::ContactRemoved { by: RelationSide::Staff };
    desk.log(vec![did("ext", 4 * DAY + HOUR, ("", "", "s1"), gone)]).await;
    assert_eq!(desk.report("staff", "linear").await, after.0);
    // Another member of staff, or another code, is another touch.
    desk.log(vec![did("ext", 5 * DAY, ("metro", "/east/a", "s2"), added("c1")), did("ext", 6 * DAY, A, added("c2"))])
        .await;
    assert_eq!(desk.report("staff", "linear").await["totals"]["adds"], 3);
}

#[tokio::test]
async fn who_came_the_same_way_by_two_identities_came_once() {
    let desk = Desk::open().await;
    desk.log(vec![did("ext", 0, A, added("c1")), did("open", DAY, A, added("c1")), did("open", DAY, A, added("c2"))])
        .await;
    let adds = async || desk.report("code", "linear").await["totals"]["adds"].clone();
    assert_eq!(adds().await, 3);
    desk.log(vec![identified(customer(1), &["ext", "open"])]).await;
    assert_eq!(adds().await, 2, "one person by c1, and by c2");
    desk.log(vec![identified(customer(2), &["open"])]).await;
    assert_eq!(adds().await, 3, "two people after all");
}

#[tokio::test]
async fn every_time_that_somebody_comes_counts() {
    let desk = Desk::open().await;
    let log = vec![
        did("ext", DAY, LIVE, scanned("c9")),
        did("ext", 5 * DAY, A, added("c1")),
        did("ext", 10 * DAY, LIVE, scanned("c9")),
        did("ext", 10 * DAY, LIVE, scanned("c9")),
        bought(1, Some("ext"), 12 * DAY, 300),
        bought(2, Some("ext"), 38 * DAY, 300),
    ];
    desk.log(log).await;
    for (model, owed) in [
        ("first_touch", vec!["live/c9/west/ 300"]),
        ("last_touch", vec!["live/c9/west/ 300"]),
        ("linear", vec!["live/c9/west/ 200", "metro/c1/east/a/s1 100"]),
    ] {
        assert_eq!(desk.owed(1, model).await, owed, "{model}: the same told twice counts once");
    }
    assert_eq!(desk.owed(2, "first_touch").await, ["live/c9/west/ 300"], "only the second scan is in its window");
    desk.log(vec![did("ext", 11 * DAY, A, added("c1"))]).await;
    assert_eq!(desk.owed(1, "last_touch").await, ["metro/c1/east/a/s1 300"]);
    let (east, west) = (("live", "/east/a", ""), ("live", "/west", ""));
    let desk = Desk::open().await;
    desk.log(vec![did("ext", 9 * DAY, west, scanned("c9")), did("ext", 3 * DAY, east, scanned("c9"))]).await;
    desk.log(vec![bought(1, Some("ext"), 12 * DAY, 100)]).await;
    assert_eq!(desk.owed(1, "linear").await, ["live/c9/east/a/ 50", "live/c9/west/ 50"], "each time in its own store");
}

#[tokio::test]
async fn a_touch_that_is_told_late_is_the_first() {
    let desk = Desk::open().await;
    desk.log(vec![did("ext", 17 * DAY, LIVE, scanned("c9")), bought(1, Some("ext"), 35 * DAY, 100)]).await;
    desk.log(vec![did("ext", 10 * DAY, A, added("c1")), did("ext", 0, LIVE, scanned("c9"))]).await;
    assert_eq!(desk.owed(1, "first_touch").await, ["metro/c1/east/a/s1 100"], "another one lies before the window");
    assert_eq!(desk.owed(1, "last_touch").await, ["live/c9/west/ 100"]);
}

#[tokio::test]
async fn following_by_a_code_is_one_touch_though_it_is_told_as_two_events() {
    let followed = || Activity::AccountFollowed { account: "wx0".to_owned() };
    for turned in [false, true] {
        let desk = Desk::open().await;
        let mut events = vec![did("open", 0, SCAN_A, followed()), did("open", 0, SCAN_A, scanned("c1"))];
        if turned {
            events.reverse();
        }
        desk.log(events).await;
        let codes = desk.column("select code || ' ' || (added_at is not null) as v from touch").await;
        assert_eq!(codes, ["c1 1"], "turned: {turned}");
        // Who unfollows and follows by the code again is no other.
        desk.log(vec![
            did("open", DAY, ("", "", ""), Activity::AccountUnfollowed { account: "wx0".to_owned() }),
            did("open", 2 * DAY, SCAN_A, followed()),
            did("open", 2 * DAY, SCAN_A, scanned("c1")),
        ])
        .await;
        let totals = desk.report("code", "linear").await["totals"].clone();
        assert_eq!((&totals["adds"], &totals["scans"], &totals["losses"]), (&json!(1), &json!(2), &json!(0)));
        // Nothing is left of what stood there between the two events.
        desk.log(vec![
            bought(1, Some("open"), 31 * DAY, 100),
            did("open", 20 * DAY, SCAN_A, followed()),
            did("open", 20 * DAY, SCAN_A, scanned("c1")),
        ])
        .await;
        for model in MODELS {
            assert_eq!(desk.owed(1, model).await.len(), 1, "{model}, turned: {turned}");
        }
        let times = desk.column("select count(*) || ' ' || sum(joins) as v from touch_time").await;
        assert_eq!(
            (times, desk.column("select code as v from touch").await),
            (vec!["3 3".to_owned()], vec!["c1".to_owned()])
        );
    }
}

#[tokio::test]
async fn of_orders_the_earliest_with_worth_is_the_first() {
    let desk = Desk::open().await;
    desk.log(vec![
        did("ext", 0, A, added("c1")),
        bought(1, Some("ext"), 2 * DAY, 100),
        bought(2, Some("ext"), DAY, 100),
        bought(3, Some("ext"), 3 * DAY, 100),
    ])
    .await;
    let first = "select order_id as v from attributed_order where is_first = 1";
    assert_eq!(desk.column(first).await, [order_id(2).to_string()]);
    desk.log(vec![refunded(1, 2, 100)]).await;
    assert_eq!(desk.column(first).await, [order_id(1).to_string()]);
    let totals = desk.report("channel", "linear").await["totals"].clone();
    assert_eq!((&totals["first_orders"], &totals["repeat_orders"]), (&json!(1), &json!(1)));
    // The person is another's: two firsts become one.
    desk.log(vec![identified(customer(1), &["ext"]), bought(4, Some("old"), HOUR, 5)]).await;
    assert_eq!(desk.column(first).await.len(), 2);
    desk.log(vec![identified(customer(1), &["old"])]).await;
    assert_eq!(desk.column(first).await, [order_id(4).to_string()]);
}

#[tokio::test]
async fn erasing_a_person_keeps_the_figures_and_nothing_else() {
    let desk = lived().await;
    desk.log(vec![identified(customer(1), &["ext", "buyer"])]).await;
    let before = desk.report("store", "linear").await;
    let erased = CustomerErased { v: Version, customer_id: customer(1), order_ids: vec![order_id(1)], at: at(0) };
    desk.log(vec![Event::CustomerErased(erased)]).await;
    assert_eq!(desk.report("store", "linear").await, before);
    for table in ["touch", "touch_bond", "touch_message", "attributed_order"] {
        let left = format!(
            "select value as v from {table} where value in ('open', 'ext', 'buyer') or person in ('open', 'ext')"
        );
        let left = if table == "touch_bond" { left.split(" or ").next().unwrap().to_owned() } else { left };
        assert_eq!(desk.column(&left).await, Vec::<String>::new(), "{table}");
    }
    // Money goes back later: it is still owed to the same.
    desk.log(vec![refunded(1, 1, 1)]).await;
    assert_eq!(desk.owed(1, "linear").await, ["live/c9/west/ 5000", "metro/c1/east/a/s1 5000"]);
}

#[tokio::test]
async fn touches_are_shown_page_by_page_to_who_may_see_them() {
    let desk = lived().await;
    desk.log(vec![identified(customer(1), &["ext"])]).await;
    let path = format!("/v1/channels/touches?customer={}", customer(1));
    let all = desk.get(&path).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        all["items"][0],
        json!({ "channel": "metro", "code": "c1", "store": "/east/a", "staff": "s1", "at": at(DAY), "added_at": at(DAY),
            "replied_day": "2026-03-03" })
    );
    let first = desk.get(&format!("{path}&limit=1")).await;
    let next = desk.get(&format!("{path}&limit=1&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&first["items"][0], &next["items"][0]), (&all["items"][0], &all["items"][1]));
    assert_eq!(next.get("next_cursor"), None);
    let west = desk.get_as(&desk.token("/west", None).await, &path).await;
    assert_eq!(west["items"], json!([all["items"][1]]));
    let own = desk.get_as(&desk.token("/", Some("s1")).await, &path).await;
    assert_eq!(own["items"], json!([all["items"][0]]));
}
