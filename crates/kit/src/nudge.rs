//! After a COMMIT that made the log or the outbox grow, the pump is told. A lost nudge costs only time: the tick does the same.

use crate::client::Client;
use crate::host;
use bytes::Bytes;
use http::{Method, Request};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const PUMP: &str = "http://pump.spin.internal/nudge";
const LIMIT: Duration = Duration::from_secs(5);

/// Nudges the pump; however many ask, one call at a time is under way and at most one more follows.
#[derive(Clone)]
pub(crate) struct Nudge {
    client: Client,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Idle,
    Calling,
    CallAgain,
}

impl Nudge {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, state: Arc::default() }
    }

    /// Asks for a nudge; returns at once.
    pub(crate) fn ask(&self) {
        let mut state = self.lock();
        if *state == State::Idle {
            *state = State::Calling;
            drop(state);
            host::spawn(self.clone().call());
        } else {
            *state = State::CallAgain;
        }
    }

    async fn call(self) {
        loop {
            let mut request = Request::new(Bytes::new());
            *request.method_mut() = Method::POST;
            *request.uri_mut() = http::Uri::from_static(PUMP);
            if let Err(error) = self.client.send(request, LIMIT).await {
                tracing::debug!(%error, "nudge");
            }
            let mut state = self.lock();
            if *state != State::CallAgain {
                *state = State::Idle;
                return;
            }
            *state = State::Calling;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
