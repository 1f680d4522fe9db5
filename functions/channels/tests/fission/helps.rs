//! What becomes of helps.

use crate::support::*;
use proptest::prelude::*;
use serde_json::json;

/// A house with an inviter, under rules with levels at 2 and 4 and whatever `more` says.
async fn house(more: &serde_json::Value) -> (House, Inviter) {
    let house = House::open(&rules(&[2, 4], more)).await;
    let inviter = house.join(&union("anna"), None).await;
    (house, inviter)
}

#[tokio::test]
async fn helps_reach_levels_and_leaving_takes_them_back() {
    let (house, anna) = house(&json!({})).await;
    let friends: Vec<_> = (0..5).map(|number| contact(&format!("f{number}"))).collect();
    house.happened(friends.iter().zip(1..).map(|(friend, second)| added(friend, Some(&anna), second)).collect()).await;
    assert_eq!(house.rewards().await, ["rewarded 1", "rewarded 2"]);
    house.happened(vec![removed(&friends[0], 10), removed(&friends[0], 11)]).await;
    assert_eq!(house.rewards().await.len(), 2, "four are enough still");
    house.happened(vec![removed(&friends[1], 12)]).await;
    assert_eq!(house.rewards().await[2..], ["voided 2"]);
    house.happened(vec![added(&contact("f9"), Some(&anna), 13)]).await;
    assert_eq!(house.rewards().await[3..], ["rewarded 2"], "reached again, owed again: one row");
    assert_eq!(
        house.column("select level || ' ' || state as v from fission_reward order by level").await,
        ["1 owed", "2 owed"]
    );
    let told = house.column("select (data ->> 'state') || ' ' || (data ->> 'helps') as v from event where type = 'fission.helped' order by seq").await;
    assert_eq!(
        told,
        ["counted 1", "counted 2", "counted 3", "counted 4", "counted 5", "voided 4", "voided 3", "counted 4"]
    );
}

#[tokio::test]
async fn a_friend_who_is_deleted_and_added_again_counts_once() {
    let (house, anna) = house(&json!({ "new_customers_only": false })).await;
    let friend = contact("f");
    house.happened(vec![added(&friend, Some(&anna), 1), added(&friend, Some(&anna), 2)]).await;
    assert_eq!(house.helps().await, ["f counted -"], "the confirmation is another add");
    house.happened(vec![removed(&friend, 3), added(&friend, Some(&anna), 4)]).await;
    assert_eq!(house.helps().await, ["f voided left"]);
    let berta = house.join(&union("berta"), None).await;
    house.happened(vec![added(&friend, Some(&berta), 5)]).await;
    assert_eq!(house.helps().await, ["f voided left", "f refused again"], "nor for another inviter");
    assert_eq!(
        house.column("select value || ' ' || helps as v from fission_participant order by value").await,
        ["anna 0", "berta 0"]
    );
}

#[tokio::test]
async fn news_of_leaving_that_comes_first_counts() {
    let (house, anna) = house(&json!({})).await;
    house.happened(vec![removed(&contact("f"), 9), added(&contact("f"), Some(&anna), 5)]).await;
    assert_eq!(house.helps().await, ["f voided left"]);
    // News that is older than the help says nothing about it; whoever was handed over has not left.
    let late = vec![added(&contact("g"), Some(&anna), 20), removed(&contact("g"), 15), handed_over(&contact("g"), 25)];
    house.happened(late).await;
    assert_eq!(house.helps().await[1], "g counted -");
    assert_eq!(house.rewards().await, Vec::<String>::new());
}

#[tokio::test]
async fn who_was_known_before_is_not_new() {
    let (house, anna) = house(&json!({})).await;
    let (old, new) = (contact("old"), contact("new"));
    house.happened(vec![added(&old, None, 1), added(&old, Some(&anna), 2), added(&new, Some(&anna), 2)]).await;
    let openid = |value: &str| domain::Identity {
        kind: domain::IdentityKind::WechatOpenId,
        scope: Some("wx0".to_owned()),
        value: value.to_owned(),
    };
    // A follower scans; another follows by the code; a third follows again.
    let (scanner, follower, back) = (openid("scanner"), openid("follower"), openid("back"));
    let mut list = vec![scanned(&scanner, &anna, 3), scanned(&scanner, &anna, 3)];
    list.extend(followed(&follower, &anna, 4));
    list.push(unfollowed(&back, 5));
    list.extend(followed(&back, &anna, 6));
    house.happened(list).await;
    let expected = [
        "old refused not_new",
        "new counted -",
        "scanner refused not_new",
        "follower counted -",
        "back refused not_new",
    ];
    assert_eq!(house.helps().await, expected);
    house.happened(vec![unfollowed(&follower, 7)]).await;
    assert_eq!(house.helps().await[3], "follower voided left");
}

#[tokio::test]
async fn nobody_helps_oneself_or_in_a_loop_or_twice() {
    let (house, anna) = house(&json!({ "new_customers_only": false })).await;
    let (a, b, c) = (contact("a"), contact("b"), contact("c"));
    house.happened(vec![same(1, &[&union("anna"), &a]), same(2, &[&union("berta"), &b])]).await;
    house.happened(vec![added(&a, Some(&anna), 1), added(&b, Some(&anna), 2)]).await;
    let berta = house.join(&union("berta"), None).await;
    house.happened(vec![added(&a, Some(&berta), 3), added(&c, Some(&berta), 4), added(&c, Some(&anna), 5)]).await;
    assert_eq!(
        house.helps().await,
        ["a refused self", "b counted -", "a refused loop", "c counted -", "c refused again"]
    );
    let found = house.get(&house.path(&format!("/participants/{}", berta.id))).await;
    assert_eq!((&found["parent"], &found["depth"]), (&json!(anna.id), &json!(1)));
}

#[tokio::test]
async fn what_turns_out_later_voids_with_its_reason() {
    let (house, anna) = house(&json!({ "new_customers_only": false })).await;
    let (a, b, b2) = (contact("a"), contact("b"), contact("b2"));
    let berta = house.join(&union("berta"), None).await;
    house.happened(vec![added(&a, Some(&anna), 1), added(&b, Some(&anna), 2), added(&b2, Some(&berta), 3)]).await;
    assert_eq!(house.rewards().await, ["rewarded 1"]);
    house.happened(vec![same(1, &[&a, &union("anna")])]).await;
    assert_eq!(house.helps().await, ["a voided self", "b counted -", "b2 counted -"]);
    assert_eq!(house.rewards().await, ["rewarded 1", "voided 1"]);
    house.happened(vec![same(3, &[&b, &b2])]).await;
    assert_eq!(house.helps().await, ["a voided self", "b counted -", "b2 voided again"], "the first one stands");
    // Carl is brought by Berta, and turns out to be Anna, who has brought Berta.
    house.happened(vec![same(3, &[&union("berta")])]).await;
    assert_eq!(house.helps().await[1], "b counted -");
    let placed = "select coalesce(parent, '-') as v from fission_participant where value = 'berta'";
    house.join(&union("berta"), Some("phone")).await;
    house.consume().await;
    assert_eq!(house.column(placed).await, [anna.id.as_str()]);
    house.happened(vec![added(&contact("carl"), Some(&berta), 7)]).await;
    assert_eq!(house.helps().await[3], "carl counted -");
    house.happened(vec![same(1, &[&contact("carl")])]).await;
    assert_eq!(house.helps().await[3], "carl voided loop");
}

#[tokio::test]
async fn bursts_depths_and_hours_are_held() {
    let burst = json!({ "burst": { "helps": 2, "minutes": 1 }, "max_depth": 1, "starts": at(100).to_string(), "ends": at(1_000).to_string() });
    let (house, anna) = house(&burst).await;
    let come = |name: &str, inviter: &Inviter, second: i64| added(&contact(name), Some(inviter), second);
    let list = vec![
        come("early", &anna, 99),
        come("f1", &anna, 100),
        come("f2", &anna, 110),
        come("f3", &anna, 159),
        come("f4", &anna, 161),
        come("late", &anna, 1_000),
    ];
    house.happened(list).await;
    let expected = [
        "early refused not_started",
        "f1 counted -",
        "f2 counted -",
        "f3 refused burst",
        "f4 counted -",
        "late refused ended",
    ];
    assert_eq!(house.helps().await, expected);
    house.happened(vec![same(1, &[&contact("f1"), &union("fritz")])]).await;
    let fritz = house.join(&union("fritz"), None).await;
    house.happened(vec![come("deep", &fritz, 300)]).await;
    assert_eq!(house.helps().await[6], "deep refused depth");
}

#[tokio::test]
async fn one_device_helps_so_often_and_never_its_owner() {
    let (house, anna) = house(&json!({ "device_limit": 1 })).await;
    house.join(&union("anna"), Some("phone-a")).await;
    let friends: Vec<_> = (0..4).map(|number| contact(&format!("f{number}"))).collect();
    let owners: Vec<_> = (0..4).map(|number| union(&format!("u{number}"))).collect();
    for (number, (friend, owner)) in (1..).zip(friends.iter().zip(&owners)) {
        house.happened(vec![same(number, &[friend, owner])]).await;
    }
    // The first asks for a code from Anna's own device, before it helps; the second after it has; two more share a third device.
    house.join(&owners[0], Some("phone-a")).await;
    house.happened(vec![added(&friends[0], Some(&anna), 1), added(&friends[1], Some(&anna), 2)]).await;
    assert_eq!(house.helps().await, ["f0 refused device", "f1 counted -"]);
    house.join(&owners[1], Some("phone-a")).await;
    house.consume().await;
    assert_eq!(house.helps().await[1], "f1 voided device");
    house.happened(vec![added(&friends[2], Some(&anna), 3), added(&friends[3], Some(&anna), 4)]).await;
    house.join(&owners[2], Some("phone-c")).await;
    house.consume().await;
    house.join(&owners[3], Some("phone-c")).await;
    house.consume().await;
    assert_eq!(house.helps().await[2..], ["f2 counted -", "f3 voided device"]);
    let devices = house.column("select distinct device as v from fission_device").await;
    assert!(devices.iter().all(|device| device.len() == 64 && !device.contains("phone")), "hashes only");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// A level is reached by several helps at once too (MoChat misses an overshoot), however the log is cut.
    #[test]
    fn a_thousand_helps_in_any_batches_give_exactly_the_rewards(cuts in prop::collection::vec(1..700_i64, 0..12)) {
        runtime().block_on(async {
            let house = House::open(&rules(&[3, 10, 333, 999, 1_000, 1_001], &json!({}))).await;
            let anna = house.join(&union("anna"), None).await;
            let friends = (0..1_000).map(|number| added(&contact(&format!("f{number}")), Some(&anna), number)).collect();
            house.log(friends).await;
            let mut seq = 0;
            for cut in cuts {
                seq += cut;
                house.consume_to(Some(seq.min(1_000))).await;
            }
            house.consume().await;
            let levels = ["rewarded 1", "rewarded 2", "rewarded 3", "rewarded 4", "rewarded 5"];
            assert_eq!(house.rewards().await, levels);
            assert_eq!(house.column("select cast(helps as text) as v from fission_participant").await, ["1000"]);
        });
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
