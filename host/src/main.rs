//! The program `siyu`; everything is in the library.

use clap::Parser;
use siyu_host::cli::{Cli, Command};

/// A request passes through some hundred small allocations; this allocator takes a sixth off its whole cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Up(up) => siyu_host::up::run(*up),
    }
}
