//! Outside Wasm: functions of the application are called in this process, other systems over HTTP.

use super::{MAX_RESPONSE, SendError};
use axum::Router;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use tower::ServiceExt;

/// Sends HTTP requests; `http://<name>.spin.internal` goes to the routers that were mounted under that name.
#[derive(Clone)]
pub struct Client {
    outside: legacy::Client<HttpConnector, Full<Bytes>>,
    inside: Arc<RwLock<HashMap<String, Router>>>,
}

impl Default for Client {
    fn default() -> Self {
        Self { outside: legacy::Client::builder(TokioExecutor::new()).build_http(), inside: Arc::default() }
    }
}

impl Client {
    /// Makes a function reachable as `http://<name>.spin.internal`.
    pub fn mount(&self, name: &str, router: Router) {
        if let Ok(mut inside) = self.inside.write() {
            inside.insert(name.to_owned(), router);
        }
    }

    pub(super) async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        let name = request.uri().host().and_then(|host| host.strip_suffix(".spin.internal")).map(str::to_owned);
        let Some(name) = name else { return self.outside(request).await };
        let router = self.inside.read().ok().and_then(|inside| inside.get(&name).cloned());
        let router = router.ok_or_else(|| SendError::NotSent(format!("no function {name}")))?;
        let request = request.map(axum::body::Body::from);
        let response = router.oneshot(request).await.map_err(|never| match never {})?;
        whole(response).await
    }

    async fn outside(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        match self.outside.request(request.map(Full::new)).await {
            Ok(response) => whole(response).await,
            Err(error) if error.is_connect() => Err(SendError::NotSent(error.to_string())),
            Err(error) => Err(SendError::Unknown(error.to_string())),
        }
    }
}

async fn whole<B>(response: Response<B>) -> Result<Response<Bytes>, SendError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_RESPONSE)
        .collect()
        .await
        .map_err(|error| SendError::Unknown(format!("the answer broke off: {error}")))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
