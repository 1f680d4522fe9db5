//! Shops that the merchant has connected, and their tokens, sealed.

use domain::{Platform, PullKind, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::Deserialize;

/// The purpose under which tokens are sealed.
pub const TOKEN_PURPOSE: &str = "shop.token";

/// A connected shop, without its tokens.
#[derive(Clone, Debug)]
pub struct ShopRow {
    /// The platform.
    pub platform: Platform,
    /// Its id there.
    pub shop_id: String,
    /// Its name.
    pub name: String,
    /// Whether there is an access token or what renews one.
    pub has_token: bool,
    /// When the access token ends, if that is known.
    pub expires_at: Option<UnixMs>,
    /// When it was connected.
    pub connected_at: UnixMs,
    /// How far it has been asked what changed.
    pub pulls: Vec<PullRow>,
}

/// How far a shop has been asked for changes of a kind: a row of functions/orders.
#[derive(Clone, Debug, Deserialize)]
pub struct PullRow {
    /// The kind.
    pub kind: PullKind,
    /// Unix milliseconds: whatever changed before has been asked for.
    pub pulled_until: i64,
    /// Failures in a row.
    pub failures: u32,
    /// The last failure; none when the last attempt went well.
    pub error: Option<String>,
}

impl ShopRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            platform: row.parse("platform")?,
            shop_id: row.get("shop")?,
            name: row.get("name")?,
            has_token: row.get("has_token")?,
            expires_at: row.optional_instant("expires_at")?,
            connected_at: row.instant("connected_at")?,
            pulls: row.json("pulls")?,
        })
    }
}

/// A shop's tokens as they stand in its row, sealed.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access_token: Option<Vec<u8>>,
    /// What renews it.
    pub refresh_token: Option<Vec<u8>>,
    /// When the access token ends; none when that is not known.
    pub expires_at: Option<UnixMs>,
}

/// A shop to connect.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The platform.
    pub platform: Platform,
    /// Its id there.
    pub shop_id: String,
    /// Its name.
    pub name: String,
    /// Its tokens, sealed; those that are none stay as they are.
    pub tokens: Tokens,
}

/// Connects a shop, or changes what is known of it. Tells whether it was not connected before.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn connect(tx: &Tx<'_>, connected: &Connected) -> Result<bool, DbError> {
    let before = shop(tx, connected.platform, &connected.shop_id)?;
    let Tokens { access_token, refresh_token, expires_at } = connected.tokens.clone();
    tx.run(
        "insert into shop (platform, shop, name, access_token, refresh_token, expires_at, connected_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict (platform, shop) do update
             set name = excluded.name,
                 expires_at = case when excluded.access_token is null then expires_at else excluded.expires_at end,
                 access_token = coalesce(excluded.access_token, access_token),
                 refresh_token = coalesce(excluded.refresh_token, refresh_token)",
        &params![
            connected.platform.as_str(),
            connected.shop_id.as_str(),
            connected.name.as_str(),
            access_token,
            refresh_token,
            expires_at.map(UnixMs::millis),
            tx.cx().now.millis(),
        ],
    )?;
    Ok(before.is_none())
}

/// Disconnects a shop and forgets its tokens. Tells whether it was connected.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn disconnect(tx: &Tx<'_>, platform: Platform, shop_id: &str) -> Result<bool, DbError> {
    Ok(tx.execute("delete from shop where platform = ?1 and shop = ?2", &params![platform.as_str(), shop_id])? > 0)
}

const COLUMNS: &str =
    "platform, shop, name, coalesce(access_token, refresh_token) is not null as has_token, expires_at,
    connected_at, (select json_group_array(json_object('kind', kind, 'pulled_until', pulled_until,
                                                       'failures', failures, 'error', error) order by kind)
                     from pull where pull.platform = shop.platform and pull.shop = shop.shop) as pulls";

/// A connected shop.
///
/// # Errors
/// [`DbError`] of the query.
pub fn shop(tx: &Tx<'_>, platform: Platform, shop_id: &str) -> Result<Option<ShopRow>, DbError> {
    let sql = format!("select {COLUMNS} from shop where platform = ?1 and shop = ?2");
    tx.query_one(&sql, &params![platform.as_str(), shop_id])?.as_ref().map(ShopRow::from_row).transpose()
}

/// Connected shops after one of them, by platform and id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn shops(tx: &Tx<'_>, after: Option<(String, String)>, limit: u32) -> Result<Vec<ShopRow>, DbError> {
    let (platform, shop_id) = after.unwrap_or_default();
    let sql = format!("select {COLUMNS} from shop where (platform, shop) > (?1, ?2) order by platform, shop limit ?3");
    tx.query(&sql, &params![platform, shop_id, limit])?.iter().map(ShopRow::from_row).collect()
}

/// A connected shop's tokens.
///
/// # Errors
/// [`DbError`] of the query.
pub fn tokens(tx: &Tx<'_>, platform: Platform, shop_id: &str) -> Result<Option<Tokens>, DbError> {
    let row = tx.query_one(
        "select access_token, refresh_token, expires_at from shop where platform = ?1 and shop = ?2",
        &params![platform.as_str(), shop_id],
    )?;
    row.map(|row| {
        Ok(Tokens {
            access_token: row.get("access_token")?,
            refresh_token: row.get("refresh_token")?,
            expires_at: row.optional_instant("expires_at")?,
        })
    })
    .transpose()
}

/// Puts a renewed access token in the place of the old one; what renews it only where the platform has given a new one.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn replace_tokens(
    tx: &Tx<'_>,
    platform: Platform,
    shop_id: &str,
    access_token: Vec<u8>,
    refresh_token: Option<Vec<u8>>,
    expires_at: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "update shop
            set access_token = ?3, refresh_token = coalesce(?4, refresh_token), expires_at = ?5
          where platform = ?1 and shop = ?2",
        &params![platform.as_str(), shop_id, access_token, refresh_token, expires_at.millis()],
    )
}

/// Forgets an access token that is no longer good. Where nothing renews it, it stays, as past its end: the shop is to be
/// connected anew.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget_access_token(tx: &Tx<'_>, platform: Platform, shop_id: &str) -> Result<(), DbError> {
    tx.run(
        "update shop set expires_at = ?3 where platform = ?1 and shop = ?2",
        &params![platform.as_str(), shop_id, tx.cx().now.millis()],
    )
}
