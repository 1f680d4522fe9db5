//! `cargo xtask test`: the build that the tests need, the tests, and a count over all of them at the end.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::build;
use crate::step::{line, seconds, step};
use crate::workspace::{Workspace, cargo};

/// Build the components, then run `cargo test` over the workspace's default members with `arguments`. Cargo builds the host
/// for the tests that need it.
///
/// # Errors
/// When something does not compile, a test fails, or no test ran at all.
pub fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    let start = Instant::now();
    build::functions_and_guests(workspace)?;
    let (passed, count) = step("tests", || cargo_test(workspace, arguments))?;
    eprintln!("==> all took {}", seconds(start.elapsed()));
    println!("{}", count.line());
    ensure!(passed, "tests failed: search the output above for `failures:`");
    ensure!(count.passed > 0, "no test ran: do the arguments filter all of them out?");
    Ok(())
}

fn cargo_test(workspace: &Workspace, arguments: &[OsString]) -> Result<(bool, Count)> {
    let mut command = cargo();
    // One failing suite must not hide what the others have to say.
    command
        .current_dir(&workspace.root)
        .args(["test", "--release", "--no-fail-fast"])
        .args(arguments)
        .env(build::HOST_VARIABLE, build::host_path(workspace));
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", line(&command)))?;
    let mut count = Count::default();
    if let Some(output) = child.stdout.take() {
        let mut stdout = std::io::stdout().lock();
        for text in BufReader::new(output).split(b'\n') {
            let text = text.context("cannot read what the tests print")?;
            stdout.write_all(&text)?;
            stdout.write_all(b"\n")?;
            count.add(&String::from_utf8_lossy(&text));
        }
    }
    let status = child.wait().context("cannot wait for the tests")?;
    Ok((status.success(), count))
}

/// The tests of all suites, from the closing line of each.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Count {
    /// Take in a line, if it is the closing line of a suite:
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in counts.split(';') {
            match part.trim().split_once(' ').map(|(number, what)| (number.parse::<u64>(), what)) {
                Some((Ok(number), "passed")) => self.passed += number,
                Some((Ok(number), "failed")) => self.failed += number,
                Some((Ok(number), "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }

    fn line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_all_suites_are_added_up() {
        let mut count = Count::default();
        for line in [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.00s",
            "test fen::tests::sums ... ok",
            "test result: \u{1b}[31mFAILED\u{1b}[0m. 2 passed; 5 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            count.add(line);
        }
        assert_eq!(count, Count { passed: 5, failed: 5, ignored: 1 });
        assert_eq!(count.line(), "5 passed, 5 failed, 1 skipped");
    }
}
