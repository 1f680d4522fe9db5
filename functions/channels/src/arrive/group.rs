//! Group chats of customers.

use crate::push;
use crate::store::{code, group};
use domain::UnixMs;
use kit::{DbError, Tx};
use platforms::wecom;

/// Asks WeCom who is in a chat. Callbacks may be lost and come in any order, so the whole list is what counts; calls about the same chat that wait
/// are one.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn ask_about(tx: &Tx<'_>, group: &str) -> Result<(), DbError> {
    push::ask_wecom(tx, &wecom::Ask::GetGroup { group: group.to_owned() }, group).map(drop)
}

/// A chat was dismissed: ways that led into it lead into the next.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn dismissed(tx: &Tx<'_>, id: &str, at: UnixMs) -> Result<(), DbError> {
    group::dismissed(tx, id, at)?;
    code::of_group(tx, id)?.iter().try_for_each(|code| push::refresh(tx, code))
}
