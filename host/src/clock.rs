//! The host's clock: calls the components that ask for it in the manifest (`[component.ID.tool.siyu] tick = "/path"`)
//! every so often, and never one of them twice at the same time.

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Method, Request};
use http_body_util::BodyExt;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::application::Application;
use crate::body::empty;
use crate::call::Call;
use crate::trace_context::TraceContext;

/// Starts the calls, the first at once; they stop when the set is dropped. A period of zero starts none.
#[must_use]
pub fn start(application: &Arc<Application>, period: Duration) -> JoinSet<()> {
    let mut clocks = JoinSet::new();
    if !period.is_zero() {
        for (component, path) in &application.ticks {
            clocks.spawn(run(application.clone(), component.clone(), path.clone(), period));
        }
    }
    clocks
}

async fn run(application: Arc<Application>, component: String, path: PathAndQuery, period: Duration) {
    let mut interval = tokio::time::interval(period);
    // After a call that took longer than the period, the next one comes a whole period later.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        tick(&application, &component, &path).await;
    }
}

/// One call, from its request to the end of the answer's body.
async fn tick(application: &Application, component: &str, path: &PathAndQuery) {
    let mut request = Request::new(empty());
    *request.method_mut() = Method::POST;
    match format!("http://{component}.spin.internal{path}").parse() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(error) => return tracing::error!(component, %path, %error, "the clock's path is not a path"),
    }
    let call = Call::new(TraceContext::root());
    let id = call.id();
    let answer = application.chain(component, request, call).await;
    let status = match answer {
        Ok(response) => {
            let status = response.status();
            // The answer says nothing; what counts is that the component has done with it.
            drop(response.into_body().collect().await);
            status
        }
        Err(failure) => failure.status(),
    };
    let ok = status.is_success() || status.is_redirection();
    if !ok {
        tracing::warn!(component, request = id, status = status.as_u16(), "the clock's call failed");
    }
    if let Some(metrics) = application.component_metrics(component) {
        metrics.ticked(ok);
    }
}
