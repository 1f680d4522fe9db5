//! How long it takes until something serves: an instance, and the whole application.

use std::time::Duration;

use anyhow::Result;
use http::StatusCode;
use siyu_tests::host::{Host, Setup};
use siyu_tests::load::{self, Shape};
use siyu_tests::manifest;
use siyu_tests::marketplace::doudian::Doudian;
use siyu_tests::marketplace::server::Server;
use siyu_tests::system::configured;

use crate::figures::{Figures, millis};
use crate::hello;
use crate::measure::{Effort, address, median};

/// What is aimed at.
const AIM_INSTANCE: Duration = Duration::from_millis(1);
const AIM_WARM: Duration = Duration::from_secs(1);

/// Measure instance and application.
///
/// # Errors
/// When the host does not start.
pub async fn measure(effort: &Effort, figures: &mut Figures) -> Result<()> {
    eprintln!("==> start");
    let instance = instance(effort).await?;
    figures.single("start of an instance, and its end", micros(instance), "µs");
    figures.aim("start of an instance", "< 1 ms", millis(instance), instance < AIM_INSTANCE);

    let platform = Server::start(Doudian).await?;
    let setup = configured(&platform);
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..effort.repeats {
        let state = tempfile::tempdir()?;
        cold.push(started_in(&setup, state.path()).await?);
        warm.push(started_in(&setup, state.path()).await?);
    }
    let (cold, warm) = (median(cold, |time| *time)?, median(warm, |time| *time)?);
    figures.single("start of the application, cold", micros(cold), "µs");
    figures.single("start of the application, warm cache", micros(warm), "µs");
    figures.aim("start with a warm cache", "< 1 s", millis(warm), warm < AIM_WARM);
    Ok(())
}

async fn started_in(setup: &Setup, state: &std::path::Path) -> Result<Duration> {
    let host = Host::start(setup, state)?;
    let time = host.started_in();
    host.stop().await?;
    Ok(time)
}

/// What a new instance for every request adds to a request, one after the other.
async fn instance(effort: &Effort) -> Result<Duration> {
    let mut medians = Vec::new();
    for flags in [&[][..], &["--max-requests-per-instance", "1"]] {
        let state = tempfile::tempdir()?;
        let setup = Setup::of_manifest(manifest::guest(state.path())?).flags(flags);
        let host = Host::start_warm(&setup, state.path()).await?;
        let shape = Shape { connections: 1, ..effort.shape() };
        let measured = load::run(address(host.url())?, shape, StatusCode::OK, hello::requests()).await?;
        medians.push(measured.percentile(50));
    }
    let [reused, new] = medians[..] else { return Ok(Duration::ZERO) };
    Ok(new.saturating_sub(reused))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
