//! The guest's side of `spin:key-value`.

use std::sync::Arc;

use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use super::KeyValueState;
use super::file::StoreFile;
use crate::bindings::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore};

/// The guest's handle of a store.
#[derive(Clone)]
pub struct Store {
    label: Arc<str>,
    file: Arc<StoreFile>,
}

impl KeyValueState {
    fn open(&mut self, label: &str) -> Result<Resource<Store>, Error> {
        if !self.allowed.contains(label) {
            return Err(Error::AccessDenied);
        }
        let file = Arc::clone(self.files.get(label).ok_or(Error::NoSuchStore)?);
        let store = Store { label: label.into(), file };
        self.table.push(store).map_err(|_| Error::StoreTableFull)
    }
}

impl Host for KeyValueState {}

impl HostStore for KeyValueState {
    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl<T: Send> HostStoreWithStore<T> for HasSelf<KeyValueState> {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        Ok(accessor.with(|mut access| access.get().open(&label)))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let Store { label, file } = find(accessor, &store)?;
        Ok(file.get(&label, &key).map_err(failed))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let Store { label, file } = find(accessor, &store)?;
        Ok(file.set(label, key, value).await.map_err(Error::Other))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let Store { label, file } = find(accessor, &store)?;
        Ok(file.delete(label, key).await.map_err(Error::Other))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let Store { label, file } = find(accessor, &store)?;
        Ok(file.exists(&label, &key).map_err(failed))
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let Store { label, file } = find(accessor, &store)?;
        let (keys, result) = match file.keys(&label) {
            Ok(Some(keys)) => (keys, Ok(())),
            Ok(None) => (Vec::new(), Err(Error::Other("the store has too many keys to list".to_owned()))),
            Err(error) => (Vec::new(), Err(failed(error))),
        };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let result = FutureReader::new(&mut access, async move { wasmtime::error::Ok(result) })?;
            Ok((keys, result))
        })
    }
}

fn find<T: Send>(accessor: &Accessor<T, HasSelf<KeyValueState>>, store: &Resource<Store>) -> wasmtime::Result<Store> {
    accessor.with(|mut access| Ok(access.get().table.get(store)?.clone()))
}

fn failed(error: rusqlite::Error) -> Error {
    Error::Other(error.to_string())
}
