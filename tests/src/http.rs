//! A small HTTP client: what a person, a till or a platform sends, and what it gets back, whole.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Nothing that these tests ask for may take longer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Keeps connections alive, and carries the bearer token if it has one.
#[derive(Clone)]
pub struct Client {
    inner: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
    token: Option<String>,
}

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// From sending the request until the last byte of the body.
    pub took: Duration,
}

impl Client {
    /// A client without a token.
    pub fn new() -> Self {
        let inner = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { inner, token: None }
    }

    /// The same client with a bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { inner: self.inner.clone(), token: Some(token.to_owned()) }
    }

    /// Send a request and read the whole answer.
    ///
    /// # Errors
    /// When the request cannot be made, there is no answer, or it takes longer than 30 s.
    pub async fn send(&self, method: &str, url: &str, headers: &HeaderMap, body: Vec<u8>) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(url).body(Full::from(body))?;
        request.headers_mut().extend(headers.clone());
        if let Some(token) = &self.token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
        }
        let start = Instant::now();
        let exchange = async {
            let (head, body) = self.inner.request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            anyhow::Ok(Answer { status: head.status, headers: head.headers, body, took: start.elapsed() })
        };
        let answer = tokio::time::timeout(TIMEOUT, exchange).await;
        answer
            .with_context(|| format!("no answer to {method} {url} in 30 s"))?
            .with_context(|| format!("{method} {url}"))
    }

    /// GET.
    ///
    /// # Errors
    /// As for [`Client::send`].
    pub async fn get(&self, url: &str) -> Result<Answer> {
        self.send("GET", url, &HeaderMap::new(), Vec::new()).await
    }

    /// Send JSON.
    ///
    /// # Errors
    /// As for [`Client::send`].
    pub async fn json(&self, method: &str, url: &str, body: &Value) -> Result<Answer> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse()?);
        self.send(method, url, &headers, body.to_string().into_bytes()).await
    }

    /// Every item of a list, page after page. `url` has no cursor yet, but may have other parameters.
    ///
    /// # Errors
    /// When a page is not answered with 200 and `{"items": […], "next_cursor": …}`.
    pub async fn pages(&self, url: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = match &cursor {
                None => url.to_owned(),
                Some(cursor) => format!("{url}{}cursor={cursor}", if url.contains('?') { '&' } else { '?' }),
            };
            let answer = self.get(&page).await?;
            ensure!(answer.status == 200, "GET {page} was answered with {answer}");
            let mut body = answer.json()?;
            let Value::Array(found) = body["items"].take() else {
                anyhow::bail!("GET {page} has no items: {answer}");
            };
            items.extend(found);
            match body["next_cursor"].as_str() {
                Some(next) if cursor.as_deref() != Some(next) => cursor = Some(next.to_owned()),
                Some(next) => anyhow::bail!("GET {page} leads back to cursor {next}"),
                None => return Ok(items),
            }
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is not JSON; the message shows what it is.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {self}"))
    }

    /// A header as text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.body);
        let shown: String = text.chars().take(500).collect();
        write!(f, "{} {shown}", self.status)
    }
}
