//! Kuaidi100: subscriptions, news of parcels, couriers for returns. People, parcels and addresses are invented.

use domain::{Fen, ParcelFacts, ParcelStatus, ParcelWatch, Secret, UnixMs};
use platforms::kuaidi100::{self, Subscription, pickup, tracking};
use platforms::marketplace::App;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Next, china, form, next, redelivered};

fn app() -> App {
    App::of([("app_key", "KEY"), ("app_secret", "SECRET"), ("salt", "salt1")])
}

fn entry(ftime: &str, code: &str) -> Value {
    json!({ "context": "快递员 张三 13800000001 派送", "time": ftime, "ftime": ftime, "statusCode": code, "areaCode": "CN330100" })
}

fn news(status: &str, state: &str, data: Vec<Value>) -> String {
    let last = json!({ "message": "ok", "nu": "YT9007199254740993", "ischeck": "0", "com": "yuantong", "state": state, "data": data });
    json!({ "status": status, "message": "", "autoCheck": "0", "comOld": "", "comNew": "", "lastResult": last })
        .to_string()
}

fn way() -> Vec<Value> {
    vec![
        entry("2026-02-16 00:00:00", "301"),
        entry("2026-02-15 08:00:00", "5"),
        entry("2026-02-14 12:00:00", "1002"),
        entry("2026-02-14 09:30:00", "103"),
        entry("2026-02-14 09:00:00", "101"),
    ]
}

#[test]
fn a_subscription_carries_what_the_platform_wants() {
    let mut parcel = Subscription {
        tracking_number: "SF1".to_owned(),
        carrier: Some("shunfeng".to_owned()),
        callback_url: "https://example.com/hooks/kuaidi100".to_owned(),
        phone: Some(Secret::new("0001".to_owned())),
    };
    let request = kuaidi100::subscribe(&app(), &parcel);
    let form_fields = form(&request.body);
    assert_eq!((request.path_and_query.as_str(), form_fields["schema"].as_str()), ("/poll", "json"));
    let param: Value = serde_json::from_str(&form_fields["param"]).unwrap();
    assert_eq!(
        param,
        json!({ "company": "shunfeng", "number": "SF1", "key": "KEY", "parameters": {
            "callbackurl": "https://example.com/hooks/kuaidi100", "salt": "salt1", "resultv2": "4", "autoCom": "0", "phone": "0001"
        }})
    );
    parcel.carrier = None;
    let param: Value = serde_json::from_str(&form(&kuaidi100::subscribe(&app(), &parcel).body)["param"]).unwrap();
    assert_eq!((&param["company"], &param["parameters"]["autoCom"]), (&json!(""), &json!("1")));
}

#[test]
fn answers_to_a_subscription_are_told_apart() {
    for (body, expected) in [
        (r#"{"result":true,"returnCode":"200","message":"提交成功"}"#, Next::Done),
        (r#"{"result":false,"returnCode":"501","message":"重复订阅"}"#, Next::Done),
        (r#"{"result":false,"returnCode":500,"message":"x"}"#, Next::Retry),
        (r#"{"result":false,"returnCode":"600","message":"x"}"#, Next::GiveUp),
        (r#"{"result":false,"returnCode":"701","message":"x"}"#, Next::GiveUp),
        ("<html>", Next::Retry),
    ] {
        assert_eq!(next(kuaidi100::subscribed(body.as_bytes())), expected, "{body}");
    }
}

#[test]
fn each_entry_reaches_its_step_at_its_time_in_gmt8() {
    let parcel = tracking(&news("shutdown", "3", way())).unwrap();
    assert_eq!(parcel.tracking_number, "YT9007199254740993");
    let facts = parcel.facts;
    let steps = [
        (ParcelStatus::PickedUp, "2026-02-14T09:30:00"),
        (ParcelStatus::InTransit, "2026-02-14T12:00:00"),
        (ParcelStatus::Delivering, "2026-02-15T08:00:00"),
        (ParcelStatus::Signed, "2026-02-16T00:00:00"),
    ];
    assert_eq!(facts.reached, steps.map(|(status, time)| (status, china(time))).into());
    assert_eq!((facts.status(), facts.watch.unwrap().value), (Some(ParcelStatus::Signed), ParcelWatch::Finished));
    assert_eq!(facts.carrier.unwrap().value, "yuantong");
    assert!(facts.unknown_statuses.is_empty());
}

#[test]
fn words_about_couriers_are_not_kept() {
    let kept = serde_json::to_string(&tracking(&news("polling", "5", way())).unwrap().facts).unwrap();
    assert!(!kept.contains("张三") && !kept.contains("138"), "{kept}");
}

#[test]
fn states_map_by_the_table_and_others_are_flagged() {
    for (state, expected) in [
        ("0", Some(ParcelStatus::InTransit)),
        ("1", Some(ParcelStatus::PickedUp)),
        ("2", Some(ParcelStatus::Problem)),
        ("206", Some(ParcelStatus::Problem)),
        ("3", Some(ParcelStatus::Signed)),
        ("304", Some(ParcelStatus::Signed)),
        ("4", Some(ParcelStatus::Returned)),
        ("5", Some(ParcelStatus::Delivering)),
        ("501", Some(ParcelStatus::Delivering)),
        ("6", Some(ParcelStatus::Returning)),
        ("7", Some(ParcelStatus::InTransit)),
        ("13", Some(ParcelStatus::Problem)),
        ("14", Some(ParcelStatus::Problem)),
        ("102", None),
    ] {
        let plain = json!({ "context": "x", "ftime": "2026-02-14 12:00:00" });
        let facts = tracking(&news("polling", state, vec![plain])).unwrap().facts;
        assert_eq!(facts.status(), expected, "{state}");
        assert!(facts.unknown_statuses.is_empty(), "{state}");
        assert_eq!(facts.raw_status.unwrap().value, state);
    }
    let odd = tracking(&news("asleep", "777", way())).unwrap().facts;
    assert_eq!(odd.unknown_statuses, ["777".to_owned(), "asleep".to_owned()].into());
    assert_eq!((odd.status(), odd.watch), (Some(ParcelStatus::Signed), None));
}

#[test]
fn no_news_is_given_up_and_taken_up_again() {
    let silent = tracking(&news("abort", "0", vec![])).unwrap().facts;
    assert_eq!((silent.status(), silent.watch.clone().unwrap().value), (None, ParcelWatch::GivenUp));
    // Finished without an entry: when, is not known.
    let timeless = tracking(&news("shutdown", "3", vec![])).unwrap().facts;
    assert_eq!((timeless.status(), timeless.watch.unwrap().value), (None, ParcelWatch::Finished));
    assert_eq!(timeless.raw_status.unwrap().value, "3");
    let stale = tracking(&news("abort", "1", way().split_off(3))).unwrap().facts;
    let known = tracking(&news("polling", "1", way().split_off(3))).unwrap().facts;
    let fresh = tracking(&news("polling", "0", way().split_off(2))).unwrap().facts;
    let mut facts = silent;
    facts.merge(stale);
    facts.merge(known);
    assert_eq!(facts.watch.clone().unwrap().value, ParcelWatch::GivenUp);
    facts.merge(fresh);
    assert_eq!(facts.watch.unwrap().value, ParcelWatch::Watched);
}

#[test]
fn the_carrier_that_it_really_is_counts() {
    let mut push: Value = serde_json::from_str(&news("abort", "0", vec![])).unwrap();
    push["comNew"] = json!("ems");
    assert_eq!(tracking(&push.to_string()).unwrap().facts.carrier.unwrap().value, "ems");
}

#[test]
fn what_is_no_news_is_refused() {
    for param in
        ["", "{}", "[]", r#"{"status":"polling"}"#, r#"{"status":"polling","lastResult":{"state":"0"}}"#, "{\"status\""]
    {
        assert!(tracking(param).is_err(), "{param}");
        assert!(pickup::news(param).is_err(), "{param}");
    }
}

fn party(name: &str, phone: &str, address: &str) -> pickup::Party {
    let [name, phone, address] = [name, phone, address].map(|text| Secret::new(text.to_owned()));
    pickup::Party { name, phone, address }
}

#[test]
fn a_courier_is_ordered_and_withdrawn_with_a_signature() {
    let order = pickup::Pickup {
        id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        carrier: "jd".to_owned(),
        from: party("甲", "13800000001", "浙江省杭州市虚构路1号"),
        to: party("乙", "13800000002", "浙江省杭州市虚构路2号"),
        cargo: Some("茶".to_owned()),
        grams: Some(1050),
        callback_url: "https://example.com/hooks/kuaidi100/pickup".to_owned(),
    };
    assert!(!format!("{order:?}").contains("138"), "{order:?}");
    let now = UnixMs::from_millis(1_576_123_932_000).unwrap();
    let request = pickup::order(&app(), &order, now);
    let fields = form(&request.body);
    assert_eq!(request.path_and_query, "/order/borderapi.do");
    assert_eq!(
        (fields["method"].as_str(), fields["t"].as_str(), fields["key"].as_str()),
        ("bOrder", "1576123932000", "KEY")
    );
    assert_eq!(fields["sign"], pickup::sign(&app(), &fields["param"], "1576123932000"));
    let param: Value = serde_json::from_str(&fields["param"]).unwrap();
    assert_eq!(
        (&param["weight"], &param["thirdOrderId"], &param["salt"]),
        (&json!("1.050"), &json!("01890a5dac96774bbcceb302099a8057"), &json!("salt1"))
    );

    let answer = r#"{"result":true,"returnCode":"200","message":"success","data":{"taskId":"T1","orderId":"17390954","kuaidinum":""}}"#;
    let ordered = pickup::ordered(answer.as_bytes()).unwrap();
    assert_eq!((ordered.task_id.as_str(), ordered.tracking_number.as_deref()), ("T1", None));
    let fields = form(&pickup::cancel(&app(), &ordered, "not sent back after all", now).body);
    assert_eq!(fields["method"], "cancel");
    assert!(pickup::cancelled(br#"{"result":true,"returnCode":"200"}"#).is_ok());
    assert!(pickup::ordered(br#"{"result":false,"returnCode":"30002","message":"x"}"#).is_err());
}

#[test]
fn calls_sign_by_param_time_key_and_secret() {
    // Computed with another implementation: MD5 of {"a":1}1576123932000KEYSECRET.
    assert_eq!(pickup::sign(&app(), r#"{"a":1}"#, "1576123932000"), "01D6B4074CAB8BBFDE72598C866DE614");
}

#[test]
fn news_of_a_courier_is_read_without_the_courier() {
    let param = |status: Value| {
        json!({ "kuaidicom": "jd", "kuaidinum": "JD1", "status": "200", "message": "成功", "data": {
            "orderId": 17390954, "status": status, "courierName": "丙", "courierMobile": "13800000003", "weight": "1.1", "freight": "12.05"
        }})
        .to_string()
    };
    let news = pickup::news(&param(json!(10))).unwrap();
    assert_eq!((news.order_id.as_str(), news.tracking_number.as_deref()), ("17390954", Some("JD1")));
    assert_eq!((news.status, news.fee), (Some(domain::PickupStatus::PickedUp), Some(Fen::new(1205))));
    assert!(!format!("{news:?}").contains("138"), "{news:?}");
    let odd = pickup::news(&param(json!("777"))).unwrap();
    assert_eq!((odd.status, odd.raw_status.as_str()), (None, "777"));
    assert!(pickup::news(&param(json!(1)).replace("12.05", "12.055")).is_err());
}

fn life() -> Vec<ParcelFacts> {
    let mut pushes: Vec<String> =
        (0..5).map(|left| news(if left == 0 { "shutdown" } else { "polling" }, "0", way().split_off(left))).collect();
    pushes.push(news("abort", "0", vec![]));
    pushes.push(news("updateall", "6", vec![entry("2026-02-15 09:00:00", "2"), entry("2026-02-15 10:00:00", "6")]));
    pushes.iter().map(|push| tracking(push).unwrap().facts).collect()
}

fn merged(facts: impl IntoIterator<Item = ParcelFacts>) -> ParcelFacts {
    facts.into_iter().fold(ParcelFacts::default(), |mut sum, facts| {
        sum.merge(facts);
        sum
    })
}

proptest! {
    #[test]
    fn pushes_converge(noisy in redelivered(life())) {
        prop_assert_eq!(merged(noisy), merged(life()));
    }

    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), param in ".{0,80}") {
        let _ = kuaidi100::verify(&app(), &body);
        let _ = tracking(&param);
        let _ = pickup::news(&param);
    }
}
