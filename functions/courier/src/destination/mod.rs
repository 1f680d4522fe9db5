//! The systems that the courier knows: how each is asked, and what its answers mean. A new one is a file and a row here.

mod douyin;
mod token;

use crate::budget::Limit;
use crate::settings::Settings;
use crate::store::Claimed;
use kit::{App, Cx};
use std::time::Duration;

/// How long one exchange may take.
pub const EXCHANGE: Duration = Duration::from_secs(20);

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered; the body is kept.
    Succeeded {
        /// The HTTP status.
        status: u16,
        /// The whole answer.
        body: Vec<u8>,
    },
    /// It may go better later.
    Retry(Failure),
    /// It never will.
    Failed(Failure),
}

/// Why a call brought nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// In words, without personal data.
    pub error: String,
    /// Not before so many seconds, as the other side asked.
    pub retry_after: Option<u32>,
    /// Whether the destination itself is in trouble: such failures open its circuit.
    pub trips_breaker: bool,
}

/// A destination by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Doudian's open API.
    Douyin,
}

impl Destination {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Douyin];

    /// Its name in the outbox.
    pub fn name(self) -> &'static str {
        match self {
            Self::Douyin => "douyin",
        }
    }

    /// What it bears. Doudian publishes limits per app and interface in its console; this is below the lowest of them.
    pub fn limit(self) -> Limit {
        match self {
            Self::Douyin => Limit { per_second: 50, burst: 100 },
        }
    }

    /// Makes a call.
    pub async fn send(self, app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
        match self {
            Self::Douyin => douyin::send(app, settings, cx, call).await,
        }
    }
}
