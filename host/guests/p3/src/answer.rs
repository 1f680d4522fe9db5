//! Answers: text, streams, and errors as text.

use std::fmt::Debug;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use wasip3::http::types::ErrorCode;

/// A response with any body.
pub type Answer = Response<UnsyncBoxBody<Bytes, ErrorCode>>;

/// What went wrong; the text is the host's error as Rust shows it, so that a test can tell one from another.
pub enum Problem {
    /// No such behaviour, or nothing stored.
    NotFound,
    /// The request makes no sense.
    BadRequest,
    /// The host refused.
    Refused(String),
}

impl Problem {
    /// The host's error.
    pub fn refused(error: impl Debug) -> Self {
        Self::Refused(format!("{error:?}\n"))
    }

    /// 404, 400, or 500 with the error.
    pub fn into_answer(self) -> Answer {
        let (status, message) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "nothing here\n".to_owned()),
            Self::BadRequest => (StatusCode::BAD_REQUEST, "what is this?\n".to_owned()),
            Self::Refused(message) => (StatusCode::INTERNAL_SERVER_ERROR, message),
        };
        let mut answer = text(message);
        *answer.status_mut() = status;
        answer
    }
}

/// 200 with a text.
pub fn text(text: impl Into<Bytes>) -> Answer {
    stream(Full::new(text.into()).map_err(|never| match never {}))
}

/// 200 with a body that comes piece by piece.
pub fn stream(body: impl Body<Data = Bytes, Error = ErrorCode> + Send + 'static) -> Answer {
    Response::new(body.boxed_unsync())
}
