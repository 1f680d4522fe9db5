//! Member cards: claimed by signed links, the same for the same person, found at the till.

use crate::membership_support::{Shop, buyer, day, order};
use axum::body::Body;
use domain::{Activity, ActivityRecorded, CustomerId, Event, Identity, IdentityKind, Version};
use http::Request;
use kit::params;
use serde_json::{Value, json};

async fn link(shop: &Shop, body: Value) -> String {
    let (status, made) = shop.call("POST", "/v1/members/links", Some(body)).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["url"], json!(format!("https://crm.example.com{}", made["path"].as_str().unwrap())));
    made["path"].as_str().unwrap().to_owned()
}

async fn page(shop: &Shop, method: &str, path: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let (status, html) = shop.send(request).await;
    (status.as_u16(), html)
}

fn number(html: &str) -> String {
    let shown = html.split("class=\"number\">").nth(1).unwrap().split('<').next().unwrap();
    shown.replace(' ', "")
}

/// What identities make of a claim: the card is one of the customer's.
async fn linked(shop: &Shop, card: &str, id: CustomerId) {
    let card = card.to_owned();
    shop.write(move |tx| {
        tx.run(
            "insert into identity (kind, value, customer, first_seen) values ('member_card', ?1, ?2, 0)",
            &params![card, id.to_string()],
        )
    })
    .await;
    shop.consume().await;
}

#[tokio::test]
async fn a_tap_claims_a_card_and_the_till_finds_it() {
    let shop = Shop::open().await;
    let phone = kit::Vault::new(shop.app.variables()).unwrap().hash("phone", "+8613800000001").unwrap();
    let phone = Identity { kind: IdentityKind::PhoneHash, scope: None, value: phone };
    let ma = shop.customer(1, &[buyer("ma"), phone]).await;
    shop.tell(Event::OrderPaid(order(1, &buyer("ma"), day(0), &[("TEA", 3000)]))).await;
    let path = link(&shop, json!({ "identity": buyer("ma"), "channel": "poster", "store": "/east/shanghai-01" })).await;

    let (status, html) = page(&shop, "GET", &path).await;
    assert!(status == 200 && html.contains("<form method=\"post\">") && !html.contains("class=\"number\""));
    assert!(shop.events("member.joined").await.is_empty(), "looking claims nothing");
    let (status, html) = page(&shop, "POST", &path).await;
    assert_eq!(status, 200);
    assert!(html.contains("<svg") && !html.contains("<?xml"));
    let card = number(&html);
    for (method, path) in [("POST", &path), ("GET", &path)] {
        assert_eq!(number(&page(&shop, method, path).await.1), card);
    }
    let joined = shop.events("member.joined").await;
    assert_eq!(joined.len(), 1);
    assert_eq!((&joined[0]["card"], &joined[0]["customer_id"]), (&json!(card), &json!(ma)));
    assert_eq!((&joined[0]["channel"], &joined[0]["store"]), (&json!("poster"), &json!("/east/shanghai-01")));
    assert_eq!(joined[0]["identities"].as_array().unwrap().len(), 2);
    linked(&shop, &card, ma).await;

    let member = shop.get(&format!("/v1/members/{card}")).await;
    assert_eq!((&member["customer_id"], &member["balance"]), (&json!(ma), &json!(30)));
    assert_eq!(shop.get("/v1/members?phone=138%200000%200001").await["items"], json!([member]));
    assert_eq!(shop.get("/v1/members?phone=13800000002").await["items"], json!([]));
    let vault = kit::Vault::new(shop.app.variables()).unwrap();
    let mark = vault.hash("member.qr", &card).unwrap();
    assert_eq!(shop.get(&format!("/v1/members?qr=SIYU1{card}{}", &mark[..16])).await["items"], json!([member]));
    assert_eq!(shop.get(&format!("/v1/members?qr=SIYU1{card}0000000000000000")).await["items"], json!([]));
    for wrong in ["/v1/members", "/v1/members?phone=138", "/v1/members?phone=13800000001&qr=x"] {
        assert_eq!(shop.call("GET", wrong, None).await.0, 400, "{wrong}");
    }
    let slip = format!("{}{}", &card[..15], (card[15..].parse::<u8>().unwrap() + 1) % 10);
    assert_eq!(shop.call("GET", &format!("/v1/members/{slip}"), None).await.0, 404);
}

#[tokio::test]
async fn another_link_of_the_same_person_gives_the_same_card() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma"), buyer("ma-2")]).await;
    let first = link(&shop, json!({ "identity": buyer("ma") })).await;
    let card = number(&page(&shop, "POST", &first).await.1);
    linked(&shop, &card, ma).await;
    let second = link(&shop, json!({ "identity": buyer("ma-2") })).await;
    assert_eq!(number(&page(&shop, "POST", &second).await.1), card);
    // Somebody who is not known yet taps twice before who-is-who has heard of it.
    let (one, two) = (
        link(&shop, json!({ "identity": buyer("new") })).await,
        link(&shop, json!({ "identity": buyer("new") })).await,
    );
    let card = number(&page(&shop, "POST", &one).await.1);
    assert_eq!(number(&page(&shop, "POST", &two).await.1), card);
    assert_eq!(shop.call("GET", &format!("/v1/members/{card}"), None).await.0, 503, "a moment ago");
    // Links without identity are for one person each.
    let (one, two) = (link(&shop, json!({})).await, link(&shop, json!({})).await);
    let card = number(&page(&shop, "POST", &one).await.1);
    assert_eq!(number(&page(&shop, "POST", &one).await.1), card);
    assert_ne!(number(&page(&shop, "POST", &two).await.1), card);
}

#[tokio::test]
async fn many_taps_at_once_claim_one_card() {
    let shop = std::sync::Arc::new(Shop::open().await);
    let path = link(&shop, json!({ "identity": buyer("new") })).await;
    let taps: Vec<_> = (0..10)
        .map(|_| {
            let (shop, path) = (shop.clone(), path.clone());
            tokio::spawn(async move { number(&page(&shop, "POST", &path).await.1) })
        })
        .collect();
    let mut cards = std::collections::BTreeSet::new();
    for tap in taps {
        cards.insert(tap.await.unwrap());
    }
    assert_eq!((cards.len(), shop.events("member.joined").await.len()), (1, 1));
}

#[tokio::test]
async fn a_link_that_is_void_or_changed_says_so() {
    let shop = Shop::open().await;
    let path = link(&shop, json!({ "expires_at": day(1).to_string() })).await;
    for method in ["GET", "POST"] {
        assert_eq!(page(&shop, method, &format!("{path}0")).await.0, 404);
        assert_eq!(page(&shop, method, "/m/%3Cscript%3E").await.0, 404);
    }
    shop.app.clock().set(day(1)).await.unwrap();
    for method in ["GET", "POST"] {
        let (status, html) = page(&shop, method, &path).await;
        assert!(status == 410 && html.contains("链接已过期"), "{status}");
    }
    assert!(shop.events("member.joined").await.is_empty());
    for kind in ["name_hash", "member_card"] {
        let body = json!({ "identity": { "kind": kind, "scope": null, "value": "x" } });
        assert_eq!(shop.call("POST", "/v1/members/links", Some(body)).await.0, 400);
    }
    for wrong in [day(1), day(400)] {
        let body = json!({ "expires_at": wrong.to_string() });
        assert_eq!(shop.call("POST", "/v1/members/links", Some(body)).await.0, 400);
    }
}

#[tokio::test]
async fn levels_elsewhere_are_shown_the_newest_of_each() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    for (level, at) in [("V2", day(0)), ("V3", day(2)), ("V1", day(1))] {
        let told = ActivityRecorded {
            v: Version,
            source: "mini-program".to_owned(),
            identities: vec![buyer("ma")],
            hints: vec![],
            channel: None,
            store: None,
            staff: None,
            at,
            activity: Activity::MemberLevelTold { program: "taobao".to_owned(), level: level.to_owned() },
        };
        shop.tell(Event::ActivityRecorded(told)).await;
    }
    let member = shop.get(&format!("/v1/customers/{ma}/membership")).await;
    assert_eq!(member["programs"], json!([{ "program": "taobao", "level": "V3", "at": day(2).to_string() }]));
}

#[tokio::test]
async fn who_is_erased_leaves_figures_and_no_words() {
    let shop = Shop::open().await;
    let ma = shop.customer(1, &[buyer("ma")]).await;
    let words = json!({ "points": 20, "reason": "an apology to Ma" });
    assert_eq!(shop.call("POST", &format!("/v1/customers/{ma}/points"), Some(words)).await.0, 201);
    let words = json!({ "points": 5, "reason": "a gift for Ma" });
    assert_eq!(shop.call("POST", &format!("/v1/customers/{ma}/points/redeem"), Some(words)).await.0, 201);
    let path = link(&shop, json!({ "identity": buyer("ma") })).await;
    assert_eq!(page(&shop, "POST", &path).await.0, 200);
    let erased = json!({ "v": 1, "customer_id": ma, "order_ids": [], "at": day(0).to_string() });
    let erased = match Event::parse("customer.erased", &erased.to_string()) {
        Ok(event) => event,
        // Before orders were named in it.
        Err(_) => {
            Event::parse("customer.erased", &json!({ "v": 1, "customer_id": ma, "at": day(0).to_string() }).to_string())
                .unwrap()
        }
    };
    shop.tell(erased).await;
    assert_eq!(shop.points(ma).await, (15, 0));
    let left = "select coalesce(reason, '') as v from point_entry union all select reason from redemption
                union all select claim from member_card where claim like '%ma%'";
    assert!(shop.column(left).await.iter().all(String::is_empty));
}

#[tokio::test]
async fn somebody_new_is_a_member_and_a_customer_by_one_tap() {
    let shop = Shop::open().await;
    let path = link(&shop, json!({ "identity": buyer("new"), "store": "/east/shanghai-01" })).await;
    let card = number(&page(&shop, "POST", &path).await.1);
    shop.consume().await;
    let member = shop.get(&format!("/v1/members/{card}")).await;
    assert_eq!((&member["cards"][0]["card"], &member["balance"]), (&json!(card), &json!(0)));
    // An order by the same buyer, and one at the till by the card, are the member's.
    shop.tell(Event::OrderPaid(order(1, &buyer("new"), day(0), &[("TEA", 3000)]))).await;
    let by_card = Identity { kind: IdentityKind::MemberCard, scope: None, value: card.clone() };
    shop.tell(Event::OrderPaid(order(2, &by_card, day(0), &[("TEA", 2000)]))).await;
    assert_eq!(shop.get(&format!("/v1/members/{card}")).await["balance"], 50);
    // Another identity of the same person has the same card, and no second one.
    let mut both = order(3, &buyer("new"), day(0), &[("TEA", 1000)]);
    both.order.identities.push(buyer("new-2"));
    shop.tell(Event::OrderPaid(both)).await;
    let second = link(&shop, json!({ "identity": buyer("new-2") })).await;
    assert_eq!(number(&page(&shop, "POST", &second).await.1), card);
    // Who is erased keeps the figures.
    let id = member["customer_id"].as_str().unwrap();
    let (status, erased) = shop.call("POST", &format!("/v1/customers/{id}/erase"), None).await;
    assert_eq!(status, 204, "{erased}");
    shop.consume().await;
    assert_eq!(shop.get(&format!("/v1/customers/{id}/points")).await["balance"], 60);
    assert_eq!(shop.column("select claim as v from member_card").await, [format!("erased {card}")]);
}
