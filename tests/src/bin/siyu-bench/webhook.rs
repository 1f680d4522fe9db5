//! A durable, signed Doudian webhook: the host against the same router natively.
//!
//! Each request carries one "paid" message about an order of its own. The host runs the one component only: the courier
//! and the pump would take part on one side alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use http::Request;
use http_body_util::Full;
use serde_json::json;
use siyu_tests::host::{Host, Setup};
use siyu_tests::load::MakeRequest;
use siyu_tests::manifest;
use siyu_tests::marketplace::dialect::{App, Dialect};
use siyu_tests::marketplace::doudian::Doudian;
use siyu_tests::marketplace::push::Message;
use siyu_tests::system::{API_TOKEN, DATA_KEY, WEBHOOK_SECRET};

use crate::figures::{Figures, millis};
use crate::measure::{Effort, Target, address, compare};
use crate::native::Server;

/// As the function itself has it (`kit`): writes in one transaction at most.
const GROUP: usize = 256;
/// What is aimed at.
const AIM_OF_NATIVE_PERCENT: u64 = 60;
const AIM_TIMES_SINGLE: u64 = 2;
const AIM_P99: Duration = Duration::from_millis(20);
const AIM_MEMORY_KB: u64 = 150 * 1024;

/// Measure all three, turn about.
///
/// # Errors
/// When one of them fails.
pub async fn measure(effort: &Effort, figures: &mut Figures) -> Result<()> {
    eprintln!("==> durable webhook");
    let state = tempfile::tempdir()?;
    let app = Doudian.app();
    let setup = Setup::of_manifest(manifest::only("orders", state.path())?)
        .variable("douyin_app_key", &app.key)
        .variable("douyin_app_secret", &app.secret)
        .variable("webhook_secret", WEBHOOK_SECRET)
        .variable("data_key", DATA_KEY)
        .variable("api_token", API_TOKEN);
    let host = Host::start_warm(&setup, state.path()).await?;
    let group = Server::orders(state.path(), GROUP)?;
    let single = Server::orders(state.path(), 1)?;
    let target = |name, pid, address| Target { name, pid, address, requests: requests(&app) };
    let targets = [
        target("webhook, native, one transaction per request", single.pid(), single.address),
        target("webhook, native, group commit", group.pid(), group.address),
        target("webhook, host", host.pid(), address(host.url())?),
    ];
    let runs = compare(effort, &targets).await?;
    let peaks = [single.peak_kb()?, group.peak_kb()?, host.peak_kb()?];
    for ((target, run), peak) in targets.iter().zip(&runs).zip(peaks) {
        figures.load(target.name, run, peak);
    }
    let [single, group, host] = [0, 1, 2].map(|index: usize| &runs[index].measured);
    let rate = host.per_second();
    let percent = rate * 100 / group.per_second().max(1);
    let reached = percent >= AIM_OF_NATIVE_PERCENT;
    figures.aim("host of native group commit", "≥ 60 %", format!("{percent} %"), reached);
    let tenths = rate * 10 / single.per_second().max(1);
    let reached = tenths >= AIM_TIMES_SINGLE * 10;
    figures.aim(
        "host of native, one per request",
        "≥ 2.0 times",
        format!("{}.{} times", tenths / 10, tenths % 10),
        reached,
    );
    let p99 = host.percentile(99);
    figures.aim("p99 of the host", "< 20 ms", millis(p99), p99 < AIM_P99);
    let peak = peaks[2];
    figures.aim("memory under load", "< 150 MB", format!("{} MB", peak / 1024), peak < AIM_MEMORY_KB);
    Ok(())
}

/// Signed pushes, each about a new order. One counter per target: rounds go on where the last one ended.
fn requests(app: &App) -> MakeRequest {
    let app = app.clone();
    let numbers = AtomicU64::new(0);
    Arc::new(move |_| {
        let number = numbers.fetch_add(1, Ordering::Relaxed);
        let order = 6_917_529_027_641_081_856 + number;
        let data = json!({
            "p_id": order, "s_ids": [order + 1], "shop_id": 4_463_798, "order_status": 2, "order_type": 0, "biz": 2,
            "create_time": 1_790_000_000, "pay_time": 1_790_000_060, "pay_type": 2, "pay_amount": 1990,
        });
        let message = Message { kind: "101".to_owned(), id: format!("{order}:101"), content: data };
        let push = Doudian.push(&app, &[message], 0)?;
        let mut request = Request::post("/hooks/douyin").body(Full::from(push.body))?;
        *request.headers_mut() = push.headers;
        request.headers_mut().insert("host", "bench".parse()?);
        Ok(request)
    })
}
