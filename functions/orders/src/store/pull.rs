//! How far each connected shop has been pulled.

use domain::{Platform, PullKind, UnixMs};
use kit::{DbError, Tx, params};

/// Where a pull stands.
#[derive(Clone, Copy, Debug)]
pub struct PullRow {
    /// Whatever changed before has been asked for.
    pub pulled_until: UnixMs,
}

/// Whether a shop is connected.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_connected(tx: &Tx<'_>, platform: Platform, shop_id: &str) -> Result<bool, DbError> {
    let found = tx.query_one(
        "select 1 as found from shop where platform = ?1 and shop = ?2",
        &params![platform.as_str(), shop_id],
    )?;
    Ok(found.is_some())
}

/// Begins a pull; one that was begun before goes on where it stood.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn begin_pull(
    tx: &Tx<'_>,
    platform: Platform,
    shop_id: &str,
    kind: PullKind,
    pulled_until: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "insert into pull (platform, shop, kind, pulled_until) values (?1, ?2, ?3, ?4)
         on conflict (platform, shop, kind) do nothing",
        &params![platform.as_str(), shop_id, kind.as_str(), pulled_until.millis()],
    )
}

/// Where a pull stands, if it was begun.
///
/// # Errors
/// [`DbError`] of the query.
pub fn pull(tx: &Tx<'_>, platform: Platform, shop_id: &str, kind: PullKind) -> Result<Option<PullRow>, DbError> {
    let row = tx.query_one(
        "select pulled_until from pull where platform = ?1 and shop = ?2 and kind = ?3",
        &params![platform.as_str(), shop_id, kind.as_str()],
    )?;
    row.map(|row| Ok(PullRow { pulled_until: row.instant("pulled_until")? })).transpose()
}

/// Everything before `until` has been asked for.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn advance_pull(
    tx: &Tx<'_>,
    platform: Platform,
    shop_id: &str,
    kind: PullKind,
    until: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "update pull set pulled_until = max(pulled_until, ?4), failures = 0, error = null
          where platform = ?1 and shop = ?2 and kind = ?3",
        &params![platform.as_str(), shop_id, kind.as_str(), until.millis()],
    )
}

/// Counts a failure; tells how many there have been in a row.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn pull_failed(
    tx: &Tx<'_>,
    platform: Platform,
    shop_id: &str,
    kind: PullKind,
    error: &str,
) -> Result<u32, DbError> {
    let row = tx.query_one(
        "update pull set failures = failures + 1, error = ?4
          where platform = ?1 and shop = ?2 and kind = ?3
         returning failures",
        &params![platform.as_str(), shop_id, kind.as_str(), error],
    )?;
    let failures: i64 = row.map_or(Ok(0), |row| row.get("failures"))?;
    Ok(u32::try_from(failures).unwrap_or(u32::MAX))
}
