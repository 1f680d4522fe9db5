//! Follow-ups of staff: notes, dates, reminders. All people are invented.

use crate::support::{DAY, House, at, event, paid, who};
use domain::IdentityKind::WechatUnionId;
use http::Request;
use serde_json::{Value, json};

async fn house() -> (House, String) {
    let house = House::open().await;
    house.told(&event("e-1", "account.followed", "u-1", json!({ "account": "a" }))).await;
    let id = house.only_customer().await["id"].as_str().unwrap().to_owned();
    (house, id)
}

async fn write(house: &House, id: &str, next_at: Option<i64>) -> Value {
    let body = json!({ "staff": "s-1", "note": "喜欢粉色", "outcome": "interested",
        "next_at": next_at.map(|seconds| at(seconds).to_string()) });
    let (status, made) = house.call("POST", &format!("/v1/customers/{id}/follow-ups"), Some(body)).await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn due(house: &House) -> Vec<String> {
    house.column("select data ->> 'next_at' as v from event where type = 'follow_up.due' order by seq").await
}

#[tokio::test]
async fn a_follow_up_is_written_reminded_of_moved_and_done() {
    let (house, id) = house().await;
    let made = write(&house, &id, Some(DAY)).await;
    let path = format!("/v1/follow-ups/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["stage"], &made["note"]), (&json!("lead"), &Value::Null));
    let written = house.get(&format!("/v1/customers/{id}/follow-ups")).await;
    assert_eq!(written["items"][0]["note"], "喜欢粉色");
    let list =
        async |query: &str| house.get(&format!("/v1/follow-ups{query}")).await["items"].as_array().unwrap().len();
    assert_eq!(list("").await, 1);
    assert_eq!(list("?staff=s-1").await, 1);
    assert_eq!(list("?staff=s-2").await, 0);
    assert_eq!(list(&format!("?due_before={}", at(DAY))).await, 0, "`due_before` is exclusive");
    assert_eq!(list(&format!("?due_before={}", at(DAY + 1))).await, 1);

    // Moved: no reminder on the day that was.
    let (status, moved) = house.call("PATCH", &path, Some(json!({ "next_at": at(2 * DAY).to_string() }))).await;
    assert_eq!((status.as_u16(), &moved["next_at"]), (200, &json!(at(2 * DAY).to_string())));
    house.wait_until(DAY + 1).await;
    assert_eq!(due(&house).await, Vec::<String>::new());
    house.wait_until(2 * DAY).await;
    assert_eq!(due(&house).await, [at(2 * DAY).to_string()]);

    house.happened(vec![paid(1, &[who(WechatUnionId, "u-1")], DAY, 100)]).await;
    let (status, done) =
        house.call("POST", &format!("{path}/done"), Some(json!({ "outcome": "bought", "note": "两盒" }))).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!((&done["stage"], &done["done_stage"]), (&json!("lead"), &json!("buyer")));
    let written = house.get(&format!("/v1/customers/{id}/follow-ups")).await;
    assert_eq!(written["items"][0]["done_note"], "两盒");
    assert_eq!(list("").await, 0);
    for (method, path, body) in [
        ("POST", format!("{path}/done"), json!({ "outcome": "reached" })),
        ("PATCH", path.clone(), json!({ "next_at": at(9 * DAY).to_string() })),
    ] {
        assert_eq!(house.call(method, &path, Some(body)).await.0, 409, "{method}: it is done");
    }
    house.consume().await;
    let found = house.only_customer().await;
    assert_eq!(found["last_touch"], json!({ "staff": "s-1", "at": at(2 * DAY).to_string(), "what": "follow_up_done" }));
    let timeline = house.get(&format!("/v1/customers/{id}/timeline")).await;
    let steps: Vec<_> =
        timeline["items"].as_array().unwrap().iter().filter_map(|one| one["summary"]["step"].as_str()).collect();
    assert_eq!(steps, ["done", "moved", "recorded"]);
    // What was said is sealed: neither log nor tables show it.
    let log = house.column("select group_concat(data) as v from event").await;
    assert!(!log[0].contains("喜欢粉色") && !log[0].contains("两盒"));
    let sealed = house.column("select hex(note) || hex(done_note) as v from follow_up").await;
    assert!(!sealed[0].contains(&hex("喜欢粉色")) && !sealed[0].contains(&hex("两盒")));
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}

#[tokio::test]
async fn who_is_done_early_is_not_reminded() {
    let (house, id) = house().await;
    let made = write(&house, &id, Some(DAY)).await;
    let path = format!("/v1/follow-ups/{}/done", made["id"].as_str().unwrap());
    assert_eq!(house.call("POST", &path, Some(json!({ "outcome": "declined" }))).await.0, 200);
    house.wait_until(3 * DAY).await;
    assert_eq!(due(&house).await, Vec::<String>::new());
}

#[tokio::test]
async fn pages_are_complete_and_a_repetition_is_one() {
    let (house, id) = house().await;
    for number in 0..7 {
        house.wait_until(number).await;
        write(&house, &id, Some(DAY - number)).await;
    }
    for (path, order) in
        [(format!("/v1/customers/{id}/follow-ups"), "created_at"), ("/v1/follow-ups".to_owned(), "next_at")]
    {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = house.get(&format!("{path}?limit=3{cursor}")).await;
            seen.extend(page["items"].as_array().unwrap().iter().map(|one| one[order].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        if order == "created_at" {
            sorted.reverse();
        }
        assert_eq!((seen.len(), &seen), (7, &sorted), "{path}");
    }
    let post = || {
        Request::post(format!("/v1/customers/{id}/follow-ups"))
            .header("authorization", "Bearer first-token")
            .header("idempotency-key", "k-1")
            .body(json!({ "staff": "s-1", "note": "喜欢粉色", "outcome": "no_answer" }).to_string().into())
            .unwrap()
    };
    assert_eq!(house.send(post()).await.1["id"], house.send(post()).await.1["id"]);
    assert_eq!(house.column("select count(*) || '' as v from follow_up").await, ["8"]);
    let kept = house.column("select body as v from idempotency").await;
    assert!(kept.len() == 1 && !kept[0].contains("喜欢粉色"), "answers are kept in clear: {kept:?}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let (house, id) = house().await;
    let path = format!("/v1/customers/{id}/follow-ups");
    let good = json!({ "staff": "s-1", "note": "rang", "outcome": "reached" });
    for (name, value, status) in [
        ("note", json!(" "), 422),
        ("note", json!("x".repeat(4001)), 422),
        ("staff", json!(""), 422),
        ("next_at", json!(at(0).to_string()), 422),
        ("next_at", json!("tomorrow"), 400),
        ("outcome", json!("married"), 400),
        ("mood", json!("good"), 400),
    ] {
        let mut body = good.clone();
        body[name] = value;
        assert_eq!(house.call("POST", &path, Some(body.clone())).await.0, status, "{body}");
    }
    assert_eq!(house.column("select count(*) || '' as v from follow_up").await, ["0"]);
}

#[tokio::test]
async fn a_copy_holds_the_notes_and_erasure_takes_them_and_the_reminder() {
    let (house, id) = house().await;
    let made = write(&house, &id, Some(DAY)).await;
    house.call("PUT", &format!("/v1/customers/{id}/relations/s-1"), None).await;
    let copy = house.get(&format!("/v1/customers/{id}/export")).await;
    assert_eq!(copy["follow_ups"][0]["note"], "喜欢粉色");
    assert_eq!(copy["relations"][0]["change"], "added");
    assert_eq!(house.call("POST", &format!("/v1/customers/{id}/erase"), None).await.0, 204);
    let copy = house.get(&format!("/v1/customers/{id}/export")).await;
    assert_eq!(copy["follow_ups"][0]["note"], Value::Null);
    house.wait_until(2 * DAY).await;
    assert_eq!(due(&house).await, Vec::<String>::new(), "nobody is reminded of whom nobody knows");
    assert_eq!(house.get("/v1/follow-ups").await["items"], json!([]));
    let done = format!("/v1/follow-ups/{}/done", made["id"].as_str().unwrap());
    assert_eq!(house.call("POST", &done, Some(json!({ "outcome": "reached", "note": "rang" }))).await.0, 409);
    assert_eq!(house.call("PUT", &format!("/v1/customers/{id}/relations/s-2"), None).await.0, 409);
}

#[tokio::test]
async fn what_is_still_to_be_done_goes_with_the_customer() {
    let (house, id) = house().await;
    house.call("PUT", &format!("/v1/customers/{id}/relations/s-1"), None).await;
    write(&house, &id, Some(DAY)).await;
    let body = json!({ "to": "s-2", "kind": "on_the_job", "reason": "districts" });
    assert_eq!(house.call("POST", "/v1/staff/s-1/handovers", Some(body)).await.0, 202);
    house.wait_until(10).await;
    assert_eq!(house.get("/v1/follow-ups?staff=s-1").await["items"], json!([]));
    assert_eq!(house.get("/v1/follow-ups?staff=s-2").await["items"].as_array().unwrap().len(), 1);
    house.wait_until(DAY).await;
    let reminded = house.column("select data ->> 'staff' as v from event where type = 'follow_up.due'").await;
    assert_eq!(reminded, ["s-2"]);
}

#[tokio::test]
async fn the_last_touch_is_whatever_staff_did_last() {
    let (house, id) = house().await;
    assert_eq!(house.only_customer().await["last_touch"], Value::Null);
    write(&house, &id, None).await;
    assert_eq!(house.only_customer().await["last_touch"]["what"], "follow_up_recorded");
    let mut call = event("e-2", "call.held", "u-1", json!({ "seconds": 61 }));
    call["data"]["staff"] = json!("s-7");
    call["time"] = json!(at(5).to_string());
    house.wait_until(6).await;
    house.told(&call).await;
    let found = house.only_customer().await;
    assert_eq!(found["last_touch"], json!({ "staff": "s-7", "at": at(5).to_string(), "what": "call_held" }));
}
