//! The developer's commands: `cargo xtask build | up | demo | test | check | archive | sim | bench`.
//!
//! It knows no function by name: `spin.toml` says which components there are, and a component's id is the name of its
//! package. What is slow to compile (simulators, load generators) lives in the `siyu-tests` package and is only called from
//! here, so that the first `cargo xtask` on a new machine answers within seconds.

mod build;
mod step;
mod test;
mod toolchain;
mod workspace;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Build, run, try, test and measure Siyu.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile every component of spin.toml to WebAssembly, and the embedded host.
    Build {
        /// Also compile the small components that the host's own tests run (`test` does so by itself).
        #[arg(long)]
        guests: bool,
        /// Leave the host out: enough for those who serve with Spin.
        #[arg(long)]
        wasm_only: bool,
    },
    /// Build, then serve the application on the embedded host until Ctrl-C.
    Up {
        /// Flags for the host, after `--`, for example `-- --listen 127.0.0.1:8080 --variable api_token=…`
        /// (`-- --help` lists them).
        #[arg(last = true, value_name = "HOST FLAGS")]
        host_flags: Vec<OsString>,
    },
    /// Build, then play a signed morning of a tea chain over HTTP and print what became of it.
    Demo {
        /// Flags of the demo: `--once` ends after the table, `--json FILE` writes the figures, `--help` lists all.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "DEMO FLAGS")]
        flags: Vec<OsString>,
    },
    /// Build, then run every test that CI runs, end to end ones included.
    Test {
        /// Arguments for `cargo test`, after `--`, for example `-- -p domain` or `-- --test hooks`.
        #[arg(last = true, value_name = "CARGO TEST ARGUMENTS")]
        arguments: Vec<OsString>,
    },
    /// Verify a state directory: constraints, cursors, each function's books against the log and each other.
    Check {
        /// Flags of the check: `--state-dir FOLDER` (`.siyu` unless given), `--archive FILE`, `--rebuild`, `--help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "CHECK FLAGS")]
        flags: Vec<OsString>,
    },
    /// Move old events out of the log of a state directory, also while the host serves.
    Archive {
        /// Flags: `--state-dir FOLDER` (`.siyu` unless given), `--older-than-days N`, `--to FILE`, `--batch N`, `--help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARCHIVE FLAGS")]
        flags: Vec<OsString>,
    },
    /// Build, then play a merchant's month in virtual time, with faults, against models of its own.
    Sim {
        /// Flags of the simulator: `--seed N`, `--days N`, `--faults`, `--help` lists all.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "SIM FLAGS")]
        flags: Vec<OsString>,
    },
    /// Build, then measure the host beside native servers that do the same work.
    Bench {
        /// Flags of the benchmark: `--quick`, `--only NAME`, `--json FILE`, `--help` lists all.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "BENCH FLAGS")]
        flags: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Causes in one line, and no backtrace: these errors are about the machine, not about this program.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let workspace = Workspace::load()?;
    match cli.command {
        Command::Build { guests, wasm_only } => {
            if guests {
                build::functions_and_guests(&workspace)?;
            } else {
                build::functions(&workspace)?;
            }
            if !wasm_only {
                build::host(&workspace)?;
            }
            Ok(())
        }
        Command::Up { host_flags } => {
            build::functions(&workspace)?;
            let host = build::host(&workspace)?;
            let mut command = std::process::Command::new(&host);
            command.arg("up").arg("--from").arg(workspace.spin_manifest()).args(host_flags);
            // Replaced rather than spawned: signals and the exit code are the host's own.
            Err(command.exec()).with_context(|| format!("cannot start {}", host.display()))
        }
        Command::Demo { flags } => {
            build::functions(&workspace)?;
            build::tools_and_run(&workspace, "release", "siyu-demo", &flags)
        }
        Command::Bench { flags } => {
            build::functions_and_guests(&workspace)?;
            build::tools_and_run(&workspace, "bench", "siyu-bench", &flags)
        }
        Command::Sim { flags } => {
            build::functions(&workspace)?;
            build::tools_and_run(&workspace, "release", "siyu-sim", &flags)
        }
        Command::Check { flags } => build::tools_and_run(&workspace, "release", "siyu-check", &flags),
        Command::Archive { flags } => build::tools_and_run(&workspace, "release", "siyu-archive", &flags),
        Command::Test { arguments } => test::run(&workspace, &arguments),
    }
}
