//! The chain's shops on the other marketplaces: connected, told of by push where the platform pushes, and pulled.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use siyu_tests::http::Client;
use siyu_tests::marketplace::dialect::Delivery;
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::marketplace::server::Server;
use siyu_tests::merchant::{Books, Morning, Ways};
use siyu_tests::system::System;
use siyu_tests::table::{Table, thousands, yuan};

/// What became of each platform's shop.
pub struct Shops {
    rows: Vec<Row>,
    /// From the first connection until all books agreed.
    took: Duration,
}

struct Row {
    platform: &'static str,
    told_by: &'static str,
    /// Orders of which every push was lost.
    unheard: u64,
    books: Books,
    found: Books,
    incomplete: u64,
}

/// Play a morning in each shop, with pushes lost, repeated and disordered, and wait until the application's books are the
/// platforms' own.
///
/// # Errors
/// When a shop cannot be connected, or a genuine push is not taken.
pub async fn play(system: &System, morning: &Morning, patience: Duration) -> Result<Shops> {
    let start = Instant::now();
    let client = Client::new();
    let mut rows = Vec::new();
    for (number, server) in (1..).zip(&system.others) {
        let morning = Morning { seed: morning.seed + number, ..*morning };
        server.shop(|shop| morning.live_room_where(shop, Ways::of(server.dialect())))?;
        system.connect(server).await?;
        let unheard = push(system, server, &client, morning.seed).await?;
        let told_by = match server.dialect().delivery() {
            Delivery::Push(_) => "push and pull",
            Delivery::Queue => "queue and pull",
            Delivery::None => "pull",
        };
        let platform = server.dialect().name();
        let (books, found) = (server.books(), Books::default());
        rows.push(Row { platform, told_by, unheard, books, found, incomplete: 0 });
    }
    let mut shops = Shops { rows, took: Duration::ZERO };
    loop {
        let mut found = found(system).await?;
        for row in &mut shops.rows {
            (row.found, row.incomplete) = found.remove(row.platform).unwrap_or_default();
        }
        shops.took = start.elapsed();
        if shops.agree() || shops.took > patience {
            return Ok(shops);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Pushes all messages but those of one order, some of them twice or out of order. Tells how many orders nobody heard of.
async fn push(system: &System, server: &Server, client: &Client, seed: u64) -> Result<u64> {
    if !matches!(server.dialect().delivery(), Delivery::Push(_)) {
        return Ok(0);
    }
    let lost =
        server.shop(|shop| shop.orders().next().map(|order| order.id.clone())).context("a shop without orders")?;
    let mishaps = Mishaps { seed, duplicated: 10, disordered: 20, batch: 5, ..Mishaps::NONE };
    let url = system.hook(server);
    for batch in server.deliveries(&mishaps) {
        let heard: Vec<_> = batch.into_iter().filter(|message| !message.content.to_string().contains(&lost)).collect();
        if heard.is_empty() {
            continue;
        }
        let answer = server.push(&heard)?.send(client, &url).await?;
        ensure!(server.dialect().accepted(&answer), "{url} was answered with {answer}");
    }
    Ok(1)
}

/// The application's books by platform, and how many full records are missing.
async fn found(system: &System) -> Result<BTreeMap<String, (Books, u64)>> {
    let mut found: BTreeMap<String, (Books, u64)> = BTreeMap::new();
    for order in system.orders().await? {
        let text = |field: &str| order[field].as_str().map(str::to_owned).with_context(|| format!("no {field}"));
        let (books, incomplete) = found.entry(text("platform")?).or_default();
        *incomplete += u64::from(order["complete"] != true);
        books.order(&text("status")?, order["paid"].as_i64().unwrap_or(0));
        let answer = system.client.get(&system.host.at(&format!("/v1/orders/{}", text("id")?))).await?;
        ensure!(answer.status == 200, "{answer}");
        for refund in answer.json()?["refunds"].as_array().context("an order without refunds")? {
            if refund["status"] == "refunded" {
                books.refunded += refund["claim"]["amount"].as_i64().unwrap_or(0);
            }
        }
    }
    Ok(found)
}

impl Shops {
    /// Whether the application's books of each platform are the platform's own, from full records.
    pub fn agree(&self) -> bool {
        self.rows.iter().all(Row::agrees)
    }

    /// The figures as JSON. Amounts are fen.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let books = |books: &Books| json!({"orders": books.orders, "paid": books.paid, "refunded": books.refunded, "revenue": books.revenue()});
            json!({
                "platform": row.platform, "told_by": row.told_by, "orders_never_pushed": row.unheard,
                "application": books(&row.found), "platform_books": books(&row.books), "agrees": row.agrees(),
            })
        });
        Value::Array(rows.collect())
    }
}

impl Row {
    fn agrees(&self) -> bool {
        self.found == self.books && self.incomplete == 0
    }
}

impl fmt::Display for Shops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "platform",
            "told by",
            "orders",
            "its books",
            "never pushed",
            "revenue, yuan",
            "its books",
            "",
        ]);
        let orders = |books: &Books| thousands(books.orders.values().sum());
        for row in &self.rows {
            table.row(&[
                row.platform.to_owned(),
                row.told_by.to_owned(),
                orders(&row.found),
                orders(&row.books),
                thousands(row.unheard),
                yuan(row.found.revenue()),
                yuan(row.books.revenue()),
                if row.agrees() { "agrees" } else { "DOES NOT AGREE" }.to_owned(),
            ]);
        }
        writeln!(f, "{table}")?;
        writeln!(f, "  all of them after {}.{} s", self.took.as_secs(), self.took.subsec_millis() / 100)
    }
}
