//! `cargo xtask demo`: a signed morning of a tea chain, played over HTTP against the real host, and what became of it.
//!
//! A simulated Doudian platform and the stores' tills tell the application of orders: some twice, some in the wrong order,
//! some forged. Then the chain's shops on the other marketplaces are connected and their orders pushed and pulled, and one person is followed through five channels. At the end the application's books are held against the platform's and the tills' own, to the fen; the exit code
//! tells whether they agree.

mod customer;
mod play;
mod report;
mod shops;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use jiff::Timestamp;
use siyu_tests::check;
use siyu_tests::marketplace;
use siyu_tests::merchant::Morning;
use siyu_tests::system::{API_TOKEN, DATABASE, System};

use crate::report::Report;

/// How long the application may take to fetch all records and settle.
const PATIENCE: Duration = Duration::from_secs(120);

/// Play a signed morning of a tea chain against the embedded host, and print what became of it.
#[derive(Parser)]
#[command(name = "cargo xtask demo")]
struct Cli {
    /// End after the table; the exit code tells whether all books agree. Otherwise the application stays up to be tried.
    #[arg(long)]
    once: bool,
    /// Write the figures of the table to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Which morning: the same number gives the same orders and the same mishaps.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Orders from the live room.
    #[arg(long, default_value_t = 400, value_name = "N")]
    live_orders: u32,
    /// Orders in the shop on each of the other marketplaces.
    #[arg(long, default_value_t = 15, value_name = "N")]
    shop_orders: u32,
    /// Sales in the stores.
    #[arg(long, default_value_t = 300, value_name = "N")]
    store_orders: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    eprintln!("==> starting the simulated marketplaces and the host, on temporary state");
    let system = System::start_on(marketplace::others(), 1, |setup| setup).await?;
    let begins = Timestamp::now().as_second() - 3 * 3600;
    let morning = Morning { seed: cli.seed, live_orders: cli.live_orders, store_orders: cli.store_orders, begins };
    eprintln!("==> playing {} live-room orders and {} store sales", cli.live_orders, cli.store_orders);
    let played = play::morning(&system, &morning).await?;
    eprintln!("==> waiting until every record is fetched and every event is consumed");
    let report = Report::settled(&system, played, PATIENCE).await?;
    println!("\n{report}");
    eprintln!("==> connecting {} shops with {} orders each", system.others.len(), cli.shop_orders);
    let morning = Morning { live_orders: cli.shop_orders, ..morning };
    let shops = shops::play(&system, &morning, PATIENCE).await?;
    println!("{shops}");
    eprintln!("==> following one person through five channels");
    let person = customer::play(&system, PATIENCE).await?;
    println!("{person}");
    let complaint = check::complaint(&system.state().join(DATABASE))?;
    println!(
        "{}\n",
        complaint.as_deref().map_or_else(
            || format!("All {} checks of the state directory hold.", check::checks().count()),
            str::to_owned
        )
    );
    if let Some(path) = &cli.json {
        let mut figures = report.json();
        figures["shops"] = shops.json();
        figures["person"] = person.json();
        std::fs::write(path, format!("{figures:#}\n")).with_context(|| format!("cannot write {}", path.display()))?;
        println!("figures written to {}", path.display());
    }
    if cli.once {
        system.host.stop().await?;
    } else {
        stay_up(&system).await?;
    }
    Ok(if report.agrees() && shops.agree() && person.is_known() && person.pays_off() && complaint.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn stay_up(system: &System) -> Result<()> {
    println!("The application stays up until Ctrl-C. Try:\n");
    for path in [
        "/v1/orders?status=paid&limit=3",
        "/v1/orders?platform=own&limit=3",
        "/v1/orders?platform=taobao&limit=3",
        "/v1/shops",
        "/v1/customers?store=/east&limit=3",
        "/v1/tag-rules?limit=3",
        "/v1/channel-codes?limit=3",
        "/v1/stock/CUP-LEMON",
        "/v1/events?limit=5",
    ] {
        println!("  curl -H 'Authorization: Bearer {API_TOKEN}' '{}'", system.host.at(path));
    }
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")
}
