//! Access tokens: one caller fetches while the others wait.
//!
//! A token that the app's own secret brings can be fetched again at any time, so it is kept in key-value, which may forget. A
//! token that the merchant has entered with a shop, and what renews it, stand sealed in the shop's row.

use crate::store;
use domain::{Platform, Secret, UnixMs};
use kit::{App, Cx, DbError, KvError, Vault, VaultError, host, lease};
use platforms::marketplace::Token;
use std::time::Duration;

/// Where the tokens of one shop are kept.
pub struct Keeper<'a> {
    pub app: &'a App,
    pub vault: &'a Vault,
    pub cx: &'a Cx,
    pub platform: Platform,
    pub shop_id: &'a str,
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

/// What there is for a shop.
pub enum Found {
    /// A token.
    Kept(Secret<String>),
    /// None, and it is ours to fetch one: [`Keeper::keep`] or [`Keeper::give_up`].
    Ours(Claim),
}

/// The right to fetch a token, over all instances.
pub struct Claim {
    holder: String,
    entered: Option<Entered>,
}

impl Claim {
    /// What renews the shop's token, where the merchant has entered it.
    pub fn refresh_token(&self) -> Option<&Secret<String>> {
        self.entered.as_ref().and_then(|entered| entered.refresh_token.as_ref())
    }
}

/// The shop has tokens of its own, entered by the merchant or renewed since.
struct Entered {
    refresh_token: Option<Secret<String>>,
}

impl Keeper<'_> {
    /// The shop's token. Where there is none, one caller is told to fetch it and the others wait for it.
    ///
    /// # Errors
    /// [`TokenError`] when the stores cannot be reached or the one who fetches takes long.
    pub async fn find(&self) -> Result<Found, TokenError> {
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
    ///
    /// # Errors
    /// [`TokenError`] when the stores cannot be reached.
    pub async fn keep(&self, claim: Claim, fresh: Token) -> Result<(), TokenError> {
        let life_ms = fresh.expires_in.saturating_mul(1000).saturating_sub(MARGIN_MS).max(1000);
        let expires_at = self.cx.now.try_add_millis(life_ms).unwrap_or(self.cx.now);
        if claim.entered.is_some() {
            let access_token = self.seal(&fresh.access_token)?;
            let refresh_token = fresh.refresh_token.as_ref().map(|token| self.seal(token)).transpose()?;
            let (platform, shop_id) = (self.platform, self.shop_id.to_owned());
            let replace = move |tx: &kit::Tx<'_>| {
                store::replace_tokens(tx, platform, &shop_id, access_token, refresh_token, expires_at)
            };
            self.app.db().write(self.cx, replace).await?;
        } else {
            self.app.kv().set(&self.key(), fresh.access_token.expose().as_bytes(), expires_at).await?;
        }
        self.give_up(claim).await
    }

    /// Lets another try.
    ///
    /// # Errors
    /// [`TokenError`] when the database cannot be reached; the lease lapses by itself then.
    pub async fn give_up(&self, claim: Claim) -> Result<(), TokenError> {
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
        if entered.is_some() {
            let (platform, shop_id) = (self.platform, self.shop_id.to_owned());
            self.app.db().write(self.cx, move |tx| store::forget_access_token(tx, platform, &shop_id)).await?;
        } else {
            self.app.kv().delete(&self.key()).await?;
        }
        Ok(())
    }

    /// The token that is good now, if there is one; and what was entered with the shop, if anything was.
    async fn kept(&self) -> Result<(Option<Secret<String>>, Option<Entered>), TokenError> {
        let (platform, shop_id) = (self.platform, self.shop_id.to_owned());
        let row = self.app.db().read(self.cx, |tx| store::tokens(tx, platform, &shop_id)).await?;
        if let Some(row) = row {
            let open = |sealed: Option<Vec<u8>>| sealed.map(|sealed| self.open(&sealed)).transpose();
            let (access_token, refresh_token) = (open(row.access_token)?, open(row.refresh_token)?);
            if access_token.is_some() || refresh_token.is_some() {
                let good = access_token.filter(|_| row.expires_at.is_none_or(|end| end > self.cx.now));
                return Ok((good, Some(Entered { refresh_token })));
            }
        }
        let Some(bytes) = self.app.kv().get(&self.key(), self.cx.now).await? else { return Ok((None, None)) };
        let text = String::from_utf8(bytes).map_err(|_| TokenError::Damaged)?;
        Ok((Some(Secret::new(text)), None))
    }

    async fn take(&self, holder: &str) -> Result<bool, TokenError> {
        let until: UnixMs = self.cx.now.try_add_millis(LEASE_MS).unwrap_or(self.cx.now);
        let (key, holder) = (self.key(), holder.to_owned());
        Ok(self.app.db().write(self.cx, move |tx| lease::take(tx, &key, &holder, until)).await?)
    }

    /// Its name in key-value and among the leases.
    fn key(&self) -> String {
        format!("token:{}:{}", self.platform, self.shop_id)
    }

    fn seal(&self, token: &Secret<String>) -> Result<Vec<u8>, VaultError> {
        self.vault.seal(store::TOKEN_PURPOSE, token.expose().as_bytes())
    }

    fn open(&self, sealed: &[u8]) -> Result<Secret<String>, TokenError> {
        let bytes = self.vault.open(store::TOKEN_PURPOSE, sealed)?;
        String::from_utf8(bytes).map(Secret::new).map_err(|_| TokenError::Damaged)
    }
}
