//! Files of customers, members and points. All people and numbers are invented.

use crate::support::{DAY, House, at, paid, who};
use domain::IdentityKind::WechatUnionId;
use http::Request;
use kit::auth::{self, StorePath};
use kit::{Cx, DbError};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn send(house: &House, query: &str, body: impl Into<Vec<u8>>, key: Option<&str>) -> (u16, Value) {
    let mut request = Request::post(format!("/v1/imports?{query}"))
        .header("authorization", "Bearer first-token")
        .header("content-type", "text/csv; charset=utf-8");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let (status, answer) = house.send(request.body(body.into().into()).unwrap()).await;
    (status.as_u16(), answer)
}

/// Sends a file and works it off to its end.
async fn import(house: &House, query: &str, body: &str) -> Value {
    let (status, made) = send(house, query, body, None).await;
    assert_eq!(status, 202, "{made}");
    let path = format!("/v1/imports/{}", made["id"].as_str().unwrap());
    for _ in 0..100 {
        let found = house.get(&path).await;
        if found["ended_at"].is_string() {
            return found;
        }
        step(house).await;
    }
    panic!("the import does not end")
}

/// What one tick does.
async fn step(house: &House) {
    let now = house.app.clock().now().await.unwrap().seconds() - at(0).seconds();
    house.wait_until(now).await;
    // The pump calls again for what the step has told.
    house.consume().await;
}

fn counts(found: &Value) -> [i64; 5] {
    ["rows", "done", "accepted", "duplicate", "refused"].map(|name| found[name].as_i64().unwrap())
}

async fn errors(house: &House, found: &Value) -> Vec<(i64, String)> {
    let list = house.get(&format!("/v1/imports/{}/errors?limit=500", found["id"].as_str().unwrap())).await;
    let items = list["items"].as_array().unwrap();
    items.iter().map(|one| (one["row"].as_i64().unwrap(), one["column"].as_str().unwrap().to_owned())).collect()
}

async fn with_week() -> House {
    let house = House::open().await;
    let week = json!({ "label": "孕周", "type": "number", "minimum": 0, "maximum": 42 });
    assert_eq!(house.call("PUT", "/v1/profile-fields/week", Some(week)).await.0, 200);
    house
}

const FILE: &str = "\u{feff}wechat_union_id,phone,phone_verified,name,store,advisor,consent,field:week\r\n\
    u-1,13800000001,true,王小花,/east,s-1,marketing;profiling,20\r\n\
    u-2,138****0002,true,\"李, 小明\",,,,\r\n\
    ,13800000003,,赵小强,,,,\r\n\
    u-4,,,,west,,,99\r\n\
    u-1,13800000001,true,王小花,/east,s-1,marketing;profiling,20\r\n";

#[tokio::test]
async fn a_row_is_a_customer_with_all_that_it_says() {
    let house = with_week().await;
    house.happened(vec![paid(1, &[who(WechatUnionId, "u-1")], 0, 100)]).await;
    let found = import(&house, "kind=customers", FILE).await;
    assert_eq!(counts(&found), [5, 5, 1, 1, 3]);
    let wrong = [(3, "phone"), (4, ""), (5, "field:week"), (5, "store")].map(|(row, column)| (row, column.to_owned()));
    assert_eq!(errors(&house, &found).await, wrong);

    let customer = house.only_customer().await;
    assert_eq!(customer["identities"].as_array().unwrap().len(), 2, "the one who had bought");
    assert_eq!((&customer["name"], &customer["store"]), (&json!("王*"), &json!("/east")));
    assert_eq!((&customer["advisor"], &customer["orders"]["count"]), (&json!("s-1"), &json!(1)));
    assert_eq!(customer["attributes"][0]["value"], 20);
    assert_eq!(customer["attributes"][0]["source"], "import");
    let purposes: Vec<_> = customer["consents"].as_array().unwrap().iter().map(|one| &one["purpose"]).collect();
    assert_eq!(purposes, ["marketing", "profiling"]);
    let list = house.get("/v1/customers?phone=13800000001").await;
    assert_eq!(list["items"][0]["id"], customer["id"]);
    let timeline = house.get(&format!("/v1/customers/{}/timeline", customer["id"].as_str().unwrap())).await;
    assert_eq!(timeline["items"][0]["type"], "customer.imported");

    // What is personal is nowhere in clear, and nowhere at all once a row is worked off.
    let log = house.column("select group_concat(data) as v from event").await;
    let report = house.column("select group_concat(column || advice) as v from import_error").await;
    for personal in ["13800000001", "王小花", "138****0002", "李", "13800000003", "u-4"] {
        assert!(!log[0].contains(personal) && !report[0].contains(personal), "{personal}");
    }
    assert_eq!(house.column("select count(*) || '' as v from import_row where sealed is not null").await, ["0"]);
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let house = with_week().await;
    let dry = import(&house, "kind=customers&dry_run=true", FILE).await;
    assert_eq!((counts(&dry), &dry["dry_run"]), ([5, 5, 1, 1, 3], &json!(true)));
    for table in ["customer", "identity", "identity_clear", "intake", "imported", "customer_consent"] {
        assert_eq!(house.column(&format!("select count(*) || '' as v from {table}")).await, ["0"], "{table}");
    }
    let events = house.column("select distinct type as v from event").await;
    assert_eq!(events, ["import.due"]);
    let real = import(&house, "kind=customers&dry_run=false", FILE).await;
    assert_eq!(counts(&real), counts(&dry));
    assert_eq!(errors(&house, &real).await, errors(&house, &dry).await);
    // What was imported since is told by the next dry run.
    let again = import(&house, "kind=customers&dry_run=true", FILE).await;
    assert_eq!(counts(&again), [5, 5, 0, 2, 3]);

    let first = house.get("/v1/imports?limit=2").await;
    let second = house.get(&format!("/v1/imports?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    let listed: Vec<_> = [&first, &second].iter().flat_map(|page| page["items"].as_array().unwrap()).collect();
    for (entry, whole) in listed.iter().zip([&again, &real, &dry]) {
        for name in ["id", "kind", "dry_run", "created_at", "ended_at"] {
            assert_eq!(entry[name], whole[name], "{name}");
        }
    }
    assert_eq!((listed.len(), &second["next_cursor"]), (3, &Value::Null));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// Whatever stands in a file, a dry run reports what the import then does, and each row has its effect once.
    #[test]
    fn a_dry_run_reports_what_the_import_does(
        rows in prop::collection::vec((
            prop::sample::select(vec!["", "M-1", "M-2"]),
            prop::sample::select(vec!["", "13800000001", "138****0001"]),
            prop::sample::select(vec!["", "true", "maybe"]),
        ), 1..12),
    ) {
        let rows: Vec<_> = rows.iter().map(|(card, phone, verified)| format!("{card},{phone},{verified},x")).collect();
        let file = format!("card,phone,phone_verified,name\n{}\n", rows.join("\n"));
        let (dry, real, wrong, told) = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async move {
            let house = House::open().await;
            let dry = import(&house, "kind=customers&dry_run=true", &file).await;
            let real = import(&house, "kind=customers", &file).await;
            let told = house.column("select count(*) || '' as v from event where type = 'customer.imported'").await;
            let wrong = (errors(&house, &dry).await, errors(&house, &real).await);
            (counts(&dry), counts(&real), wrong, told)
        });
        prop_assert_eq!(dry, real);
        prop_assert_eq!(wrong.0, wrong.1);
        let fit = rows.iter().filter(|row| {
            let cells: Vec<_> = row.split(',').collect();
            !row.contains('*') && !row.contains("maybe")
                && (!cells[0].is_empty() || (!cells[1].is_empty() && cells[2] == "true"))
        });
        let distinct: BTreeSet<_> = fit.clone().collect();
        let (fit, distinct, all) = (fit.count(), distinct.len(), rows.len());
        let expected = [all, all, distinct, fit - distinct, all - fit].map(|count| i64::try_from(count).unwrap());
        prop_assert_eq!(real, expected);
        prop_assert_eq!(told, [real[2].to_string()]);
    }
}

#[tokio::test]
async fn rows_have_their_effect_once_whatever_file_they_come_in() {
    let house = House::open().await;
    let one = import(&house, "kind=customers", "card,name\nM-00001,王小花\nM-00002,李小明\n").await;
    assert_eq!(counts(&one), [2, 2, 2, 0, 0]);
    // The same file is the same import.
    let again = import(&house, "kind=customers", "card,name\nM-00001,王小花\nM-00002,李小明\n").await;
    assert_eq!(again["id"], one["id"]);
    // A row that is known comes in another file, its columns in another order.
    let other = import(&house, "kind=customers", "name,card\n王小花,M-00001\n赵小强,M-00003\n").await;
    assert_eq!(counts(&other), [2, 2, 1, 1, 0]);
    let events = house.column("select count(*) || '' as v from event where type = 'customer.imported'").await;
    assert_eq!(events, ["3"]);
    // A file that had rows refused may come again when the cause is mended.
    let broken = "card,field:week\nM-00004,20\n";
    let refused = import(&house, "kind=customers", broken).await;
    assert_eq!((counts(&refused), errors(&house, &refused).await[0].1.as_str()), ([1, 1, 0, 0, 1], "field:week"));
    let week = json!({ "label": "孕周", "type": "number" });
    house.call("PUT", "/v1/profile-fields/week", Some(week)).await;
    assert_eq!(counts(&import(&house, "kind=customers", broken).await), [1, 1, 1, 0, 0]);
    // A key makes a repetition one; with another file it is refused.
    let first = send(&house, "kind=customers&dry_run=true", "card\nM-9\n", Some("k-1")).await;
    assert_eq!(send(&house, "kind=customers&dry_run=true", "card\nM-9\n", Some("k-1")).await.1, first.1);
    assert_eq!(send(&house, "kind=customers&dry_run=true", "card\nM-8\n", Some("k-1")).await.0, 422);
    assert_eq!(send(&house, "kind=members&dry_run=true", "card\nM-9\n", Some("k-1")).await.0, 422);
}

#[tokio::test]
async fn a_long_file_goes_in_steps_that_go_on_where_they_stopped() {
    let house = House::open().await;
    let rows: String = (0..450).map(|number| format!("M-{number:05}\n")).collect();
    let (status, made) = send(&house, "kind=customers", format!("card\n{rows}"), None).await;
    assert_eq!((status, counts(&made)), (202, [450, 0, 0, 0, 0]));
    let path = format!("/v1/imports/{}", made["id"].as_str().unwrap());
    for (done, ended) in [(200, false), (400, false), (450, true)] {
        step(&house).await;
        let found = house.get(&path).await;
        assert_eq!((counts(&found), found["ended_at"].is_string()), ([450, done, done, 0, 0], ended));
        // The same file again meanwhile is the same import.
        let (_, again) = send(&house, "kind=customers", format!("card\n{rows}"), None).await;
        assert_eq!(again["id"], made["id"]);
    }
    assert_eq!(house.column("select count(*) || '' as v from customer").await, ["450"]);
    house.wait_until(DAY).await;
    assert_eq!(house.column("select count(*) || '' as v from timer where key like 'customers.import/%'").await, ["0"]);
}

#[tokio::test]
async fn errors_page_completely() {
    let house = House::open().await;
    let rows: String = (0..11).map(|_| "M-00001,x,maybe\n").collect();
    let found = import(&house, "kind=customers", &format!("card,phone,phone_verified\n{rows}")).await;
    assert_eq!(counts(&found), [11, 11, 0, 0, 11]);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.get(&format!("/v1/imports/{}/errors?limit=3{cursor}", found["id"].as_str().unwrap())).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|one| format!("{} {}", one["row"], one["column"])));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let mut unique = seen.clone();
    unique.dedup();
    assert_eq!((seen.len(), unique.len()), (22, 22));
}

#[tokio::test]
async fn members_have_a_card_and_are_contacts_and_get_their_points_once() {
    let house = House::open().await;
    let found =
        import(&house, "kind=members", "card,phone,phone_verified\nM-00001,13800000001,是\n,13800000002,是\n").await;
    assert_eq!(counts(&found), [2, 2, 1, 0, 1]);
    let customer = house.only_customer().await;
    assert_eq!(customer["stage"], "contact");
    assert_eq!(house.get("/v1/customers?card=M-00001").await["items"][0]["id"], customer["id"]);
    let points = import(&house, "kind=points", "card,points,reference\nM-00001,50,2025\nM-00001,0,\n").await;
    assert_eq!(errors(&house, &points).await, [(3, "points".to_owned())]);
    // The same row in another file is the same row; one with a last day counts to the end of it.
    import(&house, "kind=points", "card,points,reference\nM-00001,50,2025\n").await;
    import(&house, "kind=points", "card,points,expires_on\nM-00001,7,2026-02-20\n").await;
    let ledger = house.get(&format!("/v1/customers/{}/points", customer["id"].as_str().unwrap())).await;
    assert_eq!((&ledger["balance"], &ledger["next_expiring"]), (&json!(57), &json!(7)));
    assert_eq!(ledger["next_expiry"], "2026-02-20T16:00:00.000Z", "the first instant after the day, in Shanghai");
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_refused_as_a_whole() {
    let house = House::open().await;
    for (query, body, status) in [
        ("kind=customers", b"card\n\xff\n".to_vec(), 422),
        ("kind=customers", b"card\n".to_vec(), 422),
        ("kind=customers", b"telephone\n1\n".to_vec(), 422),
        ("kind=customers", vec![b'x'; (1 << 20) + 1], 413),
        ("kind=pets", b"card\nM-1\n".to_vec(), 400),
        ("", b"card\nM-1\n".to_vec(), 400),
        ("kind=customers&dry_run=maybe", b"card\nM-1\n".to_vec(), 400),
    ] {
        assert_eq!(send(&house, query, body.clone(), None).await.0, status, "{query} {:?}", body.get(..20));
    }
    let (_, problem) = send(&house, "kind=customers", "telephone,card,points\n", None).await;
    assert_eq!(problem["columns"].as_array().unwrap().len(), 2, "{problem}");
    let json = Request::post("/v1/imports?kind=customers")
        .header("authorization", "Bearer first-token")
        .header("content-type", "application/json")
        .body("card\nM-1\n".to_owned().into())
        .unwrap();
    assert_eq!(house.send(json).await.0, 415);
    assert_eq!(house.column("select count(*) || '' as v from import").await, ["0"]);
    for (store, staff) in [("/east", None), ("/", Some("s-1"))] {
        let (scopes, store) = (vec!["*".to_owned()], StorePath::try_from(store.to_owned()).unwrap());
        let cx = Cx::at(at(0));
        let made = house.app.db().write(&cx, move |tx| auth::create(tx, "test", &scopes, &store, staff, None));
        let token = made.await.map_err(|error: DbError| error).unwrap().text;
        let request = Request::post("/v1/imports?kind=customers")
            .header("authorization", format!("Bearer {token}"))
            .body("card\nM-1\n".to_owned().into())
            .unwrap();
        assert_eq!(house.send(request).await.0, 403);
    }
}
