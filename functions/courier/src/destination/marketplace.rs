//! Marketplaces' open APIs: requests signed by the app's secret, one access token a shop.

use super::exchange::{Refused, exchange, refused};
use super::token::{Keeper, Shop as TokenShop};
use super::{Failure, Outcome};
use crate::settings::{Configured, Settings};
use crate::store::Claimed;
use domain::{Platform, Secret};
use http::StatusCode;
use kit::{App, Cx};
use platforms::marketplace::{Api, ApiError, Ask, Asked, Shop, Token};
use serde_json::Value;
use std::borrow::Cow;

pub async fn send(platform: Platform, app: &App, settings: &Settings, cx: &Cx, call: &Claimed) -> Outcome {
    let (Some(api), Some(configured)) = (platforms::api(platform), settings.marketplaces.get(&platform)) else {
        return Outcome::Failed(Failure::ours(format!("{platform} cannot be asked")));
    };
    let (configured, vault) = match (configured, &settings.vault) {
        (Ok(configured), Ok(vault)) => (configured, vault),
        (Err(error), _) | (_, Err(error)) => return Outcome::Retry(Failure::ours(error)),
    };
    let asked: Asked = match serde_json::from_str(&call.request) {
        Ok(asked) => asked,
        Err(error) => return Outcome::Failed(Failure::ours(error)),
    };
    let shop = TokenShop { platform, id: &asked.shop_id, vault };
    let keeper = Keeper { app, cx, account: format!("{platform}:{}", asked.shop_id), shop: Some(shop) };
    let caller = Caller { api, configured, app, cx, call, asked: &asked, keeper };
    // A token that the platform no longer takes is replaced once within the same try.
    let mut outcome = caller.ask().await;
    if matches!(outcome, Err(Refused::Token(_))) {
        outcome = caller.ask().await;
    }
    match outcome {
        Ok((status, answer)) => Outcome::succeeded(status, answer.to_string().into_bytes()),
        Err(refused) => refused.into(),
    }
}

struct Caller<'a> {
    api: &'static dyn Api,
    configured: &'a Configured,
    app: &'a App,
    cx: &'a Cx,
    call: &'a Claimed,
    asked: &'a Asked,
    keeper: Keeper<'a>,
}

impl Caller<'_> {
    async fn ask(&self) -> Result<(StatusCode, Value), Refused> {
        let access_token = self.keeper.token(|refresh_token| self.new_token(refresh_token)).await?;
        let mut ask = Cow::Borrowed(&self.asked.ask);
        loop {
            let (status, answer) = self.call(&ask, &access_token).await?;
            match self.api.next(&ask, &answer).map_err(|error| refused(Some(status), &error))? {
                Some(next) => ask = Cow::Owned(next),
                None => return Ok((status, answer)),
            }
        }
    }

    async fn call(&self, ask: &Ask, access_token: &Secret<String>) -> Result<(StatusCode, Value), Refused> {
        let shop = Shop { id: &self.asked.shop_id, access_token: Some(access_token), refresh_token: None };
        let request =
            self.api.request(&self.configured.app, &shop, ask, self.cx.now).map_err(|error| refused(None, &error))?;
        let (status, body) =
            exchange(self.app, self.cx, &self.configured.base, request, &self.call.idempotency_key).await?;
        match self.api.check(ask, &body) {
            Ok(answer) => Ok((status, answer)),
            Err(error) => {
                if matches!(error, ApiError::TokenExpired(_)) {
                    self.keeper.forget(access_token).await;
                }
                Err(refused(Some(status), &error))
            }
        }
    }

    async fn new_token(&self, refresh_token: Option<Secret<String>>) -> Result<Token, Refused> {
        let shop = Shop { id: &self.asked.shop_id, access_token: None, refresh_token: refresh_token.as_ref() };
        let request = self.api.token_request(&self.configured.app, &shop, self.cx.now).ok_or_else(|| {
            let Asked { shop_id, .. } = self.asked;
            let platform = self.call.destination.name();
            Refused::Later(Failure::ours(format!(
                "there is no access token for the shop {shop_id}: PUT /v1/shops/{platform}/{shop_id}"
            )))
        })?;
        let (status, body) =
            exchange(self.app, self.cx, &self.configured.token_base, request, &self.asked.shop_id).await?;
        self.api.token(&body, self.cx.now).map_err(|error| refused(Some(status), &error))
    }
}
