//! An HTTP client that hides nothing: statuses and headers as they come, and no redirects or retries.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::PATIENCE;

type Inner = legacy::Client<HttpsConnector<HttpConnector>, UnsyncBoxBody<Bytes, BoxError>>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client, by default of one host.
#[derive(Clone)]
pub struct Client {
    inner: Inner,
    url: String,
}

/// A whole response.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub version: Version,
    pub headers: HeaderMap,
    pub body: String,
}

impl Client {
    pub fn new() -> Self {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(RootCertStore::empty());
        Self::with(config.with_no_client_auth())
    }

    /// A client that takes any certificate.
    pub fn trusting_all() -> Self {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.dangerous().with_custom_certificate_verifier(Arc::new(Trust(provider)));
        Self::with(config.with_no_client_auth())
    }

    fn with(config: ClientConfig) -> Self {
        let connector = HttpsConnectorBuilder::new().with_tls_config(config);
        let connector = connector.https_or_http().enable_all_versions().build();
        let inner = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { inner, url: String::new() }
    }

    /// The same client, its paths being below `url`.
    pub fn at(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    /// GETs a path.
    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Bytes::new()).await
    }

    /// Sends a request with a body and reads the response.
    pub async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Reply {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        let body = Full::new(body.into()).map_err(|never| match never {});
        self.request(request.body(body).unwrap()).await
    }

    /// Sends any request to an absolute address and reads the response.
    pub async fn request<B>(&self, request: Request<B>) -> Reply
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = self.open(request).await.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await.expect("no end of the body");
        let body = String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap();
        Reply { status: parts.status, version: parts.version, headers: parts.headers, body }
    }

    /// Sends any request and gives the response as it begins.
    pub async fn open<B>(&self, request: Request<B>) -> Response<Incoming>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        let response = tokio::time::timeout(PATIENCE, self.inner.request(request));
        response.await.expect("no answer").unwrap()
    }

    /// Sends a request and goes away after a while, without reading what comes.
    pub async fn abandon(&self, method: &str, path: &str, body: impl Into<Bytes>, after: Duration) {
        // A client of its own: dropping a pooled connection's request closes the connection in any case, but later.
        let alone = Self::new().at(&self.url);
        let left = tokio::time::timeout(after, alone.send(method, path, body)).await;
        assert!(left.is_err(), "it answered: {left:?}");
    }

    /// The absolute address of a path.
    pub fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Reply {
    /// The body of a response that has to be 200.
    pub fn ok(self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is the host's own answer of this status: problem details.
    pub fn is_problem(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], status);
    }
}

/// Takes any certificate: the tests' are made by themselves, for the address 127.0.0.1.
#[derive(Debug)]
struct Trust(Arc<CryptoProvider>);

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
