//! One request of a client: where it goes, what may come in, and the line in the log when its answer is through.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use super::received;
use crate::application::{Application, Origin};
use crate::body::Timed;
use crate::call::{Call, Failure};
use crate::log;
use crate::trace_context::TraceContext;

/// Where the host itself says that it is up: Spin's path always, the other one unless the application has it.
const SPIN_HEALTH: &str = "/.well-known/spin/health";
const HEALTH: &str = "/healthz";

/// Answers `request`.
pub(super) async fn answer(
    application: &Application,
    origin: &Origin,
    request: Request<Incoming>,
) -> Result<Response<Logged<Timed<WasiBody>>>, Infallible> {
    let call = Call::new(TraceContext::from_headers(request.headers()));
    let uri = request.uri().clone();
    let mut line = Line {
        call: call.clone(),
        method: request.method().clone(),
        uri: uri.clone(),
        route: None,
        component: String::new(),
        status: CLIENT_CLOSED_REQUEST,
        started: Instant::now(),
        bytes: 0,
    };
    let (limit, timeout) = (application.limits.body, application.limits.request_timeout);
    let response = match application.find(uri.path()) {
        _ if uri.path() == SPIN_HEALTH => healthy(),
        None if uri.path() == HEALTH => healthy(),
        None => Failure::NotFound.response(),
        Some(route) => {
            line.route = route.instead_of_path();
            route.component().clone_into(&mut line.component);
            let answer = match received::receive(request, limit, timeout, &call).await {
                Ok(request) => application.call(route, origin, request, call).await,
                Err(failure) => Err(failure),
            };
            answer.unwrap_or_else(Failure::response)
        }
    };
    line.status = response.status().as_u16();
    Ok(response.map(|body| Logged { body: Timed::new(body, timeout), line }))
}

fn healthy() -> Response<WasiBody> {
    Response::new(Full::from("OK").map_err(|never| match never {}).boxed_unsync())
}

/// The status in the log of a request whose client went away before there was an answer: nginx' number for it.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The log's line about one request, written when it is dropped.
struct Line {
    call: Arc<Call>,
    method: Method,
    uri: Uri,
    /// Named instead of the path.
    route: Option<HeaderValue>,
    component: String,
    status: u16,
    started: Instant,
    bytes: u64,
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { call, method, uri, route, component, status, started, bytes } = self;
        let record = log::Request {
            trace: call.trace,
            method: method.as_str(),
            path: route.as_ref().and_then(|route| route.to_str().ok()).unwrap_or_else(|| uri.path()),
            component,
            status: *status,
            bytes: *bytes,
            duration: started.elapsed(),
        };
        record.log();
    }
}

pin_project_lite::pin_project! {
    /// A response's body, which is followed by the request's line in the log.
    pub(super) struct Logged<B> {
        #[pin]
        body: B,
        line: Line,
    }
}

impl<B: Body<Data = Bytes, Error = Error>> Body for Logged<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.project();
        let frame = this.body.poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            this.line.bytes += u64::try_from(length).unwrap_or(u64::MAX);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
