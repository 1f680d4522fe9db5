//! One request and its answer.

use super::{Failure, Outcome};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use kit::client::SendError;
use kit::{App, Cx};
use platforms::marketplace::{self, ApiError};
use std::time::Duration;

/// How long one exchange may take.
pub const EXCHANGE: Duration = Duration::from_secs(20);

/// Why a call was refused.
pub enum Refused {
    /// The access token is not good.
    Token(Failure),
    /// It may go better later.
    Later(Failure),
    /// It may go better later, but this operation is to be left alone for a while.
    TooOften(Failure),
    /// It never will.
    Never(Failure),
}

impl From<Refused> for Outcome {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Token(failure) | Refused::Later(failure) => Self::Retry(failure),
            Refused::TooOften(failure) => Self::Paused(failure),
            Refused::Never(failure) => Self::Failed(failure),
        }
    }
}

/// Sends a request. What the other side says in its answer is read by the caller, whatever the status: some platforms
/// refuse with 4xx and their own JSON.
pub async fn exchange(
    app: &App,
    cx: &Cx,
    base: &str,
    signed: marketplace::Request,
    idempotency_key: &str,
) -> Result<(StatusCode, Bytes), Refused> {
    exchange_within(EXCHANGE, app, cx, base, signed, idempotency_key).await
}

/// The same within a time of its own.
pub async fn exchange_within(
    limit: Duration,
    app: &App,
    cx: &Cx,
    base: &str,
    signed: marketplace::Request,
    idempotency_key: &str,
) -> Result<(StatusCode, Bytes), Refused> {
    let request = Request::builder()
        .method(signed.method)
        .uri(format!("{base}{}", signed.path_and_query))
        .header(header::CONTENT_TYPE, signed.content_type)
        .header("idempotency-key", format!("\"{idempotency_key}\""))
        .header("traceparent", cx.traceparent())
        .body(Bytes::from(signed.body))
        .map_err(|error| Refused::Never(Failure::ours(format!("the request cannot be made: {error}"))))?;
    let answer = app.client().send(request, limit).await.map_err(|error: SendError| {
        let unknown = matches!(error, SendError::Unknown(_));
        Refused::Later(Failure { trips_breaker: true, unknown, ..Failure::ours(error) })
    })?;
    let status = answer.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let seconds: Option<u64> =
            answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        return Err(Refused::Later(Failure {
            status: Some(status.as_u16()),
            error: format!("HTTP {status}"),
            retry_after_ms: seconds.map(|seconds| seconds.saturating_mul(1000)),
            trips_breaker: status.is_server_error(),
            // What stands before the platform gave up waiting for it.
            unknown: matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT),
        }));
    }
    Ok((status, answer.into_body()))
}

/// A platform's refusal. `status` is that of its answer, if there was one.
pub fn refused(status: Option<StatusCode>, error: &ApiError) -> Refused {
    let failure = Failure { status: status.map(|status| status.as_u16()), ..Failure::ours(error) };
    match error {
        ApiError::TokenExpired(_) => Refused::Token(failure),
        ApiError::Retryable(_) => Refused::Later(failure),
        ApiError::RateLimited(_) => Refused::TooOften(failure),
        ApiError::Permanent(_) => Refused::Never(failure),
    }
}
