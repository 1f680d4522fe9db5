//! `cargo xtask check`: whether all holds in a state directory that must.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use siyu_tests::check::{Books, Found};
use siyu_tests::rebuild;
use siyu_tests::system::DATABASE;
use siyu_tests::table::Table;

/// Verify a state directory: constraints, cursors, each function's books against the log and each other.
///
/// The host may go on serving. Ends with an error where something does not hold that must; what is only to be looked at is listed.
#[derive(Parser)]
#[command(name = "cargo xtask check")]
struct Cli {
    /// The state directory, as given to `siyu up`.
    #[arg(long, value_name = "FOLDER", default_value = ".siyu")]
    state_dir: PathBuf,
    /// The archive of old events, where there is one (`cargo xtask archive`).
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    /// Also make all that is a function of the log anew from it, on a copy in the temporary folder, and compare.
    #[arg(long)]
    rebuild: bool,
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
    let books = Books::open_with(&cli.state_dir.join(DATABASE), cli.archive.as_deref())?;
    let violations = books.violations()?;
    for found in &violations {
        println!("NOT SO: {}", found.what);
        show(found);
    }
    for (found, advice) in books.notices()? {
        println!("look at: {} ({}); {advice}", found.what, found.count);
        show(&found);
    }
    let asked = books.asked();
    println!("{} of {asked} checks hold", asked - violations.len());
    let same = !cli.rebuild || is_rebuilt(&cli.state_dir.join(DATABASE), cli.archive.as_deref())?;
    Ok(violations.is_empty() && same)
}

fn is_rebuilt(database: &Path, archive: Option<&Path>) -> Result<bool> {
    let rebuilt = tokio::runtime::Runtime::new()?.block_on(rebuild::run(database, archive))?;
    for left_out in &rebuilt.left_out {
        println!("not compared: {left_out}");
    }
    if !rebuilt.differences.is_empty() {
        let mut table = Table::new(&["made anew from the log", "not rebuilt", "others instead"]);
        for found in &rebuilt.differences {
            table.row(&[found.what.clone(), found.missing.to_string(), found.added.to_string()]);
        }
        print!("{table}");
        for row in rebuilt.differences.iter().flat_map(|found| &found.rows) {
            println!("    {row}");
        }
    }
    let rows: usize = rebuilt.compared.iter().map(|(_, rows)| rows).sum();
    let (books, applied) = (rebuilt.compared.len(), rebuilt.applied);
    println!(
        "{} of {books} books with {rows} rows are what {applied} applied events make of them",
        books.saturating_sub(rebuilt.differences.len())
    );
    Ok(rebuilt.differences.is_empty())
}

fn show(found: &Found) {
    for row in &found.rows {
        println!("    {row}");
    }
    if found.count > found.rows.len() {
        println!("    … {} more", found.count - found.rows.len());
    }
}
