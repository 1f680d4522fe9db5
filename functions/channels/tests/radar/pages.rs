//! The pages that links open.

use crate::support::*;
use base64::Engine;
use serde_json::json;
use sha2::{Digest, Sha256};

#[tokio::test]
async fn a_page_counts_its_opening_and_says_what_may_run() {
    let house = House::open().await;
    let content = house
        .content(&json!({ "title": "<b>\"茶\" & '水'</b>", "url": "https://tea.example/?a=1&b=\"'><script>" }))
        .await;
    let token = house.share(&content, json!({ "staff": "s-1" })).await;
    let page = house.visit("GET", &token, None).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("&lt;b&gt;&quot;茶&quot; &amp; &#39;水&#39;&lt;/b&gt;"), "the title is escaped");
    assert!(page.text.contains("href=\"https://tea.example/?a=1&amp;b=&quot;&#39;&gt;&lt;script&gt;\""));
    assert_eq!(page.text.matches("<script>").count(), 1, "no script but ours");
    let script = page.text.split_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains(&format!("script-src 'sha256-{digest}'")) && policy.contains("default-src 'none'"));
    assert!(policy.contains("connect-src 'self'") && !policy.contains("frame-src"));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(page.headers["set-cookie"].to_str().unwrap().contains("HttpOnly"));

    // A browser that has its cookie gets none, and shows up as one reader.
    let cookie = page.cookie().unwrap();
    let again = house.visit("GET", &token, Some(&cookie)).await;
    assert!(again.cookie().is_none() && again.visit() != page.visit());
    // Whoever asks for the head only does not read.
    assert_eq!(house.visit("HEAD", &token, None).await.status, 200);
    let report = house.get(&format!("/v1/contents/{content}/report")).await;
    assert_eq!((&report["total"]["opens"], &report["total"]["readers"]), (&json!(2), &json!(1)));
    let kept = house.column("select distinct visitor as v from content_visit").await;
    assert!(!cookie.contains(&kept[0]), "the cookie itself is not kept");
    assert!(house.did().await.is_empty(), "of who is not known the log hears nothing");
}

#[tokio::test]
async fn what_may_be_framed_is_shown_inside() {
    let house = House::open().await;
    let content = house.content(&json!({ "embed": true })).await;
    let token = house.share(&content, json!({})).await;
    let page = house.visit("GET", &token, None).await;
    assert!(page.text.contains("<iframe src=\"https://tea.example/spring?a=1\""));
    assert!(page.headers["content-security-policy"].to_str().unwrap().ends_with("frame-src https://tea.example"));
    let body = json!({ "kind": "video", "title": "t", "url": "https://tea.example;script-src/a", "embed": true });
    let (status, problem) = house.call("POST", "/v1/contents", Some(body)).await;
    assert_eq!((status, &problem["path"]), (422, &json!("embed")));
    let body = json!({ "kind": "video", "title": "t", "url": "javascript:alert(1)" });
    assert_eq!(house.call("POST", "/v1/contents", Some(body)).await.1["path"], "url");
}

#[tokio::test]
async fn links_of_nothing_and_of_what_is_retired_say_so() {
    let house = House::open().await;
    let content = house.content(&json!({})).await;
    let token = house.share(&content, json!({})).await;
    assert_eq!(house.visit("GET", "nothing", None).await.status, 404);
    let (status, _) = house.call("POST", &format!("/v1/contents/{content}/retire"), None).await;
    assert_eq!(status, 200);
    assert_eq!(house.visit("GET", &token, None).await.status, 410);
    assert_eq!(house.visit("HEAD", &token, None).await.status, 410);
    assert_eq!(house.call("POST", &format!("/v1/contents/{content}/shares"), Some(json!({}))).await.0, 409);
    assert!(house.column("select id as v from content_visit").await.is_empty());
}

#[tokio::test]
async fn beacons_only_let_figures_grow() {
    let house = House::open().await;
    let content = house.content(&json!({})).await;
    let token = house.share(&content, json!({})).await;
    let other = house.share(&content, json!({})).await;
    let visit = house.visit("GET", &token, None).await.visit();
    house.wait_until(60).await;
    let figures = async || {
        house.column("select dwell_ms || ' ' || coalesce(depth_percent, '-') as v from content_visit").await.remove(0)
    };
    for (dwell, depth, kept) in [
        (5_000, None, "5000 -"),
        (9_000, Some(40), "9000 40"),
        // Out of order and repeated.
        (7_000, Some(30), "9000 40"),
        (9_000, Some(40), "9000 40"),
        (8_000, Some(55), "9000 55"),
        (10_000, None, "10000 55"),
        // Longer than since it was opened, more than all of it.
        (u64::MAX, Some(255), "60000 100"),
    ] {
        let told =
            house.tell(&token, "beacon", &json!({ "visit": visit, "dwell_ms": dwell, "depth_percent": depth })).await;
        assert_eq!((told.status, figures().await.as_str()), (204, kept));
    }
    for (token, visit) in [(&token, "unknown"), (&other, visit.as_str())] {
        let told = house.tell(token, "beacon", &json!({ "visit": visit, "dwell_ms": 70_000 })).await;
        assert_eq!((told.status, told.text.as_str()), (204, ""));
    }
    assert_eq!(house.tell(&token, "beacon", &json!({ "visit": visit, "dwell_ms": -1 })).await.status, 400);
    assert_eq!(house.tell(&token, "beacon", &json!({ "visit": visit, "dwell_ms": 1, "x": 1 })).await.status, 400);
    assert_eq!(figures().await, "60000 100");
}
