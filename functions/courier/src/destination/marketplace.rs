//! Doudian's open API: requests signed by app secret, one access token a shop.

use super::token::{self, Found};
use super::{EXCHANGE, Failure, Outcome};
use crate::settings::{Doudian, Settings};
use crate::store::Claimed;
use bytes::Bytes;
use domain::Secret;
use http::{Method, Request, Response, header};
use kit::client::SendError;
use kit::{App, Cx};
use platforms::doudian::api::{self, ApiError};
use serde::Deserialize;
use serde_json::Value;

/// A token is renewed this long before its end, in milliseconds.
const MARGIN_MS: i64 = 300_000;

/// What a row of the outbox holds for Doudian.
#[derive(Deserialize)]
struct Asked {
    shop_id: String,
    params: Value,
}

pub async fn send(app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
    let doudian = match &settings.doudian {
        Ok(doudian) => doudian,
        Err(error) => return later(error),
    };
    let asked: Asked = match serde_json::from_str(&call.request) {
        Ok(asked) => asked,
        Err(error) => return Outcome::Failed(Failure { error: error.to_string(), ..Failure::default() }),
    };
    // A token that the platform no longer takes is replaced once within the same try.
    let mut outcome = with_token(app, doudian, cx, call, &asked).await;
    if matches!(outcome, Err(Refused::Token(_))) {
        outcome = with_token(app, doudian, cx, call, &asked).await;
    }
    match outcome {
        Ok(answer) => Outcome::Succeeded { status: answer.status().as_u16(), body: answer.into_body().to_vec() },
        Err(Refused::Token(failure) | Refused::Later(failure)) => Outcome::Retry(failure),
        Err(Refused::Never(failure)) => Outcome::Failed(failure),
    }
}

/// Why a call was refused.
enum Refused {
    Token(Failure),
    Later(Failure),
    Never(Failure),
}

async fn with_token(
    app: &App,
    doudian: &Doudian,
    cx: &Cx,
    call: &Claimed,
    asked: &Asked,
) -> Result<Response<Bytes>, Refused> {
    let key = format!("token:douyin:{}", asked.shop_id);
    let access_token = match token::find(app, cx, &key).await? {
        Found::Kept(token) => token,
        Found::Ours(claim) => match fetch_token(app, doudian, cx, &asked.shop_id).await {
            Ok(fresh) => {
                claim.keep(app, cx, &fresh).await?;
                fresh.text
            }
            Err(refused) => {
                claim.give_up(app, cx).await?;
                return Err(refused);
            }
        },
    };
    let answer = exchange(app, doudian, cx, &call.operation, &asked.params, Some(&access_token), &call.idempotency_key);
    match answer.await {
        Err(Refused::Token(failure)) => {
            token::forget(app, cx, &key, &access_token).await;
            Err(Refused::Token(failure))
        }
        other => other,
    }
}

async fn fetch_token(app: &App, doudian: &Doudian, cx: &Cx, shop_id: &str) -> Result<token::Fresh, Refused> {
    let params = api::token_params(shop_id);
    let answer = exchange(app, doudian, cx, api::TOKEN_CREATE, &params, None, shop_id).await?;
    let token = api::token(answer.body()).map_err(|error| refused(&answer, error))?;
    let life = token.expires_in.saturating_mul(1000).saturating_sub(MARGIN_MS).max(1000);
    Ok(token::Fresh { text: token.access_token, life_ms: life })
}

async fn exchange(
    app: &App,
    doudian: &Doudian,
    cx: &Cx,
    method: &str,
    params: &Value,
    access_token: Option<&Secret<String>>,
    idempotency_key: &str,
) -> Result<Response<Bytes>, Refused> {
    let never = |error: &dyn std::fmt::Display| {
        Refused::Never(Failure { error: format!("the request cannot be made: {error}"), ..Failure::default() })
    };
    let signed = api::request(&doudian.app, method, params, access_token, cx.now).map_err(|error| never(&error))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}{}", doudian.base, signed.path_and_query))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", format!("\"{idempotency_key}\""))
        .header("traceparent", cx.traceparent())
        .body(Bytes::from(signed.body))
        .map_err(|error| never(&error))?;
    let answer = app.client().send(request, EXCHANGE).await.map_err(|error: SendError| {
        Refused::Later(Failure { error: error.to_string(), trips_breaker: true, ..Failure::default() })
    })?;
    let status = answer.status();
    if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
        let retry_after =
            answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        return Err(Refused::Later(Failure {
            status: Some(status.as_u16()),
            error: format!("HTTP {status}"),
            retry_after,
            trips_breaker: status.is_server_error(),
        }));
    }
    match api::response(answer.body()) {
        Ok(_) => Ok(answer),
        Err(error) => Err(refused(&answer, error)),
    }
}

fn refused(answer: &Response<Bytes>, error: ApiError) -> Refused {
    let failure = Failure { status: Some(answer.status().as_u16()), error: error.to_string(), ..Failure::default() };
    match error {
        ApiError::TokenExpired(_) => Refused::Token(failure),
        ApiError::Retryable(_) => Refused::Later(failure),
        ApiError::Permanent(_) => Refused::Never(failure),
    }
}

fn later(error: &kit::ConfigError) -> Outcome {
    Outcome::Retry(Failure { error: error.to_string(), ..Failure::default() })
}

impl From<token::TokenError> for Refused {
    fn from(error: token::TokenError) -> Self {
        Self::Later(Failure { error: error.to_string(), ..Failure::default() })
    }
}
