//! Shops on every marketplace: connected, pushed and pulled, until the books are the platforms' own.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::database::assert_sound;
use serde_json::json;
use siyu_tests::http::Client;
use siyu_tests::marketplace;
use siyu_tests::marketplace::dialect::Delivery;
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::marketplace::server::Trouble;
use siyu_tests::merchant::{Books, Morning, Ways};
use siyu_tests::system::System;

const PATIENCE: Duration = Duration::from_secs(90);

/// Books by platform and shop.
type ByShop = BTreeMap<(String, String), Books>;

/// The application's books; none while a full record is missing.
async fn found(system: &System) -> Option<ByShop> {
    let mut found = ByShop::new();
    for order in system.orders().await.unwrap() {
        if order["complete"] != true {
            return None;
        }
        let [platform, shop] = ["platform", "shop_id"].map(|name| order[name].as_str().unwrap().to_owned());
        let books = found.entry((platform, shop)).or_default();
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
    let system = System::start_on(marketplace::others(), 2, |setup| setup).await.unwrap();
    let client = Client::new();
    let begins = jiff::Timestamp::now().as_second() - 2 * 3600;
    let mut wanted = ByShop::new();
    for (seed, server) in (1..).zip(&system.others) {
        let (name, ways) = (server.dialect().name(), Ways::of(server.dialect()));
        server.shops(|shops| {
            for (shop, live_orders) in shops.iter_mut().zip([9, 5]) {
                Morning { seed, live_orders, store_orders: 0, begins }.live_room_where(shop, ways).unwrap();
                wanted.insert((name.to_owned(), shop.id().to_owned()), shop.books());
            }
        });
        server.trouble(Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, ..Trouble::default() });
        system.connect(server).await.unwrap();
        if matches!(server.dialect().delivery(), Delivery::Push(_)) {
            let mishaps = Mishaps { seed, duplicated: 20, disordered: 30, dropped: 30, batch: 3, ..Mishaps::NONE };
            server.deliver(&mishaps, &client, &system.hook(server)).await.unwrap();
        }
    }
    assert_eq!(
        (system.others.len(), wanted.len()),
        (8, 15),
        "two shops on each, but one account of WeChat Store is one shop"
    );
    let done = async |system: &System| Ok(found(system).await.filter(|found| *found == wanted));
    if let Err(error) = system.wait_for("the platforms' own books", PATIENCE, done).await {
        panic!("{error}\nfound {:#?}\nwanted {wanted:#?}", found(&system).await);
    }
    let open = system.client.get(&system.host.at("/v1/events/dead-letters")).await.unwrap().json().unwrap();
    assert_eq!(open["items"], json!([]), "no event has failed");
    assert_sound(&system);
}

#[tokio::test]
async fn a_hint_for_a_shop_that_is_not_connected_asks_nothing() {
    let system = System::start_on(marketplace::others(), 1, |setup| setup).await.unwrap();
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
