//! The HTTP client that all components share: connections are kept and used again, HTTPS included.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use http::header::HOST;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client as Pool};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use wasmtime_wasi_http::{Error, WasiBody};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The HTTP client. Clones share their connections.
#[derive(Clone)]
pub struct Client(Pool<HttpsConnector<HttpConnector>, WasiBody>);

impl Client {
    /// A client that trusts the system's certificate authorities, or Mozilla's where the system has none.
    ///
    /// # Errors
    /// The cryptography that rustls was built with does not support its own default protocol versions.
    pub fn new() -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let builder = || {
            let provider = rustls::crypto::ring::default_provider();
            rustls::ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions()
        };
        let config = match builder()?.with_native_roots() {
            Ok(builder) => builder,
            Err(_) => builder()?.with_webpki_roots(),
        };
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(config.with_no_client_auth())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let pool = Pool::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https);
        Ok(Self(pool))
    }

    /// Sends a request with an absolute URI.
    ///
    /// # Errors
    /// What went wrong, in the terms of `wasi:http`.
    pub async fn send(&self, mut request: Request<WasiBody>) -> Result<Response<WasiBody>, Error> {
        // The client sets it by itself, and must not for HTTP/2.
        request.headers_mut().remove(HOST);
        match self.0.request(request).await {
            Ok(response) => Ok(response.map(|body| body.map_err(Error::Hyper).boxed_unsync())),
            Err(error) => Err(explain(&error)),
        }
    }
}

/// The client's error in the terms of `wasi:http`.
fn explain(error: &legacy::Error) -> Error {
    let mut source: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(cause) = source {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return match tls {
                rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
                _ => Error::TlsProtocolError,
            };
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            let inner = io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return Error::ConnectionRefused,
                io::ErrorKind::TimedOut => return Error::ConnectionTimeout,
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                    return Error::ConnectionTerminated;
                }
                io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
                    return Error::DestinationIpUnroutable;
                }
                _ if inner => {}
                _ if error.is_connect() => {
                    return Error::DnsError { rcode: Some(io.to_string()), info_code: None };
                }
                _ => {}
            }
            // An io::Error's source() skips what it wraps.
            source = match io.get_ref() {
                Some(inner) => Some(inner),
                None => cause.source(),
            };
            continue;
        }
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
            return Error::ConnectionTerminated;
        }
        source = cause.source();
    }
    if error.is_connect() { Error::DestinationUnavailable } else { Error::HttpProtocolError }
}
