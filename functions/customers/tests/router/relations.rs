//! Relations of staff with customers, handovers, and what a member of staff may see. All people are invented.

use crate::support::{DAY, House, at, event, paid, who};
use domain::IdentityKind::{TaobaoOpenUid, WechatUnionId};
use http::Request;
use kit::auth::{self, StorePath};
use kit::{Cx, DbError};
use proptest::prelude::*;
use serde_json::{Value, json};

/// So many customers, each with an order, oldest first.
async fn with_customers(count: u8) -> (House, Vec<String>) {
    let house = House::open().await;
    for number in 0..count {
        let me = who(TaobaoOpenUid, &format!("t-{number}"));
        house.happened(vec![paid(number, &[me], i64::from(number), 100)]).await;
    }
    let mut ids = listed(&house, "").await;
    ids.reverse();
    (house, ids)
}

async fn listed(house: &House, query: &str) -> Vec<String> {
    let list = house.get(&format!("/v1/customers?limit=500{query}")).await;
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn add(house: &House, id: &str, staff: &str) -> Value {
    let (status, body) = house.call("PUT", &format!("/v1/customers/{id}/relations/{staff}"), None).await;
    assert_eq!(status, 200, "{body}");
    body["change"].clone()
}

async fn end(house: &House, id: &str, staff: &str, by: &str) {
    let (status, body) = house.call("DELETE", &format!("/v1/customers/{id}/relations/{staff}?by={by}"), None).await;
    assert_eq!(status, 204, "{body}");
}

async fn relations(house: &House, id: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = house.get(&format!("/v1/customers/{id}/relations")).await;
    found["relations"].as_array().unwrap().iter().map(|one| (text(&one["staff"]), text(&one["state"]))).collect()
}

fn pair(staff: &str, state: &str) -> (String, String) {
    (staff.to_owned(), state.to_owned())
}

async fn hand_over(house: &House, from: &str, body: Value) -> Value {
    let (status, made) = house.call("POST", &format!("/v1/staff/{from}/handovers"), Some(body)).await;
    assert_eq!(status, 202, "{made}");
    made
}

#[tokio::test]
async fn a_relation_begins_ends_and_begins_again_and_its_history_stays() {
    let house = House::open().await;
    house.told(&event("e-1", "account.followed", "u-1", json!({ "account": "a" }))).await;
    let id = house.only_customer().await["id"].as_str().unwrap().to_owned();
    assert_eq!(add(&house, &id, "s-1").await, "added");
    assert_eq!(add(&house, &id, "s-1").await, Value::Null, "it stands: nothing changes");
    let found = house.only_customer().await;
    assert_eq!((&found["stage"], &found["advisor"]), (&json!("contact"), &json!("s-1")));
    assert_eq!(add(&house, &id, "s-2").await, "added");
    assert_eq!(house.only_customer().await["advisor"], "s-1", "the first to know a customer advises it");

    house.wait_until(10).await;
    end(&house, &id, "s-1", "customer").await;
    assert_eq!(house.only_customer().await["stage"], "contact", "somebody knows the customer still");
    end(&house, &id, "s-2", "staff").await;
    end(&house, &id, "s-2", "customer").await;
    assert_eq!(house.only_customer().await["stage"], "lost");
    house.wait_until(20).await;
    assert_eq!(add(&house, &id, "s-2").await, "re_added");
    house.consume().await;
    let found = house.only_customer().await;
    assert_eq!(found["stage"], "won_back");
    assert_eq!(found["last_touch"], json!({ "staff": "s-2", "at": at(20).to_string(), "what": "relation_re_added" }));
    assert_eq!(found["relations"][1]["ended_by"], "customer");

    let history = house.get(&format!("/v1/customers/{id}/relations")).await["history"].clone();
    let told: Vec<_> =
        history.as_array().unwrap().iter().map(|one| format!("{} {}", one["staff"], one["change"])).collect();
    assert_eq!(
        told,
        [r#""s-2" "re_added""#, r#""s-2" "lost""#, r#""s-1" "lost""#, r#""s-2" "added""#, r#""s-1" "added""#]
    );
    let events = house
        .column("select data ->> 'change' || ' by ' || (data ->> 'by') as v from event where type = 'relation.changed' order by seq")
        .await;
    assert_eq!(
        events,
        ["added by customer", "added by customer", "lost by customer", "lost by staff", "re_added by customer"]
    );
    let timeline = house.get(&format!("/v1/customers/{id}/timeline")).await;
    assert_eq!(timeline["items"][0]["summary"]["change"], "re_added");

    for (method, path, status) in [
        ("DELETE", format!("/v1/customers/{id}/relations/s-9?by=staff"), 404),
        ("DELETE", format!("/v1/customers/{id}/relations/s-2"), 400),
        ("DELETE", format!("/v1/customers/{id}/relations/s-2?by=handover"), 400),
        ("PUT", format!("/v1/customers/{id}/relations/%20"), 422),
        ("PUT", "/v1/customers/01890a5d-ac96-774b-bcce-b302099a8057/relations/s-2".to_owned(), 404),
    ] {
        assert_eq!(house.call(method, &path, None).await.0, status, "{method} {path}");
    }
}

#[tokio::test]
async fn whom_somebody_knows_all_the_while_is_not_lost() {
    let house = House::open().await;
    house.told(&event("e-1", "account.followed", "u-1", json!({ "account": "a" }))).await;
    let id = house.only_customer().await["id"].as_str().unwrap().to_owned();
    add(&house, &id, "s-1").await;
    house.wait_until(10).await;
    let mut left = event("e-2", "account.unfollowed", "u-1", json!({ "account": "a" }));
    left["time"] = json!(at(5).to_string());
    house.told(&left).await;
    assert_eq!(house.only_customer().await["stage"], "contact", "the account was left, the member of staff was not");
    hand_over(&house, "s-1", json!({ "to": "s-2", "kind": "on_the_job", "reason": "x" })).await;
    house.wait_until(20).await;
    assert_eq!(house.only_customer().await["stage"], "contact");
    end(&house, &id, "s-2", "customer").await;
    assert_eq!(house.only_customer().await["stage"], "lost");

    // One who was lost becomes one with a customer whom somebody knows.
    house.happened(vec![paid(1, &[who(TaobaoOpenUid, "t-1")], 0, 100)]).await;
    let other = listed(&house, "").await.into_iter().find(|one| *one != id).unwrap();
    add(&house, &other, "s-3").await;
    house.wait_until(30).await;
    add(&house, &id, "s-2").await;
    house.wait_until(40).await;
    end(&house, &id, "s-2", "customer").await;
    let merge = json!({ "customer_ids": [id, other], "reason": "one voice" });
    assert_eq!(house.call("POST", "/v1/customers/merge", Some(merge)).await.0, 200);
    let found = house.get(&format!("/v1/customers/{id}")).await;
    assert_eq!(found["stage"], "buyer", "{found}");
}

#[tokio::test]
async fn relations_are_read_over_those_who_became_one() {
    let (house, ids) = with_customers(2).await;
    add(&house, &ids[1], "s-1").await;
    let merge = json!({ "customer_ids": ids, "reason": "one voice" });
    assert_eq!(house.call("POST", "/v1/customers/merge", Some(merge)).await.0, 200);
    assert_eq!(add(&house, &ids[0], "s-1").await, Value::Null, "the other brought the relation along");
    end(&house, &ids[0], "s-1", "staff").await;
    assert_eq!(relations(&house, &ids[1]).await, [pair("s-1", "lost")]);
    let split = json!({ "split_id": ids[1], "reason": "two voices" });
    assert_eq!(house.call("POST", "/v1/customers/unmerge", Some(split)).await.0, 200);
    assert_eq!(relations(&house, &ids[0]).await, []);
    assert_eq!(relations(&house, &ids[1]).await, [pair("s-1", "lost")]);
}

#[tokio::test]
async fn the_pool_of_somebody_who_left_goes_after_a_day_in_steps_of_a_hundred() {
    let (house, ids) = with_customers(205).await;
    for id in &ids {
        add(&house, id, "old").await;
    }
    add(&house, &ids[0], "new").await;
    let made =
        hand_over(&house, "old", json!({ "to": "new", "kind": "resignation", "reason": "left in February" })).await;
    let path = format!("/v1/handovers/{}", made["id"].as_str().unwrap());
    assert_eq!(made["counts"]["waiting"], 205);
    let (status, _) = house.call("POST", &format!("{path}/refuse"), Some(json!({ "customer_id": ids[1] }))).await;
    assert_eq!(status, 200);
    let (status, _) = house.call("POST", &format!("{path}/refuse"), Some(json!({ "customer_id": ids[1] }))).await;
    assert_eq!(status, 409, "once");

    house.wait_until(DAY - 1).await;
    assert_eq!(house.get(&path).await["counts"]["waiting"], 204, "the day is not over");
    for waiting in [104, 4, 0] {
        house.wait_until(DAY).await;
        assert_eq!(house.get(&path).await["counts"]["waiting"], waiting);
    }
    let found = house.get(&format!("{path}?limit=500")).await;
    let counts = json!({ "total": 205, "waiting": 0, "asked": 0, "moved": 203, "kept": 1, "refused": 1 });
    assert_eq!((&found["counts"], &found["ended_at"]), (&counts, &json!(at(DAY).to_string())));
    let refused: Vec<_> = found["items"].as_array().unwrap().iter().filter(|one| one["state"] == "refused").collect();
    assert_eq!((&refused[0]["customer_id"], &refused[0]["reason"]), (&json!(ids[1]), &json!("by_customer")));

    assert_eq!(relations(&house, &ids[0]).await, [pair("new", "added"), pair("old", "lost")]);
    assert_eq!(relations(&house, &ids[1]).await, [pair("old", "added")]);
    assert_eq!(relations(&house, &ids[2]).await, [pair("new", "added"), pair("old", "lost")]);
    assert_eq!(listed(&house, "&staff=old").await, [ids[1].clone()], "who refused keeps its advisor");
    assert_eq!(listed(&house, "&staff=new").await.len(), 204);
    let sql = "select count(*) || '' as v from relation_change where staff = 'new' and customer = '";
    assert_eq!(
        house.column(&format!("{sql}{}'", ids[0])).await,
        ["1"],
        "who knows the customer adds it no second time"
    );
    let lost = house.column("select count(*) || '' as v from identity where lost_at is not null").await;
    assert_eq!(lost, ["0"], "who is handed over is not lost");
    // A repeated step finds nothing to do.
    house.wait_until(2 * DAY).await;
    assert_eq!(house.get(&path).await["counts"], counts);
}

#[tokio::test]
async fn on_the_job_a_customer_is_passed_on_twice_in_ninety_days() {
    let (house, ids) = with_customers(2).await;
    add(&house, &ids[0], "a").await;
    let mut outcomes = Vec::new();
    for (day, from, to) in [(0, "a", "b"), (1, "b", "c"), (2, "c", "d"), (89, "c", "d"), (90, "c", "d"), (90, "d", "e")]
    {
        house.wait_until(day * DAY).await;
        let body = json!({ "to": to, "kind": "on_the_job", "reason": "districts", "customer_ids": [ids[0]] });
        let made = hand_over(&house, from, body).await;
        house.wait_until(day * DAY).await;
        let found = house.get(&format!("/v1/handovers/{}", made["id"].as_str().unwrap())).await;
        let one = &found["items"][0];
        outcomes.push(one["reason"].as_str().or(one["state"].as_str()).unwrap().to_owned());
    }
    assert_eq!(outcomes, ["moved", "moved", "too_often", "too_often", "moved", "too_often"]);
    assert_eq!(listed(&house, "&staff=d").await, [ids[0].clone()]);

    // Who is not in the pool is refused; a third one who advises goes on to do so.
    add(&house, &ids[1], "f").await;
    house.call("PATCH", &format!("/v1/customers/{}", ids[1]), Some(json!({ "advisor": "boss" }))).await;
    let body = json!({ "to": "g", "kind": "on_the_job", "reason": "districts", "customer_ids": [ids[0], ids[1]] });
    let made = hand_over(&house, "f", body).await;
    house.wait_until(91 * DAY).await;
    let found = house.get(&format!("/v1/handovers/{}", made["id"].as_str().unwrap())).await;
    assert_eq!((&found["items"][0]["reason"], &found["items"][1]["state"]), (&json!("not_in_pool"), &json!("moved")));
    assert_eq!(listed(&house, "&staff=boss").await, [ids[1].clone()]);
    assert_eq!(relations(&house, &ids[1]).await, [pair("g", "added"), pair("f", "lost")]);
}

#[tokio::test]
async fn who_was_merged_or_erased_meanwhile_goes_once_or_not_at_all() {
    let (house, ids) = with_customers(3).await;
    for id in &ids {
        add(&house, id, "old").await;
    }
    let made = hand_over(&house, "old", json!({ "to": "new", "kind": "resignation", "reason": "left" })).await;
    let merge = json!({ "customer_ids": [ids[0], ids[1]], "reason": "one voice" });
    assert_eq!(house.call("POST", "/v1/customers/merge", Some(merge)).await.0, 200);
    assert_eq!(house.call("POST", &format!("/v1/customers/{}/erase", ids[2]), None).await.0, 204);
    house.wait_until(DAY).await;
    let found = house.get(&format!("/v1/handovers/{}", made["id"].as_str().unwrap())).await;
    let outcome = |id: &String| {
        let one = found["items"].as_array().unwrap().iter().find(|one| one["customer_id"] == json!(id)).unwrap();
        one["reason"].as_str().or(one["state"].as_str()).unwrap().to_owned()
    };
    assert_eq!([&ids[0], &ids[1], &ids[2]].map(outcome), ["moved", "merged", "erased"]);
    assert_eq!(relations(&house, &ids[0]).await, [pair("new", "added"), pair("old", "lost")]);
    assert_eq!(
        house.column("select count(*) || '' as v from relation_change where change = 'handed_over'").await,
        ["1"]
    );
}

#[tokio::test]
async fn a_handover_that_makes_no_sense_is_refused_and_a_repetition_is_one() {
    let (house, ids) = with_customers(1).await;
    for (body, status) in [
        (json!({ "to": "a", "kind": "on_the_job", "reason": "x" }), 422),
        (json!({ "to": "", "kind": "on_the_job", "reason": "x" }), 422),
        (json!({ "to": "b", "kind": "on_the_job", "reason": " " }), 422),
        (json!({ "to": "b", "kind": "on_the_job", "reason": "x", "customer_ids": [] }), 422),
        (json!({ "to": "b", "kind": "by_force", "reason": "x" }), 400),
        (json!({ "to": "b", "kind": "on_the_job", "reason": "x", "extra": 1 }), 400),
        (
            json!({ "to": "b", "kind": "on_the_job", "reason": "x", "customer_ids": ["01890a5d-ac96-774b-bcce-b302099a8057"] }),
            404,
        ),
    ] {
        assert_eq!(house.call("POST", "/v1/staff/a/handovers", Some(body.clone())).await.0, status, "{body}");
    }
    add(&house, &ids[0], "a").await;
    let post = || {
        Request::post("/v1/staff/a/handovers")
            .header("authorization", "Bearer first-token")
            .header("idempotency-key", "k-1")
            .body(json!({ "to": "b", "kind": "on_the_job", "reason": "x" }).to_string().into())
            .unwrap()
    };
    let (first, again) = (house.send(post()).await.1, house.send(post()).await.1);
    assert_eq!(first["id"], again["id"]);
    assert_eq!(house.column("select count(*) || '' as v from handover").await, ["1"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is added, removed and handed over: what stands follows from the history, and nothing begins or ends twice.
    #[test]
    fn what_stands_follows_from_the_history(
        steps in prop::collection::vec((0..3_u8, prop::sample::select(vec!["a", "b", "c"]), prop::sample::select(vec!["a", "b", "c"])), 1..14),
    ) {
        let (events, standing) = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async move {
            let (house, ids) = with_customers(1).await;
            for (step, one, other) in steps {
                let path = format!("/v1/customers/{}/relations/{one}", ids[0]);
                match step {
                    0 => drop(house.call("PUT", &path, None).await),
                    1 => drop(house.call("DELETE", &format!("{path}?by=staff"), None).await),
                    _ => {
                        let body = json!({ "to": other, "kind": "resignation", "reason": "x" });
                        house.call("POST", &format!("/v1/staff/{one}/handovers"), Some(body)).await;
                        let now = house.app.clock().now().await.unwrap().seconds() - at(0).seconds();
                        house.wait_until(now + DAY).await;
                    }
                }
            }
            let events = house.column("select (data ->> 'staff') || ' ' || (data ->> 'change') as v from event
                where type = 'relation.changed' order by seq").await;
            let standing = house.column("select staff as v from relation where state = 'added' order by 1").await;
            (events, standing)
        });
        let mut model = std::collections::BTreeMap::new();
        for told in events {
            let (staff, change) = told.split_once(' ').unwrap();
            let before = model.insert(staff.to_owned(), matches!(change, "added" | "re_added"));
            let expected = match change {
                "added" => None,
                "re_added" => Some(false),
                _ => Some(true),
            };
            prop_assert_eq!(before, expected, "{}", told);
        }
        let stands: Vec<_> = model.into_iter().filter_map(|(staff, stands)| stands.then_some(staff)).collect();
        prop_assert_eq!(stands, standing);
    }
}

#[tokio::test]
async fn a_member_of_staff_sees_its_pool_and_a_manager_its_stores() {
    let (house, ids) = with_customers(3).await;
    add(&house, &ids[0], "s-1").await;
    house.call("PATCH", &format!("/v1/customers/{}", ids[0]), Some(json!({ "advisor": "boss" }))).await;
    house.call("PATCH", &format!("/v1/customers/{}", ids[1]), Some(json!({ "advisor": "s-1" }))).await;
    house.call("PATCH", &format!("/v1/customers/{}", ids[2]), Some(json!({ "store": "/east" }))).await;
    let token = async |store: &str, staff: Option<&'static str>| {
        let store = StorePath::try_from(store.to_owned()).unwrap();
        let scopes = vec!["*".to_owned()];
        let made = house
            .app
            .db()
            .write(&Cx::at(at(0)), move |tx| auth::create(tx, "test", &scopes, &store, staff, None))
            .await;
        made.map_err(|error: DbError| error).unwrap().text
    };
    let (staff, manager) = (token("/", Some("s-1")).await, token("/east", None).await);
    let call = async |token: &str, method: &str, path: &str, body: Option<Value>| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(body.map(|body| body.to_string()).unwrap_or_default().into())
            .unwrap();
        let (status, body) = house.send(request).await;
        (status.as_u16(), body)
    };
    let names = |list: &Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&call(&staff, "GET", "/v1/customers", None).await.1), [ids[1].clone(), ids[0].clone()]);
    assert_eq!(names(&call(&manager, "GET", "/v1/customers", None).await.1), [ids[2].clone()]);
    let note = || json!({ "staff": "s-1", "note": "rang", "outcome": "reached" });
    for (number, id) in ids.iter().enumerate() {
        let seen = number < 2;
        for (method, path, body, good) in [
            ("GET", String::new(), None, 200),
            ("GET", "/timeline".to_owned(), None, 200),
            ("GET", "/relations".to_owned(), None, 200),
            ("GET", "/follow-ups".to_owned(), None, 200),
            ("POST", "/follow-ups".to_owned(), Some(note()), 201),
            ("PUT", "/relations/s-1".to_owned(), None, 200),
            ("GET", "/export".to_owned(), None, 200),
            ("GET", "/points".to_owned(), None, 200),
            ("GET", "/membership".to_owned(), None, 200),
            ("PATCH", String::new(), Some(json!({ "name": "王小花" })), 204),
            (
                "POST",
                "/consents".to_owned(),
                Some(json!({ "purpose": "marketing", "granted": true, "source": "x" })),
                204,
            ),
        ] {
            let (status, answer) = call(&staff, method, &format!("/v1/customers/{id}{path}"), body).await;
            assert_eq!(status, if seen { good } else { 404 }, "{method} {path} of {number}: {answer}");
        }
        if !seen {
            let erase = call(&staff, "POST", &format!("/v1/customers/{id}/erase"), None).await;
            assert_eq!(erase.0, 404);
            let merge = json!({ "customer_ids": [ids[0], id], "reason": "one voice" });
            assert_eq!(call(&staff, "POST", "/v1/customers/merge", Some(merge)).await.0, 404);
        }
    }
    // Nobody acts as another, gives away what it does not see, or hands over.
    let own = format!("/v1/customers/{}", ids[1]);
    let other = json!({ "staff": "s-2", "note": "rang", "outcome": "reached" });
    for (method, path, body) in [
        ("POST", format!("{own}/follow-ups"), Some(other)),
        ("PUT", format!("{own}/relations/s-2"), None),
        ("PATCH", own.clone(), Some(json!({ "advisor": "s-2" }))),
        ("GET", "/v1/conflicts".to_owned(), None),
        (
            "POST",
            "/v1/staff/s-1/handovers".to_owned(),
            Some(json!({ "to": "s-2", "kind": "on_the_job", "reason": "x" })),
        ),
    ] {
        assert_eq!(call(&staff, method, &path, body).await.0, 403, "{method} {path}");
    }
    // The bond ends, and with it the sight. Whom it advises it goes on to see.
    end(&house, &ids[0], "s-1", "customer").await;
    assert_eq!(names(&call(&staff, "GET", "/v1/customers", None).await.1), [ids[1].clone()]);
    assert_eq!(call(&staff, "GET", &format!("/v1/customers/{}", ids[0]), None).await.0, 404);
    // A store narrows a member's sight further.
    let narrow = token("/east", Some("s-1")).await;
    assert_eq!(names(&call(&narrow, "GET", "/v1/customers", None).await.1), Vec::<String>::new());
}

#[tokio::test]
async fn hints_at_others_are_shown_only_where_they_may_be_seen() {
    let house = House::open().await;
    for (id, unionid) in [("e-1", "u-1"), ("e-2", "u-2")] {
        let mut told = event(id, "account.followed", unionid, json!({ "account": "a" }));
        told["data"]["who"]["name"] = json!("欧阳小明");
        house.told(&told).await;
    }
    let ids = listed(&house, "").await;
    let path = format!("/v1/customers/{}", ids[0]);
    assert_eq!(house.get(&path).await["suggestions"][0]["customer_id"], json!(ids[1]));
    add(&house, &ids[0], "s-1").await;
    let scopes = vec!["customers:read".to_owned()];
    let cx = Cx::at(at(0));
    let made =
        house.app.db().write(&cx, move |tx| auth::create(tx, "test", &scopes, &StorePath::root(), Some("s-1"), None));
    let token = made.await.map_err(|error: DbError| error).unwrap().text;
    let request =
        Request::get(&path).header("authorization", format!("Bearer {token}")).body(String::new().into()).unwrap();
    let (status, found) = house.send(request).await;
    assert_eq!((status.as_u16(), &found["suggestions"]), (200, &json!([])));
    assert_eq!(house.partition().await.len(), 2, "{:?}", who(WechatUnionId, "u-1"));
}
