//! Redemptions: points that were given for something.

use domain::{CustomerId, RedemptionId, RewardId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// A redemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionRow {
    /// Its id.
    pub id: RedemptionId,
    /// The customer that it is written for.
    pub customer: CustomerId,
    /// The reward, if it is one of the catalogue.
    pub reward: Option<RewardId>,
    /// The entry of the ledger.
    pub entry: i64,
    /// How many points.
    pub points: i64,
    /// What for, in a person's words.
    pub reason: String,
    /// Who did it (a token's id).
    pub by: String,
    /// When.
    pub created_at: UnixMs,
    /// When it was cancelled.
    pub cancelled_at: Option<UnixMs>,
}

const COLUMNS: &str = "redemption.id, redemption.customer, redemption.reward, redemption.entry, redemption.points,
                          redemption.reason, redemption.by, redemption.created_at, redemption.cancelled_at";

/// Reads a row of [`redemptions`].
///
/// # Errors
/// [`DbError::Shape`] when it is none.
pub fn read_redemption(row: &Row) -> Result<RedemptionRow, DbError> {
    let reward = row.get::<Option<String>>("reward")?;
    Ok(RedemptionRow {
        id: row.parse("id")?,
        customer: row.parse("customer")?,
        reward: reward.map(|_| row.parse("reward")).transpose()?,
        entry: row.get("entry")?,
        points: row.get("points")?,
        reason: row.get("reason")?,
        by: row.get("by")?,
        created_at: row.instant("created_at")?,
        cancelled_at: row.optional_instant("cancelled_at")?,
    })
}

/// A redemption by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn redemption(tx: &Tx<'_>, id: RedemptionId) -> Result<Option<RedemptionRow>, DbError> {
    let sql = format!("select {COLUMNS} from redemption where id = ?1");
    tx.query_one(&sql, &params![id.to_string()])?.as_ref().map(read_redemption).transpose()
}

/// Where a page of redemptions begins: after this one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RedemptionMark {
    /// When it was made, in Unix milliseconds.
    pub created_at: i64,
    /// Its id.
    pub id: RedemptionId,
}

/// Redemptions, newest first: those of a customer with all that is merged into it, or all in a subtree of stores (`/`: everywhere).
///
/// # Errors
/// [`DbError`] of the query.
pub fn redemptions(
    tx: &Tx<'_>,
    survivor: Option<CustomerId>,
    store: &str,
    after: Option<&RedemptionMark>,
    most: u32,
) -> Result<Vec<Row>, DbError> {
    // By redemption_by_customer, or by redemption_by_time.
    let whose = match survivor {
        Some(_) => "redemption.customer in (select id from customer where survivor = ?1)",
        None => "?1 is null",
    };
    tx.query(
        &format!(
            "select {COLUMNS}
               from redemption
               join customer named on named.id = redemption.customer
               join customer now on now.id = named.survivor
              where {whose}
                and (?2 = '/' or now.store = ?2 or substr(now.store, 1, length(?2) + 1) = ?2 || '/')
                and (redemption.created_at, redemption.id) < (?3, ?4)
              order by redemption.created_at desc, redemption.id desc
              limit ?5"
        ),
        &params![
            survivor.map(|id| id.to_string()),
            store,
            after.map_or(i64::MAX, |mark| mark.created_at),
            after.map(|mark| mark.id.to_string()).unwrap_or_default(),
            most
        ],
    )
}

/// Adds a redemption.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add_redemption(tx: &Tx<'_>, row: &RedemptionRow) -> Result<(), DbError> {
    tx.run(
        "insert into redemption (id, customer, reward, entry, points, reason, by, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &params![
            row.id.to_string(),
            row.customer.to_string(),
            row.reward.map(|id| id.to_string()),
            row.entry,
            row.points,
            row.reason.as_str(),
            row.by.as_str(),
            row.created_at.millis(),
        ],
    )
}

/// Cancels a redemption, and puts its reward back. False when it was cancelled before.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn cancel_redemption(tx: &Tx<'_>, id: RedemptionId, at: UnixMs) -> Result<bool, DbError> {
    let cancelled = tx.execute(
        "update redemption set cancelled_at = ?2 where id = ?1 and cancelled_at is null",
        &params![id.to_string(), at.millis()],
    )?;
    if cancelled == 0 {
        return Ok(false);
    }
    tx.run(
        "update reward set stock = stock + 1 where id = (select reward from redemption where id = ?1)",
        &params![id.to_string()],
    )?;
    Ok(true)
}
