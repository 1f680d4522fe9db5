//! Inside a component: WASI 0.3 HTTP.

use super::{MAX_RESPONSE, SendError};
use crate::host;
use bytes::Bytes;
use futures_channel::oneshot;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use wasip3::http::types::ErrorCode;
use wasip3::http_compat::{http_from_wasi_response, http_into_wasi_request};

/// Sends HTTP requests through the host.
#[derive(Clone, Debug, Default)]
pub struct Client;

impl Client {
    /// The exchange runs as a task of its own: the host's handles are not `Send`, which axum asks of handlers.
    pub(super) async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        let (answer, receiver) = oneshot::channel();
        host::spawn(async move { drop(answer.send(exchange(request).await)) });
        receiver.await.unwrap_or_else(|_| Err(SendError::Unknown("the exchange was given up".to_owned())))
    }
}

async fn exchange(request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
    let request = http_into_wasi_request(request.map(Full::new)).map_err(not_sent)?;
    let response = wasip3::http::client::send(request).await.map_err(classify)?;
    let (head, body) = http_from_wasi_response(response).map_err(classify)?.into_parts();
    let body = Limited::new(body, MAX_RESPONSE)
        .collect()
        .await
        .map_err(|error| SendError::Unknown(format!("the answer broke off: {error}")))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

fn not_sent(error: ErrorCode) -> SendError {
    SendError::NotSent(format!("{error:?}"))
}

fn classify(error: ErrorCode) -> SendError {
    match error {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::HttpRequestDenied
        | ErrorCode::HttpRequestUriInvalid => not_sent(error),
        other => SendError::Unknown(format!("{other:?}")),
    }
}
