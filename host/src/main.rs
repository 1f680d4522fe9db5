//! The program `siyu`; everything is in the library.

use clap::Parser;
use siyu_host::cli::{Cli, Command};

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Up(up) => siyu_host::up::run(*up),
    }
}
