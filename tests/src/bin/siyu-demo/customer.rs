//! One person who is met on five channels, and what the application makes of her: one customer, with tags and the reasons for them.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use siyu_tests::person;
use siyu_tests::system::System;
use siyu_tests::table::{Table, yuan};

/// How long WeCom lets a welcome code live.
const LIFE: Duration = Duration::from_secs(20);

/// What was found.
pub struct Person {
    found: Option<Value>,
    took: Duration,
    /// From the callback until the welcome came to the simulated WeCom.
    welcome: Option<Duration>,
    /// What the code at the store's door brought.
    roi: Option<Value>,
}

/// Play her way through the channels, and wait until the application knows her.
///
/// # Errors
/// When something is not taken.
pub async fn play(system: &System, patience: Duration) -> Result<Person> {
    let taobao = system.others.iter().find(|server| server.dialect().name() == "taobao").context("no Taobao")?;
    person::prepare(system).await?;
    person::play(system, taobao).await?;
    let start = Instant::now();
    loop {
        let found = person::found(system).await?;
        let welcome = system.wecom.welcomes(&person::her()).first().map(|welcome| welcome.after);
        let mut person = Person { found, took: start.elapsed(), welcome, roi: None };
        if person.is_known() || person.took > patience {
            person.roi = person::roi(system).await?;
            return Ok(person);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

impl Person {
    /// Whether she is one customer with all her orders and tags.
    pub fn is_known(&self) -> bool {
        let Some(found) = &self.found else { return false };
        let mut tags: Vec<_> = self.tags().map(|tag| tag["name"].as_str().unwrap_or_default()).collect();
        tags.sort_unstable();
        found["orders"]["count"] == 2 && tags == person::TAGS && self.welcome.is_some_and(|after| after < LIFE)
    }

    fn tags(&self) -> impl Iterator<Item = &Value> {
        self.found.iter().flat_map(|found| found["tags"].as_array().into_iter().flatten())
    }

    /// Whether both her orders show in the return on what the door's code cost.
    pub fn pays_off(&self) -> bool {
        let paid = self.found.as_ref().map(|found| &found["orders"]["paid"]);
        self.roi.as_ref().is_some_and(|row| Some(&row["revenue"]) == paid && row["cost"] == person::COST)
    }

    /// What was found as JSON.
    pub fn json(&self) -> Value {
        serde_json::json!({ "is_known": self.is_known(), "pays_off": self.pays_off(), "customer": self.found, "roi": self.roi,
            "welcome_ms": self.welcome.map(|after| after.as_millis().to_string()) })
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(found) = &self.found else { return writeln!(f, "  SHE IS NOT ONE CUSTOMER.") };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut table = Table::new(&["one customer", ""]);
        let kinds = found["identities"].as_array().into_iter().flatten().map(|one| text(&one["kind"]));
        table.row(&["known by".to_owned(), kinds.collect::<Vec<_>>().join(", ")]);
        table.row(&["stage".to_owned(), text(&found["stage"])]);
        table.row(&["store, advisor".to_owned(), format!("{}, {}", text(&found["store"]), text(&found["advisor"]))]);
        table.row(&["orders".to_owned(), text(&found["orders"]["count"])]);
        table.row(&["paid, yuan".to_owned(), yuan(found["orders"]["paid"].as_i64().unwrap_or(0))]);
        if let Some(after) = self.welcome {
            table.row(&["welcomed at WeCom".to_owned(), format!("{} ms after the callback", after.as_millis())]);
        }
        writeln!(f, "{table}")?;
        if let Some(row) = &self.roi {
            let fen = |name: &str| yuan(row[name].as_i64().unwrap_or(0));
            let mut table = Table::new(&["store", "contacts", "orders", "revenue", "cost", "ROI"]);
            let orders = row["first_orders"].as_i64().unwrap_or(0) + row["repeat_orders"].as_i64().unwrap_or(0);
            table.row(&[
                text(&row["key"]),
                text(&row["adds"]),
                orders.to_string(),
                fen("revenue"),
                fen("cost"),
                text(&row["roi"]),
            ]);
            writeln!(f, "{table}")?;
        }
        let mut table = Table::new(&["tag", "because its rule saw"]);
        for tag in self.tags() {
            let seen = tag["reasons"][0]["seen"].as_array().into_iter().flatten();
            let seen =
                seen.map(|one| format!("{} {}: {}", text(&one["what"]), text(&one["wanted"]), text(&one["value"])));
            table.row(&[text(&tag["name"]), seen.collect::<Vec<_>>().join("; ")]);
        }
        writeln!(f, "{table}")?;
        let verdict = if self.is_known() && self.pays_off() {
            "She is one customer, with the right tags, and her orders are in the store's ROI"
        } else if self.is_known() {
            "SHE IS ONE CUSTOMER, BUT HER ORDERS ARE NOT IN THE STORE'S ROI"
        } else {
            "SHE IS NOT KNOWN AS SHE SHOULD BE"
        };
        writeln!(f, "  {verdict}, {} ms after the last news of her.", self.took.as_millis())
    }
}
