//! `cargo xtask archive`: moves old events out of the log.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use siyu_tests::archive::Archive;
use siyu_tests::system::DATABASE;

/// Move events that every function has read, and that nobody shows or reads again, from the log into an archive.
///
/// The host may go on serving. Broken off at any point, it is run again with the same flags and goes on. There is one archive for a log;
/// `siyu check --archive` reads both.
#[derive(Parser)]
#[command(name = "cargo xtask archive")]
struct Cli {
    /// The state directory, as given to `siyu up`.
    #[arg(long, value_name = "FOLDER", default_value = ".siyu")]
    state_dir: PathBuf,
    /// How many days before the newest event an event is old.
    #[arg(long, value_name = "N")]
    older_than_days: u32,
    /// The archive: made where there is none, continued where there is one.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// How many events are moved at a time.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let mut archive = Archive::open(&cli.state_dir.join(DATABASE), &cli.to, cli.older_than_days)?;
    let moved = archive.run(cli.batch)?;
    println!("{moved} events moved to {}; {} as old stay in the log", cli.to.display(), archive.kept()?);
    Ok(())
}
