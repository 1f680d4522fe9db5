//! What an idle instance costs: a host with one of them, and with two hundred.

use anyhow::{Context, Result, ensure};
use siyu_tests::host::{Host, Setup};
use siyu_tests::http::Client;
use siyu_tests::manifest;
use tokio::task::JoinSet;

use crate::figures::Figures;

const INSTANCES: u64 = 200;

/// Start one instance, then two hundred by as many requests at once, one in each; then read the host's memory.
///
/// # Errors
/// When a request fails.
pub async fn measure(figures: &mut Figures) -> Result<()> {
    eprintln!("==> memory");
    let state = tempfile::tempdir()?;
    let count = INSTANCES.to_string();
    let flags = ["--instances", &count, "--max-requests-in-flight", "1", "--max-queue", &count];
    let setup = Setup::of_manifest(manifest::guest(state.path())?).flags(&flags);
    let host = Host::start_warm(&setup, state.path()).await?;
    let client = Client::new();
    ensure!(client.get(&host.at("/hello")).await?.status == 200, "the guest does not say hello");
    let one = host.resident_kb()?;
    let mut sleepers = JoinSet::new();
    for _ in 0..INSTANCES {
        let (client, url) = (client.clone(), host.at("/sleep?2000"));
        sleepers.spawn(async move { client.get(&url).await });
    }
    while let Some(answer) = sleepers.join_next().await {
        let answer = answer.context("a request's task failed")??;
        ensure!(answer.status == 200, "{answer}");
    }
    let many = host.resident_kb()?;
    figures.single("host with one instance", one, "kB");
    figures.single("host with 200 idle instances", many, "kB");
    figures.single("one idle instance", many.saturating_sub(one) / (INSTANCES - 1), "kB");
    Ok(())
}
