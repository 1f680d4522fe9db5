//! The contact ways of single receivers, for codes that assign their scanners themselves.

use domain::ChannelCodeId;
use kit::db::Row;
use kit::{DbError, Tx, params};

/// A receiver's own contact way.
#[derive(Clone, Debug)]
pub struct Way {
    /// The code.
    pub code: ChannelCodeId,
    /// The receiver.
    pub staff: String,
    /// WeCom's id of it.
    pub config_id: Option<String>,
    /// What its picture says.
    pub url: Option<String>,
    /// What comes back from it.
    pub state: String,
    /// What WeCom was asked to have last, JSON; nothing where that is not known.
    pub wanted: Option<String>,
    /// Whether it was taken back.
    pub retired: bool,
}

impl Way {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            code: row.parse("code")?,
            staff: row.get("staff")?,
            config_id: row.get("config_id")?,
            url: row.get("url")?,
            state: row.get("state")?,
            wanted: row.get("wanted")?,
            retired: row.get("retired")?,
        })
    }
}

/// Writes a receiver's way that WeCom is asked to make, anew where it was taken back.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn make(tx: &Tx<'_>, code: ChannelCodeId, staff: &str, state: &str, wanted: &str) -> Result<(), DbError> {
    tx.run(
        "insert into channel_code_way (code, staff, state, asked, wanted) values (?1, ?2, ?3, 1, ?4)
         on conflict (code, staff) do update
             set wanted = excluded.wanted, retired = 0, config_id = null, url = null",
        &params![code.to_string(), staff, state, wanted],
    )
}

/// Writes what WeCom is asked to have for a way now.
///
/// # Errors
/// [`DbError`] of the update.
pub fn change(tx: &Tx<'_>, state: &str, wanted: &str) -> Result<(), DbError> {
    tx.run("update channel_code_way set wanted = ?2 where state = ?1", &params![state, wanted])
}

/// Writes that a way is taken back.
///
/// # Errors
/// [`DbError`] of the update.
pub fn retire(tx: &Tx<'_>, state: &str) -> Result<(), DbError> {
    tx.run(
        "update channel_code_way set retired = 1, config_id = null, url = null, wanted = null where state = ?1",
        &params![state],
    )
}

/// The ways of a code.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_code(tx: &Tx<'_>, code: ChannelCodeId) -> Result<Vec<Way>, DbError> {
    let rows = tx.query("select * from channel_code_way where code = ?1 order by staff", &params![code.to_string()])?;
    rows.iter().map(Way::from_row).collect()
}

/// The way that has this state.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_state(tx: &Tx<'_>, state: &str) -> Result<Option<Way>, DbError> {
    let row = tx.query_one("select * from channel_code_way where state = ?1", &params![state])?;
    row.as_ref().map(Way::from_row).transpose()
}

/// Keeps what WeCom has made of a way.
///
/// # Errors
/// [`DbError`] of the update.
pub fn made(tx: &Tx<'_>, state: &str, config_id: &str, url: &str) -> Result<(), DbError> {
    tx.run("update channel_code_way set config_id = ?2, url = ?3 where state = ?1", &params![state, config_id, url])
}

/// WeCom refused a way: it is asked again when the plan is looked at next. One that it did not make is forgotten.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn refused(tx: &Tx<'_>, state: &str) -> Result<(), DbError> {
    tx.run("delete from channel_code_way where state = ?1 and config_id is null and retired = 0", &params![state])?;
    tx.run("update channel_code_way set wanted = null where state = ?1", &params![state])
}
