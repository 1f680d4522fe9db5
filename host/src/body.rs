//! Bodies of requests and responses, with the limits that the host puts on them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

/// No body.
#[must_use]
pub fn empty() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pin_project! {
    /// A body that fails when its next part does not come in time.
    pub struct Timed<B> {
        #[pin]
        body: B,
        timeout: Duration,
        // Most bodies are ready when they are asked for, and never need it.
        #[pin]
        sleep: Option<Sleep>,
        waiting: bool,
    }
}

impl<B> Timed<B> {
    /// `body`, whose parts come within `timeout` of being asked for.
    pub fn new(body: B, timeout: Duration) -> Self {
        Self { body, timeout, sleep: None, waiting: false }
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
            match this.sleep.as_mut().as_pin_mut() {
                Some(sleep) => sleep.reset(Instant::now() + *this.timeout),
                None => this.sleep.set(Some(tokio::time::sleep(*this.timeout))),
            }
        }
        if let Some(sleep) = this.sleep.as_pin_mut() {
            ready!(sleep.poll(context));
        }
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
