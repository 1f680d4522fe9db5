//! What there is to build: read from `cargo metadata` and `spin.toml`, never from a list in this program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// The target of all components; cargo's output there already is a component.
pub const WASM_TARGET: &str = "wasm32-wasip2";
/// The cargo profile of components, and the name of its output folder.
pub const WASM_PROFILE: &str = "function";

/// The checkout, as cargo and `spin.toml` describe it.
pub struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub root: PathBuf,
    /// Where cargo writes; `CARGO_TARGET_DIR` and cargo's configuration are honoured.
    pub target_dir: PathBuf,
    /// The workspace's packages: name and folder.
    packages: BTreeMap<String, PathBuf>,
}

/// One WebAssembly component to build.
#[derive(Debug, PartialEq, Eq)]
pub struct Component {
    /// The cargo package, which is also the component's id.
    pub package: String,
    /// Where it has to lie after the build, as an absolute path.
    pub destination: PathBuf,
}

impl Workspace {
    /// Ask cargo about the workspace in which it runs this program. (Where it was compiled may have been another checkout with the same target folder.)
    ///
    /// # Errors
    /// When cargo cannot be run or rejects a manifest; the message is cargo's own.
    pub fn load() -> Result<Self> {
        #[derive(Deserialize)]
        struct Metadata {
            workspace_root: PathBuf,
            target_directory: PathBuf,
            packages: Vec<Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
            manifest_path: PathBuf,
        }
        let output = cargo()
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .current_dir(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into()))
            .output()
            .context("cannot run cargo; install Rust from https://rustup.rs")?;
        if !output.status.success() {
            bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).context("cannot read the answer of cargo metadata")?;
        let packages = metadata
            .packages
            .into_iter()
            .filter_map(|package| Some((package.name, package.manifest_path.parent()?.to_path_buf())))
            .collect();
        Ok(Self { root: metadata.workspace_root, target_dir: metadata.target_directory, packages })
    }

    /// The application's manifest.
    pub fn spin_manifest(&self) -> PathBuf {
        self.root.join("spin.toml")
    }

    /// The components that `spin.toml` expects from this workspace. Those fetched from elsewhere (a `source` table with
    /// `url`) are not built and left out.
    ///
    /// # Errors
    /// When the manifest cannot be read, or names a component for which there is no package.
    pub fn functions(&self) -> Result<Vec<Component>> {
        let path = self.spin_manifest();
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        self.functions_of(&text).with_context(|| format!("in {}", path.display()))
    }

    fn functions_of(&self, manifest: &str) -> Result<Vec<Component>> {
        let sources = local_sources(manifest)?;
        sources
            .into_iter()
            .map(|(id, source)| {
                ensure!(
                    self.packages.contains_key(&id),
                    "component `{id}` has the local source `{source}`, but the workspace has no package `{id}`; \
                     a component's id is the name of its package"
                );
                Ok(Component { destination: self.root.join(source), package: id })
            })
            .collect()
    }

    /// The components that the host's tests run: every package under `host/guests`.
    pub fn guests(&self) -> Vec<Component> {
        let folder = self.root.join("host/guests");
        let output = self.root.join("target").join(WASM_TARGET).join(WASM_PROFILE);
        self.packages
            .iter()
            .filter(|(_, path)| path.starts_with(&folder))
            .map(|(name, _)| Component { package: name.clone(), destination: output.join(file_name(name)) })
            .collect()
    }

    /// Where cargo writes the component of `package`.
    pub fn built(&self, package: &str) -> PathBuf {
        self.target_dir.join(WASM_TARGET).join(WASM_PROFILE).join(file_name(package))
    }
}

/// The cargo that runs this program, so that a `+toolchain` given to it holds for what we start.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Show `path` relative to `root` where it lies below.
pub fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Cargo names a library's file after its crate, which has underscores for hyphens.
fn file_name(package: &str) -> String {
    format!("{}.wasm", package.replace('-', "_"))
}

/// Component ids with a `source` that is a path, in the order of their names.
fn local_sources(manifest: &str) -> Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Manifest {
        #[serde(default)]
        component: BTreeMap<String, ComponentTable>,
    }
    #[derive(Deserialize)]
    struct ComponentTable {
        source: toml::Value,
    }
    let manifest: Manifest = toml::from_str(manifest).context("not a Spin manifest (version 2)")?;
    Ok(manifest
        .component
        .into_iter()
        .filter_map(|(id, component)| Some((id, component.source.as_str()?.to_owned())))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "example"
        [component.tea-house]
        source = "target/wasm32-wasip2/function/tea_house.wasm"
        [component.files]
        source = { url = "https://example.invalid/files.wasm", digest = "sha256:00" }
    "#;

    fn workspace(packages: &[(&str, &str)]) -> Workspace {
        Workspace {
            root: "/src".into(),
            target_dir: "/cache/target".into(),
            packages: packages.iter().map(|(name, path)| ((*name).to_owned(), path.into())).collect(),
        }
    }

    #[test]
    fn local_components_are_built_and_remote_ones_left_alone() {
        let functions = workspace(&[("tea-house", "/src/functions/tea-house")]).functions_of(MANIFEST).unwrap();
        let destination = "/src/target/wasm32-wasip2/function/tea_house.wasm".into();
        assert_eq!(functions, [Component { package: "tea-house".into(), destination }]);
    }

    #[test]
    fn a_component_without_package_is_named_in_the_error() {
        let error = workspace(&[]).functions_of(MANIFEST).unwrap_err().to_string();
        assert!(error.contains("`tea-house`"), "{error}");
    }

    #[test]
    fn guests_are_the_packages_under_host_guests() {
        let workspace =
            workspace(&[("guest-a", "/src/host/guests/a"), ("host", "/src/host"), ("kit", "/src/crates/kit")]);
        let names: Vec<_> = workspace.guests().into_iter().map(|guest| guest.package).collect();
        assert_eq!(names, ["guest-a"]);
    }

    #[test]
    fn cargo_writes_underscores_into_its_own_target_dir() {
        let path = workspace(&[]).built("tea-house");
        assert_eq!(path, Path::new("/cache/target/wasm32-wasip2/function/tea_house.wasm"));
    }
}
