//! Errors as callers see them: RFC 9457 problem+json, with a stable `type`, saying what to change.

use crate::db::DbError;
use crate::kv::KvError;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use utoipa::ToSchema;

/// An error answer (RFC 9457). `type` is stable and listed in docs/api.md; `detail` says what to change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, a URI reference such as `/problems/not-found`.
    #[serde(rename = "type")]
    #[schema(rename = "type", value_type = String)]
    kind: String,
    /// The HTTP status, again.
    #[serde(serialize_with = "status_number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// The kind in words.
    #[schema(value_type = String)]
    title: Cow<'static, str>,
    /// What is wrong with this call, and what to change.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    /// Further members, by kind.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    extensions: Map<String, Value>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem of the given kind. The title is the status phrase.
    #[must_use]
    pub fn new(status: StatusCode, kind: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: format!("/problems/{kind}"),
            status,
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            detail: detail.into(),
            extensions: Map::new(),
            retry_after: None,
        }
    }

    /// 400: the request cannot be read.
    #[must_use]
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// 401: who calls is not known.
    #[must_use]
    pub fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403: the caller may not do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: no such thing, or none that the caller may see.
    #[must_use]
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// 409: the state of things refuses it.
    #[must_use]
    pub fn conflict(kind: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, detail)
    }

    /// 413: more bytes than are taken.
    #[must_use]
    pub fn too_large(most: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("the body is larger than {most} bytes: send less at a time"),
        )
    }

    /// 422: readable, but against the rules.
    #[must_use]
    pub fn unprocessable(kind: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, kind, detail)
    }

    /// 503: not now; the same call may succeed later.
    #[must_use]
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
    }

    /// 503: a variable of the application is missing or wrong. Names the variable.
    #[must_use]
    pub fn not_configured(variable: &str, why: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-configured", format!("the variable {variable} {why}"))
            .with("variable", variable)
    }

    /// 500: a fault of ours. The cause goes to the log, not to the caller.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "a fault of the server; its log tells more")
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a Retry-After, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong and what to change.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        if error.is_transient() {
            tracing::warn!(%error, "database");
            Self::unavailable(match error {
                DbError::Late => "the database is slow, and may have taken it all the same: repeat the call",
                _ => "the database is busy or full; nothing was written: repeat the call",
            })
        } else {
            Self::internal(&error)
        }
    }
}

impl From<KvError> for Problem {
    fn from(error: KvError) -> Self {
        tracing::warn!(%error, "key-value");
        Self::unavailable("the key-value store cannot be reached: repeat the call")
    }
}

fn status_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
