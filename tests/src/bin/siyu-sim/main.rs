//! `cargo xtask sim`: a merchant's month in virtual time, with faults, against models of its own.
//!
//! A month in which something is not as it must be is played again, shorter and without faults, until the shortest is found that shows it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use siyu_tests::sim::{self, Options, Outcome, STEPS};
use siyu_tests::table::{Table, thousands};

/// Play a merchant's month in virtual time against the built application, and hold its books against models of its own.
///
/// Ends with an error where something is not as it must be, and prints the shortest month that shows it.
#[derive(Parser)]
#[command(name = "cargo xtask sim")]
struct Cli {
    /// Which month: the same number gives the same people, orders, mishaps and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days.
    #[arg(long, default_value_t = 30, value_name = "N")]
    days: u32,
    /// Stores.
    #[arg(long, default_value_t = 8, value_name = "N")]
    stores: u32,
    /// People.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    customers: u32,
    /// Lose, repeat and disorder messages, let calls fail, kill the host, start a second one beside it, fill the disk, let the clock leap.
    #[arg(long)]
    faults: bool,
    /// End after so many steps of twenty minutes, of which a day has 36.
    #[arg(long, value_name = "N")]
    until: Option<u32>,
    /// Do not look for the shortest month that shows a mistake.
    #[arg(long)]
    no_shrink: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<bool> {
    let Cli { seed, days, stores, customers, faults, until, .. } = *cli;
    let options = Options { seed, days, stores, customers, faults, until };
    eprintln!("==> {}", shown(&options));
    let outcome = sim::run(&options, |line| eprintln!("    {line}")).await?;
    println!("{}", table(&outcome));
    if outcome.violations.is_empty() {
        println!("All is as it must be.");
        return Ok(true);
    }
    tell(&options, &outcome);
    if !cli.no_shrink {
        let (options, outcome) = shrink(options, outcome).await?;
        println!("\nThe shortest month that shows something:");
        tell(&options, &outcome);
    }
    Ok(false)
}

/// Fewer faults first, then fewer steps: those of the whole that still show something.
async fn shrink(mut options: Options, mut outcome: Outcome) -> Result<(Options, Outcome)> {
    if options.faults {
        let milder = Options { faults: false, until: Some(outcome.steps), ..options.clone() };
        eprintln!("==> again: {}", shown(&milder));
        let found = sim::run(&milder, |_| ()).await?;
        if !found.violations.is_empty() {
            (options, outcome) = (milder, found);
        }
    }
    // Up to `good` steps all was well; `outcome` has the fewest that are known not to be.
    let mut good = outcome.steps.saturating_sub(STEPS);
    while outcome.steps > good + 1 {
        let until = good + (outcome.steps - good) / 2;
        let shorter = Options { until: Some(until), ..options.clone() };
        eprintln!("==> again: {}", shown(&shorter));
        let found = sim::run(&shorter, |_| ()).await?;
        if found.violations.is_empty() {
            good = until;
        } else {
            (options, outcome) = (shorter, found);
        }
    }
    Ok((options, outcome))
}

fn shown(options: &Options) -> String {
    let Options { seed, days, stores, customers, faults, until } = options;
    let until = until.map_or_else(String::new, |until| format!(" --until {until}"));
    let faults = if *faults { " --faults" } else { "" };
    format!("cargo xtask sim --seed {seed} --days {days} --stores {stores} --customers {customers}{faults}{until}")
}

fn tell(options: &Options, outcome: &Outcome) {
    println!("NOT SO after step {} of `{}`:", outcome.steps, shown(options));
    outcome.violations.iter().take(20).for_each(|line| println!("    {line}"));
    if outcome.violations.len() > 20 {
        println!("    … {} more", outcome.violations.len() - 20);
    }
}

fn table(outcome: &Outcome) -> Table {
    let mut table = Table::new(&["simulated", ""]);
    table.row(&["steps of twenty minutes".to_owned(), thousands(outcome.steps.into())]);
    for (what, count) in &outcome.played {
        table.row(&[(*what).to_owned(), thousands(*count)]);
    }
    for (what, count) in &outcome.faults {
        table.row(&[(*what).to_owned(), thousands(*count)]);
    }
    table.row(&["events in the log".to_owned(), thousands(u64::try_from(outcome.events).unwrap_or(0))]);
    table.row(&["rows made anew from the log".to_owned(), thousands(u64::try_from(outcome.rebuilt).unwrap_or(0))]);
    table
        .row(&["not as it must be".to_owned(), thousands(u64::try_from(outcome.violations.len()).unwrap_or(u64::MAX))]);
    table
}
