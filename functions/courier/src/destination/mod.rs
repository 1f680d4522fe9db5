//! The systems that the courier knows: how each is asked, and what its answers mean.

mod exchange;
mod kuaidi100;
mod marketplace;
mod token;

use crate::settings::{self, Settings};
use crate::store::Claimed;
use domain::Platform;
use kit::{App, Cx};
use platforms::marketplace::Limit;

pub use exchange::EXCHANGE;

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered; the part of the answer that says something is kept.
    Succeeded {
        /// The HTTP status.
        status: u16,
        /// What the answer says, JSON.
        answer: Vec<u8>,
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

impl Failure {
    /// A failure in words of our own.
    pub fn ours(error: impl ToString) -> Self {
        Self { error: error.to_string(), ..Self::default() }
    }
}

/// A destination by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A marketplace's open API.
    Marketplace(Platform),
    /// Kuaidi100, who watches parcels.
    Kuaidi100,
}

impl Destination {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        settings::asked().map(Self::Marketplace).chain([Self::Kuaidi100])
    }

    /// Its name in the outbox.
    pub fn name(self) -> &'static str {
        match self {
            Self::Marketplace(platform) => platform.as_str(),
            Self::Kuaidi100 => platforms::kuaidi100::DESTINATION,
        }
    }

    /// What it bears.
    pub fn limit(self) -> Limit {
        match self {
            Self::Kuaidi100 => Limit { per_second: 10, burst: 30 },
            Self::Marketplace(platform) => {
                platforms::api(platform).map_or(Limit { per_second: 1, burst: 1 }, |api| api.limit())
            }
        }
    }

    /// Makes a call.
    pub async fn send(self, app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
        match self {
            Self::Kuaidi100 => kuaidi100::send(app, settings, cx, call).await,
            Self::Marketplace(platform) => marketplace::send(platform, app, settings, cx, call).await,
        }
    }
}
