//! One request on its way to a component, and the ways in which it can fail there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::trace_context::TraceContext;

/// Components that call components may go this deep, so that a loop ends.
const MAX_DEPTH: u8 = 16;

/// What the host knows of one request while a component works on it.
#[derive(Debug)]
pub struct Call {
    /// The request's place in its trace. The span's id is also the request's id in the log.
    pub trace: TraceContext,
    /// How many components' calls lie between the outside and this request.
    depth: u8,
    begun: AtomicBool,
    ran_away: AtomicBool,
    body_too_large: AtomicBool,
}

impl Call {
    /// A request from outside the application, or of the host's own clock.
    #[must_use]
    pub fn new(trace: TraceContext) -> Arc<Self> {
        Arc::new(Self::at_depth(trace, 0))
    }

    /// A request that a component makes to another one while it works on this one.
    ///
    /// # Errors
    /// [`Error::LoopDetected`]: components have called each other too deeply.
    pub fn chained(&self, trace: TraceContext) -> Result<Arc<Self>, Error> {
        match self.depth {
            MAX_DEPTH.. => Err(Error::LoopDetected),
            depth => Ok(Arc::new(Self::at_depth(trace, depth + 1))),
        }
    }

    /// The request's id, as 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        self.trace.span_hex().as_str().to_owned()
    }

    /// Notes that an instance has taken up the request.
    pub fn mark_begun(&self) {
        self.begun.store(true, Ordering::Relaxed);
    }

    /// Whether an instance has taken up the request.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Notes that the guest computed for too long on this request.
    pub fn mark_ran_away(&self) {
        self.ran_away.store(true, Ordering::Relaxed);
    }

    /// Notes that the request's body is longer than the host takes.
    pub fn mark_body_too_large(&self) {
        self.body_too_large.store(true, Ordering::Relaxed);
    }

    /// Whether the request's body turned out to be longer than the host takes.
    #[must_use]
    pub fn body_too_large(&self) -> bool {
        self.body_too_large.load(Ordering::Relaxed)
    }

    /// Why the request has no answer although its instance is gone.
    #[must_use]
    pub fn lost(&self) -> Failure {
        if self.ran_away.load(Ordering::Relaxed) { Failure::TimedOut } else { Failure::InstanceLost }
    }

    fn at_depth(trace: TraceContext, depth: u8) -> Self {
        let (begun, ran_away, body_too_large) = Default::default();
        Self { trace, depth, begun, ran_away, body_too_large }
    }
}

/// Why a component gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Its instance trapped or was ended while the request was in it.
    InstanceLost,
    /// No instance could be started.
    NoInstance,
    /// All instances are full, and so is the queue; or the request waited in it for too long.
    Overloaded,
    /// The component took longer than a request may take.
    TimedOut,
    /// The request's body is longer than the host takes.
    BodyTooLarge,
    /// The request's body did not come in time, or broke off.
    BodyIncomplete,
    /// The component returned an error, or nothing, in place of a response.
    NoResponse,
    /// No component of this name, or no route to one.
    NotFound,
}

impl Failure {
    /// The status that tells the caller.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::InstanceLost | Self::NoInstance | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
            Self::NoResponse => StatusCode::BAD_GATEWAY,
            Self::NotFound => StatusCode::NOT_FOUND,
        }
    }

    /// The answer to the caller: problem details (RFC 9457), with `Retry-After` where trying again makes sense.
    #[must_use]
    pub fn response(self) -> Response<WasiBody> {
        let (kind, detail) = match self {
            Self::InstanceLost => ("instance-lost", "The instance that had the request is gone; try again"),
            Self::NoInstance => ("no-instance", "No instance could be started; try again later"),
            Self::Overloaded => ("overloaded", "Too many requests are waiting; try again later"),
            Self::TimedOut => ("timed-out", "The component took too long"),
            Self::BodyTooLarge => ("body-too-large", "The request's body is too large"),
            Self::BodyIncomplete => ("body-incomplete", "The request's body did not come"),
            Self::NoResponse => ("no-response", "The component gave no response"),
            Self::NotFound => ("not-found", "No route of the application has this path"),
        };
        let status = self.status();
        let problem = serde_json::json!({
            "type": format!("urn:siyu:host:{kind}"),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": detail,
        });
        let body = Full::new(Bytes::from(problem.to_string())).map_err(|never| match never {});
        let mut response = Response::new(body.boxed_unsync());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_problem_details_and_says_when_to_try_again() {
        let lost = Failure::InstanceLost.response();
        assert_eq!(lost.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(lost.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(lost.headers()[RETRY_AFTER], "1");
        let late = Failure::TimedOut.response();
        assert_eq!(late.status(), StatusCode::GATEWAY_TIMEOUT);
        assert!(!late.headers().contains_key(RETRY_AFTER));
    }

    #[test]
    fn components_that_call_each_other_in_a_circle_are_stopped() {
        let mut call = Call::new(TraceContext::root());
        for _ in 0..MAX_DEPTH {
            call = call.chained(call.trace.child()).unwrap();
        }
        assert!(matches!(call.chained(call.trace.child()), Err(Error::LoopDetected)));
    }

    #[test]
    fn a_runaway_request_timed_out_and_its_neighbours_are_lost() {
        let (culprit, neighbour) = (Call::new(TraceContext::root()), Call::new(TraceContext::root()));
        culprit.mark_ran_away();
        assert_eq!(culprit.lost(), Failure::TimedOut);
        assert_eq!(neighbour.lost(), Failure::InstanceLost);
    }
}
