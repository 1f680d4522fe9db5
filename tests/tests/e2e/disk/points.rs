//! The host dies at the numbered points of its writes, one after the other, and each time all ends as it does where it does not die.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};
use siyu_tests::disk::Disk;
use siyu_tests::http::{Answer, Client};
use siyu_tests::marketplace::doudian::accepted;
use siyu_tests::marketplace::kuaishou::Kuaishou;
use siyu_tests::marketplace::push;
use siyu_tests::marketplace::server::Server;
use siyu_tests::merchant::tills;
use siyu_tests::system::{DATABASE, System, WEBHOOK_SECRET};

use crate::database::{assert_sound, is_settled, number, open, rows, texts};
use crate::fixtures::{PATIENCE, THEN, basket, order, sale};

/// Points that are tried unless `SIYU_CRASH_POINTS` says how many, or `all`.
const SAMPLE: usize = 40;
/// Lives at the same time: most of each is waiting.
const TOGETHER: usize = 3;
/// For how long a call belongs to who has claimed it, and died.
const LEASE: i64 = 121;
/// How often these are told depends on which order came first, when the platform's record came, how long it all took, and whether the answer to an agreement was
/// heard: the platform refuses to agree twice, and its record tells that it has.
const MAY_VARY: [&str; 8] = [
    "buyer.first_order",
    "clock.moved",
    "order.detail_overdue",
    "order.detailed",
    "outbox.failed",
    "outbox.succeeded",
    "pull.due",
    "sku.cycle",
];
/// Timers that are due within so many milliseconds are waited for.
const SOON: i64 = 10_000;

#[test]
fn wherever_in_its_writes_the_host_dies_all_ends_as_if_it_had_not() {
    let begin = Instant::now();
    let (wanted, points) = run(Life::undisturbed());
    let sample = sample(points, std::env::var("SIYU_CRASH_POINTS").ok().as_deref());
    let (next, struck) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(&point) = sample.get(next.fetch_add(1, Ordering::SeqCst)) {
            let (found, died) = run(Life::cut_at(point));
            assert_eq!(found, wanted, "killed at point {point} of {points}");
            struck.fetch_add(usize::from(died), Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| (0..TOGETHER).for_each(|_| drop(scope.spawn(work))));
    let struck = struck.into_inner();
    println!("killed at {struck} of {points} points ({} tried) in {:?}", sample.len(), begin.elapsed());
    // One life is longer than another, by what the tick finds to do.
    assert!(struck * 4 > sample.len(), "points are reached: {struck} of {}", sample.len());
}

/// Points from the first to the last, evenly.
fn sample(points: u64, wanted: Option<&str>) -> Vec<u64> {
    let count = match wanted {
        Some("all") => points,
        Some(count) => count.parse().unwrap(),
        None => u64::try_from(SAMPLE).unwrap(),
    };
    let count = count.clamp(2, points);
    (0..count).map(|place| 1 + place * (points - 1) / (count - 1)).collect()
}

fn run<T>(life: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(life)
}

/// Who repeats what is not acknowledged.
enum Sender {
    Till(tills::Message),
    Doudian(Vec<push::Message>),
    /// A person who agrees to a refund, which the platform has to be told.
    Agree(String),
}

/// An application that always begins in the same way.
struct Life {
    disk: Disk,
    system: System,
    /// Unix seconds.
    now: i64,
    senders: Vec<Sender>,
    cases: Vec<String>,
}

impl Life {
    /// How it ends undisturbed, and how many points it has.
    async fn undisturbed() -> (Value, u64) {
        let mut life = Self::begin().await;
        life.disk.die_at(0, false).unwrap();
        assert!(life.play().await, "nobody dies");
        let points = life.disk.calls().unwrap();
        (life.end().await, points)
    }

    /// How it ends where the host dies at this point, and whether it did. At every other point the power goes: what the disk was not
    /// known to have is lost.
    async fn cut_at(point: u64) -> (Value, bool) {
        let mut life = Self::begin().await;
        life.disk.die_at(point, point.is_multiple_of(2)).unwrap();
        let died = !life.play().await;
        life.disk.die_at(0, false).unwrap();
        if died && point % 4 > 1 {
            let wal = life.system.state().join(format!("{DATABASE}-wal"));
            let wal = std::fs::File::options().write(true).open(wal).unwrap();
            wal.set_len(life.disk.synced().unwrap().min(wal.metadata().unwrap().len())).unwrap();
        }
        life.system = life.system.crash_and_restart().unwrap();
        life.pass(LEASE).await.unwrap();
        assert!(life.play().await, "nobody dies again");
        (life.end().await, died)
    }

    async fn begin() -> Self {
        let disk = Disk::new().unwrap();
        let change = |setup: siyu_tests::host::Setup| disk.under(setup.variable("clock", "virtual"));
        let system = System::start_on(vec![Arc::new(Kuaishou)], 1, change).await.unwrap();
        // Ahead of the machine's clock, by which the application has begun.
        let now = Timestamp::now().as_second() + 60;
        let mut life = Self { disk, system, now, senders: Vec::new(), cases: Vec::new() };
        life.pass(1).await.unwrap();
        for sku in ["CUP-1", "TEA-A", "TEA-B"] {
            life.put(&format!("/v1/stock/{sku}"), &json!({"on_hand": 100})).await;
        }
        let shelf = life.kuaishou().shop(|shop| (shop.id().to_owned(), shop.shelf("CUP-1")));
        life.system.connect(life.kuaishou()).await.unwrap();
        let listing = json!({ "platform": "kuaishou", "shop_id": shelf.0, "product_id": shelf.1.product_id,
            "platform_sku_id": shelf.1.sku_id, "safety": 0 });
        life.put("/v1/stock/CUP-1/listings", &json!({ "listings": [listing] })).await;
        for _ in 0..2 {
            let case = life.system.platform.shop(|shop| {
                let id = shop.place(basket(), THEN);
                shop.pay(&id, THEN + 60).unwrap();
                shop.ask_refund(&id, 1_000, THEN + 120).unwrap()
            });
            life.cases.push(case);
        }
        life.senders = vec![Sender::Doudian(life.system.platform.untold())];
        assert!(life.play().await);
        for listed in life.system.orders().await.unwrap() {
            let order = order(&life.system, listed["id"].as_str().unwrap()).await;
            life.senders.push(Sender::Agree(order["refunds"][0]["id"].as_str().unwrap().to_owned()));
        }
        for number in 0..4 {
            life.senders.push(Sender::Till(sale(&format!("POS-{number}")).message("paid", THEN).unwrap()));
            life.system.platform.shop(|shop| {
                let id = shop.place(basket(), THEN);
                shop.pay(&id, THEN + 60).unwrap();
            });
            life.senders.push(Sender::Doudian(life.system.platform.untold()));
        }
        life
    }

    fn kuaishou(&self) -> &Server {
        &self.system.others[0]
    }

    async fn put(&self, path: &str, body: &Value) {
        let answer = self.system.client.json("PUT", &self.system.host.at(path), body).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer}");
    }

    /// Lets time pass.
    async fn pass(&mut self, seconds: i64) -> anyhow::Result<()> {
        self.now += seconds;
        for server in [&self.system.platform, self.kuaishou()] {
            server.set_clock(Some(self.now));
        }
        let now = json!({ "now": format!("{:.3}", Timestamp::from_second(self.now)?) });
        let answer = self.system.client.json("POST", &self.system.host.at("/v1/clock"), &now).await?;
        anyhow::ensure!(answer.status == 200, "{answer}");
        Ok(())
    }

    /// All at once send what was not acknowledged yet; returns when all is done, or false when the host has died.
    async fn play(&mut self) -> bool {
        let answers = join_all(self.senders.iter().map(|sender| self.send(sender))).await;
        let mut taken = answers.into_iter().map(|answer| answer.is_ok_and(|answer| answer.status.is_success()));
        self.senders.retain(|_| !taken.next().unwrap());
        let deadline = Instant::now() + PATIENCE * 2;
        for round in 1.. {
            if self.system.host.has_ended().unwrap() {
                return false;
            }
            // What a sender is refused by a host that lives would be a fault, and never settles.
            if self.senders.is_empty()
                && is_settled(&self.system)
                && number(&self.system, "select count(*) from \"order\" where not complete") == 0
                && number(&self.system, &format!("select count(*) from timer where due < {}", self.now * 1_000 + SOON))
                    == 0
            {
                return true;
            }
            assert!(Instant::now() < deadline, "not all is done, {} senders wait", self.senders.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
            if round % 6 == 0 {
                // Budgets fill up with time. A host that is dying answers nothing.
                let _ = self.pass(1).await;
            }
        }
        unreachable!()
    }

    async fn send(&self, sender: &Sender) -> anyhow::Result<Answer> {
        let host = &self.system.host;
        match sender {
            Sender::Till(message) => {
                let (headers, body) = message.signed(WEBHOOK_SECRET, self.now)?;
                Client::new().send("POST", &host.at("/hooks/orders"), &headers, body).await
            }
            Sender::Doudian(messages) => {
                let push = self.system.platform.push(messages)?;
                let answer = push.send(&Client::new(), &self.system.douyin_hook()).await?;
                anyhow::ensure!(accepted(&answer), "{answer}");
                Ok(answer)
            }
            Sender::Agree(refund) => {
                let mut headers = HeaderMap::new();
                headers.insert("idempotency-key", format!("\"agree-{refund}\"").parse()?);
                let url = host.at(&format!("/v1/refunds/{refund}/agree"));
                self.system.client.send("POST", &url, &headers, Vec::new()).await
            }
        }
    }

    /// All that can be told apart from outside, and some figures of each function.
    async fn end(&self) -> Value {
        assert_sound(&self.system);
        let mut orders = Vec::new();
        for listed in self.system.orders().await.unwrap() {
            let order = order(&self.system, listed["id"].as_str().unwrap()).await;
            let refunds: Vec<_> = order["refunds"].as_array().unwrap().iter().map(|refund| &refund["status"]).collect();
            let names = ["platform_order_id", "status", "paid", "complete"];
            orders.push(json!([names.map(|name| &order[name]), refunds]).to_string());
        }
        orders.sort();
        let mut events = std::collections::BTreeMap::<String, u32>::new();
        for event in self.system.events().await.unwrap() {
            *events.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        events.retain(|kind, _| !MAY_VARY.contains(&kind.as_str()));
        let mut stock = Vec::new();
        for sku in ["CUP-1", "TEA-A", "TEA-B"] {
            let answer = self.system.client.get(&self.system.host.at(&format!("/v1/stock/{sku}"))).await.unwrap();
            let answer = answer.json().unwrap();
            stock.push(json!([sku, answer["on_hand"], answer["reserved"], answer["short"]]));
        }
        let cases = self
            .cases
            .iter()
            .map(|case| self.system.platform.shop(|shop| format!("{:?}", shop.case(case).unwrap().status)));
        let agreed =
            self.system.platform.calls().into_iter().filter(|call| call.asked == "agree" && call.refused.is_none());
        let tables = [
            "dead_letter",
            "inbox",
            "inbox_quarantine",
            "refund",
            "purchase",
            "customer_order",
            "customer_refund",
            "identity",
            "tagging_order",
            "attributed_order",
            "attributed_refund",
        ];
        let figures = tables.map(|table| (table, rows(&self.system, table)));
        json!({
            "orders": orders, "events": events, "stock": stock, "figures": figures,
            "revenue": number(&self.system, "select sum(paid) from customer_order"),
            "failed": texts(&open(self.system.state()), "select destination || ' ' || operation || ': ' || error from outbox where state = 'failed' and operation <> 'agree'"),
            "at platforms": { "shown": self.kuaishou().shop(|shop| shop.stock("CUP-1")), "cases": cases.collect::<Vec<_>>(), "agreed": agreed.count() },
        })
    }
}
