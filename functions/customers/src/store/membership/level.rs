//! Levels of membership that customers have here and elsewhere.

use domain::{CustomerId, UnixMs};
use kit::{DbError, Tx, params};

/// A level that a customer was told to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelRow {
    /// Its name; none where the customer has none.
    pub level: Option<String>,
    /// Since when.
    pub since: UnixMs,
    /// The instant for which it was computed.
    pub at: UnixMs,
}

/// The level of a customer, if it was ever computed.
///
/// # Errors
/// [`DbError`] of the query.
pub fn level(tx: &Tx<'_>, customer: CustomerId) -> Result<Option<LevelRow>, DbError> {
    let row =
        tx.query_one("select level, since, at from member_level where customer = ?1", &params![customer.to_string()])?;
    row.map(|row| Ok(LevelRow { level: row.get("level")?, since: row.instant("since")?, at: row.instant("at")? }))
        .transpose()
}

/// Keeps the level of a customer.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save_level(tx: &Tx<'_>, customer: CustomerId, row: &LevelRow) -> Result<(), DbError> {
    tx.run(
        "insert into member_level (customer, level, since, at) values (?1, ?2, ?3, ?4)
         on conflict (customer) do update
             set level = excluded.level, since = excluded.since, at = excluded.at",
        &params![customer.to_string(), row.level.as_deref(), row.since.millis(), row.at.millis()],
    )
}

/// Customers who have bought, have a card or were told a level, by id, after the one that is named.
///
/// # Errors
/// [`DbError`] of the query.
pub fn customers_after(tx: &Tx<'_>, after: Option<CustomerId>, most: u32) -> Result<Vec<CustomerId>, DbError> {
    tx.query(
        "select customer from member_level where customer > ?1
          union select customer from member_order where customer > ?1
          union select customer from member_card where customer > ?1
          order by customer
          limit ?2",
        &params![after.map(|id| id.to_string()).unwrap_or_default(), most],
    )?
    .iter()
    .map(|row| row.parse("customer"))
    .collect()
}

/// A level in a membership elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramRow {
    /// The membership: `douyin`, `taobao`.
    pub program: String,
    /// The level, in its own word.
    pub level: String,
    /// When that was told.
    pub at: UnixMs,
}

/// Notes a level in a membership elsewhere. What is older than what is known changes nothing.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn note_program(tx: &Tx<'_>, customer: CustomerId, row: &ProgramRow) -> Result<(), DbError> {
    tx.run(
        "insert into member_program (customer, program, level, at) values (?1, ?2, ?3, ?4)
         on conflict (customer, program) do update
             set level = excluded.level, at = excluded.at
           where excluded.at >= member_program.at",
        &params![customer.to_string(), row.program.as_str(), row.level.as_str(), row.at.millis()],
    )
}

/// The levels elsewhere of a customer, with all that is merged into it: the newest of each membership.
///
/// # Errors
/// [`DbError`] of the query.
pub fn programs(tx: &Tx<'_>, survivor: CustomerId) -> Result<Vec<ProgramRow>, DbError> {
    let rows = tx.query(
        "select program, level, at from member_program
          where customer in (select id from customer where survivor = ?1)
          order by program, at desc, customer",
        &params![survivor.to_string()],
    )?;
    let mut programs: Vec<ProgramRow> = Vec::new();
    for row in rows {
        let row = ProgramRow { program: row.get("program")?, level: row.get("level")?, at: row.instant("at")? };
        if programs.last().is_none_or(|last| last.program != row.program) {
            programs.push(row);
        }
    }
    Ok(programs)
}
