//! From the scan to the welcome, at the simulated WeCom and Official Account.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde_json::{Value, json};
use siyu_tests::http::Client;
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::system::{DATABASE, System};
use siyu_tests::wechat::people::Person;
use siyu_tests::wecom::Outcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::database::{assert_sound, is_settled, number, open};
use crate::fixtures::{PATIENCE, assert_problem};

/// How long a welcome code lives.
const LIFE: Duration = Duration::from_secs(20);

async fn call(system: &System, method: &str, path: &str, body: &Value) -> Value {
    let answer = system.client.json(method, &system.host.at(path), body).await.unwrap();
    assert!(answer.status.is_success(), "{method} {path}: {answer}");
    answer.json().unwrap_or(Value::Null)
}

async fn get(system: &System, path: &str) -> Value {
    let answer = system.client.get(&system.host.at(path)).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {answer}");
    answer.json().unwrap()
}

async fn tag(system: &System, name: &str) -> String {
    let group = call(system, "POST", "/v1/tag-groups", &json!({ "name": format!("组 {name}") })).await;
    let path = format!("/v1/tag-groups/{}/tags", group["id"].as_str().unwrap());
    call(system, "POST", &path, &json!({ "name": name })).await["id"].as_str().unwrap().to_owned()
}

async fn code(system: &System, kind: &str, plan: Value) -> Value {
    call(system, "PUT", "/v1/channels/door", &json!({ "label": "门店海报" })).await;
    let new = json!({ "channel": "door", "kind": kind, "name": "A店门口", "store": "/east/shanghai-01", "plan": plan });
    let made = call(system, "POST", "/v1/channel-codes", &new).await;
    let path = format!("/v1/channel-codes/{}", made["id"].as_str().unwrap());
    let ready = async |system: &System| {
        let found = get(system, &path).await;
        Ok((found["status"] == "ready" && is_settled(system)).then_some(found))
    };
    system.wait_for("the platform to make the code", PATIENCE, ready).await.unwrap()
}

fn members(count: u32, cap: u32) -> Value {
    let members: Vec<_> =
        (1..=count).map(|number| json!({ "staff": format!("staff-{number:02}"), "daily_cap": cap })).collect();
    json!({ "staff": [{ "from": "00:00", "until": "24:00", "members": members }] })
}

async fn settled(system: &System) {
    let done = async |system: &System| Ok(is_settled(system).then_some(()));
    system.wait_for("all to be done", PATIENCE, done).await.unwrap();
}

#[tokio::test]
async fn who_scans_in_a_store_is_welcomed_tagged_and_advised_while_the_phone_is_in_the_hand() {
    let system = System::start().await.unwrap();
    system.wecom.verify_url().await.unwrap();
    let tag = tag(&system, "门店来客").await;
    let plan = json!({ "reception": members(1, 100), "tags": [tag], "remark": "A店-{customer}",
        "welcome": { "default": { "text": "你好{customer}，我是{staff}" } } });
    let code = code(&system, "contact_way", plan).await;
    let person = Person::new("草莓");
    system.wecom.scan(code["state"].as_str().unwrap(), &person).unwrap();
    system.wecom.deliver(&Mishaps::NONE).await.unwrap();
    settled(&system).await;
    let welcomes = system.wecom.welcomes(&person);
    let [welcome] = welcomes.as_slice() else { panic!("{welcomes:?}") };
    assert_eq!(welcome.message["text"]["content"], format!("你好{}，我是staff-01", person.name));
    assert!(welcome.after < LIFE, "{:?}", welcome.after);
    let follow = system.wecom.follow("staff-01", &person).unwrap();
    assert_eq!(follow.remark.name, format!("A店-{}", person.name));
    let list = system.client.pages(&system.host.at(&format!("/v1/customers?tag={tag}"))).await.unwrap();
    let [customer] = list.as_slice() else { panic!("{list:?}") };
    assert_eq!(
        (&customer["stage"], &customer["store"], &customer["advisor"], &customer["name"]),
        (&json!("contact"), &json!("/east/shanghai-01"), &json!("staff-01"), &json!("虚*"))
    );
    let id = customer["id"].as_str().unwrap();
    let portrait = get(&system, &format!("/v1/customers/{id}")).await;
    let kinds: Vec<_> = portrait["identities"].as_array().unwrap().iter().map(|who| who["kind"].clone()).collect();
    assert!(kinds.contains(&json!("wechat_union_id")) && kinds.contains(&json!("wecom_external_user_id")), "{kinds:?}");
    assert_eq!(portrait["relations"][0]["staff"], "staff-01");
    let tags = get(&system, &format!("/v1/customers/{id}/tags")).await;
    assert_eq!(tags["items"].as_array().or(tags.as_array()).unwrap()[0]["name"], "门店来客");
    // She goes, and the merchant knows.
    system.wecom.delete_by_customer("staff-01", &person).unwrap();
    system.wecom.deliver(&Mishaps::NONE).await.unwrap();
    settled(&system).await;
    assert_eq!(get(&system, &format!("/v1/customers/{id}")).await["stage"], "lost");
}

#[tokio::test]
async fn a_follower_of_the_account_is_the_same_customer_as_the_contact_at_wecom() {
    let system = System::start().await.unwrap();
    system.account.verify_url().await.unwrap();
    let door = code(&system, "contact_way", json!({ "reception": members(1, 100) })).await;
    let plan = json!({ "welcome": { "default": { "text": "欢迎关注" } } });
    let poster = code(&system, "account", plan).await;
    let person = Person::new("芒果");
    system.wecom.scan(door["state"].as_str().unwrap(), &person).unwrap();
    system.wecom.deliver(&Mishaps::NONE).await.unwrap();
    system.account.subscribe(&person, Some(poster["state"].as_str().unwrap())).unwrap();
    system.account.deliver(&Mishaps::NONE).await.unwrap();
    system.account.write(&person, "几点关门？").unwrap();
    system.account.deliver(&Mishaps::NONE).await.unwrap();
    settled(&system).await;
    let list = system.client.pages(&system.host.at("/v1/customers")).await.unwrap();
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(system.account.custom_messages(&person).len(), 1);
    assert_eq!(number(&system, "select count(*) from inbound_message"), 1);
}

/// Moves the virtual clock, and WeCom's with it.
async fn forward(system: &System, by: SignedDuration) {
    let now: Timestamp = get(system, "/v1/clock").await["now"].as_str().unwrap().parse().unwrap();
    let then = now.checked_add(by).unwrap();
    system.wecom.set_clock(Some(then.as_second()));
    call(system, "POST", "/v1/clock", &json!({ "now": format!("{then:.3}") })).await;
}

/// Lets the virtual clock run until all is done: calls that wait for their time are made.
async fn run(system: &System) {
    for _ in 0..PATIENCE.as_secs() * 2 {
        if is_settled(system) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        forward(system, SignedDuration::from_secs(1)).await;
    }
    panic!("not all is done");
}

#[tokio::test]
async fn contacts_change_hands_at_wecom_and_here_unless_they_refuse() {
    let system = System::start_with(|setup| setup.variable("clock", "virtual")).await.unwrap();
    system.wecom.verify_url().await.unwrap();
    let door = code(&system, "contact_way", json!({ "reception": members(1, 100) })).await;
    let people = ["桃子", "李子", "杏子"].map(Person::new);
    for person in &people {
        system.wecom.scan(door["state"].as_str().unwrap(), person).unwrap();
    }
    system.wecom.deliver(&Mishaps::NONE).await.unwrap();
    run(&system).await;
    system.wecom.hire("staff-02");
    let wanted = json!({ "to": "staff-02", "kind": "on_the_job", "reason": "new district", "message": "小王为您服务" });
    let made = call(&system, "POST", "/v1/staff/staff-01/handovers", &wanted).await;
    assert_eq!(made["counts"]["asked"], 3);
    run(&system).await;
    let transfers = system.wecom.transfers();
    assert!(transfers.iter().all(|one| one.outcome.is_none() && one.takeover == "staff-02"), "{transfers:?}");
    assert_eq!(transfers.len(), 3);

    // One goes and one refuses, as callbacks tell. Of the third nobody tells: it is asked for when the day is over.
    system.wecom.end_transfer(&people[0], Outcome::Done).unwrap();
    system.wecom.end_transfer(&people[1], Outcome::Refused).unwrap();
    system.wecom.deliver(&Mishaps::NONE).await.unwrap();
    run(&system).await;
    let path = format!("/v1/handovers/{}", made["id"].as_str().unwrap());
    let counts = |moved: u32, asked: u32| json!({ "total": 3, "waiting": 0, "asked": asked, "moved": moved, "kept": 0, "refused": 1 });
    assert_eq!(get(&system, &path).await["counts"], counts(1, 1));
    forward(&system, SignedDuration::from_mins(24 * 60 + 6)).await;
    run(&system).await;
    let found = get(&system, &path).await;
    assert_eq!((&found["counts"], found["ended_at"].is_null()), (&counts(2, 0), false));
    for (person, staff) in people.iter().zip(["staff-02", "staff-01", "staff-02"]) {
        assert!(system.wecom.follow(staff, person).is_some_and(|follow| follow.is_listed), "{staff}");
    }
    let whose = async |staff: &str| {
        let path = format!("/v1/customers?staff={staff}");
        system.client.pages(&system.host.at(&path)).await.unwrap().len()
    };
    assert_eq!((whose("staff-01").await, whose("staff-02").await), (1, 2));
    assert_sound(&system);
}

/// A platform that has no answer within a second calls again, and leaves off soon. So it hears at once that it must, however long something else takes.
#[tokio::test]
async fn while_the_database_is_taken_callbacks_are_sent_away_at_once_and_taken_when_they_come_again() {
    let system = System::start().await.unwrap();
    let plan = json!({ "reception": members(1, 100), "welcome": { "default": { "text": "你好" } } });
    let code = code(&system, "contact_way", plan).await;
    settled(&system).await;
    let person = Person::new("草莓");
    system.wecom.scan(code["state"].as_str().unwrap(), &person).unwrap();
    let messages = system.wecom.untold();
    let other = Connection::open(system.state().join(DATABASE)).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let asked = Instant::now();
    for message in &messages {
        let push = system.wecom.push(message).unwrap();
        let answer = push.send(&Client::new(), &system.host.at("/hooks/wecom")).await.unwrap();
        assert_problem(&answer, 503);
        assert_ne!(answer.header("retry-after"), "", "{answer}");
    }
    // SQLite itself would wait for five seconds, twice.
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    other.execute_batch("rollback").unwrap();
    for message in &messages {
        let push = system.wecom.push(message).unwrap();
        let answer = push.send(&Client::new(), &system.host.at("/hooks/wecom")).await.unwrap();
        assert_eq!(answer.status, 200, "{answer}");
    }
    settled(&system).await;
    assert_eq!(number(&system, "select count(*) from event where data ->> '$.activity.kind' = 'contact_added'"), 1);
    assert_eq!(number(&system, "select count(*) from welcome"), 1);
    assert_sound(&system);
}

/// The members whom the scanners were sent to, by the pictures of their ways.
async fn scan_all(system: &System, state: &str, scans: usize) -> Vec<Option<String>> {
    let ways: BTreeMap<String, String> = {
        let database = open(system.state());
        let mut rows = database.prepare("select url, state from channel_code_way").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let (ways, url) = (Arc::new(ways), system.host.at(&format!("/q/{state}")));
    let mut under_way = tokio::task::JoinSet::new();
    for _ in 0..scans {
        let (ways, url) = (ways.clone(), url.clone());
        under_way.spawn(async move {
            let answer = Client::new().get(&url).await.unwrap();
            assert_eq!(answer.status, 200, "{answer}");
            let page = String::from_utf8(answer.body.to_vec()).unwrap().replace("&amp;", "&");
            ways.iter().find(|(picture, _)| page.contains(picture.as_str())).map(|(_, state)| state.clone())
        });
    }
    under_way.join_all().await
}

fn adds(system: &System) -> BTreeMap<String, i64> {
    let database = open(system.state());
    let mut rows = database.prepare("select staff, count(*) from code_contact group by staff").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A thousand people at once over twenty members of staff who take fifty each; the host is killed in the middle. Caps are exact, nobody is lost, nobody
/// counts twice, everybody is welcomed once at the most and every welcome has an outcome.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_adds_at_once_keep_their_caps_also_when_the_host_is_killed() {
    let mut system = System::start().await.unwrap();
    let plan = json!({ "reception": members(20, 50), "welcome": { "default": { "text": "你好" } } });
    let code = code(&system, "assigned", plan).await;
    settled(&system).await;
    let sent = scan_all(&system, code["state"].as_str().unwrap(), 1_020).await;
    assert_eq!(sent.iter().filter(|sent| sent.is_none()).count(), 20, "the places are all given away");
    let people: Vec<Person> = (0..1_000).map(|number| Person::new(&format!("p{number}"))).collect();
    for (person, way) in people.iter().zip(sent.iter().flatten()) {
        system.wecom.scan(way, person).unwrap();
    }
    let mishaps = Mishaps { seed: 7, duplicated: 20, disordered: 20, ..Mishaps::NONE };
    system.wecom.set_pause(Duration::from_millis(1_500));
    let wecom = Arc::clone(&system.wecom);
    let telling = tokio::spawn(async move { wecom.deliver_together(&mishaps, 32).await });
    tokio::time::sleep(Duration::from_millis(700)).await;
    system = system.crash_and_restart().unwrap();
    // What was given up while the host was away comes again, as a pull would bring it.
    let _ = telling.await.unwrap();
    for message in system.wecom.dropped() {
        let push = system.wecom.push(&message).unwrap();
        let answer = push.send(&Client::new(), &system.host.at("/hooks/wecom")).await.unwrap();
        assert_eq!(answer.status, 200, "{answer}");
    }
    let patience = Duration::from_secs(180);
    let done = async |system: &System| Ok(is_settled(system).then_some(()));
    system.wait_for("all to be done", patience, done).await.unwrap();
    assert_sound(&system);
    let adds = adds(&system);
    assert_eq!((adds.len(), adds.values().copied().collect::<Vec<_>>()), (20, vec![50; 20]));
    assert_eq!(number(&system, "select count(*) from contact where removed_at is null"), 1_000);
    assert_eq!(number(&system, "select count(*) from event where data ->> '$.activity.kind' = 'contact_added'"), 1_000);
    assert_eq!(number(&system, "select count(*) from welcome where outcome is null"), 0);
    assert_eq!(number(&system, "select count(*) from welcome"), 1_000);
    for person in &people {
        assert!(system.wecom.welcomes(person).len() <= 1);
    }
    let welcomed = number(&system, "select count(*) from welcome where outcome in ('sent', 'already_welcomed')");
    let received = i64::try_from(system.wecom.all_welcomes().len()).unwrap();
    assert!(welcomed <= received && received <= 1_000, "{welcomed} {received}");
    let dead = system.client.pages(&system.host.at("/v1/events/dead-letters")).await.unwrap();
    assert_eq!(dead, Vec::<Value>::new());
}
