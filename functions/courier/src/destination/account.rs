//! Accounts of the WeChat family: one access token an account, a conversation for each call.

use super::exchange::{EXCHANGE, Refused, exchange_within, refused};
use super::token::Keeper;
use super::{Failure, exchange::exchange};
use crate::settings;
use crate::store::Claimed;
use domain::Secret;
use http::StatusCode;
use kit::{App, ConfigError, Cx};
use platforms::marketplace::{self, ApiError, Request, Token};
use platforms::wechat::talk::Talk;
use std::time::Duration;

/// An account, and a call to it.
pub struct Account<'a> {
    pub app: &'a App,
    pub cx: &'a Cx,
    pub call: &'a Claimed,
    pub configured: &'a settings::Account,
    /// The account's name: that of its destination, also where it has a second one.
    pub name: &'static str,
    pub token_request: fn(&marketplace::App) -> Request,
    pub token: fn(&[u8]) -> Result<Token, ApiError>,
    /// How long one exchange may take.
    pub limit: Duration,
}

/// The account as configured; a call waits for what is missing.
pub fn configured(account: &Result<settings::Account, ConfigError>) -> Result<&settings::Account, Refused> {
    account.as_ref().map_err(|error| Refused::Later(Failure::ours(error)))
}

/// How long one exchange may take, unless a call wants less.
pub const LIMIT: Duration = EXCHANGE;

/// The most requests of one conversation: a platform that never ends its pages ends here.
const MOST_TURNS: u32 = 1_000;

impl Account<'_> {
    /// Has a conversation from its beginning. A token that the platform no longer takes is replaced once within the same try.
    pub async fn hold<T: Talk>(&self, begin: impl Fn() -> T) -> Result<(StatusCode, T::Answer), Refused> {
        match self.converse(begin()).await {
            Err(Refused::Token(_)) => self.converse(begin()).await,
            ended => ended,
        }
    }

    async fn converse<T: Talk>(&self, mut talk: T) -> Result<(StatusCode, T::Answer), Refused> {
        let keeper = Keeper { app: self.app, cx: self.cx, account: self.name.to_owned(), shop: None };
        let access_token = keeper.token(|_| self.new_token()).await?;
        for _ in 0..MOST_TURNS {
            let (status, heard) = self.turn(&mut talk, &access_token).await?;
            match heard {
                Ok(Some(answer)) => return Ok((status, answer)),
                Ok(None) => {}
                Err(error) => {
                    if matches!(error, ApiError::TokenExpired(_)) {
                        keeper.forget(&access_token).await;
                    }
                    return Err(refused(Some(status), &error));
                }
            }
        }
        Err(Refused::Never(Failure::ours("the platform's pages do not end")))
    }

    async fn turn<T: Talk>(
        &self,
        talk: &mut T,
        access_token: &Secret<String>,
    ) -> Result<(StatusCode, Result<Option<T::Answer>, ApiError>), Refused> {
        let Self { app, cx, call, configured, limit, .. } = self;
        let request = talk.request(&configured.app, access_token.expose());
        let sent = exchange_within(*limit, app, cx, &configured.base, request, &call.idempotency_key).await;
        let (status, body) = sent.map_err(|refused| match refused {
            // What only looks something up has done nothing.
            Refused::Later(failure) if !talk.acts() => Refused::Later(Failure { unknown: false, ..failure }),
            refused => refused,
        })?;
        Ok((status, talk.hear(&body)))
    }

    async fn new_token(&self) -> Result<Token, Refused> {
        let request = (self.token_request)(&self.configured.app);
        let sent = exchange(self.app, self.cx, &self.configured.base, request, self.name).await;
        let (status, body) = sent.map_err(|refused| match refused {
            Refused::Later(failure) => Refused::Later(Failure { unknown: false, ..failure }),
            refused => refused,
        })?;
        (self.token)(&body).map_err(|error| refused(Some(status), &error))
    }
}
