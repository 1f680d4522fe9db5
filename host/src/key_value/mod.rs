//! `spin:key-value@3.0.0` over SQLite files, in Spin's table, so that Spin and this host can use one file.

mod file;
mod host;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker, ResourceTable};

pub use host::Store;

use crate::bindings::spin::key_value::key_value;
use crate::runtime_config::RuntimeConfig;
use file::StoreFile;

/// Stores that one instance may have open: Spin's number.
const OPEN_STORES: usize = 256;

/// Why the stores cannot be made ready.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the folder of the key-value store {path}: {source}")]
pub struct KeyValueError {
    path: PathBuf,
    source: io::Error,
}

/// The application's key-value stores, shared by all instances.
pub struct KeyValueHost {
    files: Arc<BTreeMap<String, Arc<StoreFile>>>,
}

impl KeyValueHost {
    /// The configured stores. Makes their folders; a file is made when first used.
    ///
    /// # Errors
    /// [`KeyValueError`]: a folder cannot be made.
    pub fn new(config: &RuntimeConfig) -> Result<Self, KeyValueError> {
        // Labels of one file are stores of their own in it, and share its connections.
        let mut by_path: BTreeMap<PathBuf, Arc<StoreFile>> = BTreeMap::new();
        let mut files = BTreeMap::new();
        for (label, path) in &config.stores {
            let failed = |source| KeyValueError { path: path.clone(), source };
            let path = std::path::absolute(path).map_err(failed)?;
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(failed)?;
            }
            let file = by_path.entry(path.clone()).or_insert_with(|| Arc::new(StoreFile::new(path)));
            files.insert(label.clone(), Arc::clone(file));
        }
        Ok(Self { files: Arc::new(files) })
    }

    /// What one instance of a component needs: access to the stores of the labels `allowed`.
    #[must_use]
    pub fn instance(&self, allowed: Arc<BTreeSet<String>>) -> KeyValueState {
        let mut table = ResourceTable::new();
        table.set_max_capacity(OPEN_STORES);
        KeyValueState { files: Arc::clone(&self.files), allowed, table }
    }
}

/// One instance's open stores.
pub struct KeyValueState {
    files: Arc<BTreeMap<String, Arc<StoreFile>>>,
    allowed: Arc<BTreeSet<String>>,
    table: ResourceTable,
}

/// Gives guests of `linker` the interface `spin:key-value/key-value@3.0.0`; `state` finds the instance's part in the
/// store's data.
///
/// # Errors
/// The linker's, where it already has the interface.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    state: fn(&mut T) -> &mut KeyValueState,
) -> wasmtime::Result<()> {
    key_value::add_to_linker::<T, HasSelf<KeyValueState>>(linker, state)
}
