//! The catalogue of rewards.

use domain::{CustomerId, RewardId, RewardKind, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// A reward of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewardRow {
    /// Its id.
    pub id: RewardId,
    /// Its name, for people.
    pub name: String,
    /// What it is.
    pub kind: RewardKind,
    /// The coupon's template, or the SKU.
    pub code: String,
    /// Its price in points.
    pub price: i64,
    /// How many are left; none where that is not limited.
    pub stock: Option<i64>,
    /// How many a customer may have; none where that is not limited.
    pub limit_each: Option<i64>,
    /// When it came into the catalogue.
    pub created_at: UnixMs,
    /// When it was taken out of it.
    pub retired_at: Option<UnixMs>,
}

const COLUMNS: &str = "id, name, kind, code, price, stock, limit_each, created_at, retired_at";

fn read(row: &Row) -> Result<RewardRow, DbError> {
    let kind = match row.get::<String>("kind")?.as_str() {
        "coupon" => RewardKind::Coupon,
        _ => RewardKind::Goods,
    };
    Ok(RewardRow {
        id: row.parse("id")?,
        name: row.get("name")?,
        kind,
        code: row.get("code")?,
        price: row.get("price")?,
        stock: row.get("stock")?,
        limit_each: row.get("limit_each")?,
        created_at: row.instant("created_at")?,
        retired_at: row.optional_instant("retired_at")?,
    })
}

/// A reward by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn reward(tx: &Tx<'_>, id: RewardId) -> Result<Option<RewardRow>, DbError> {
    let row = tx.query_one(&format!("select {COLUMNS} from reward where id = ?1"), &params![id.to_string()])?;
    row.as_ref().map(read).transpose()
}

/// Rewards, newest first, after the one that is named.
///
/// # Errors
/// [`DbError`] of the query.
pub fn rewards(tx: &Tx<'_>, after: Option<RewardId>, most: u32) -> Result<Vec<Row>, DbError> {
    tx.query(
        &format!("select {COLUMNS} from reward where id < coalesce(?1, 'g') order by id desc limit ?2"),
        &params![after.map(|id| id.to_string()), most],
    )
}

/// Reads a row of [`rewards`].
///
/// # Errors
/// [`DbError::Shape`] when it is none.
pub fn read_reward(row: &Row) -> Result<RewardRow, DbError> {
    read(row)
}

/// Puts a reward into the catalogue, or changes it.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save_reward(tx: &Tx<'_>, reward: &RewardRow) -> Result<(), DbError> {
    tx.run(
        "insert into reward (id, name, kind, code, price, stock, limit_each, created_at, retired_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         on conflict (id) do update
             set name = excluded.name, kind = excluded.kind, code = excluded.code, price = excluded.price,
                 stock = excluded.stock, limit_each = excluded.limit_each, retired_at = excluded.retired_at",
        &params![
            reward.id.to_string(),
            reward.name.as_str(),
            reward.kind.as_str(),
            reward.code.as_str(),
            reward.price,
            reward.stock,
            reward.limit_each,
            reward.created_at.millis(),
            reward.retired_at.map(UnixMs::millis),
        ],
    )
}

/// Takes one of a reward for a customer, with all that is merged into it. False when none is left, or the customer has as many as
/// it may, or the reward is no longer offered: one statement, so that no two take the last one.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn take_reward(tx: &Tx<'_>, id: RewardId, survivor: CustomerId) -> Result<bool, DbError> {
    let taken = tx.query_one(
        "update reward set stock = stock - 1
          where id = ?1 and retired_at is null and (stock is null or stock > 0)
            and (limit_each is null or limit_each > (
                select count(*) from redemption
                 where redemption.reward = ?1 and redemption.cancelled_at is null
                   and redemption.customer in (select id from customer where survivor = ?2)))
         returning 1 as taken",
        &params![id.to_string(), survivor.to_string()],
    )?;
    Ok(taken.is_some())
}
