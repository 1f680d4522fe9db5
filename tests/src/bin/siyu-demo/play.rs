//! Sends the morning: pushes of the platform and messages of the tills, with repetitions, disorder and forgeries.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::json;
use siyu_tests::http::{Answer, Client};
use siyu_tests::marketplace::dialect::App;
use siyu_tests::marketplace::push::{Message, Mishaps, Push};
use siyu_tests::marketplace::server::Trouble;
use siyu_tests::merchant::{Books, MENU, Morning};
use siyu_tests::system::{System, WEBHOOK_SECRET};
use tokio::task::JoinSet;

/// Senders at the same time, as a platform has.
const SENDERS: usize = 16;
/// Forged webhooks of each kind.
const FORGERIES: usize = 10;

/// What was sent, and how it was answered.
#[derive(Debug, Default)]
pub struct Played {
    /// Messages that were sent, repetitions and forgeries included.
    pub received: u64,
    /// Messages taken for the first time.
    pub accepted: u64,
    /// Messages sent again, and answered as if they were new.
    pub duplicates: u64,
    /// Messages answered with 401.
    pub refused: u64,
    /// From the first request to the last answer.
    pub took: Duration,
    /// How long each webhook took, sorted.
    pub latencies: Vec<Duration>,
    /// The platform's and the tills' own books, together.
    pub books: Books,
}

/// A request that is ready to go out.
struct Delivery {
    url: String,
    push: Push,
    messages: u64,
    expected: Expected,
}

#[derive(Clone, Copy, PartialEq)]
enum Expected {
    Platform,
    Till,
    Refusal,
}

/// Play it.
///
/// # Errors
/// When a webhook is answered otherwise than it should be.
pub async fn morning(system: &System, morning: &Morning) -> Result<Played> {
    for (sku, _, _) in MENU {
        let answer =
            system.client.json("PUT", &system.host.at(&format!("/v1/stock/{sku}")), &json!({"on_hand": 5000})).await?;
        ensure!(answer.status == 200, "stock of {sku} could not be set: {answer}");
    }
    // The platform's API has its bad moments, too: the courier has to try again.
    system.platform.trouble(Trouble { broken_gateway: 3, server_errors: 3, rate_limited: 3, ..Trouble::default() });
    let mut played = Played::default();
    let deliveries = deliveries(system, morning, &mut played)?;
    let start = Instant::now();
    let client = Client::new();
    let mut waiting = deliveries.into_iter();
    let mut senders = JoinSet::new();
    loop {
        while senders.len() < SENDERS
            && let Some(delivery) = waiting.next()
        {
            let client = client.clone();
            senders.spawn(async move {
                let answer = delivery.push.send(&client, &delivery.url).await;
                (delivery, answer)
            });
        }
        let Some(sent) = senders.join_next().await else { break };
        let (delivery, answer) = sent.context("a sender failed")?;
        played.answered(system, &delivery, &answer?)?;
    }
    played.took = start.elapsed();
    played.latencies.sort();
    Ok(played)
}

/// All that goes out, in the order in which it does: both streams mixed, forgeries in between.
fn deliveries(system: &System, morning: &Morning, played: &mut Played) -> Result<Vec<Delivery>> {
    let mut dice = fastrand::Rng::with_seed(morning.seed ^ 0xd1ce);
    system.platform.shop(|shop| morning.live_room(shop))?;
    let messages = system.platform.untold();
    let tills = morning.stores()?;
    played.books.add(&system.platform.books());
    played.books.add(&tills.books);
    played.accepted = u64::try_from(messages.len() + tills.messages.len())?;

    let mishaps = Mishaps { seed: morning.seed, duplicated: 10, disordered: 20, batch: 5, ..Mishaps::NONE };
    let mut all = Vec::new();
    for batch in mishaps.deliveries(messages) {
        let push = system.platform.push(&batch)?;
        all.push(Delivery {
            url: system.douyin_hook(),
            push,
            messages: u64::try_from(batch.len())?,
            expected: Expected::Platform,
        });
    }
    let now = Timestamp::now().as_second();
    for message in &tills.messages {
        for _ in 0..if dice.u8(0..10) == 0 { 2 } else { 1 } {
            let (headers, body) = message.signed(WEBHOOK_SECRET, now)?;
            let push = Push { query: String::new(), headers, body };
            insert(
                &mut all,
                &mut dice,
                Delivery { url: system.orders_hook(), push, messages: 1, expected: Expected::Till },
            );
        }
    }
    let forger = App { secret: "a-guess".to_owned(), ..system.platform.app().clone() };
    let shop_id = system.platform.shop(|shop| shop.id().to_owned());
    for number in 0..FORGERIES {
        let forged = Message {
            kind: "101".to_owned(),
            id: format!("forged-{number}"),
            content: json!({"p_id": number, "shop_id": shop_id, "pay_amount": 1, "create_time": now, "pay_time": now}),
        };
        let push = system.platform.dialect().push(&forger, &[forged], now)?;
        insert(
            &mut all,
            &mut dice,
            Delivery { url: system.douyin_hook(), push, messages: 1, expected: Expected::Refusal },
        );
        if let Some(message) = tills.messages.get(number) {
            // Genuine, but recorded an hour ago and replayed.
            let (headers, body) = message.signed(WEBHOOK_SECRET, now - 3600)?;
            let push = Push { query: String::new(), headers, body };
            insert(
                &mut all,
                &mut dice,
                Delivery { url: system.orders_hook(), push, messages: 1, expected: Expected::Refusal },
            );
        }
    }
    played.received = all.iter().map(|delivery| delivery.messages).sum();
    let genuine: u64 = all.iter().filter(|one| one.expected != Expected::Refusal).map(|one| one.messages).sum();
    played.duplicates = genuine - played.accepted;
    Ok(all)
}

fn insert(all: &mut Vec<Delivery>, dice: &mut fastrand::Rng, delivery: Delivery) {
    let place = dice.usize(..=all.len());
    all.insert(place, delivery);
}

impl Played {
    fn answered(&mut self, system: &System, delivery: &Delivery, answer: &Answer) -> Result<()> {
        self.latencies.push(answer.took);
        let right = match delivery.expected {
            Expected::Platform => system.platform.dialect().accepted(answer),
            Expected::Till => answer.status == 200,
            Expected::Refusal => answer.status == 401,
        };
        ensure!(right, "{} was answered with {answer}", delivery.url);
        if delivery.expected == Expected::Refusal {
            self.refused += delivery.messages;
        }
        Ok(())
    }

    /// The latency that `percent` of the webhooks did not exceed.
    pub fn latency(&self, percent: usize) -> Duration {
        let index = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        self.latencies.get(index).copied().unwrap_or_default()
    }
}
