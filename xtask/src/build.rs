//! Compiling: components with the Wasm toolchain of this machine, the host and the tools with cargo.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::step::{run, step};
use crate::toolchain;
use crate::workspace::{Component, WASM_PROFILE, WASM_TARGET, Workspace, cargo, shown};

/// The package of the embedded host and of the end-to-end tools. These two are this workspace's own furniture, not functions.
const HOST: &str = "siyu-host";
const TOOLS: &str = "siyu-tests";
/// The host's binary.
const HOST_BIN: &str = "siyu";
/// Tells the tools where the host is, so that they need not guess.
pub const HOST_VARIABLE: &str = "SIYU_HOST_BIN";

/// Compile every local component of `spin.toml` and put it where `spin.toml` looks.
///
/// # Errors
/// When there is no Wasm toolchain and none can be installed, or a component does not compile.
pub fn functions(workspace: &Workspace) -> Result<()> {
    components(workspace, "components of spin.toml", &workspace.functions()?)
}

/// Compile the components of `spin.toml` and those that the host's tests run.
///
/// One call for both: guests are plain cdylibs, and cargo's link-time optimisation would compile the libraries that they
/// share with the functions once more for them alone.
///
/// # Errors
/// As for [`functions`].
pub fn functions_and_guests(workspace: &Workspace) -> Result<()> {
    let mut all = workspace.functions()?;
    all.extend(workspace.guests());
    components(workspace, "components of spin.toml and of the host's tests", &all)
}

/// Compile the embedded host and return its binary.
///
/// # Errors
/// When it does not compile.
pub fn host(workspace: &Workspace) -> Result<PathBuf> {
    native(workspace, "embedded host (several minutes the first time)", "release")?;
    built(host_path(workspace))
}

/// Where the host's binary lies once it is built.
pub fn host_path(workspace: &Workspace) -> PathBuf {
    binary(workspace, HOST_BIN)
}

/// Compile host and tools by `profile`, then run the program `tool` of the tests package with `flags`.
///
/// # Errors
/// When something does not compile or the tool ends with an error.
pub fn tools_and_run(workspace: &Workspace, profile: &str, tool: &str, flags: &[OsString]) -> Result<()> {
    native(workspace, "embedded host and tools (several minutes the first time)", profile)?;
    let mut command = Command::new(built(binary(workspace, tool))?);
    command.args(flags).current_dir(&workspace.root).env(HOST_VARIABLE, built(host_path(workspace))?);
    let status = command.status().with_context(|| format!("cannot start {tool}"))?;
    if status.success() {
        return Ok(());
    }
    bail!("{tool} ended with {status}")
}

/// Host and tools are compiled by one call with one selection of packages: cargo unites the features of what it is asked
/// for, and another selection would compile wasmtime again.
fn native(workspace: &Workspace, what: &str, profile: &str) -> Result<()> {
    let arguments = ["build", "--profile", profile, "--bins", "-p", HOST, "-p", TOOLS];
    step(what, || run(cargo().current_dir(&workspace.root).args(arguments)))
}

/// Cargo writes what it builds by the profiles `release` and `bench` into one folder.
fn binary(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.target_dir.join("release").join(name)
}

fn built(path: PathBuf) -> Result<PathBuf> {
    ensure!(path.is_file(), "cargo built without error, but {} is not there", path.display());
    Ok(path)
}

fn components(workspace: &Workspace, what: &str, components: &[Component]) -> Result<()> {
    if components.is_empty() {
        eprintln!("==> {what}: there are none");
        return Ok(());
    }
    let toolchain = toolchain::choose()?;
    let names: Vec<_> = components.iter().map(|component| component.package.as_str()).collect();
    step(&format!("{what}: {} (Wasm by {toolchain})", names.join(", ")), || {
        let mut command = toolchain.cargo()?;
        command.current_dir(&workspace.root).args(["build", "--target", WASM_TARGET, "--profile", WASM_PROFILE]);
        command.args(toolchain.flags());
        for name in &names {
            command.args(["--package", name]);
        }
        run(&mut command)
    })?;
    for component in components {
        place(&workspace.built(&component.package), &component.destination)?;
        let size = std::fs::metadata(&component.destination)?.len() / 1000;
        eprintln!("    {} ({size} kB)", shown(&workspace.root, &component.destination));
    }
    Ok(())
}

/// Put a built component where the manifest looks for it, when cargo's target folder is elsewhere. Written beside and
/// renamed, so that a host that is reading the old one never sees half of the new.
fn place(built: &Path, destination: &Path) -> Result<()> {
    ensure!(
        built.is_file(),
        "{} was not built: does the package have `crate-type = [\"cdylib\", …]`?",
        built.display()
    );
    let same = |path: &Path| path.canonicalize().ok();
    if same(built) == same(destination) {
        return Ok(());
    }
    let folder = destination.parent().context("a component cannot lie at the root of the file system")?;
    let copy = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let partial = destination.with_extension("wasm.partial");
        std::fs::copy(built, &partial)?;
        std::fs::rename(&partial, destination)
    };
    copy().with_context(|| format!("cannot write {}", destination.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_copied_to_where_the_manifest_looks_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (built, destination) = (folder.path().join("cache/a.wasm"), folder.path().join("checkout/target/a.wasm"));
        std::fs::create_dir(folder.path().join("cache")).unwrap();
        for content in ["first", "second"] {
            std::fs::write(&built, content).unwrap();
            place(&built, &destination).unwrap();
            assert_eq!(std::fs::read_to_string(&destination).unwrap(), content);
        }
        place(&destination, &destination).unwrap();
        assert_eq!(std::fs::read_to_string(&destination).unwrap(), "second");
    }

    #[test]
    fn a_package_that_makes_no_component_is_explained() {
        let error = place(Path::new("/nowhere/a.wasm"), Path::new("/tmp/a.wasm")).unwrap_err().to_string();
        assert!(error.contains("cdylib"), "{error}");
    }
}
