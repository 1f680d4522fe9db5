//! One person who is met on five channels, and what the application makes of her: one customer, with tags and the reasons for them.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use siyu_tests::person;
use siyu_tests::system::System;
use siyu_tests::table::{Table, yuan};

/// What was found.
pub struct Person {
    found: Option<Value>,
    took: Duration,
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
        let person = Person { found, took: start.elapsed() };
        if person.is_known() || person.took > patience {
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
        found["orders"]["count"] == 2 && tags == person::TAGS
    }

    fn tags(&self) -> impl Iterator<Item = &Value> {
        self.found.iter().flat_map(|found| found["tags"].as_array().into_iter().flatten())
    }

    /// What was found as JSON.
    pub fn json(&self) -> Value {
        serde_json::json!({ "is_known": self.is_known(), "customer": self.found })
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
        writeln!(f, "{table}")?;
        let mut table = Table::new(&["tag", "because its rule saw"]);
        for tag in self.tags() {
            let seen = tag["reasons"][0]["seen"].as_array().into_iter().flatten();
            let seen =
                seen.map(|one| format!("{} {}: {}", text(&one["what"]), text(&one["wanted"]), text(&one["value"])));
            table.row(&[text(&tag["name"]), seen.collect::<Vec<_>>().join("; ")]);
        }
        writeln!(f, "{table}")?;
        let verdict = if self.is_known() {
            "She is one customer, with the right tags"
        } else {
            "SHE IS NOT KNOWN AS SHE SHOULD BE"
        };
        writeln!(f, "  {verdict}, {} ms after the last news of her.", self.took.as_millis())
    }
}
