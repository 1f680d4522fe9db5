//! Which compiler makes the components: rustup's Wasm target where it is or can be had, else Debian's Rust packages.
//!
//! Build machines may reach the crate registry and Debian's packages but no rustup server. There, Debian's rustc builds the
//! standard library for the target together with the components. Nobody should have to know this: [`choose`] decides, and
//! installs what is missing.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::step::{run, step};
use crate::workspace::{WASM_TARGET, cargo};

/// Overrides the choice, for tests of either way: `rustup` or `debian`.
const VARIABLE: &str = "SIYU_WASM_TOOLCHAIN";

/// Debian's packages, and where they put what is needed.
const DEBIAN_PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22", "wasi-libc"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/std";
const DEBIAN_LIBC: &str = "/usr/lib/wasm32-wasi";
/// Makes a component of what wasm-ld linked; rustup's Rust brings it, Debian's does not.
const COMPONENT_LINKER: &str = "wasm-component-ld";

/// A way to compile components that works on this machine.
#[derive(Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The target's standard library is installed: cargo as always.
    Installed,
    /// Debian's rustc and cargo, building the standard library themselves.
    Debian {
        /// The folder of `wasm-component-ld`.
        component_linker: PathBuf,
        /// Debian's versioned `wasm-ld`.
        linker: PathBuf,
    },
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Installed => "rustup's target",
            Self::Debian { .. } => "Debian's rustc with its own std",
        })
    }
}

impl Toolchain {
    /// The cargo to call, with the environment that this toolchain needs.
    ///
    /// # Errors
    /// When `PATH` cannot be extended.
    pub fn cargo(&self) -> Result<Command> {
        let Self::Debian { component_linker, linker } = self else {
            return Ok(cargo());
        };
        let old = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(component_linker.clone()).chain(std::env::split_paths(&old)))
            .context("PATH cannot be extended")?;
        let flags = format!("-Clink-self-contained=no -Clink-arg=--wasm-ld-path={} -L{DEBIAN_LIBC}", linker.display());
        let mut command = Command::new(DEBIAN_CARGO);
        command
            .env("PATH", path)
            .env("RUSTC", DEBIAN_RUSTC)
            // -Zbuild-std is the only unstable thing used; Debian has no nightly.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", flags)
            // Any of these would win over the line above, and they are meant for native code.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO");
        Ok(command)
    }

    /// What `cargo build` must be told beside the target.
    pub fn flags(&self) -> &'static [&'static str] {
        match self {
            Self::Installed => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

/// Find a toolchain, installing one where none is ready: rustup's target first, then Debian's packages (as root).
///
/// # Errors
/// When neither is there nor can be installed; the message holds the two commands that would help.
pub fn choose() -> Result<Toolchain> {
    match std::env::var(VARIABLE).as_deref() {
        Ok("rustup") => {
            return rustup().context("SIYU_WASM_TOOLCHAIN=rustup rules out every other way");
        }
        Ok("debian") => {
            return debian().context("SIYU_WASM_TOOLCHAIN=debian rules out every other way");
        }
        Ok(other) => {
            bail!("{VARIABLE}={other} is not known; use `rustup`, `debian`, or leave it out")
        }
        Err(_) => {}
    }
    if target_installed() {
        return Ok(Toolchain::Installed);
    }
    // Pieces that are complete already beat a download that may not be possible.
    if let Ok(toolchain) = debian_ready() {
        return Ok(toolchain);
    }
    rustup().or_else(|rustup| {
        eprintln!("    {rustup:#}; trying Debian's packages");
        debian().map_err(|debian| help(&rustup, &debian))
    })
}

fn help(rustup: &anyhow::Error, debian: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!(
        "no Rust compiler for {WASM_TARGET} here, and none could be installed.\n\
         rustup: {rustup:#}\n\
         Debian: {debian:#}\n\
         One of these commands helps, then try again:\n  \
         rustup target add {WASM_TARGET}\n  \
         apt-get update && apt-get install --no-install-recommends {} # as root, Debian 12 or newer",
        DEBIAN_PACKAGES.join(" ")
    )
}

fn rustup() -> Result<Toolchain> {
    if !target_installed() {
        step(&format!("adding the Rust target {WASM_TARGET}"), || {
            run(Command::new("rustup").args(["target", "add", WASM_TARGET]))
        })?;
    }
    if !target_installed() {
        bail!("rustup added {WASM_TARGET} to another toolchain than the one in use");
    }
    Ok(Toolchain::Installed)
}

/// Whether the compiler in use has the target's standard library, however it came there.
fn target_installed() -> bool {
    let folder = output(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]));
    folder.and_then(|path| std::fs::read_dir(path).ok()).is_some_and(|mut files| files.next().is_some())
}

fn debian() -> Result<Toolchain> {
    debian_ready().or_else(|_| {
        if output(Command::new("id").arg("-u")).as_deref() != Some("0") {
            bail!("installing packages needs root");
        }
        step("installing Debian's Rust packages", || {
            let apt = || {
                let mut command = Command::new("apt-get");
                command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
                command
            };
            run(apt().args(["-q", "update"]))?;
            run(apt().args(["-q", "install", "--yes", "--no-install-recommends"]).args(DEBIAN_PACKAGES))
        })?;
        debian_ready()
    })
}

/// Debian's toolchain, if every piece of it is there.
fn debian_ready() -> Result<Toolchain> {
    let version = output(Command::new(DEBIAN_RUSTC).arg("--version")).context("there is no /usr/bin/rustc")?;
    if !recent(&version) {
        bail!("{DEBIAN_RUSTC} is {version}, but {} or newer is needed", env!("CARGO_PKG_RUST_VERSION"));
    }
    for path in [DEBIAN_CARGO, DEBIAN_STD, DEBIAN_LIBC] {
        if !Path::new(path).exists() {
            bail!("{path} is not there");
        }
    }
    let linker = newest_linker(Path::new("/usr/bin")).context("there is no /usr/bin/wasm-ld-…")?;
    let component_linker = component_linker()
        .with_context(|| format!("{COMPONENT_LINKER} is not there; `cargo install {COMPONENT_LINKER}` brings it"))?;
    Ok(Toolchain::Debian { component_linker, linker })
}

/// Whether `version` (as `rustc --version` prints it) is at least the workspace's own minimum.
fn recent(version: &str) -> bool {
    let number = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let found = version.split_whitespace().nth(1).and_then(number);
    found.is_some() && found >= number(env!("CARGO_PKG_RUST_VERSION"))
}

/// `wasm-ld-NN` with the highest number: Debian names linkers by their LLVM version.
fn newest_linker(folder: &Path) -> Option<PathBuf> {
    let names = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let versions = names.filter_map(|path| {
        let version: u32 = path.file_name()?.to_str()?.strip_prefix("wasm-ld-")?.parse().ok()?;
        Some((version, path))
    });
    versions.max().map(|(_, path)| path)
}

/// The folder of `wasm-component-ld`: on the PATH, or among the tools of the Rust in use.
fn component_linker() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]));
    let host = output(Command::new("rustc").args(["--print", "host-tuple"]));
    let tools = sysroot.zip(host).map(|(root, host)| Path::new(&root).join("lib/rustlib").join(host).join("bin"));
    std::env::split_paths(&path).chain(tools).find(|folder| folder.join(COMPONENT_LINKER).is_file())
}

/// What a command printed, if it could be run and succeeded.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_s_own_old_rustc_is_not_taken_for_rustc_web() {
        assert!(!recent("rustc 1.63.0 (4b91a6ea7 2022-08-08) (Debian 1.63.0+dfsg1-2)"));
        assert!(recent("rustc 1.96.0 (ac68faa20 2026-06-01) (built from a source tarball)"));
        assert!(!recent("something else"));
    }

    #[test]
    fn the_newest_linker_is_chosen_by_number_not_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["wasm-ld-9", "wasm-ld-22", "wasm-ld", "ld-30"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(newest_linker(folder.path()), Some(folder.path().join("wasm-ld-22")));
    }

    #[test]
    fn the_help_names_both_commands() {
        let text = help(&anyhow::anyhow!("offline"), &anyhow::anyhow!("not root")).to_string();
        for part in ["offline", "not root", "rustup target add wasm32-wasip2", "apt-get install", "rustc-web"] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
    }

    #[test]
    fn debian_s_cargo_gets_the_linker_and_keeps_native_flags_out() {
        let toolchain = Toolchain::Debian { component_linker: "/tools".into(), linker: "/usr/bin/wasm-ld-22".into() };
        let command = toolchain.cargo().unwrap();
        let variable = |name: &str| command.get_envs().find(|(key, _)| *key == name).map(|(_, value)| value);
        let flags = variable("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS").flatten().unwrap().to_str().unwrap();
        assert!(flags.contains("--wasm-ld-path=/usr/bin/wasm-ld-22"), "{flags}");
        assert_eq!(variable("RUSTFLAGS"), Some(None), "removed, as it would win");
        assert!(variable("PATH").flatten().unwrap().to_str().unwrap().starts_with("/tools"));
    }
}
