//! Access tokens: kept in key-value, fetched by one while the others wait.

use domain::Secret;
use kit::{App, Cx, DbError, KvError, host, lease};
use std::time::Duration;

/// A token that was just fetched.
pub struct Fresh {
    /// Its text.
    pub text: Secret<String>,
    /// How long it may be used, in milliseconds.
    pub life_ms: i64,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Key-value.
    #[error(transparent)]
    Kv(#[from] KvError),
    /// The lease.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Another fetches it, and takes long.
    #[error("another fetches the access token, and takes long")]
    Slow,
    /// Not text.
    #[error("the kept access token is not text")]
    Damaged,
}

/// How long one may take to fetch a token before another may try, in milliseconds.
const LEASE_MS: i64 = 30_000;
const WAITS: u32 = 100;
const WAIT: Duration = Duration::from_millis(50);

/// What there is under a key.
pub enum Found {
    /// A token.
    Kept(Secret<String>),
    /// None, and it is ours to fetch one: [`Claim::keep`] or [`Claim::give_up`].
    Ours(Claim),
}

/// The right to fetch a token, over all instances.
pub struct Claim {
    key: String,
    holder: String,
}

/// The token kept under `key`. Where there is none, one caller is told to fetch it and the others wait for it.
///
/// # Errors
/// [`TokenError`] when the stores cannot be reached or the one who fetches takes long.
pub async fn find(app: &App, cx: &Cx, key: &str) -> Result<Found, TokenError> {
    let holder = uuid::Uuid::now_v7().to_string();
    for _ in 0..WAITS {
        if let Some(token) = kept(app, cx, key).await? {
            return Ok(Found::Kept(token));
        }
        if take(app, cx, key, &holder).await? {
            let claim = Claim { key: key.to_owned(), holder };
            // Who held the lease before may have just kept one.
            return match kept(app, cx, key).await? {
                Some(token) => claim.give_up(app, cx).await.map(|()| Found::Kept(token)),
                None => Ok(Found::Ours(claim)),
            };
        }
        host::sleep(WAIT).await;
    }
    Err(TokenError::Slow)
}

impl Claim {
    /// Keeps the token that was fetched; those who wait have it now.
    ///
    /// # Errors
    /// [`TokenError`] when the stores cannot be reached.
    pub async fn keep(self, app: &App, cx: &Cx, fresh: &Fresh) -> Result<(), TokenError> {
        let expires = cx.now.try_add_millis(fresh.life_ms).unwrap_or(cx.now);
        app.kv().set(&self.key, fresh.text.expose().as_bytes(), expires).await?;
        self.give_up(app, cx).await
    }

    /// Lets another try.
    ///
    /// # Errors
    /// [`TokenError`] when the database cannot be reached; the lease lapses by itself then.
    pub async fn give_up(self, app: &App, cx: &Cx) -> Result<(), TokenError> {
        let Self { key, holder } = self;
        Ok(app.db().write(cx, move |tx| lease::release(tx, &key, &holder)).await?)
    }
}

/// Forgets a token that the platform refused, unless it has been replaced already.
pub async fn forget(app: &App, cx: &Cx, key: &str, refused: &Secret<String>) {
    if let Ok(Some(token)) = kept(app, cx, key).await
        && token.expose() == refused.expose()
        && let Err(error) = app.kv().delete(key).await
    {
        tracing::warn!(%error, "a refused token could not be forgotten");
    }
}

async fn kept(app: &App, cx: &Cx, key: &str) -> Result<Option<Secret<String>>, TokenError> {
    let Some(bytes) = app.kv().get(key, cx.now).await? else { return Ok(None) };
    String::from_utf8(bytes).map(|text| Some(Secret::new(text))).map_err(|_| TokenError::Damaged)
}

async fn take(app: &App, cx: &Cx, key: &str, holder: &str) -> Result<bool, TokenError> {
    let until = cx.now.try_add_millis(LEASE_MS).unwrap_or(cx.now);
    let (key, holder) = (key.to_owned(), holder.to_owned());
    Ok(app.db().write(cx, move |tx| lease::take(tx, &key, &holder, until)).await?)
}
