//! Manifests for a part of the application, or for the host's own test component.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::host::root;

/// The component of the host's tests that answers `/hello`, `/sleep?MILLISECONDS` and more.
const GUEST: &str = "target/wasm32-wasip2/function/host_guest_p3.wasm";

/// Write a manifest into `folder` that has of the application only the component `id`, with its routes; returns its path.
///
/// # Errors
/// When spin.toml cannot be read or has no such component.
pub fn only(id: &str, folder: &Path) -> Result<PathBuf> {
    let path = root().join("spin.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut manifest: Table = toml::from_str(&text)?;
    let components = manifest.get_mut("component").and_then(Value::as_table_mut).context("no components")?;
    let mut component = components.remove(id).with_context(|| format!("spin.toml has no component {id}"))?;
    let source = component.get_mut("source").context("a component without source")?;
    *source = absolute(source.as_str().context("a source that is no path")?).into();
    *components = Table::from_iter([(id.to_owned(), component)]);
    let triggers = manifest.get_mut("trigger").and_then(|triggers| triggers.get_mut("http"));
    let triggers = triggers.and_then(Value::as_array_mut).context("no HTTP triggers")?;
    triggers.retain(|trigger| trigger.get("component").and_then(Value::as_str) == Some(id));
    write(folder, &manifest)
}

/// Write a manifest into `folder` with the host's own test component at every path; returns its path.
///
/// # Errors
/// When the folder cannot be written to.
pub fn guest(folder: &Path) -> Result<PathBuf> {
    let mut manifest = toml::toml! {
        spin_manifest_version = 2

        [application]
        name = "guest"

        [[trigger.http]]
        route = "/..."
        component = "guest"

        [component.guest]
    };
    let guest = manifest.get_mut("component").and_then(|components| components.get_mut("guest"));
    let guest = guest.and_then(Value::as_table_mut).context("the manifest above has lost its component")?;
    guest.insert("source".to_owned(), absolute(GUEST).into());
    write(folder, &manifest)
}

fn absolute(source: &str) -> String {
    root().join(source).display().to_string()
}

fn write(folder: &Path, manifest: &Table) -> Result<PathBuf> {
    let path = folder.join("spin.toml");
    std::fs::write(&path, toml::to_string(manifest)?).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
