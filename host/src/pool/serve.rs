//! One request inside one instance: the call of the guest's export, and the answer to whoever waits for it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::oneshot;
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut, Result};
use wasmtime_wasi_http::handler::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{WasiBody, WasiHttpView, p2, p3};

use crate::call::{Call, Failure};
use crate::guest::Guest;

/// The answer to a request.
pub(super) type Answer = Result<Response<WasiBody>, Failure>;

/// A request for a component, and where its answer goes.
pub(super) struct Job {
    pub(super) request: Request<WasiBody>,
    pub(super) call: Arc<Call>,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// Hands `job` to the guest and its answer to the caller. Returns when the guest has answered; what it does after that
/// goes on in the instance.
///
/// # Errors
/// A trap, which is the end of the instance.
pub(super) async fn serve(accessor: &Accessor<Guest>, proxy: &Proxy, job: Job) -> Result<()> {
    job.call.mark_begun();
    match proxy {
        Proxy::P3(service) => serve_p3(accessor, service, job).await,
        Proxy::P2(service) => serve_p2(accessor, service, job).await,
    }
}

async fn serve_p3(accessor: &Accessor<Guest>, service: &p3::bindings::Service, job: Job) -> Result<()> {
    let Job { request, call, reply } = job;
    let handle = service.wasi_http_handler().func_handle();
    let (started, sent) = accessor.with(|mut access| {
        let mut store = access.as_context_mut();
        let http = store.data_mut().http();
        let (request, sent) = p3::Request::from_http(http.hooks, request);
        let sent: BoxFuture<'static, _> = Box::pin(sent);
        let request = http.table.push(request)?;
        let started = handle.start_call_concurrent(&mut store, (request,))?;
        store.data_mut().calls.started(started.task(), call);
        wasmtime::error::Ok((started, sent))
    })?;
    let (answer,) = handle.finish_call_concurrent(accessor, started).await?;
    let answer = match answer {
        Ok(response) => accessor.with(|mut access| {
            let response = access.data_mut().http().table.delete(response)?;
            response.into_http(&mut access, sent).map(Ok)
        })?,
        Err(code) => {
            tracing::warn!(?code, "the component returned an error in place of a response");
            Err(Failure::NoResponse)
        }
    };
    // A caller that has gone needs no answer.
    drop(reply.send(answer));
    Ok(())
}

async fn serve_p2(accessor: &Accessor<Guest>, service: &p2::bindings::Proxy, job: Job) -> Result<()> {
    let Job { request, call, reply } = job;
    let handle = service.wasi_http_incoming_handler().func_handle();
    // The guest answers while its function runs on, or never.
    let reply = Arc::new(Mutex::new(Some(reply)));
    let take = |reply: &Mutex<Option<_>>| reply.lock().unwrap_or_else(PoisonError::into_inner).take();
    let started = accessor.with(|mut access| {
        let mut store = access.as_context_mut();
        let mut http = store.data_mut().http();
        let request = http.new_incoming_request(Scheme::Http, request)?;
        let reply = reply.clone();
        let out = http.new_response_outparam_from_callback(move |answer| {
            if let Some(reply) = take(&reply) {
                drop(reply.send(answer.map_err(|code| {
                    tracing::warn!(?code, "the component returned an error in place of a response");
                    Failure::NoResponse
                })));
            }
        })?;
        let started = handle.start_call_concurrent(&mut store, (request, out))?;
        store.data_mut().calls.started_alone(started.task(), call);
        wasmtime::error::Ok(started)
    })?;
    handle.finish_call_concurrent(accessor, started).await?;
    if let Some(reply) = take(&reply) {
        drop(reply.send(Err(Failure::NoResponse)));
    }
    Ok(())
}
