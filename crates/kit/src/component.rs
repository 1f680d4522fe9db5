//! Inside a component: requests of WASI 0.3 in, responses out, one application per instance.

pub use wasip3;

use crate::{App, ConfigError, Problem, extract::MAX_BODY};
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::OnceLock;
use tower::ServiceExt;
use wasip3::http::types::{self, ErrorCode};
use wasip3::http_compat::{IncomingRequestBody, http_from_wasi_request, http_into_wasi_response};

/// Answers one request. The first of an instance reads the configuration; those that come meanwhile do the same, and
/// the first to be done is kept.
///
/// # Errors
/// When the host's request or response cannot be converted.
pub async fn handle(
    request: types::Request,
    variables: fn() -> Vec<String>,
    router: fn(App) -> Router,
) -> Result<types::Response, ErrorCode> {
    static ROUTER: OnceLock<Result<Router, ConfigError>> = OnceLock::new();
    if ROUTER.get().is_none() {
        log();
        let made = App::from_host(variables()).await.map(router);
        drop(ROUTER.set(made));
    }
    let request = http_from_wasi_request(request)?;
    let response = match ROUTER.get() {
        Some(Ok(router)) => answer(router.clone(), request).await,
        Some(Err(error)) => Problem::from(error).into_response(),
        None => Problem::unavailable("starting").into_response(),
    };
    http_into_wasi_response(response)
}

/// Bodies are read whole before the router sees them: every handler wants all of it, and this bounds it in one place.
async fn answer(router: Router, request: http::Request<IncomingRequestBody>) -> Response {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Problem::too_large(MAX_BODY).into_response(),
        Err(error) => return Problem::bad_request(format!("the body broke off: {error}")).into_response(),
    };
    match router.oneshot(http::Request::from_parts(head, Body::from(body))).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// Logs go to standard error, one JSON object a line; the host adds the component and the request.
fn log() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .finish();
    drop(tracing::subscriber::set_global_default(subscriber));
}
