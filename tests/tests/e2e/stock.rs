//! One truth about stock, whoever sells at the same time: marketplaces, tills, and a warehouse that takes in and gives out.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use siyu_tests::http::Client;
use siyu_tests::marketplace;
use siyu_tests::marketplace::dialect::Delivery;
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::marketplace::server::Server;
use siyu_tests::marketplace::shop::Basket;
use siyu_tests::merchant::tills::Sale;
use siyu_tests::merchant::{Ways, baskets};
use siyu_tests::standard_webhooks;
use siyu_tests::system::{System, WEBHOOK_SECRET};

const SKU: &str = "TEA-ONLY-60";
const PATIENCE: Duration = Duration::from_secs(90);
const COUNTED: i64 = 60;
/// Orders on each marketplace, and at the tills.
const ORDERS: i64 = 12;

fn basket(quantity: u32) -> Basket {
    baskets::plain(vec![baskets::tea(SKU, quantity, 1_990)])
}

/// Pieces kept back from each marketplace, by its place.
fn safety(place: usize) -> i64 {
    i64::try_from(place % 3).unwrap()
}

async fn stock(system: &System) -> Value {
    system.client.get(&system.host.at(&format!("/v1/stock/{SKU}"))).await.unwrap().json().unwrap()
}

/// Offers the SKU in every shop.
async fn offer(system: &System) {
    let listings: Vec<_> = (0..)
        .zip(&system.others)
        .map(|(place, server)| {
            let (shop_id, shelf) = server.shop(|shop| (shop.id().to_owned(), shop.shelf(SKU)));
            json!({ "platform": server.dialect().name(), "shop_id": shop_id, "product_id": shelf.product_id,
                "platform_sku_id": shelf.sku_id, "safety": safety(place) })
        })
        .collect();
    let url = system.host.at(&format!("/v1/stock/{SKU}/listings"));
    let answer = system.client.json("PUT", &url, &json!({ "listings": listings })).await.unwrap();
    assert_eq!(answer.status, 200, "{answer}");
}

/// What each marketplace shows.
fn shown(system: &System) -> BTreeMap<&'static str, Option<i64>> {
    system.others.iter().map(|server| (server.dialect().name(), server.shop(|shop| shop.stock(SKU)))).collect()
}

async fn until_all_show(system: &System, available: i64) {
    let wanted: BTreeMap<_, _> = (0..)
        .zip(&system.others)
        .map(|(place, server)| (server.dialect().name(), Some((available - safety(place)).max(0))))
        .collect();
    let done = async |system: &System| Ok((shown(system) == wanted).then_some(()));
    if let Err(error) = system.wait_for("every marketplace to show what is free", PATIENCE, done).await {
        panic!("{error}: {:?}, wanted {wanted:?}", shown(system));
    }
}

/// A marketplace's buyers: some pay at once, some cancel, some have it sent.
async fn sell_on(system: &System, server: &Server, begins: i64) {
    server.shop(|shop| {
        for number in 0..ORDERS {
            let id = shop.place(basket(1 + u32::from(number % 3 == 0)), begins + number);
            match number % 4 {
                0 => shop.pay(&id, begins + 60).and_then(|()| shop.ship(&id, begins + 90)).unwrap(),
                1 if Ways::of(server.dialect()).unpaid => shop.cancel(&id, begins + 90).unwrap(),
                _ => shop.pay(&id, begins + 60).unwrap(),
            }
        }
    });
    if matches!(server.dialect().delivery(), Delivery::Push(_)) {
        let mishaps = Mishaps { seed: 7, duplicated: 30, disordered: 40, dropped: 20, batch: 3, ..Mishaps::NONE };
        server.deliver(&mishaps, &Client::new(), &system.hook(server)).await.unwrap();
    }
}

/// The stores' tills: a piece each, handed over at once.
async fn sell_at_tills(system: &System, begins: i64) {
    for number in 0..ORDERS {
        let sale = Sale {
            shop_id: "S-001".to_owned(),
            order_id: format!("POS-{number}"),
            at: begins + number,
            lines: vec![(SKU.to_owned(), "限量测试茶".to_owned(), 1, 1_990)],
            member_card: None,
            phone: None,
        };
        for status in ["paid", "completed"] {
            let answer = system.send_till(&sale.message(status, begins + number).unwrap()).await.unwrap();
            assert_eq!(answer.status, 200, "{answer}");
        }
    }
}

async fn document(system: &System, kind: &str, number: &str, reason: &str, quantity: u32) {
    let now = Timestamp::now().as_second();
    let body = json!({ "type": kind, "timestamp": Timestamp::from_second(now).unwrap().to_string(), "data": { "warehouse": "W1",
        "document_id": number, "reason": reason, "lines": [{ "sku": SKU, "quantity": quantity }] } });
    let body = body.to_string().into_bytes();
    for attempt in ["1", "2"] {
        let headers = standard_webhooks::headers(WEBHOOK_SECRET, &format!("{number}-{attempt}"), now, &body).unwrap();
        let answer = Client::new().send("POST", &system.host.at("/hooks/stock"), &headers, body.clone()).await.unwrap();
        assert_eq!(answer.status, 200, "{answer}");
    }
}

#[tokio::test]
async fn nothing_is_promised_twice_though_all_sell_at_once_and_every_shop_shows_what_is_free_in_the_end() {
    let system = System::start_on(marketplace::others(), 1, |setup| setup).await.unwrap();
    let url = system.host.at(&format!("/v1/stock/{SKU}"));
    assert_eq!(system.client.json("PUT", &url, &json!({ "on_hand": COUNTED })).await.unwrap().status, 200);
    for server in &system.others {
        system.connect(server).await.unwrap();
    }
    offer(&system).await;
    until_all_show(&system, COUNTED).await;

    // More is sold than there is: what the marketplaces show is always a moment old.
    let begins = Timestamp::now().as_second() - 1_800;
    let warehouse = async {
        document(&system, "goods.received", "IN-1", "purchase", 20).await;
        document(&system, "goods.issued", "OUT-1", "loss", 5).await;
        document(&system, "goods.issued", "OUT-2", "sale", 9).await;
    };
    let marketplaces = async {
        let mut selling = Vec::new();
        for server in &system.others {
            selling.push(sell_on(&system, server, begins));
        }
        futures_util::future::join_all(selling).await;
    };
    tokio::join!(warehouse, marketplaces, sell_at_tills(&system, begins));

    let wanted = (system.others.len() + 1) * usize::try_from(ORDERS).unwrap();
    let done = async |system: &System| {
        let orders = system.orders().await?;
        Ok((orders.len() == wanted && orders.iter().all(|order| order["complete"] == true)).then_some(()))
    };
    if let Err(error) = system.wait_for("all orders", PATIENCE, done).await {
        panic!("{error}: {} of {wanted}", system.orders().await.unwrap().len());
    }

    // Every change begins where the one before ended, and no state was impossible.
    let mut last = json!({ "on_hand": 0, "reserved": 0 });
    let mut left = 0;
    for event in system.events().await.unwrap() {
        if event["type"] != "stock.changed" || event["data"]["sku"] != SKU {
            continue;
        }
        let data = &event["data"];
        assert_eq!(data["before"], last, "{data}");
        last = data["after"].clone();
        let [on_hand, reserved] = ["on_hand", "reserved"].map(|name| last[name].as_i64().unwrap());
        assert!(0 <= reserved && reserved <= on_hand, "{data}");
        if data["cause"] == "committed" {
            left += data["before"]["on_hand"].as_i64().unwrap() - on_hand;
        }
    }
    let now = stock(&system).await;
    assert_eq!([&now["on_hand"], &now["reserved"]], [&last["on_hand"], &last["reserved"]]);
    assert_eq!(
        now["on_hand"],
        COUNTED + 20 - 5 - left,
        "a document counts once, and what was sold is booked by its order"
    );
    assert!(now["short"].as_i64().unwrap() > 0, "more was sold than there is: {now}");
    assert!(now["available"].as_i64().unwrap() < 2, "nobody waits for what is there: {now}");
    until_all_show(&system, now["available"].as_i64().unwrap()).await;
}
