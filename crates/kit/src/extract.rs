//! Extractors that answer with problems.

use crate::Problem;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The largest body that is taken, in bytes (1 MiB).
pub const MAX_BODY: usize = 1 << 20;

/// The body as it came, which is what signatures are made over.
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        to_bytes(request.into_body(), MAX_BODY).await.map(Self).map_err(|_| Problem::too_large(MAX_BODY))
    }
}

/// A JSON body of our own API: unknown fields are refused (by its type).
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let RawBody(body) = RawBody::from_request(request, state).await?;
        json(&body).map(Self)
    }
}

/// Reads a JSON body.
///
/// # Errors
/// 400 that says where it is wrong.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("the body is not as documented: {error}")))
}

/// The query of the URL.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| Problem::bad_request(format!("the query is not as documented: {}", error.body_text())))
    }
}

/// A segment of the path that is an id or a name.
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: std::str::FromStr,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path(text) = axum::extract::Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::bad_request(error.body_text()))?;
        segment(&text).map(Self)
    }
}

/// Two segments of the path, each an id or a name.
pub struct Paths<A, B>(pub A, pub B);

impl<A, B, S> FromRequestParts<S> for Paths<A, B>
where
    A: std::str::FromStr,
    B: std::str::FromStr,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let axum::extract::Path((first, second)) =
            axum::extract::Path::<(String, String)>::from_request_parts(parts, state)
                .await
                .map_err(|error| Problem::bad_request(error.body_text()))?;
        Ok(Self(segment(&first)?, segment(&second)?))
    }
}

/// What is not an id names nothing.
fn segment<T: std::str::FromStr>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::not_found(format!("there is no {text:?} here")))
}
