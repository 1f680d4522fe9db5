//! The application's manifest, `spin.toml`, as Spin's manifest version 2 defines it.
//!
//! What this host cannot do is refused when the manifest is read, with the full name of the key, so
//! that an application never runs with a part of it silently missing. What Spin itself only keeps
//! for people or for its build command (`description`, `authors`, `build`, `targets`, `profile`, other
//! programs' `tool` tables) is accepted and left alone.

mod keys;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schema::Document;

/// An application: its components, what calls them, and its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// `application.name`.
    pub name: String,
    /// The components, by id.
    pub components: BTreeMap<String, Component>,
    /// The HTTP triggers, in the manifest's order: of two with the same route the later one counts.
    pub triggers: Vec<HttpTrigger>,
    /// The application's variables (`[variables]`), by name.
    pub variables: BTreeMap<String, Variable>,
}

/// One component and what it may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The component's id, which is also its host name in service chaining (`ID.spin.internal`).
    pub id: String,
    /// The Wasm file, resolved against the manifest's folder.
    pub source: PathBuf,
    /// The process environment that the guest sees.
    pub environment: BTreeMap<String, String>,
    /// Where the component may connect to, as written: entries may contain `{{ variable }}`.
    pub allowed_outbound_hosts: Vec<String>,
    /// The component's variables by name; values may contain `{{ variable }}`.
    pub variables: BTreeMap<String, String>,
    /// Labels of the key-value stores it may open.
    pub key_value_stores: BTreeSet<String>,
    /// Labels of the SQLite databases it may open.
    pub sqlite_databases: BTreeSet<String>,
    /// The path that the host's tick calls (`[component.ID.tool.siyu] tick = "/path"`), if any.
    pub tick: Option<String>,
}

/// What makes a component run: a public route, or other components' calls only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTrigger {
    /// The id of the component that answers.
    pub component: String,
    /// Where it answers.
    pub route: Route,
}

/// The `route` of an HTTP trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A pattern of paths, as written: `/exact`, `/prefix/...`, `/with/:name`.
    Path(String),
    /// `{ private = true }`: reachable by service chaining only.
    Private,
}

/// The declaration of an application variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The value where no other source has one; `None` for a required variable.
    pub default: Option<String>,
    /// The value must not appear in logs or errors.
    pub secret: bool,
}

/// Why a manifest was refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The manifest's path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not TOML.
    #[error("not valid TOML: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Keys that this host does not support, by their full names.
    #[error("not supported by this host (docs/host.md lists what is): {}", .0.join(", "))]
    Unsupported(Vec<String>),
    /// A key has a value that makes no sense.
    #[error("{key}: {problem}")]
    Invalid {
        /// The key's full name, such as `component.orders.source`.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

impl ManifestError {
    /// A key with a value that makes no sense.
    fn invalid(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { key: key.into(), problem: problem.into() }
    }
}

impl App {
    /// Reads the manifest at `path`; component sources are relative to its folder.
    ///
    /// # Errors
    /// [`ManifestError`]: the file cannot be read, or [`App::parse`] refuses it.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ManifestError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads a manifest from its text; component sources are relative to `folder`.
    ///
    /// # Errors
    /// [`ManifestError`]: not TOML, a key that this host does not support, or a value that makes no sense.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ManifestError> {
        let table: toml::Table = text.parse()?;
        keys::check(&table)?;
        let document: Document = serde_path_to_error::deserialize(toml::Value::Table(table))
            .map_err(|error| ManifestError::invalid(error.path().to_string(), error.inner().message()))?;
        document.into_app(folder)
    }
}

#[cfg(test)]
mod tests;
