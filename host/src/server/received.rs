//! The body of a client's request: how much of it is taken, and what becomes of the rest.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::{Request, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::body::empty;
use crate::call::{Call, Failure};

/// A body of at most this many bytes is read before a component is called: it then has all of it at hand, and a client
/// that sends slowly keeps no instance waiting.
const READ_FIRST: u64 = 64 << 10;

/// What nobody wants any more of a body is read all the same, up to this many bytes and for this long. A client that goes on
/// sending would otherwise find the connection reset, and the answer with it.
const MOST_DRAINED: usize = 64 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// A client's body of at most `limit` bytes. One that turns out longer fails, and `call` knows. A short one is read here and now,
/// within `timeout`.
///
/// # Errors
/// [`Failure::BodyTooLarge`]: the client says so itself. [`Failure::BodyIncomplete`]: a short one does not come.
pub(super) async fn receive(
    request: Request<Incoming>,
    limit: usize,
    timeout: Duration,
    call: &Arc<Call>,
) -> Result<Request<WasiBody>, Failure> {
    if request.body().is_end_stream() {
        return Ok(request.map(|_| empty()));
    }
    let announced = request.body().size_hint().exact();
    // HTTP/2 has a way to say that the rest is not wanted.
    let drains = request.version() <= Version::HTTP_11;
    let coming = !request.headers().contains_key(EXPECT);
    let (head, body) = request.into_parts();
    let body = Received { body: Some(body), left: limit, limit, call: call.clone(), drains, coming };
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(Failure::BodyTooLarge);
    }
    if announced.is_none_or(|length| length > READ_FIRST) {
        return Ok(Request::from_parts(head, body.boxed_unsync()));
    }
    let read = tokio::time::timeout(timeout, body.collect()).await;
    let whole = read.ok().and_then(Result::ok).ok_or(Failure::BodyIncomplete)?;
    let trailers = whole.trailers().cloned();
    let body = Full::new(whole.to_bytes()).map_err(|never| match never {});
    let body = match trailers {
        None => body.boxed_unsync(),
        Some(trailers) => body.with_trailers(std::future::ready(Some(Ok(trailers)))).boxed_unsync(),
    };
    Ok(Request::from_parts(head, body))
}

/// A body that is being received. Dropped before its end, the rest is read for a while.
struct Received {
    /// Until its end.
    body: Option<Incoming>,
    /// Bytes that may still come.
    left: usize,
    limit: usize,
    call: Arc<Call>,
    drains: bool,
    /// The client sends without being asked to, or has been asked.
    coming: bool,
}

impl Body for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.coming = true;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = match ready!(Pin::new(body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            end => {
                self.body = None;
                return Poll::Ready(end.map(|frame| frame.map_err(Error::Hyper)));
            }
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(frame)))
            }
            None => {
                self.call.mark_body_too_large();
                self.drain();
                Poll::Ready(Some(Err(Error::HttpRequestBodySize(u64::try_from(self.limit).ok()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Received {
    /// Reads on without a use for it.
    fn drain(&mut self) {
        let unread = self.body.take().filter(|body| self.drains && self.coming && !body.is_end_stream());
        // At the program's end there is nobody left to answer.
        if let (Some(body), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(DRAIN_TIME, drain(body)));
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.drain();
    }
}

async fn drain(mut body: Incoming) {
    let mut left = MOST_DRAINED;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
