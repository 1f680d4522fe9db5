//! Files that came in, and their rows.

use crate::import::columns::{self, Column};
use crate::import::{File, Kind, Wrong};
use domain::{ImportId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;

/// A file that came in.
#[derive(Clone, Debug)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// What its rows are.
    pub kind: Kind,
    /// Whether it is only checked.
    pub dry_run: bool,
    /// What its columns hold.
    pub columns: Vec<Column>,
    /// When it came.
    pub created_at: UnixMs,
    /// When the last row was worked off.
    pub ended_at: Option<UnixMs>,
}

/// A row that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its number.
    pub row: i64,
    /// The keyed hash of kind and row.
    pub digest: String,
    /// Its cells, sealed.
    pub sealed: Vec<u8>,
}

/// Writes a file with its rows.
///
/// # Errors
/// [`DbError`] of the inserts.
pub fn insert(tx: &Tx<'_>, import: &Import, file: File, actor: &str) -> Result<(), DbError> {
    let id = import.id.to_string();
    let names: Vec<_> = import.columns.iter().map(Column::name).collect();
    tx.run(
        "insert into import (id, kind, dry_run, digest, columns, actor, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &params![
            id.as_str(),
            import.kind.as_str(),
            import.dry_run,
            file.digest,
            json!(names).to_string(),
            actor,
            import.created_at.millis()
        ],
    )?;
    for row in file.rows {
        tx.run(
            "insert into import_row (import, row, digest, sealed) values (?1, ?2, ?3, ?4)",
            &params![id.as_str(), row.row, row.digest, row.sealed],
        )?;
    }
    Ok(())
}

/// The same file as it came before: one that is still worked off, or that left nothing to repeat. A dry run that is over is made again, since what it
/// depends on may have changed.
///
/// # Errors
/// [`DbError`] of the query.
pub fn same(tx: &Tx<'_>, kind: Kind, dry_run: bool, digest: &str) -> Result<Option<ImportId>, DbError> {
    let row = tx.query_one(
        "select id from import
          where digest = ?1 and kind = ?2 and dry_run = ?3
            and (ended_at is null
                 or (dry_run = 0 and not exists (
                     select 1 from import_row where import = import.id and state = 'refused')))
          order by created_at desc limit 1",
        &params![digest, kind.as_str(), dry_run],
    )?;
    row.map(|row| row.parse("id")).transpose()
}

/// A file by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: ImportId) -> Result<Option<Import>, DbError> {
    let row = tx.query_one(
        "select id, kind, dry_run, columns, created_at, ended_at from import where id = ?1",
        &params![id.to_string()],
    )?;
    row.as_ref().map(read).transpose()
}

/// Files that came before one (or all), the latest first, for [`read`].
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, before: Option<ImportId>, most: u32) -> Result<Vec<Row>, DbError> {
    // An id begins with its time.
    tx.query(
        "select id, kind, dry_run, columns, created_at, ended_at from import
          where ?1 is null or id < ?1 order by id desc limit ?2",
        &params![before.map(|id| id.to_string()), most],
    )
}

/// Reads a file's row.
///
/// # Errors
/// [`DbError`] of a row of another shape.
pub fn read(row: &Row) -> Result<Import, DbError> {
    let kind: String = row.get("kind")?;
    let kind = serde_json::from_value(json!(kind)).map_err(|error| DbError::Shape(error.to_string()))?;
    let names: Vec<String> = row.json("columns")?;
    let columns = columns::header(kind, names.iter().map(String::as_str));
    Ok(Import {
        id: row.parse("id")?,
        kind,
        dry_run: row.get("dry_run")?,
        columns: columns.map_err(|wrong| DbError::Shape(wrong.join("; ")))?,
        created_at: row.instant("created_at")?,
        ended_at: row.optional_instant("ended_at")?,
    })
}

/// How many rows of a file are in each state: `state`, `count`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn counts(tx: &Tx<'_>, id: ImportId) -> Result<Vec<Row>, DbError> {
    tx.query(
        "select state, count(*) as count from import_row where import = ?1 group by state",
        &params![id.to_string()],
    )
}

/// Rows that wait, in the order of the file.
///
/// # Errors
/// [`DbError`] of the query.
pub fn waiting(tx: &Tx<'_>, id: ImportId, most: u32) -> Result<Vec<Waiting>, DbError> {
    // By the index of those that wait: those that are done need no second look.
    tx.query(
        "select row, digest, sealed from import_row indexed by import_row_waiting
          where import = ?1 and state = 'waiting' order by row limit ?2",
        &params![id.to_string(), most],
    )?
    .iter()
    .map(|row| Ok(Waiting { row: row.get("row")?, digest: row.get("digest")?, sealed: row.get("sealed")? }))
    .collect()
}

/// Writes what became of a row. What it says is gone from here on.
///
/// # Errors
/// [`DbError`] of the update.
pub fn settle(tx: &Tx<'_>, id: ImportId, row: i64, state: &str) -> Result<(), DbError> {
    tx.run(
        "update import_row set state = ?3, sealed = null where import = ?1 and row = ?2",
        &params![id.to_string(), row, state],
    )
}

/// Writes what is wrong with a row.
///
/// # Errors
/// [`DbError`] of the inserts.
pub fn refuse(tx: &Tx<'_>, id: ImportId, row: i64, wrong: &[Wrong]) -> Result<(), DbError> {
    for one in wrong {
        tx.run(
            "insert into import_error (import, row, column, advice) values (?1, ?2, ?3, ?4) on conflict do nothing",
            &params![id.to_string(), row, one.column.as_str(), one.advice.as_str()],
        )?;
    }
    Ok(())
}

/// Notes that a row has its effect. Tells whether it is the first of its kind.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn import_once(tx: &Tx<'_>, digest: &str, at: UnixMs) -> Result<bool, DbError> {
    let first = tx.query_one(
        "insert into imported (digest, at) values (?1, ?2) on conflict do nothing returning 1 as first",
        &params![digest, at.millis()],
    )?;
    Ok(first.is_some())
}

/// Whether a row of a dry run would be one that was there before: imported, or further up in the file.
///
/// # Errors
/// [`DbError`] of the query.
pub fn was_imported(tx: &Tx<'_>, id: ImportId, waiting: &Waiting) -> Result<bool, DbError> {
    let found: Option<i64> = tx.scalar(
        "select exists (select 1 from imported where digest = ?2)
             or exists (select 1 from import_row
                         where import = ?1 and digest = ?2 and row < ?3 and state = 'accepted')",
        &params![id.to_string(), waiting.digest.as_str(), waiting.row],
    )?;
    Ok(found == Some(1))
}

/// Writes that a file is worked off.
///
/// # Errors
/// [`DbError`] of the update.
pub fn end(tx: &Tx<'_>, id: ImportId, at: UnixMs) -> Result<(), DbError> {
    tx.run("update import set ended_at = coalesce(ended_at, ?2) where id = ?1", &params![id.to_string(), at.millis()])
}

/// What is wrong with rows of a file, after this row and column.
///
/// # Errors
/// [`DbError`] of the query.
pub fn errors(tx: &Tx<'_>, id: ImportId, after: Option<(i64, String)>, most: u32) -> Result<Vec<Row>, DbError> {
    let (row, column) = after.unwrap_or_default();
    tx.query(
        "select row, column, advice from import_error
          where import = ?1 and (row, column) > (?2, ?3)
          order by row, column limit ?4",
        &params![id.to_string(), row, column, most],
    )
}
