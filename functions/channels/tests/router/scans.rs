//! What a scan opens.

use crate::support::{Answer, House, always, at, way};
use axum::body::Body;
use http::Request;
use serde_json::json;

async fn open(house: &House, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    house.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_link_leads_on_with_what_the_visit_brings() {
    let house = House::open().await;
    let code = house
        .code(
            "link",
            json!({ "target": { "url": "https://shop.example/p?x=1", "devices": { "ios": "https://apps.example/i" } },
                "utm": { "source": "metro", "campaign": "spring" } }),
        )
        .await;
    assert_eq!(code["status"], "ready");
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    let answer = open(&house, &format!("{path}?utm_source=poster&y=2"), &[]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.headers["location"], "https://shop.example/p?x=1&utm_source=poster&y=2&utm_campaign=spring");
    let on_ios = open(&house, &path, &[("user-agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)")]).await;
    assert!(on_ios.headers["location"].to_str().unwrap().starts_with("https://apps.example/i?"));
    assert_eq!(open(&house, "/q/nothing", &[]).await.status, 404);
    let (status, _) =
        house.call("POST", &format!("/v1/channel-codes/{}/retire", code["id"].as_str().unwrap()), None).await;
    assert_eq!(status, 200);
    assert_eq!(open(&house, &path, &[]).await.status, 410);
}

/// Whoever only looks whether a code works takes no place, and is no scan.
#[tokio::test]
async fn asking_for_the_head_of_a_page_counts_nothing() {
    let house = House::open().await;
    let code = house.code("assigned", json!({ "reception": always(&[("li", Some(1))]) })).await;
    house.answer("add_contact_way", way("c1")).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    for _ in 0..3 {
        assert_eq!(house.send(Request::head(&path).body(Body::empty()).unwrap()).await.status, 200);
    }
    let counts = "select (select count(*) from code_scan) || ' ' || (select count(*) from reception_turn) as v";
    assert_eq!(house.column(counts).await, ["0 0"]);
    assert_eq!(open(&house, &path, &[]).await.status, 200);
    assert_eq!(house.column(counts).await, ["1 1"]);
    assert_eq!(house.send(Request::head("/q/nothing").body(Body::empty()).unwrap()).await.status, 404);
}

/// WeChat serves no picture at an account's address, so the page draws it.
#[tokio::test]
async fn the_page_of_an_account_s_code_shows_a_picture() {
    let house = House::open().await;
    let code = house.code("account", json!({})).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    let made =
        json!({ "answer": "code_created", "ticket": "t", "url": "http://weixin.example/q/1", "expires_in": null });
    house.answer("create_code", made).await;
    let page = open(&house, &path, &[]).await.text();
    assert!(page.contains("<img alt=\"二维码\" src=\"data:image/png;base64,iVBOR"), "{page}");
    assert!(!page.contains("weixin.example"));
}

#[tokio::test]
async fn the_nearest_store_is_found_and_without_a_place_all_are_shown() {
    let house = House::open().await;
    let branch = |name: &str, latitude: f64, url: &str| json!({ "name": name, "place": { "latitude": latitude, "longitude": 121.47 }, "url": url });
    let branches = [branch("A<店>", 31.23, "https://a.example/"), branch("B店", 31.40, "https://b.example/")];
    let code = house.code("store", json!({ "branches": branches })).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    let near = open(&house, &format!("{path}?latitude=31.39&longitude=121.47&utm_term=t"), &[]).await;
    assert_eq!(near.headers["location"], "https://b.example/?utm_term=t");
    let page = open(&house, &path, &[]).await;
    assert!(page.text().contains("A&lt;店&gt;") && !page.text().contains("A<店>"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"));
    let far = open(&house, &format!("{path}?latitude=-31&longitude=0"), &[]).await;
    assert_eq!(far.status, 200);
}

/// Browsers tell where they are in WGS-84, maps show shops in GCJ-02: half a kilometre apart in Beijing. Stores of one name are told apart.
#[tokio::test]
async fn the_nearest_store_is_found_by_its_place_in_either_datum() {
    let house = House::open().await;
    let branch = |longitude: f64, url: &str| json!({ "name": "京店", "place": { "latitude": 39.91, "longitude": longitude }, "url": url });
    let branches = [branch(116.3975, "https://west.example/"), branch(116.4037, "https://east.example/")];
    let code = house.code("store", json!({ "branches": branches })).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    for (query, url) in [
        ("latitude=39.91&longitude=116.3976", "https://west.example/"),
        ("latitude=39.91&longitude=116.4036", "https://east.example/"),
        ("latitude=39.9087&longitude=116.3975&datum=wgs84", "https://east.example/"),
    ] {
        let answer = open(&house, &format!("{path}?{query}"), &[]).await;
        assert_eq!(answer.headers["location"], url, "{query}");
    }
    assert!(open(&house, &path, &[]).await.text().contains("q.set('datum','wgs84')"));
}

/// Who comes again sees the same member of staff while the place is held; in the exclusive mode, who has added that one does for good.
#[tokio::test]
async fn a_returning_scanner_reaches_the_same_member_of_staff() {
    let house = House::open().await;
    let mut reception = always(&[("li", None), ("wang", None)]);
    reception["exclusive"] = json!(true);
    let code = house.code("assigned", json!({ "reception": reception, "hold_minutes": 10 })).await;
    house.answer("add_contact_way", way("c-1")).await;
    house.answer("add_contact_way", way("c-2")).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    let first = open(&house, &path, &[]).await;
    let cookie = first.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(open(&house, &path, &[]).await.text(), first.text(), "another visitor, the next in turn");
    assert_eq!(open(&house, &path, &[("cookie", &cookie)]).await.text(), first.text());
    assert_eq!(house.column("select count(*) || '' as v from reception_turn").await, ["2"]);
    let state = house.column("select state as v from channel_code_way where staff = 'li'").await;
    house.added("li", "wm1", &state[0], None).await;
    assert_eq!(open(&house, &path, &[]).await.text(), first.text(), "by turn the next is another");
    house.app.clock().set(at(3600)).await.unwrap();
    assert_eq!(open(&house, &path, &[("cookie", &cookie)]).await.text(), first.text());
}

/// The exclusive mode is for contacts: who was sent and did not add is as new, and goes by the cap.
#[tokio::test]
async fn who_never_added_does_not_return_above_the_cap() {
    let house = House::open().await;
    let mut reception = always(&[("li", Some(1))]);
    reception["exclusive"] = json!(true);
    let code = house.code("assigned", json!({ "reception": reception, "hold_minutes": 10 })).await;
    house.answer("add_contact_way", way("c-li")).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    let mut cookies = Vec::new();
    for seconds in [0, 601] {
        house.app.clock().set(at(seconds)).await.unwrap();
        let page = open(&house, &path, &[]).await;
        assert!(page.text().contains("c-li"));
        cookies.push(page.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned());
    }
    let state = house.column("select state as v from channel_code_way").await;
    house.added("li", "wm2", &state[0], None).await;
    for seconds in [602, 1300, 2600] {
        house.app.clock().set(at(seconds)).await.unwrap();
        assert!(open(&house, &path, &[("cookie", &cookies[0])]).await.text().contains("名额已满"), "{seconds}");
        assert!(open(&house, &path, &[("cookie", &cookies[1])]).await.text().contains("c-li"), "{seconds}");
    }
    assert_eq!(house.column("select count(*) || '' as v from reception_turn").await, ["2"], "a contact needs no place");
}

/// A place that is held counts under the cap until its time is over, and a contact who came by it counts once.
#[tokio::test]
async fn a_place_is_held_for_a_while_only() {
    let house = House::open().await;
    let code = house.code("assigned", json!({ "reception": always(&[("li", Some(1))]), "hold_minutes": 10 })).await;
    house.answer("add_contact_way", way("c-li")).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    assert!(open(&house, &path, &[]).await.text().contains("c-li"));
    assert!(open(&house, &path, &[]).await.text().contains("名额已满"));
    house.app.clock().set(at(601)).await.unwrap();
    assert!(open(&house, &path, &[]).await.text().contains("c-li"), "nobody came: the place is free again");
    let state = house.column("select state as v from channel_code_way").await;
    house.added("li", "wm1", &state[0], None).await;
    assert_eq!(house.column("select added || '' as v from reception_turn order by id").await, ["0", "1"]);
    house.app.clock().set(at(1300)).await.unwrap();
    assert!(open(&house, &path, &[]).await.text().contains("名额已满"));
}

/// Who was sent before midnight may still add after it: that place counts under the new day's cap.
#[tokio::test]
async fn a_place_that_is_held_over_midnight_counts_on_the_new_day() {
    let house = House::open().await;
    let midnight = 14 * 3600 + 1800;
    house.app.clock().set(at(midnight - 60)).await.unwrap();
    let code = house.code("assigned", json!({ "reception": always(&[("li", Some(1))]), "hold_minutes": 10 })).await;
    house.answer("add_contact_way", way("c-li")).await;
    let path = format!("/q/{}", code["state"].as_str().unwrap());
    assert!(open(&house, &path, &[]).await.text().contains("c-li"));
    house.app.clock().set(at(midnight + 60)).await.unwrap();
    assert!(open(&house, &path, &[]).await.text().contains("名额已满"), "the first may still come");
    let state = house.column("select state as v from channel_code_way").await;
    house.added("li", "wm1", &state[0], None).await;
    house.app.clock().set(at(midnight + 3600)).await.unwrap();
    assert!(open(&house, &path, &[]).await.text().contains("名额已满"), "and has: today's place is taken");
}
