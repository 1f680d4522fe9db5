//! Where the application's databases and key-value stores lie: the runtime configuration file, and the defaults.
//!
//! The file is Spin's (`--runtime-config-file`), of which this host knows `[sqlite_database.NAME]` and
//! `[key_value_store.NAME]` of type `spin`, that is, SQLite files. Anything else is refused by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::manifest::App;

/// The label that is there without configuration.
pub const DEFAULT_LABEL: &str = "default";

/// Where each database and store lies, by label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// SQLite databases; the label `default` is always there.
    pub databases: BTreeMap<String, DatabaseConfig>,
    /// The SQLite files that hold key-value stores; the label `default` is always there.
    pub stores: BTreeMap<String, PathBuf>,
}

/// One SQLite database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// The database file.
    pub path: PathBuf,
    /// Guests may `ATTACH` other files to their connections.
    pub allow_attach_file: bool,
}

/// Why a runtime configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeConfigError {
    /// The file cannot be read.
    #[error("cannot read the runtime configuration {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not TOML.
    #[error("the runtime configuration is not valid TOML: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Something that this host does not support, by its full name.
    #[error("the runtime configuration has what this host does not support: {0}")]
    Unsupported(String),
    /// A key has a value that makes no sense, or none.
    #[error("the runtime configuration's {key}: {problem}")]
    Invalid {
        /// The key's full name.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// The manifest names a database or store that is not configured.
    #[error(
        "component.{component}.{key} names {label:?}, which the runtime configuration does not have: \
         add [{table}.{label}] to the file given by --runtime-config-file"
    )]
    NotConfigured {
        /// The component.
        component: String,
        /// The manifest's key.
        key: &'static str,
        /// The label that is missing.
        label: String,
        /// The table of the runtime configuration that would hold it.
        table: &'static str,
    },
}

/// The table of type `spin` for a database.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatabaseTable {
    path: PathBuf,
    #[serde(default)]
    allow_attach_file: bool,
}

/// The table of type `spin` for a store.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreTable {
    path: PathBuf,
}

const DATABASES: &str = "sqlite_database";
const STORES: &str = "key_value_store";

impl RuntimeConfig {
    /// What holds without a file: both `default`s in the state directory, in files of Spin's names.
    #[must_use]
    pub fn defaults(state_dir: &Path) -> Self {
        let path = state_dir.join("sqlite_db.db");
        let database = DatabaseConfig { path, allow_attach_file: false };
        let label = || DEFAULT_LABEL.to_owned();
        Self {
            databases: BTreeMap::from([(label(), database)]),
            stores: BTreeMap::from([(label(), state_dir.join("sqlite_key_value.db"))]),
        }
    }

    /// The defaults, overlaid with the file at `path`. As in Spin, a database's relative path is relative to the
    /// working directory, a store's to the file's folder.
    ///
    /// # Errors
    /// [`RuntimeConfigError`]: the file cannot be read, is not TOML, or has something unsupported.
    pub fn load(path: &Path, state_dir: &Path) -> Result<Self, RuntimeConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RuntimeConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path.parent().unwrap_or(Path::new("")), state_dir)
    }

    /// The defaults, overlaid with a file's text; `folder` is the file's.
    ///
    /// # Errors
    /// [`RuntimeConfigError`]: the text is not TOML, or has something unsupported.
    pub fn parse(text: &str, folder: &Path, state_dir: &Path) -> Result<Self, RuntimeConfigError> {
        let file: Table = text.parse()?;
        let mut config = Self::defaults(state_dir);
        for (key, value) in file {
            match key.as_str() {
                DATABASES => {
                    for (label, table) in labels(DATABASES, value)? {
                        let DatabaseTable { path, allow_attach_file } = of_type_spin(DATABASES, &label, table)?;
                        config.databases.insert(label, DatabaseConfig { path, allow_attach_file });
                    }
                }
                STORES => {
                    for (label, table) in labels(STORES, value)? {
                        let StoreTable { path } = of_type_spin(STORES, &label, table)?;
                        config.stores.insert(label, folder.join(path));
                    }
                }
                _ => return Err(RuntimeConfigError::Unsupported(key)),
            }
        }
        Ok(config)
    }

    /// Checks that every database and store that the application names is configured.
    ///
    /// # Errors
    /// [`RuntimeConfigError::NotConfigured`] for the first one that is not.
    pub fn check(&self, app: &App) -> Result<(), RuntimeConfigError> {
        for (id, component) in &app.components {
            let missing = |key, label: &String, table| RuntimeConfigError::NotConfigured {
                component: id.clone(),
                key,
                label: label.clone(),
                table,
            };
            for label in &component.sqlite_databases {
                if !self.databases.contains_key(label) {
                    return Err(missing("sqlite_databases", label, DATABASES));
                }
            }
            for label in &component.key_value_stores {
                if !self.stores.contains_key(label) {
                    return Err(missing("key_value_stores", label, STORES));
                }
            }
        }
        Ok(())
    }
}

/// The tables by label under `kind`.
fn labels(kind: &str, value: Value) -> Result<BTreeMap<String, Table>, RuntimeConfigError> {
    value.try_into().map_err(|error: toml::de::Error| RuntimeConfigError::Invalid {
        key: kind.to_owned(),
        problem: error.message().to_owned(),
    })
}

/// A table's own keys, once its `type` is known to be `spin`.
fn of_type_spin<T: serde::de::DeserializeOwned>(
    kind: &str,
    label: &str,
    mut table: Table,
) -> Result<T, RuntimeConfigError> {
    let key = format!("{kind}.{label}");
    match table.remove("type") {
        Some(Value::String(name)) if name == "spin" => table
            .try_into()
            .map_err(|error: toml::de::Error| RuntimeConfigError::Invalid { key, problem: error.message().to_owned() }),
        Some(other) => Err(RuntimeConfigError::Unsupported(format!("{key}.type = {other}"))),
        None => {
            let problem = "has no type; this host knows type = \"spin\"".to_owned();
            Err(RuntimeConfigError::Invalid { key, problem })
        }
    }
}

#[cfg(test)]
mod tests;
