//! Callbacks: what is taken, once, and what is refused.

use crate::support::{ACCOUNT, CORP, House, added, always, at, check, plain, removed};
use axum::body::Body;
use http::Request;
use serde_json::json;

#[tokio::test]
async fn the_console_s_check_is_answered_with_the_echo_alone() {
    let house = House::open().await;
    let seconds = at(0).seconds();
    for (path, receiver) in [("/hooks/wecom", CORP), ("/hooks/official-account", ACCOUNT)] {
        let answer = house.send(check(path, receiver, "1616140317555161061", seconds)).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "1616140317555161061"), "{path}");
    }
    let wrong = house.send(check("/hooks/wecom", "ww-somebody-else", "1", seconds)).await;
    assert_eq!(wrong.status, 401);
}

/// Events of one second share sender and time and have no id; retries carry the same text under a new nonce [WxJava#1745 #3002 #3311].
#[tokio::test]
async fn two_customers_of_one_second_are_two_and_a_retry_is_none() {
    let house = House::open().await;
    let seconds = at(0).seconds();
    for (contact, nonce) in [("wm1", "a"), ("wm2", "b"), ("wm1", "c"), ("wm2", "d"), ("wm1", "e")] {
        let answer = house.wecom_at(&added("li", contact, "", None, seconds), seconds, nonce).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, ""));
    }
    house.consume().await;
    assert_eq!(house.column("select contact as v from contact order by contact").await, ["wm1", "wm2"]);
    let told = house.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "contact_added").count(), 2);
}

#[tokio::test]
async fn forged_old_and_foreign_callbacks_leave_nothing() {
    let house = House::open().await;
    let seconds = at(0).seconds();
    let fields = added("li", "wm1", "", None, seconds);
    assert_eq!(house.wecom_at(&fields, seconds - 601, "n").await.status, 401);
    assert_eq!(house.wecom_at(&fields, seconds + 601, "n").await.status, 401);
    let forged = Request::post("/hooks/wecom?msg_signature=00&timestamp=1771032600&nonce=n")
        .body(Body::from("<xml><Encrypt>AAAA</Encrypt></xml>"))
        .unwrap();
    assert_eq!(house.send(forged).await.status, 401);
    assert!(house.told().await.is_empty());
    assert!(house.column("select source as v from inbox").await.is_empty());
    assert!(house.column("select source as v from inbox_quarantine").await.is_empty());
}

#[tokio::test]
async fn what_is_authentic_and_not_known_is_kept_once_and_answered_well() {
    let house = House::open().await;
    let odd =
        "<CreateTime>1771032600</CreateTime><Event>customer_acquisition</Event><ChangeType>balance_low</ChangeType>";
    for nonce in ["a", "b"] {
        assert_eq!(house.wecom_at(odd, at(0).seconds(), nonce).await.status, 200);
    }
    let kept = house.column("select source || ' ' || reason as v from inbox_quarantine").await;
    assert_eq!(kept, ["wecom the kind customer_acquisition.balance_low is not known"]);
}

#[tokio::test]
async fn where_somebody_is_is_not_kept() {
    let house = House::open().await;
    let place = "<MsgType>event</MsgType><Event>LOCATION</Event><Latitude>31.2</Latitude><Longitude>121.4</Longitude><Precision>9</Precision>";
    assert_eq!(house.account("o-1", place).await.status, 200);
    let kept = "select (select count(*) from inbox_quarantine) || ' ' || (select count(*) from event) as v";
    assert_eq!(house.column(kept).await, ["0 0"]);
}

#[tokio::test]
async fn a_contact_who_goes_and_comes_again_counts_once_for_its_code() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    let state = code["state"].as_str().unwrap();
    house.added("li", "wm1", state, None).await;
    house.wecom(&removed("del_follow_user", "li", "wm1", at(10).seconds())).await;
    house.app.clock().set(at(20)).await.unwrap();
    house.added("li", "wm1", state, None).await;
    let told = house.told().await;
    let kinds: Vec<_> = told.iter().filter(|kind| kind.starts_with("contact_")).collect();
    assert_eq!(kinds, ["contact_added", "contact_removed", "contact_added"]);
    assert_eq!(house.column("select count(*) || '' as v from code_contact").await, ["1"]);
    let stands = house.column("select (removed_at is null) || '' as v from contact").await;
    assert_eq!(stands, ["1"]);
}

/// Callbacks come in any order: who was removed later than added stays removed.
#[tokio::test]
async fn an_older_addition_does_not_undo_a_newer_removal() {
    let house = House::open().await;
    house.wecom(&removed("del_external_contact", "li", "wm1", at(-10).seconds())).await;
    house.wecom(&added("li", "wm1", "", None, at(-30).seconds())).await;
    house.consume().await;
    assert_eq!(house.column("select removed_by as v from contact").await, ["staff"]);
    assert_eq!(
        house.told().await,
        ["contact_removed", "contact_added", "welcome.ended"],
        "who was never known to be added was all the same"
    );
    house.wecom(&added("li", "wm1", "", None, at(-5).seconds())).await;
    assert_eq!(house.column("select coalesce(removed_by, '-') as v from contact").await, ["-"]);
}

/// Who scans a second code right after the first came by both.
#[tokio::test]
async fn two_codes_within_a_moment_are_both_credited() {
    let house = House::open().await;
    let plan = || json!({ "reception": always(&[("li", None)]) });
    let (one, other) = (house.code("contact_way", plan()).await, house.code("contact_way", plan()).await);
    for (code, second) in [(&one, 0), (&other, 30), (&other, 40)] {
        house.wecom(&added("li", "wm1", code["state"].as_str().unwrap(), None, at(second).seconds())).await;
    }
    house.consume().await;
    let told = "select data ->> '$.activity.code' as v from event where type = 'activity.recorded' order by seq";
    assert_eq!(house.column(told).await, [one["id"].as_str().unwrap(), other["id"].as_str().unwrap()]);
}

/// What callbacks have lost, the hourly question brings: who came, by which code, and who is gone.
#[tokio::test]
async fn lost_callbacks_are_made_good_within_the_hour() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    house.answer("add_contact_way", crate::support::way("c1")).await;
    let state = code["state"].as_str().unwrap();
    house.added("li", "wm1", state, None).await;
    let contact = |id: &str, since: i64, state: &str| {
        json!({ "answer": "contact", "contact": id, "name": null, "union_id": null, "kind": "wechat",
            "follows": [{ "staff": "li", "since": at(since).to_string(), "remark": null, "state": state, "add_way": 1, "tags": [] }] })
    };
    house.answer("get_contact", contact("wm1", 0, state)).await;
    house.wait_until(3600).await;
    // wm1 was removed and wm2 added; nobody told.
    house.answer("list_contacts", json!({ "answer": "contacts", "contacts": ["wm2"] })).await;
    house.answer("get_contact", contact("wm2", 1800, state)).await;
    let told = house.told().await;
    let kinds: Vec<_> = told.iter().filter(|kind| kind.starts_with("contact_")).collect();
    assert_eq!(kinds, ["contact_added", "contact_removed", "contact_added"]);
    assert_eq!(house.column("select count(*) || '' as v from code_contact").await, ["2"]);
    assert_eq!(house.column("select outcome as v from welcome order by id").await, ["nothing", "nothing"]);
    // The callback that comes late after all adds nothing, though its second is another one and its welcome code has died meanwhile.
    house.wecom(&added("li", "wm2", state, Some("W2"), at(1801).seconds())).await;
    house.consume().await;
    assert_eq!(house.told().await.iter().filter(|kind| kind.starts_with("contact_")).count(), 3);
    assert_eq!(house.column("select outcome as v from welcome order by id").await, ["nothing", "nothing"]);
    assert_eq!(house.column("select count(*) || '' as v from contact where removed_at is null").await, ["1"]);
    house.wait_until(7200).await;
    assert_eq!(house.asked_for("list_contacts").await.len(), 1);
}

/// Where the callback is lost by which a half contact becomes a whole one, the hourly question finds it out.
#[tokio::test]
async fn a_half_contact_whose_whole_was_lost_is_made_whole() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    let state = code["state"].as_str().unwrap();
    let half = added("li", "wm1", state, None, at(0).seconds()).replace("add_external", "add_half_external");
    house.wecom(&half).await;
    house.consume().await;
    let contact = json!({ "answer": "contact", "contact": "wm1", "name": null, "union_id": "u1", "kind": "wechat",
        "follows": [{ "staff": "li", "since": at(-1).to_string(), "remark": null, "state": state, "add_way": 1, "tags": [] }] });
    house.answer("get_contact", contact.clone()).await;
    let halves = "select half || '' as v from contact";
    assert_eq!(house.column(halves).await, ["1"], "what WeCom has may be the half");
    for (hour, asked) in [(1, 1), (2, 0)] {
        house.wait_until(3600 * hour).await;
        house.answer("list_contacts", json!({ "answer": "contacts", "contacts": ["wm1"] })).await;
        assert_eq!(house.asked_for("get_contact").await.len(), asked, "hour {hour}");
        if asked > 0 {
            house.answer("get_contact", contact.clone()).await;
        }
        assert_eq!(house.column(halves).await, ["0"], "hour {hour}");
        if asked > 0 {
            // As after every addition WeCom is asked who it is.
            house.answer("get_contact", contact.clone()).await;
        }
    }
    let told = "select data ->> '$.activity.half' || '' as v from event where data ->> '$.activity.kind' = 'contact_added' order by seq";
    assert_eq!(house.column(told).await, ["1", "0"]);
    assert_eq!(house.column("select outcome as v from welcome").await, ["nothing"], "greeted once");
    assert_eq!(house.column("select count(*) || '' as v from code_contact").await, ["1"]);
}

/// Who was asked about in vain is asked about again within the hour, until WeCom tells.
#[tokio::test]
async fn who_was_asked_about_in_vain_is_asked_about_again() {
    let house = House::open().await;
    let code = house.code("contact_way", json!({ "reception": always(&[("li", None)]) })).await;
    let state = code["state"].as_str().unwrap();
    house.added("li", "wm1", state, None).await;
    house.give_up("get_contact").await;
    let contact = json!({ "answer": "contact", "contact": "wm1", "name": null, "union_id": "u1", "kind": "wechat",
        "follows": [{ "staff": "li", "since": at(0).to_string(), "remark": null, "state": state, "add_way": 1, "tags": [] }] });
    for (hour, asked) in [(1, 1), (2, 0)] {
        house.wait_until(3600 * hour).await;
        house.answer("list_contacts", json!({ "answer": "contacts", "contacts": ["wm1"] })).await;
        assert_eq!(house.asked_for("get_contact").await.len(), asked, "hour {hour}");
        if asked > 0 {
            house.answer("get_contact", contact.clone()).await;
        }
    }
    assert_eq!(house.told().await.iter().filter(|kind| kind.starts_with("contact_added")).count(), 1);
}

/// In plain mode whoever has seen a signature could send another body with it.
#[tokio::test]
async fn in_plain_mode_a_signature_is_good_for_one_body() {
    let house = House::plain().await;
    let seconds = at(0).seconds();
    let text = |key: &str| {
        format!(
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>{seconds}</CreateTime>\
             <MsgType>event</MsgType><Event>CLICK</Event><EventKey>{key}</EventKey></xml>"
        )
    };
    let first = house.send(plain(&text("menu-1"), seconds, "n1")).await;
    assert_eq!((first.status.as_u16(), first.text().as_str()), (200, "success"));
    assert_eq!(house.send(plain(&text("menu-1"), seconds, "n1")).await.status, 200);
    assert_eq!(house.send(plain(&text("menu-2"), seconds, "n1")).await.status, 401);
    assert_eq!(house.send(plain(&text("menu-2"), seconds, "n2")).await.status, 200);
    assert_eq!(house.told().await, ["menu_used", "menu_used"]);
}
