//! The host's own cost: a component that says hello, against hyper that says hello.

use std::sync::Arc;

use anyhow::Result;
use http::Request;
use http_body_util::Full;
use siyu_tests::host::{Host, Setup};
use siyu_tests::load::MakeRequest;
use siyu_tests::manifest;

use crate::figures::Figures;
use crate::measure::{Effort, Target, address, compare};
use crate::native::Server;

/// Measure both, turn about.
///
/// # Errors
/// When one of them fails.
pub async fn measure(effort: &Effort, figures: &mut Figures) -> Result<()> {
    eprintln!("==> hello");
    let state = tempfile::tempdir()?;
    let host = Host::start_warm(&Setup::of_manifest(manifest::guest(state.path())?), state.path()).await?;
    let native = Server::hello()?;
    let targets = [
        Target { name: "hello, native hyper", pid: native.pid(), address: native.address, requests: requests() },
        Target { name: "hello, host", pid: host.pid(), address: address(host.url())?, requests: requests() },
    ];
    let runs = compare(effort, &targets).await?;
    for ((target, run), peak) in targets.iter().zip(&runs).zip([native.peak_kb()?, host.peak_kb()?]) {
        figures.load(target.name, run, peak);
    }
    Ok(())
}

/// `GET /hello`.
pub fn requests() -> MakeRequest {
    Arc::new(|_| Ok(Request::get("/hello").header("host", "bench").body(Full::default())?))
}
