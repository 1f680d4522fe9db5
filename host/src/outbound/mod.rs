//! A component's way out: other systems by HTTP and HTTPS, other components by `http://COMPONENT.spin.internal`, and the
//! application's own public routes by `http://self.alt`; each only where `allowed_outbound_hosts` has it.

pub mod allowed_hosts;
mod client;

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use http::header::HOST;
use http::{HeaderName, Request, Response, Uri};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::application::Application;
use crate::body::Timed;
use crate::call::{Call, Failure};
use crate::guest::CurrentCall;
use crate::trace_context::{TRACEPARENT, TraceContext};
use allowed_hosts::{AllowedHosts, CHAINING_SUFFIX};

pub use client::Client;

/// How long a component waits where it does not say itself: for the head of a response, and between two parts of its
/// body.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The host name by which a component reaches the application's own public routes.
const SELF: &str = "self.alt";

/// One component's way out. Clones share everything but the current call.
#[derive(Clone)]
pub struct Outbound {
    shared: Arc<Shared>,
    current: CurrentCall,
}

struct Shared {
    component: Arc<str>,
    allowed: AllowedHosts,
    client: Client,
    application: Arc<OnceLock<Weak<Application>>>,
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Application,
    Component(String),
    Elsewhere,
}

impl Outbound {
    /// The way out of `component` to what `allowed` has; `application` is filled once all components are there.
    #[must_use]
    pub fn new(
        component: Arc<str>,
        allowed: AllowedHosts,
        client: Client,
        application: Arc<OnceLock<Weak<Application>>>,
    ) -> Self {
        let shared = Arc::new(Shared { component, allowed, client, application });
        Self { shared, current: CurrentCall::default() }
    }

    /// The same way out for an instance that works on `current`.
    #[must_use]
    pub fn with_current(&self, current: CurrentCall) -> Self {
        Self { shared: self.shared.clone(), current }
    }
}

type Sent = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Outbound {
    /// As by default, without the closure that is made there for each header.
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        // What the guest has to say about the response's processing concerns nobody here.
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let (shared, call) = (self.shared.clone(), self.current.get());
        Box::new(async move {
            let response = shared.send(request, options.unwrap_or_default(), call).await?;
            // Errors of the connection come with the body.
            let finished: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((response, finished))
        })
    }
}

impl Shared {
    async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: RequestOptions,
        call: Option<Arc<Call>>,
    ) -> Result<Response<WasiBody>, Error> {
        let target = Target::of(request.uri());
        let allowed = match target {
            Target::Application => self.allowed.allow_self(),
            Target::Component(_) | Target::Elsewhere => self.allowed.allow(request.uri()),
        };
        if !allowed {
            let (component, host) = (&*self.component, request.uri().host().unwrap_or_default());
            tracing::warn!(component, host, "refused: not in allowed_outbound_hosts");
            return Err(Error::HttpRequestDenied);
        }
        let trace = trace(&mut request, call.as_deref());
        let sent = async {
            match target {
                Target::Elsewhere => self.client.send(request).await,
                target => {
                    let call = match call {
                        Some(call) => call.chained(trace)?,
                        None => Call::new(trace),
                    };
                    self.call_inside(&target, request, call).await
                }
            }
        };
        let wait = options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let response = tokio::time::timeout(wait, sent).await.map_err(|_| Error::ConnectionReadTimeout)??;
        let between = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
        Ok(response.map(|body| Timed::new(body, between).boxed_unsync()))
    }

    /// Answers a request that stays in the application.
    async fn call_inside(
        &self,
        target: &Target,
        mut request: Request<WasiBody>,
        call: Arc<Call>,
    ) -> Result<Response<WasiBody>, Error> {
        request.headers_mut().remove(HOST);
        let application = self.application.get().and_then(Weak::upgrade);
        let application = application.ok_or(Error::DestinationUnavailable)?;
        let answer = match target {
            Target::Component(component) => application.chain(component, request, call).await,
            Target::Application | Target::Elsewhere => application.route(request, call).await,
        };
        match answer {
            Ok(response) => Ok(response),
            Err(Failure::NotFound) => Err(Error::DestinationNotFound),
            Err(failure) => Ok(failure.response()),
        }
    }
}

impl Target {
    fn of(uri: &Uri) -> Self {
        // An URI without a host, or with an empty one, is relative: that is the application itself.
        match uri.host() {
            None | Some("" | SELF) => Self::Application,
            Some(host) => match host.strip_suffix(CHAINING_SUFFIX) {
                Some(component) => Self::Component(component.to_owned()),
                None => Self::Elsewhere,
            },
        }
    }
}

/// The trace's next span, which the request carries unless the guest has given it one.
fn trace(request: &mut Request<WasiBody>, call: Option<&Call>) -> TraceContext {
    if request.headers().contains_key(TRACEPARENT) {
        return TraceContext::from_headers(request.headers());
    }
    let trace = call.map_or_else(TraceContext::root, |call| call.trace.child());
    if let Some(value) = trace.header() {
        request.headers_mut().insert(TRACEPARENT, value);
    }
    trace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_says_whether_a_request_stays_inside() {
        for (uri, target) in [
            ("/relative", Target::Application),
            ("http://self.alt/path", Target::Application),
            ("http://pump.spin.internal/consume", Target::Component("pump".to_owned())),
            ("https://example.com/", Target::Elsewhere),
            ("https://spin.internal/", Target::Elsewhere),
        ] {
            assert_eq!(Target::of(&uri.parse().unwrap()), target, "{uri}");
        }
    }

    #[test]
    fn a_request_continues_the_trace_of_the_call_it_is_made_for() {
        let call = Call::new(TraceContext::root());
        let mut request = Request::new(crate::body::empty());
        let trace = trace(&mut request, Some(&call));
        assert_eq!(trace.trace_id, call.trace.trace_id);
        assert_ne!(trace.span_id, call.trace.span_id);
        assert_eq!(request.headers()[TRACEPARENT], trace.header().unwrap());
    }
}
