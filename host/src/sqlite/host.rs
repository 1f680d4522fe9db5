//! The guest's side of `spin:sqlite`: handles in, results, row streams and errors out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, HasSelf, Resource, StreamProducer, StreamReader, StreamResult, VecBuffer,
};

use super::SqliteState;
use super::connection::{Connection, Link, Place};
use super::statement::{Charge, Rows};
use crate::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};

impl SqliteState {
    fn open_connection(&mut self, label: &str) -> Result<Resource<Connection>, Error> {
        if !self.allowed.contains(label) {
            return Err(Error::AccessDenied);
        }
        let database = self.databases.get(label).ok_or(Error::NoSuchDatabase)?;
        let writers = self.writers.entry(database.file().to_owned()).or_default().clone();
        let connection = Connection::new(Arc::clone(database), writers, self.budget.clone());
        self.table.push(connection).map_err(|_| Error::Io("too many connections opened".to_owned()))
    }

    fn link(&self, connection: &Resource<Connection>) -> wasmtime::Result<Arc<Link>> {
        Ok(self.table.get(connection)?.link())
    }
}

impl Host for SqliteState {}

impl HostConnection for SqliteState {
    async fn open(&mut self, label: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(self.open_connection(&label))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let result = self.link(&connection)?.execute(sql, parameters, Place::Here).await;
        Ok(result.map(|Rows { columns, rows, .. }| QueryResult { columns, rows }))
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        Ok(self.link(&connection)?.last_insert_rowid().await?)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.link(&connection)?.changes().await?)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send> HostConnectionWithStore<T> for HasSelf<SqliteState> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(accessor.with(|mut access| access.get().open_connection(&label)))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        sql: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<(Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>), Error>> {
        let link = accessor.with(|mut access| access.get().link(&connection))?;
        let (columns, rows, result) = match link.execute(sql, parameters, Place::Anywhere).await {
            Ok(Rows { columns, rows, charge }) => {
                (columns, RowStream { rows: rows.into_iter(), charge: Some(charge) }, Ok(()))
            }
            // As in Spin, a failed statement has no rows and says so at the end of them.
            Err(error) => (Vec::new(), RowStream::default(), Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, rows)?;
            let result = FutureReader::new(&mut access, async move { wasmtime::error::Ok(result) })?;
            Ok(Ok((columns, rows, result)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let link = accessor.with(|mut access| access.get().link(&connection))?;
        Ok(link.last_insert_rowid().await?)
    }

    async fn changes_async(accessor: &Accessor<T, Self>, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        let link = accessor.with(|mut access| access.get().link(&connection))?;
        Ok(link.changes().await?)
    }
}

/// Rows on their way to the guest, counted against its budget until the last is there.
#[derive(Default)]
struct RowStream {
    rows: std::vec::IntoIter<RowResult>,
    charge: Option<Charge>,
}

impl<T> StreamProducer<T> for RowStream {
    type Item = RowResult;
    type Buffer = VecBuffer<RowResult>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
        store: StoreContextMut<'a, T>,
        mut destination: Destination<'a, RowResult, VecBuffer<RowResult>>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let this = self.get_mut();
        // As many as the guest has room for: what is handed over and not read would be kept, but not counted.
        let room = destination.remaining(store).unwrap_or(usize::MAX);
        let rows: Vec<_> = this.rows.by_ref().take(room).collect();
        destination.set_buffer(rows.into());
        Poll::Ready(Ok(if this.rows.len() == 0 {
            this.charge = None;
            StreamResult::Dropped
        } else {
            StreamResult::Completed
        }))
    }
}
