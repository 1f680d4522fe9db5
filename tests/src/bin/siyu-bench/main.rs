//! `cargo xtask bench`: the embedded host beside native servers that do the same work, in one run on one machine.
//!
//! - `hello`: the host's cost per request, against bare hyper.
//! - `webhook`: a durable, signed Doudian webhook over 64 connections, against the very same router natively, with group
//!   commit and with one transaction per request. The SQL and the durability (WAL, FULL) are the same by construction.
//! - `start`: an instance, and the whole application with a cold and a warm compilation cache.
//! - `memory`: per idle instance, and in all under load.
//! - `people`: customers and tagging at 10,000 and at 1,000,000 customers (a fiftieth of that with `--quick`).
//! - `welcome`: from WeCom's callback to the call with the welcome.
//! - `soak`: half an hour at 70 % of the capacity; only where it is named.
//!
//! The load generator takes its share of the same cores; that is so for all that are compared.

mod figures;
mod hello;
mod measure;
mod memory;
mod native;
mod people;
mod soak;
mod start;
mod webhook;
mod welcome;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};

use crate::figures::Figures;
use crate::measure::Effort;

/// Measure the embedded host beside native servers that do the same work.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Cli {
    /// Measure only this.
    #[arg(long, value_name = "NAME")]
    only: Option<Name>,
    /// One short run of each: to see that it works, not to compare with.
    #[arg(long)]
    quick: bool,
    /// How many customers `people` grows at the most, 1,000,000 if left out; the aims are for that many.
    #[arg(long, value_name = "NUMBER")]
    customers: Option<u64>,
    /// How many minutes `soak` lasts, 30 if left out; the aims are for that many.
    #[arg(long, value_name = "NUMBER")]
    minutes: Option<u64>,
    /// Write the figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    server: Option<Server>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Name {
    Hello,
    Webhook,
    Start,
    Memory,
    People,
    Welcome,
    Soak,
}

/// The native servers, each in a process of its own: this program calls itself.
#[derive(Subcommand)]
enum Server {
    /// Bare hyper that says hello.
    #[command(hide = true)]
    ServeHello,
    /// The orders function's router over rusqlite.
    #[command(hide = true)]
    ServeOrders {
        /// The database file.
        #[arg(long)]
        database: PathBuf,
        /// Writes in one transaction at most.
        #[arg(long)]
        most_per_commit: usize,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: Cli) -> Result<()> {
    match cli.server {
        Some(Server::ServeHello) => return native::serve_hello().await,
        Some(Server::ServeOrders { database, most_per_commit }) => {
            return native::serve_orders(database, most_per_commit).await;
        }
        None => {}
    }
    let effort = if cli.quick { Effort::QUICK } else { Effort::FULL };
    let wanted = |name| cli.only.is_none_or(|only| only == name);
    let mut figures = Figures::of_this_machine()?;
    if wanted(Name::Hello) {
        hello::measure(&effort, &mut figures).await?;
    }
    if wanted(Name::Webhook) {
        webhook::measure(&effort, &mut figures).await?;
    }
    if wanted(Name::Start) {
        start::measure(&effort, &mut figures).await?;
    }
    if wanted(Name::Memory) {
        memory::measure(&mut figures).await?;
    }
    if wanted(Name::People) {
        let [few, many] = if cli.quick { [2_000, 20_000] } else { [10_000, 1_000_000] };
        people::measure([few, cli.customers.unwrap_or(many)], &mut figures).await?;
    }
    if wanted(Name::Welcome) {
        welcome::measure(&effort, &mut figures).await?;
    }
    if cli.only == Some(Name::Soak) {
        let minutes = cli.minutes.unwrap_or(if cli.quick { 2 } else { 30 });
        soak::measure(Duration::from_secs(60 * minutes), &mut figures).await?;
    }
    println!("\n{figures}");
    if let Some(path) = &cli.json {
        std::fs::write(path, format!("{:#}\n", figures.json()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        println!("figures written to {}", path.display());
    }
    Ok(())
}
