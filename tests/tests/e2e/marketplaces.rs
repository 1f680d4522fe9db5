//! Shops on every marketplace: connected, pushed and pulled, until the books are the platforms' own.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use siyu_tests::http::Client;
use siyu_tests::marketplace;
use siyu_tests::marketplace::dialect::Delivery;
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::marketplace::server::{Server, Trouble};
use siyu_tests::merchant::{Books, Morning, Ways};
use siyu_tests::system::System;

const PATIENCE: Duration = Duration::from_secs(90);

async fn connect(system: &System, server: &Server) {
    let platform = server.dialect().name();
    let shop_id = server.shop(|shop| shop.id().to_owned());
    let token = server.issue_token(0);
    let url = system.host.at(&format!("/v1/shops/{platform}/{shop_id}"));
    let body = json!({ "name": "测试茶饮", "access_token": token.access, "refresh_token": token.refresh });
    let answer = system.client.json("PUT", &url, &body).await.unwrap();
    assert_eq!(answer.status, 200, "{platform}: {answer}");
}

/// The application's books by platform; none while a full record is missing.
async fn found(system: &System) -> Option<BTreeMap<String, Books>> {
    let mut found: BTreeMap<String, Books> = BTreeMap::new();
    for order in system.orders().await.unwrap() {
        if order["complete"] != true {
            return None;
        }
        let books = found.entry(order["platform"].as_str().unwrap().to_owned()).or_default();
        books.order(order["status"].as_str().unwrap(), order["paid"].as_i64().unwrap_or(0));
        let url = system.host.at(&format!("/v1/orders/{}", order["id"].as_str().unwrap()));
        let whole = system.client.get(&url).await.unwrap().json().unwrap();
        for refund in whole["refunds"].as_array().unwrap() {
            if refund["status"] == "refunded" {
                books.refunded += refund["claim"]["amount"].as_i64().unwrap_or(0);
            }
        }
    }
    Some(found)
}

#[tokio::test]
async fn a_day_on_all_of_them_ends_in_their_own_books_though_pushes_are_lost_and_tokens_end() {
    let system = System::start_on(marketplace::others(), |setup| setup).await.unwrap();
    let client = Client::new();
    let begins = jiff::Timestamp::now().as_second() - 2 * 3600;
    let mut wanted = BTreeMap::new();
    for (seed, server) in (1..).zip(&system.others) {
        let morning = Morning { seed, live_orders: 12, store_orders: 0, begins };
        server.shop(|shop| morning.live_room_where(shop, Ways::of(server.dialect()))).unwrap();
        server.trouble(Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, ..Trouble::default() });
        connect(&system, server).await;
        if matches!(server.dialect().delivery(), Delivery::Push(_)) {
            let mishaps = Mishaps { seed, duplicated: 20, disordered: 30, dropped: 30, batch: 3, ..Mishaps::NONE };
            server.deliver(&mishaps, &client, &system.hook(server)).await.unwrap();
        }
        wanted.insert(server.dialect().name().to_owned(), server.books());
    }
    assert_eq!(wanted.len(), 8, "eight marketplaces besides Doudian");
    let done = async |system: &System| Ok(found(system).await.filter(|found| *found == wanted));
    if let Err(error) = system.wait_for("the platforms' own books", PATIENCE, done).await {
        panic!("{error}\nfound {:#?}\nwanted {wanted:#?}", found(&system).await);
    }
    let open = system.client.get(&system.host.at("/v1/events/dead-letters")).await.unwrap().json().unwrap();
    assert_eq!(open["items"], json!([]), "no event has failed");
}

#[tokio::test]
async fn a_hint_for_a_shop_that_is_not_connected_asks_nothing() {
    let system = System::start_on(marketplace::others(), |setup| setup).await.unwrap();
    let client = Client::new();
    for server in &system.others {
        if !matches!(server.dialect().delivery(), Delivery::Push(_)) {
            continue;
        }
        let morning =
            Morning { seed: 1, live_orders: 2, store_orders: 0, begins: jiff::Timestamp::now().as_second() - 60 };
        server.shop(|shop| morning.live_room_where(shop, Ways::of(server.dialect()))).unwrap();
        server.deliver(&Mishaps::NONE, &client, &system.hook(server)).await.unwrap();
    }
    for name in ["kuaishou", "xiaohongshu", "weidian"] {
        let server = system.others.iter().find(|server| server.dialect().name() == name).unwrap();
        assert!(server.calls().is_empty(), "{name} was asked for a shop that nobody has connected");
        let orders = system.client.get(&system.host.at(&format!("/v1/orders?platform={name}"))).await.unwrap();
        assert_eq!(orders.json().unwrap()["items"], json!([]), "{name}");
    }
}
