//! Access tokens: one caller fetches while the others wait.
//!
//! A token that the app's own secret brings can be fetched again at any time, so it is kept in key-value, which may forget. A
//! token that the merchant has entered with a shop, and what renews it, stand sealed in the shop's row.

use super::Failure;
use super::exchange::Refused;
use crate::store;
use domain::{Platform, Secret, UnixMs};
use kit::{App, Cx, DbError, KvError, Vault, VaultError, host, lease};
use platforms::marketplace::Token;
use std::time::Duration;

/// Where the tokens of one account are kept.
pub struct Keeper<'a> {
    pub app: &'a App,
    pub cx: &'a Cx,
    /// The account's name, in key-value and among the leases.
    pub account: String,
    /// The shop, where the account is one: the merchant may have entered its tokens.
    pub shop: Option<Shop<'a>>,
}

/// A shop whose tokens may stand in its row.
#[derive(Clone, Copy)]
pub struct Shop<'a> {
    pub platform: Platform,
    pub id: &'a str,
    /// Opens and seals them.
    pub vault: &'a Vault,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Key-value.
    #[error(transparent)]
    Kv(#[from] KvError),
    /// The lease, or the shop's row.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The shop's row.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Another fetches it, and takes long.
    #[error("another fetches the access token, and takes long")]
    Slow,
    /// Not text.
    #[error("the kept access token is not text")]
    Damaged,
}

/// A token is renewed this long before its end, in milliseconds.
const MARGIN_MS: i64 = 300_000;
/// How long one may take to fetch a token before another may try, in milliseconds.
const LEASE_MS: i64 = 30_000;
const WAITS: u32 = 100;
const WAIT: Duration = Duration::from_millis(50);

/// What there is for an account.
enum Found {
    /// A token.
    Kept(Secret<String>),
    /// None, and it is ours to fetch one: [`Keeper::keep`] or [`Keeper::give_up`].
    Ours(Claim),
}

/// The right to fetch a token, over all instances.
struct Claim {
    holder: String,
    entered: Option<Entered>,
}

/// The shop has tokens of its own, entered by the merchant or renewed since.
struct Entered {
    refresh_token: Option<Secret<String>>,
}

impl Keeper<'_> {
    /// The account's token. Where there is none, one caller fetches it, over all instances, and the others wait for it. `fetch` is given what
    /// renews the token, where the merchant has entered it.
    ///
    /// # Errors
    /// [`Refused`] when the stores cannot be reached, the one who fetches takes long, or `fetch` fails.
    pub async fn token<F: Future<Output = Result<Token, Refused>>>(
        &self,
        fetch: impl FnOnce(Option<Secret<String>>) -> F,
    ) -> Result<Secret<String>, Refused> {
        let claim = match self.find().await? {
            Found::Kept(token) => return Ok(token),
            Found::Ours(claim) => claim,
        };
        let refresh_token = claim.entered.as_ref().and_then(|entered| entered.refresh_token.clone());
        match fetch(refresh_token).await {
            Ok(fresh) => {
                let token = fresh.access_token.clone();
                self.keep(claim, fresh).await?;
                Ok(token)
            }
            Err(refused) => {
                self.give_up(claim).await?;
                Err(refused)
            }
        }
    }

    async fn find(&self) -> Result<Found, TokenError> {
        let holder = uuid::Uuid::now_v7().to_string();
        for _ in 0..WAITS {
            if let (Some(token), _) = self.kept().await? {
                return Ok(Found::Kept(token));
            }
            if self.take(&holder).await? {
                // Who held the lease before may have just kept one.
                let (kept, entered) = self.kept().await?;
                let claim = Claim { holder, entered };
                return match kept {
                    Some(token) => self.give_up(claim).await.map(|()| Found::Kept(token)),
                    None => Ok(Found::Ours(claim)),
                };
            }
            host::sleep(WAIT).await;
        }
        Err(TokenError::Slow)
    }

    /// Keeps the token that was fetched; those who wait have it now.
    async fn keep(&self, claim: Claim, fresh: Token) -> Result<(), TokenError> {
        let life_ms = fresh.expires_in.saturating_mul(1000).saturating_sub(MARGIN_MS).max(1000);
        let expires_at = self.cx.now.try_add_millis(life_ms).unwrap_or(self.cx.now);
        if let (Some(shop), Some(_)) = (self.shop, &claim.entered) {
            let access_token = shop.seal(&fresh.access_token)?;
            let refresh_token = fresh.refresh_token.as_ref().map(|token| shop.seal(token)).transpose()?;
            let (platform, shop_id) = (shop.platform, shop.id.to_owned());
            let replace = move |tx: &kit::Tx<'_>| {
                store::replace_tokens(tx, platform, &shop_id, access_token, refresh_token, expires_at)
            };
            self.app.db().write(self.cx, replace).await?;
        } else {
            self.app.kv().set(&self.key(), fresh.access_token.expose().as_bytes(), expires_at).await?;
        }
        self.give_up(claim).await
    }

    /// Lets another try. Where that cannot be written, the lease lapses by itself.
    async fn give_up(&self, claim: Claim) -> Result<(), TokenError> {
        let key = self.key();
        Ok(self.app.db().write(self.cx, move |tx| lease::release(tx, &key, &claim.holder)).await?)
    }

    /// Forgets a token that the platform refused, unless it has been replaced already.
    pub async fn forget(&self, refused: &Secret<String>) {
        if let Err(error) = self.forgotten(refused).await {
            tracing::warn!(%error, "a refused token could not be forgotten");
        }
    }

    async fn forgotten(&self, refused: &Secret<String>) -> Result<(), TokenError> {
        let (kept, entered) = self.kept().await?;
        if kept.is_none_or(|token| token.expose() != refused.expose()) {
            return Ok(());
        }
        if let (Some(shop), Some(_)) = (self.shop, entered) {
            let (platform, shop_id) = (shop.platform, shop.id.to_owned());
            self.app.db().write(self.cx, move |tx| store::forget_access_token(tx, platform, &shop_id)).await?;
        } else {
            self.app.kv().delete(&self.key()).await?;
        }
        Ok(())
    }

    /// The token that is good now, if there is one; and what was entered with the shop, if anything was.
    async fn kept(&self) -> Result<(Option<Secret<String>>, Option<Entered>), TokenError> {
        if let Some(shop) = self.shop
            && let Some(entered) = self.entered(shop).await?
        {
            return Ok(entered);
        }
        let Some(bytes) = self.app.kv().get(&self.key(), self.cx.now).await? else { return Ok((None, None)) };
        let text = String::from_utf8(bytes).map_err(|_| TokenError::Damaged)?;
        Ok((Some(Secret::new(text)), None))
    }

    /// What stands in a shop's row: the access token if it is good, and what renews it.
    async fn entered(&self, shop: Shop<'_>) -> Result<Option<(Option<Secret<String>>, Option<Entered>)>, TokenError> {
        let (platform, shop_id) = (shop.platform, shop.id.to_owned());
        let Some(row) = self.app.db().read(self.cx, |tx| store::tokens(tx, platform, &shop_id)).await? else {
            return Ok(None);
        };
        let open = |sealed: Option<Vec<u8>>| sealed.map(|sealed| shop.open(&sealed)).transpose();
        let (access_token, refresh_token) = (open(row.access_token)?, open(row.refresh_token)?);
        if access_token.is_none() && refresh_token.is_none() {
            return Ok(None);
        }
        let good = access_token.filter(|_| row.expires_at.is_none_or(|end| end > self.cx.now));
        Ok(Some((good, Some(Entered { refresh_token }))))
    }

    async fn take(&self, holder: &str) -> Result<bool, TokenError> {
        let until: UnixMs = self.cx.now.try_add_millis(LEASE_MS).unwrap_or(self.cx.now);
        let (key, holder) = (self.key(), holder.to_owned());
        Ok(self.app.db().write(self.cx, move |tx| lease::take(tx, &key, &holder, until)).await?)
    }

    /// Its name in key-value and among the leases.
    fn key(&self) -> String {
        format!("token:{}", self.account)
    }
}

impl Shop<'_> {
    fn seal(&self, token: &Secret<String>) -> Result<Vec<u8>, VaultError> {
        self.vault.seal(store::TOKEN_PURPOSE, token.expose().as_bytes())
    }

    fn open(&self, sealed: &[u8]) -> Result<Secret<String>, TokenError> {
        let bytes = self.vault.open(store::TOKEN_PURPOSE, sealed)?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| TokenError::Damaged)
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        Self::Later(Failure::ours(error))
    }
}
