//! `cargo xtask check`: whether all holds in a state directory that must.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use siyu_tests::check::{self, Books, Found};
use siyu_tests::system::DATABASE;

/// Verify a state directory: constraints, cursors, each function's books against the log and each other.
///
/// The host may go on serving. Ends with an error where something does not hold that must; what is only to be looked at is listed.
#[derive(Parser)]
#[command(name = "cargo xtask check")]
struct Cli {
    /// The state directory, as given to `siyu up`.
    #[arg(long, value_name = "FOLDER", default_value = ".siyu")]
    state_dir: PathBuf,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<bool> {
    let books = Books::open(&cli.state_dir.join(DATABASE))?;
    let violations = books.violations()?;
    for found in &violations {
        println!("NOT SO: {}", found.what);
        show(found);
    }
    for (found, advice) in books.notices()? {
        println!("look at: {} ({}); {advice}", found.what, found.count);
        show(&found);
    }
    let asked = check::checks().count();
    println!("{} of {asked} checks hold", asked - violations.len());
    Ok(violations.is_empty())
}

fn show(found: &Found) {
    for row in &found.rows {
        println!("    {row}");
    }
    if found.count > found.rows.len() {
        println!("    … {} more", found.count - found.rows.len());
    }
}
