//! The HTTP server: connections in, requests to the application, answers out, and an end that finishes what has begun.

mod received;
mod request;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::uri::Scheme;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::application::{Application, Origin};
use crate::metrics::Metrics;

pub use tls::acceptor;

/// A client has this long to send the head of a request, or to finish a TLS handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A listener that is bound and serves once it is told to.
pub struct Server {
    application: Arc<Application>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
}

impl Server {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is in use, or not this machine's.
    pub async fn bind(
        application: Arc<Application>,
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        Ok(Self { application, listener, tls, address })
    }

    /// Where it listens, as a URL without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.address)
    }

    /// Serves until `stop` is ready, then takes no more requests and finishes those that it has, within the limit for a
    /// shutdown.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let limits = &self.application.limits;
        let slots = Arc::new(Semaphore::new(limits.connections));
        let connections = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            // Clients above the limit wait in the system's backlog.
            let slot = tokio::select! {
                () = &mut stop => break,
                slot = slots.clone().acquire_owned() => slot,
            };
            let (stream, client) = tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Mostly too many open files, which passes.
                        tracing::error!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let connection = Arc::new(Connection {
                application: self.application.clone(),
                origin: Origin::client(self.scheme(), client),
            });
            let (tls, watcher) = (self.tls.clone(), connections.watcher());
            tokio::spawn(async move {
                connection.application.metrics.connections.inc();
                connection.clone().serve(stream, tls, watcher).await;
                connection.application.metrics.connections.dec();
                drop(slot);
            });
        }
        drop(self.listener);
        let finish = async {
            connections.shutdown().await;
            self.application.drain().await;
        };
        if tokio::time::timeout(limits.shutdown_timeout, finish).await.is_err() {
            tracing::warn!("shut down with requests unfinished");
        }
    }

    fn scheme(&self) -> Scheme {
        if self.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP }
    }
}

/// One client's connection.
struct Connection {
    application: Arc<Application>,
    origin: Origin,
}

impl Connection {
    async fn serve(self: Arc<Self>, stream: TcpStream, tls: Option<TlsAcceptor>, watcher: Watcher) {
        // Small parts of a response should not wait for the acknowledgement of earlier ones.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let Some(tls) = tls else { return self.speak(stream, watcher).await };
        match tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.speak(stream, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn speak(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, watcher: Watcher) {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        builder.http2().timer(TokioTimer::new());
        let service = service_fn(move |request| {
            let connection = self.clone();
            async move { request::answer(&connection.application, &connection.origin, request).await }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error, "a connection broke");
        }
    }
}

/// Serves the host's figures on `address` at `/metrics`, for as long as the future is polled.
///
/// # Errors
/// The address is in use, or not this machine's.
pub async fn serve_metrics(
    address: SocketAddr,
    application: Arc<Application>,
) -> anyhow::Result<impl Future<Output = ()>> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address} for metrics"))?;
    Ok(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let application = application.clone();
            tokio::spawn(async move {
                let service = service_fn(async |request| {
                    Ok::<_, std::convert::Infallible>(figures(&application.metrics, &request))
                });
                let builder = hyper::server::conn::http1::Builder::new();
                let connection = builder.serve_connection(TokioIo::new(stream), service);
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a metrics connection broke");
                }
            });
        }
    })
}

fn figures<B>(metrics: &Metrics, request: &http::Request<B>) -> http::Response<Full<bytes::Bytes>> {
    let mut response = http::Response::new(Full::default());
    match (request.uri().path(), metrics.text()) {
        ("/metrics", Ok(text)) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            let kind = http::HeaderValue::from_static(kind);
            response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
            *response.body_mut() = text.into();
        }
        ("/metrics", Err(_)) => *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR,
        _ => *response.status_mut() = http::StatusCode::NOT_FOUND,
    }
    response
}
