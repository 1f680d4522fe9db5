//! The systems that the courier knows: how each is asked, and what its answers mean.

mod account;
mod exchange;
mod kuaidi100;
mod marketplace;
mod official_account;
mod token;
mod wecom;

use crate::settings::{self, Settings};
use crate::store::Claimed;
use domain::Platform;
use http::StatusCode;
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
        /// Contacts whom the other side left out of a message: it does not count for them.
        left_out: Vec<String>,
    },
    /// It may go better later.
    Retry(Failure),
    /// It may go better later, but calls of this operation are to be left alone for a while.
    Paused(Failure),
    /// It never will.
    Failed(Failure),
}

impl Outcome {
    /// Answered.
    pub fn succeeded(status: StatusCode, answer: Vec<u8>) -> Self {
        Self::Succeeded { status: status.as_u16(), answer, left_out: Vec::new() }
    }
}

/// Why a call brought nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// In words, without personal data.
    pub error: String,
    /// Not before so many milliseconds, as the other side asked or the call itself wants.
    pub retry_after_ms: Option<u64>,
    /// Whether the destination itself is in trouble: such failures open its circuit.
    pub trips_breaker: bool,
    /// Whether the other side may have done what was asked all the same: the answer was lost.
    pub unknown: bool,
}

impl Failure {
    /// A failure in words of our own.
    pub fn ours(error: impl ToString) -> Self {
        Self { error: error.to_string(), ..Self::default() }
    }
}

/// Messages whose platforms have no key by which they would know a repetition.
const ONCE: [&str; 2] = ["message_contacts", "service_message"];

/// What a person can do about a message of which nobody knows whether it went out.
const LOOK: &str = "whether it was sent is not known: look in the platform's console";

/// A destination by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A marketplace's open API.
    Marketplace(Platform),
    /// Kuaidi100, who watches parcels.
    Kuaidi100,
    /// The merchant's app at WeCom.
    Wecom,
    /// The same app for welcomes, which live twenty seconds: with a budget and a circuit of its own, so that they wait behind nothing else.
    WecomWelcome,
    /// The merchant's Official Account.
    OfficialAccount,
}

impl Destination {
    /// All of them, the most urgent first.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [Self::Wecom, Self::OfficialAccount, Self::Kuaidi100];
        [Self::WecomWelcome].into_iter().chain(others).chain(settings::asked().map(Self::Marketplace))
    }

    /// Whether its calls live some seconds only.
    pub fn is_urgent(self) -> bool {
        self == Self::WecomWelcome
    }

    /// Its name in the outbox.
    pub fn name(self) -> &'static str {
        match self {
            Self::Marketplace(platform) => platform.as_str(),
            Self::Kuaidi100 => platforms::kuaidi100::DESTINATION,
            Self::Wecom => platforms::wecom::DESTINATION,
            Self::WecomWelcome => platforms::wecom::WELCOME_DESTINATION,
            Self::OfficialAccount => platforms::official_account::DESTINATION,
        }
    }

    /// What it bears.
    pub fn limit(self) -> Limit {
        match self {
            Self::Kuaidi100 => Limit { per_second: 10, burst: 30 },
            // WeCom bears 10,000 calls of one API a minute, 150,000 an hour. Quotas of Official Accounts are by day and call.
            Self::Wecom => Limit { per_second: 40, burst: 200 },
            Self::WecomWelcome => Limit { per_second: 100, burst: 1000 },
            Self::OfficialAccount => Limit { per_second: 20, burst: 100 },
            Self::Marketplace(platform) => {
                platforms::api(platform).map_or(Limit { per_second: 1, burst: 1 }, |api| api.limit())
            }
        }
    }

    /// Makes a call. One that people would find twice is not made again where nobody knows whether it was heard.
    pub async fn send(self, app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
        let once = ONCE.contains(&call.operation.as_str());
        if once && call.is_interrupted {
            return Outcome::Failed(Failure { unknown: true, ..Failure::ours(LOOK) });
        }
        match self.ask(app, settings, cx, call).await {
            Outcome::Retry(failure) if once && failure.unknown => {
                Outcome::Failed(Failure { error: format!("{}; {LOOK}", failure.error), ..failure })
            }
            outcome => outcome,
        }
    }

    async fn ask(self, app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
        match self {
            Self::Kuaidi100 => kuaidi100::send(app, settings, cx, call).await,
            Self::Wecom | Self::WecomWelcome => wecom::send(app, settings, cx, call).await,
            Self::OfficialAccount => official_account::send(app, settings, cx, call).await,
            Self::Marketplace(platform) => marketplace::send(platform, app, settings, cx, call).await,
        }
    }
}
