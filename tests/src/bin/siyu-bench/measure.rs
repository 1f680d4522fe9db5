//! Runs of equal load against several servers, turn about, so that what else the machine does meets all of them.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use http::StatusCode;
use siyu_tests::host::processor_time;
use siyu_tests::load::{self, MakeRequest, Measured, Shape};

/// Connections in all comparisons.
const CONNECTIONS: usize = 64;

/// How long and how often.
pub struct Effort {
    /// Runs of each server; the one with the median throughput counts.
    pub rounds: usize,
    /// Not measured, before each run.
    pub warm_up: Duration,
    /// Measured in each run.
    pub duration: Duration,
    /// Single things, such as starts, are done so often; the median counts.
    pub repeats: usize,
}

impl Effort {
    /// To compare with.
    pub const FULL: Self =
        Self { rounds: 3, warm_up: Duration::from_secs(2), duration: Duration::from_secs(8), repeats: 9 };
    /// To see that it works.
    pub const QUICK: Self =
        Self { rounds: 1, warm_up: Duration::from_millis(500), duration: Duration::from_secs(2), repeats: 3 };

    /// The shape of a comparison's load.
    pub fn shape(&self) -> Shape {
        Shape { connections: CONNECTIONS, warm_up: self.warm_up, duration: self.duration }
    }
}

/// A server under load.
pub struct Target {
    /// Its name in the table.
    pub name: &'static str,
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// The requests it gets. They are numbered over all rounds, and never repeat.
    pub requests: MakeRequest,
}

/// A run of one target.
pub struct Run {
    /// Throughput and latency.
    pub measured: Measured,
    /// Processor time of the server per request. Other work on the machine slows a server down, but hardly changes this.
    pub processor: Duration,
}

/// Load each target in turn, `effort.rounds` times; returns the run with the median throughput of each.
///
/// # Errors
/// When a request fails.
pub async fn compare(effort: &Effort, targets: &[Target]) -> Result<Vec<Run>> {
    let mut runs: Vec<Vec<Run>> = targets.iter().map(|_| Vec::new()).collect();
    for round in 1..=effort.rounds {
        for (target, runs) in targets.iter().zip(&mut runs) {
            let before = processor_time(target.pid)?;
            let measured = load::run(target.address, effort.shape(), StatusCode::OK, target.requests.clone()).await;
            let measured = measured.with_context(|| format!("under load: {}", target.name))?;
            eprintln!("    round {round}, {}: {}/s", target.name, measured.per_second());
            let taken = processor_time(target.pid)?.saturating_sub(before);
            let processor = taken / u32::try_from(measured.total.max(1))?;
            runs.push(Run { measured, processor });
        }
    }
    runs.into_iter().map(|runs| median(runs, |run| run.measured.per_second())).collect()
}

/// The middle one by `key`; of an even number the upper of the two in the middle.
///
/// # Errors
/// When there is none.
pub fn median<T, K: Ord>(mut items: Vec<T>, key: impl Fn(&T) -> K) -> Result<T> {
    items.sort_by_key(key);
    let middle = items.len() / 2;
    items.into_iter().nth(middle).context("nothing was measured")
}

/// The address in `http://ADDRESS`.
///
/// # Errors
/// When it is not of that form.
pub fn address(url: &str) -> Result<SocketAddr> {
    url.trim_start_matches("http://").parse().with_context(|| format!("{url} has no address"))
}
