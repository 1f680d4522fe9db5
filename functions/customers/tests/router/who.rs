//! Who is who: order of arrival, conflicts, merges and their undoing.

use crate::support::{House, at, order, paid, who};
use domain::IdentityKind::{DouyinOpenId, MemberCard, PhoneHash, TaobaoOpenUid, WechatUnionId};
use domain::{Event, Identity};
use proptest::prelude::*;
use serde_json::{Value, json};

fn identity() -> impl Strategy<Value = Identity> {
    let kinds = vec![WechatUnionId, WechatUnionId, PhoneHash, TaobaoOpenUid, MemberCard];
    (prop::sample::select(kinds), 0..3_u8).prop_map(|(kind, number)| who(kind, &number.to_string()))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Rule: order of arrival does not matter. Any permutation of the same facts, in whatever batches, gives the same partition and
    /// the same conflicts.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        facts in prop::collection::vec((0..5_i64, prop::collection::btree_set(identity(), 1..4)), 1..9),
        (batch, order) in (1..4_usize, any::<prop::sample::Index>()),
    ) {
        let events: Vec<_> = (0..)
            .zip(&facts)
            .map(|(number, (seconds, shown))| paid(number, &shown.iter().cloned().collect::<Vec<_>>(), *seconds, 100))
            .collect();
        let mut permuted = events.clone();
        let middle = order.index(permuted.len());
        permuted.rotate_left(middle);
        permuted.reverse();
        let outcome = |events: Vec<Event>, batch: usize| runtime().block_on(async move {
            let house = House::open().await;
            for part in events.chunks(batch) {
                house.happened(part.to_vec()).await;
            }
            let conflicts = house.column("select count(*) || '' as v from customer_conflict where state = 'open'").await;
            let orders = house.column("select order_id || identity.value as v from customer_order
                join identity on identity.id = identity order by 1").await;
            (house.partition().await, conflicts, orders)
        });
        prop_assert_eq!(outcome(events, facts.len()), outcome(permuted, batch));
    }
}

#[tokio::test]
async fn orders_of_two_platforms_meet_by_a_phone_and_the_older_customer_stays() {
    let house = House::open().await;
    let (douyin, taobao, phone) = (who(DouyinOpenId, "d-1"), who(TaobaoOpenUid, "t-1"), who(PhoneHash, "p-1"));
    house.happened(vec![paid(1, std::slice::from_ref(&taobao), 100, 500)]).await;
    house.happened(vec![paid(2, &[douyin.clone(), phone.clone()], 50, 700)]).await;
    let list = house.get("/v1/customers").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let (newer, older) = (list["items"][0]["id"].as_str().unwrap(), list["items"][1]["id"].as_str().unwrap());

    house.happened(vec![paid(3, &[taobao, phone], 200, 900)]).await;
    let found = house.only_customer().await;
    assert_eq!(found["id"], older, "the older customer stays, by when it was first heard of");
    assert_eq!((found["orders"]["count"].as_i64(), found["orders"]["paid"].as_i64()), (Some(3), Some(2_100)));
    assert_eq!(found["identities"].as_array().unwrap().len(), 3);
    assert_eq!(house.get(&format!("/v1/customers/{newer}")).await["id"], older, "old ids keep resolving");
    assert_eq!(found["merges"][0]["what"], "merged");
    assert_eq!(found["merges"][0]["by"], Value::Null);
    let merged = house.column("select data as v from event where type = 'customer.merged'").await;
    assert_eq!(merged.len(), 1);
    assert!(merged[0].contains(newer) && merged[0].contains(older));
}

#[tokio::test]
async fn two_unionids_are_a_conflict_that_a_person_settles_either_way() {
    for same in [true, false] {
        let house = House::open().await;
        let (one, other, phone) = (who(WechatUnionId, "u-1"), who(WechatUnionId, "u-2"), who(PhoneHash, "p-1"));
        house
            .happened(vec![
                paid(1, &[one.clone(), phone.clone()], 0, 100),
                paid(2, &[other.clone(), phone.clone()], 9, 100),
            ])
            .await;
        assert_eq!(
            house.partition().await,
            [vec!["phone_hash p-1", "wechat_union_id u-1"], vec!["wechat_union_id u-2"]]
        );
        let conflicts = house.get("/v1/conflicts").await;
        assert_eq!(conflicts["items"].as_array().unwrap().len(), 1);
        let id = conflicts["items"][0]["id"].as_str().unwrap();
        assert_eq!(house.column("select type as v from event where type = 'customer.conflict'").await.len(), 1);

        let path = format!("/v1/conflicts/{id}/settle");
        let (status, settled) =
            house.call("POST", &path, Some(json!({ "same": same, "reason": "asked by phone" }))).await;
        assert_eq!(status, 200, "{settled}");
        assert_eq!(settled["state"], if same { "merged" } else { "apart" });
        house.consume().await;
        // What is seen again changes nothing, and asks nobody a second time.
        house.happened(vec![paid(3, &[other, phone], 20, 100)]).await;
        assert_eq!(house.partition().await.len(), if same { 1 } else { 2 });
        assert_eq!(house.get("/v1/conflicts").await["items"].as_array().unwrap().len(), 0);
        let (status, again) = house.call("POST", &path, Some(json!({ "same": same, "reason": "again" }))).await;
        assert_eq!((status.as_u16(), again["type"].as_str()), (409, Some("/problems/settled")));
    }
}

#[tokio::test]
async fn people_merge_and_undo_and_orders_go_with_their_identities() {
    let house = House::open().await;
    let (card, taobao) = (who(MemberCard, "c-1"), who(TaobaoOpenUid, "t-1"));
    house
        .happened(vec![paid(1, std::slice::from_ref(&card), 0, 100), paid(2, std::slice::from_ref(&taobao), 10, 250)])
        .await;
    let list = house.get("/v1/customers").await;
    let ids = [&list["items"][0]["id"], &list["items"][1]["id"]];
    let merge = json!({ "customer_ids": ids, "reason": "the same voice" });
    let (status, merged) = house.call("POST", "/v1/customers/merge", Some(merge.clone())).await;
    assert_eq!((status.as_u16(), &merged["customer_ids"][0]), (200, ids[1]), "{merged}");
    let (status, again) = house.call("POST", "/v1/customers/merge", Some(merge)).await;
    assert_eq!((status.as_u16(), again["type"].as_str()), (422, Some("/problems/one-already")));
    house.consume().await;
    assert_eq!(house.only_customer().await["orders"]["paid"], 350);
    house.happened(vec![paid(3, &[taobao], 20, 1_000)]).await;
    assert_eq!(house.only_customer().await["orders"]["paid"], 1_350);

    let unmerge = json!({ "split_id": ids[0], "reason": "two sisters" });
    let (status, split) = house.call("POST", "/v1/customers/unmerge", Some(unmerge.clone())).await;
    assert_eq!(status, 200, "{split}");
    house.consume().await;
    let paid = async |id: &Value| {
        house.get(&format!("/v1/customers/{}", id.as_str().unwrap())).await["orders"]["paid"].clone()
    };
    assert_eq!(
        (paid(ids[1]).await, paid(ids[0]).await),
        (json!(100), json!(1_250)),
        "what was bought meanwhile goes along"
    );
    assert_eq!(house.call("POST", "/v1/customers/unmerge", Some(unmerge)).await.0, 422);
    let merges = &house.get(&format!("/v1/customers/{}", ids[0].as_str().unwrap())).await["merges"];
    assert_eq!((&merges[0]["what"], &merges[1]["what"]), (&json!("split"), &json!("merged")));
    assert_eq!((&merges[0]["by"], &merges[1]["reason"]), (&json!("first"), &json!("the same voice")));

    // An order that shows both does not join them again: a person has said so.
    let both = order(4, &[card, who(TaobaoOpenUid, "t-1")], 30, 1);
    house.happened(vec![Event::OrderPaid(both)]).await;
    assert_eq!(house.partition().await.len(), 2);
}

#[tokio::test]
async fn a_phone_that_everybody_shows_stops_joining_people() {
    let house = House::open().await;
    let phone = who(PhoneHash, "the store's own");
    let orders = (0..40).map(|number| {
        paid(number, &[who(TaobaoOpenUid, &format!("t-{number:02}")), phone.clone()], i64::from(number), 1)
    });
    house.happened(orders.collect()).await;
    let groups = house.partition().await;
    assert_eq!(groups.len(), 40);
    let with_phone: Vec<_> = groups.iter().filter(|group| group.len() == 2).collect();
    assert_eq!(with_phone, [&vec!["phone_hash the store's own".to_owned(), "taobao_open_uid t-00".to_owned()]]);
    // An earlier one that arrives late is the first then.
    house.happened(vec![paid(40, &[who(TaobaoOpenUid, "early"), phone], -5, 1)]).await;
    let groups = house.partition().await;
    assert_eq!(groups.len(), 41);
    let with_phone: Vec<_> = groups.iter().filter(|group| group.len() == 2).collect();
    assert_eq!(with_phone, [&vec!["phone_hash the store's own".to_owned(), "taobao_open_uid early".to_owned()]]);
}

#[tokio::test]
async fn customers_are_found_by_store_staff_card_and_stage() {
    let house = House::open().await;
    let mut east = order(1, &[who(MemberCard, "c-1")], 0, 100);
    east.order.guide = Some(domain::Guide { code: "G-07".to_owned(), store_code: Some("east/shanghai-01".to_owned()) });
    house.happened(vec![Event::OrderPaid(east), paid(2, &[who(MemberCard, "c-2")], 5, 100)]).await;
    let listed =
        async |query: &str| house.get(&format!("/v1/customers{query}")).await["items"].as_array().unwrap().len();
    assert_eq!(listed("").await, 2);
    assert_eq!(listed("?store=/east").await, 1);
    assert_eq!(listed("?store=/eas").await, 0);
    assert_eq!(listed("?staff=G-07").await, 1);
    assert_eq!(listed("?card=c-2").await, 1);
    assert_eq!(listed("?stage=buyer").await, 2);
    assert_eq!(listed("?stage=loyal").await, 0);
    assert_eq!(at(0).to_string(), house.get("/v1/customers?card=c-1").await["items"][0]["created_at"]);
}
