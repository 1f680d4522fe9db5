//! Bodies of requests and responses, with the limits that the host puts on them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::call::Call;

/// No body.
#[must_use]
pub fn empty() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A client's body of at most `limit` bytes; a longer one fails, and `call` knows.
#[must_use]
pub fn limited(body: Incoming, limit: usize, call: &Arc<Call>) -> WasiBody {
    if body.is_end_stream() {
        return empty();
    }
    let call = call.clone();
    let size = u64::try_from(limit).ok();
    let body = Limited::new(body, limit).map_err(move |error| {
        if error.is::<LengthLimitError>() {
            call.mark_body_too_large();
            return Error::HttpRequestBodySize(size);
        }
        match error.downcast::<hyper::Error>() {
            Ok(error) => Error::Hyper(*error),
            Err(error) => Error::InternalError(Some(error.to_string())),
        }
    });
    body.boxed_unsync()
}

pin_project! {
    /// A body that fails when its next part does not come in time.
    pub struct Timed<B> {
        #[pin]
        body: B,
        timeout: Duration,
        #[pin]
        sleep: Sleep,
        waiting: bool,
    }
}

impl<B> Timed<B> {
    /// `body`, whose parts come within `timeout` of being asked for.
    pub fn new(body: B, timeout: Duration) -> Self {
        Self { body, timeout, sleep: tokio::time::sleep(timeout), waiting: false }
    }
}

impl<B: Body<Data = Bytes, Error = Error>> Body for Timed<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(context) {
            *this.waiting = false;
            return Poll::Ready(frame);
        }
        if !*this.waiting {
            *this.waiting = true;
            this.sleep.as_mut().reset(Instant::now() + *this.timeout);
        }
        ready!(this.sleep.poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
