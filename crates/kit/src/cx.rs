//! The call that something is done for: its time, its trace and its place in the log.

use crate::App;
use crate::host;
use axum::extract::{FromRef, FromRequestParts};
use domain::UnixMs;
use http::request::Parts;
use std::sync::Arc;

/// The call that something is done for. Handlers take it as an argument; everything that is written carries its time.
#[derive(Clone, Debug)]
pub struct Cx {
    /// The time of the call, by the application's clock, which tests may have set.
    pub now: UnixMs,
    /// The W3C trace of the call, for events and for calls that go out.
    pub trace: Option<Trace>,
}

impl Cx {
    /// A call that nobody outside has made, at this time.
    #[must_use]
    pub fn at(now: UnixMs) -> Self {
        Self { now, trace: None }
    }

    /// The value of `traceparent` to send on: same trace, new span.
    #[must_use]
    pub fn traceparent(&self) -> String {
        match &self.trace {
            Some(trace) => trace.child(),
            None => Trace::fresh().child(),
        }
    }
}

impl<S> FromRequestParts<S> for Cx
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = crate::Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let app = App::from_ref(state);
        let now = app.clock().now().await?;
        let trace = parts
            .headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok())
            .and_then(Trace::parse)
            .unwrap_or_else(Trace::fresh);
        Ok(Self { now, trace: Some(trace) })
    }
}

/// A trace as of W3C Trace Context, level 1: the id of the trace and the span that called us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    id: Arc<str>,
    parent: Arc<str>,
}

impl Trace {
    /// Reads a `traceparent` (version 00). Anything else is ignored, as the standard asks.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let zero = |text: &str| text.bytes().all(|byte| byte == b'0');
        let valid = version == "00"
            && parts.next().is_none()
            && hex(id, 32)
            && !zero(id)
            && hex(parent, 16)
            && !zero(parent)
            && hex(flags, 2);
        valid.then(|| Self { id: id.into(), parent: parent.into() })
    }

    /// A trace that begins here.
    #[must_use]
    pub fn fresh() -> Self {
        Self { id: hex::encode(host::random::<16>()).into(), parent: hex::encode(host::random::<8>()).into() }
    }

    fn child(&self) -> String {
        format!("00-{}-{}-01", self.id, hex::encode(host::random::<8>()))
    }
}

impl std::fmt::Display for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "00-{}-{}-01", self.id, self.parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_carried_on_and_nonsense_is_ignored() {
        let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = Trace::parse(given).unwrap();
        assert_eq!(trace.to_string(), given);
        assert!(trace.child().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert_ne!(trace.child(), trace.child());
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(Trace::parse(wrong), None, "{wrong}");
        }
    }
}
