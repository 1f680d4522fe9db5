//! What channels cost.

use domain::Fen;
use domain::day::Day;
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// What a channel cost on a day, in a part of the stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The channel.
    pub channel: String,
    /// The day.
    pub day: Day,
    /// The stores, as a path; `/` for all.
    pub store: String,
    /// How much; nothing takes away what stood there.
    pub amount: Fen,
    /// In words of the merchant.
    pub note: Option<String>,
}

/// Writes a cost in place of what stood there.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn set(tx: &Tx<'_>, cost: &Cost) -> Result<(), DbError> {
    let Cost { channel, day, store, amount, note } = cost;
    if *amount == Fen::ZERO {
        return tx.run(
            "delete from channel_cost where channel = ?1 and day = ?2 and store = ?3",
            &params![channel, *day, store],
        );
    }
    tx.run(
        "insert into channel_cost (channel, day, store, amount, note, changed_at) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (channel, day, store) do update
             set amount = excluded.amount, note = excluded.note, changed_at = excluded.changed_at",
        &params![channel, *day, store, amount.get(), note.as_deref(), tx.cx().now.millis()],
    )
}

/// A place in the list of costs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// The day.
    pub day: Day,
    /// The stores.
    pub store: String,
}

/// Costs of a channel in a stretch of days and a subtree of stores, by day.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(
    tx: &Tx<'_>,
    channel: &str,
    (from, to): (Day, Day),
    store: &str,
    after: Option<&Mark>,
    most: u32,
) -> Result<Vec<Row>, DbError> {
    let (day, after) = after.map_or((Day::MIN, ""), |mark| (mark.day, mark.store.as_str()));
    tx.query(
        "select day, store, amount, note, changed_at from channel_cost
          where channel = ?1 and day between ?2 and ?3
            and (?4 = '/' or store = ?4 or substr(store, 1, length(?4) + 1) = ?4 || '/')
            and (day, store) > (?5, ?6)
          order by day, store
          limit ?7",
        &params![channel, from, to, store, day, after, most],
    )
}
