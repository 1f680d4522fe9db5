//! Programs that others have written in Python, in virtual environments that are made once for a list of libraries.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Python with the libraries of a list (a file of pip), in this folder. On a developer's machine it may be missing, which is said; in CI it has to be there.
///
/// # Panics
/// In CI, when it cannot be made.
#[allow(clippy::panic, reason = "for tests, which must not be skipped in CI")]
pub fn python(folder: &Path, list: &Path) -> Option<PathBuf> {
    match environment(folder, list) {
        Ok(python) => Some(python),
        Err(why) if std::env::var_os("CI").is_none() => {
            eprintln!("\n!!! SKIPPED: a test that needs the libraries of {}: {why:#}\n", list.display());
            None
        }
        Err(why) => panic!("{why:#}"),
    }
}

fn environment(folder: &Path, list: &Path) -> Result<PathBuf> {
    let libraries = std::fs::read_to_string(list).with_context(|| list.display().to_string())?;
    let python = folder.join("bin/python");
    let installed = folder.join("installed.txt");
    if !std::fs::read_to_string(&installed).is_ok_and(|list| list == libraries) {
        done(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        let pip = "-m pip --quiet install --no-deps --ignore-requires-python --use-pep517 --requirement";
        done(Command::new(&python).args(pip.split(' ')).arg(list))?;
        std::fs::write(&installed, libraries)?;
    }
    Ok(python)
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
