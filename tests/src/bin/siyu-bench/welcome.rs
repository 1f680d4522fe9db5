//! People who scan a code at the simulated WeCom, several a second: how long each callback takes to become the call with its welcome.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::system::System;
use siyu_tests::wechat::people::Person;

use crate::figures::{Figures, millis};
use crate::measure::Effort;

/// Between two people: twenty a second.
const PACE: Duration = Duration::from_millis(50);
/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// The aim of the issue.
const AIM: Duration = Duration::from_millis(500);

/// Measure for as long as a run of load lasts, `effort.rounds` times over.
///
/// # Errors
/// When somebody is not welcomed.
pub async fn measure(effort: &Effort, figures: &mut Figures) -> Result<()> {
    eprintln!("==> welcome");
    let system = System::start().await?;
    system.wecom.verify_url().await?;
    let state = code(&system).await?;
    let rounds = u32::try_from(effort.rounds)?;
    let people = (effort.duration * rounds).as_millis() / PACE.as_millis();
    let mut ticks = tokio::time::interval(PACE);
    for number in 0..people {
        ticks.tick().await;
        system.wecom.scan(&state, &Person::new(&number.to_string()))?;
        system.wecom.deliver(&Mishaps::NONE).await?;
    }
    let all = async |system: &System| {
        let sent = system.wecom.all_welcomes().len();
        Ok((u128::try_from(sent)? >= people).then_some(()))
    };
    system.wait_for("everybody to be welcomed", PATIENCE, all).await?;
    let sent = system.wecom.all_welcomes().len();
    ensure!(u128::try_from(sent)? == people, "{sent} welcomes for {people} people");
    let at = |percent| system.wecom.welcome_percentile(percent).context("nobody was welcomed");
    let (median, late) = (at(50)?, at(99)?);
    figures.single("callback to welcome, 20 people/s, p50", u64::try_from(median.as_millis())?, "ms");
    figures.aim("callback to welcome, 20 people/s, p99", "< 500 ms", millis(late), late < AIM);
    Ok(())
}

/// A code of twenty staff, once WeCom has made it.
async fn code(system: &System) -> Result<String> {
    let call = async |method: &str, path: &str, body: &Value| -> Result<Value> {
        let answer = system.client.json(method, &system.host.at(path), body).await?;
        ensure!(answer.status.is_success(), "{method} {path}: {answer}");
        Ok(answer.json().unwrap_or(Value::Null))
    };
    call("PUT", "/v1/channels/bench", &json!({ "label": "Bench" })).await?;
    let members: Vec<_> = (1..=20).map(|number| json!({ "staff": format!("staff-{number:02}") })).collect();
    let plan = json!({
        "reception": { "staff": [{ "from": "00:00", "until": "24:00", "members": members }] },
        "welcome": { "default": { "text": "你好{customer}，我是{staff}" } },
    });
    let new = json!({ "channel": "bench", "kind": "contact_way", "name": "Bench", "plan": plan });
    let made = call("POST", "/v1/channel-codes", &new).await?;
    let path = format!("/v1/channel-codes/{}", made["id"].as_str().context("a code without id")?);
    let ready = async |system: &System| {
        let answer = system.client.get(&system.host.at(&path)).await?;
        let found: Value = answer.json()?;
        Ok(found["state"].as_str().filter(|_| found["status"] == "ready").map(str::to_owned))
    };
    system.wait_for("WeCom to make the code", PATIENCE, ready).await
}
