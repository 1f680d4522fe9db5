//! What became of the morning: the application's own figures, beside the books of those who sent it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use siyu_tests::merchant::Books;
use siyu_tests::system::System;
use siyu_tests::table::{Table, thousands, yuan};

use crate::play::Played;

/// The figures.
pub struct Report {
    played: Played,
    /// What the application says.
    found: Books,
    /// Orders whose full record the application has not got.
    incomplete: u64,
    events: BTreeMap<String, u64>,
    /// From the last answer until the books agreed and every record was there.
    settled_in: Duration,
}

impl Report {
    /// Wait until the application has every order's full record and its books agree with the senders', or patience ends; then
    /// count.
    ///
    /// # Errors
    /// When the application cannot be asked.
    pub async fn settled(system: &System, played: Played, patience: Duration) -> Result<Self> {
        let start = Instant::now();
        let (mut found, mut incomplete) = books(system).await?;
        while (found != played.books || incomplete > 0) && start.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (found, incomplete) = books(system).await?;
        }
        let settled_in = start.elapsed();
        let mut log = system.events().await?;
        // The last outcomes of calls are still on their way into the log.
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let longer = system.events().await?;
            if longer.len() == log.len() || start.elapsed() > patience {
                break;
            }
            log = longer;
        }
        let mut events = BTreeMap::new();
        for event in log {
            let kind = event["type"].as_str().context("an event without type")?;
            *events.entry(kind.to_owned()).or_default() += 1;
        }
        Ok(Self { played, found, incomplete, events, settled_in })
    }

    /// Whether the application's books are the senders' books, from full records.
    pub fn agrees(&self) -> bool {
        self.found == self.played.books && self.incomplete == 0
    }

    /// The figures as JSON. Amounts are fen, times are microseconds.
    pub fn json(&self) -> Value {
        let books = |books: &Books| json!({"orders": books.orders, "paid": books.paid, "refunded": books.refunded, "revenue": books.revenue()});
        let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        json!({
            "messages": {
                "received": self.played.received,
                "accepted": self.played.accepted,
                "duplicates": self.played.duplicates,
                "refused": self.played.refused,
            },
            "application": books(&self.found),
            "senders": books(&self.played.books),
            "without_full_record": self.incomplete,
            "agrees": self.agrees(),
            "events": self.events,
            "latency_us": {"p50": micros(self.played.latency(50)), "p99": micros(self.played.latency(99))},
            "played_in_us": micros(self.played.took),
            "settled_in_us": micros(self.settled_in),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let played = &self.played;
        let mut messages = Table::new(&["webhook messages", ""]);
        messages.row(&["received", &thousands(played.received)]);
        messages.row(&["accepted", &thousands(played.accepted)]);
        messages.row(&["duplicates", &thousands(played.duplicates)]);
        messages.row(&["refused (forged or too old)", &thousands(played.refused)]);
        writeln!(f, "{messages}")?;

        let mut orders = Table::new(&["orders", "application", "senders' books"]);
        let count = |books: &Books, status: &str| thousands(books.orders.get(status).copied().unwrap_or(0));
        for status in ["created", "paid", "partly_shipped", "shipped", "signed", "completed", "closed"] {
            if self.found.orders.contains_key(status) || played.books.orders.contains_key(status) {
                orders.row(&[status.to_owned(), count(&self.found, status), count(&played.books, status)]);
            }
        }
        for (name, here, there) in [
            ("paid, yuan", self.found.paid, played.books.paid),
            ("refunded, yuan", self.found.refunded, played.books.refunded),
            ("revenue, yuan", self.found.revenue(), played.books.revenue()),
        ] {
            orders.row(&[name.to_owned(), yuan(here), yuan(there)]);
        }
        if self.incomplete > 0 {
            orders.row(&["without full record".to_owned(), thousands(self.incomplete), thousands(0)]);
        }
        writeln!(f, "{orders}")?;

        let mut events = Table::new(&["events", ""]);
        for (kind, count) in &self.events {
            events.row(&[kind.clone(), thousands(*count)]);
        }
        writeln!(f, "{events}")?;

        let mut times = Table::new(&["time", ""]);
        times.row(&["webhook answered, p50", &millis(played.latency(50))]);
        times.row(&["webhook answered, p99", &millis(played.latency(99))]);
        times.row(&["all answered", &millis(played.took)]);
        times.row(&["all records fetched, after that", &millis(self.settled_in)]);
        writeln!(f, "{times}")?;
        let verdict = if self.agrees() { "The books agree to the fen." } else { "THE BOOKS DO NOT AGREE." };
        writeln!(f, "  {verdict}")
    }
}

/// The application's books, by its API: orders by status, what was paid, what went back; and how many full records are missing.
async fn books(system: &System) -> Result<(Books, u64)> {
    let mut books = Books::default();
    let mut incomplete = 0;
    for order in system.orders().await? {
        incomplete += u64::from(order["complete"] != true);
        let status = order["status"].as_str().context("an order without status")?;
        books.order(status, order["paid"].as_i64().unwrap_or(0));
        let id = order["id"].as_str().context("an order without id")?;
        let answer = system.client.get(&system.host.at(&format!("/v1/orders/{id}"))).await?;
        ensure!(answer.status == 200, "order {id}: {answer}");
        for refund in answer.json()?["refunds"].as_array().context("an order without refunds")? {
            if refund["status"] == "refunded" {
                books.refunded += refund["claim"]["amount"].as_i64().unwrap_or(0);
            }
        }
    }
    Ok((books, incomplete))
}

fn millis(duration: Duration) -> String {
    format!("{}.{} ms", duration.as_millis(), duration.as_micros() % 1000 / 100)
}
