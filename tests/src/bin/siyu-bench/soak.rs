//! Half an hour at 70 % of what the whole application does: whether memory, latency and the log of writes stay as they are, while old events are archived.
//!
//! Members buy at tills, each sale a signed message that orders, customers, tagging and channels consume. What the application does is measured first: as many sales as
//! can be sent without consumers falling behind.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use siyu_tests::archive::Archive;
use siyu_tests::check::Books;
use siyu_tests::database::{is_settled_in, number_in};
use siyu_tests::merchant::tills::Sale;
use siyu_tests::system::{DATABASE, System};
use siyu_tests::table::{Table, thousands};
use tokio::task::JoinSet;

use crate::figures::{Figures, millis};

/// Messages at the same time.
const TOGETHER: usize = 16;
/// Whoever lags by more events holds up the senders while the capacity is measured.
const BEHIND: i64 = 2_000;
/// How many members buy.
const MEMBERS: u64 = 5_000;
/// Of the capacity.
const PERCENT: u64 = 70;
/// Parts of the time that are told apart.
const PARTS: u32 = 6;
/// Events at once.
const BATCH: u32 = 1_000;
/// What it may grow from the second part to the last, in percent.
const AIM_MEMORY: u64 = 110;
const AIM_LATENCY: u64 = 150;
/// The log of writes is moved into the database by 32 MB; readers may hold that up for a while.
const AIM_WAL: u64 = 128 * 1024 * 1024;

/// What a part of the time was like.
struct Part {
    sales: u64,
    latency: Histogram<u64>,
    resident_kb: u64,
    wal: u64,
    behind: i64,
    archived: usize,
}

/// Measure the capacity for a sixth of `length`, then sell for `length`.
///
/// # Errors
/// When a sale is refused, or the books do not hold at the end.
pub async fn measure(length: Duration, figures: &mut Figures) -> Result<()> {
    eprintln!("==> soak: {length:?} at {PERCENT} % of the capacity");
    let (system, numbers) = (System::start().await?, AtomicU64::new(0));
    let warm_up = length / PARTS;
    let capacity = capacity(&system, &numbers, warm_up).await?;
    let rate = (capacity * PERCENT / 100).max(1);
    eprintln!("    {capacity} sales/s can be done, {rate} are");
    let archive = tempfile::tempdir()?;
    let archive = archive.path().join("events.db");
    let mut parts = Vec::new();
    for part in 1..=PARTS {
        let mut found = sell(&system, &numbers, length / PARTS, rate).await?;
        found.archived = archived(system.state().join(DATABASE), archive.clone()).await?;
        eprintln!("    {part} of {PARTS}: {} sales, p99 {}", found.sales, millis(at(&found.latency, 99.0)));
        parts.push(found);
    }
    let settled = async |system: &System| Ok(is_settled_in(system.state())?.then_some(()));
    system.wait_for("the log to be consumed", warm_up.max(Duration::from_secs(60)), settled).await?;
    let wrong = Books::open_with(&system.state().join(DATABASE), Some(&archive))?.violations()?;
    ensure!(wrong.is_empty(), "{:?}", wrong.iter().map(|found| found.what).collect::<Vec<_>>());
    println!("{}", table(&parts));
    judge(&parts, capacity, figures);
    Ok(())
}

fn judge(parts: &[Part], capacity: u64, figures: &mut Figures) {
    figures.single("sales that are sent and consumed at most", capacity, "/s");
    let [_, second, .., last] = parts else { return };
    let grown = last.resident_kb * 100 / second.resident_kb.max(1);
    let aim = "memory, last part of the second";
    figures.aim(aim, format!("≤ {AIM_MEMORY} %"), format!("{grown} %"), grown <= AIM_MEMORY);
    let (before, after) = (second.latency.value_at_quantile(0.99), last.latency.value_at_quantile(0.99));
    let slower = after * 100 / before.max(1);
    let aim = "p99, last part of the second";
    figures.aim(aim, format!("≤ {AIM_LATENCY} %"), format!("{slower} %"), slower <= AIM_LATENCY);
    let wal = parts.iter().map(|part| part.wal).max().unwrap_or(0);
    figures.aim("log of writes", "≤ 128 MB", format!("{} MB", wal >> 20), wal <= AIM_WAL);
}

/// Sales a second that are sent and consumed, nobody falling behind.
async fn capacity(system: &System, numbers: &AtomicU64, length: Duration) -> Result<u64> {
    let begin = Instant::now();
    let mut sending = JoinSet::new();
    let mut sold = 0_u64;
    while begin.elapsed() < length {
        while sending.len() < TOGETHER {
            sending.spawn(sale(system, numbers)?);
        }
        taken(sending.join_next().await)?;
        sold += 1;
        if sold.is_multiple_of(64) {
            while behind(system.state())? > BEHIND && begin.elapsed() < length {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    while let Some(answer) = sending.join_next().await {
        taken(Some(answer))?;
        sold += 1;
    }
    let settled = async |system: &System| Ok((behind(system.state())? == 0).then_some(()));
    system.wait_for("the log to be consumed", length.max(Duration::from_secs(60)), settled).await?;
    let millis = u64::try_from(begin.elapsed().as_millis())?.max(1);
    Ok(sold * 1_000 / millis)
}

/// Sells so many a second.
async fn sell(system: &System, numbers: &AtomicU64, length: Duration, rate: u64) -> Result<Part> {
    let begin = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_nanos(1_000_000_000 / rate));
    let (mut sending, mut latency) = (JoinSet::new(), Histogram::new_with_bounds(1, 60_000_000, 3)?);
    let (mut sales, mut wal, mut resident_kb) = (0_u64, 0, 0);
    while begin.elapsed() < length {
        ticks.tick().await;
        sending.spawn(sale(system, numbers)?);
        while sending.len() >= TOGETHER {
            latency.record(taken(sending.join_next().await)?)?;
        }
        while let Some(answer) = sending.try_join_next() {
            latency.record(taken(Some(answer))?)?;
        }
        sales += 1;
        if sales.is_multiple_of(rate) {
            wal = wal.max(size(&system.state().join(format!("{DATABASE}-wal"))));
            resident_kb = resident_kb.max(system.host.resident_kb()?);
        }
    }
    while let Some(answer) = sending.join_next().await {
        latency.record(taken(Some(answer))?)?;
    }
    Ok(Part { sales, latency, resident_kb, wal, behind: behind(system.state())?, archived: 0 })
}

/// A member's next sale, and how long it takes to be answered, in microseconds.
fn sale(system: &System, numbers: &AtomicU64) -> Result<impl Future<Output = Result<u64>> + use<>> {
    let number = numbers.fetch_add(1, Ordering::Relaxed);
    let at = jiff::Timestamp::now().as_second();
    let sale = Sale {
        shop_id: "S-001".to_owned(),
        order_id: format!("POS-{number}"),
        at,
        lines: vec![("TEA-1".to_owned(), "测试茶".to_owned(), 1, 1_990)],
        member_card: Some(format!("测试会员-{}", number % MEMBERS)),
        phone: None,
    };
    let (headers, body) = sale.message("paid", at)?.signed(siyu_tests::system::WEBHOOK_SECRET, at)?;
    let (client, url) = (system.client.clone(), system.orders_hook());
    Ok(async move {
        let begin = Instant::now();
        let answer = client.send("POST", &url, &headers, body).await?;
        ensure!(answer.status == 200, "{answer}");
        Ok(u64::try_from(begin.elapsed().as_micros())?)
    })
}

fn taken(answer: Option<Result<Result<u64>, tokio::task::JoinError>>) -> Result<u64> {
    answer.context("nothing was sent")?.context("a sale's task failed")?
}

fn behind(state: &Path) -> Result<i64> {
    number_in(state, "select coalesce((select max(seq) from event), 0) - min(seq) from consumer")
}

/// Moves what is older than the newest event, and read by all.
async fn archived(database: std::path::PathBuf, archive: std::path::PathBuf) -> Result<usize> {
    tokio::task::spawn_blocking(move || Archive::open(&database, &archive, 0)?.run(BATCH)).await?
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}

fn at(latency: &Histogram<u64>, percent: f64) -> Duration {
    Duration::from_micros(latency.value_at_percentile(percent))
}

fn table(parts: &[Part]) -> Table {
    let mut table =
        Table::new(&["part", "sales", "p50", "p99", "memory", "log of writes", "events behind", "archived"]);
    for (number, part) in (1..).zip(parts) {
        table.row(&[
            thousands(number),
            thousands(part.sales),
            millis(at(&part.latency, 50.0)),
            millis(at(&part.latency, 99.0)),
            format!("{} MB", part.resident_kb / 1024),
            format!("{} MB", part.wal >> 20),
            part.behind.to_string(),
            part.archived.to_string(),
        ]);
    }
    table
}
