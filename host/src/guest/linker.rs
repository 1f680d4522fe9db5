//! What a component may import: WASI 0.2 and 0.3, outbound HTTP, and the services of this host.

use wasmtime::component::{Accessor, HasData, Linker, Resource};
use wasmtime::{AsContextMut, Engine, Result, StoreContextMut};
use wasmtime_wasi::p2::bindings::io::streams::{self, Host, HostOutputStream};
use wasmtime_wasi::p2::{DynOutputStream, StreamResult};
use wasmtime_wasi::{TrappableError, WasiView};
use wasmtime_wasi_http::p3::bindings::http::client;
use wasmtime_wasi_http::p3::bindings::http::types::{self, ErrorCode};
use wasmtime_wasi_http::p3::{Request, Response};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtxView, WasiHttpView};

use super::{Calls, Guest};
use crate::{key_value, sqlite, variables};

/// The linker with everything that the host offers. A component that imports anything else does not link.
///
/// # Errors
/// Only where two parts of the host define the same function, which no input can cause.
pub fn linker(engine: &Engine) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    types::add_to_linker::<_, WasiHttp>(&mut linker, Guest::http)?;
    client::add_to_linker::<_, AttributedClient>(&mut linker, Guest::http)?;
    sqlite::add_to_linker(&mut linker, |guest| &mut guest.sqlite)?;
    key_value::add_to_linker(&mut linker, |guest| &mut guest.key_value)?;
    variables::add_to_linker(&mut linker, |guest| &mut guest.variables)?;
    attribute_output(&mut linker)?;
    Ok(linker)
}

/// Outbound HTTP as `wasmtime-wasi-http` has it, with the call known that the request is made for.
struct AttributedClient;

impl HasData for AttributedClient {
    type Data<'a> = WasiHttpCtxView<'a>;
}

impl client::HostWithStore<Guest> for AttributedClient {
    async fn send(
        store: &Accessor<Guest, Self>,
        request: Resource<Request>,
    ) -> Result<Resource<Response>, TrappableError<ErrorCode>> {
        store.with(|mut access| Calls::attribute(&mut access.as_context_mut()));
        let plain = store.with_getter::<WasiHttp>(Guest::http);
        <WasiHttp as client::HostWithStore<Guest>>::send(&plain, request).await
    }
}

/// The interface by which guests, those of WASI 0.3 included, write standard output: wasmtime-wasi's version of it.
const STREAMS: &str = "wasi:io/streams@0.2.12";

/// Puts attribution before the two functions that write to output streams.
fn attribute_output(linker: &mut Linker<Guest>) -> Result<()> {
    type Write = (Resource<DynOutputStream>, Vec<u8>);

    linker.allow_shadowing(true);
    let mut instance = linker.instance(STREAMS)?;
    instance.func_wrap(
        "[method]output-stream.write",
        |mut store: StoreContextMut<'_, Guest>, (stream, bytes): Write| {
            Calls::attribute(&mut store);
            let table = store.data_mut().ctx().table;
            let written = table.write(stream, bytes);
            Ok((answer(table, written)?,))
        },
    )?;
    instance.func_wrap_async(
        "[method]output-stream.blocking-write-and-flush",
        |mut store: StoreContextMut<'_, Guest>, (stream, bytes): Write| {
            Box::new(async move {
                Calls::attribute(&mut store);
                let table = store.data_mut().ctx().table;
                let written = table.blocking_write_and_flush(stream, bytes).await;
                Ok((answer(table, written)?,))
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What the guest is told of a write.
fn answer(
    table: &mut wasmtime_wasi::ResourceTable,
    written: StreamResult<()>,
) -> Result<Result<(), streams::StreamError>> {
    match written {
        Ok(()) => Ok(Ok(())),
        Err(error) => table.convert_stream_error(error).map(Err),
    }
}
