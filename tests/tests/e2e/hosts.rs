//! Two hosts at one state folder, started at the same moment, as a roll-over or a mistake of an operator's makes them.

use std::sync::Barrier;

use jiff::Timestamp;
use serde_json::{Value, json};
use siyu_tests::host::{Host, root};
use siyu_tests::http::Client;
use siyu_tests::marketplace::doudian::{Doudian, accepted};
use siyu_tests::marketplace::server::Server;
use siyu_tests::system::{API_TOKEN, WEBHOOK_SECRET, configured, fresh_state};
use tokio::task::JoinSet;

use crate::database::{is_settled_in, number_in};
use crate::fixtures::{PATIENCE, THEN, basket, sale};

/// Messages that each host gets alone, and that both get.
const EACH: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_that_start_together_share_a_fresh_state_and_lose_and_double_nothing() {
    let platform = Server::start(Doudian).await.unwrap();
    let state = fresh_state().unwrap();
    let (setup, together) = (configured(&platform), Barrier::new(2));
    let start = || {
        together.wait();
        Host::start(&setup, state.path()).unwrap()
    };
    let hosts = std::thread::scope(|scope| [scope.spawn(start), scope.spawn(start)].map(|host| host.join().unwrap()));

    // The first messages meet an empty database: whoever comes first makes it, the other waits.
    let both: Vec<_> = (0..EACH).map(|number| format!("POS-BOTH-{number}")).collect();
    let answers = send(hosts.iter().flat_map(|host| both.iter().map(move |order_id| (host, order_id.clone())))).await;
    assert_eq!(answers, [vec!["accepted"; EACH], vec!["duplicate"; EACH]].concat());
    let client = Client::new().with_token(API_TOKEN);
    let stock = hosts[0].at("/v1/stock/CUP-1");
    assert_eq!(client.json("PUT", &stock, &json!({"on_hand": 1000})).await.unwrap().status, 200);
    let alone = hosts.iter().zip(["A", "B"]);
    let alone = alone.flat_map(|(host, name)| (0..EACH).map(move |number| (host, format!("POS-{name}-{number}"))));
    assert_eq!(send(alone).await, vec!["accepted"; 2 * EACH]);
    for host in &hosts {
        for _ in 0..EACH {
            platform.shop(|shop| shop.place(basket(), THEN));
        }
        let push = platform.push(&platform.untold()).unwrap();
        let answer = push.send(&Client::new(), &host.at("/hooks/douyin")).await.unwrap();
        assert!(accepted(&answer), "{answer}");
    }

    let number = |sql: &str| usize::try_from(number_in(state.path(), sql)).unwrap();
    let waiting = "select count(*) from \"order\" where not complete";
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is_settled_in(state.path()) || number(waiting) > 0 {
        assert!(std::time::Instant::now() < deadline, "all is consumed in the end");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let migrations = std::fs::read_dir(root().join("migrations")).unwrap().count();
    assert_eq!(number("select count(*) from schema_migration"), migrations);
    assert_eq!(number("select count(*) from \"order\""), 5 * EACH);
    assert_eq!(number("select count(*) from inbox"), 5 * EACH);
    assert_eq!(number("select count(*) from event where type = 'order.created'"), 5 * EACH, "each announced");
    assert_eq!(number("select count(distinct subject) from event where type = 'order.created'"), 5 * EACH, "once");
    assert_eq!(number("select count(*) from dead_letter"), 0);
    let stock = client.get(&stock).await.unwrap();
    assert_eq!(stock.json().unwrap()["reserved"], 2 * EACH, "each later sale has its one cup: {stock}");
    let mut lists: Vec<Vec<Value>> = Vec::new();
    for host in &hosts {
        lists.push(client.pages(&host.at("/v1/orders?limit=500")).await.unwrap());
    }
    assert_eq!(lists[0].len(), 5 * EACH);
    assert_eq!(lists[0], lists[1], "both show the same");
    // Both write to one file.
    assert!(!hosts[0].log().unwrap().contains("ERROR"), "{}", hosts[0].log().unwrap());
}

/// Send a till's messages about paid cups, all at once; what they were answered with, sorted.
async fn send<'a>(messages: impl Iterator<Item = (&'a Host, String)>) -> Vec<String> {
    let mut sending = JoinSet::new();
    for (host, order_id) in messages {
        let message = sale(&order_id).message("paid", THEN).unwrap();
        let (headers, body) = message.signed(WEBHOOK_SECRET, Timestamp::now().as_second()).unwrap();
        let url = host.at("/hooks/orders");
        sending.spawn(async move {
            let answer = Client::new().send("POST", &url, &headers, body).await.unwrap();
            assert_eq!(answer.status, 200, "{order_id}: {answer}");
            answer.json().unwrap()["status"].as_str().unwrap().to_owned()
        });
    }
    let mut answers = sending.join_all().await;
    answers.sort();
    answers
}
