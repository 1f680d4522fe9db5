//! The merchant's app at WeCom: welcomes within their twenty seconds, messages to contacts within the merchant's rule, and all else.

use super::account::{Account, LIMIT, configured};
use super::exchange::Refused;
use super::{Failure, Outcome};
use crate::retry;
use crate::settings::Settings;
use crate::store::{self, Claimed};
use domain::{UnixMs, WelcomeOutcome};
use http::StatusCode;
use kit::{App, Cx, DbError};
use platforms::wecom::answer::MessageTask;
use platforms::wecom::{self, Answer, Ask, Conversation, DESTINATION, Message};
use std::collections::BTreeSet;
use std::time::Duration;

pub async fn send(app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
    let ask: Ask = match serde_json::from_str(&call.request) {
        Ok(ask) => ask,
        Err(error) => return Outcome::Failed(Failure::ours(error)),
    };
    if let Err(advice) = ask.check() {
        return Outcome::Failed(Failure::ours(advice));
    }
    let caller = Caller { app, settings, cx, call };
    match ask {
        Ask::Welcome { until, .. } => caller.welcome(ask, until).await,
        Ask::MessageContacts { contacts, sender, message } => caller.message(contacts, sender, message).await,
        ask => ended(caller.ask(ask, LIMIT).await),
    }
}

/// How long the exchange of a welcome may take: the code may serve for another one.
const WELCOME_LIMIT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
struct Caller<'a> {
    app: &'a App,
    settings: &'a Settings,
    cx: &'a Cx,
    call: &'a Claimed,
}

impl Caller<'_> {
    async fn ask(self, ask: Ask, limit: Duration) -> Result<(StatusCode, Answer), Refused> {
        let Self { app, settings, cx, call } = self;
        let account = Account {
            app,
            cx,
            call,
            configured: configured(&settings.wecom)?,
            name: DESTINATION,
            token_request: wecom::token_request,
            token: wecom::token,
            limit,
        };
        account.hold(|| Conversation::new(ask.clone())).await
    }

    /// Greets a contact, if the code still lives; tries again quickly, as long as it does. A try whose answer was lost may be repeated: the code
    /// serves once, and the platform says so.
    async fn welcome(self, ask: Ask, until: UnixMs) -> Outcome {
        let left = match self.left(until).await {
            Ok(0) => return missed(),
            Ok(left) => left,
            Err(failure) => return Outcome::Retry(failure),
        };
        let sent = self.ask(ask, WELCOME_LIMIT.min(Duration::from_millis(left))).await;
        let Err(Refused::Token(failure) | Refused::Later(failure)) = sent else { return ended(sent) };
        let pause = retry::welcome_pause_ms(self.call.attempt);
        match self.left(until).await {
            Ok(left) if left <= pause || self.call.attempt >= retry::TRIES => missed(),
            _ => Outcome::Retry(Failure { retry_after_ms: Some(pause), ..failure }),
        }
    }

    /// Milliseconds until `until`.
    async fn left(self, until: UnixMs) -> Result<u64, Failure> {
        let now = self.app.clock().now().await.map_err(Failure::ours)?;
        Ok(u64::try_from(until.millis().saturating_sub(now.millis())).unwrap_or(0))
    }

    /// Messages those contacts who may have another one by the merchant's rule.
    async fn message(self, contacts: Vec<String>, sender: Option<String>, message: Message) -> Outcome {
        let (id, asked) = (self.call.id, contacts.clone());
        let claimed: Result<_, DbError> =
            self.app.db().write(self.cx, move |tx| store::claim_messages(tx, id, &asked)).await;
        let allowed = match claimed {
            Ok(allowed) => allowed,
            Err(error) => return Outcome::Retry(Failure::ours(error)),
        };
        let distinct: BTreeSet<String> = contacts.into_iter().collect();
        let (contacts, over_limit): (Vec<_>, Vec<_>) =
            distinct.into_iter().partition(|contact| allowed.contains(contact));
        if contacts.is_empty() {
            let task = MessageTask { over_limit, ..MessageTask::default() };
            return ended(Ok((StatusCode::OK, Answer::MessageTask(task))));
        }
        match self.ask(Ask::MessageContacts { contacts, sender, message }, LIMIT).await {
            Ok((status, Answer::MessageTask(task))) => {
                let left_out = task.failed.clone();
                match ended(Ok((status, Answer::MessageTask(MessageTask { over_limit, ..task })))) {
                    Outcome::Succeeded { status, answer, .. } => Outcome::Succeeded { status, answer, left_out },
                    failed => failed,
                }
            }
            sent => ended(sent),
        }
    }
}

fn missed() -> Outcome {
    ended(Ok((StatusCode::OK, Answer::WelcomeSent { outcome: WelcomeOutcome::Missed })))
}

fn ended(sent: Result<(StatusCode, Answer), Refused>) -> Outcome {
    match sent {
        Ok((status, answer)) => match serde_json::to_vec(&answer) {
            Ok(answer) => Outcome::succeeded(status, answer),
            Err(error) => Outcome::Failed(Failure::ours(error)),
        },
        Err(refused) => refused.into(),
    }
}
