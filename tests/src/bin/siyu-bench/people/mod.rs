//! Customers and tagging, at a small and at a large number of customers.
//!
//! The customers are grown natively by the functions' own code from generated events (seeded), half of them with a paid order, under 200 rules
//! and a segment of three conditions. Then the application is started on that state, with the host's ticks and nudges, and spoken to over HTTP.

mod grow;
mod state;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use siyu_tests::host::{Host, Setup};
use siyu_tests::http::Client;
use siyu_tests::standard_webhooks;
use siyu_tests::system::{API_TOKEN, DATA_KEY, DATABASE, WEBHOOK_SECRET, fresh_state};

use crate::figures::{Figures, millis};
use grow::Grown;
use state::State;

/// Rules at work.
pub const RULES: u32 = 200;
/// Events a webhook.
const BATCH: u64 = 200;
/// Aims of the issue.
const AIM_GROWTH_PERCENT: u128 = 130;
const AIM_COUNT: Duration = Duration::from_millis(300);
const AIM_PORTRAIT: Duration = Duration::from_millis(20);
const AIM_TAG: Duration = Duration::from_millis(250);

/// Measure with so many customers, then with so many.
///
/// # Errors
/// When something is refused, or takes too long.
pub async fn measure(sizes: [u64; 2], figures: &mut Figures) -> Result<()> {
    let mut costs = Vec::new();
    for (place, customers) in sizes.into_iter().enumerate() {
        eprintln!("==> {customers} customers: growing");
        let folder = fresh_state()?;
        let grown = grow::grow(&folder.path().join(DATABASE), customers).await?;
        let setup = Setup::application()
            .variable("webhook_secret", WEBHOOK_SECRET)
            .variable("data_key", DATA_KEY)
            .variable("api_token", API_TOKEN);
        let host = Host::start(&setup, folder.path())?;
        let bench =
            Bench { host, client: Client::new(), state: State::open(&folder.path().join(DATABASE))?, grown, customers };
        let names = NAMES[place];
        figures.single(names[0], bench.state.bytes()? / customers, "bytes");
        let tagged = bench.tagged().await?;
        figures.single(names[1], per_second(TAGGED, tagged), "events/s");
        costs.push(tagged);
        figures.single(names[2], per_second(MERGED, bench.merged().await?), "merges/s");
        let count = bench.latency(100, |bench, _| format!("/v1/segments/{}", bench.grown.segment)).await?;
        let portrait = bench.latency(300, |bench, number| bench.grown.customer(number)).await?;
        let tag = bench.time_to_tag().await?;
        if place == 1 {
            figures.aim("segment of three conditions counted, p99", "< 300 ms", millis(count), count < AIM_COUNT);
            figures.aim("customer from all sides, p99", "< 20 ms", millis(portrait), portrait < AIM_PORTRAIT);
            figures.aim("webhook to tag at 200 events/s, p99", "< 250 ms", millis(tag), tag < AIM_TAG);
        }
        bench.host.stop().await?;
    }
    let [small, large] = costs.as_slice() else { return Ok(()) };
    let percent = large.as_micros() * 100 / small.as_micros().max(1);
    let shown = format!("{percent} %");
    figures.aim("cost of an event, large of small", "≤ 130 %", shown, percent <= AIM_GROWTH_PERCENT);
    Ok(())
}

/// The names of the single figures, few customers and many.
const NAMES: [[&str; 3]; 2] = [
    ["disk a customer, few customers", "events tagged, 200 rules, few customers", "identities merged, few customers"],
    [
        "disk a customer, many customers",
        "events tagged, 200 rules, many customers",
        "identities merged, many customers",
    ],
];
const TAGGED: u64 = 6_000;
const MERGED: u64 = 600;

fn per_second(count: u64, took: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1_000_000 / took.as_micros().max(1)).unwrap_or(u64::MAX)
}

struct Bench {
    host: Host,
    client: Client,
    state: State,
    grown: Grown,
    customers: u64,
}

impl Bench {
    /// How long it takes until `TAGGED` views of customers who are known are tagged.
    async fn tagged(&self) -> Result<Duration> {
        let start = Instant::now();
        for batch in 0..TAGGED / BATCH {
            let view = |number: u64| {
                let number = batch * BATCH + number;
                self.view(&format!("t-{number}"), self.by_unionid(number.wrapping_mul(7_919)))
            };
            self.tell(&format!("t-{batch}"), &(0..BATCH).map(view).collect::<Vec<_>>()).await?;
        }
        self.settled(start).await
    }

    /// How long it takes until `MERGED` pairs of customers have become one.
    async fn merged(&self) -> Result<Duration> {
        let before = self.state.merges()?;
        let start = Instant::now();
        for batch in 0..MERGED / BATCH {
            let pair = |number: u64| {
                let number = batch * BATCH + number;
                let mut event = self.view(&format!("m-{number}"), 2 * number);
                let other = grow::identity(2 * number + 1);
                if let Some(identities) = event["data"]["who"]["identities"].as_array_mut() {
                    // Another open platform's unionid would be a conflict: the other's device it is.
                    identities.push(json!({ "kind": "source_id", "scope": "grown", "value": other }));
                }
                event
            };
            self.tell(&format!("m-{batch}"), &(0..BATCH).map(pair).collect::<Vec<_>>()).await?;
        }
        let took = self.settled(start).await?;
        let merged = self.state.merges()? - before;
        ensure!(merged == MERGED, "{merged} of {MERGED} pairs were merged");
        Ok(took)
    }

    /// The latency of GETs that 99 of 100 do not exceed, one after the other.
    async fn latency(&self, count: u64, path: impl Fn(&Self, u64) -> String) -> Result<Duration> {
        let client = self.client.clone().with_token(API_TOKEN);
        let mut latencies = Histogram::<u64>::new(3)?;
        for number in 0..count {
            let answer = client.get(&self.host.at(&path(self, number))).await?;
            ensure!(answer.status == 200, "{answer}");
            latencies.record(u64::try_from(answer.took.as_micros())?)?;
        }
        Ok(Duration::from_micros(latencies.value_at_quantile(0.99)))
    }

    /// From a webhook to the tag that it gives, which 99 of 100 do not exceed, at 200 events a second for five seconds.
    async fn time_to_tag(&self) -> Result<Duration> {
        let after = self.state.head()?;
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        for batch in 0..100 {
            ticks.tick().await;
            let follow = |place: u64| {
                let mut event = self.view(&format!("f-{batch}-{place}"), self.by_unionid(batch * 10 + place));
                event["type"] = json!("account.followed");
                event["data"]["what"] = json!({ "account": "gh_bench" });
                event
            };
            self.tell(&format!("f-{batch}"), &(0..10).map(follow).collect::<Vec<_>>()).await?;
        }
        self.settled(Instant::now()).await?;
        let mut times = Histogram::<u64>::new(3)?;
        for millis in self.state.times_to_tag(after)? {
            times.record(millis)?;
        }
        ensure!(times.len() > 900, "{} of 1000 events gave their tag", times.len());
        Ok(Duration::from_millis(times.value_at_quantile(0.99)))
    }

    /// One of those who are known by a unionid.
    fn by_unionid(&self, number: u64) -> u64 {
        2 * (number % (self.customers / 2))
    }

    fn view(&self, id: &str, customer: u64) -> Value {
        let who =
            json!({ "identities": [{ "kind": "wechat_union_id", "scope": null, "value": grow::identity(customer) }] });
        let what = json!({ "product": format!("P-{}", customer % 100), "dwell_ms": 1_200 });
        json!({ "specversion": "1.0", "id": id, "source": "bench", "type": "page.viewed", "data": { "who": who, "what": what } })
    }

    async fn tell(&self, id: &str, events: &[Value]) -> Result<()> {
        let body = json!(events).to_string().into_bytes();
        let headers = standard_webhooks::headers(WEBHOOK_SECRET, id, jiff::Timestamp::now().as_second(), &body)?;
        let answer = self.client.send("POST", &self.host.at("/hooks/events"), &headers, body).await?;
        ensure!(answer.status == 200, "{answer}");
        Ok(())
    }

    /// Since `start`, until every consumer stands at the head.
    async fn settled(&self, start: Instant) -> Result<Duration> {
        while !self.state.is_settled()? {
            ensure!(start.elapsed() < Duration::from_secs(300), "the consumers do not get to the head");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(start.elapsed())
    }
}
