//! Long work, told: a line when it begins, a line with the seconds taken when it ends.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Run `work` as one step called `name`. The lines go to stderr, so that stdout stays the tools' own.
///
/// # Errors
/// Those of `work`.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let start = Instant::now();
    let result = work();
    let end = if result.is_ok() { "done" } else { "failed" };
    eprintln!("    {end} after {}", seconds(start.elapsed()));
    result
}

/// Run a command to its end, its output shown as it comes.
///
/// # Errors
/// When it cannot be started or ends with anything but success; the message holds the command line, to be tried by hand.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}; what it printed above says why", line(command));
    }
    Ok(())
}

/// The command as one would type it, without its environment.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A duration as people read it: one decimal of a second.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_named_with_its_status() {
        let error = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err().to_string();
        assert!(error.contains("sh -c exit 7") && error.contains("status: 7"), "{error}");
    }

    #[test]
    fn a_missing_command_is_named() {
        let error = run(&mut Command::new("no-such-command-here")).unwrap_err().to_string();
        assert!(error.contains("no-such-command-here"), "{error}");
    }

    #[test]
    fn a_step_hands_on_what_its_work_returns() {
        assert_eq!(step("adding", || Ok(1 + 1)).unwrap(), 2);
        assert!(step("failing", || -> Result<()> { bail!("no") }).is_err());
    }
}
