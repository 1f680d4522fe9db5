//! Who receives: the platform is asked when that differs, and only then.

use crate::support::{House, always, at, way};
use serde_json::{Value, json};

fn staff(asked: &Value) -> Vec<&str> {
    asked["way"]["staff"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

/// Half past nine, a Saturday.
fn shifts() -> Value {
    json!({ "reception": { "staff": [
        { "from": "09:00", "until": "18:00", "members": [{ "staff": "li" }, { "staff": "wang" }] },
        { "from": "18:00", "until": "02:00", "members": [{ "staff": "night" }] }],
        "backup": [{ "staff": "boss" }] } })
}

#[tokio::test]
async fn slots_begin_and_end_over_midnight_and_the_platform_follows() {
    let house = House::open().await;
    house.code("contact_way", shifts()).await;
    assert_eq!(staff(&house.asked_for("add_contact_way").await[0]), ["li", "wang"]);
    house.answer("add_contact_way", way("c1")).await;
    assert!(house.asked().await.is_empty(), "nothing differs");
    let hour = 3600;
    for (after, wanted) in [(9 * hour, "night"), (15 * hour, "night"), (17 * hour, "boss")] {
        house.wait_until(after).await;
        let asked = house.asked_for("update_contact_way").await;
        if let Some(asked) = asked.first() {
            assert_eq!((staff(asked), &asked["config_id"]), (vec![wanted], &json!("c1")));
            house.answer("update_contact_way", json!({ "answer": "done" })).await;
        } else {
            assert_eq!(after, 15 * hour, "midnight changes nothing");
        }
    }
    house.wait_until(24 * hour).await;
    assert_eq!(staff(&house.asked_for("update_contact_way").await[0]), ["li", "wang"]);
}

/// The cap is exact [openscrm is off by one], scheduled staff count too [openscrm does not], a full list never becomes empty [openscrm], and the
/// next day is a new one without any job having run.
#[tokio::test]
async fn who_has_reached_the_cap_receives_nobody_more_that_day() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", Some(2)), ("wang", Some(3))]) })).await;
    house.answer("add_contact_way", way("c1")).await;
    let state = code["state"].as_str().unwrap();
    house.added("li", "wm1", state, None).await;
    assert!(house.asked_for("update_contact_way").await.is_empty(), "one is below two");
    house.added("li", "wm2", state, None).await;
    assert_eq!(staff(&house.asked_for("update_contact_way").await[0]), ["wang"]);
    house.answer("update_contact_way", json!({ "answer": "done" })).await;
    for contact in ["wm3", "wm4", "wm5"] {
        house.added("wang", contact, state, None).await;
    }
    assert!(house.asked_for("update_contact_way").await.is_empty(), "all are full: the last list stays");
    let midnight = 14 * 3600 + 1800;
    house.wait_until(midnight).await;
    assert_eq!(staff(&house.asked_for("update_contact_way").await[0]), ["li", "wang"]);
}

#[tokio::test]
async fn what_changes_while_the_platform_makes_the_code_is_asked_for_afterwards() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    let path = format!("/v1/channel-codes/{}", code["id"].as_str().unwrap());
    let change = json!({ "channel": "metro", "name": "A店海报", "store": "/east/shanghai-01",
        "plan": { "reception": always(&[("wang", None)]) } });
    let (status, body) = house.call("PUT", &path, Some(change)).await;
    assert_eq!((status.as_u16(), &body["status"], &body["version"]), (200, &json!("pending"), &json!(2)));
    assert_eq!(house.asked().await.len(), 1, "the code is being made");
    house.answer("add_contact_way", way("c1")).await;
    assert_eq!(staff(&house.asked_for("update_contact_way").await[0]), ["wang"]);
    house.give_up("update_contact_way").await;
    let shown = house.get(&path).await;
    assert_eq!(shown["status"], "trouble");
    assert!(shown["trouble"].as_str().unwrap().contains("40003"));
    // What is mended at the platform meanwhile is noticed within the hour.
    house.wait_until(3599).await;
    assert!(house.asked().await.is_empty());
    house.wait_until(3600).await;
    assert_eq!(staff(&house.asked_for("update_contact_way").await[0]), ["wang"]);
    house.answer("update_contact_way", json!({ "answer": "done" })).await;
    assert_eq!(house.get(&path).await["status"], "ready");
}

/// Ways of single receivers follow the plan; one who comes back has the way of before, by its state.
#[tokio::test]
async fn whom_a_plan_names_no_longer_has_no_way_at_wecom() {
    let house = House::open().await;
    let code = house.code("assigned", json!({ "reception": always(&[("li", None)]) })).await;
    house.answer("add_contact_way", way("c-li")).await;
    assert!(house.asked().await.is_empty());

    let path = format!("/v1/channel-codes/{}", code["id"].as_str().unwrap());
    let change = async |plan: Value| {
        let body = json!({ "channel": "metro", "name": "A店海报", "store": "/east/shanghai-01", "plan": plan });
        let (status, body) = house.call("PUT", &path, Some(body)).await;
        assert_eq!(status, 200, "{body}");
    };
    change(json!({ "reception": always(&[("li", None), ("wang", None)]) })).await;
    let made = house.asked_for("add_contact_way").await;
    assert_eq!(made.iter().map(staff).collect::<Vec<_>>(), [["wang"]]);
    house.answer("add_contact_way", way("c-wang")).await;
    assert!(house.asked().await.is_empty(), "what WeCom has already is not asked for");

    change(json!({ "reception": always(&[("li", None)]), "confirm": true })).await;
    let updated = house.asked_for("update_contact_way").await;
    assert_eq!((&updated[0]["config_id"], &updated[0]["way"]["skip_verify"]), (&json!("c-li"), &json!(false)));
    let deleted = house.asked_for("delete_contact_way").await;
    assert_eq!(deleted, [json!({ "ask": "delete_contact_way", "config_id": "c-wang" })]);
    house.answer("update_contact_way", json!({ "answer": "done" })).await;
    house.answer("delete_contact_way", json!({ "answer": "done" })).await;
    // Who scanned it before it went is credited all the same.
    let state = made[0]["way"]["state"].as_str().unwrap();
    house.added("wang", "wm1", state, None).await;
    assert_eq!(house.column("select count(*) || '' as v from code_contact where staff = 'wang'").await, ["1"]);

    change(json!({ "reception": always(&[("li", None), ("wang", None)]), "confirm": true })).await;
    let again = house.asked_for("add_contact_way").await;
    assert_eq!((staff(&again[0]), &again[0]["way"]["state"]), (vec!["wang"], &json!(state)));
    // She is taken out again while WeCom makes it: it goes as soon as it is there.
    change(json!({ "reception": always(&[("li", None)]), "confirm": true })).await;
    house.answer("add_contact_way", way("c-wang-2")).await;
    let deleted = house.asked_for("delete_contact_way").await;
    assert_eq!(deleted, [json!({ "ask": "delete_contact_way", "config_id": "c-wang-2" })]);
    assert_eq!(house.asked_for("update_contact_way").await.len(), 0, "what WeCom has already is not asked for");
}

/// While all are full the last list stays, but for whom the plan names no longer; and what else the plan says holds at once.
#[tokio::test]
async fn a_plan_that_changes_while_all_are_full_is_followed() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", Some(1)), ("wang", Some(1))]) })).await;
    house.answer("add_contact_way", way("c1")).await;
    let state = code["state"].as_str().unwrap();
    house.added("li", "wm1", state, None).await;
    house.answer("update_contact_way", json!({ "answer": "done" })).await;
    house.added("wang", "wm2", state, None).await;
    assert!(house.asked_for("update_contact_way").await.is_empty(), "the last list stays");
    let change = async |plan: Value| {
        let path = format!("/v1/channel-codes/{}", code["id"].as_str().unwrap());
        let body = json!({ "channel": "metro", "name": "A店海报", "store": "/east/shanghai-01", "plan": plan });
        assert_eq!(house.call("PUT", &path, Some(body)).await.0, 200);
        let asked = house.asked_for("update_contact_way").await;
        assert_eq!(asked.len(), 1);
        house.answer("update_contact_way", json!({ "answer": "done" })).await;
        asked[0]["way"].clone()
    };
    let both = always(&[("li", Some(1)), ("wang", Some(1))]);
    let asked = change(json!({ "reception": both, "confirm": true })).await;
    assert_eq!((&asked["staff"], &asked["skip_verify"]), (&json!(["wang"]), &json!(false)));
    let asked = change(json!({ "reception": always(&[("li", Some(1))]), "confirm": true })).await;
    assert_eq!(asked["staff"], json!(["li"]), "wang is out of the plan");
}

/// Shares by weight hold where this application sends each scanner on.
#[tokio::test]
async fn scanners_are_shared_out_by_weight() {
    let house = House::open().await;
    let members =
        [("li", 1), ("wang", 2), ("zhao", 3)].map(|(staff, weight)| json!({ "staff": staff, "weight": weight }));
    let reception =
        json!({ "policy": "weighted", "staff": [{ "from": "00:00", "until": "24:00", "members": members }] });
    let code = house.code("assigned", json!({ "reception": reception })).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    for _ in 0..60 {
        let request = http::Request::get(&path).body(axum::body::Body::empty()).unwrap();
        assert_eq!(house.send(request).await.status, 200);
    }
    let given = "select staff || ' ' || count(*) as v from reception_turn group by staff order by staff";
    assert_eq!(house.column(given).await, ["li 10", "wang 20", "zhao 30"]);
}

/// A thousand scan at once over twenty, each of whom takes fifty at the most: exact caps, even shares, nobody lost, nobody twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_scans_at_once_are_shared_out_exactly() {
    let house = std::sync::Arc::new(House::open().await);
    let members: Vec<(String, Option<u32>)> = (0..20).map(|number| (format!("s{number:02}"), Some(50))).collect();
    let members: Vec<(&str, Option<u32>)> = members.iter().map(|(staff, cap)| (staff.as_str(), *cap)).collect();
    let code = house.code("assigned", json!({ "reception": always(&members) })).await;
    for number in 0..20 {
        house.answer("add_contact_way", way(&format!("c{number:02}"))).await;
    }
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    let scans: Vec<_> = (0..1100)
        .map(|_| {
            let (house, path) = (house.clone(), path.clone());
            tokio::spawn(async move {
                house.send(http::Request::get(path).body(axum::body::Body::empty()).unwrap()).await.text()
            })
        })
        .collect();
    let mut full = 0;
    for scan in scans {
        full += usize::from(scan.await.unwrap().contains("名额已满"));
    }
    assert_eq!(full, 100);
    let given = house.column("select count(*) || '' as v from reception_turn group by staff").await;
    assert_eq!(given, vec!["50"; 20]);
    assert_eq!(house.column("select count(distinct visitor) || '' as v from reception_turn").await, ["1000"]);
    assert_eq!(house.column("select scans || '' as v from code_scan").await, ["1100"]);
}

/// WeCom takes it when a way is made only: a change that would come to nothing is refused.
#[tokio::test]
async fn the_exclusive_mode_of_a_way_stays_as_it_was_made() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    let path = format!("/v1/channel-codes/{}", code["id"].as_str().unwrap());
    let mut change = json!({ "channel": "metro", "name": "A", "store": "/east/shanghai-01", "plan": code["plan"] });
    assert_eq!(house.call("PUT", &path, Some(change.clone())).await.0, 200);
    change["plan"]["reception"]["exclusive"] = json!(true);
    let (status, problem) = house.call("PUT", &path, Some(change)).await;
    assert_eq!((status.as_u16(), &problem["path"]), (422, &json!("plan.reception.exclusive")));
}

/// Makes a campaign with a code, and the codes of two who take part. Tells the states of these.
async fn campaign(house: &House, plan: Value) -> Vec<String> {
    let code = house.code("contact_way", plan).await;
    let rules = json!({ "levels": [{ "helps": 1, "reward": "r" }], "starts": at(-60).to_string(), "ends": at(400_000).to_string() });
    let made = json!({ "name": "春日裂变", "code": code["id"], "rules": rules });
    let (status, made) = house.call("POST", "/v1/fissions", Some(made)).await;
    assert_eq!(status, 201, "{made}");
    let mut states = Vec::new();
    for who in ["wm-a", "wm-b"] {
        let who = json!({ "identity": { "kind": "wecom_external_user_id", "scope": null, "value": who } });
        let path = format!("/v1/fissions/{}/participants", made["id"].as_str().unwrap());
        let (status, joined) = house.call("POST", &path, Some(who)).await;
        assert_eq!(status, 201, "{joined}");
        let code = house.get(&format!("/v1/channel-codes/{}", joined["code"].as_str().unwrap())).await;
        states.push(code["state"].as_str().unwrap().to_owned());
    }
    for number in 0..house.asked_for("add_contact_way").await.len() {
        house.answer("add_contact_way", way(&format!("c{number}"))).await;
    }
    states
}

/// A cap is for all codes of a campaign together: who has reached it by one code receives by none.
#[tokio::test]
async fn inviters_codes_take_from_the_places_of_their_campaign_s() {
    let house = House::open().await;
    let plan = json!({ "reception": always(&[("li", Some(1)), ("wang", None)]) });
    let states = campaign(&house, plan).await;
    house.added("li", "wm1", &states[0], None).await;
    house.wait_until(1).await;
    let updated = house.asked_for("update_contact_way").await;
    assert_eq!(updated.iter().map(staff).collect::<Vec<_>>(), [["wang"]; 3]);
    // A new day, for all of them again.
    for _ in 0..3 {
        house.answer("update_contact_way", json!({ "answer": "done" })).await;
    }
    house.wait_until(20 * 3600).await;
    let updated = house.asked_for("update_contact_way").await;
    assert_eq!(updated.iter().map(staff).collect::<Vec<_>>(), [["li", "wang"]; 3]);
}
